// Virtual machines: see vm.h.
#include "vm.h"

#include <base/bits.h>

#include "config.h"
#include "life.h"
#include "make.h"
#include "process.h"
#include "region.h"
#include "thread.h"
#include "vmplan.h"

static const struct bundle_vm *record_of(const struct system *s, uint32_t vm)
{
    return bundle_vm(&s->bundle, vm);
}

static const struct process *monitor_of(const struct system *s, uint32_t vm)
{
    return &s->processes[record_of(s, vm)->process];
}

static struct place vmm_slot(const struct system *s, uint32_t vm, uint64_t handle)
{
    return slot_of(s, record_of(s, vm)->process, handle);
}

// ---- The guest's space ------------------------------------------------------------------------------------------

static err_t map_gicc(struct system *s, uint32_t vm)
{
    err_t err = OK;
    if (!s->vms[vm].maps_gicc) {
        return OK;
    }
    if (s->gicc == 0) {
        err = make_device_frames(s, (struct range){s->boot->gicv_base, GUEST_GICC_SIZE}, &s->gicc);
    }
    return err == OK ? map_frames(s, s->gicc, (struct range){0, GUEST_GICC_SIZE}, s->vms[vm].space,
                                  GUEST_GICC, MAP_READ | MAP_WRITE)
                     : err;
}

static err_t make_guest(struct system *s, uint32_t vm)
{
    struct vm *v = &s->vms[vm];
    err_t err = make_object(s, OBJ_SPACE, v->tables | SPACE_GUEST, &v->space);
    return err == OK ? map_gicc(s, vm) : err;
}

static bool make_guests(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->vms.count; i++) {
        err_t err = make_guest(s, i);
        if (err != OK) {
            refuse(s->kernel, vm_element(s, i), "its guest cannot be built: %s", err_text(err));
            return false;
        }
    }
    return true;
}

bool build_guests(struct system *s)
{
    if (!make_guests(s)) {
        return false;
    }
    for (uint32_t i = 0; i < s->bundle.header->guest_maps.count; i++) {
        const struct bundle_guest_map *map = bundle_guest_map(&s->bundle, i);
        err_t err = map_region(s, map->region, s->vms[map->vm].space, map->ipa, map->perms);
        if (err != OK) {
            refuse(s->kernel, guest_map_element(s, map), "at %#lx in the guest \"%s\": %s",
                   map->ipa, record_of(s, map->vm)->name, err_text(err));
            return false;
        }
    }
    return true;
}

// ---- Vcpus and their threads ------------------------------------------------------------------------------------

static err_t make_vcpu(struct system *s, uint32_t vm, uint32_t i)
{
    struct vcpu *v = &s->vms[vm].vcpus[i];
    handle_t page;
    err_t err = make_object(s, OBJ_VCPU, 0, &v->vcpu);
    if (err == OK) {
        err = sys_vcpu_bind(s->kernel, v->vcpu, VCPU_SPACE, s->vms[vm].space);
    }
    if (err == OK) {
        err = make_pages(s, monitor_of(s, vm)->space, VM_VCPU_PAGE + i * (uint64_t)PAGE_SIZE,
                         PAGE_SIZE, MAP_READ | MAP_WRITE, &page);
    }
    if (err == OK) {
        err = sys_vcpu_bind(s->kernel, v->vcpu, VCPU_PAGE, page);
    }
    return err == OK
               ? sys_copy(s->kernel, here(v->vcpu), vmm_slot(s, vm, VM_VCPU + i), RIGHT_ALL, 0)
               : err;
}

static err_t set_vcpu_time(struct system *s, uint32_t vm, uint32_t i)
{
    const struct bundle_vcpu *record = bundle_vcpu(&s->bundle, record_of(s, vm)->vcpu_first + i);
    uint32_t process = record_of(s, vm)->process;
    bool fp = (bundle_process(&s->bundle, process)->flags & BUNDLE_FPU) != 0;
    struct thread_time time = {record->priority, record->core, record->budget_us,
                               record->period_us};
    return thread_set_time(s, s->vms[vm].vcpus[i].thread, fp ? THREAD_FP : 0, &time);
}

static err_t make_thread(struct system *s, uint32_t vm, uint32_t i)
{
    struct vcpu *v = &s->vms[vm].vcpus[i];
    const uint64_t number = i + 1;
    handle_t stack;
    err_t err = make_object(s, OBJ_THREAD, 0, &v->thread);
    if (err == OK) {
        err = make_object(s, OBJ_NOTIFICATION, 0, &v->notification);
    }
    if (err == OK) {
        err = make_pages(s, monitor_of(s, vm)->space, vm_stack_top(number) - VM_STACK_SIZE,
                         VM_STACK_SIZE, MAP_READ | MAP_WRITE, &stack);
    }
    if (err == OK) {
        err =
            thread_bind(s, record_of(s, vm)->process, (unsigned)number, v->thread, v->notification);
    }
    if (err == OK) {
        err = sys_thread_bind(s->kernel, v->thread, THREAD_VCPU, v->vcpu);
    }
    if (err == OK) {
        err = sys_thread_write(s->kernel, v->thread, REG_TPIDRRO, 1, &number);
    }
    if (err == OK) {
        err = set_vcpu_time(s, vm, i);
    }
    return err == OK ? sys_copy(s->kernel, here(v->notification),
                                vmm_slot(s, vm, VM_THREAD + number), RIGHT_WRITE, VM_WAKE)
                     : err;
}

static err_t make_vcpus(struct system *s, uint32_t vm)
{
    err_t err = OK;
    for (uint32_t i = 0; err == OK && i < record_of(s, vm)->vcpu_count; i++) {
        err = make_vcpu(s, vm, i);
        if (err == OK) {
            err = make_thread(s, vm, i);
        }
    }
    return err;
}

// ---- What its VMM knows -----------------------------------------------------------------------------------------

static err_t give_handles(struct system *s, uint32_t vm)
{
    err_t err = sys_copy(s->kernel, here(monitor_of(s, vm)->notification),
                         vmm_slot(s, vm, VM_THREAD), RIGHT_WRITE, VM_WAKE_MAIN);
    return err == OK ? sys_copy(s->kernel, here(BOOT_ENDPOINT), vmm_slot(s, vm, VM_LIFE),
                                RIGHT_WRITE, LIFE_BADGE(vm))
                     : err;
}

static err_t make_config(struct system *s, uint32_t vm)
{
    return make_pages(s, monitor_of(s, vm)->space, VM_CONFIG, VM_CONFIG_SIZE, MAP_READ,
                      &s->vms[vm].config);
}

// What differs from start to start, beside the process's own (process_load).
static err_t load(struct system *s, uint32_t vm)
{
    struct vm_config config;
    vm_config_fill(s, vm, &config);
    err_t err = fill_frames(s, s->vms[vm].config, &config, sizeof(config), VM_CONFIG_SIZE);
    for (uint32_t i = 0; err == OK && i < record_of(s, vm)->vcpu_count; i++) {
        err = thread_begin(s, record_of(s, vm)->process, s->vms[vm].vcpus[i].thread,
                           vm_stack_top(i + 1));
    }
    return err;
}

static err_t build(struct system *s, uint32_t vm)
{
    err_t (*const steps[])(struct system *, uint32_t) = {
        make_vcpus,
        give_handles,
        make_config,
        load,
    };
    err_t err = OK;
    for (unsigned i = 0; err == OK && i < ARRAY_SIZE(steps); i++) {
        err = steps[i](s, vm);
    }
    return err;
}

bool build_vms(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->vms.count; i++) {
        err_t err = build(s, i);
        if (err != OK) {
            refuse(s->kernel, vm_element(s, i), "it cannot be built: %s", err_text(err));
            return false;
        }
    }
    return true;
}

// ---- Starting and stopping --------------------------------------------------------------------------------------

err_t vm_start(struct system *s, uint32_t vm)
{
    err_t err = OK;
    for (uint32_t i = 0; err == OK && i < record_of(s, vm)->vcpu_count; i++) {
        err = sys_thread_start(s->kernel, s->vms[vm].vcpus[i].thread);
    }
    return err;
}

static err_t stop(struct system *s, uint32_t vm)
{
    err_t err = sys_thread_stop(s->kernel, monitor_of(s, vm)->thread);
    for (uint32_t i = 0; err == OK && i < record_of(s, vm)->vcpu_count; i++) {
        err = sys_thread_stop(s->kernel, s->vms[vm].vcpus[i].thread);
    }
    return err;
}

void vm_stop(struct system *s, uint32_t vm)
{
    err_t err = stop(s, vm);
    if (err != OK) {
        announce(s->kernel, "vm %s: cannot be stopped: %s", record_of(s, vm)->name, err_text(err));
    }
}

static err_t reset_vcpus(struct system *s, uint32_t vm)
{
    err_t err = OK;
    for (uint32_t i = 0; err == OK && i < record_of(s, vm)->vcpu_count; i++) {
        err = sys_vcpu_reset(s->kernel, s->vms[vm].vcpus[i].vcpu);
    }
    return err;
}

err_t vm_restart(struct system *s, uint32_t vm)
{
    uint32_t process = record_of(s, vm)->process;
    err_t err = stop(s, vm);
    if (err == OK) {
        err = reset_vcpus(s, vm);
    }
    s->vms[vm].starts++;
    if (err == OK) {
        err = process_load(s, process);
    }
    if (err == OK) {
        err = load(s, vm);
    }
    return err == OK ? process_start(s, process) : err;
}
