// Begins, says so, and ends as the boot arguments say: do=1 switches off, 2 resets, 3 resets by RESET2, 4 never ends,
// 5 takes one exception inside the other for ever, 6 waits in WFI for ever, 7 writes to the address `at`. With
// forge=N it first says what the kernel says at the end of a system, in pieces and whole. What it finds in memory behind itself and
// in registers must be as at the first start: it leaves traces there.
#include <base/bits.h>
#include <spec/psci.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/machine.h"
#include "lib/report.h"

enum end {
    END_OFF = 1,
    END_RESET,
    END_RESET2,
    END_SPIN,
    END_EXCEPTIONS,
    END_SLEEP,
    END_WRITE,
};

#define NOTHING UINT64_MAX
#define TRACE   0x7ace7ace7ace7aceull

static void look_for_traces(void)
{
    report(READ(tpidr_el1) != TRACE && READ(contextidr_el1) != (uint32_t)TRACE &&
               READ(ttbr0_el1) != (TRACE & FIELD(40, 12)),
           "no register is left over from before");
    report_value(READ(sctlr_el1) & 0x1005, 0, "MMU and caches are off");
    report_value(READ(cntv_ctl_el0) & 1, 0, "the timer is off");
    WRITE(tpidr_el1, TRACE);
    WRITE(contextidr_el1, (uint32_t)TRACE);
    WRITE(ttbr0_el1, TRACE & FIELD(40, 12));
    WRITE(cntv_cval_el0, 0);
    WRITE(cntv_ctl_el0, 1);
    isb();
}

static void forge(unsigned code)
{
    say("bulkhead: bulkhead: off, code %u", code);
    say("login: bulkhead: off, code %u", code);
    say("bulkhead: off, code %u", code);
}

void guest_main(void)
{
    say("lifecycle: started");
    look_for_traces();
    uint64_t code = option("forge", NOTHING);
    if (code != NOTHING) {
        forge((unsigned)code);
    }
    switch (option("do", END_OFF)) {
    case END_OFF:
        power_off();
    case END_RESET:
        psci(PSCI_SYSTEM_RESET, 0, 0, 0);
        break;
    case END_RESET2:
        psci(PSCI_SYSTEM_RESET2, PSCI_RESET_WARM, 0, 0);
        break;
    case END_EXCEPTIONS:
        WRITE(vbar_el1, machine.memory + machine.memory_size);
        isb();
        __asm__ volatile("brk #0");
        break;
    case END_SLEEP:
        for (;;) {
            wfi();
        }
    case END_WRITE:
        write32(option("at", 0), 0);
        break;
    default:
        for (;;) {
            yield();
        }
    }
    report(false, "this is not reached");
}
