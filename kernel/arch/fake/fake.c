// The fake machine: memory, registers, time, interrupts, console and its end. Entering the kernel is in cores.c.
#include "fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <base/bits.h>
#include <base/range.h>

#include "arch.h"
#include "percpu.h"
#include "space.h"
#include "thread.h"
#include "tlb.h"
#include "vcpu.h"

struct fake fake;
struct fake_core fake_cores[CORES_MAX];
struct fake_irq fake_irqs[FAKE_IRQ_FIRST + FAKE_IRQ_COUNT];
struct percpu *fake_cpu;

static unsigned char *ram; // FAKE_RAM_SIZE bytes, for the life of the program

void fake_reset(unsigned cores)
{
    if (ram == NULL) {
        ram = mmap(NULL, FAKE_RAM_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    memset(&fake, 0, sizeof(fake));
    memset(fake_cores, 0, sizeof(fake_cores));
    memset(fake_irqs, 0, sizeof(fake_irqs));
    memset(percpu, 0, sizeof(percpu));
    fake.now = 1000;
    fake.stage2_bits = 40;
    fake.vmids = FAKE_VMIDS_MAX;
    core_count = cores;
    fake_cpu = &percpu[0];
    tlb_reset();
}

// ---- The end --------------------------------------------------------------------------------------------------

static _Noreturn void end(enum fake_end why)
{
    if (fake.escape_armed) {
        fake.escape_armed = false;
        longjmp(fake.escape, why);
    }
    (void)fprintf(stderr, "%s", fake.console);
    abort();
}

_Noreturn void fake_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(fake.console, sizeof(fake.console), format, args);
    va_end(args);
    fake.console_length = (unsigned)length;
    if (!fake.escape_armed) {
        (void)fprintf(stderr, "fake machine: ");
    }
    end(FAKE_MISUSE);
}

void arch_panic_begin(void)
{
    fake.panicking = true;
}

void arch_panic_details(void)
{
}

_Noreturn void arch_off(bool reset)
{
    fake.reset = reset;
    end(fake.panicking ? FAKE_PANIC : FAKE_OFF);
}

void arch_console_write(const char *text, unsigned length)
{
    unsigned room = (unsigned)sizeof(fake.console) - 1 - fake.console_length;
    unsigned count = length < room ? length : room;
    memcpy(&fake.console[fake.console_length], text, count);
    fake.console_length += count;
    fake.console[fake.console_length] = '\0';
}

void arch_firmware_call(uint64_t words[8])
{
    fake.firmware_calls++;
    for (unsigned i = 0; i < 4; i++) {
        words[i] += 0x100;
    }
}

// ---- Memory ---------------------------------------------------------------------------------------------------

void *fake_virtual(paddr_t pa)
{
    if (pa.a < FAKE_RAM_BASE || pa.a > FAKE_RAM_BASE + FAKE_RAM_SIZE) {
        fake_fail("the kernel reaches for %#lx, outside RAM", (unsigned long)pa.a);
    }
    return ram + (pa.a - FAKE_RAM_BASE);
}

paddr_t fake_physical(const void *va)
{
    const unsigned char *p = va;
    if (p < ram || p >= ram + FAKE_RAM_SIZE) {
        fake_fail("the physical address of something that is not in RAM");
    }
    return paddr(FAKE_RAM_BASE + (uint64_t)(p - ram));
}

void arch_zero(void *va, uint64_t size)
{
    if (!is_aligned((uint64_t)va | size, 64)) {
        fake_fail("arch_zero of %#lx bytes at %p", (unsigned long)size, va);
    }
    fake.zeroed_max = size > fake.zeroed_max ? size : fake.zeroed_max;
    tlb_memory_written(virt_to_phys(va), size);
    memset(va, 0, size);
}

static void published(paddr_t pa, uint64_t size)
{
    if (!is_aligned(pa.a | size, PAGE_SIZE)) {
        fake_fail("cache maintenance of %#lx bytes at %#lx", (unsigned long)size,
                  (unsigned long)pa.a);
    }
    fake.published += size;
    fake.published_max = size > fake.published_max ? size : fake.published_max;
}

void arch_cache_publish(paddr_t pa, uint64_t size)
{
    published(pa, size);
}

void arch_zero_published(void *va, uint64_t size)
{
    arch_zero(va, size);
}

void arch_icache_publish(paddr_t pa, uint64_t size)
{
    published(pa, size);
}

bool arch_device_range_allowed(paddr_t pa, uint64_t size)
{
    struct range devices = {.base = FAKE_DEVICES, .size = FAKE_DEVICES_END - FAKE_DEVICES};
    return range_contains(devices, pa.a, size);
}

bool arch_console_owns(paddr_t pa, uint64_t size)
{
    (void)pa;
    (void)size;
    return false;
}

// ---- Spaces ---------------------------------------------------------------------------------------------------

unsigned arch_stage2_bits(void)
{
    return fake.stage2_bits;
}

unsigned arch_stage2_start_level(void)
{
    return fake.stage2_bits <= 42 ? 1 : 0;
}

unsigned arch_stage2_root_pages(void)
{
    return fake.stage2_bits > 39 && fake.stage2_bits <= 42 ? 1u << (fake.stage2_bits - 39) : 1;
}

unsigned arch_vmid_count(void)
{
    return fake.vmids;
}

void arch_space_init(struct arch_space *s, paddr_t root, uint16_t vmid)
{
    *s = (struct arch_space){.root = root, .vmid = vmid};
    tlb_space(root, vmid, CONTAINER_OF(s, struct space, arch)->guest);
}

void arch_pte_write(uint64_t *entry, uint64_t value)
{
    tlb_write(entry, value);
    *entry = value;
}

void arch_pte_sync(void)
{
    tlb_sync();
}

void arch_tlb_invalidate_page(uint16_t vmid, ipa_t at)
{
    tlb_invalidate_page(vmid, at);
}

void arch_tlb_invalidate_space(uint16_t vmid)
{
    tlb_invalidate_space(vmid);
}

// ---- Threads --------------------------------------------------------------------------------------------------

struct thread *arch_thread_switch(struct thread *from, struct thread *to)
{
    struct fake_core *core = &fake_cores[fake_cpu->id];
    if (core->loaded != from) {
        fake_fail("core %u switches from a thread that it does not run", fake_cpu->id);
    }
    for (unsigned i = 0; to != NULL && i < core_count; i++) {
        if (fake_cores[i].loaded == to) {
            fake_fail("a thread runs on core %u and on core %u", i, fake_cpu->id);
        }
    }
    if (to != NULL && to->space == NULL) {
        fake_fail("core %u goes on with a thread that has no space", fake_cpu->id);
    }
    core->loaded = to;
    core->vmid = 0;
    if (to != NULL) {
        core->vmid = to->space->arch.vmid;
        tlb_enter(core->vmid);
    }
    return to;
}

void arch_regs_init(struct arch_regs *regs)
{
    *regs = (struct arch_regs){0};
}

static uint64_t *register_at(struct arch_regs *regs, unsigned reg)
{
    switch (reg) {
    case REG_SP:
        return &regs->sp;
    case REG_PC:
        return &regs->pc;
    case REG_PSTATE:
        return &regs->pstate;
    case REG_TPIDR:
        return &regs->tpidr;
    case REG_TPIDRRO:
        return &regs->tpidrro;
    default:
        return reg <= 30 ? &regs->x[reg] : NULL;
    }
}

bool arch_reg_read(const struct arch_regs *regs, unsigned reg, uint64_t *value)
{
    struct arch_regs copy = *regs;
    const uint64_t *at = register_at(&copy, reg);
    if (at != NULL) {
        *value = *at;
    }
    return at != NULL;
}

bool arch_reg_write(struct arch_regs *regs, unsigned reg, uint64_t value)
{
    uint64_t *at = register_at(regs, reg);
    if (at != NULL) {
        *at = reg == REG_PSTATE ? value & FIELD(31, 28) : value;
    }
    return at != NULL;
}

void arch_fp_evict(struct arch_fp *fp)
{
    if (fake_cpu->fp_owner == fp) {
        fp->resident = 0;
        fake_cpu->fp_owner = NULL;
    }
}

// ---- Virtual cores --------------------------------------------------------------------------------------------

bool arch_has_guests(void)
{
    return true;
}

void arch_vcpu_reset(struct vcpu *v)
{
    v->arch = (struct arch_vcpu){0};
}

bool arch_vcpu_reg_read(const struct vcpu *v, unsigned reg, uint64_t *value)
{
    *value = reg < VCPU_REGISTERS ? v->arch.reg[reg] : 0;
    return reg < VCPU_REGISTERS;
}

bool arch_vcpu_reg_write(struct vcpu *v, unsigned reg, uint64_t value)
{
    uint64_t old;
    bool exists = arch_vcpu_reg_read(v, reg, &old);
    if (exists) {
        v->arch.reg[reg] = value;
    }
    return exists;
}

static void must_be_here(const struct vcpu *v)
{
    if (atomic_load(&v->resident) != fake_cpu->id + 1 || fake_cpu->arch.resident != v) {
        fake_fail("core %u touches a vcpu that it does not have", fake_cpu->id);
    }
}

static uint64_t linked(const struct vcpu *v)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < VCPU_SOURCES; i++) {
        set |= v->linked[i] != 0 ? BIT(i) : 0;
    }
    return set;
}

void arch_vcpu_fold(struct vcpu *v)
{
    must_be_here(v);
    uint64_t listed = v->arch.listed;
    v->arch.listed = 0;
    v->arch.folds++;
    atomic_fetch_or(&v->page->pending, listed & ~v->arch.hardware);
    atomic_fetch_or(&v->linked_raised, listed & v->arch.hardware & linked(v));
    atomic_fetch_or(&v->page->attention, VCPU_ATTENTION_NEW);
}

void fake_vcpu_update(struct vcpu *v)
{
    must_be_here(v);
    (void)atomic_exchange(&v->page->attention, 0);
    uint64_t enabled = atomic_load(&v->page->enabled);
    uint64_t raised = atomic_fetch_and(&v->linked_raised, ~enabled) & enabled;
    uint64_t hardware = raised & linked(v);
    v->arch.hardware = (v->arch.hardware & v->arch.listed) | hardware;
    v->arch.listed |= (atomic_fetch_and(&v->page->pending, ~enabled) & enabled) | raised;
}

static uint64_t timer_deadline(const struct vcpu *v)
{
    return v->arch.reg[VCPU_REG_CNTV_CTL_EL0] == 1 ? v->arch.reg[VCPU_REG_CNTV_CVAL_EL0]
                                                   : DEADLINE_NEVER;
}

void arch_vcpu_evict(struct vcpu *v)
{
    arch_vcpu_fold(v);
    fake_cpu->arch.resident = NULL;
    atomic_store(&v->resident, VCPU_NOWHERE);
    vcpu_wake_at(v, timer_deadline(v));
}

void fake_vcpu_load(struct vcpu *v)
{
    struct percpu *cpu = fake_cpu;
    if (cpu->arch.resident == v) {
        return;
    }
    if (atomic_load(&v->resident) != VCPU_NOWHERE) {
        fake_fail("core %u loads a vcpu that core %u has", cpu->id, atomic_load(&v->resident) - 1);
    }
    if (!v->ready) {
        fake_fail("core %u loads a vcpu that is not complete", cpu->id);
    }
    if (cpu->arch.resident != NULL) {
        arch_vcpu_evict(cpu->arch.resident);
    }
    cpu->arch.resident = v;
    atomic_store(&v->resident, cpu->id + 1);
    atomic_fetch_or(&v->page->attention, VCPU_ATTENTION_NEW);
}

bool arch_vcpu_translate(struct vcpu *v, uint64_t va, bool el0, uint64_t *ipa)
{
    fake_vcpu_load(v);
    *ipa = va;
    return !el0;
}

void arch_space_forget(struct arch_space *s, const struct vcpu *v)
{
    (void)s;
    (void)v;
}

// ---- Time and interrupts --------------------------------------------------------------------------------------

uint64_t fake_clock(void)
{
    return fake.now;
}

void fake_timer_set(uint64_t deadline)
{
    fake_cpu->arch.deadline = deadline;
}

bool fake_interrupted(void)
{
    return fake.interrupt_always || (fake.interrupt_in != 0 && --fake.interrupt_in == 0);
}

unsigned arch_irq_count(void)
{
    return FAKE_IRQ_FIRST + FAKE_IRQ_COUNT;
}

bool arch_irq_available(uint32_t intid)
{
    return intid >= FAKE_IRQ_FIRST && intid < FAKE_IRQ_FIRST + FAKE_IRQ_COUNT;
}

void arch_irq_configure(uint32_t intid, bool edge, unsigned core)
{
    unsigned times = fake_irqs[intid].configured;
    fake_irqs[intid] = (struct fake_irq){.edge = edge, .core = core, .configured = times + 1};
}

void arch_irq_unmask(uint32_t intid)
{
    fake_irqs[intid].enabled = true;
    fake_irqs[intid].active = false;
}

void arch_irq_mask(uint32_t intid)
{
    fake_irqs[intid].enabled = false;
}

void arch_kick(unsigned core)
{
    fake_cores[core].kicked = true;
    fake_cores[core].kicks++;
}
