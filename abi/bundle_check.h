// Reads a bundle (abi/bundle.h): bundle_open checks all of it once, afterwards every index, offset and string in it
// may be followed without a check. Used by init, by the tool on its own output, and by the fuzzers.
#pragma once

#include <stdint.h>

#include <abi/bundle.h>

struct bundle {
    const struct bundle_header *header; // what has been checked; everything else is found from it
};

// Null: `out` is usable as long as the bytes are. Otherwise what is wrong, and `out` is not.
const char *bundle_open(const void *bytes, uint64_t size, struct bundle *out);

static inline const void *bundle_at(const struct bundle *b, uint64_t offset)
{
    return (const unsigned char *)b->header + offset;
}

static inline const struct bundle_process *bundle_process(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_process *)bundle_at(b, b->header->processes.offset) + i;
}

static inline const struct bundle_segment *bundle_segment(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_segment *)bundle_at(b, b->header->segments.offset) + i;
}

static inline const struct bundle_region *bundle_region(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_region *)bundle_at(b, b->header->regions.offset) + i;
}

static inline const struct bundle_map *bundle_map(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_map *)bundle_at(b, b->header->maps.offset) + i;
}

static inline const struct bundle_channel *bundle_channel(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_channel *)bundle_at(b, b->header->channels.offset) + i;
}

static inline const struct bundle_irq *bundle_irq(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_irq *)bundle_at(b, b->header->irqs.offset) + i;
}

static inline const struct bundle_patch *bundle_patch(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_patch *)bundle_at(b, b->header->patches.offset) + i;
}

static inline const struct bundle_share *bundle_share(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_share *)bundle_at(b, b->header->shares.offset) + i;
}

static inline const struct bundle_vm *bundle_vm(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_vm *)bundle_at(b, b->header->vms.offset) + i;
}

static inline const struct bundle_vcpu *bundle_vcpu(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_vcpu *)bundle_at(b, b->header->vcpus.offset) + i;
}

static inline const struct bundle_guest_map *bundle_guest_map(const struct bundle *b, uint32_t i)
{
    return (const struct bundle_guest_map *)bundle_at(b, b->header->guest_maps.offset) + i;
}

static inline const char *bundle_string(const struct bundle *b, uint32_t offset)
{
    return (const char *)bundle_at(b, b->header->strings.offset) + offset;
}

// The end of what a process may map: a page stays free below its stack.
static inline uint64_t bundle_process_top(const struct bundle_process *p)
{
    return PROCESS_STACK_TOP - p->stack_size - 0x1000u;
}
