// Stage 2 on this machine: geometry, and keeping TLBs true to the tables. Arm ARM (DDI 0487) D8.2, D8.14.
//
// Tables of processes are Normal write-back Inner Shareable for walks and mapped memory alike: with HCR_EL2.DC the
// stage 1 of a process is Normal Non-shareable, and stage 2 makes it shareable.
#include "stage2.h"

#include <base/bits.h>
#include <spec/sysreg.h>

#include "mmu.h"
#include "panic.h"
#include "percpu.h"

struct stage2 {
    uint64_t vtcr;
    uint64_t
        nowhere; // VTTBR_EL2: an empty table and VMID 0, so that no walk can use memory of a dead space
    unsigned bits;
    unsigned start_level;
    unsigned root_pages;
    unsigned vmids;
};

static struct stage2 stage2; // written by stage2_init only

static const uint8_t range_bits[] = {32, 36, 40, 42, 44, 48}; // by ID_AA64MMFR0_EL1.PARange

static uint64_t parange(void)
{
    uint64_t range = field_get(sysreg_read(id_aa64mmfr0_el1), 3, 0);
    return range < ARRAY_SIZE(range_bits) ? range : ARRAY_SIZE(range_bits) - 1;
}

static bool has_vmid16(void)
{
    return field_get(sysreg_read(id_aa64mmfr1_el1), 7, 4) == 2;
}

// Up to 42 bits the first level is 1, of up to 8 tables side by side; level 0 exists from 44 bits on only.
void stage2_init(void)
{
    struct stage2 *s = &stage2;
    s->bits = range_bits[parange()];
    s->start_level = s->bits <= 42 ? 1 : 0;
    s->root_pages = s->start_level == 1 && s->bits > 39 ? 1u << (s->bits - 39) : 1;
    s->vmids = has_vmid16() ? 65536 : 256;
    s->vtcr = VTCR_RES1 | TCR_T0SZ(s->bits) | TCR_WALK_WB_INNER | parange() << VTCR_PS_SHIFT |
              (s->start_level == 1 ? VTCR_SL0_LEVEL1 : VTCR_SL0_LEVEL0) |
              (has_vmid16() ? VTCR_VS : 0);
    s->nowhere = mmu_pages(s->root_pages).a;
}

void stage2_init_core(void)
{
    if (range_bits[parange()] < stage2.bits || (stage2.vmids > 256 && !has_vmid16())) {
        panic("core %u addresses less memory than the first: cores must be alike", this_cpu()->id);
    }
    sysreg_write(vtcr_el2, stage2.vtcr);
    this_cpu()->arch.nowhere = stage2.nowhere;
    stage2_enter(&this_cpu()->arch, stage2.nowhere);
    isb();
    __asm__ volatile("tlbi alle1\n\tdsb nsh\n\tisb" : : : "memory");
}

unsigned arch_stage2_bits(void)
{
    return stage2.bits;
}

unsigned arch_stage2_start_level(void)
{
    return stage2.start_level;
}

unsigned arch_stage2_root_pages(void)
{
    return stage2.root_pages;
}

unsigned arch_vmid_count(void)
{
    return stage2.vmids;
}

void arch_space_init(struct arch_space *s, paddr_t root, uint16_t vmid)
{
    *s = (struct arch_space){0};
    s->vttbr = root.a | (uint64_t)vmid << VTTBR_VMID_SHIFT;
}

// ---- Descriptors and TLBs -----------------------------------------------------------------------------------------

void arch_pte_write(uint64_t *entry, uint64_t value)
{
    *(volatile uint64_t *)entry = value; // one access: a walk sees the old or the new
}

// No ISB: eret to the thread or guest that uses the entries is one.
void arch_pte_sync(void)
{
    dsb_ishst();
}

// TLB maintenance of stage 2 acts on the VMID in VTTBR_EL2. The table that goes with it meanwhile is the empty one:
// a speculative walk finds nothing to keep.
static void become(uint16_t vmid)
{
    dsb_ishst(); // descriptors written before are what walks find from now on
    sysreg_write(vttbr_el2, stage2.nowhere | (uint64_t)vmid << VTTBR_VMID_SHIFT);
    isb();
}

static void become_self(void)
{
    sysreg_write(vttbr_el2, this_cpu()->arch.vttbr);
    isb();
}

void arch_tlb_invalidate_page(uint16_t vmid, ipa_t at)
{
    become(vmid);
    // First what stage 2 alone put there; only when that is gone everywhere, the combined entries made from it.
    __asm__ volatile("tlbi ipas2e1is, %0\n\t"
                     "dsb ish\n\t"
                     "tlbi vmalle1is\n\t"
                     "dsb ish\n\t"
                     "isb"
                     :
                     : "r"(at.a >> VMSA_PAGE_BITS)
                     : "memory");
    become_self();
}

void arch_tlb_invalidate_space(uint16_t vmid)
{
    become(vmid);
    __asm__ volatile("tlbi vmalls12e1is\n\tdsb ish\n\tisb" : : : "memory");
    become_self();
}
