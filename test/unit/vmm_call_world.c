// See vmm_call_world.h.
#include "vmm_call_world.h"

#include <stdlib.h>
#include <string.h>

#include <base/bits.h>
#include <base/range.h>
#include <vmm/cntp.h>
#include <vmm/life.h>
#include <vmm/smccc.h>
#include <vmm/sysreg.h>

#define PSTATE_EL1H 5u
#define RT          5u

// ID registers of a Cortex-A53 r0p4 (DDI 0500), the AArch64 ones and some of the others.
static const struct {
    unsigned id;
    uint64_t value;
} a53[] = {
    {CPU_MIDR, 0x410fd034},
    {CPU_ID_PFR0, 0x131},
    {CPU_ID_PFR1, 0x10011011},
    {CPU_ID_DFR0, 0x03010066},
    {CPU_AA64PFR0, WORLD_A53_AA64PFR0},
    {CPU_AA64DFR0, 0x10305106},
    {CPU_AA64ISAR0, 0x11120},
    {CPU_AA64MMFR0, 0x1122},
};

static struct world *of(const struct vm *vm)
{
    return CONTAINER_OF(vm, struct world, vm);
}

static void expect(bool what)
{
    if (!what) {
        abort(); // the product has broken a rule of the port
    }
}

// ---- The port ---------------------------------------------------------------------------------------------------

uint64_t port_register_read(struct port *p, unsigned vcpu, unsigned reg)
{
    expect(vcpu < WORLD_VCPUS && reg < WORLD_REGISTERS);
    return p->registers[vcpu][reg];
}

void port_register_write(struct port *p, unsigned vcpu, unsigned reg, uint64_t value)
{
    expect(vcpu < WORLD_VCPUS && reg < VCPU_REG_ID);
    p->registers[vcpu][reg] = value;
}

uint64_t port_now(struct port *p)
{
    return p->now;
}

void port_publish(struct port *p, const void *start, size_t size)
{
    const struct world *w = CONTAINER_OF(p, struct world, port);
    expect(start == w->ram && size == sizeof(w->ram) && !p->locked);
    p->published++;
}

void port_wake(struct port *p, unsigned vcpu)
{
    expect(vcpu < WORLD_VCPUS);
    p->woken |= 1u << vcpu;
}

void port_lock(struct port *p, struct port_lock *lock)
{
    (void)lock;
    expect(!p->locked);
    p->locked = true;
}

void port_unlock(struct port *p, struct port_lock *lock)
{
    (void)lock;
    expect(p->locked);
    p->locked = false;
}

// ---- The rest of the monitor ------------------------------------------------------------------------------------

void vgic_set_private_line(struct vcpu *v, uint32_t intid, bool high)
{
    expect(intid == CNTP_INTID && !v->vm->port->locked);
    of(v->vm)->line[v->index] = high;
}

void vgic_deactivate(struct vcpu *v, uint32_t intid)
{
    (void)v;
    (void)intid;
}

void vgic_power_changed(struct vcpu *self)
{
    (void)self;
}

enum handled vgic_write_sgi_register(struct vcpu *v, unsigned op2, uint64_t value)
{
    expect(op2 >= 5 && op2 <= 7);
    if (v->vm->gic.version != 3) {
        return UNHANDLED;
    }
    of(v->vm)->sgi_op2 = op2;
    of(v->vm)->sgi_value = value;
    return HANDLED;
}

void vm_stop(struct vcpu *self, enum vm_event event)
{
    expect(!self->vm->port->locked);
    of(self->vm)->stopped = event;
}

void *vm_memory(const struct vm *vm, uint64_t ipa, uint64_t size)
{
    struct range ram = {WORLD_RAM_IPA, WORLD_RAM_SIZE};
    return range_contains(ram, ipa, size) ? of(vm)->ram + (ipa - WORLD_RAM_IPA) : NULL;
}

// ---- Making one and driving it ----------------------------------------------------------------------------------

void world_set_id(struct world *w, unsigned id, uint64_t value)
{
    w->port.registers[0][VCPU_REG_ID + id] = value;
}

void world_model(struct world *w, uint32_t gic_version)
{
    w->config.gic_version = gic_version;
    w->vm.gic.version = gic_version;
    cpu_model_init(&w->vm.cpu, &w->port, gic_version);
}

static void init_vcpu(struct world *w, unsigned index)
{
    struct vcpu *v = &w->vm.vcpu[index];
    v->vm = &w->vm;
    v->index = index;
    v->page = &w->port.pages[index];
    for (unsigned i = 0; i < ARRAY_SIZE(v->page->regs.x); i++) {
        v->page->regs.x[i] = WORLD_UNTOUCHED + i;
    }
    v->page->regs.pstate = PSTATE_EL1H;
    atomic_store(&v->power, index == 0 ? VCPU_ON : VCPU_OFF);
    sysreg_reset(v);
}

void world_init(struct world *w, uint32_t gic_version)
{
    memset(w, 0, sizeof(*w));
    w->config = (struct vm_config){
        .vcpus = WORLD_VCPUS,
        .ram_ipa = WORLD_RAM_IPA,
        .ram_size = WORLD_RAM_SIZE,
        .ram_vaddr = (uintptr_t)w->ram,
    };
    w->vm.config = &w->config;
    w->vm.port = &w->port;
    w->vm.vcpus = WORLD_VCPUS;
    for (unsigned i = 0; i < ARRAY_SIZE(a53); i++) {
        world_set_id(w, a53[i].id, a53[i].value);
    }
    world_model(w, gic_version);
    for (unsigned i = 0; i < WORLD_VCPUS; i++) {
        init_vcpu(w, i);
    }
}

uint64_t world_call(struct world *w, uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
    struct vcpu *v = &w->vm.vcpu[0];
    uint64_t *x = v->page->regs.x;
    x[0] = function;
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
    smccc_call(v);
    expect(x[1] == x1 && x[2] == x2 && x[3] == x3);
    return x[0];
}

bool world_read(struct world *w, uint32_t iss, uint64_t *value)
{
    struct vcpu *v = &w->vm.vcpu[0];
    v->page->regs.x[RT] = WORLD_UNTOUCHED + RT;
    bool handled = sysreg_access(v, iss | SYSREG_RT(RT) | SYSREG_READ) == HANDLED;
    *value = v->page->regs.x[RT];
    return handled;
}

bool world_write(struct world *w, uint32_t iss, uint64_t value)
{
    struct vcpu *v = &w->vm.vcpu[0];
    v->page->regs.x[RT] = value;
    bool handled = sysreg_access(v, iss | SYSREG_RT(RT)) == HANDLED;
    expect(v->page->regs.x[RT] == value);
    return handled;
}
