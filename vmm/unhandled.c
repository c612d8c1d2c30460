// See unhandled.h.
#include "unhandled.h"

#include <libfdt.h>

#include <base/format.h>
#include <spec/esr.h>

#include "board.h"
#include "fdt_address.h"
#include "inject.h"
#include "log.h"
#include "vm.h"

enum verdict {
    VERDICT_TELL,
    VERDICT_SILENCE, // the table is full, this once
    VERDICT_KNOWN,
};

static enum verdict remember(struct unhandled *u, uint64_t ipa)
{
    u->accesses++;
    for (uint32_t i = 0; i < u->count; i++) {
        if (u->addresses[i] == ipa) {
            return VERDICT_KNOWN;
        }
    }
    if (u->count < UNHANDLED_ADDRESSES) {
        u->addresses[u->count++] = ipa;
        return VERDICT_TELL;
    }
    bool said = u->silent;
    u->silent = true;
    return said ? VERDICT_KNOWN : VERDICT_SILENCE;
}

static void consider(struct place *below, struct place *above, const char *name, struct range where,
                     uint64_t ipa)
{
    if (where.base <= ipa && (below->name == NULL || where.base > below->where.base)) {
        *below = (struct place){name, where};
    }
    if (where.base > ipa && (above->name == NULL || where.base < above->where.base)) {
        *above = (struct place){name, where};
    }
}

static void describe(char *out, size_t size, const struct place *p)
{
    if (p->name == NULL) {
        format(out, size, "nothing");
        return;
    }
    format(out, size, "%s 0x%lx-0x%lx", p->name, (unsigned long)p->where.base,
           (unsigned long)(p->where.base + (p->where.size - 1)));
}

static void tell_neighbours(const struct vm *vm, uint64_t ipa)
{
    struct place below = {NULL};
    struct place above = {NULL};
    for (uint32_t i = 0; i < vm->bus.count; i++) {
        consider(&below, &above, vm->bus.ranges[i].name, vm->bus.ranges[i].where, ipa);
    }
    consider(&below, &above, "RAM", (struct range){vm->config->ram_ipa, vm->config->ram_size}, ipa);
    char low[80], high[80];
    describe(low, sizeof(low), &below);
    describe(high, sizeof(high), &above);
    vm_log(vm, "  The machine has %s at or below it, and %s above it.", low, high);
}

// What a tree that was given has there. It is read as it was given: the guest's own has lost what the merge dropped, and
// the guest may write to it. False: it has nothing.
static bool tell_given(const struct vm *vm, uint64_t ipa)
{
    const void *fdt = (const void *)(uintptr_t)vm->config->dtb.vaddr;
    int node = vm->config->dtb.size == 0 ? -FDT_ERR_NOTFOUND : fdt_node_at(fdt, ipa);
    if (node < 0) {
        return false;
    }
    char path[80];
    if (fdt_get_path(fdt, node, path, sizeof(path)) != 0) {
        format(path, sizeof(path), "%s",
               fdt_get_name(fdt, node, NULL)); // too long: its end will do
    }
    const char *compatible = fdt_stringlist_get(fdt, node, "compatible", 0, NULL);
    vm_log(vm, "  The given device tree has %s (%s) there.", path,
           compatible == NULL ? "no compatible" : compatible);
    return true;
}

// What made the guest believe that something is there, most likely.
static void tell_expected(const struct vm *vm, uint64_t ipa)
{
    if (tell_given(vm, ipa)) {
        return;
    }
    char what[80];
    struct place p = board_at(ipa);
    describe(what, sizeof(what), &p);
    vm_log(vm, "  A device tree of QEMU's virt board would have there: %s.", what);
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
    tell_expected(vm, ipa);
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
    enum verdict verdict = remember(&vm->unhandled, ipa);
    port_unlock(vm->port, &vm->lock);

    if (verdict == VERDICT_TELL) {
        tell(v, kind, ipa, detail);
    } else if (verdict == VERDICT_SILENCE) {
        vm_log(vm, "the guest touches ever more addresses where nothing is: more are not told");
    }
    inject_external_abort(v);
}

void unhandled_summary(struct vm *vm)
{
    const struct unhandled *u = &vm->unhandled;
    if (u->accesses > u->count) {
        vm_log(vm, "%lu accesses where nothing is, to %s%u addresses", (unsigned long)u->accesses,
               u->silent ? "more than " : "", u->count);
    }
}
