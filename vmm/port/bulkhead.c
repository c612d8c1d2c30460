// See bulkhead.h.
#include "bulkhead.h"

#include <abi/syscall.h>
#include <base/bits.h>
#include <lib/bulkhead.h>
#include <lib/cache.h>
#include <lib/syscall.h>
#include <lib/vcpu.h>

#define SAY_STEP_MS 10u
#define SAY_STEPS   200u

enum lock_state {
    FREE,
    HELD,
    WAITED_FOR,
};

const struct port_abilities *port_abilities(const struct port *p)
{
    static const struct port_abilities abilities = {
        .can_read_lr = true, .linked_irq = true, .threads_per_vm = VCPU_MAX};
    (void)p;
    return &abilities;
}

// Only what the kernel was asked for against its rules fails: a bug of ours.
static void must(err_t err)
{
    bulkhead_assert(err == OK);
}

// ---- Virtual cores --------------------------------------------------------------------------------------------------

struct vcpu_page *port_page(struct port *p, unsigned vcpu)
{
    (void)p;
    return (struct vcpu_page *)(uintptr_t)(VM_VCPU_PAGE + (uint64_t)vcpu * PAGE_SIZE);
}

int64_t port_run(struct port *p, unsigned vcpu, uint64_t deadline, uint32_t kick)
{
    uint64_t bits; // one meaning only
    (void)p;
    (void)vcpu;
    return vcpu_run(deadline, kick == PORT_NOBODY ? 0 : VM_VCPU + kick - 1, &bits);
}

void port_kick(struct port *p, unsigned vcpu)
{
    (void)p;
    must(sys_vcpu_kick(VM_VCPU + vcpu));
}

void port_sync(struct port *p, unsigned vcpu)
{
    (void)p;
    must(sys_vcpu_sync(VM_VCPU + vcpu));
}

void port_reset(struct port *p, unsigned vcpu)
{
    (void)p;
    must(sys_vcpu_reset(VM_VCPU + vcpu));
}

uint64_t port_register_read(struct port *p, unsigned vcpu, unsigned reg)
{
    uint64_t values[6] = {0};
    (void)p;
    must(sys_vcpu_read(VM_VCPU + vcpu, reg, 1, values));
    return values[0];
}

void port_register_write(struct port *p, unsigned vcpu, unsigned reg, uint64_t value)
{
    const uint64_t values[5] = {value};
    (void)p;
    must(sys_vcpu_write(VM_VCPU + vcpu, reg, 1, values));
}

bool port_translate(struct port *p, unsigned vcpu, uint64_t va, bool el0, uint64_t *ipa)
{
    (void)p;
    return sys_vcpu_translate(VM_VCPU + vcpu, va, el0, ipa) == OK;
}

// ---- Threads --------------------------------------------------------------------------------------------------------

static void signal_thread(unsigned thread)
{
    must(sys_signal(VM_THREAD + thread));
}

// Waits for the calling thread's notification. False: the deadline came first.
static bool await(uint64_t deadline, uint64_t *bits)
{
    uint64_t info = 0;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    return sys_receive(0, deadline, &info, words, bits) == OK;
}

void port_wake(struct port *p, unsigned vcpu)
{
    (void)p;
    signal_thread(vcpu + 1);
}

void port_wait(struct port *p, unsigned vcpu, uint64_t deadline)
{
    uint64_t bits;
    (void)p;
    (void)vcpu;
    (void)await(deadline, &bits);
}

void port_await_start(void)
{
    uint64_t bits;
    (void)await(DEADLINE_NEVER, &bits);
}

void port_start_thread(unsigned vcpu)
{
    signal_thread(vcpu + 1);
}

void port_wake_main(void)
{
    signal_thread(0);
}

// A waiter names itself before it looks at the state for the last time, and whoever frees a lock that is waited for wakes
// all that are named: so no wake-up is lost, and a needless one costs a turn. What woke the thread may have been meant
// for something else, its next port_run or port_wait: it passes it on to itself.
static NOINLINE void lock_slowly(struct port_lock *lock)
{
    unsigned thread = bulkhead_thread_number();
    bool woken = false;
    for (;;) {
        atomic_fetch_or(&lock->waiters, 1u << thread);
        if (atomic_exchange(&lock->state, WAITED_FOR) == FREE) {
            break;
        }
        uint64_t bits;
        if (await(DEADLINE_NEVER, &bits)) {
            woken = true;
        }
    }
    atomic_fetch_and(&lock->waiters, ~(1u << thread));
    if (woken) {
        signal_thread(thread);
    }
}

void port_lock(struct port *p, struct port_lock *lock)
{
    uint32_t expected = FREE;
    (void)p;
    if (!atomic_compare_exchange_strong(&lock->state, &expected, HELD)) {
        lock_slowly(lock);
    }
}

static NOINLINE void wake_waiters(struct port_lock *lock)
{
    uint32_t waiters = atomic_load(&lock->waiters);
    for (; waiters != 0; waiters &= waiters - 1) {
        signal_thread((unsigned)__builtin_ctz(waiters));
    }
}

void port_unlock(struct port *p, struct port_lock *lock)
{
    (void)p;
    if (atomic_exchange(&lock->state, FREE) == WAITED_FOR) {
        wake_waiters(lock);
    }
}

// ---- The rest -------------------------------------------------------------------------------------------------------

uint64_t port_now(struct port *p)
{
    (void)p;
    return sys_clock();
}

uint64_t port_ticks_per_second(struct port *p)
{
    (void)p;
    return process_config()->ticks_per_second;
}

void port_publish(struct port *p, const void *start, size_t size)
{
    (void)p;
    bulkhead_cache_publish(start, size);
}

void port_zero(struct port *p, void *start, size_t size)
{
    (void)p;
    bulkhead_cache_zero(start, size);
}

enum vm_action port_life(struct port *p, enum vm_event event)
{
    uint64_t info = INFO(event, 0);
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    (void)p;
    must(sys_call(VM_LIFE, &info, words));
    return (enum vm_action)INFO_LABEL(info);
}

// A line waits for room as long as a console needs to print what is before it; then it is lost.
static void say_patiently(struct port *p, const char *line)
{
    uint64_t step = port_ticks_per_second(p) * SAY_STEP_MS / 1000;
    bool woken = false;
    for (unsigned i = 0; !p->say(p->context, line) && i < SAY_STEPS; i++) {
        uint64_t bits;
        woken |= await(sys_clock() + step, &bits);
    }
    if (woken) {
        signal_thread(bulkhead_thread_number()); // it was meant for something else
    }
}

void port_log(struct port *p, const char *line)
{
    if (p->say == NULL) {
        bulkhead_log("%s", line);
    } else {
        say_patiently(p, line);
    }
}
