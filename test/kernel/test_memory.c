// Memory in a running kernel: what a process may touch, what it may not, and what mapping refuses.
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>

#define RW (MAP_READ | MAP_WRITE)
#define RX (MAP_READ | MAP_EXECUTE)

// ---- What a process does ------------------------------------------------------------------------------------

enum access { READ, WRITE, EXECUTE, UNALIGNED_READ, EXCLUSIVE };

struct attempt {
    enum access access;
    uint64_t address;
    volatile uint64_t value; // read, or to write
    volatile uint64_t done;
};

static uint64_t load_exclusive(uint64_t address)
{
    uint64_t value;
    __asm__ volatile("ldxr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static void attempt(void *argument)
{
    struct attempt *a = argument;
    uint64_t value;
    switch (a->access) {
    case READ:
        a->value = *(volatile uint64_t *)a->address;
        break;
    case WRITE:
        *(volatile uint64_t *)a->address = a->value;
        break;
    case EXECUTE:
        ((void (*)(void))a->address)();
        break;
    case UNALIGNED_READ:
        __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(a->address) : "memory");
        a->value = value;
        break;
    case EXCLUSIVE:
        a->value = load_exclusive(a->address);
        break;
    }
    a->done = 1;
}

// A process to try things with.
struct subject {
    struct child child;
    struct attempt *attempt;
};

static struct subject subject_new(void)
{
    handle_t shared;
    struct subject s = {.attempt = map_new(PAGE_SIZE, &shared)};
    s.child =
        child_new(attempt, s.attempt, &(struct child_options){.core = boot_info()->cores - 1});
    child_map(&s.child, shared, s.attempt, RW);
    return s;
}

static void begin(const struct subject *s, enum access access, uint64_t address)
{
    child_stop(&s->child);
    s->attempt->access = access;
    s->attempt->address = address;
    s->attempt->done = 0;
    child_aim(&s->child, attempt, s->attempt);
    child_start(&s->child);
}

static bool works(const struct subject *s, enum access access, uint64_t address)
{
    begin(s, access, address);
    return child_done(&s->child, SURELY_MS) && s->attempt->done == 1;
}

// Does it fault there, with this label?
static bool faults_so(const struct subject *s, enum access access, uint64_t address,
                      enum fault_label label)
{
    struct message m;
    begin(s, access, address);
    bool there =
        child_fault(&s->child, &m, SURELY_MS) && INFO_LABEL(m.info) == label && m.w[1] == address;
    bool fetch = m.w[3] == (access == EXECUTE);
    return there && fetch && s->attempt->done == 0 && child_state(&s->child) == THREAD_FAULTED;
}

static bool faults(const struct subject *s, enum access access, uint64_t address)
{
    return faults_so(s, access, address, FAULT_VM);
}

// ---- Outside the mappings -----------------------------------------------------------------------------------

static void test_outside(void)
{
    static const struct {
        uint64_t address;
        const char *name;
    } outside[] = {
        {0, "address 0"},
        {0x1000, "the second page"},
        {BOOT_INFO_ADDRESS, "what only init has"},
        {0x8000000, "where the interrupt controller is"},
        {0x9000000, "where the UART is"},
        {0x40000000, "where memory is"},
        {0x40200000, "where the kernel is"},
        {1ull << 38, "far up"},
        {(1ull << 40) - 8, "the last word of 40 bits"},
        {1ull << 44, "beyond 44 bits"},
        {0x0000800000000000, "where the kernel sees itself"},
        {0xffff800000000000, "the upper half"},
        {~7ull, "the last word of all"},
    };
    struct subject s = subject_new();
    report(works(&s, READ, (uint64_t)s.attempt), "a process reads its memory");
    for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
        report(faults(&s, READ, outside[i].address), "it does not read %s", outside[i].name);
        report(faults(&s, WRITE, outside[i].address), "it does not write %s", outside[i].name);
        report(faults(&s, EXECUTE, outside[i].address), "it does not execute %s", outside[i].name);
    }
    report(works(&s, READ, (uint64_t)s.attempt), "afterwards it still reads its memory");
}

static void test_edges_of_a_mapping(void)
{
    struct subject s = subject_new();
    uint64_t at = address_new(4 * PAGE_SIZE);
    handle_t f = make(OBJ_FRAMES, 2 * PAGE_SIZE);
    MUST(sys_map(f, s.child.space, at + PAGE_SIZE, RW));
    report(faults(&s, READ, at + PAGE_SIZE - 8) && works(&s, READ, at + PAGE_SIZE) &&
               works(&s, READ, at + 3 * PAGE_SIZE - 8) && faults(&s, READ, at + 3 * PAGE_SIZE),
           "a mapping begins and ends where it should");
    report(works(&s, UNALIGNED_READ, at + 2 * PAGE_SIZE - 3),
           "an unaligned read across two of its pages works");
    report(works(&s, EXCLUSIVE, at + PAGE_SIZE), "so does an exclusive one");
    struct message m;
    begin(&s, UNALIGNED_READ, at + 3 * PAGE_SIZE - 3);
    report(child_fault(&s.child, &m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_VM,
           "one across its end does not");
    begin(&s, EXECUTE, (uint64_t)attempt + 2);
    report(child_fault(&s.child, &m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_USER,
           "a misaligned jump is a fault of its own kind");
}

static void test_own_text_and_data(void)
{
    struct subject s = subject_new();
    uint64_t text = (uint64_t)attempt & ~7ull;
    uint64_t stack = s.child.stack_top - 64;
    report(works(&s, READ, text), "a process reads its text");
    report(faults(&s, WRITE, text), "it does not write it");
    report(faults(&s, EXECUTE, stack), "it does not execute its stack");
    report(faults(&s, EXECUTE, (uint64_t)s.attempt + 64), "nor its data");
    report(faults(&s, EXECUTE, s.child.stack_top), "nor its message page");
}

// `ret`, so that executing it comes back.
static void write_return(handle_t f)
{
    uint64_t at = address_new(PAGE_SIZE);
    handle_t mapped = copy_all(f);
    MUST(sys_map(mapped, BOOT_SPACE, at, RW));
    *(volatile uint32_t *)at = 0xd65f03c0;
    MUST(sys_unmap(mapped));
}

static void test_rights_of_a_mapping(void)
{
    struct subject s = subject_new();
    uint64_t at = address_new(PAGE_SIZE);
    handle_t f = make(OBJ_FRAMES, PAGE_SIZE);
    write_return(f);
    MUST(sys_map(f, s.child.space, at, MAP_READ));
    report(works(&s, READ, at), "a page mapped for reading is read");
    report(faults(&s, WRITE, at), "and not written");
    report(faults(&s, EXECUTE, at), "and not executed");
    MUST(sys_unmap(f));
    MUST(sys_map(f, s.child.space, at, RX));
    report(works(&s, EXECUTE, at), "mapped for executing, it is executed");
    report(faults(&s, WRITE, at), "and not written");
    MUST(sys_unmap(f));
    report(faults(&s, READ, at) && faults(&s, EXECUTE, at), "unmapped, it is not there");
}

// ---- What mapping refuses -----------------------------------------------------------------------------------

static void test_wrong_mappings_are_refused(void)
{
    handle_t f = make(OBJ_FRAMES, 2 * PAGE_SIZE);
    handle_t read_only = copy_of(f, RIGHT_READ | RIGHT_COPY, 0);
    handle_t no_execute = copy_of(f, RIGHT_READ | RIGHT_WRITE, 0);
    handle_t nothing = copy_of(f, 0, 0);
    handle_t sp = make(OBJ_SPACE, 8);
    handle_t weak = copy_of(sp, RIGHT_READ, 0);
    uint64_t at = 0x10000000;
    report_err(sys_map(f, sp, at, MAP_READ | MAP_WRITE | MAP_EXECUTE), ERR_INVALID,
               "write and execute together are refused");
    report_err(sys_map(f, sp, at, MAP_WRITE), ERR_INVALID, "so is write alone");
    report_err(sys_map(f, sp, at, MAP_EXECUTE), ERR_INVALID, "and execute alone");
    report_err(sys_map(f, sp, at, 0), ERR_INVALID, "and nothing at all");
    report_err(sys_map(f, sp, at, 16 | MAP_READ), ERR_INVALID, "and flags that do not exist");
    report_err(sys_map(f, sp, at, 1ull << 32 | MAP_READ), ERR_INVALID, "in the upper half, too");
    report_err(sys_map(read_only, sp, at, RW), ERR_RIGHTS, "writing needs the right to write");
    report_err(sys_map(no_execute, sp, at, RX), ERR_RIGHTS, "executing needs the right to execute");
    report_err(sys_map(nothing, sp, at, MAP_READ), ERR_RIGHTS, "reading needs the right to read");
    report_err(sys_map(f, weak, at, MAP_READ), ERR_RIGHTS,
               "a space is changed with the right to write it");
    report_err(sys_map(f, sp, at + 1, MAP_READ), ERR_ALIGN, "addresses are aligned to pages");
    report_err(sys_map(f, sp, at + 0x800, MAP_READ), ERR_ALIGN, "not to half pages");
    report_err(sys_map(f, sp, 1ull << 63, MAP_READ), ERR_RANGE, "there is nothing at 2^63");
    report_err(sys_map(f, sp, -(uint64_t)PAGE_SIZE, MAP_READ), ERR_RANGE, "nor at the very end");
    report_err(sys_map(sp, sp, at, MAP_READ), ERR_TYPE, "a space is not mapped");
    report_err(sys_map(f, f, at, MAP_READ), ERR_TYPE, "frames are no space");
    report_err(sys_unmap(sp), ERR_TYPE, "a space is not unmapped");
    report_err(sys_unmap(f), OK, "unmapping what is not mapped changes nothing");
    report_err(sys_map(f, sp, at, RW), OK, "after all that, mapping works");
    report_err(sys_map(f, sp, at + 0x10000, RW), ERR_BUSY, "a handle maps once");
    report_err(sys_map(read_only, sp, at + PAGE_SIZE, MAP_READ), ERR_OCCUPIED,
               "a page that is taken stays as it is");
    report_err(sys_map(read_only, sp, at + 2 * PAGE_SIZE, MAP_READ), OK,
               "and nothing of the attempt is left");
}

static void test_end_of_the_address_space(void)
{
    static const unsigned sizes[] = {32, 36, 40, 42, 44, 48};
    handle_t sp = make(OBJ_SPACE, 8);
    handle_t two = make(OBJ_FRAMES, 2 * PAGE_SIZE);
    handle_t one = copy_of(two, RIGHT_ALL, FRAMES_RANGE(0, 1));
    unsigned bits = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (sys_map(one, sp, BIT(sizes[i]) - PAGE_SIZE, RW) == OK) {
            bits = sizes[i];
            MUST(sys_unmap(one));
        }
    }
    report(bits >= 36, "the address space has %u bits", bits);
    report_err(sys_map(one, sp, BIT(bits), RW), ERR_RANGE, "behind its last page is nothing");
    report_err(sys_map(two, sp, BIT(bits) - PAGE_SIZE, RW), ERR_RANGE,
               "and nothing crosses its end");
}

// How many tables a single page needs on this machine.
static unsigned tables_of_a_page(handle_t page)
{
    unsigned count = 0;
    while (sys_map(page, make(OBJ_SPACE, count), 0, RW) == ERR_NO_MEMORY && count < 4) {
        count++;
    }
    MUST(sys_unmap(page));
    return count;
}

static void test_tables_run_out(void)
{
    handle_t f = make(OBJ_FRAMES, 2 * PAGE_SIZE);
    handle_t one = copy_of(f, RIGHT_ALL, FRAMES_RANGE(0, 1));
    unsigned tables = tables_of_a_page(one);
    handle_t sp = make(OBJ_SPACE, tables);
    report(tables == 2 || tables == 3, "a page needs %u tables", tables);
    report_err(sys_map(f, sp, LARGE_PAGE_SIZE - PAGE_SIZE, RW), ERR_NO_MEMORY,
               "two across a border need one more");
    report_err(sys_map(one, sp, LARGE_PAGE_SIZE - PAGE_SIZE, RW), OK,
               "nothing of them is left, the tables are free again");
    MUST(sys_unmap(one));
    report_err(sys_map(one, sp, BIT(35), RW), OK, "unmapping gives tables back");
}

// Maps 8 MiB page by page (the address is not aligned to more): longer than one system call's work, so that the call
// is interrupted and resumed, and is refused at its last page.
static void test_refused_at_the_last_page(void)
{
    const uint64_t bytes = 4 * LARGE_PAGE_SIZE;
    const uint64_t at = BIT(30) + PAGE_SIZE;
    handle_t sp = make(OBJ_SPACE, 16);
    handle_t f = make(OBJ_FRAMES, bytes);
    handle_t last = copy_of(f, RIGHT_ALL, FRAMES_RANGE(0, 1));
    handle_t all = copy_all(f);
    MUST(sys_map(last, sp, at + bytes - PAGE_SIZE, RW));
    report_err(sys_map(f, sp, at, RW), ERR_OCCUPIED, "2048 pages are refused because of the last");
    MUST(sys_unmap(last));
    report_err(sys_map(all, sp, at, MAP_READ), OK, "nothing of them is left");
    report_err(sys_unmap(all), OK, "they are unmapped");
    report_err(sys_map(f, sp, at, MAP_READ), OK, "and mapped again");
}

// ---- Large mappings -----------------------------------------------------------------------------------------

static void stamp(uint64_t at, uint64_t pages, uint64_t seed)
{
    for (uint64_t i = 0; i < pages; i++) {
        *(volatile uint64_t *)(at + i * PAGE_SIZE) = seed + i;
    }
}

static bool stamped(uint64_t at, uint64_t first, uint64_t pages, uint64_t seed)
{
    for (uint64_t i = 0; i < pages; i++) {
        if (*(volatile uint64_t *)(at + i * PAGE_SIZE) != seed + first + i) {
            return false;
        }
    }
    return true;
}

static void test_blocks(void)
{
    const uint64_t pages = 3 * 512;
    uint64_t at = address_new(4 * LARGE_PAGE_SIZE);
    uint64_t other = address_new(4 * LARGE_PAGE_SIZE);
    handle_t f = make(OBJ_FRAMES, pages * PAGE_SIZE);
    MUST(sys_map(f, BOOT_SPACE, at, RW));
    stamp(at, pages, 1000);
    static const struct {
        uint64_t first;
        uint64_t pages;
        uint64_t offset; // of the address
        const char *name;
    } views[] = {
        {0, 3 * 512, 0, "blocks"},
        {0, 3 * 512, PAGE_SIZE, "the same, at an address that fits no block"},
        {512, 512, 0, "one block out of the middle"},
        {511, 514, 511 * PAGE_SIZE, "a page, a block and a page"},
        {5, 600, 5 * PAGE_SIZE, "pages up to a block, and pages behind it"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(views); i++) {
        handle_t view = copy_of(f, RIGHT_READ, FRAMES_RANGE(views[i].first, views[i].pages));
        err_t err = sys_map(view, BOOT_SPACE, other + views[i].offset, MAP_READ);
        report(err == OK && stamped(other + views[i].offset, views[i].first, views[i].pages, 1000),
               "another view shows the same memory: %s", views[i].name);
        MUST(sys_unmap(view));
    }
}

static void test_page_out_of_a_block_is_refused(void)
{
    uint64_t at = address_new(LARGE_PAGE_SIZE);
    handle_t f = make(OBJ_FRAMES, LARGE_PAGE_SIZE);
    handle_t page = copy_of(f, RIGHT_ALL, FRAMES_RANGE(7, 1));
    MUST(sys_map(f, BOOT_SPACE, at, RW));
    report_err(sys_map(page, BOOT_SPACE, at + 9 * PAGE_SIZE, RW), ERR_OCCUPIED,
               "a page inside of a block is taken");
    MUST(sys_unmap(f));
    MUST(sys_map(page, BOOT_SPACE, at + 9 * PAGE_SIZE, RW));
    report_err(sys_map(f, BOOT_SPACE, at, RW), ERR_OCCUPIED, "a block over a page is refused");
}

// ---- Sharing ------------------------------------------------------------------------------------------------

static void test_shared_between_spaces(void)
{
    struct subject s = subject_new();
    handle_t f;
    volatile uint64_t *mine = map_new(PAGE_SIZE, &f);
    uint64_t theirs = address_new(PAGE_SIZE);
    MUST(sys_map(copy_all(f), s.child.space, theirs, RW));
    *mine = 0x1122334455667788;
    report(works(&s, READ, theirs) && s.attempt->value == 0x1122334455667788,
           "what one space writes the other reads");
    s.attempt->value = 42;
    report(works(&s, WRITE, theirs) && *mine == 42, "and the other way");
    handle_t uncached = copy_all(f);
    uint64_t past_the_cache = address_new(PAGE_SIZE);
    MUST(sys_map(uncached, s.child.space, past_the_cache, RW | MAP_UNCACHED));
    report(works(&s, READ, past_the_cache) && s.attempt->value == 42,
           "an uncached view shows the same");
    MUST(sys_unmap(uncached));
    report_err(sys_map(uncached, s.child.space, past_the_cache, RX | MAP_UNCACHED), OK,
               "uncached text is mapped");
}

static void read_for_ever(void *argument)
{
    struct attempt *a = argument;
    for (;;) {
        a->value = *(volatile uint64_t *)a->address;
        a->done++;
    }
}

// Two threads in one space, on different cores if there are several: neither reads a page once it is unmapped.
static void test_unmapping_reaches_every_core(void)
{
    handle_t shared;
    struct attempt *a = map_new(PAGE_SIZE, &shared);
    uint64_t at = address_new(PAGE_SIZE);
    uint64_t last = boot_info()->cores - 1;
    struct child c[2];
    c[0] = child_new(read_for_ever, &a[0], &(struct child_options){.core = 0});
    child_map(&c[0], shared, a, RW);
    c[1] = child_new(read_for_ever, &a[1], &(struct child_options){.core = last, .beside = &c[0]});
    handle_t f = make(OBJ_FRAMES, PAGE_SIZE);
    a[0].address = at;
    a[1].address = at;
    bool all = true;
    for (unsigned round = 0; all && round < 50; round++) {
        MUST(sys_map(f, c[0].space, at, MAP_READ));
        for (unsigned i = 0; i < 2; i++) {
            uint64_t before = a[i].done;
            child_start(&c[i]);
            all = all && word_reaches(&a[i].done, before + 10);
        }
        MUST(sys_unmap(f));
        uint64_t done[2] = {a[0].done, a[1].done};
        all = all && child_reaches(&c[0], THREAD_FAULTED) && child_reaches(&c[1], THREAD_FAULTED);
        // A read that was under way when the page went may still have been counted.
        all = all && a[0].done <= done[0] + 1 && a[1].done <= done[1] + 1;
    }
    report(all, "two readers on two cores stop when their page is unmapped, 50 times");
}

// ---- Devices ------------------------------------------------------------------------------------------------

static err_t device(uint64_t physical, uint64_t pages, handle_t to)
{
    return sys_device_frames(BOOT_DEVICE_MEMORY, memory(), physical, pages, BOOT_CSPACE, to);
}

static void test_device_memory(void)
{
    struct identified id;
    handle_t h = handle_new();
    uint64_t uart = boot_info()->console_base;
    uint64_t ram = boot_info()->untyped[0].base;
    MUST(identify(memory(), &id));
    report_err(device(ram, 1, h), ERR_RANGE, "memory is not handed out as a device");
    report_err(device(id.physical, 1, h), ERR_RANGE, "nor is one's own");
    report_err(device(0x40000000, 1, h), ERR_RANGE, "nor is the first page of memory");
    report_err(device(0x3ffff000, 2, h), ERR_RANGE, "nor pages that reach into it");
    report_err(device(0, 0x100000, h), ERR_RANGE, "nor everything up to 4 GiB");
    report_err(device(0x8000000, 1, h), ERR_RANGE, "nor is the interrupt controller");
    report_err(device(uart + 4, 1, h), ERR_ALIGN, "addresses are aligned to pages");
    report_err(device(uart, 0, h), ERR_INVALID, "no pages are no device");
    report_err(device(uart, ~0ull, h), ERR_INVALID, "nor are too many");
    report_err(device(~0xfffull, 1, h), ERR_INVALID, "nor the end of all addresses");
    report_err(device(uart, 1, h), OK, "the UART is handed out");
    uint64_t at = address_new(PAGE_SIZE);
    report_err(sys_map(h, BOOT_SPACE, at, RX), ERR_INVALID, "a device is not mapped executable");
    report_err(sys_map(h, BOOT_SPACE, at, RW), OK, "but for reading and writing");
    report((*(volatile uint32_t *)(at + 0xfe0) & 0xff) == 0x11,
           "its identification register is there");
    handle_t t = make(OBJ_THREAD, 0);
    handle_t page = copy_of(h, RIGHT_ALL, 0);
    report_err(sys_thread_bind(t, THREAD_MESSAGE, page), ERR_INVALID,
               "a device is no message page");
}

// What the kernel itself uses is not reachable through the frames that boot gave.
static void test_boot_frames_are_read_only(void)
{
    handle_t sp = make(OBJ_SPACE, 64);
    report_err(sys_map(copy_all(BOOT_BUNDLE), sp, 0x80000000, RW), ERR_RIGHTS,
               "the bundle is not written");
    report_err(sys_map(copy_all(BOOT_FDT), sp, 0, RW), ERR_RIGHTS, "nor is the device tree");
    report_err(sys_map(copy_all(BOOT_FDT), sp, 0, RX), ERR_RIGHTS, "which is not executed, either");
}

static const struct test_case cases[] = {
    {"outside the mappings", test_outside},
    {"edges of a mapping", test_edges_of_a_mapping},
    {"own text and data", test_own_text_and_data},
    {"rights of a mapping", test_rights_of_a_mapping},
    {"wrong mappings are refused", test_wrong_mappings_are_refused},
    {"the end of the address space", test_end_of_the_address_space},
    {"tables run out", test_tables_run_out},
    {"refused at the last page", test_refused_at_the_last_page},
    {"blocks", test_blocks},
    {"a page out of a block", test_page_out_of_a_block_is_refused},
    {"shared between spaces", test_shared_between_spaces},
    {"unmapping reaches every core", test_unmapping_reaches_every_core},
    {"device memory", test_device_memory},
    {"boot's frames are read-only", test_boot_frames_are_read_only},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}
