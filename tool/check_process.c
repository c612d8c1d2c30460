// Checks of protection domains: see check.h.
#include "check.h"

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>

static void check_stack(struct model *m, const struct process *p)
{
    if (!is_aligned(p->stack_size, PAGE_SIZE)) {
        diag_error(m->diag, xml_at(p->node.xml, "stack_size"),
                   "stack_size 0x%llx is not a multiple of 0x%x, use 0x%llx",
                   (unsigned long long)p->stack_size, PAGE_SIZE,
                   (unsigned long long)align_up(p->stack_size, PAGE_SIZE));
    }
}

// Only a child has an id, and a child must have one.
static void check_family(struct model *m, const struct process *p)
{
    const struct xml *x = p->node.xml;
    if (p->parent != NULL) {
        if (!xml_has(x, "id")) {
            diag_error(m->diag, x->offset,
                       "protection domain '%s' is a child and has no id, add id=\"...\" by which "
                       "its parent knows it",
                       p->name);
        }
        return;
    }
    if (xml_has(x, "id")) {
        diag_error(m->diag, xml_at(x, "id"),
                   "only a child has an id, remove it or move '%s' into its parent", p->name);
    }
    if (xml_has(x, "setvar_id")) {
        diag_error(m->diag, xml_at(x, "setvar_id"),
                   "only a child has a setvar_id, remove it or move '%s' into its parent", p->name);
    }
}

void check_processes(struct model *m, uint64_t cores)
{
    const struct table *t = model_table(m, KIND_PROCESS);
    if (t->count == 0 && model_table(m, KIND_GUEST)->count == 0) {
        const struct node *system = table_first(model_table(m, KIND_SYSTEM));
        diag_error(m->diag, system->xml->offset,
                   "<system> has no <protection_domain>, give it at least 1");
    }
    for (struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        check_time(m, &p->node, p->budget, &p->period);
        check_cpu(m, &p->node, p->cpu, cores);
        check_stack(m, p);
        check_family(m, p);
    }
}
