// See vm.h.
#include "vm.h"

#include <stddef.h>

#include "load.h"

#define SECONDS_AT_START 0u // of the clock: nobody tells the VMM what time it is

// The console of a VM that has none: takes everything, shows nothing.
static size_t write_nowhere(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    return size;
}

static bool config_is_sound(const struct vm_config *c)
{
    struct range ram = {c->ram_ipa, c->ram_size};
    return c->vcpus >= 1 && c->vcpus <= VCPU_MAX && c->ram_size != 0 && range_valid(ram) &&
           (c->gic_version == 2 || c->gic_version == 3);
}

err_t vm_create(struct vm *vm, const struct vm_config *config, struct port *port)
{
    static const struct char_sink nobody = {.write = write_nowhere};
    if (!config_is_sound(config)) {
        return ERR_INVALID;
    }
    vm->config = config;
    vm->port = port;
    vm->vcpus = config->vcpus;
    for (unsigned i = 0; i < vm->vcpus; i++) {
        vm->vcpu[i].vm = vm;
        vm->vcpu[i].index = i;
        vm->vcpu[i].page = port_page(port, i);
        vm->vcpu[i].deadline = UINT64_MAX;
        atomic_store(&vm->vcpu[i].power, VCPU_HALTED);
    }
    cpu_model_init(&vm->cpu, port, config->gic_version);
    err_t err = vgic_create(vm);
    if (err == OK) {
        err = pl011_create(vm, &vm->console, VM_PL011, VM_PL011_INTID, &nobody);
    }
    if (err == OK) {
        err = pl031_create(vm, &vm->rtc, VM_PL031, VM_PL031_INTID, SECONDS_AT_START);
    }
    return err;
}

void *vm_memory(const struct vm *vm, uint64_t ipa, uint64_t size)
{
    const struct vm_config *c = vm->config;
    if (!range_contains((struct range){c->ram_ipa, c->ram_size}, ipa, size)) {
        return NULL;
    }
    return (void *)(uintptr_t)(c->ram_vaddr + (ipa - c->ram_ipa));
}

// From here on the vcpus' threads go their own ways (life.c).
static void power_on(struct vm *vm)
{
    port_lock(vm->port, &vm->lock);
    for (unsigned i = 0; i < vm->vcpus; i++) {
        struct vcpu *v = &vm->vcpu[i];
        v->entry = vm->entry;
        v->context = vm->fdt_ipa;
        v->resumes = false;
        atomic_store(&v->power, i == 0 ? VCPU_STARTING : VCPU_OFF);
    }
    atomic_store(&vm->stopping, 0);
    port_unlock(vm->port, &vm->lock);

    for (unsigned i = 0; i < vm->vcpus; i++) {
        port_wake(vm->port, i);
    }
}

err_t vm_start(struct vm *vm)
{
    err_t err = load_images(vm);
    if (err != OK) {
        return err;
    }
    port_lock(vm->port, &vm->lock); // threads that are no vcpu's may raise lines
    vgic_reset(vm);
    port_unlock(vm->port, &vm->lock);
    pl011_reset(&vm->console);
    pl031_reset(&vm->rtc);
    if (vm->extension != NULL) {
        vm->extension->reset(vm);
    }
    vm->unhandled = (struct unhandled){0};
    trace_reset(vm);
    power_on(vm);
    return OK;
}
