// A virtual machine on the simulated port (vmm/port/sim.h), with a page of RAM or a few, for tests of the VMM library's
// core. Each test is linked with what it tests; the rest it fakes.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <abi/vcpu.h>
#include <abi/vm.h>
#include <spec/pstate.h>
#include <spec/trap.h>
#include <vmm/port/sim.h>
#include <vmm/vm.h>

#define RAM_IPA  0x40000000u
#define RAM_SIZE 0x4000u

static struct {
    struct port port;
    struct vm_config config;
    struct vm vm;
    _Alignas(4096) uint8_t ram[RAM_SIZE];
} world;

static inline void world_init(unsigned vcpus)
{
    memset(&world, 0, sizeof(world));
    sim_init(&world.port);
    world.config = (struct vm_config){
        .magic = VM_CONFIG_MAGIC,
        .version = 1,
        .name = "guest",
        .vcpus = vcpus,
        .gic_version = 3,
        .ram_ipa = RAM_IPA,
        .ram_size = RAM_SIZE,
        .ram_vaddr = (uintptr_t)world.ram,
    };
}

// What vm_create makes of a machine without devices, running.
static inline void world_make(unsigned vcpus)
{
    world_init(vcpus);
    world.vm.config = &world.config;
    world.vm.port = &world.port;
    world.vm.vcpus = vcpus;
    for (unsigned i = 0; i < vcpus; i++) {
        struct vcpu *v = &world.vm.vcpu[i];
        v->vm = &world.vm;
        v->index = i;
        v->page = port_page(&world.port, i);
        v->deadline = UINT64_MAX;
        atomic_store(&v->power, VCPU_ON);
        v->page->regs.pstate = SPSR_EL1H;
        v->page->regs.pc = RAM_IPA + 0x1000;
    }
}

static inline uint64_t *world_register(unsigned vcpu, enum vcpu_register reg)
{
    return &world.port.registers[vcpu][reg];
}
