// HCR_EL2 while guests run: what must trap does. QEMU 7.2 ignores some of these bits (TIDCP), so no guest can tell.
// sources:
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kernel/arch/aarch64/el2.h>

static void what_must_trap_does(void **state)
{
    (void)state;
    static const uint64_t traps[] = {HCR_TSC, HCR_TIDCP, HCR_TID3, HCR_TACR, HCR_TSW};
    for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
        assert_true((HCR_GUEST & traps[i]) != 0);
    }
}

static void physical_interrupts_come_to_the_kernel(void **state)
{
    (void)state;
    assert_int_equal(HCR_GUEST & (HCR_IMO | HCR_FMO | HCR_AMO), HCR_IMO | HCR_FMO | HCR_AMO);
    assert_int_equal(HCR_PROCESS & (HCR_IMO | HCR_FMO | HCR_AMO), HCR_IMO | HCR_FMO | HCR_AMO);
}

static void guests_are_behind_their_second_stage(void **state)
{
    (void)state;
    assert_true((HCR_GUEST & HCR_VM) != 0);
    // Their own exceptions stay theirs, and a process's never get there.
    assert_true((HCR_GUEST & HCR_TGE) == 0);
    assert_true((HCR_PROCESS & HCR_TGE) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_trap_does),
        cmocka_unit_test(physical_interrupts_come_to_the_kernel),
        cmocka_unit_test(guests_are_behind_their_second_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
