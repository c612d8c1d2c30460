// List registers of GICv2: Arm IHI 0048B chapter 5. See vgic.h, whose values are version 3's.
#include <spec/gich.h>
#include <spec/gicv2.h>

#include "arch.h"
#include "machine.h"
#include "mmio.h"
#include "percpu.h"
#include "vgic_lists.h"

static volatile void *hypervisor(void)
{
    return machine.gic.hypervisor;
}

static unsigned count(void)
{
    unsigned lists = (mmio_read32(hypervisor(), GICH_VTR) & (unsigned)GICH_VTR_LIST_REGISTERS) + 1;
    return lists < VGIC_LISTS_MAX ? lists : VGIC_LISTS_MAX;
}

static uint64_t read(unsigned n)
{
    uint64_t lr = mmio_read32(hypervisor(), GICH_LR + n * 4ul);
    uint64_t value = (lr & GICH_LR_VINTID) | (lr >> GICH_LR_PRIORITY_SHIFT & 0x1f) << 51 |
                     (lr >> GICH_LR_PINTID_SHIFT & 0x3ff) << ICH_LR_PINTID_SHIFT;
    // Pending, active, group and hardware stand side by side in both.
    value |= (lr & GICH_LR_PENDING) != 0 ? ICH_LR_PENDING : 0;
    value |= (lr & GICH_LR_ACTIVE) != 0 ? ICH_LR_ACTIVE : 0;
    value |= (lr & GICH_LR_GROUP1) != 0 ? ICH_LR_GROUP1 : 0;
    value |= (lr & GICH_LR_HW) != 0 ? ICH_LR_HW : 0;
    return value;
}

// QEMU (7.2 at least) does not look at a line that is high again at the moment when a guest's end of interrupt deactivates
// a linked one: not before something else happens to this core's interrupts. So something does, a while after one was put
// into a list register, and again while there is any. A guest whose timer is late gets one tick after the other this way: they
// must come soon, or it would never catch up.
#define GUARDS_PER_SECOND      250u
#define LATE_GUARDS_PER_SECOND 50000u

static void guard_again(struct arch_percpu *cpu, uint64_t per_second)
{
    cpu->guard = sysreg_read(cntpct_el0) + sysreg_read(cntfrq_el0) / per_second;
    if (cpu->guard < sysreg_read(cnthp_cval_el2)) {
        sysreg_write(cnthp_cval_el2, cpu->guard);
    }
}

static ALWAYS_INLINE void write(unsigned n, uint64_t value)
{
    if ((value & ICH_LR_HW) != 0 && this_cpu()->arch.guard == UINT64_MAX) {
        guard_again(&this_cpu()->arch, GUARDS_PER_SECOND);
    }
    uint64_t lr = (value & GICH_LR_VINTID) | (value >> 51 & 0x1f) << GICH_LR_PRIORITY_SHIFT |
                  (value >> ICH_LR_PINTID_SHIFT & 0x3ff) << GICH_LR_PINTID_SHIFT;
    lr |= (value & ICH_LR_PENDING) != 0 ? GICH_LR_PENDING : 0;
    lr |= (value & ICH_LR_ACTIVE) != 0 ? GICH_LR_ACTIVE : 0;
    lr |= (value & ICH_LR_GROUP1) != 0 ? GICH_LR_GROUP1 : 0;
    lr |= (value & ICH_LR_HW) != 0 ? GICH_LR_HW : 0;
    mmio_write32(hypervisor(), GICH_LR + n * 4ul, (uint32_t)lr);
}

static uint64_t empty(void)
{
    return mmio_read32(hypervisor(), GICH_ELRSR0);
}

void vgic_guard(void)
{
    struct arch_percpu *cpu = &this_cpu()->arch;
    if (cpu->guard == UINT64_MAX) {
        return;
    }
    cpu->guard = UINT64_MAX;
    if (cpu->in_guest && vgic_timer_asserts()) {
        guard_again(cpu, LATE_GUARDS_PER_SECOND);
    } else if (cpu->resident != NULL && (~empty() & machine.gic.all_lists) != 0) {
        guard_again(cpu, GUARDS_PER_SECOND);
    }
}

static uint64_t ended(void)
{
    return mmio_read32(hypervisor(), GICH_EISR0);
}

static void control(uint64_t value)
{
    mmio_write32(hypervisor(), GICH_HCR, (uint32_t)value);
}

static uint64_t ended_elsewhere(void)
{
    return (mmio_read32(hypervisor(), GICH_HCR) & ICH_HCR_EOICOUNT) >> ICH_HCR_EOICOUNT_SHIFT;
}

static uint64_t vmcr(void)
{
    return mmio_read32(hypervisor(), GICH_VMCR);
}

// Limit: version 2 can't trap it. What it counts in that mode need not be what the guest has deactivated.
static uint64_t trap_end(uint64_t value)
{
    (void)value;
    return 0;
}

static bool passes(uint64_t value, uint64_t lr)
{
    uint64_t enable = (lr & ICH_LR_GROUP1) != 0 ? ICH_VMCR_ENABLE1 : ICH_VMCR_ENABLE0;
    return (value & enable) != 0 && (lr >> 51 & 0x1f) < (value >> GICH_VMCR_PMR_SHIFT & 0x1f);
}

static void save(struct vgic_state *s)
{
    s->vmcr = vmcr();
    s->apr[0] = mmio_read32(hypervisor(), GICH_APR);
}

static void load(const struct vgic_state *s)
{
    mmio_write32(hypervisor(), GICH_VMCR, (uint32_t)s->vmcr);
    mmio_write32(hypervisor(), GICH_APR, s->apr[0]);
}

static bool put_quickly(struct vgic_state *s, unsigned source, uint64_t lr)
{
    return vgic_put_into_one_of(empty() & machine.gic.all_lists, s, source, lr, write);
}

const struct vgic_ops vgicv2_ops = {
    .count = count,
    .read = read,
    .write = write,
    .empty = empty,
    .ended = ended,
    .control = control,
    .ended_elsewhere = ended_elsewhere,
    .vmcr = vmcr,
    .trap_end = trap_end,
    .passes = passes,
    .save = save,
    .load = load,
    .put_quickly = put_quickly,
};
