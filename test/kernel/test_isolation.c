// What a guest leaves in a core: neither another guest nor a process finds it. Every register of abi/vcpu.h's table, FP
// registers, and debug registers that are set to stop whatever runs.
#include "../harness/asm.h"
#include "../harness/report.h"
#include "../harness/vm.h"

#include <lib/syscall.h>
#include <lib/vcpu.h>

#define RW (MAP_READ | MAP_WRITE)

// ---- The table, as a guest and a process meet it ------------------------------------------------------------------

/* Bits that get a pattern, bits always set, the name for `mrs`; what a guest does to have x1 in it, and it in x1; when it
   must not try (x26 has a bit for each register that this core has and others have not). */
#define ROW(mask, set, name, write, read, unless) mask, set, name, write, read, unless
#define KEEPS(name, mask)                         ROW(mask, 0, name, "msr " name ", x1\n", "mrs x1, " name "\n", "")
#define KEEPS_ALL(name)                           KEEPS(name, FIELD(63, 0))

#define HAS_RAS BIT(0)
#define HAS_SME BIT(1)

#define QEMU_CONSTANTS 4u // MDSCR_EL1 is not tried; AMAIR_EL1, AFSR0_EL1 and AFSR1_EL1 keep nothing

#define ROW_SCTLR_EL1                                                                              \
    KEEPS("sctlr_el1", BIT(26) | BIT(24) | BIT(18) | BIT(16) | BIT(15) | BIT(14) | BIT(9))
#define ROW_CPACR_EL1      KEEPS("cpacr_el1", FIELD(21, 20))
#define ROW_CNTKCTL_EL1    KEEPS("cntkctl_el1", FIELD(9, 0))
#define ROW_MDSCR_EL1      ROW(0, 0, "mdscr_el1", "", "", "b 1f\n") // trapped: see test_debug
#define ROW_TTBR0_EL1      KEEPS_ALL("ttbr0_el1")
#define ROW_TTBR1_EL1      KEEPS_ALL("ttbr1_el1")
#define ROW_TCR_EL1        KEEPS("tcr_el1", FIELD(34, 0))
#define ROW_MAIR_EL1       KEEPS_ALL("mair_el1")
#define ROW_AMAIR_EL1      KEEPS_ALL("amair_el1")
#define ROW_VBAR_EL1       KEEPS("vbar_el1", FIELD(47, 11))
#define ROW_CONTEXTIDR_EL1 KEEPS("contextidr_el1", FIELD(31, 0))
#define ROW_AFSR0_EL1      KEEPS("afsr0_el1", FIELD(31, 0))
#define ROW_AFSR1_EL1      KEEPS("afsr1_el1", FIELD(31, 0))
#define ROW_ESR_EL1        KEEPS("esr_el1", FIELD(31, 0))
#define ROW_FAR_EL1        KEEPS_ALL("far_el1")
#define ROW_PAR_EL1        KEEPS("par_el1", FIELD(47, 12))
#define ROW_ELR_EL1        KEEPS_ALL("elr_el1")
#define ROW_SPSR_EL1       KEEPS("spsr_el1", FIELD(31, 28))
#define ROW_SP_EL1         ROW(FIELD(63, 0), 0, "sp_el1", "mov sp, x1\n", "mov x1, sp\n", "")
#define ROW_TPIDR_EL1      KEEPS_ALL("tpidr_el1")
#define ROW_CSSELR_EL1     KEEPS("csselr_el1", FIELD(1, 0))
#define ROW_CNTV_CTL_EL0                                                                           \
    ROW(BIT(0), BIT(1), "cntv_ctl_el0", "msr cntv_ctl_el0, x1\n", "mrs x1, cntv_ctl_el0\n", "")
#define ROW_CNTV_CVAL_EL0 KEEPS_ALL("cntv_cval_el0")
// Set by the VMM only; a guest sees them in other registers.
#define ROW_CNTVOFF_EL2                                                                            \
    ROW(FIELD(40, 24), 0, "cntvoff_el2", "",                                                       \
        "isb\nmrs x1, cntvct_el0\nmrs x2, cntpct_el0\nsub x1, x2, x1\n", "")
#define ROW_VMPIDR_EL2 ROW(FIELD(7, 0), 0, "vmpidr_el2", "", "mrs x1, mpidr_el1\n", "")
#define ROW_VPIDR_EL2  ROW(FIELD(31, 0), 0, "vpidr_el2", "", "mrs x1, midr_el1\n", "")
// A guest's DISR_EL1.
#define ROW_VDISR_EL2                                                                              \
    ROW(FIELD(24, 24) | FIELD(12, 0), 0, "S3_4_C12_C1_1", "msr S3_0_C12_C1_1, x1\n",               \
        "mrs x1, S3_0_C12_C1_1\n", "tbz x26, #0, 1f\n")
#define ROW_TPIDR2_EL0                                                                             \
    ROW(FIELD(63, 0), 0, "S3_3_C13_C0_5", "msr S3_3_C13_C0_5, x1\n", "mrs x1, S3_3_C13_C0_5\n",    \
        "tbz x26, #1, 1f\n")

#define APPLY(macro, ...) macro(__VA_ARGS__)

static const struct row {
    const char *name;
    uint64_t mask;
    uint64_t set;
} rows[VCPU_REGISTERS] = {
#define AS_ROW(mask, set, name, write, read, unless) {name, mask, set},
#define ROW_OF(name, reset)                          APPLY(AS_ROW, ROW_##name)
    VCPU_REGISTER_LIST(ROW_OF)};

static const uint64_t resets[VCPU_REGISTERS] = {
#define RESET_OF(name, reset) reset,
    VCPU_REGISTER_LIST(RESET_OF)};

// A guest's code. x0: where to read to. From guest_writes on: x3, what to write first.
#define AS_WRITE(mask, set, name, write, read, unless) "ldr x1, [x3], #8\n" unless write "1:\n"
#define WRITE_OF(name, reset)                          APPLY(AS_WRITE, ROW_##name)
#define AS_READ(mask, set, name, write, read, unless)                                              \
    "mov x1, #0\n" unless read "1: str x1, [x4], #8\n"
#define READ_OF(name, reset) APPLY(AS_READ, ROW_##name)
// A process's: functions of four bytes and a return.
#define AS_PROBE(mask, set, name, write, read, unless) "mrs x1, " name "\nret\n"
#define PROBE_OF(name, reset)                          APPLY(AS_PROBE, ROW_##name)

extern const char guest_look[], guest_writes[], guest_fp[], guest_registers_end[];
extern const char process_probes[];
// clang-format off
__asm__("    .text\n"
        "    .balign 8\n"
        "guest_writes:\n"
        VCPU_REGISTER_LIST(WRITE_OF)
        "    isb\n"
        "guest_look:\n"
        "    mov x4, x0\n"
        VCPU_REGISTER_LIST(READ_OF)
        "    hvc #1\n"
        "    b guest_look\n"
        // x20: a seed, x21, x22: fp_fill and fp_differs, x23: what differed, x24: how often.
        "guest_fp:\n"
        "    mov x1, #(3 << 20)\n"
        "    msr cpacr_el1, x1\n"
        "    isb\n"
        "1:  mov x0, x20\n"
        "    blr x21\n"
        "    hvc #0\n"
        "    mov x0, x20\n"
        "    blr x22\n"
        "    orr x23, x23, x0\n"
        "    add x20, x20, #2\n"
        "    subs x24, x24, #1\n"
        "    b.ne 1b\n"
        "    hvc #1\n"
        "    b .\n"
        "guest_registers_end:\n"
        "    .balign 8\n"
        "process_probes:\n"
        VCPU_REGISTER_LIST(PROBE_OF));
// clang-format on

#define CODE_AT    0x2000u // in guest memory, behind guest.S
#define FP_CODE_AT 0x3000u
#define WRITTEN_AT 0x5000u
#define READ_AT    0x6000u

static uint64_t in_guest(const char *code)
{
    return GUEST_RAM + CODE_AT + (uint64_t)(code - guest_writes);
}

static uint64_t features(const struct guest *g)
{
    uint64_t value[6];
    MUST(sys_vcpu_read(g->vcpu, VCPU_REG_ID_OF(4, 0), 2, value));
    return (field_get(value[0], 31, 28) != 0 ? HAS_RAS : 0) |
           (field_get(value[1], 27, 24) != 0 ? HAS_SME : 0);
}

static void set(const struct guest *g, unsigned reg, uint64_t value)
{
    MUST(sys_vcpu_write(g->vcpu, reg, 1, (const uint64_t[5]){value}));
}

struct machine {
    struct guest g;
    struct vmm *m;
    struct child vmm;
    uint64_t pattern[VCPU_REGISTERS];
    uint64_t first[VCPU_REGISTERS]; // what it read before the other one ran
};

static void begin(const struct guest *g, const char *code)
{
    guest_begin(g, DO_HVC);
    g->page->regs.pc = in_guest(code);
    g->page->regs.x[0] = GUEST_RAM + READ_AT;
    g->page->regs.x[3] = GUEST_RAM + WRITTEN_AT;
    g->page->regs.x[26] = features(g);
}

static struct guest guest_with_code(void)
{
    struct guest g = guest_new();
    memcpy(g.ram + CODE_AT, guest_writes, (size_t)(guest_registers_end - guest_writes));
    memcpy(g.ram + FP_CODE_AT, (const void *)(uintptr_t)fp_fill,
           (size_t)(fp_code_end - (const char *)(uintptr_t)fp_fill));
    return g;
}

static struct machine machine_new(uint64_t core)
{
    struct machine m = {.g = guest_with_code()};
    m.vmm = vmm_new(&m.g, &m.m, core, 0);
    return m;
}

static const uint64_t *look(const struct machine *m)
{
    child_stop(&m->vmm);
    child_aim(&m->vmm, vmm_run, m->m);
    child_start(&m->vmm);
    if (!child_done(&m->vmm, SURELY_MS) || !guest_called(m->g.page, GUEST_DONE)) {
        report(false, "the guest reads its registers (%lx)", m->g.page->syndrome);
    }
    return (const uint64_t *)(const void *)(m->g.ram + READ_AT);
}

static void set_by_vmm(const struct machine *m)
{
    for (unsigned i = 0; i < VCPU_REGISTERS; i++) {
        if (rows[i].mask != 0) {
            set(&m->g, i, m->pattern[i]);
        }
    }
}

static void compare(const struct machine *m, const uint64_t *found, const char *whose)
{
    for (unsigned i = 0; i < VCPU_REGISTERS; i++) {
        if (((found[i] ^ m->first[i]) & rows[i].mask) != 0) {
            report(false, "%s finds in %s what it had there (%lx, not %lx)", whose, rows[i].name,
                   found[i], m->first[i]);
        }
    }
}

// The one's registers are set by itself, the other's by its VMM, every bit to the opposite.
static void patterns(struct machine *one, struct machine *other)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    uint64_t *written = (uint64_t *)(void *)(one->g.ram + WRITTEN_AT);
    for (unsigned i = 0; i < VCPU_REGISTERS; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        uint64_t rest = (resets[i] & ~rows[i].mask) | rows[i].set;
        one->pattern[i] = rest | (seed & rows[i].mask);
        other->pattern[i] = rest | (~seed & rows[i].mask);
        written[i] = one->pattern[i];
    }
}

static bool is_the_vmms(unsigned i)
{
    return i == VCPU_REG_CNTVOFF_EL2 || i == VCPU_REG_VMPIDR_EL2 || i == VCPU_REG_VPIDR_EL2;
}

static void test_registers_of_two(void)
{
    uint64_t core = 1 % boot_info()->cores;
    struct machine one = machine_new(core);
    struct machine other = machine_new(core);
    patterns(&one, &other);
    set_by_vmm(&other);
    for (unsigned i = 0; i < VCPU_REGISTERS; i++) {
        if (is_the_vmms(i)) {
            set(&one.g, i, one.pattern[i]);
        }
    }
    begin(&one.g, guest_writes);
    begin(&other.g, guest_look);
    memcpy(other.first, look(&other), sizeof(other.first));
    memcpy(one.first, look(&one), sizeof(one.first));
    for (unsigned turn = 0; turn < 3; turn++) {
        compare(&other, look(&other), "a guest");
        compare(&one, look(&one), "the other guest");
    }
    unsigned apart = 0;
    for (unsigned i = 0; i < VCPU_REGISTERS; i++) {
        uint64_t kept = (one.first[i] ^ other.first[i]) & rows[i].mask;
        bool right = ((one.first[i] ^ one.pattern[i]) & kept) == 0;
        apart += kept != 0 && right;
        if (kept == 0) {
            say("      %s keeps nothing on this core", rows[i].name);
        }
    }
    uint64_t has = features(&one.g);
    unsigned silent = QEMU_CONSTANTS + ((has & HAS_RAS) == 0) + ((has & HAS_SME) == 0);
    report(apart + silent >= VCPU_REGISTERS, "two guests keep %u of %u registers apart", apart,
           VCPU_REGISTERS);
}

// ---- A process behind a guest ----------------------------------------------------------------------------------

static void (*probe_of(unsigned i))(void *)
{
    return (void (*)(void *))(uintptr_t)(process_probes + (size_t)i * 8);
}

static void test_registers_from_a_process(void)
{
    uint64_t core = 1 % boot_info()->cores;
    struct machine one = machine_new(core);
    struct machine other = machine_new(core);
    patterns(&one, &other);
    one.pattern[VCPU_REG_SCTLR_EL1] |= BIT(60); // EnTP2: its EL0 may use TPIDR2_EL0
    one.pattern[VCPU_REG_CNTKCTL_EL1] |= FIELD(1, 0) | FIELD(9, 8); // and all timers
    memcpy(one.g.ram + WRITTEN_AT, one.pattern, sizeof(one.pattern));
    begin(&one.g, guest_writes);
    (void)look(&one);
    struct child c = child_new(probe_of(0), NULL, &(struct child_options){.core = core});
    unsigned faults = 0;
    for (unsigned i = 0; i < VCPU_REGISTERS; i++) {
        struct message m;
        child_stop(&c);
        child_aim(&c, probe_of(i), NULL);
        child_start(&c);
        bool fault = child_fault(&c, &m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_USER &&
                     m.w[0] == (uint64_t)(uintptr_t)probe_of(i);
        faults += fault;
        if (!fault) {
            report(false, "a process cannot read %s", rows[i].name);
        }
        child_stop(&c);
        resume();
    }
    report(faults == VCPU_REGISTERS, "a process on a guest's core reads none of %u registers (%u)",
           VCPU_REGISTERS, faults);
}

// Shared with its process.
struct watched {
    volatile uint64_t word;
    volatile uint64_t turns;
};

static void work(void *argument)
{
    struct watched *w = argument;
    for (;;) {
        w->word++;
        w->turns = w->turns + 1;
    }
}

// Every breakpoint at an instruction of the process, every watchpoint at 2 GiB around what it uses, and single step.
static void set_traps(const struct guest *g, const struct watched *w)
{
    uint64_t around = (uint64_t)(uintptr_t)w & ~FIELD(30, 0);
    for (unsigned i = 0; i < 16; i++) {
        set(g, VCPU_REG_DBGBVR + i, (uint64_t)(uintptr_t)work + 4 * (uint64_t)i);
        set(g, VCPU_REG_DBGBCR + i, BIT(0) | FIELD(2, 1) | FIELD(8, 5));
        set(g, VCPU_REG_DBGWVR + i, around);
        set(g, VCPU_REG_DBGWCR + i, BIT(0) | FIELD(4, 1) | FIELD(12, 5) | FIELD(28, 24));
    }
    set(g, VCPU_REG_MDSCR_EL1, BIT(0) | BIT(13) | BIT(15));
}

static void test_debug(void)
{
    uint64_t core = 1 % boot_info()->cores;
    handle_t frames;
    struct watched *w = map_new(PAGE_SIZE, &frames);
    struct machine one = machine_new(core);
    volatile uint64_t *count = (volatile uint64_t *)(one.g.ram + GUEST_DATA);
    guest_begin(&one.g, DO_COUNT);
    set_traps(&one.g, w);
    struct child c = child_new(work, w, &(struct child_options){.core = core});
    child_map(&c, frames, w, RW);
    child_start(&one.vmm);
    bool counts = word_reaches(count, 1000);
    child_start(&c);
    for (unsigned turn = 0; turn < 5; turn++) {
        counts = counts && word_reaches(count, *count + 1000) &&
                 word_reaches(&w->turns, w->turns + 1000);
    }
    report(counts, "a guest with single step, all breakpoints and all watchpoints goes on");
    report(child_state(&c) != THREAD_FAULTED && child_state(&one.vmm) != THREAD_FAULTED,
           "and no process beside it notices");
    child_stop(&c);
    child_stop(&one.vmm);
}

// ---- FP -------------------------------------------------------------------------------------------------------

#define FP_TURNS 50u

// Shared with its VMM.
struct fp_vmm {
    const struct vcpu_page *page;
    uint64_t seed;
    volatile uint64_t wrong;
    volatile uint64_t exits;
};

static void run_with_fp(void *argument)
{
    struct fp_vmm *m = argument;
    uint64_t bits;
    do {
        m->seed += 2;
        fp_fill(m->seed);
        int64_t result = vcpu_run(DEADLINE_NEVER, 0, &bits);
        m->wrong |= result == VCPU_TRAP ? fp_differs(m->seed) : UINT64_MAX;
        m->exits++;
    } while (!guest_called(m->page, GUEST_DONE) && m->exits <= FP_TURNS);
}

static void test_vmm_with_fp(void)
{
    uint64_t core = 1 % boot_info()->cores;
    struct guest guest[2];
    struct child c[2];
    struct fp_vmm *m[2];
    for (unsigned i = 0; i < 2; i++) {
        guest[i] = guest_with_code();
        begin(&guest[i], guest_fp);
        uint64_t *x = guest[i].page->regs.x;
        x[20] = 1000 + i;
        x[21] = GUEST_RAM + FP_CODE_AT;
        x[22] = x[21] + (uint64_t)((uintptr_t)fp_differs - (uintptr_t)fp_fill);
        x[23] = 0;
        x[24] = FP_TURNS;
        handle_t frames;
        m[i] = map_new(sizeof(**m), &frames);
        *m[i] = (struct fp_vmm){.page = guest[i].page, .seed = 5000 + i};
        c[i] = vmm_child(&guest[i], run_with_fp, m[i], frames,
                         &(struct child_options){.core = core, .flags = THREAD_FP});
    }
    child_start(&c[0]);
    child_start(&c[1]);
    for (unsigned i = 0; i < 2; i++) {
        bool done = child_done(&c[i], SURELY_MS);
        const uint64_t *x = guest[i].page->regs.x;
        report(done && x[24] == 0 && x[23] == 0 && m[i]->exits == FP_TURNS + 1,
               "FP registers of guest %u outlive its VMM's use of its own (%lu)", i, x[23]);
        report(m[i]->wrong == 0, "and the VMM's outlive the guest's (%lu)", m[i]->wrong);
    }
}

static const struct test_case cases[] = {
    {"registers of two guests", test_registers_of_two},
    {"registers from a process", test_registers_from_a_process},
    {"debug", test_debug},
    {"a VMM with FP", test_vmm_with_fp},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}
