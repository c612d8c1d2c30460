// The guest's physical timer: registers, line, deadline.
// sources: test/unit/vmm_call_world.c vmm/cpu.c vmm/sysreg.c vmm/debug.c vmm/setway.c vmm/cntp.c vmm/smccc.c vmm/psci.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vmm/cntp.h>
#include <vmm/sysreg.h>

#include "vmm_call_world.h"

#define TVAL SYSREG_ISS(3, 3, 14, 2, 0)
#define CTL  SYSREG_ISS(3, 3, 14, 2, 1)
#define CVAL SYSREG_ISS(3, 3, 14, 2, 2)

enum ctl { ENABLE = 1, IMASK = 2, ISTATUS = 4 };

static struct world w;
static struct vcpu *v;

static int begin(void **state)
{
    (void)state;
    world_init(&w, 3);
    v = &w.vm.vcpu[0];
    w.port.now = 1000;
    return 0;
}

static uint64_t read_register(uint32_t iss)
{
    uint64_t value;
    assert_true(world_read(&w, iss, &value));
    return value;
}

static void write_register(uint32_t iss, uint64_t value)
{
    assert_true(world_write(&w, iss, value));
}

static void it_is_off_at_first(void **state)
{
    (void)state;
    assert_int_equal(read_register(CTL), 0);
    assert_int_equal(v->deadline, UINT64_MAX);
    assert_false(w.line[0]);
}

static void it_fires_at_its_time(void **state)
{
    (void)state;
    write_register(CVAL, 1500);
    assert_int_equal(v->deadline, UINT64_MAX);
    write_register(CTL, ENABLE);
    assert_int_equal(v->deadline, 1500);
    assert_int_equal(read_register(CTL), ENABLE);
    w.port.now = 1499;
    cntp_deadline(v);
    assert_false(w.line[0]);
    assert_int_equal(v->deadline, 1500);
    w.port.now = 1500;
    assert_int_equal(read_register(CTL), ENABLE | ISTATUS);
    cntp_deadline(v);
    assert_true(w.line[0]);
    assert_int_equal(v->deadline, UINT64_MAX);
}

static void a_time_that_has_passed_fires_at_once(void **state)
{
    (void)state;
    write_register(CVAL, 1000);
    write_register(CTL, ENABLE);
    assert_true(w.line[0]);
    assert_int_equal(v->deadline, UINT64_MAX);
    write_register(CVAL, 1001);
    assert_false(w.line[0]);
    assert_int_equal(v->deadline, 1001);
}

static void a_mask_holds_the_line_down(void **state)
{
    (void)state;
    write_register(CVAL, 900);
    write_register(CTL, ENABLE | IMASK);
    assert_false(w.line[0]);
    assert_int_equal(v->deadline, UINT64_MAX);
    assert_int_equal(read_register(CTL), ENABLE | IMASK | ISTATUS);
    write_register(CTL, ENABLE);
    assert_true(w.line[0]);
    write_register(CTL, 0);
    assert_false(w.line[0]);
    assert_int_equal(read_register(CTL), 0);
}

static void the_timer_value_is_signed_and_counts_down(void **state)
{
    (void)state;
    write_register(TVAL, 250);
    assert_int_equal(read_register(CVAL), 1250);
    w.port.now = 1300;
    assert_int_equal(read_register(TVAL), (uint32_t)-50);
    write_register(TVAL, 0xffffffff);
    assert_int_equal(read_register(CVAL), 1299);
    write_register(TVAL, 0x123400000001); // the upper half does not count
    assert_int_equal(read_register(CVAL), 1301);
}

static void times_are_unsigned(void **state)
{
    (void)state;
    write_register(CTL, ENABLE);
    write_register(CVAL, UINT64_MAX);
    assert_false(w.line[0]);
    assert_int_equal(v->deadline, UINT64_MAX);
    write_register(CVAL, 1ull << 63);
    assert_false(w.line[0]);
    assert_int_equal(v->deadline, 1ull << 63);
}

static void other_bits_of_control_do_not_exist(void **state)
{
    (void)state;
    write_register(CVAL, 5000);
    write_register(CTL, UINT64_MAX);
    assert_int_equal(read_register(CTL), ENABLE | IMASK);
}

static void timers_are_the_vcpus_own_and_end_with_a_reset(void **state)
{
    (void)state;
    write_register(CVAL, 1);
    write_register(CTL, ENABLE);
    assert_true(w.line[0]);
    assert_false(w.line[1]);
    assert_int_equal(w.vm.vcpu[1].cntp.ctl, 0);
    sysreg_reset(v);
    assert_false(w.line[0]);
    assert_int_equal(read_register(CTL), 0);
    assert_int_equal(v->deadline, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_off_at_first, begin),
        cmocka_unit_test_setup(it_fires_at_its_time, begin),
        cmocka_unit_test_setup(a_time_that_has_passed_fires_at_once, begin),
        cmocka_unit_test_setup(a_mask_holds_the_line_down, begin),
        cmocka_unit_test_setup(the_timer_value_is_signed_and_counts_down, begin),
        cmocka_unit_test_setup(times_are_unsigned, begin),
        cmocka_unit_test_setup(other_bits_of_control_do_not_exist, begin),
        cmocka_unit_test_setup(timers_are_the_vcpus_own_and_end_with_a_reset, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
