// Processes: see process.h.
#include "process.h"

#include <assert.h>
#include <stddef.h>

#include <base/bits.h>
#include <base/str.h>

#include "config.h"
#include "make.h"
#include "plan.h"
#include "thread.h"
#include "vm.h"

// ---- Objects ----------------------------------------------------------------------------------------------------

static err_t make_objects(struct system *s, uint32_t process)
{
    struct process *p = &s->processes[process];
    err_t err = make_object(s, OBJ_CSPACE, process_handles(p), &p->cspace);
    if (err == OK) {
        err = make_object(s, OBJ_SPACE, p->tables, &p->space);
    }
    if (err == OK) {
        err = make_object(s, OBJ_THREAD, 0, &p->thread);
    }
    if (err == OK) {
        err = make_object(s, OBJ_NOTIFICATION, 0, &p->notification);
    }
    if (err == OK && p->serves) {
        err = make_object(s, OBJ_ENDPOINT, 0, &p->endpoint);
    }
    return err;
}

static err_t bind_objects(struct system *s, uint32_t process)
{
    const struct process *p = &s->processes[process];
    err_t err = thread_bind(s, process, 0, p->thread, p->notification);
    if (err == OK && p->serves) {
        err = sys_thread_bind(s->kernel, p->thread, THREAD_ENDPOINT, p->endpoint);
    }
    return err;
}

static err_t give_authorities(struct system *s, uint32_t process)
{
    handle_t cspace = s->processes[process].cspace;
    uint32_t flags = bundle_process(&s->bundle, process)->flags;
    err_t err = OK;
    if (!is_quiet(s)) { // else it would be heard while init speaks, and could say what init says
        err = sys_copy(s->kernel, here(BOOT_CONSOLE), (struct place){cspace, PROCESS_CONSOLE},
                       RIGHT_WRITE, 0);
    }
    if (err == OK && (flags & BUNDLE_SMC) != 0) {
        err = sys_copy(s->kernel, here(BOOT_SMC), (struct place){cspace, PROCESS_SMC}, RIGHT_WRITE,
                       0);
    }
    if (err == OK && (flags & BUNDLE_POWER) != 0) {
        err = sys_copy(s->kernel, here(BOOT_POWER), (struct place){cspace, PROCESS_POWER},
                       RIGHT_WRITE, 0);
    }
    return err;
}

static err_t set_time(struct system *s, uint32_t process)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    unsigned flags = ((record->flags & BUNDLE_PASSIVE) != 0 ? THREAD_PASSIVE : 0u) |
                     ((record->flags & BUNDLE_FPU) != 0 ? THREAD_FP : 0u);
    struct thread_time time = {record->priority, record->core, record->budget_us,
                               record->period_us};
    return thread_set_time(s, s->processes[process].thread, flags, &time);
}

// ---- Memory -----------------------------------------------------------------------------------------------------

static err_t make_stack(struct system *s, uint32_t process)
{
    uint64_t size = bundle_process(&s->bundle, process)->stack_size;
    handle_t stack;
    return make_pages(s, s->processes[process].space, PROCESS_STACK_TOP - size, size,
                      MAP_READ | MAP_WRITE, &stack);
}

static err_t make_message_page(struct system *s, uint32_t process)
{
    const struct process *p = &s->processes[process];
    handle_t page;
    err_t err = make_pages(s, p->space, PROCESS_MESSAGE, PAGE_SIZE, MAP_READ | MAP_WRITE, &page);
    return err == OK ? sys_thread_bind(s->kernel, p->thread, THREAD_MESSAGE, page) : err;
}

static err_t make_config_page(struct system *s, uint32_t process)
{
    struct process_config config;
    handle_t page;
    config_fill(s, process, &config);
    err_t err =
        make_pages(s, s->processes[process].space, PROCESS_CONFIG, PAGE_SIZE, MAP_READ, &page);
    return err == OK ? fill_frames(s, page, &config, sizeof(config), PAGE_SIZE) : err;
}

// What the process cannot write is mapped where it lies in the bundle; the rest gets frames of its own, which are
// filled whenever the process is loaded.
static err_t make_segment(struct system *s, const struct process *p, uint32_t i)
{
    const struct bundle_segment *segment = bundle_segment(&s->bundle, i);
    uint64_t size = align_up(segment->memory_size, PAGE_SIZE);
    if ((segment->perms & MAP_WRITE) == 0) {
        struct range pages = {segment->file.offset, size};
        return map_frames(s, BOOT_BUNDLE, pages, p->space, segment->vaddr, segment->perms);
    }
    return make_pages(s, p->space, segment->vaddr, size, segment->perms, &s->segments[i]);
}

static err_t make_segments(struct system *s, uint32_t process)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    err_t err = OK;
    for (uint32_t i = 0; err == OK && i < record->segment_count; i++) {
        err = make_segment(s, &s->processes[process], record->segment_first + i);
    }
    return err;
}

err_t process_build(struct system *s, uint32_t process)
{
    err_t (*const steps[])(struct system *, uint32_t) = {
        make_objects, bind_objects,      give_authorities, set_time,     make_segments,
        make_stack,   make_message_page, make_config_page, process_load,
    };
    err_t err = OK;
    for (unsigned i = 0; err == OK && i < ARRAY_SIZE(steps); i++) {
        err = steps[i](s, process);
    }
    return err;
}

// ---- Loading ----------------------------------------------------------------------------------------------------

// The writable segment of the process that holds the word at vaddr: the bundle's check has made sure there is one.
static uint32_t segment_at(const struct system *s, uint32_t process, uint64_t vaddr)
{
    uint32_t i = bundle_process(&s->bundle, process)->segment_first;
    for (;; i++) {
        const struct bundle_segment *segment = bundle_segment(&s->bundle, i);
        struct range memory = {segment->vaddr, segment->memory_size};
        if ((segment->perms & MAP_WRITE) != 0 && range_contains(memory, vaddr, sizeof(uint64_t))) {
            return i;
        }
    }
}

static err_t apply_patch(struct system *s, const struct bundle_patch *patch)
{
    uint32_t i = segment_at(s, patch->process, patch->vaddr);
    struct range where = s->regions[patch->region].where;
    uint64_t value = patch->kind == PATCH_REGION_PADDR ? where.base : where.size;
    return poke_frames(s, s->segments[i], patch->vaddr - bundle_segment(&s->bundle, i)->vaddr,
                       value);
}

static err_t load_data(struct system *s, uint32_t process)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    err_t err = OK;
    for (uint32_t n = 0; err == OK && n < record->segment_count; n++) {
        uint32_t i = record->segment_first + n;
        const struct bundle_segment *segment = bundle_segment(&s->bundle, i);
        if ((segment->perms & MAP_WRITE) != 0) {
            err = fill_frames(s, s->segments[i], bundle_at(&s->bundle, segment->file.offset),
                              segment->file.size, align_up(segment->memory_size, PAGE_SIZE));
        }
    }
    for (uint32_t i = 0; err == OK && i < s->bundle.header->patches.count; i++) {
        const struct bundle_patch *patch = bundle_patch(&s->bundle, i);
        if (patch->process == process) {
            err = apply_patch(s, patch);
        }
    }
    return err;
}

err_t process_load(struct system *s, uint32_t process)
{
    err_t err = load_data(s, process);
    return err == OK ? thread_begin(s, process, s->processes[process].thread, PROCESS_STACK_TOP)
                     : err;
}

// ---- Starting ---------------------------------------------------------------------------------------------------

err_t process_start(struct system *s, uint32_t process)
{
    const struct process *p = &s->processes[process];
    err_t err = sys_thread_start(s->kernel, p->thread);
    return err == OK && p->vm != BUNDLE_NONE ? vm_start(s, p->vm) : err;
}

static bool has_waiting_child(const struct system *s, uint32_t process, uint64_t started)
{
    for (uint32_t i = process + 1; i < s->bundle.header->processes.count; i++) {
        if (bundle_process(&s->bundle, i)->parent == process && (started & BIT(i)) == 0) {
            return true;
        }
    }
    return false;
}

// The next to start; BUNDLE_NONE: all have been. `started` has a bit per process.
static uint32_t next_to_start(const struct system *s, uint64_t started)
{
    uint32_t best = BUNDLE_NONE;
    for (uint32_t i = 0; i < s->bundle.header->processes.count; i++) {
        bool ready = (started & BIT(i)) == 0 && !has_waiting_child(s, i, started);
        if (ready && (best == BUNDLE_NONE || bundle_process(&s->bundle, i)->priority >
                                                 bundle_process(&s->bundle, best)->priority)) {
            best = i;
        }
    }
    return best;
}

static_assert(PROCESS_MAX <= 64, "a bit per process");

bool processes_start(struct system *s)
{
    uint64_t started = 0;
    uint32_t i = next_to_start(s, started);
    while (i != BUNDLE_NONE) {
        err_t err = process_start(s, i);
        if (err != OK) {
            sys_console_mode(s->kernel, CONSOLE_ON);
            refuse(s->kernel, process_element(s, i), "it cannot be started: %s", err_text(err));
            return false;
        }
        started |= BIT(i);
        i = next_to_start(s, started);
    }
    return true;
}
