// Every check of a description that needs no file beside it. Each part reports to m->diag and goes on, whatever it
// finds; the parts run in check_model's order, because later ones use what earlier ones resolved.
#pragma once

#include "model.h"

// `cores`: of the machine, 0 if that isn't known.
void check_model(struct model *m, uint64_t cores);

// What depends on sizes: nothing overlaps, everything ends where it must. Runs last; if programs and files have been
// placed before, it knows their sizes and segments, too.
void check_layout(struct model *m);

// The parts. Each resolves the references of the elements that it checks.
void check_names(struct model *m);
void check_processes(struct model *m, uint64_t cores);
void check_regions(struct model *m);
void check_maps(struct model *m);
void check_setvars(struct model *m);
void check_channels(struct model *m);
void check_irqs(struct model *m);
void check_vms(struct model *m, uint64_t cores);
void check_domains(struct model *m);
void check_iospaces(struct model *m);
void check_ids(struct model *m);
void check_vm_parts(struct model *m); // after maps and ids
void check_symbols(struct model *m);

// What processes and VMs have in common.
void check_cpu(struct model *m, const struct node *node, uint64_t cpu, uint64_t cores);
void check_time(struct model *m, const struct node *node, uint64_t budget, uint64_t *period);

// The region that attribute `attribute` names, or null and a message.
struct region *check_region(struct model *m, const struct node *node, const char *attribute,
                            const char *name);
struct process *check_process(struct model *m, const struct node *node, const char *name);

// Line in which a node stands, for "already in line N".
uint32_t check_line(const struct model *m, const struct node *node);
