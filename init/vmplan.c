// The plan's part about virtual machines: see vmplan.h.
#include "vmplan.h"

#include "config.h"

void plan_monitors(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->processes.count; i++) {
        s->processes[i].vm = BUNDLE_NONE;
    }
    for (uint32_t i = 0; i < s->bundle.header->vms.count; i++) {
        s->processes[bundle_vm(&s->bundle, i)->process].vm = i;
    }
}

enum layout_answer vm_lay_out(const struct system *s, uint32_t vm, struct layout *l)
{
    uint32_t vcpus = bundle_vm(&s->bundle, vm)->vcpu_count;
    struct range pages = {VM_VCPU_PAGE, vcpus * (uint64_t)PAGE_SIZE};
    enum layout_answer answer =
        layout_add(l, (struct range){VM_CONFIG, VM_CONFIG_SIZE}, PHYSICAL_UNKNOWN);
    if (answer == LAYOUT_OK) {
        answer = layout_add(l, pages, PHYSICAL_UNKNOWN);
    }
    for (uint32_t i = 1; answer == LAYOUT_OK && i <= vcpus; i++) {
        const uint64_t size = VM_STACK_SIZE + PAGE_SIZE; // with the page that guards it
        answer = layout_add(l, (struct range){vm_stack_top(i) - size, size}, PHYSICAL_UNKNOWN);
    }
    return answer;
}

// ---- The guest's space ------------------------------------------------------------------------------------------

// Does the description itself map the CPU interface?
static bool brings_gicc(const struct system *s, uint32_t vm)
{
    for (uint32_t i = 0; i < s->bundle.header->guest_maps.count; i++) {
        const struct bundle_guest_map *map = bundle_guest_map(&s->bundle, i);
        if (map->vm == vm && map->ipa == GUEST_GICC && s->regions[map->region].is_device) {
            return true;
        }
    }
    return false;
}

static bool lay_out_guest_map(struct system *s, const struct bundle_guest_map *map,
                              struct layout *l)
{
    const struct region *r = &s->regions[map->region];
    enum layout_answer answer =
        layout_add(l, (struct range){map->ipa, r->where.size}, region_physical(r));
    if (answer != LAYOUT_OK) {
        refuse(s->kernel, guest_map_element(s, map),
               "at %#lx in the guest \"%s\", %lu bytes long, it %s", map->ipa,
               bundle_vm(&s->bundle, map->vm)->name, r->where.size, layout_text(answer));
    }
    return answer == LAYOUT_OK;
}

static bool plan_gicc(struct system *s, uint32_t vm, struct layout *l)
{
    struct range gicc = {GUEST_GICC, GUEST_GICC_SIZE};
    s->vms[vm].maps_gicc = s->boot->gic_version == 2 && !brings_gicc(s, vm);
    if (s->vms[vm].maps_gicc && layout_add(l, gicc, s->boot->gicv_base) != LAYOUT_OK) {
        refuse(s->kernel, vm_element(s, vm),
               "its maps leave no room at %#lx, where its GICv2 has the CPU interface", gicc.base);
        return false;
    }
    return true;
}

static bool plan_guest(struct system *s, uint32_t vm)
{
    struct layout l = {.count = 0};
    bool fits = true;
    for (uint32_t i = 0; i < s->bundle.header->guest_maps.count; i++) {
        const struct bundle_guest_map *map = bundle_guest_map(&s->bundle, i);
        if (map->vm == vm) {
            fits &= lay_out_guest_map(s, map, &l);
        }
    }
    fits = fits && plan_gicc(s, vm, &l);
    s->vms[vm].tables = layout_tables(&l);
    if (s->vms[vm].tables > SPACE_TABLES_MAX) {
        refuse(s->kernel, vm_element(s, vm), "its maps take %u page tables; %u is the limit",
               s->vms[vm].tables, SPACE_TABLES_MAX);
        fits = false;
    }
    return fits;
}

// ---- The machine ------------------------------------------------------------------------------------------------

static bool plan_gic(struct system *s, uint32_t vm)
{
    uint32_t version = s->boot->gic_version;
    bool virtual = version == 3 || (version == 2 && s->boot->gicv_base != 0);
    if (!virtual) {
        refuse(s->kernel, vm_element(s, vm),
               "the interrupt controller of this machine (GICv%u) has no part for guests", version);
    }
    return virtual;
}

static bool plan_vcpus(struct system *s, uint32_t vm)
{
    const struct bundle_vm *record = bundle_vm(&s->bundle, vm);
    bool fits = true;
    for (uint32_t i = 0; i < record->vcpu_count; i++) {
        const struct bundle_vcpu *vcpu = bundle_vcpu(&s->bundle, record->vcpu_first + i);
        if (vcpu->core >= s->boot->cores) {
            refuse(s->kernel, vcpu_element(s, vcpu),
                   "vcpu %u: there is no cpu %u: this machine runs %u core%s", i, vcpu->core,
                   s->boot->cores, s->boot->cores == 1 ? "" : "s");
            fits = false;
        }
    }
    return fits;
}

bool plan_vms(struct system *s)
{
    bool fits = true;
    for (uint32_t i = 0; i < s->bundle.header->vms.count; i++) {
        fits &= plan_gic(s, i);
        fits &= plan_vcpus(s, i);
        fits &= plan_guest(s, i);
    }
    return fits;
}
