// Checks of memory regions and maps: see check.h.
#include "check.h"

#include <string.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>

#include "memory.h"

typedef unsigned long long ull;

// Regions.

static void check_page_size(struct model *m, struct region *r)
{
    if (r->page_size != 0 && r->page_size != PAGE_SIZE && r->page_size != LARGE_PAGE_SIZE) {
        diag_error(m->diag, xml_at(r->node.xml, "page_size"),
                   "page_size 0x%llx does not exist, use 0x%x or 0x%x", (ull)r->page_size,
                   PAGE_SIZE, LARGE_PAGE_SIZE);
        r->page_size = 0;
    }
}

static void check_size(struct model *m, const struct region *r)
{
    uint64_t page = memory_page_size(r);
    const struct xml *x = r->node.xml;
    if (!xml_has(x, "size") && !model_is_prefilled(r) && !xml_has(x, "device")) {
        diag_error(m->diag, x->offset,
                   "memory region '%s' has no size, add size=\"...\" or a prefill_path", r->name);
    }
    if (!is_aligned(r->size, page)) {
        diag_error(m->diag, xml_at(x, "size"),
                   "size 0x%llx is not a multiple of the page size 0x%llx, use 0x%llx",
                   (ull)r->size, (ull)page, (ull)align_up(r->size, page));
    }
}

static void check_address(struct model *m, const struct region *r)
{
    uint64_t page = memory_page_size(r);
    if (r->paddr == ADDRESS_NONE) {
        return;
    }
    if (!is_aligned(r->paddr, page)) {
        diag_error(m->diag, xml_at(r->node.xml, "phys_addr"),
                   "phys_addr 0x%llx is not a multiple of the page size 0x%llx, align it",
                   (ull)r->paddr, (ull)page);
    }
}

// A candidate is stdout, an alias, a /path or a compatible string, which has a comma.
static bool is_candidate(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (!letter && !digit && strchr("/,.-_@+#", text[i]) == NULL) {
            return false;
        }
    }
    return length < MEMORY_CANDIDATE_MAX;
}

static void check_candidates(struct model *m, const struct region *r)
{
    uint32_t count = 0;
    for (const char *at = r->device; *at != '\0';) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        count += length > 0;
        if (!is_candidate(at, length)) {
            diag_error(
                m->diag, xml_at(r->node.xml, "device"),
                "'%.*s' names no device, use an alias, a /path, a compatible string or stdout",
                length > 64 ? 64 : (int)length, at);
        }
        at += length;
    }
    if (count == 0) {
        diag_error(
            m->diag, xml_at(r->node.xml, "device"),
            "device names no device, write an alias, a /path, a compatible string or stdout");
    }
}

static void check_device(struct model *m, const struct region *r)
{
    static const char *const others[] = {"phys_addr", "prefill_path", "page_size"};
    if (r->device == NULL) {
        return;
    }
    check_candidates(m, r);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (xml_has(r->node.xml, others[i])) {
            diag_error(m->diag, xml_at(r->node.xml, others[i]),
                       "%s does not go with device, remove one of the two", others[i]);
        }
    }
}

static void check_text(struct model *m, struct region *r)
{
    if (r->text == NULL) {
        return;
    }
    if (r->device != NULL || r->prefill_path != NULL) {
        diag_error(m->diag, r->text->node.xml->offset,
                   "<prefill> does not go with device or prefill_path, remove one of the two");
    }
    r->prefill = (const uint8_t *)r->text->text;
    r->prefill_size = strlen(r->text->text);
    if (!xml_has(r->node.xml, "size")) {
        r->size = align_up(r->prefill_size, memory_page_size(r));
    } else if (r->prefill_size > r->size) {
        diag_error(m->diag, xml_at(r->node.xml, "size"),
                   "<prefill> has 0x%llx bytes and the region 0x%llx, make the region larger",
                   (ull)r->prefill_size, (ull)r->size);
    }
}

void check_regions(struct model *m)
{
    const struct table *t = model_table(m, KIND_REGION);
    for (struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        check_page_size(m, r);
        check_size(m, r);
        check_address(m, r);
        check_device(m, r);
        check_text(m, r);
    }
}

// Maps.

static void check_perms(struct model *m, const struct map *map)
{
    size_t at = xml_at(map->node.xml, "perms");
    bool of_vm = memory_is_of_vm(map);
    if (map->perms == MAP_WRITE) {
        diag_error(m->diag, at, "perms 'w' alone cannot be had, use rw");
    } else if ((map->perms & MAP_WRITE) && (map->perms & MAP_EXECUTE) && !of_vm) {
        diag_error(m->diag, at,
                   "memory that is both writable and executable is not allowed, drop w or x");
    }
    if ((map->perms & MAP_EXECUTE) && map->region != NULL && map->region->device != NULL) {
        diag_error(m->diag, at, "device '%s' cannot be executed, drop x", map->region->name);
    }
}

static void check_alignment(struct model *m, const struct map *map)
{
    uint64_t page = memory_page_size(map->region);
    if (!is_aligned(map->vaddr, page)) {
        diag_error(m->diag, xml_at(map->node.xml, "vaddr"),
                   "vaddr 0x%llx is not a multiple of the page size 0x%llx of '%s', align it",
                   (ull)map->vaddr, (ull)page, map->region->name);
    }
}

// A process finds its devices in a table of its config page.
static void count_device(struct model *m, const struct map *map)
{
    struct process *p = model_owner(&map->node);
    if (map->region->device != NULL && p->device_maps++ == PROCESS_DEVICE_MAX) {
        diag_error(m->diag, map->node.xml->offset, "'%s' maps more than %u devices, split it up",
                   p->name, PROCESS_DEVICE_MAX);
    }
}

static void check_map(struct model *m, struct map *map)
{
    map->region = check_region(m, &map->node, "mr", map->mr);
    check_perms(m, map);
    if (map->region == NULL) {
        return;
    }
    map->region->used = true;
    if (map->setvar_prefill_size != NULL && !model_is_prefilled(map->region)) {
        diag_error(m->diag, xml_at(map->node.xml, "setvar_prefill_size"),
                   "'%s' is not prefilled, give it a prefill_path or remove this",
                   map->region->name);
    }
    check_alignment(m, map);
    count_device(m, map);
}

static void check_unused(struct model *m)
{
    const struct table *t = model_table(m, KIND_REGION);
    for (struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        if (!r->used && *r->name != '\0') {
            diag_warning(m->diag, r->node.xml->offset,
                         "unused memory region '%s', map it or remove it", r->name);
        }
    }
}

void check_maps(struct model *m)
{
    const struct table *t = model_table(m, KIND_MAP);
    for (struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        check_map(m, map);
    }
    check_unused(m);
}

void check_setvars(struct model *m)
{
    const struct table *t = model_table(m, KIND_SETVAR);
    for (struct setvar *s = table_first(t); s != NULL; s = table_next(t, s)) {
        s->region = check_region(m, &s->node, "region_paddr", s->region_paddr);
    }
}
