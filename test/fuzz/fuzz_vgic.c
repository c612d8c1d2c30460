// The virtual interrupt controller with a guest that writes anything anywhere in its registers, devices that raise any
// line and a CPU interface in use. The input's first byte is the machine; then come steps, a byte each with its operands
// behind it. What must hold: no access outside the model (the sanitizers see it), and no interrupt in two places.
// sources: vmm/gic/vgic.c vmm/gic/slots.c vmm/gic/hold.c vmm/gic/sgi.c vmm/gic/registers.c
// sources: vmm/gic/distributor.c vmm/gic/redistributor.c
// flags: -Itest/unit
#include <stdlib.h>

#include <vgic_world.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t take(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

static uint64_t take_bytes(struct input *in, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value = value << 8 | take(in);
    }
    return value;
}

static unsigned take_vcpu(struct input *in)
{
    return take(in) % world.vm.vcpus;
}

static void access_register(struct input *in, bool write)
{
    unsigned v = take_vcpu(in);
    unsigned size = 1u << take(in) % 4;
    uint64_t where = take_bytes(in, 3);
    uint64_t ipa = where < VGIC_DISTRIBUTOR_SIZE
                       ? VGIC_DISTRIBUTOR + where
                       : VGIC_REDISTRIBUTOR + (where - VGIC_DISTRIBUTOR_SIZE);
    access_bus(v, ipa, size, write, write ? take_bytes(in, size) : 0);
}

static void use_cpu_interface(struct input *in)
{
    unsigned v = take_vcpu(in);
    uint32_t intid = guest_ack(v);
    if (intid != NO_INTID && take(in) % 2 == 0) {
        guest_eoi(v, intid);
    }
}

static void move_line(struct input *in)
{
    unsigned v = take_vcpu(in);
    bool high = take(in) % 2 == 0;
    uint32_t intid = (uint32_t)take_bytes(in, 2) % 512;
    if (intid < 32) {
        vgic_set_private_line(&world.vm.vcpu[v], intid, high);
    } else {
        vgic_set_line(&world.vm, intid, high);
    }
}

static void send(struct input *in)
{
    struct vcpu *v = &world.vm.vcpu[take_vcpu(in)];
    unsigned op2 = 5 + take(in) % 3;
    vgic_write_sgi_register(v, op2, take_bytes(in, 8));
}

static void switch_power(struct input *in)
{
    unsigned v = take_vcpu(in);
    world.port.in_guest[v] = false;
    atomic_store(&world.vm.vcpu[v].power, take(in) % 2 == 0 ? VCPU_OFF : VCPU_ON);
}

static void check_places(void)
{
    unsigned owned = 0, placed = 0;
    for (unsigned v = 0; v < VCPU_MAX; v++) {
        for (unsigned slot = 0; slot < VGIC_SLOTS; slot++) {
            uint16_t owner = world.vm.gic.slot_owner[v][slot];
            const struct vgic_irq *irq = &world.vm.gic.spi[owner == 0 ? 0 : owner - 1];
            if (owner != 0 && (irq->slot != slot + 1 || irq->home != v)) {
                abort();
            }
            owned += owner != 0;
        }
    }
    for (unsigned spi = 0; spi < VGIC_SPIS; spi++) {
        const struct vgic_irq *irq = &world.vm.gic.spi[spi];
        if (irq->slot != 0 && irq->latched) {
            abort();
        }
        placed += irq->slot != 0;
    }
    if (owned != placed) {
        abort();
    }
}

static void step(struct input *in)
{
    switch (take(in) % 9) {
    case 0:
    case 1:
        access_register(in, true);
        break;
    case 2:
        access_register(in, false);
        break;
    case 3:
        use_cpu_interface(in);
        break;
    case 4:
        move_line(in);
        break;
    case 5:
        send(in);
        break;
    case 6:
        switch_power(in);
        break;
    case 7:
        vcpu_turn_around(take_vcpu(in));
        break;
    case 8:
        vgic_reset(&world.vm);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    uint8_t machine = take(&in);
    world_init(2 + machine % 2, 1 + machine / 2 % VCPU_MAX);
    while (in.left > 0) {
        step(&in);
    }
    check_places();
    return 0;
}
