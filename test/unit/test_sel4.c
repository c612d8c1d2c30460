// seL4's calls on threads: order and number of registers, error codes.
// sources: lib/sel4.c lib/crash.c lib/console.c test/unit/fake_kernel.c
// flags: -Itest/unit/fake -Ilib/include
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <lib/crash.h>
#include <sel4/sel4.h>

#include "fake_kernel.h"

static int start(void **state)
{
    (void)state;
    fake_reset();
    for (unsigned i = 0; i < REG_COUNT; i++) {
        fake.registers[i] = 1000 + i;
    }
    return 0;
}

static void read_puts_every_register_into_its_field(void **state)
{
    (void)state;
    seL4_UserContext c = {0};
    assert_int_equal(seL4_TCB_ReadRegisters(300, seL4_True, 0, 36, &c), seL4_NoError);
    assert_string_equal(fake.transcript, "thread_stop 300\n");
    assert_int_equal(c.pc, 1000 + REG_PC);
    assert_int_equal(c.sp, 1000 + REG_SP);
    assert_int_equal(c.spsr, 1000 + REG_PSTATE);
    assert_int_equal(c.x0, 1000);
    assert_int_equal(c.x8, 1008);
    assert_int_equal(c.x16, 1016);
    assert_int_equal(c.x18, 1018);
    assert_int_equal(c.x29, 1029);
    assert_int_equal(c.x30, 1030);
    assert_int_equal(c.x9, 1009);
    assert_int_equal(c.x15, 1015);
    assert_int_equal(c.x19, 1019);
    assert_int_equal(c.x28, 1028);
    assert_int_equal(c.tpidr_el0, 1000 + REG_TPIDR);
    assert_int_equal(c.tpidrro_el0, 1000 + REG_TPIDRRO);
}

static void counts_bound_what_is_touched(void **state)
{
    (void)state;
    struct {
        seL4_UserContext c;
        seL4_Word behind;
    } read = {.behind = 5};
    assert_int_equal(seL4_TCB_ReadRegisters(300, seL4_False, 0, 2, &read.c), seL4_NoError);
    assert_int_equal(read.c.sp, 1000 + REG_SP);
    assert_int_equal(read.c.spsr, 0);
    assert_int_equal(seL4_TCB_ReadRegisters(300, seL4_False, 0, 1000, &read.c), seL4_NoError);
    assert_int_equal(read.behind, 5);
    assert_string_equal(fake.transcript, "");
}

static void write_sets_the_first_and_starts(void **state)
{
    (void)state;
    seL4_UserContext c = {.pc = 0x200000, .sp = 0x8000};
    assert_int_equal(seL4_TCB_WriteRegisters(300, seL4_True, 0, 1, &c), seL4_NoError);
    assert_string_equal(fake.transcript,
                        "thread_stop 300\nthread_write 300 first 32 count 1\nthread_start 300\n");
    assert_int_equal(fake.registers[REG_PC], 0x200000);
    assert_int_equal(fake.registers[REG_SP], 1000 + REG_SP);

    c.x0 = 77;
    c.tpidr_el0 = 78;
    fake.transcript[0] = '\0';
    assert_int_equal(seL4_TCB_WriteRegisters(300, seL4_False, 0, 36, &c), seL4_NoError);
    assert_int_equal(fake.registers[0], 77);
    assert_int_equal(fake.registers[REG_TPIDR], 78);
    assert_null(strstr(fake.transcript, "start"));
}

static void failures_are_seL4s(void **state)
{
    (void)state;
    fake.err = ERR_RIGHTS;
    seL4_UserContext c = {0};
    assert_int_equal(seL4_TCB_Suspend(300), seL4_InvalidCapability);
    assert_int_equal(seL4_TCB_Resume(300), seL4_InvalidCapability);
    fake.transcript[0] = '\0';
    assert_int_equal(seL4_TCB_WriteRegisters(300, seL4_True, 0, 1, &c), seL4_InvalidCapability);
    assert_null(strstr(fake.transcript, "thread_start"));
    assert_int_equal(seL4_TCB_ReadRegisters(300, seL4_True, 0, 1, &c), seL4_InvalidCapability);
    assert_int_equal(seL4_IRQHandler_Ack(1), seL4_InvalidCapability);

    assert_int_equal(bulkhead_sel4_error(OK), seL4_NoError);
#define NOT_NO_ERROR(name, value, text)                                                            \
    assert_int_not_equal(bulkhead_sel4_error(name), seL4_NoError);
    ERR_LIST(NOT_NO_ERROR)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(read_puts_every_register_into_its_field, start),
        cmocka_unit_test_setup(counts_bound_what_is_touched, start),
        cmocka_unit_test_setup(write_sets_the_first_and_starts, start),
        cmocka_unit_test_setup(failures_are_seL4s, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
