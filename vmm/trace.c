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
    case TRACE_MMIO_WRITE: return "  of these, writes";
    case TRACE_MMIO_DECODED: return "  of these, decoded";
    case TRACE_NOTIFIED: return "woken";
    case TRACE_DEADLINE: return "deadline";
    case TRACE_OTHER: return "other";
    default: return NULL;
    }
    // clang-format on
}

// Right-aligned columns: all vcpus together, then each.
static void print_row(struct vm *vm, const char *name, const uint64_t *counts)
{
    char text[32 + 12 * (VCPU_MAX + 1)];
    uint64_t sum = 0;
    for (unsigned i = 0; i < vm->vcpus; i++) {
        sum += counts[i];
    }
    if (sum == 0) {
        return;
    }
    size_t used = format(text, sizeof(text), "%-24s %11lu", name, (unsigned long)sum);
    for (unsigned i = 0; i < vm->vcpus && vm->vcpus > 1; i++) {
        used += format(text + used, sizeof(text) - used, " %11lu", (unsigned long)counts[i]);
    }
    vm_log(vm, "%s", text);
}

static void print_kind(struct vm *vm, unsigned kind)
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
    for (unsigned kind = 0; kind < TRACE_KINDS; kind++) {
        print_kind(vm, kind);
        // The parts of the data aborts stand below them.
        if (kind == EC_DATA_ABORT_LOWER) {
            print_kind(vm, TRACE_MMIO_WRITE);
            print_kind(vm, TRACE_MMIO_DECODED);
            continue;
        }
        if (kind + 1 == TRACE_MMIO_WRITE) {
            kind = TRACE_MMIO_DECODED;
        }
    }
}

void trace_reset(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpus; i++) {
        memset(vm->vcpu[i].exits, 0, sizeof(vm->vcpu[i].exits));
    }
}
