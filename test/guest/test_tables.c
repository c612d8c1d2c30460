// Cores of one machine that map one address to different memory, with one address-space number: each sees its own, all
// the time, also where several of them share one core of what is below. rounds=N.
#include <stdatomic.h>

#include <base/bits.h>
#include <spec/psci.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/mmu.h"
#include "lib/report.h"

#define UPPER 0xffffff8000000000ull
#define BLOCK 0x200000ull
#define MARK  0x5eed0000u
#define PLACE (32 * BLOCK / 2) // in memory: the first core's block
#define ENTRY                                                                                      \
    (1ull | 1ull << 2 | BIT(10) | 3ull << 8 | BIT(54) |                                            \
     BIT(53))           // block of cached memory, ASID ignored
#define NOT_ALL BIT(11) // not global: belongs to the address space

static uint64_t tables[CPUS_MAX][2][512] __attribute__((aligned(4096)));
static _Atomic unsigned wrong[CPUS_MAX];
static _Atomic unsigned done;
static unsigned rounds;

static uint64_t block_of(unsigned core)
{
    return align_down(machine.memory + PLACE, BLOCK) + core * BLOCK;
}

static void wake_later(void)
{
    WRITE(cntv_cval_el0, now() + microseconds(100));
    WRITE(cntv_ctl_el0, 1);
    isb();
}

static void look(void)
{
    unsigned core = cpu_number();
    gic_init_core();
    gic_enable(machine.timer_virtual);
    tables[core][1][0] = block_of(core) | ENTRY | NOT_ALL;
    tables[core][0][0] = (uintptr_t)tables[core][1] | 3;
    write32(block_of(core), MARK + core);
    dsb();
    mmu_on();
    mmu_set_upper((uintptr_t)tables[core][0]);
    for (unsigned i = 0; i < rounds; i++) {
        wrong[core] += read32(UPPER) != MARK + core;
        if (i % 3 == 0) {
            wake_later();
            wfi();
        } else if (i % 3 == 1) {
            yield();
        } else {
            delay(microseconds(20));
        }
        wrong[core] += read32(UPPER) != MARK + core;
    }
    WRITE(cntv_ctl_el0, 0);
    done++;
}

void guest_main(void)
{
    rounds = (unsigned)option("rounds", 1000);
    gic_init();
    for (unsigned i = 1; i < machine.cpus; i++) {
        report_value((uint64_t)cpu_on(i, look), PSCI_SUCCESS, "core %u starts", i);
    }
    look();
    while (done < machine.cpus) {
        yield();
    }
    for (unsigned i = 0; i < machine.cpus; i++) {
        report_value(wrong[i], 0, "core %u has seen its own memory only", i);
    }
}
