// init as a server: see server.h.
#include "server.h"

#include "fault.h"
#include "life.h"

// A VM that is off has nothing more to say: it isn't answered, and waits for good. So does one that says what is none
// of the three.
static struct answer hear_vm(struct system *s, const struct message *m)
{
    uint64_t vm = LIFE_BADGE_VM(m->badge);
    uint64_t event = INFO_LABEL(m->info);
    bool known = event >= VM_EVENT_POWEROFF && event <= VM_EVENT_CRASH;
    if (!known || vm >= s->bundle.header->vms.count || s->vms[vm].state != VM_RUNS) {
        return (struct answer){.due = false};
    }
    return (struct answer){true, life_event(s, (uint32_t)vm, (enum vm_event)event)};
}

static struct answer hear(struct system *s, const struct message *m)
{
    if ((m->info & INFO_NOTIFICATION) != 0) {
        return (struct answer){.due = false};
    }
    if ((m->badge & BADGE_LIFE) != 0) {
        return hear_vm(s, m);
    }
    fault_handle(s, m);
    return (struct answer){.due = false};
}

void serve_one(struct system *s, struct answer *last)
{
    struct message m;
    err_t err = sys_receive(s->kernel, last->due ? RECEIVE_REPLY : 0, last->action, s->end_at, &m);
    *last = (struct answer){.due = false};
    if (life_over(s)) {
        life_end(s);
    }
    if (err == OK) {
        *last = hear(s, &m);
    }
}

_Noreturn void serve(struct system *s)
{
    struct answer last = {.due = false};
    for (;;) {
        serve_one(s, &last);
    }
}
