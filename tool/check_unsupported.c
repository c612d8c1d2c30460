// Checks of what the format has and Bulkhead does not have yet, domains and I/O address spaces: they are refused as
// elements, but their own mistakes are told, too. See check.h.
#include "check.h"

#include <string.h>

#include <abi/syscall.h>
#include <base/bits.h>

#include "value.h"

typedef unsigned long long ull;

// Domains.

static void check_domain_of(struct model *m, const struct process *p, const struct names *domains,
                            const struct node *schedule)
{
    const struct xml *x = p->node.xml;
    size_t at = xml_at(x, "domain");
    if (schedule == NULL) {
        if (p->domain != NULL) {
            diag_error(m->diag, at, "there are no <domains> in this system, remove the domain");
        }
    } else if (p->domain == NULL) {
        diag_error(m->diag, at, "'%s' is in no domain, add domain=\"...\" as <domains> are used",
                   p->name);
    } else if (x->offset < schedule->xml->offset) {
        diag_error(m->diag, at, "domain '%.64s' is used before <domains>, move <domains> up",
                   p->domain);
    } else if (names_find(domains, p->domain) == NULL) {
        diag_error(m->diag, at, "there is no domain '%.64s', define it or correct the name",
                   p->domain);
    }
}

static void check_domain_ids(struct model *m, struct names *domains)
{
    const struct node *taken[DOMAIN_MAX] = {NULL};
    const struct table *t = model_table(m, KIND_DOMAIN);
    for (struct domain *d = table_first(t); d != NULL; d = table_next(t, d)) {
        if (*d->name != '\0' && names_add(domains, d->name, d) != NULL) {
            diag_error(m->diag, xml_at(d->node.xml, "name"),
                       "domain '%s' is defined already, rename one of the two", d->name);
        }
        if (d->id == ID_NONE) {
            continue;
        }
        if (taken[d->id] != NULL) {
            diag_error(m->diag, xml_at(d->node.xml, "id"),
                       "domain id %llu is used already in line %u, choose another", (ull)d->id,
                       check_line(m, taken[d->id]));
        }
        taken[d->id] = &d->node;
    }
}

// "1000 us" or "1000 ticks".
static bool is_duration(const char *text)
{
    const char *blank = strchr(text, ' ');
    char number[32];
    uint64_t value;
    if (blank == NULL || (size_t)(blank - text) >= sizeof(number)) {
        return false;
    }
    memcpy(number, text, (size_t)(blank - text));
    number[blank - text] = '\0';
    return value_number(number, &value) && value > 0 && value_choice(blank + 1, "us ticks", &value);
}

static void check_entries(struct model *m, const struct names *domains)
{
    const struct table *t = model_table(m, KIND_SCHEDULE_ENTRY);
    for (struct schedule_entry *e = table_first(t); e != NULL; e = table_next(t, e)) {
        if (*e->domain != '\0' && names_find(domains, e->domain) == NULL) {
            diag_error(m->diag, xml_at(e->node.xml, "domain"),
                       "there is no domain '%.64s', define it or correct the name", e->domain);
        }
        if (*e->duration != '\0' && !is_duration(e->duration)) {
            diag_error(m->diag, xml_at(e->node.xml, "duration"),
                       "duration '%.64s' is not understood, write a number and us or ticks",
                       e->duration);
        }
    }
}

void check_domains(struct model *m)
{
    struct names domains;
    names_init(&domains, m->arena);
    check_domain_ids(m, &domains);
    check_entries(m, &domains);
    const struct node *schedule = table_first(model_table(m, KIND_DOMAINS));
    const struct table *t = model_table(m, KIND_PROCESS);
    for (struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        check_domain_of(m, p, &domains, schedule);
    }
}

// I/O address spaces.

static void check_iomap(struct model *m, const struct iomap *map)
{
    struct region *region = check_region(m, &map->node, "mr", map->mr);
    if (map->perms & MAP_EXECUTE) {
        diag_error(m->diag, xml_at(map->node.xml, "perms"), "a device executes nothing, drop x");
    }
    if (!is_aligned(map->iovaddr, PAGE_SIZE)) {
        diag_error(m->diag, xml_at(map->node.xml, "iovaddr"),
                   "iovaddr 0x%llx is not a multiple of 0x%x, align it", (ull)map->iovaddr,
                   PAGE_SIZE);
    }
    if (region == NULL) {
        return;
    }
    region->used = true;
    if (region->page_size == LARGE_PAGE_SIZE) {
        diag_error(m->diag, xml_at(map->node.xml, "mr"),
                   "'%s' has pages of 0x%x, an <iomap> needs page_size=\"0x%x\"", region->name,
                   LARGE_PAGE_SIZE, PAGE_SIZE);
    }
}

void check_iospaces(struct model *m)
{
    struct names names;
    names_init(&names, m->arena);
    const struct table *t = model_table(m, KIND_IOSPACE);
    for (struct iospace *s = table_first(t); s != NULL; s = table_next(t, s)) {
        const char *id = arena_format(m->arena, "%llu", (ull)s->domain_id);
        const char *name = arena_format(m->arena, "name %s", s->name);
        if (*s->name != '\0' && names_add(&names, name, s) != NULL) {
            diag_error(m->diag, xml_at(s->node.xml, "name"),
                       "I/O address space '%s' is defined already, rename one of the two", s->name);
        }
        if (s->domain_id != ID_NONE && names_add(&names, id, s) != NULL) {
            diag_error(m->diag, xml_at(s->node.xml, "domain_id"),
                       "domain_id %s is used already, choose another", id);
        }
    }
    t = model_table(m, KIND_IOMAP);
    for (struct iomap *map = table_first(t); map != NULL; map = table_next(t, map)) {
        check_iomap(m, map);
    }
}
