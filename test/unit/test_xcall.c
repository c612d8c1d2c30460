// Cross calls: they run on their target, once, and everybody has left the kernel afterwards.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

#include "percpu.h"
#include "xcall.h"

static unsigned ran_on[8];
static unsigned runs;

static void note(void *arg)
{
    assert_ptr_equal(arg, &runs);
    ran_on[runs++] = this_cpu()->id;
}

static void call_all(void *arg)
{
    for (unsigned core = 0; core < core_count; core++) {
        xcall_run(core, note, arg);
    }
}

static void a_call_runs_where_it_should(void **state)
{
    (void)state;
    runs = 0;
    fake_inside(2, call_all, &runs);
    assert_int_equal(runs, 4);
    for (unsigned core = 0; core < 4; core++) {
        assert_int_equal(ran_on[core], core);
    }
}

static void quiesce(void *arg)
{
    (void)arg;
    xcall_quiesce();
}

static void quiescing_waits_for_all_others(void **state)
{
    (void)state;
    uint64_t before[4];
    for (unsigned core = 0; core < 4; core++) {
        before[core] = fake_cores[core].kicks;
    }
    fake_inside(3, quiesce, NULL);
    for (unsigned core = 0; core < 4; core++) {
        assert_int_equal(fake_cores[core].kicks - before[core], core != 3);
        assert_null(percpu[core].xcall);
    }
}

static void a_core_in_the_kernel_is_waited_for(void **state)
{
    (void)state;
    // On one thread of execution that means for ever, and the fake machine says so.
    fake_cores[1].in_kernel = true;
    if (setjmp(fake.escape) == 0) {
        fake.escape_armed = true;
        fake_inside(0, quiesce, NULL);
        fail();
    }
    fake_cores[1].in_kernel = false;
    fake_cores[0].in_kernel = false;
    fake_cpu = &percpu[0];
    for (unsigned core = 0; core < 4; core++) {
        percpu[core].xcall = NULL; // its caller's stack is gone
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_call_runs_where_it_should),
        world_test(quiescing_waits_for_all_others),
        world_test(a_core_in_the_kernel_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
