// Threads of processes: see thread.h.
#include "thread.h"

#include "make.h"

#define MICROSECONDS 1000000u // in a second

// Faults go to the parent, with the child's id; those of processes without one to init.
static err_t bind_fault(struct system *s, uint32_t process, unsigned number, handle_t thread)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    bool top = record->parent == BUNDLE_NONE;
    handle_t endpoint = top ? BOOT_ENDPOINT : s->processes[record->parent].endpoint;
    uint64_t badge = top ? FAULT_BADGE(process, number) : BADGE_FAULT | record->child_id;
    err_t err = sys_copy(s->kernel, here(endpoint), here(s->scratch), RIGHT_WRITE, badge);
    if (err == OK) {
        err = sys_thread_bind(s->kernel, thread, THREAD_FAULT, s->scratch);
    }
    return err == OK ? sys_delete(s->kernel, here(s->scratch)) : err;
}

err_t thread_bind(struct system *s, uint32_t process, unsigned number, handle_t thread,
                  handle_t notification)
{
    const struct process *p = &s->processes[process];
    err_t err = sys_thread_bind(s->kernel, thread, THREAD_CSPACE, p->cspace);
    if (err == OK) {
        err = sys_thread_bind(s->kernel, thread, THREAD_SPACE, p->space);
    }
    if (err == OK) {
        err = sys_thread_bind(s->kernel, thread, THREAD_NOTIFICATION, notification);
    }
    return err == OK ? bind_fault(s, process, number, thread) : err;
}

// Rounded up.
static uint64_t ticks(const struct system *s, uint64_t microseconds)
{
    uint64_t rate = s->boot->ticks_per_second;
    return microseconds / MICROSECONDS * rate +
           (microseconds % MICROSECONDS * rate + MICROSECONDS - 1) / MICROSECONDS;
}

err_t thread_set_time(struct system *s, handle_t thread, unsigned flags,
                      const struct thread_time *time)
{
    err_t err = sys_thread_flags(s->kernel, thread, flags);
    if (err == OK) {
        err = sys_thread_time(s->kernel, thread, time->priority, time->core,
                              ticks(s, time->budget_us), ticks(s, time->period_us));
    }
    return err;
}

err_t thread_begin(struct system *s, uint32_t process, handle_t thread, uint64_t sp)
{
    const uint64_t argument = PROCESS_CONFIG;
    const uint64_t sp_and_pc[] = {sp, bundle_process(&s->bundle, process)->entry};
    err_t err = sys_thread_write(s->kernel, thread, REG_X0, 1, &argument);
    return err == OK ? sys_thread_write(s->kernel, thread, REG_SP, 2, sp_and_pc) : err;
}
