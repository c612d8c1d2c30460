// The emulated PL031: it counts, is set, and raises its alarm in time.
// sources: vmm/dev/pl031.c vmm/fdt_write.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm_world.h"

#define BASE  0x9010000u
#define INTID 34u
#define START 1700000000u
#define HZ    1000u // of the world's clock

static struct pl031 *rtc;

static int begin(void **state)
{
    (void)state;
    world_reset();
    world.now = 123456;
    rtc = &world.vm.rtc;
    return pl031_create(&world.vm, rtc, BASE, INTID, START) == OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return world.locked || world.misused ? -1 : 0;
}

static uint32_t get(unsigned reg)
{
    return world_read(BASE + reg);
}

static void set(unsigned reg, uint32_t value)
{
    world_write(BASE + reg, value);
}

static void it_says_who_it_is(void **state)
{
    (void)state;
    static const uint8_t ids[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(get(0xfe0 + 4 * i), ids[i]);
    }
}

static void it_counts_seconds(void **state)
{
    (void)state;
    assert_int_equal(get(PL031_DR), START);
    world.now += HZ - 1;
    assert_int_equal(get(PL031_DR), START);
    world.now += 1;
    assert_int_equal(get(PL031_DR), START + 1);
    set(PL031_CR, 0);
    assert_int_equal(get(PL031_CR), 1);
    assert_int_equal(world_access(BASE + PL031_DR, 0, 1, false), (START + 1) & 0xff);
}

static void it_can_be_set(void **state)
{
    (void)state;
    world.now += 700;
    set(PL031_LR, 5);
    assert_int_equal(get(PL031_LR), 5);
    world.now += 999;
    assert_int_equal(get(PL031_DR), 5);
    world.now += 1;
    assert_int_equal(get(PL031_DR), 6);
    set(PL031_LR, UINT32_MAX);
    world.now += 2 * HZ;
    assert_int_equal(get(PL031_DR), 1); // it wraps
}

static void the_alarm_comes_in_its_second(void **state)
{
    (void)state;
    assert_true(pl031_deadline(rtc) == UINT64_MAX);
    world.now += 300;
    set(PL031_MR, START + 10);
    set(PL031_IMSC, 1);
    uint64_t due = pl031_deadline(rtc);
    assert_int_equal(due, 123456 + 10 * HZ);
    world.now = due - 1;
    pl031_run(rtc);
    assert_false(world.line[INTID]);
    world.now = due;
    pl031_run(rtc);
    assert_true(world.line[INTID]);
    assert_int_equal(get(PL031_DR), START + 10);
    assert_int_equal(get(PL031_RIS), 1);
    assert_int_equal(get(PL031_MIS), 1);
    set(PL031_ICR, 1);
    assert_false(world.line[INTID]);
    assert_true(pl031_deadline(rtc) == UINT64_MAX);
}

static void an_alarm_now_is_at_once(void **state)
{
    (void)state;
    set(PL031_IMSC, 1);
    set(PL031_MR, START);
    assert_true(world.line[INTID]);
}

static void an_alarm_in_the_past_is_far_ahead(void **state)
{
    (void)state;
    set(PL031_MR, START - 1);
    assert_int_equal(pl031_deadline(rtc), 123456 + (uint64_t)UINT32_MAX * HZ);
    set(PL031_LR, START - 3); // and near when the clock is set back
    assert_int_equal(pl031_deadline(rtc), 123456 + 2 * HZ);
}

static void a_late_reader_sees_the_alarm(void **state)
{
    (void)state;
    set(PL031_MR, START + 1);
    world.now += 5 * HZ;
    assert_int_equal(get(PL031_RIS), 1);
    assert_int_equal(get(PL031_MIS), 0);
    assert_false(world.line[INTID]);
    set(PL031_IMSC, 1);
    assert_true(world.line[INTID]);
}

static void a_reset_keeps_the_time(void **state)
{
    (void)state;
    set(PL031_MR, START);
    set(PL031_IMSC, 1);
    assert_true(world.line[INTID]);
    world.now += HZ;
    pl031_reset(rtc);
    assert_false(world.line[INTID]);
    assert_int_equal(get(PL031_DR), START + 1);
    assert_int_equal(get(PL031_MR), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(it_says_who_it_is),
        TEST(it_counts_seconds),
        TEST(it_can_be_set),
        TEST(the_alarm_comes_in_its_second),
        TEST(an_alarm_now_is_at_once),
        TEST(an_alarm_in_the_past_is_far_ahead),
        TEST(a_late_reader_sees_the_alarm),
        TEST(a_reset_keeps_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
