// The life of VMs: see life.h.
#include "life.h"

#include "vm.h"

// From the end of the last VM to that of the system: drivers have so long to write what guests said last.
#define LAST_WORDS_MS 200u

static const char *name_of(const struct system *s, uint32_t vm)
{
    return bundle_vm(&s->bundle, vm)->name;
}

static enum vm_policy policy(const struct bundle_vm *record, enum vm_event event)
{
    switch (event) {
    case VM_EVENT_POWEROFF:
        return (enum vm_policy)record->on_poweroff;
    case VM_EVENT_RESET:
        return (enum vm_policy)record->on_reset;
    default:
        return (enum vm_policy)record->on_crash;
    }
}

// ---- The end of the system --------------------------------------------------------------------------------------

static void end_soon(struct system *s)
{
    if (s->end_at == DEADLINE_NEVER) {
        s->end_at = sys_clock(s->kernel) + s->boot->ticks_per_second * LAST_WORDS_MS / 1000;
    }
}

static bool all_off(const struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->vms.count; i++) {
        if (s->vms[i].state == VM_RUNS) {
            return false;
        }
    }
    return true;
}

bool life_over(struct system *s)
{
    return s->end_at != DEADLINE_NEVER && sys_clock(s->kernel) >= s->end_at;
}

_Noreturn void life_end(struct system *s)
{
    unsigned code = 0;
    sys_console_mode(s->kernel, CONSOLE_ON);
    for (uint32_t i = 0; i < s->bundle.header->vms.count; i++) {
        const struct vm *v = &s->vms[i];
        if (v->state == VM_OFF) {
            announce(s->kernel, "vm %s: %s", name_of(s, i),
                     v->last == VM_EVENT_RESET ? "off after a reset" : "powered off");
        }
        code |= v->state == VM_FAILED;
    }
    sys_system_off(s->kernel, code);
}

// ---- Ends and restarts of a VM ----------------------------------------------------------------------------------

static void turn_off(struct system *s, uint32_t vm, enum vm_state state, enum vm_event event)
{
    s->vms[vm].state = state;
    s->vms[vm].last = event;
    if (all_off(s)) {
        end_soon(s);
    }
}

// Windows follow each other: the first restart after the end of one begins the next.
static void count_restart(struct system *s, uint32_t vm)
{
    struct vm *v = &s->vms[vm];
    uint64_t window = bundle_vm(&s->bundle, vm)->window_s * s->boot->ticks_per_second;
    uint64_t now = sys_clock(s->kernel);
    if (v->restarts == 0 || (window > 0 && now - v->window_start >= window)) {
        v->window_start = now;
        v->recent = 0;
    }
    v->restarts++;
    v->recent++;
}

static const char *ordinal(uint32_t n)
{
    if (n % 100 / 10 == 1) {
        return "th";
    }
    switch (n % 10) {
    case 1:
        return "st";
    case 2:
        return "nd";
    case 3:
        return "rd";
    default:
        return "th";
    }
}

static void say_it_stays_off(struct system *s, uint32_t vm)
{
    const struct bundle_vm *record = bundle_vm(&s->bundle, vm);
    const char *plural = record->restarts == 1 ? "" : "s";
    if (record->window_s == 0) {
        announce(s->kernel, "vm %s: stays off: it may restart %u time%s", record->name,
                 record->restarts, plural);
    } else {
        announce(s->kernel, "vm %s: stays off: it may restart %u time%s in %u seconds",
                 record->name, record->restarts, plural, record->window_s);
    }
}

static enum vm_action restart(struct system *s, uint32_t vm, enum vm_event event)
{
    struct vm *v = &s->vms[vm];
    count_restart(s, vm);
    bool allowed = v->recent <= bundle_vm(&s->bundle, vm)->restarts;
    speak_up(s);
    if (!allowed) {
        say_it_stays_off(s, vm);
    } else if (event == VM_EVENT_CRASH) {
        announce(s->kernel, "vm %s: restarts for the %u%s time", name_of(s, vm), v->restarts,
                 ordinal(v->restarts));
    }
    speak_no_more(s);
    if (!allowed) {
        turn_off(s, vm, VM_FAILED, event);
    }
    return allowed ? VM_ACTION_RESTART : VM_ACTION_STOP;
}

static enum vm_action follow(struct system *s, uint32_t vm, enum vm_event event)
{
    enum vm_state end = event == VM_EVENT_CRASH ? VM_FAILED : VM_OFF;
    switch (policy(bundle_vm(&s->bundle, vm), event)) {
    case VM_RESTART:
        return restart(s, vm, event);
    case VM_SHUTDOWN:
        end_soon(s);
        break;
    case VM_STOP:
        break;
    }
    turn_off(s, vm, end, event);
    return VM_ACTION_STOP;
}

enum vm_action life_event(struct system *s, uint32_t vm, enum vm_event event)
{
    if (event == VM_EVENT_CRASH) {
        speak_up(s);
        announce(s->kernel, "vm %s: crashed", name_of(s, vm));
        speak_no_more(s);
    }
    return follow(s, vm, event);
}

void life_vmm_crashed(struct system *s, uint32_t vm)
{
    bool ran = s->vms[vm].state == VM_RUNS;
    err_t err = OK;
    if (ran && follow(s, vm, VM_EVENT_CRASH) == VM_ACTION_RESTART) {
        err = vm_restart(s, vm);
    } else {
        vm_stop(s, vm);
    }
    if (err != OK) {
        speak_up(s);
        announce(s->kernel, "vm %s: its VMM cannot be restarted: %s", name_of(s, vm),
                 err_text(err));
        speak_no_more(s);
        vm_stop(s, vm);
        turn_off(s, vm, VM_FAILED, VM_EVENT_CRASH);
    }
}
