// Faults: see fault.h. Syndromes are those of the Arm manual (spec/esr.h).
#include "fault.h"

#include <base/bits.h>
#include <base/format.h>
#include <spec/esr.h>

#include "life.h"
#include "thread.h"
#include "vmplan.h"

#define WHAT_MAX 160u

static const char *abort_reason(uint64_t syndrome)
{
    switch (esr_fsc(syndrome)) {
    case FSC_TRANSLATION:
    case FSC_ADDRESS_SIZE:
        return "where nothing is mapped";
    case FSC_PERMISSION:
        return "which its rights do not allow";
    case FSC_ALIGNMENT:
        return "which is not aligned as it must be";
    default:
        return "and the memory system refused";
    }
}

static const char *abort_deed(uint64_t syndrome, bool fetch)
{
    if (fetch) {
        return "it executed at";
    }
    return (syndrome & ESR_ABORT_WNR) != 0 ? "it wrote to" : "it read at";
}

static const char *forbidden(uint64_t syndrome)
{
    switch (esr_ec(syndrome)) {
    case EC_UNKNOWN:
        return "an undefined instruction";
    case EC_FP:
    case EC_SVE:
        return "a floating-point or vector instruction, without the right to";
    case EC_SYSREG:
        return "access to a system register";
    case EC_BRK:
        return "a brk instruction";
    case EC_PC_ALIGNMENT:
        return "a jump to an address that is not aligned";
    case EC_SP_ALIGNMENT:
        return "use of a stack pointer that is not aligned";
    case EC_BREAKPOINT_LOWER:
    case EC_STEP_LOWER:
    case EC_WATCHPOINT_LOWER:
        return "a debug event";
    default:
        return "a forbidden instruction";
    }
}

// Is the address in the page that is kept free below the thread's stack?
static bool in_guard(const struct bundle_process *record, unsigned thread, uint64_t address)
{
    uint64_t guard =
        thread == 0 ? bundle_process_top(record) : vm_stack_top(thread) - VM_STACK_SIZE - PAGE_SIZE;
    return address >= guard && address < guard + PAGE_SIZE;
}

static void describe(const struct bundle_process *record, const struct message *m,
                     char what[WHAT_MAX])
{
    uint64_t address = m->word[1];
    uint64_t syndrome = m->word[2];
    bool guard = in_guard(record, FAULT_BADGE_THREAD(m->badge), address);
    switch (INFO_LABEL(m->info)) {
    case FAULT_VM:
        format(what, WHAT_MAX, "%s %#lx, %s%s", abort_deed(syndrome, m->word[3] != 0), address,
               abort_reason(syndrome), guard ? " (just below its stack)" : "");
        break;
    case FAULT_USER:
        format(what, WHAT_MAX, "%s", forbidden(syndrome));
        break;
    case FAULT_SYSCALL:
        format(what, WHAT_MAX, "there is no system call %lu", address);
        break;
    default:
        format(what, WHAT_MAX, "an unknown fault (%lu)", INFO_LABEL(m->info));
        break;
    }
}

static void report(struct system *s, uint32_t process, const struct message *m)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    uint32_t vm = s->processes[process].vm;
    char what[WHAT_MAX];
    describe(record, m, what);
    speak_up(s);
    if (vm == BUNDLE_NONE) {
        say(s->kernel, "process \"%s\" is stopped: %s", record->name, what);
    } else {
        announce(s->kernel, "vm %s: crashed: process \"%s\", thread %u: %s",
                 bundle_vm(&s->bundle, vm)->name, record->name, FAULT_BADGE_THREAD(m->badge), what);
    }
    say(s->kernel, "    pc %#lx, syndrome %#lx; the others run on", m->word[0], m->word[2]);
    speak_no_more(s);
}

void fault_handle(struct system *s, const struct message *m)
{
    uint32_t process = FAULT_BADGE_PROCESS(m->badge);
    if ((m->badge & BADGE_FAULT) == 0 || process >= s->bundle.header->processes.count) {
        return;
    }
    report(s, process, m);
    if (s->processes[process].vm != BUNDLE_NONE) {
        life_vmm_crashed(s, s->processes[process].vm);
    }
}
