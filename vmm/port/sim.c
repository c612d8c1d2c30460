// See sim.h.
#include "sim.h"

#include <base/str.h>

#define TICKS_PER_SECOND 62500000u

// The library has broken a rule of port.h. Ends the program where a debugger and the sanitizers see it.
static void expect(bool holds)
{
    if (!holds) {
        __builtin_trap();
    }
}

void sim_init(struct port *p)
{
    memset(p, 0, sizeof(*p));
    p->abilities = (struct port_abilities){
        .can_read_lr = true,
        .linked_irq = true,
        .threads_per_vm = VCPU_MAX,
    };
    p->ticks_per_second = TICKS_PER_SECOND;
    for (unsigned i = 0; i < VCPU_MAX; i++) {
        p->pages[i].version = VCPU_PAGE_VERSION;
        port_reset(p, i);
        p->resets[i] = 0;
    }
}

void sim_forget_log(struct port *p)
{
    p->log_length = 0;
    p->log[0] = 0;
}

int64_t sim_trap(struct port *p, unsigned vcpu, uint64_t syndrome, uint64_t address, uint64_t ipa)
{
    p->pages[vcpu].syndrome = syndrome;
    p->pages[vcpu].address = address;
    p->pages[vcpu].ipa = ipa;
    return VCPU_TRAP;
}

const struct port_abilities *port_abilities(const struct port *p)
{
    return &p->abilities;
}

// ---- Virtual cores ----------------------------------------------------------------------------------------------

struct vcpu_page *port_page(struct port *p, unsigned vcpu)
{
    expect(vcpu < VCPU_MAX);
    return &p->pages[vcpu];
}

// A wake-up that came before is noticed first, as the kernel does it.
int64_t port_run(struct port *p, unsigned vcpu, uint64_t deadline, uint32_t kick)
{
    expect(p->locks_held == 0 && vcpu < VCPU_MAX);
    if (kick != PORT_NOBODY) {
        port_kick(p, kick - 1);
    }
    p->runs[vcpu]++;
    p->deadline[vcpu] = deadline;
    if (p->woken[vcpu]) {
        p->woken[vcpu] = false;
        return VCPU_NOTIFIED;
    }
    if (p->now >= deadline) {
        return VCPU_DEADLINE;
    }
    if (p->guest != NULL) {
        return p->guest(p, vcpu);
    }
    if (deadline == UINT64_MAX) {
        return VCPU_NOTIFIED;
    }
    p->now = deadline;
    return VCPU_DEADLINE;
}

void port_kick(struct port *p, unsigned vcpu)
{
    expect(vcpu < VCPU_MAX);
    p->kicks[vcpu]++;
}

void port_sync(struct port *p, unsigned vcpu)
{
    expect(vcpu < VCPU_MAX && p->abilities.can_read_lr);
    p->syncs[vcpu]++;
    if (p->fold != NULL) {
        p->fold(p, vcpu);
    }
}

void port_reset(struct port *p, unsigned vcpu)
{
    expect(vcpu < VCPU_MAX);
    p->resets[vcpu]++;
#define RESET(name, reset) p->registers[vcpu][VCPU_REG_##name] = (reset);
    VCPU_REGISTER_LIST(RESET)
#undef RESET
    memset(&p->registers[vcpu][VCPU_REG_DBGBVR], 0, (VCPU_REG_ID - VCPU_REG_DBGBVR) * 8);
}

uint64_t port_register_read(struct port *p, unsigned vcpu, unsigned reg)
{
    expect(vcpu < VCPU_MAX && reg < SIM_REGISTERS);
    return p->registers[vcpu][reg];
}

void port_register_write(struct port *p, unsigned vcpu, unsigned reg, uint64_t value)
{
    expect(vcpu < VCPU_MAX && reg < VCPU_REG_ID);
    p->registers[vcpu][reg] = value;
}

bool port_translate(struct port *p, unsigned vcpu, uint64_t va, bool el0, uint64_t *ipa)
{
    expect(vcpu < VCPU_MAX);
    if (p->translate != NULL) {
        return p->translate(p, va, el0, ipa);
    }
    *ipa = va;
    return true;
}

// ---- Threads ----------------------------------------------------------------------------------------------------

void port_wake(struct port *p, unsigned vcpu)
{
    expect(vcpu < VCPU_MAX);
    p->woken[vcpu] = true;
}

void port_wait(struct port *p, unsigned vcpu, uint64_t deadline)
{
    expect(p->locks_held == 0 && vcpu < VCPU_MAX);
    p->waits[vcpu]++;
    if (!p->woken[vcpu] && deadline != UINT64_MAX && p->now < deadline) {
        p->now = deadline;
    }
    p->woken[vcpu] = false;
    if (p->wait != NULL) {
        p->wait(p, vcpu);
    }
}

void port_lock(struct port *p, struct port_lock *lock)
{
    expect(atomic_load(&lock->state) == 0);
    atomic_store(&lock->state, 1);
    p->locks_held++;
}

void port_unlock(struct port *p, struct port_lock *lock)
{
    expect(atomic_load(&lock->state) == 1 && p->locks_held > 0);
    atomic_store(&lock->state, 0);
    p->locks_held--;
}

// ---- The rest ---------------------------------------------------------------------------------------------------

uint64_t port_now(struct port *p)
{
    return p->now;
}

uint64_t port_ticks_per_second(struct port *p)
{
    return p->ticks_per_second;
}

void port_publish(struct port *p, const void *start, size_t size)
{
    p->published = start;
    p->published_size = size;
}

void port_zero(struct port *p, void *start, size_t size)
{
    memset(start, 0, size);
    port_publish(p, start, size);
}

enum vm_action port_life(struct port *p, enum vm_event event)
{
    expect(p->locks_held == 0 && p->event_count < SIM_EVENTS_MAX);
    p->events[p->event_count++] = event;
    return p->life != NULL ? p->life(p, event) : VM_ACTION_STOP;
}

void port_log(struct port *p, const char *line)
{
    for (size_t i = 0; line[i] != 0 && p->log_length < SIM_LOG_SIZE - 2; i++) {
        p->log[p->log_length++] = line[i];
    }
    if (p->log_length < SIM_LOG_SIZE - 1) {
        p->log[p->log_length++] = '\n';
    }
    p->log[p->log_length] = 0;
}
