// Config pages: see config.h.
#include "config.h"

#include <assert.h>

#include <base/bits.h>
#include <base/str.h>

static_assert(sizeof(struct process_config) <= PAGE_SIZE, "it is one page");
static_assert(sizeof(struct vm_config) <= VM_CONFIG_SIZE, "it is one page");

// Copies a string, cut to fit.
static void copy_text(char *out, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    memcpy(out, text, length);
    memset(out + length, 0, size - length);
}

// The id by which the process knows an interrupt.
static uint32_t irq_id(const struct system *s, uint32_t process, uint32_t intid)
{
    for (uint32_t i = 0; i < s->bundle.header->irqs.count; i++) {
        const struct bundle_irq *irq = bundle_irq(&s->bundle, i);
        if (irq->process == process && s->irqs[i].intid == intid) {
            return irq->id;
        }
    }
    return UINT32_MAX;
}

static void fill_device(const struct system *s, const struct bundle_map *map,
                        struct process_device *out)
{
    const struct region *r = &s->regions[map->region];
    const struct device *d = &r->device;
    uint64_t offset = d->registers.base - r->where.base; // in the first page
    uint64_t room = r->where.size > offset ? r->where.size - offset : 0;
    copy_text(out->region, sizeof(out->region), region_element(s, map->region).name);
    copy_text(out->compatible, sizeof(out->compatible), d->compatible);
    out->vaddr = map->vaddr + offset;
    out->paddr = d->registers.base;
    out->size = d->registers.size < room ? d->registers.size : room;
    out->clock_hz = d->clock_hz;
    out->irq = d->has_irq ? d->irq.intid : 0;
    out->irq_id = d->has_irq ? irq_id(s, map->process, d->irq.intid) : UINT32_MAX;
}

void config_fill(const struct system *s, uint32_t process, struct process_config *out)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    const struct process *p = &s->processes[process];
    memset(out, 0, sizeof(*out));
    out->magic = PROCESS_CONFIG_MAGIC;
    out->version = 1;
    out->cores = s->boot->cores;
    copy_text(out->name, sizeof(out->name), record->name);
    out->ticks_per_second = s->boot->ticks_per_second;
    out->irqs = p->irqs;
    out->notifications = p->notifications;
    out->calls = p->calls;
    out->children = p->children;
    out->passive = (record->flags & BUNDLE_PASSIVE) != 0;
    out->serves = p->serves;
    for (uint32_t i = 0; i < s->bundle.header->maps.count; i++) {
        const struct bundle_map *map = bundle_map(&s->bundle, i);
        if (map->process == process && bundle_region(&s->bundle, map->region)->device != 0) {
            fill_device(s, map, &out->devices[out->device_count++]);
        }
    }
}

static struct vm_image image(const struct system *s, uint32_t region, uint64_t vaddr)
{
    if (region == BUNDLE_NONE) {
        return (struct vm_image){0, 0};
    }
    return (struct vm_image){vaddr, bundle_region(&s->bundle, region)->prefill.size};
}

void vm_config_fill(const struct system *s, uint32_t vm, struct vm_config *out)
{
    const struct bundle_vm *record = bundle_vm(&s->bundle, vm);
    memset(out, 0, sizeof(*out));
    out->magic = VM_CONFIG_MAGIC;
    out->version = 1;
    out->flags = record->flags;
    copy_text(out->name, sizeof(out->name), record->name);
    out->vcpus = record->vcpu_count;
    out->gic_version = s->boot->gic_version;
    if (record->ram != BUNDLE_NONE) {
        out->ram_ipa = record->ram_ipa;
        out->ram_size = s->regions[record->ram].where.size;
        out->ram_vaddr = record->ram_vaddr;
    }
    out->kernel = image(s, record->kernel, record->kernel_vaddr);
    out->initrd = image(s, record->initrd, record->initrd_vaddr);
    out->dtb = image(s, record->dtb, record->dtb_vaddr);
    out->on_reset = record->on_reset;
    out->on_poweroff = record->on_poweroff;
    out->on_crash = record->on_crash;
    out->console = record->console;
    out->starts = s->vms[vm].starts;
    copy_text(out->cmdline, sizeof(out->cmdline), bundle_string(&s->bundle, record->cmdline));
}
