// Any bytes as a bundle: what bundle_open accepts is followed everywhere, as init does without further checks.
// sources: abi/bundle_check.c
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <abi/bundle_check.h>
#include <abi/syscall.h>
#include <abi/vm.h>
#include <base/bits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned seen; // keeps reads from being optimised away

static void read_blob(const struct bundle *b, struct bundle_blob blob)
{
    const uint8_t *bytes = bundle_at(b, blob.offset);
    for (uint64_t i = 0; i < blob.size; i++) {
        seen += bytes[i];
    }
}

static void follow_processes(const struct bundle *b)
{
    for (uint32_t i = 0; i < b->header->processes.count; i++) {
        const struct bundle_process *p = bundle_process(b, i);
        seen += (unsigned)strlen(p->name);
        if (p->parent != BUNDLE_NONE) {
            assert(p->parent < i);
        }
        for (uint32_t s = 0; s < p->segment_count; s++) {
            const struct bundle_segment *segment = bundle_segment(b, p->segment_first + s);
            assert(segment->vaddr + segment->memory_size <= bundle_process_top(p));
            read_blob(b, segment->file);
        }
    }
}

static void follow_regions(const struct bundle *b)
{
    for (uint32_t i = 0; i < b->header->regions.count; i++) {
        const struct bundle_region *r = bundle_region(b, i);
        seen += (unsigned)strlen(bundle_string(b, r->name));
        seen += (unsigned)strlen(bundle_string(b, r->device));
        read_blob(b, r->prefill);
    }
    for (uint32_t i = 0; i < b->header->maps.count; i++) {
        const struct bundle_map *m = bundle_map(b, i);
        const struct bundle_region *r = bundle_region(b, m->region);
        assert(m->vaddr + r->size <= bundle_process_top(bundle_process(b, m->process)));
    }
}

static void follow_links(const struct bundle *b)
{
    for (uint32_t i = 0; i < b->header->channels.count; i++) {
        const struct bundle_channel *c = bundle_channel(b, i);
        seen +=
            bundle_process(b, c->end[0].process)->core + bundle_process(b, c->end[1].process)->core;
        assert(c->end[0].id < CHANNEL_MAX && c->end[1].id < CHANNEL_MAX);
    }
    for (uint32_t i = 0; i < b->header->irqs.count; i++) {
        const struct bundle_irq *irq = bundle_irq(b, i);
        seen += bundle_process(b, irq->process)->core;
        seen += irq->device == BUNDLE_NONE ? 0 : bundle_region(b, irq->device)->line;
    }
    for (uint32_t i = 0; i < b->header->patches.count; i++) {
        const struct bundle_patch *p = bundle_patch(b, i);
        seen += bundle_process(b, p->process)->core + bundle_region(b, p->region)->line;
    }
    for (uint32_t i = 0; i < b->header->shares.count; i++) {
        const struct bundle_share *s = bundle_share(b, i);
        seen += bundle_process(b, s->process)->core + bundle_process(b, s->of)->core;
        assert(s->slot < USER_SLOT_MAX);
    }
}

static void follow_image(const struct bundle *b, const struct bundle_vm *vm, uint32_t region)
{
    assert(region == BUNDLE_NONE || vm->ram != BUNDLE_NONE);
    if (region != BUNDLE_NONE) {
        assert(bundle_region(b, region)->flags == BUNDLE_REGION_IN_PLACE);
    }
}

static void follow_vms(const struct bundle *b)
{
    for (uint32_t i = 0; i < b->header->vms.count; i++) {
        const struct bundle_vm *vm = bundle_vm(b, i);
        seen += (unsigned)strlen(vm->name) + bundle_process(b, vm->process)->core;
        assert(strlen(bundle_string(b, vm->cmdline)) < VM_CMDLINE_MAX);
        assert(vm->vcpu_count > 0 && vm->vcpu_count <= VCPU_MAX);
        for (uint32_t v = 0; v < vm->vcpu_count; v++) {
            const struct bundle_vcpu *vcpu = bundle_vcpu(b, vm->vcpu_first + v);
            assert(vcpu->vm == i && vcpu->id == v && vcpu->core < b->header->cores);
        }
        follow_image(b, vm, vm->kernel);
        follow_image(b, vm, vm->initrd);
        follow_image(b, vm, vm->dtb);
    }
    for (uint32_t i = 0; i < b->header->guest_maps.count; i++) {
        const struct bundle_guest_map *m = bundle_guest_map(b, i);
        seen += bundle_vm(b, m->vm)->process;
        assert(m->ipa + bundle_region(b, m->region)->size <= BUNDLE_GUEST_TOP);
        assert((bundle_region(b, m->region)->flags & BUNDLE_REGION_IN_PLACE) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bundle b;
    uint8_t *copy = malloc(size); // aligned, with edges that the sanitizer sees
    if (size == 0 || copy == NULL) {
        free(copy);
        return 0;
    }
    memcpy(copy, data, size);
    const char *wrong = bundle_open(copy, size, &b);
    if (wrong == NULL) {
        read_blob(&b, b.header->init);
        follow_processes(&b);
        follow_regions(&b);
        follow_links(&b);
        follow_vms(&b);
    }
    free(copy);
    return 0;
}
