// Processes that make any system call with any arguments, and guests of theirs, on two cores of the fake machine. They
// share a capability space with three of each object and the authority to make more; the first process, on a core of
// its own, starts their threads again. The input is a list of steps, a byte each with its operands behind it. What must
// hold: neither the sanitizers nor the fake machine see misuse, the kernel's data is consistent at the end, and then
// all memory comes back. Comparisons are not traced: the checks make most of them, it would take twice the time.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
// flags: -Itest/unit -fno-sanitize-coverage=trace-cmp
#include <stdlib.h>

#include <kernel_fixture.h>

#include "percpu.h"
#include "vcpu.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CORES     3u // the first process has core 0
#define THREADS   3u
#define SLOTS     64u
#define PRIORITY  100u
#define STEPS_MAX 400u // of one input: what takes long finds nothing new

// Handles that all of them have; from H_FREE on the capability space is theirs to fill.
enum {
    H_CSPACE = 1,
    H_TIME,
    H_IRQ_CONTROL,
    H_DEVICES,
    H_CONSOLE,
    H_SMC,
    H_POWER, // without the right to use it
    H_UNTYPED,
    H_SMALL_UNTYPED,
    H_THREAD,
};
#define H_SPACE        (H_THREAD + THREADS)
#define H_NOTIFICATION (H_SPACE + THREADS)
#define H_ENDPOINT     (H_NOTIFICATION + THREADS)
#define H_FRAMES       (H_ENDPOINT + THREADS)
#define H_VCPU         (H_FRAMES + THREADS)
#define H_GUEST        (H_VCPU + THREADS) // spaces

static uint64_t threads[THREADS]; // the first process's handles

// ---- The input ----------------------------------------------------------------------------------------------------

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

// Most bytes are what they are: a handle, an index, a count. The others are sizes and addresses, or absurd.
static uint64_t take_argument(struct input *in)
{
    uint8_t b = take(in);
    switch (b >> 4) {
    case 0xb:
        return fake.now + 16 * (b & 0xfu); // deadlines
    case 0xc:
        return (uint64_t)PAGE_SIZE * (b & 0xfu);
    case 0xd:
        return LARGE_PAGE_SIZE + (uint64_t)PAGE_SIZE * take(in);
    case 0xe:
        return (b & 8u ? UINT64_MAX : 0) ^ 1ull << take(in) % 64;
    case 0xf:
        return take_bytes(in, 1 + b % 8u);
    default:
        return b;
    }
}

// ---- Their world --------------------------------------------------------------------------------------------------

static void give(uint64_t cspace, uint64_t to, uint64_t handle, unsigned rights, uint64_t badge)
{
    SYS_OK(0, copy, BOOT_CSPACE, handle, cspace, to, rights, badge);
}

static void hand_over(uint64_t cspace, uint64_t to, uint64_t handle)
{
    SYS_OK(0, move, BOOT_CSPACE, handle, cspace, to);
}

static void bind_all(uint64_t thread, const uint64_t held[THREAD_SLOT_COUNT])
{
    for (unsigned i = 0; i < THREAD_SLOT_COUNT; i++) {
        SYS_OK(0, thread_bind, thread, i, held[i]);
    }
}

static void build_thread(unsigned i, uint64_t cspace, uint64_t fault)
{
    uint64_t thread = world_make(OBJ_THREAD, 0);
    uint64_t space = world_make(OBJ_SPACE, 6);
    uint64_t notification = world_make(OBJ_NOTIFICATION, 0);
    uint64_t endpoint = world_make(OBJ_ENDPOINT, 0);
    uint64_t frames = world_make(OBJ_FRAMES, PAGE_SIZE);
    uint64_t vcpu = world_make(OBJ_VCPU, 0);
    uint64_t guest = world_make(OBJ_SPACE, SPACE_GUEST | 4);
    SYS_OK(0, vcpu_bind, vcpu, VCPU_SPACE, guest);
    SYS_OK(0, vcpu_bind, vcpu, VCPU_PAGE, frames);
    bind_all(thread, (const uint64_t[THREAD_SLOT_COUNT]){cspace, space, notification, endpoint,
                                                         fault, frames, vcpu});
    SYS_OK(0, thread_flags, thread, i == 0 ? THREAD_PASSIVE | THREAD_FP : THREAD_FP);
    SYS_OK(0, thread_time, thread, BOOT_TIME, PRIORITY - i, 1 + i % 2, 100, 100 + 50 * i);
    threads[i] = world_copy(thread, RIGHT_WRITE, 0);
    hand_over(cspace, H_THREAD + i, thread);
    hand_over(cspace, H_SPACE + i, space);
    hand_over(cspace, H_NOTIFICATION + i, notification);
    hand_over(cspace, H_ENDPOINT + i, endpoint);
    hand_over(cspace, H_FRAMES + i, frames);
    hand_over(cspace, H_VCPU + i, vcpu);
    hand_over(cspace, H_GUEST + i, guest);
}

static void build(void)
{
    uint64_t cspace = world_make(OBJ_CSPACE, SLOTS);
    uint64_t faults = world_make(OBJ_ENDPOINT, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        build_thread(i, cspace, faults);
    }
    give(cspace, H_CSPACE, cspace, RIGHT_ALL, 0);
    give(cspace, H_TIME, BOOT_TIME, RIGHT_WRITE | RIGHT_COPY,
         TIME_BADGE(PRIORITY, BIT(1) | BIT(2)));
    give(cspace, H_IRQ_CONTROL, BOOT_IRQ_CONTROL, RIGHT_WRITE | RIGHT_COPY, 0);
    give(cspace, H_DEVICES, BOOT_DEVICE_MEMORY, RIGHT_WRITE | RIGHT_COPY, 0);
    give(cspace, H_CONSOLE, BOOT_CONSOLE, RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_COPY, 0);
    give(cspace, H_SMC, BOOT_SMC, RIGHT_WRITE | RIGHT_COPY, 0);
    give(cspace, H_POWER, BOOT_POWER, RIGHT_COPY, 0);
    hand_over(cspace, H_UNTYPED, world_make(OBJ_UNTYPED, 0x40000));
    hand_over(cspace, H_SMALL_UNTYPED, world_make(OBJ_UNTYPED, 0x4000));
    for (unsigned i = 0; i < THREADS; i++) {
        SYS_OK(0, thread_start, threads[i]);
    }
}

// ---- Steps --------------------------------------------------------------------------------------------------------

enum step { // after the system calls' numbers
    STEP_UNKNOWN_CALL = SYSCALL_COUNT,
    STEP_VCPU_RUN,
    STEP_POST,
    STEP_FAULT,
    STEP_FP,
    STEP_START,
    STEP_IRQ,
    STEP_TIME,
    STEP_INTERRUPT,
    STEP_COUNT,
};

static void make_call(struct input *in, unsigned core, unsigned number)
{
    uint64_t args[8] = {0};
    unsigned given = take(in) % 9;
    for (unsigned i = 0; i < given; i++) {
        args[i] = take_argument(in);
    }
    (void)world_call(core, number, args);
}

// What a VMM writes into its page.
static void post(struct input *in, const struct thread *t)
{
    struct vcpu_page *page = t->vcpu != NULL ? t->vcpu->page : NULL;
    unsigned source = take(in) % VCPU_SOURCES;
    uint64_t word = take_argument(in);
    if (page != NULL) {
        page->source[source] = word;
        page->enabled |= BIT(source);
        page->pending |= BIT(source);
        page->attention |= take(in);
    }
}

static void act_as_guest(struct input *in, unsigned core)
{
    switch (take(in) % 3) {
    case 0:
        (void)fake_vcpu_wfi(core);
        break;
    case 1:
        (void)fake_vcpu_take(core);
        break;
    default:
        (void)fake_vcpu_trap(core);
        break;
    }
}

// What the running thread does.
static void act(struct input *in, unsigned core, unsigned step)
{
    struct thread *t = percpu[core].current;
    if (t == NULL) {
        return;
    }
    if (arch_guest_mode(&t->regs)) {
        act_as_guest(in, core);
        return;
    }
    switch (step) {
    case STEP_VCPU_RUN:
        (void)fake_vcpu_run(core, take_argument(in));
        break;
    case STEP_POST:
        post(in, t);
        break;
    case STEP_FAULT:
        (void)fake_fault(core, FAULT_VM, take_argument(in));
        break;
    case STEP_FP:
        fake_fp_use(core);
        break;
    default:
        make_call(in, core, step);
        break;
    }
}

static void start(unsigned i)
{
    if (percpu[0].current == world.init) {
        (void)SYS(0, thread_start, threads[i]);
    }
}

static void step(struct input *in)
{
    uint8_t b = take(in);
    unsigned core = 1 + b % 2;
    unsigned step = b / 2 % STEP_COUNT;
    switch (step) {
    case STEP_START:
        start(take(in) % THREADS);
        break;
    case STEP_IRQ:
        (void)fake_irq_raise(FAKE_IRQ_FIRST + take(in) % FAKE_IRQ_COUNT);
        break;
    case STEP_TIME:
        fake_advance(take(in));
        break;
    case STEP_INTERRUPT:
        fake.interrupt_in = take(in);
        break;
    default:
        act(in, core, step);
        break;
    }
    fake_settle();
}

// The fixture's asserts end the program at once, and say which it was.
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return setenv("CMOCKA_TEST_ABORT", "1", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    world_start(CORES);
    world.careless = true;
    build();
    for (unsigned i = 0; i < STEPS_MAX && in.left > 0; i++) {
        step(&in);
    }
    fake.interrupt_in = 0;
    check_kernel(false);
    world_end();
    return 0;
}
