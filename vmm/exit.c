// See exit.h. Exception classes and their syndromes: Arm ARM (DDI 0487) section D17.2.37.
//
// The accesses that matter for speed (hypercalls, system registers, a device's register by a plain load or store) go
// straight down; everything else leaves this path early.
//
// Limit: data of a big-endian guest is not swapped.
#include "exit.h"

#include <base/bits.h>
#include <spec/pstate.h>
#include <spec/trap.h>

#include "decode.h"
#include "inject.h"
#include "smccc.h"
#include "sysreg.h"
#include "unhandled.h"
#include "vm.h"

#define PAGE_OFFSET FIELD(11, 0)
#define VA_BITS     FIELD(55, 0) // an address without its tag

// State of the instruction that has just been done, which hardware would have cleared or moved on.
#define PSTATE_ONCE (SPSR_AARCH32 | SPSR_SS | SPSR_BTYPE)

// ---- After an instruction ---------------------------------------------------------------------------------------

// The next of an IT block: the condition's low bits move up; after the last it ends.
static uint64_t next_in_it_block(uint64_t pstate)
{
    uint64_t it = field_get(pstate, 15, 10) << 2 | field_get(pstate, 26, 25);
    it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
    return (pstate & ~(SPSR_IT_LOW | SPSR_IT_HIGH)) | (it & 3) << 25 | it >> 2 << 10;
}

static NOINLINE void advance_awkwardly(struct vcpu *v)
{
    struct vcpu_regs *regs = &v->page->regs;
    if ((regs->pstate & SPSR_AARCH32) == 0) {
        regs->pc += 4;
        regs->pstate &= ~(SPSR_SS | SPSR_BTYPE);
        return;
    }
    regs->pc += (v->page->syndrome & ESR_IL) != 0 ? 4 : 2;
    regs->pstate = next_in_it_block(regs->pstate);
}

// The instruction at pc is done.
static ALWAYS_INLINE void advance(struct vcpu *v)
{
    struct vcpu_regs *regs = &v->page->regs;
    if ((regs->pstate & PSTATE_ONCE) != 0) {
        advance_awkwardly(v);
        return;
    }
    regs->pc += 4;
}

// ---- Memory accesses --------------------------------------------------------------------------------------------

static ALWAYS_INLINE uint64_t low_bytes(uint64_t value, unsigned size)
{
    return value & FIELD(8 * size - 1, 0);
}

// A value of `size` bytes as its register gets it.
static uint64_t extended(uint64_t value, unsigned size, bool wide)
{
    uint64_t sign = BIT(8 * size - 1);
    value = (value ^ sign) - sign;
    return wide ? value : (uint32_t)value;
}

static NOINLINE const struct bus_range *find_range(struct vcpu *v, uint64_t ipa)
{
    struct vm *vm = v->vm;
    const struct bus_range *range = bus_find(&vm->bus, ipa);
    if (range != NULL) {
        v->last = range;
        v->last_accesses = vm->accesses[v->index][range - vm->bus.ranges];
    }
    return range;
}

static ALWAYS_INLINE enum handled bus_access_at(struct vcpu *v, uint64_t ipa, struct bus_access *a)
{
    const struct bus_range *range = v->last;
    if (UNLIKELY(range == NULL || ipa - range->where.base >= range->where.size)) {
        range = find_range(v, ipa);
        if (range == NULL) {
            return UNHANDLED;
        }
    }
    a->offset = ipa - range->where.base;
    v->last_accesses[a->write]++;
    return range->access(range->device, a);
}

static NOINLINE void refuse(struct vcpu *v, enum handled answer, uint64_t ipa, bool write,
                            unsigned size)
{
    if (answer == UNHANDLED) {
        unhandled_access(v, write ? UNHANDLED_WRITE : UNHANDLED_READ, ipa, size);
    } else {
        inject_external_abort(v);
    }
}

// A load or store of one register, as the syndrome describes it.
static ALWAYS_INLINE void access_by_syndrome(struct vcpu *v, uint64_t esr, bool write)
{
    struct vcpu_page *page = v->page;
    unsigned reg = esr_abort_srt(esr);
    struct bus_access a = {
        .vcpu = v,
        .size = (uint8_t)(1u << esr_abort_sas(esr)),
        .write = write,
    };
    if (write && reg != DECODE_ZR) {
        a.value = low_bytes(page->regs.x[reg], a.size);
    }
    enum handled answer = bus_access_at(v, page->ipa, &a);
    if (UNLIKELY(answer != HANDLED)) {
        refuse(v, answer, page->ipa, write, a.size);
        return;
    }
    if (!write && reg != DECODE_ZR) {
        if ((esr & ESR_ABORT_SSE) != 0) {
            a.value = extended(a.value, a.size, (esr & ESR_ABORT_SF) != 0);
        }
        page->regs.x[reg] = a.value;
    }
    advance(v);
}

// ---- Accesses that the syndrome does not describe ---------------------------------------------------------------

// Which stack pointer the guest's code uses.
static bool on_sp_el1(const struct vcpu *v)
{
    return (v->page->regs.pstate & SPSR_M) == SPSR_EL1H;
}

static uint64_t stack_pointer(const struct vcpu *v)
{
    return on_sp_el1(v) ? port_register_read(v->vm->port, v->index, VCPU_REG_SP_EL1)
                        : v->page->regs.sp_el0;
}

static void set_base(struct vcpu *v, const struct decode *d)
{
    if (d->base != DECODE_SP) {
        v->page->regs.x[d->base] = d->new_base;
    } else if (on_sp_el1(v)) {
        port_register_write(v->vm->port, v->index, VCPU_REG_SP_EL1, d->new_base);
    } else {
        v->page->regs.sp_el0 = d->new_base;
    }
}

enum fetched {
    FETCHED,
    FETCH_AGAIN,      // its page is not mapped any more: the guest itself will find that out
    FETCH_IMPOSSIBLE, // it is not in RAM, or is none of A64
};

static enum fetched fetch(const struct vcpu *v, uint32_t *instruction)
{
    const struct vcpu_regs *regs = &v->page->regs;
    if ((regs->pstate & SPSR_AARCH32) != 0) {
        return FETCH_IMPOSSIBLE;
    }
    uint64_t ipa;
    bool el0 = (regs->pstate & SPSR_M) == SPSR_EL0T;
    if (!port_translate(v->vm->port, v->index, regs->pc, el0, &ipa)) {
        return FETCH_AGAIN;
    }
    // Another vcpu may write there: read once. Little-endian, whatever the guest's data is.
    const volatile uint8_t *at = vm_memory(v->vm, ipa, 4);
    if (at == NULL) {
        return FETCH_IMPOSSIBLE;
    }
    *instruction =
        (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    return FETCHED;
}

static unsigned total_size(const struct decode *d)
{
    unsigned size = 0;
    for (unsigned i = 0; i < d->count; i++) {
        size += d->transfers[i].size;
    }
    return size;
}

// Is what was fetched what faulted? Not if another vcpu has changed it meanwhile.
static bool agrees(const struct vcpu *v, const struct decode *d)
{
    bool write = (v->page->syndrome & ESR_ABORT_WNR) != 0;
    return d->write == write && ((v->page->address - d->address) & VA_BITS) < total_size(d);
}

// All of it within the page that faulted: only there has the guest's own translation allowed it.
static bool in_one_page(const struct vcpu *v, const struct decode *d)
{
    uint64_t offset = d->address & PAGE_OFFSET;
    return (v->page->address & PAGE_OFFSET) >= offset && offset + total_size(d) <= PAGE_OFFSET + 1;
}

// False: an exception took the instruction's place. Loads arrive in `loaded`.
static bool transfer(struct vcpu *v, const struct decode *d, uint64_t *loaded)
{
    const struct vcpu_regs *regs = &v->page->regs;
    uint64_t ipa = (v->page->ipa & ~PAGE_OFFSET) | (d->address & PAGE_OFFSET);
    for (unsigned i = 0; i < d->count; i++) {
        const struct decode_transfer *t = &d->transfers[i];
        struct bus_access a = {.vcpu = v, .size = t->size, .write = d->write};
        if (d->write && t->reg != DECODE_ZR) {
            a.value = low_bytes(regs->x[t->reg], t->size);
        }
        enum handled answer = bus_access_at(v, ipa, &a);
        if (answer != HANDLED) {
            refuse(v, answer, ipa, d->write, t->size);
            return false;
        }
        loaded[i] = t->sign ? extended(a.value, t->size, t->wide) : a.value;
        ipa += t->size;
    }
    return true;
}

static void access_by_instruction(struct vcpu *v)
{
    uint32_t instruction = 0;
    struct decode d;
    uint64_t loaded[DECODE_TRANSFERS];
    enum fetched fetched = fetch(v, &instruction);
    if (fetched == FETCH_AGAIN) {
        return;
    }
    if (fetched == FETCH_IMPOSSIBLE ||
        !decode_access(instruction, &v->page->regs, stack_pointer(v), &d)) {
        unhandled_access(v, UNHANDLED_INSTRUCTION, v->page->ipa, instruction);
        return;
    }
    if (!agrees(v, &d)) {
        return; // it runs again
    }
    if (!in_one_page(v, &d)) {
        unhandled_access(v, UNHANDLED_INSTRUCTION, v->page->ipa, instruction);
        return;
    }
    v->exits[TRACE_MMIO_DECODED]++;
    if (!transfer(v, &d, loaded)) {
        return;
    }
    for (unsigned i = 0; i < d.count && !d.write; i++) {
        if (d.transfers[i].reg != DECODE_ZR) {
            v->page->regs.x[d.transfers[i].reg] = loaded[i];
        }
    }
    if (d.write_back) {
        set_base(v, &d);
    }
    advance(v);
}

// Did it fault because stage 2 has nothing there, or not with that right?
static ALWAYS_INLINE bool stage2_refused(uint64_t esr)
{
    unsigned code = esr_fsc(esr);
    return code >= FSC_TRANSLATION && code <= FSC_PERMISSION;
}

static NOINLINE void awkward_data_abort(struct vcpu *v, uint64_t esr)
{
    if (!stage2_refused(esr)) {
        inject_external_abort(v);
    } else if ((esr & ESR_ABORT_S1PTW) != 0) {
        unhandled_access(v, UNHANDLED_WALK, v->page->ipa, 0);
    } else if ((esr & ESR_ABORT_CM) != 0) {
        advance(v); // no cache holds anything of a device
    } else {
        access_by_instruction(v);
    }
}

static void data_abort(struct vcpu *v, uint64_t esr)
{
    uint64_t simple = esr & (ESR_ABORT_ISV | ESR_ABORT_S1PTW | ESR_ABORT_CM);
    if (UNLIKELY(simple != ESR_ABORT_ISV || !stage2_refused(esr))) {
        awkward_data_abort(v, esr);
    } else if ((esr & ESR_ABORT_WNR) != 0) {
        access_by_syndrome(v, esr, true);
    } else {
        access_by_syndrome(v, esr, false);
    }
}

static void instruction_abort(struct vcpu *v, uint64_t esr)
{
    if (stage2_refused(esr)) {
        bool walk = (esr & ESR_ABORT_S1PTW) != 0;
        unhandled_access(v, walk ? UNHANDLED_WALK : UNHANDLED_FETCH, v->page->ipa, 0);
    } else {
        inject_external_abort(v);
    }
}

// ---- Calls and registers ----------------------------------------------------------------------------------------

// HVC leaves with pc behind it, SMC with pc at it.
static void hypercall(struct vcpu *v, uint64_t esr)
{
    (void)esr;
    smccc_call(v);
}

static void secure_call(struct vcpu *v, uint64_t esr)
{
    (void)esr;
    smccc_call(v);
    advance(v);
}

static void system_register(struct vcpu *v, uint64_t esr)
{
    if (sysreg_access(v, (uint32_t)(esr & ESR_ISS)) == HANDLED) {
        advance(v);
    } else {
        inject_undefined(v);
    }
}

// The kernel sleeps for it; what comes here may go on.
static void wait_instruction(struct vcpu *v, uint64_t esr)
{
    (void)esr;
    advance(v);
}

void exit_trap(struct vcpu *v)
{
    static void (*const handlers[ESR_EC_COUNT])(struct vcpu *, uint64_t) = {
        [EC_DATA_ABORT_LOWER] = data_abort,
        [EC_INSTRUCTION_ABORT_LOWER] = instruction_abort,
        [EC_HVC64] = hypercall,
        [EC_SMC64] = secure_call,
        [EC_SYSREG] = system_register,
        [EC_WFX] = wait_instruction,
    };
    uint64_t esr = v->page->syndrome;
    unsigned ec = esr_ec(esr);
    v->exits[ec]++;
    if (UNLIKELY(handlers[ec] == NULL)) { // nobody offers it: AArch32's coprocessors, for one
        inject_undefined(v);
    } else {
        handlers[ec](v, esr);
    }
}
