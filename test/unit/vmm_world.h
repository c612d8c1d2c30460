// What stands beneath and beside the VMM's devices and loader in their tests: a port that records, a bus that is a list,
// lines instead of an interrupt controller. Included by one file of each test.
#pragma once

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <base/format.h>
#include <vmm/vm.h>

#define WORLD_LINES 64u

static struct vmm_world {
    struct vm vm;
    struct vm_config config;
    bool locked;
    bool misused; // a lock taken twice, a line changed without it
    uint64_t now;
    bool line[WORLD_LINES];
    unsigned line_changes;
    char log[1024];
    uint64_t published; // bytes
    const void *published_first;
} world;

static inline void world_reset(void)
{
    memset(&world, 0, sizeof(world));
    world.vm.config = &world.config;
    world.vm.vcpus = 1;
    world.vm.cpu.compatible = "arm,cortex-a53";
    world.config.vcpus = 1;
    world.config.gic_version = 3;
    strcpy(world.config.name, "test");
}

void port_lock(struct port *p, struct port_lock *lock)
{
    (void)p;
    world.misused |= world.locked || lock != &world.vm.lock;
    world.locked = true;
}

void port_unlock(struct port *p, struct port_lock *lock)
{
    (void)p;
    world.misused |= !world.locked || lock != &world.vm.lock;
    world.locked = false;
}

void vgic_set_line_locked(struct vm *vm, uint32_t intid, bool high)
{
    world.misused |= vm != &world.vm || !world.locked || intid >= WORLD_LINES;
    world.line[intid % WORLD_LINES] = high;
    world.line_changes++;
}

uint64_t port_now(struct port *p)
{
    (void)p;
    return world.now;
}

uint64_t port_ticks_per_second(struct port *p)
{
    (void)p;
    return 1000;
}

void port_log(struct port *p, const char *line)
{
    (void)p;
    size_t used = strlen(world.log);
    format(world.log + used, sizeof(world.log) - used, "%s\n", line);
}

void port_publish(struct port *p, const void *start, size_t size)
{
    (void)p;
    world.published_first = world.published == 0 ? start : world.published_first;
    world.published += size;
}

void port_zero(struct port *p, void *start, size_t size)
{
    memset(start, 0, size);
    port_publish(p, start, size);
}

err_t bus_add(struct bus *b, struct bus_range range)
{
    b->ranges[b->count++] = range;
    return OK;
}

const struct bus_range *bus_find(const struct bus *b, uint64_t ipa)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (range_contains(b->ranges[i].where, ipa, 1)) {
            return &b->ranges[i];
        }
    }
    return NULL;
}

void *vm_memory(const struct vm *vm, uint64_t ipa, uint64_t size)
{
    const struct vm_config *c = vm->config;
    bool inside = range_contains((struct range){c->ram_ipa, c->ram_size}, ipa, size);
    return inside ? (void *)(uintptr_t)(c->ram_vaddr + (ipa - c->ram_ipa)) : NULL;
}

uint64_t vcpu_mpidr(unsigned index)
{
    return 0x80000000u | index;
}

// ---- Registers --------------------------------------------------------------------------------------------------

static inline uint64_t world_access(uint64_t address, uint64_t value, unsigned size, bool write)
{
    const struct bus_range *r = bus_find(&world.vm.bus, address);
    if (r == NULL) {
        abort();
    }
    struct bus_access a = {
        .offset = address - r->where.base, .value = value, .size = (uint8_t)size, .write = write};
    if (r->access(r->device, &a) != HANDLED) {
        abort();
    }
    return a.value;
}

static inline uint32_t world_read(uint64_t address)
{
    return (uint32_t)world_access(address, 0x5555, 4, false);
}

static inline void world_write(uint64_t address, uint32_t value)
{
    world_access(address, value, 4, true);
}
