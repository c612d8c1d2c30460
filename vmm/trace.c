// See trace.h.
#include "trace.h"

#include <base/format.h>
#include <base/str.h>
#include <spec/trap.h>

#include "log.h"
#include "vm.h"

static const char *class_name(unsigned kind)
{
    // clang-format off
    switch (kind) {
    case EC_UNKNOWN: return "undefined instruction";
    case EC_WFX: return "WFI, WFE";
    case EC_CP15_32:
    case EC_CP15_64:
    case EC_CP14_32:
    case EC_CP14_LDC:
    case EC_VMRS:
    case EC_CP14_64: return "AArch32 coprocessor";
    case EC_HVC64: return "HVC";
    case EC_SMC64: return "SMC";
    case EC_SYSREG: return "system register";
    case EC_INSTRUCTION_ABORT_LOWER: return "instruction abort";
    case EC_DATA_ABORT_LOWER: return "MMIO";
    case TRACE_MMIO_DECODED: return "  decoded";
    case TRACE_SGI: return "SGIs sent";
    case TRACE_NOTIFIED: return "woken";
    case TRACE_DEADLINE: return "deadline";
    case TRACE_OTHER: return "other";
    default: return NULL;
    }
    // clang-format on
}

#define NAME_SIZE  48u
#define COUNT_SIZE 21u // a space and any number

// Right-aligned columns: all vcpus together, then each.
static void print_row(const struct vm *vm, const char *name, const uint64_t *counts)
{
    char text[NAME_SIZE + COUNT_SIZE * (VCPU_MAX + 1)];
    uint64_t sum = 0;
    for (unsigned i = 0; i < vm->vcpus; i++) {
        sum += counts[i];
    }
    if (sum == 0) {
        return;
    }
    size_t used = format(text, sizeof(text), "%-34s %10lu", name, (unsigned long)sum);
    for (unsigned i = 0; i < vm->vcpus && vm->vcpus > 1; i++) {
        used += format(text + used, sizeof(text) - used, " %10lu", (unsigned long)counts[i]);
    }
    vm_log(vm, "%s", text);
}

// What was read or written of one range of the bus.
static void print_accesses(const struct vm *vm, unsigned range, bool write)
{
    char name[NAME_SIZE];
    uint64_t counts[VCPU_MAX];
    format(name, sizeof(name), "  %s, %s", vm->bus.ranges[range].name, write ? "writes" : "reads");
    for (unsigned i = 0; i < vm->vcpus; i++) {
        counts[i] = vm->accesses[i][range][write];
    }
    print_row(vm, name, counts);
}

static void print_kind(const struct vm *vm, unsigned kind)
{
    char number[32];
    uint64_t counts[VCPU_MAX];
    const char *name = class_name(kind);
    if (name == NULL) {
        format(number, sizeof(number), "exception class 0x%02x", kind);
        name = number;
    }
    for (unsigned i = 0; i < vm->vcpus; i++) {
        counts[i] = vm->vcpu[i].exits[kind];
    }
    print_row(vm, name, counts);
}

// The parts of the data aborts.
static void print_mmio(const struct vm *vm)
{
    print_kind(vm, TRACE_MMIO_DECODED);
    for (unsigned i = 0; i < 2 * vm->bus.count; i++) {
        print_accesses(vm, i / 2, i % 2 != 0);
    }
}

void trace_print(struct vm *vm)
{
    if ((vm->config->flags & VM_TRACE_EXITS) == 0) {
        return;
    }
    uint64_t counts[VCPU_MAX];
    for (unsigned i = 0; i < vm->vcpus; i++) {
        counts[i] = vm->vcpu[i].page->kernel_exits;
    }
    vm_log(vm, "exits, all vcpus and each:");
    print_row(vm, "kernel alone", counts);
    for (unsigned kind = 0; kind < ESR_EC_COUNT; kind++) {
        print_kind(vm, kind);
        if (kind == EC_DATA_ABORT_LOWER) {
            print_mmio(vm);
        }
    }
    for (unsigned kind = TRACE_SGI; kind < TRACE_KINDS; kind++) {
        print_kind(vm, kind);
    }
}

void trace_reset(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpus; i++) {
        memset(vm->vcpu[i].exits, 0, sizeof(vm->vcpu[i].exits));
        vm->vcpu[i].page->kernel_exits = 0;
    }
    memset(vm->accesses, 0, sizeof(vm->accesses));
}
