// The two doors by which a guest calls its monitor, trapped system registers and HVC or SMC, given any syndrome, number
// and argument. The input is a list of steps, a byte each with its operands behind it. What must hold: no crash, and
// nothing changes but the vcpu itself, its one result register, and what PSCI may do to others: power, entry, context
// of a vcpu that was off.
// sources: test/unit/vmm_call_world.c vmm/cpu.c vmm/sysreg.c vmm/debug.c vmm/setway.c vmm/cntp.c vmm/smccc.c vmm/psci.c
// flags: -Itest/unit
#include <stdlib.h>
#include <string.h>

#include <spec/psci.h>
#include <spec/smccc.h>
#include <vmm/cntp.h>
#include <vmm/smccc.h>
#include <vmm/sysreg.h>

#include <vmm_call_world.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 256u
#define NO_RESULT 31u // number of a register

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && in->left > 0; i++, in->left--) {
        value = value << 8 | *in->at++;
    }
    return value;
}

static void expect(bool what)
{
    if (!what) {
        abort();
    }
}

// An argument: anything, or what is likely to be sound.
static uint64_t take_value(struct input *in)
{
    uint64_t kind = take(in, 1);
    switch (kind % 4) {
    case 0:
        return take(in, 8);
    case 1:
        return WORLD_RAM_IPA + take(in, 2);
    case 2:
        return take(in, 1);
    default:
        return 1ull << kind / 4;
    }
}

static uint32_t take_function(struct input *in)
{
    static const uint32_t arch[] = {SMCCC_VERSION, SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1,
                                    SMCCC_ARCH_WORKAROUND_2, SMCCC_ARCH_WORKAROUND_3};
    uint32_t kind = (uint32_t)take(in, 1);
    switch (kind % 4) {
    case 0:
        return (uint32_t)take(in, 4);
    case 1:
        return PSCI_VERSION + kind / 4;
    case 2:
        return (PSCI_VERSION | (uint32_t)PSCI_SMC64) + kind / 4;
    default:
        return arch[kind / 4 % ARRAY_SIZE(arch)];
    }
}

// Returns the register that may have changed.
static unsigned call(struct vcpu *v, struct input *in)
{
    uint64_t *x = v->page->regs.x;
    x[0] = take_function(in);
    for (unsigned i = 1; i < 4; i++) {
        x[i] = take_value(in);
    }
    smccc_call(v);
    return 0;
}

// As the kernel hands it over: 25 bits, of which the encoding leaves some always 0.
static unsigned access_register(struct vcpu *v, struct input *in)
{
    uint32_t iss = (uint32_t)take(in, 3) & 0x3fffff;
    unsigned rt = sysreg_rt(iss);
    if (rt != NO_RESULT) {
        v->page->regs.x[rt] = take_value(in);
    }
    uint64_t before = rt == NO_RESULT ? 0 : v->page->regs.x[rt];
    enum handled answer = sysreg_access(v, iss);
    expect(answer == HANDLED || answer == UNHANDLED);
    bool changes = answer == HANDLED && (iss & SYSREG_READ) != 0;
    expect(changes || rt == NO_RESULT || v->page->regs.x[rt] == before);
    return rt;
}

// Registers: only that one.
static unsigned act(struct vcpu *v, struct input *in, uint64_t op)
{
    switch (op % 4) {
    case 0:
        return call(v, in);
    case 1:
        v->vm->port->now += take(in, 4);
        cntp_deadline(v);
        return NO_RESULT;
    default:
        return access_register(v, in);
    }
}

// The vcpu's own registers are all as before, but for general register `result`, and x0-x3 which hold arguments. A
// CPU_SUSPEND leaves word that its next run begins with waiting.
static void check_own(const struct vcpu *v, const struct vcpu_page *before, unsigned result)
{
    struct vcpu_page now = *v->page;
    memcpy(now.regs.x, before->regs.x, 4 * sizeof(uint64_t));
    uint64_t attention = atomic_load(&before->attention);
    expect((atomic_load(&now.attention) & ~(uint64_t)VCPU_ATTENTION_WAIT) ==
           (attention & ~(uint64_t)VCPU_ATTENTION_WAIT));
    atomic_store(&now.attention, attention);
    if (result != NO_RESULT) {
        now.regs.x[result] = before->regs.x[result];
    }
    expect(memcmp(&now, before, sizeof(now)) == 0);
}

static void check_other(const struct world *w, const struct world *before, unsigned index)
{
    const struct vcpu *v = &w->vm.vcpu[index];
    struct vcpu old;
    memcpy(&old, &before->vm.vcpu[index], sizeof(old)); // padding, too
    if (atomic_load(&v->power) != atomic_load(&old.power)) {
        expect(atomic_load(&old.power) == VCPU_OFF && atomic_load(&v->power) == VCPU_STARTING);
        expect(vm_memory(&w->vm, v->entry, 4) != NULL && v->entry % 4 == 0);
        expect((w->port.woken >> index & 1) != 0);
        atomic_store(&old.power, VCPU_STARTING);
        old.entry = v->entry;
        old.context = v->context;
    }
    expect(memcmp(v, &old, sizeof(old)) == 0);
    expect(memcmp(v->page, &before->port.pages[index], sizeof(*v->page)) == 0);
    expect(memcmp(w->port.registers[index], before->port.registers[index],
                  sizeof(w->port.registers[index])) == 0);
    expect(w->line[index] == before->line[index]);
}

static void check_rest(const struct world *w, const struct world *before)
{
    expect(!w->port.locked && w->port.published <= before->port.published + 1);
    expect(memcmp(w->ram, before->ram, sizeof(w->ram)) == 0);
    expect(memcmp(&w->config, &before->config, sizeof(w->config)) == 0);
    expect(memcmp(&w->vm, &before->vm, offsetof(struct vm, vcpu)) == 0);
    expect(memcmp(&w->vm.vcpu[WORLD_VCPUS], &before->vm.vcpu[WORLD_VCPUS],
                  sizeof(w->vm) - offsetof(struct vm, vcpu[WORLD_VCPUS])) == 0);
}

// The line is up, or the vcpu leaves its guest in time to raise it, or the timer is not on.
static void check_timer(const struct world *w, const struct vcpu *v)
{
    bool wanted = v->cntp.ctl == 1;
    bool high = w->line[v->index];
    expect(!high || (wanted && w->port.now >= v->cntp.cval));
    expect(v->deadline == (wanted && !high ? v->cntp.cval : UINT64_MAX));
}

static void step(struct world *w, struct input *in)
{
    static struct world before;
    uint64_t op = take(in, 1);
    struct vcpu *v = &w->vm.vcpu[op / 4 % WORLD_VCPUS];
    v->page->regs.pstate = op / 16 % 4 == 0 ? 0 : 5; // EL0 now and then
    atomic_store(&v->power, VCPU_ON);                // it runs: else it could not ask
    memcpy(&before, w, sizeof(before));
    unsigned result = act(v, in, op);
    check_own(v, &before.port.pages[v->index], result);
    for (unsigned i = 0; i < WORLD_VCPUS; i++) {
        if (i != v->index) {
            check_other(w, &before, i);
        }
    }
    check_rest(w, &before);
    check_timer(w, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct input in = {data, size};
    world_init(&w, take(&in, 1) % 2 == 0 ? 2 : 3);
    for (unsigned i = 0; i < STEPS_MAX && in.left > 0; i++) {
        step(&w, &in);
    }
    return 0;
}
