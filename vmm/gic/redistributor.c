// The redistributors of version 3, two frames for each vcpu: IHI 0069 12.10, 12.11. The second frame has the families
// of registers.c for the vcpu's private interrupts. No LPIs: GICR_CTLR is zero.
#include "identification.h"
#include "model.h"

static uint64_t read_typer(const struct vm *vm, unsigned vcpu)
{
    bool last = vcpu + 1 == vm->vcpus;
    return (uint64_t)vcpu << GICR_TYPER_AFFINITY_SHIFT | (uint64_t)vcpu << GICR_TYPER_NUMBER_SHIFT |
           (last ? GICR_TYPER_LAST : 0);
}

static uint64_t read_word(const struct vm *vm, unsigned vcpu, uint64_t offset)
{
    switch (offset) {
    case GICR_IIDR:
        return VGIC_IIDR;
    case GICR_TYPER:
        return (uint32_t)read_typer(vm, vcpu);
    case GICR_TYPER + 4:
        return read_typer(vm, vcpu) >> 32;
    case GICR_WAKER:
        return atomic_load(&vm->gic.waker[vcpu]);
    default:
        return vgic_identification(offset, GICD_PIDR4, 3);
    }
}

// The core's interface falls asleep and wakes up at once.
static void write_waker(struct vm *vm, unsigned vcpu, uint64_t value)
{
    bool sleep = (value & GICR_WAKER_SLEEP) != 0;
    atomic_store(&vm->gic.waker[vcpu],
                 sleep ? (uint32_t)(GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP) : 0);
}

static void access_control(struct vm *vm, unsigned vcpu, struct bus_access *a)
{
    if (!is_aligned(a->offset, a->size)) {
        return;
    }
    if (!a->write && a->size == 8 && a->offset == GICR_TYPER) {
        a->value = read_typer(vm, vcpu);
    } else if (!a->write && a->size == 4) {
        a->value = read_word(vm, vcpu, a->offset);
    } else if (a->write && a->size == 4 && a->offset == GICR_WAKER) {
        write_waker(vm, vcpu, a->value);
    }
}

enum handled vgic_redistributor_access(void *device, struct bus_access *a)
{
    struct vm *vm = device;
    struct bus_access inner = *a;
    unsigned vcpu = (unsigned)(a->offset / GICR_FRAMES_SIZE);
    inner.offset = a->offset % GICR_FRAMES_SIZE;
    if (!inner.write) {
        inner.value = 0;
    }
    if (inner.offset < GICR_SGI_FRAME) {
        access_control(vm, vcpu, &inner);
    } else {
        inner.offset -= GICR_SGI_FRAME;
        // What is none of them reads as zero.
        (void)vgic_families(&inner, vcpu, 0, VGIC_PRIVATE);
    }
    a->value = inner.value;
    return HANDLED;
}
