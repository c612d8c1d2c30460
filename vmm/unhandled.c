// See unhandled.h.
#include "unhandled.h"

#include <base/bits.h>
#include <base/format.h>
#include <spec/esr.h>

#include "inject.h"
#include "log.h"
#include "vm.h"

#define PAGE 0x1000u

// A place of the machine, as a message names it.
struct neighbour {
    const char *name; // NULL: there is none
    struct range where;
};

enum verdict {
    VERDICT_TELL,
    VERDICT_SILENCE, // the table is full, this once
    VERDICT_KNOWN,
};

static enum verdict remember(struct unhandled *u, uint64_t page)
{
    u->accesses++;
    for (uint32_t i = 0; i < u->count; i++) {
        if (u->pages[i] == page) {
            return VERDICT_KNOWN;
        }
    }
    if (u->count < UNHANDLED_PAGES) {
        u->pages[u->count++] = page;
        return VERDICT_TELL;
    }
    bool said = u->silent;
    u->silent = true;
    return said ? VERDICT_KNOWN : VERDICT_SILENCE;
}

static void consider(struct neighbour *below, struct neighbour *above, const char *name,
                     struct range where, uint64_t ipa)
{
    if (where.base <= ipa && (below->name == NULL || where.base > below->where.base)) {
        *below = (struct neighbour){name, where};
    }
    if (where.base > ipa && (above->name == NULL || where.base < above->where.base)) {
        *above = (struct neighbour){name, where};
    }
}

static void describe(char *out, size_t size, const struct neighbour *n)
{
    if (n->name == NULL) {
        format(out, size, "nothing");
        return;
    }
    format(out, size, "%s 0x%lx-0x%lx", n->name, (unsigned long)n->where.base,
           (unsigned long)(n->where.base + (n->where.size - 1)));
}

static void tell_neighbours(const struct vm *vm, uint64_t ipa)
{
    struct neighbour below = {NULL};
    struct neighbour above = {NULL};
    for (uint32_t i = 0; i < vm->bus.count; i++) {
        consider(&below, &above, vm->bus.ranges[i].name, vm->bus.ranges[i].where, ipa);
    }
    consider(&below, &above, "RAM", (struct range){vm->config->ram_ipa, vm->config->ram_size}, ipa);
    char low[80], high[80];
    describe(low, sizeof(low), &below);
    describe(high, sizeof(high), &above);
    vm_log(vm, "  The machine has %s at or below it, and %s above it.", low, high);
}

static const char *obstacle(const struct vcpu *v, enum unhandled_kind kind)
{
    if (kind == UNHANDLED_INSTRUCTION) {
        return "which is not memory";
    }
    if (esr_fsc(v->page->syndrome) == FSC_PERMISSION) {
        return "which it has no right to";
    }
    return kind == UNHANDLED_READ || kind == UNHANDLED_WRITE
               ? "where it has no memory and no device answers"
               : "where it has no memory";
}

static void tell_access(const struct vcpu *v, enum unhandled_kind kind, uint64_t ipa,
                        uint32_t detail)
{
    char what[64];
    switch (kind) {
    case UNHANDLED_READ:
        format(what, sizeof(what), "reads %u bytes at", detail);
        break;
    case UNHANDLED_WRITE:
        format(what, sizeof(what), "writes %u bytes at", detail);
        break;
    case UNHANDLED_FETCH:
        format(what, sizeof(what), "fetches an instruction from");
        break;
    case UNHANDLED_WALK:
        format(what, sizeof(what), "has translation tables at");
        break;
    case UNHANDLED_INSTRUCTION:
        format(what, sizeof(what), "uses instruction 0x%08x on", detail);
        break;
    }
    vm_log(v->vm, "vcpu %u %s 0x%lx, %s (pc 0x%lx).", v->index, what, (unsigned long)ipa,
           obstacle(v, kind), (unsigned long)v->page->regs.pc);
}

static void tell(const struct vcpu *v, enum unhandled_kind kind, uint64_t ipa, uint32_t detail)
{
    const struct vm *vm = v->vm;
    tell_access(v, kind, ipa, detail);
    tell_neighbours(vm, ipa);
    if (kind == UNHANDLED_INSTRUCTION) {
        vm_log(vm,
               "  Devices are emulated for A64 loads and stores of general registers, each within");
        vm_log(vm,
               "  a page and none of them atomic or exclusive. The guest gets an external abort.");
        return;
    }
    vm_log(vm, "  The guest gets an external abort. Three ways to mend it:");
    vm_log(vm,
           "  - give the device or memory region to the VM: a <map> in the system description;");
    vm_log(vm, "  - add an emulated device for this address to the VM's monitor;");
    vm_log(vm, "  - remove the node that names this address from the guest's device tree.");
}

void unhandled_access(struct vcpu *v, enum unhandled_kind kind, uint64_t ipa, uint32_t detail)
{
    struct vm *vm = v->vm;
    port_lock(vm->port, &vm->lock);
    enum verdict verdict = remember(&vm->unhandled, align_down(ipa, PAGE));
    port_unlock(vm->port, &vm->lock);

    if (verdict == VERDICT_TELL) {
        tell(v, kind, ipa, detail);
    } else if (verdict == VERDICT_SILENCE) {
        vm_log(vm,
               "the guest touches ever more addresses where nothing is: no more of them are told");
    }
    inject_external_abort(v);
}

void unhandled_summary(struct vm *vm)
{
    const struct unhandled *u = &vm->unhandled;
    if (u->accesses > u->count) {
        vm_log(vm, "%lu accesses to addresses where nothing is, on %s%u pages",
               (unsigned long)u->accesses, u->silent ? "more than " : "", u->count);
    }
}
