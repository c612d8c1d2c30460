// A whole virtual machine (vmm/vm.c) on the simulated port, whose devices only remember what was asked of them. For
// tests of its life cycle.
#pragma once

#include <assert.h>

#include <vmm/cntp.h>
#include <vmm/exit.h>
#include <vmm/life.h>
#include <vmm/load.h>
#include <vmm/loop.h>
#include <vmm/sysreg.h>

#include "vmm_guest.h"

#define ENTRY   (RAM_IPA + 0x2000u)
#define FDT_IPA (RAM_IPA + 0x3000u)
#define MIDR    0x410fd034u

static struct {
    void (*trap)(struct vcpu *v); // what an exit does: the guest's script
    err_t load_error;
    unsigned loads;
    unsigned gic_resets;
    unsigned device_resets;
    unsigned sysreg_resets[VCPU_MAX];
    unsigned cntp_deadlines;
    uint64_t (*serve)(struct vcpu *v);
} machine;

void exit_trap(struct vcpu *v)
{
    machine.trap(v);
}

void cntp_deadline(struct vcpu *v)
{
    machine.cntp_deadlines++;
    v->deadline = UINT64_MAX;
}

void sysreg_reset(struct vcpu *v)
{
    machine.sysreg_resets[v->index]++;
    v->deadline = UINT64_MAX;
}

void cpu_model_init(struct cpu_model *m, struct port *p, uint32_t gic_version)
{
    (void)m;
    (void)p;
    (void)gic_version;
}

uint64_t cpu_model_midr(const struct vm *vm)
{
    (void)vm;
    return MIDR;
}

uint64_t vcpu_mpidr(unsigned index)
{
    return 0x80000000u | index;
}

err_t vgic_create(struct vm *vm)
{
    (void)vm;
    return OK;
}

void vgic_reset(struct vm *vm)
{
    (void)vm;
    machine.gic_resets++;
}

uint64_t vgic_serve(struct vcpu *v)
{
    return machine.serve(v);
}

err_t pl011_create(struct vm *vm, struct pl011 *d, uint64_t base, uint32_t intid,
                   const struct char_sink *sink)
{
    assert(base == VM_PL011 && intid == VM_PL011_INTID);
    assert(sink->write(sink->context, NULL, 5) == 5);
    d->vm = vm;
    return OK;
}

void pl011_reset(struct pl011 *d)
{
    (void)d;
    machine.device_resets++;
}

err_t pl031_create(struct vm *vm, struct pl031 *d, uint64_t base, uint32_t intid, uint32_t seconds)
{
    (void)seconds;
    assert(base == VM_PL031 && intid == VM_PL031_INTID);
    d->vm = vm;
    return OK;
}

void pl031_reset(struct pl031 *d)
{
    (void)d;
    machine.device_resets++;
}

err_t load_images(struct vm *vm)
{
    machine.loads++;
    vm->entry = ENTRY;
    vm->fdt_ipa = FDT_IPA;
    return machine.load_error;
}

static inline enum vcpu_power machine_power(unsigned vcpu)
{
    return (enum vcpu_power)atomic_load(&world.vm.vcpu[vcpu].power);
}

// As PSCI's CPU_ON has it.
static inline bool machine_cpu_on(unsigned vcpu, uint64_t entry, uint64_t context)
{
    struct vcpu *v = &world.vm.vcpu[vcpu];
    port_lock(&world.port, &world.vm.lock);
    bool off = atomic_load(&v->power) == VCPU_OFF;
    if (off) {
        v->entry = entry;
        v->context = context;
        atomic_store(&v->power, VCPU_STARTING);
    }
    port_unlock(&world.port, &world.vm.lock);
    if (off) {
        port_wake(&world.port, vcpu);
    }
    return off;
}

// Switched off, as vm_create leaves it.
static inline void machine_make(unsigned vcpus)
{
    memset(&machine, 0, sizeof(machine));
    world_init(vcpus);
    assert(vm_create(&world.vm, &world.config, &world.port) == OK);
}
