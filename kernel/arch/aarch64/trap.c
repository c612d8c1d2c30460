// Exceptions of processes that are no system calls, and those of the kernel itself. Arm ARM (DDI 0487) D1 and D17.2.37.
//
// What a process does wrong becomes a fault (entry_fault); only an exception taken from EL2 is a panic.
#include "trap.h"

#include <spec/esr.h>

#include "context.h"
#include "entry.h"
#include "panic.h"
#include "percpu.h"
#include "thread.h"

#define BACKTRACE_MAX 24u

// Faults that the tables cause, as against those that the bus or the instruction causes.
static bool is_mapping_fault(uint64_t esr)
{
    unsigned fsc = esr_fsc(esr);
    return fsc == FSC_TRANSLATION || fsc == FSC_PERMISSION || fsc == FSC_ACCESS_FLAG ||
           fsc == FSC_ADDRESS_SIZE;
}

// FAR_EL2 is the address of a process, since its stage 1 is off. HPFAR_EL2 is not looked at: on a permission fault
// it may hold anything.
static struct thread *abort_entry(struct thread *self, uint64_t esr, bool fetch)
{
    uint64_t far =
        (esr & ESR_ABORT_FNV) != 0 && esr_fsc(esr) == FSC_EXTERNAL ? 0 : sysreg_read(far_el2);
    return entry_fault(self, is_mapping_fault(esr) ? FAULT_VM : FAULT_USER, self->regs.pc, far, esr,
                       fetch);
}

struct thread *trap_entry(struct thread *self, uint64_t esr)
{
    switch (esr_ec(esr)) {
    case EC_FP:
        if ((self->flags & THREAD_FP) != 0) {
            context_fp_take(&self->fp);
            return self;
        }
        break;
    case EC_INSTRUCTION_ABORT_LOWER:
        return abort_entry(self, esr, true);
    case EC_DATA_ABORT_LOWER:
        return abort_entry(self, esr, false);
    default:
        break;
    }
    return entry_fault(self, FAULT_USER, self->regs.pc, 0, esr, false);
}

// ---- The kernel's own -------------------------------------------------------------------------------------------

static const char *class_name(uint64_t esr)
{
    static const char *const names[64] = {
        [EC_UNKNOWN] = "undefined instruction",
        [EC_FP] = "FP instruction",
        [EC_ILLEGAL_STATE] = "illegal execution state",
        [EC_INSTRUCTION_ABORT] = "instruction abort",
        [EC_PC_ALIGNMENT] = "misaligned pc",
        [EC_DATA_ABORT] = "data abort",
        [EC_SP_ALIGNMENT] = "misaligned sp",
        [EC_BRK] = "brk",
    };
    const char *name = names[esr_ec(esr)];
    return name != NULL ? name : "exception";
}

static const char *fault_name(uint64_t esr)
{
    static const char *const names[16] = {
        [FSC_ADDRESS_SIZE >> 2] = "address size", [FSC_TRANSLATION >> 2] = "not mapped",
        [FSC_ACCESS_FLAG >> 2] = "access flag",   [FSC_PERMISSION >> 2] = "permission",
        [FSC_EXTERNAL >> 2] = "external",         [FSC_ALIGNMENT >> 2] = "alignment",
    };
    const char *name = names[esr_fsc(esr) >> 2];
    return name != NULL ? name : "other";
}

static bool is_guard(uint64_t address)
{
    uint64_t offset = (address - STACK_BASE) & (STACK_STRIDE - 1);
    return address >= STACK_BASE && address < STACK_BASE + (uint64_t)CORES_MAX * STACK_STRIDE &&
           offset < STACK_OFFSET;
}

_Noreturn void trap_panic(enum trap_kind kind, struct trap_frame *frame)
{
    static const char *const kinds[] = {
        [TRAP_STACK] = "wrong stack pointer selected",
        [TRAP_INTERRUPT] = "unexpected interrupt",
        [TRAP_SERROR] = "system error",
        [TRAP_AARCH32] = "exception from AArch32",
    };
    struct percpu *cpu = this_cpu();
    if (cpu != NULL) {
        cpu->arch.trap = frame;
    }
    if (kind != TRAP_SYNCHRONOUS) {
        panic("%s (esr %#lx)", kinds[kind], frame->esr);
    }
    unsigned ec = esr_ec(frame->esr);
    if (ec == EC_DATA_ABORT || ec == EC_INSTRUCTION_ABORT) {
        bool write = ec == EC_DATA_ABORT && (frame->esr & ESR_ABORT_WNR) != 0;
        panic("%s at %#lx%s: %s%s (esr %#lx)", class_name(frame->esr), frame->far,
              write ? ", write" : "", fault_name(frame->esr),
              is_guard(frame->far) ? ", kernel stack overflow" : "", frame->esr);
    }
    panic("%s (esr %#lx)", class_name(frame->esr), frame->esr);
}

// Is the pair of words at fp inside this core's stacks or the boot stack?
static bool is_frame(uint64_t fp, uint64_t previous)
{
    extern char __kernel_start[], __kernel_end[];
    bool in_stacks = fp >= STACK_BASE && fp < STACK_BASE + (uint64_t)CORES_MAX * STACK_STRIDE &&
                     (fp & (STACK_STRIDE - 1)) >= STACK_OFFSET &&
                     (fp & (STACK_STRIDE - 1)) < STACK_OFFSET + STACK_SIZE - 16;
    bool in_image = fp >= (uint64_t)__kernel_start && fp < (uint64_t)__kernel_end - 16;
    return (fp & 15) == 0 && fp > previous && (in_stacks || in_image);
}

static void print_backtrace(uint64_t pc, uint64_t fp)
{
    panic_print("core %u, backtrace", this_cpu() != NULL ? this_cpu()->id : 0);
    if (pc != 0) {
        panic_print(" %#lx", pc);
    }
    uint64_t previous = 0;
    for (unsigned i = 0; i < BACKTRACE_MAX && is_frame(fp, previous); i++) {
        const uint64_t *frame = (const uint64_t *)fp;
        panic_print(" %#lx", frame[1]);
        previous = fp;
        fp = frame[0];
    }
    panic_print("\n");
}

void arch_panic_details(void)
{
    const struct percpu *cpu = this_cpu();
    const struct trap_frame *f = cpu != NULL ? cpu->arch.trap : NULL;
    if (f == NULL) {
        print_backtrace(0, (uint64_t)__builtin_frame_address(0));
        return;
    }
    panic_print("pc %016lx  sp %016lx  pstate %lx  far %lx\n", f->pc, f->sp, f->pstate, f->far);
    for (unsigned i = 0; i < 31; i++) {
        panic_print("x%-2u %016lx%s", i, f->x[i], i % 4 == 3 || i == 30 ? "\n" : "  ");
    }
    print_backtrace(f->pc, f->x[29]);
}
