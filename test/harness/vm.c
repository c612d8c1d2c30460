// Virtual machines for kernel tests: see vm.h.
#include "vm.h"

#include <lib/syscall.h>
#include <lib/vcpu.h>

#include "report.h"

#define RW     (MAP_READ | MAP_WRITE)
#define EL1H   0x3c5u // with everything masked
#define TABLES 8u

extern const char guest_code[]; // guest.S
extern const char guest_code_end[];

// ---- Making -------------------------------------------------------------------------------------------------

static void make_vcpu(struct guest *g)
{
    g->page = map_new(PAGE_SIZE, &g->page_frames);
    g->vcpu = make(OBJ_VCPU, 0);
    MUST(sys_vcpu_bind(g->vcpu, VCPU_SPACE, g->space));
    MUST(sys_vcpu_bind(g->vcpu, VCPU_PAGE, g->page_frames));
}

struct guest guest_new(void)
{
    struct guest g;
    g.ram = map_new(GUEST_BYTES, &g.ram_frames);
    memcpy(g.ram, guest_code, (size_t)(guest_code_end - guest_code));
    g.space = make(OBJ_SPACE, TABLES | SPACE_GUEST);
    MUST(sys_map(copy_all(g.ram_frames), g.space, GUEST_RAM, RW | MAP_EXECUTE));
    if (boot_info()->gic_version == 2) {
        handle_t gicv = handle_new();
        MUST(sys_device_frames(BOOT_DEVICE_MEMORY, memory(), boot_info()->gicv_base, 2, BOOT_CSPACE,
                               gicv));
        MUST(sys_map(gicv, g.space, GUEST_GICC, RW));
    }
    make_vcpu(&g);
    return g;
}

struct guest guest_beside(const struct guest *first)
{
    struct guest g = *first;
    make_vcpu(&g);
    return g;
}

void guest_begin(const struct guest *g, enum guest_choice choice)
{
    g->page->regs = (struct vcpu_regs){.pc = GUEST_RAM, .pstate = EL1H};
    g->page->regs.x[0] = choice;
    g->page->regs.x[25] = boot_info()->gic_version == 2 ? GUEST_GICC : 0;
}

void guest_enable(const struct guest *g, unsigned intid)
{
    atomic_store(&g->page->source[intid],
                 VCPU_SOURCE(intid, 0xa0, boot_info()->gic_version == 2 ? 0 : VCPU_SOURCE_GROUP1));
    atomic_fetch_or(&g->page->enabled, BIT(intid));
}

bool guest_called(const struct vcpu_page *page, unsigned immediate)
{
    return (page->syndrome & 0xfc00ffff) == (0x58000000 | immediate);
}

// ---- A VMM, in a child --------------------------------------------------------------------------------------

void vmm_run(void *argument)
{
    struct vmm *m = argument;
    uint64_t bits = 0;
    uint64_t begin = sys_clock();
    for (;;) {
        int64_t result = vcpu_run(m->deadline, 0, &bits);
        m->exits++;
        m->result = (uint64_t)result;
        m->bits |= bits;
        if (result != VCPU_TRAP || guest_called(m->page, GUEST_DONE) ||
            guest_called(m->page, GUEST_BAD)) {
            break;
        }
        if (m->page->syndrome >> 26 == 0x24) { // a data abort
            m->page->regs.x[0] = 7;
            m->page->regs.pc += 4;
        }
        if (m->exits >= m->stop_at) {
            break;
        }
        for (uint64_t end = sys_clock() + m->spin; m->spin != 0 && sys_clock() < end;) {
        }
    }
    m->ticks = sys_clock() - begin;
}

struct child vmm_child(const struct guest *g, child_fn *run, void *argument, handle_t shared,
                       const struct child_options *options)
{
    struct child c = child_new(run, argument, options);
    child_map(&c, shared, argument, RW);
    child_map(&c, g->page_frames, g->page, RW);
    MUST(sys_thread_bind(c.thread, THREAD_VCPU, g->vcpu));
    return c;
}

struct child vmm_new_with(const struct guest *g, struct vmm **m,
                          const struct child_options *options)
{
    handle_t frames;
    *m = map_new(sizeof(struct vmm), &frames);
    **m = (struct vmm){.page = g->page, .stop_at = UINT64_MAX, .deadline = DEADLINE_NEVER};
    return vmm_child(g, vmm_run, *m, frames, options);
}

struct child vmm_new(const struct guest *g, struct vmm **m, uint64_t core, uint64_t priority)
{
    return vmm_new_with(
        g, m, &(struct child_options){.core = core % boot_info()->cores, .priority = priority});
}
