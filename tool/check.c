// See check.h. The order of the parts, names, and what several parts use.
#include "check.h"

#include <string.h>

#include <abi/syscall.h>

#include "assign.h"

void check_model(struct model *m, uint64_t cores)
{
    model_link(m);
    check_names(m);
    check_domains(m);
    check_processes(m, cores);
    check_vms(m, cores);
    check_regions(m);
    check_iospaces(m);
    check_maps(m);
    check_setvars(m);
    check_irqs(m);
    check_channels(m);
    check_ids(m);
    check_vm_parts(m);
    assign_collect(m);
    check_symbols(m);
}

uint32_t check_line(const struct model *m, const struct node *node)
{
    return source_line(m->diag->source, node->xml->offset);
}

// Names.

static void add_name(struct model *m, struct names *names, const char *what, const char *name,
                     struct node *node)
{
    if (*name == '\0') {
        return; // reported when it was read
    }
    const struct node *first = names_add(names, name, node);
    if (first != NULL) {
        diag_error(m->diag, xml_at(node->xml, "name"),
                   "%s '%s' is defined already in line %u, rename one of the two", what, name,
                   check_line(m, first));
    }
}

static void check_process_names(struct model *m)
{
    const struct table *t = model_table(m, KIND_PROCESS);
    for (struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        if (strcmp(p->name, "monitor") == 0) {
            diag_error(m->diag, xml_at(p->node.xml, "name"),
                       "the name 'monitor' is reserved, choose another");
        }
        add_name(m, &m->processes, "protection domain", p->name, &p->node);
    }
}

static void check_vm_names(struct model *m)
{
    struct names vms;
    names_init(&vms, m->arena);
    const struct table *t = model_table(m, KIND_VM);
    for (struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        add_name(m, &vms, "virtual machine", vm->name, &vm->node);
    }
}

static void check_limit(struct model *m, enum kind kind, const char *what)
{
    const struct table *t = model_table(m, kind);
    if (t->count > PROCESS_MAX) {
        const struct node *first_too_many = t->nodes[PROCESS_MAX];
        diag_error(m->diag, first_too_many->xml->offset, "there are %u %s, reduce them to %u",
                   t->count, what, PROCESS_MAX);
    }
}

void check_names(struct model *m)
{
    names_init(&m->processes, m->arena);
    names_init(&m->regions, m->arena);
    check_process_names(m);
    check_vm_names(m);
    const struct table *t = model_table(m, KIND_REGION);
    for (struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        add_name(m, &m->regions, "memory region", r->name, &r->node);
    }
    check_limit(m, KIND_PROCESS, "protection domains");
    check_limit(m, KIND_VM, "virtual machines");
}

struct region *check_region(struct model *m, const struct node *node, const char *attribute,
                            const char *name)
{
    struct region *region = names_find(&m->regions, name);
    if (region == NULL && *name != '\0') {
        diag_error(m->diag, xml_at(node->xml, attribute),
                   "there is no memory region '%.64s', define it or correct the name", name);
    }
    return region;
}

struct process *check_process(struct model *m, const struct node *node, const char *name)
{
    struct process *process = names_find(&m->processes, name);
    if (process == NULL && *name != '\0') {
        diag_error(m->diag, xml_at(node->xml, "pd"),
                   "there is no protection domain '%.64s', define it or correct the name", name);
    }
    return process;
}

// Time.

void check_cpu(struct model *m, const struct node *node, uint64_t cpu, uint64_t cores)
{
    uint64_t limit = cores == 0 ? CORES_MAX : cores;
    if (cpu >= limit) {
        diag_error(m->diag, xml_at(node->xml, "cpu"), "cpu %llu does not exist, use 0..%llu",
                   (unsigned long long)cpu, (unsigned long long)limit - 1);
    }
}

void check_time(struct model *m, const struct node *node, uint64_t budget, uint64_t *period)
{
    if (*period == PERIOD_OF_BUDGET) {
        *period = budget;
    }
    if (budget > *period) {
        const char *attribute = xml_has(node->xml, "budget") ? "budget" : "period";
        diag_error(m->diag, xml_at(node->xml, attribute),
                   "budget %llu is larger than the period %llu, raise the period or lower it",
                   (unsigned long long)budget, (unsigned long long)*period);
    }
}
