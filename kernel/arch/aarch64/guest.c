// See guest.h. The ways from a guest to its VMM and back are measured: guest_trap's and guest_run's first lines are all
// that most exits need.
#include "guest.h"

#include <base/bits.h>
#include <base/peek.h>
#include <spec/esr.h>
#include <spec/sysreg.h>

#include "context.h"
#include "core_has.h"
#include "cspace.h"
#include "el2.h"
#include "machine.h"
#include "notification.h"
#include "percpu.h"
#include "sched.h"
#include "space.h"
#include "stage2.h"
#include "thread.h"
#include "vcpu.h"
#include "vgic.h"

extern char vectors[];       // entry.S
extern char guest_vectors[]; // guest_entry.S

// What this machine's guests get, found out once per core but the same on all.
static struct {
    uint64_t hcr;
    uint32_t modes; // of pstate that a guest may be in: a bit each
} rules;

void guest_init_core(void)
{
    if (machine.gic.vgic == NULL) {
        return;
    }
    if (this_cpu()->id == 0) {
        bool aarch32 = field_get(sysreg_read(id_aa64pfr0_el1), 3, 0) == 2;
        rules.hcr = HCR_GUEST | (has_lor() ? HCR_TLOR : 0) | (has_ras() ? HCR_TERR : 0);
        rules.modes = BIT(PSTATE_EL0T) | BIT(PSTATE_EL1T) | BIT(PSTATE_EL1H) |
                      (aarch32 ? BIT(PSTATE_USR) : 0);
        unsigned lists = machine.gic.vgic->count();
        machine.gic.lists = lists < VGIC_LISTS_MAX ? lists : VGIC_LISTS_MAX;
        machine.gic.all_lists = BIT(machine.gic.lists) - 1;
    }
    vgic_init_core();
}

// ---- Coming to a core, leaving it ---------------------------------------------------------------------------------

// When the guest's virtual timer will fire, in ticks of arch_now.
static uint64_t timer_deadline(const struct vcpu *v)
{
    uint64_t ctl = v->arch.reg[VCPU_REG_CNTV_CTL_EL0];
    if ((ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) != CNT_CTL_ENABLE) {
        return DEADLINE_NEVER;
    }
    return v->arch.reg[VCPU_REG_CNTV_CVAL_EL0] + v->arch.reg[VCPU_REG_CNTVOFF_EL2];
}

void arch_vcpu_evict(struct vcpu *v)
{
    struct percpu *cpu = this_cpu();
    if (cpu->arch.in_guest) {
        guest_retire(cpu);
        stage2_enter(&cpu->arch,
                     cpu->current != NULL ? cpu->current->space->arch.vttbr : cpu->arch.nowhere);
    }
    arch_fp_evict(&v->arch.fp);
    state_save(v);
    vgic_unload(v);
    if (timer_deadline(v) <= arch_now()) { // off by now, which is what vgic_unload has seen
        atomic_fetch_or(&v->page->asserted, SOURCE_TIMER);
    }
    cpu->arch.resident = NULL;
    atomic_store(&v->resident, VCPU_NOWHERE);
    // Disabled, it would end no WFI; whoever enables it kicks.
    if ((atomic_load(&v->page->enabled) & ~atomic_load(&v->page->active) & SOURCE_TIMER) != 0) {
        vcpu_wake_at(v, timer_deadline(v));
    }
}

// Vcpus of one VM share a VMID: what one has in the TLB must not serve another.
static void forget_translations(struct vcpu *v)
{
    const struct vcpu **last = &v->space->arch.last[this_cpu()->id];
    if (*last == v) {
        return;
    }
    *last = v;
    stage2_enter(&this_cpu()->arch, v->space->arch.vttbr);
    isb();
    __asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
}

static NOINLINE void load(struct percpu *cpu, struct vcpu *v)
{
    if (cpu->arch.resident != NULL) {
        arch_vcpu_evict(cpu->arch.resident);
    }
    state_load(v);
    forget_translations(v);
    vgic_load(v);
    cpu->arch.resident = v;
    atomic_store(&v->resident, cpu->id + 1);
}

void arch_space_forget(struct arch_space *s, const struct vcpu *v)
{
    for (unsigned core = 0; core < CORES_MAX; core++) {
        if (s->last[core] == v) {
            s->last[core] = NULL;
        }
    }
}

// ---- What acts on EL0 ---------------------------------------------------------------------------------------------

static ALWAYS_INLINE void guest_retire_inline(struct percpu *cpu)
{
    uint64_t *reg = cpu->arch.resident->arch.reg;
    uint64_t sctlr = sysreg_read(sctlr_el1);
    uint64_t cpacr = sysreg_read(cpacr_el1);
    uint64_t cntkctl = sysreg_read(cntkctl_el1);
    reg[VCPU_REG_SCTLR_EL1] = sctlr;
    reg[VCPU_REG_CPACR_EL1] = cpacr;
    reg[VCPU_REG_CNTKCTL_EL1] = cntkctl;
    sysreg_write(sctlr_el1, SCTLR_PROCESS);
    sysreg_write(cpacr_el1, CPACR_PROCESS);
    sysreg_write(cntkctl_el1, 0);
    sysreg_write(mdscr_el1, 0); // the guest's writes of it are trapped: it has not changed
    sysreg_write(hcr_el2, HCR_PROCESS);
    sysreg_write(vbar_el2, vectors);
    cpu->arch.in_guest = false;
}

void guest_retire(struct percpu *cpu)
{
    guest_retire_inline(cpu);
}

// Could somebody else use the core while the guest waits for an interrupt?
static inline uint64_t hcr_of_now(const struct percpu *cpu, const struct thread *self)
{
    uint64_t hcr = rules.hcr;
    if (UNLIKELY(cpu->top != PRIORITY_NONE) || UNLIKELY(self->own.budget != self->own.period)) {
        hcr |= HCR_TWI;
    }
    return hcr;
}

static inline void activate(struct percpu *cpu, const struct thread *self, const struct vcpu *v)
{
    const uint64_t *reg = v->arch.reg;
    stage2_change(&cpu->arch, v->space->arch.vttbr);
    sysreg_write(hcr_el2, hcr_of_now(cpu, self));
    sysreg_write(vbar_el2, guest_vectors);
    uint64_t sctlr = reg[VCPU_REG_SCTLR_EL1];
    uint64_t cpacr = reg[VCPU_REG_CPACR_EL1];
    uint64_t cntkctl = reg[VCPU_REG_CNTKCTL_EL1];
    uint64_t mdscr = reg[VCPU_REG_MDSCR_EL1];
    sysreg_write(sctlr_el1, sctlr);
    sysreg_write(cpacr_el1, cpacr);
    sysreg_write(cntkctl_el1, cntkctl);
    sysreg_write(mdscr_el1, mdscr);
    context_fp_trap(cpu, cpu->fp_owner == &v->arch.fp);
    cpu->arch.in_guest = true;
    cpu->arch.lazy = true;
}

// ---- Entering -----------------------------------------------------------------------------------------------------

// Out of guest mode, to the VMM.
static NOINLINE struct vcpu_page *leave(struct percpu *cpu, struct thread *self, int64_t result,
                                        uint64_t bits)
{
    arch_leave_guest_mode(&self->regs, result, bits);
    atomic_store_explicit(&self->wait, WAIT_NONE, memory_order_relaxed);
    if (cpu->arch.in_guest) {
        guest_retire(cpu);
    }
    arch_thread_switch(NULL, self);
    return NULL;
}

// The guest's deadline is not in the core's queue: a timer that is early does no harm.
static bool deadline_passed(uint64_t deadline)
{
    if (arch_now() >= deadline) {
        return true;
    }
    if (deadline < sysreg_read(cnthp_cval_el2)) {
        arch_timer_set(&this_cpu()->arch, deadline);
    }
    return false;
}

// The guest waits for an interrupt, unless there is one already. Somebody else may run next.
static void await_interrupt(struct percpu *cpu, struct thread *self, bool over)
{
    if (!over) {
        vcpu_idle(self);
    }
    (void)sched_pick(cpu);
    if (cpu->arch.in_guest) {
        guest_retire(cpu);
    }
}

// Is there news before the guest goes on? False: it does not, what comes next has been arranged.
static NOINLINE bool look_closer(struct percpu *cpu, struct thread *self, struct vcpu *v)
{
    struct notification *n = self->notification;
    uint64_t bits = n != NULL && peek64(&n->word) != 0 ? atomic_exchange(&n->word, 0) : 0;
    if (bits != 0) {
        leave(cpu, self, VCPU_NOTIFIED, bits);
        return false;
    }
    if (v->deadline != DEADLINE_NEVER && deadline_passed(v->deadline)) {
        leave(cpu, self, VCPU_DEADLINE, 0);
        return false;
    }
    uint64_t news = peek64(&v->page->attention) | peek64(&v->linked_raised);
    if (news != 0 && (vgic_update(v) & VCPU_ATTENTION_WAIT) != 0) {
        await_interrupt(cpu, self, vgic_awaits(v, true));
        return false;
    }
    return true;
}

static inline bool has_news(const struct thread *self, const struct vcpu *v,
                            const struct vcpu_page *page)
{
    const struct notification *n = self->notification;
    uint64_t news = peek64(&page->attention) | peek64(&v->linked_raised) | ~v->deadline;
    if (n != NULL) {
        news |= peek64(&n->word);
    }
    return UNLIKELY(news != 0);
}

// Bits of pstate that a guest may have in any combination, in AArch64: NZCV DIT UAO PAN SSBS BTYPE DAIF.
#define PSTATE_64 (PSTATE_NZCV | FIELD(24, 22) | BIT(12) | FIELD(11, 6))
#define PSTATE_32 (FIELD(31, 22) | FIELD(19, 0))

// What the guest may have of a pstate; UINT64_MAX: it may not be in that mode.
static uint64_t pstate_checked(uint64_t pstate, const struct vcpu *v)
{
    uint64_t mask = (pstate & PSTATE_USR) != 0 ? PSTATE_32 : PSTATE_64 | PSTATE_MODE;
    uint64_t step = (v->arch.reg[VCPU_REG_MDSCR_EL1] & MDSCR_SS) != 0 ? PSTATE_SS : 0;
    bool allowed = (rules.modes >> (pstate & PSTATE_MODE) & 1) != 0;
    return allowed ? pstate & (mask | step) : UINT64_MAX;
}

static ALWAYS_INLINE struct vcpu_page *go_in_as(struct percpu *cpu, struct thread *self,
                                                struct vcpu *v, struct vcpu_page *page,
                                                uint64_t pstate)
{
    activate(cpu, self, v);
    uint64_t pc = page->regs.pc;
    uint64_t sp_el0 = page->regs.sp_el0;
    uint64_t tpidr = page->regs.tpidr_el0;
    uint64_t tpidrro = page->regs.tpidrro_el0;
    sysreg_write(elr_el2, pc);
    sysreg_write(spsr_el2, pstate);
    sysreg_write(sp_el0, sp_el0);
    sysreg_write(tpidr_el0, tpidr);
    sysreg_write(tpidrro_el0, tpidrro);
    return page;
}

static NOINLINE struct vcpu_page *go_in_checked(struct percpu *cpu, struct thread *self,
                                                struct vcpu *v, struct vcpu_page *page,
                                                uint64_t pstate)
{
    pstate = pstate_checked(pstate, v);
    return pstate == UINT64_MAX ? leave(cpu, self, ERR_INVALID, 0)
                                : go_in_as(cpu, self, v, page, pstate);
}

// Nothing keeps the guest from going on, but what its VMM says of its state.
static ALWAYS_INLINE struct vcpu_page *go_in(struct percpu *cpu, struct thread *self,
                                             struct vcpu *v, struct vcpu_page *page)
{
    uint64_t pstate = page->regs.pstate;
    uint64_t rest = pstate & ~PSTATE_64;
    if (UNLIKELY(rest != PSTATE_EL1H && rest != PSTATE_EL0T)) {
        return go_in_checked(cpu, self, v, page, pstate);
    }
    return go_in_as(cpu, self, v, page, pstate);
}

static NOINLINE struct vcpu_page *go_in_with_news(struct percpu *cpu, struct thread *self,
                                                  struct vcpu *v)
{
    return look_closer(cpu, self, v) ? go_in(cpu, self, v, v->page) : NULL;
}

static ALWAYS_INLINE struct vcpu_page *enter_here(struct percpu *cpu, struct thread *self,
                                                  struct vcpu *v)
{
    poke32(&self->wait, WAIT_GUEST);
    atomic_thread_fence(memory_order_seq_cst); // pairs with sched_poke
    struct vcpu_page *page = v->page;
    if (has_news(self, v, page)) {
        return go_in_with_news(cpu, self, v);
    }
    return go_in(cpu, self, v, page);
}

static NOINLINE struct vcpu_page *load_and_enter(struct percpu *cpu, struct thread *self,
                                                 struct vcpu *v)
{
    load(cpu, v);
    return enter_here(cpu, self, v);
}

static NOINLINE struct vcpu_page *refuse(struct thread *self, err_t err)
{
    arch_leave_guest_mode(&self->regs, err, 0);
    return NULL;
}

static ALWAYS_INLINE struct vcpu_page *run(struct percpu *cpu, struct thread *self,
                                           uint64_t deadline)
{
    struct vcpu *v = self->vcpu;
    if (UNLIKELY(v == NULL || !v->ready || (self->flags & THREAD_PASSIVE) != 0)) {
        return refuse(self, v == NULL ? ERR_NO_CAP : ERR_BUSY);
    }
    v->deadline = deadline;
    self->regs.pstate = PSTATE_GUEST_MODE;
    return cpu->arch.resident == v ? enter_here(cpu, self, v) : load_and_enter(cpu, self, v);
}

static NOINLINE struct vcpu_page *kick_and_run(struct percpu *cpu, struct thread *self,
                                               uint64_t deadline, uint64_t kick)
{
    struct cap cap;
    err_t err = cspace_lookup(self->cspace, kick, OBJ_VCPU, RIGHT_WRITE, &cap);
    if (err != OK) {
        return refuse(self, err);
    }
    vcpu_kick(CONTAINER_OF(cap.obj, struct vcpu, obj));
    // Whom it has kicked goes first; then it comes again, and kicks nobody.
    if (UNLIKELY(cpu->need_pick)) {
        self->regs.x[1] = 0;
        arch_restart_syscall(&self->regs);
        (void)sched_pick(cpu);
        return NULL;
    }
    return run(cpu, self, deadline);
}

struct vcpu_page *guest_run(struct thread *self, struct percpu *cpu, uint64_t deadline,
                            uint64_t kick)
{
    return UNLIKELY(kick != 0) ? kick_and_run(cpu, self, deadline, kick) : run(cpu, self, deadline);
}

struct vcpu_page *guest_resume(struct thread *self)
{
    struct percpu *cpu = this_cpu();
    return cpu->arch.resident == self->vcpu ? enter_here(cpu, self, self->vcpu)
                                            : load_and_enter(cpu, self, self->vcpu);
}

// ---- Leaving ------------------------------------------------------------------------------------------------------

// The guest's exit was the kernel's, and so is the choice who goes on. Is it the guest?
static NOINLINE bool still_chosen(struct percpu *cpu)
{
    const struct thread *next = sched_pick(cpu);
    if (!cpu->arch.in_guest) {
        return false;
    }
    if (next != atomic_load(&cpu->arch.resident->thread) || !arch_guest_mode(&next->regs)) {
        guest_retire(cpu);
        return false;
    }
    return true;
}

// The guest goes on, unless somebody else does.
static ALWAYS_INLINE struct vcpu_page *go_on(struct percpu *cpu, struct vcpu_page *page)
{
    if (UNLIKELY(cpu->need_pick || !cpu->arch.in_guest) && !still_chosen(cpu)) {
        return NULL;
    }
    struct thread *self = cpu->current;
    struct vcpu *v = self->vcpu;
    if (has_news(self, v, page) && !look_closer(cpu, self, v)) {
        return NULL;
    }
    sysreg_write(hcr_el2, hcr_of_now(cpu, self));
    return page;
}

struct vcpu_page *guest_interrupt(struct vcpu_page *page)
{
    struct percpu *cpu = this_cpu();
    page->kernel_exits++;
    uint32_t intid = machine.gic.ops->acknowledge();
    if (intid == machine.vtimer_intid && vgic_timer(cpu->arch.resident)) {
        return page; // nothing else has changed
    }
    gic_dispatch(intid);
    return go_on(cpu, page);
}

struct vcpu_page *guest_serror(struct vcpu_page *page, uint64_t esr)
{
    page->syndrome = esr;
    return leave(this_cpu(), this_cpu()->current, VCPU_SERROR, 0);
}

// From a trap that was the kernel's, the guest is resumed as any thread in guest mode: from memory.
static struct thread *go_on_from_memory(struct percpu *cpu, struct vcpu_page *page)
{
    if (go_on(cpu, page) != NULL) {
        guest_retire(cpu);
    }
    return NULL;
}

// WFI, while somebody else could use the core. WFE never comes here. (Nor does a WFI of AArch32, which may be two bytes
// long and in an IT block, or one that ends a single step: the VMM goes on behind it, as if it had been woken.) As long
// as the vcpu is resident, its timer's own interrupt wakes it.
static NOINLINE struct thread *wait_for_interrupt(struct percpu *cpu, struct vcpu_page *page)
{
    struct thread *self = cpu->current;
    page->kernel_exits++;
    page->regs.pc += 4;
    await_interrupt(cpu, self, vgic_awaits(self->vcpu, false));
    return NULL;
}

static NOINLINE struct thread *take_fp(struct percpu *cpu, struct vcpu_page *page)
{
    page->kernel_exits++;
    context_fp_take(&cpu->arch.resident->arch.fp);
    return go_on_from_memory(cpu, page);
}

// To the VMM's code behind its VCPU_RUN.
static ALWAYS_INLINE struct thread *to_vmm(struct percpu *cpu)
{
    struct thread *self = cpu->current;
    guest_retire_inline(cpu);
    stage2_change(&cpu->arch, self->space->arch.vttbr);
    context_fp_close(cpu);
    poke32(&self->wait, WAIT_NONE);
    self->regs.pstate = PSTATE_EL0T;
    uint64_t sp = self->regs.sp;
    uint64_t pc = self->regs.pc;
    uint64_t tpidr = self->regs.tpidr;
    uint64_t tpidrro = self->regs.tpidrro;
    sysreg_write(sp_el0, sp);
    sysreg_write(elr_el2, pc);
    sysreg_write(spsr_el2, PSTATE_EL0T);
    sysreg_write(tpidr_el0, tpidr);
    sysreg_write(tpidrro_el0, tpidrro);
    return self;
}

static NOINLINE struct thread *sample_timer(struct percpu *cpu)
{
    vgic_timer_sample(cpu->arch.resident);
    return to_vmm(cpu);
}

static ALWAYS_INLINE struct thread *exit_guest(struct percpu *cpu)
{
    bool timer = (cpu->arch.resident->arch.vgic.placed & SOURCE_TIMER) != 0;
    return UNLIKELY(timer) ? sample_timer(cpu) : to_vmm(cpu);
}

// On permission faults hardware does not say where: the guest's own translation does.
static NOINLINE struct thread *permission_fault(struct percpu *cpu, struct vcpu_page *page,
                                                uint64_t far)
{
    uint64_t par = sysreg_read(par_el1);
    __asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(far) : "memory");
    uint64_t answer = sysreg_read(par_el1);
    sysreg_write(par_el1, par);
    if ((answer & PAR_F) != 0) { // the guest has changed its tables meanwhile: it tries again
        return go_on_from_memory(cpu, page);
    }
    page->ipa = (answer & PAR_ADDRESS) | (far & 0xfff);
    return exit_guest(cpu);
}

static ALWAYS_INLINE struct thread *guest_abort(struct percpu *cpu, struct vcpu_page *page,
                                                uint64_t esr)
{
    uint64_t far = sysreg_read(far_el2);
    page->address = far;
    if (UNLIKELY(esr_fsc(esr) == FSC_PERMISSION && (esr & ESR_ABORT_S1PTW) == 0)) {
        return permission_fault(cpu, page, far);
    }
    page->ipa = (sysreg_read(hpfar_el2) & HPFAR_FIPA) << 8 | (far & 0xfff);
    return exit_guest(cpu);
}

// Classes that are not for the VMM as they are.
#define KERNEL_CLASSES                                                                             \
    (BIT(EC_WFX) | BIT(EC_FP) | BIT(EC_DATA_ABORT_LOWER) | BIT(EC_INSTRUCTION_ABORT_LOWER))

struct thread *guest_trap(struct vcpu_page *page, uint64_t esr)
{
    struct percpu *cpu = this_cpu();
    unsigned ec = esr_ec(esr);
    page->syndrome = esr;
    if ((KERNEL_CLASSES >> ec & 1) == 0) {
        return exit_guest(cpu);
    }
    if (ec == EC_WFX) {
        bool odd = (page->regs.pstate & (PSTATE_USR | PSTATE_SS)) != 0;
        return odd ? exit_guest(cpu) : wait_for_interrupt(cpu, page);
    }
    return ec == EC_FP ? take_fp(cpu, page) : guest_abort(cpu, page, esr);
}

// ---- Interrupts of guests -----------------------------------------------------------------------------------------

void guest_timer(void)
{
    struct percpu *cpu = this_cpu();
    struct vcpu *v = cpu->arch.resident;
    if (v == NULL) {
        machine.gic.ops->deactivate(machine.vtimer_intid); // its vcpu has just left
        return;
    }
    vcpu_raise(v, TIMER_SOURCE);
}

void guest_maintenance(void)
{
    struct vcpu *v = this_cpu()->arch.resident;
    if (v != NULL) {
        vgic_maintain(v);
    }
}

// ---- What else arch.h asks for ------------------------------------------------------------------------------------

bool arch_has_guests(void)
{
    return machine.gic.lists != 0;
}

void arch_vcpu_fold(struct vcpu *v)
{
    vgic_fold(v);
    vcpu_kick(v);
}

bool arch_vcpu_translate(struct vcpu *v, uint64_t va, bool el0, uint64_t *ipa)
{
    struct percpu *cpu = this_cpu();
    if (cpu->arch.resident != v) {
        load(cpu, v);
    }
    activate(cpu, cpu->current, v);
    isb();
    uint64_t par = sysreg_read(par_el1);
    if (el0) {
        __asm__ volatile("at s1e0r, %0\n\tisb" : : "r"(va) : "memory");
    } else {
        __asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(va) : "memory");
    }
    uint64_t answer = sysreg_read(par_el1);
    sysreg_write(par_el1, par);
    guest_retire(cpu);
    arch_thread_switch(NULL, cpu->current);
    *ipa = (answer & PAR_ADDRESS) | (va & 0xfff);
    return (answer & PAR_F) == 0;
}
