// The client of microkit.system: looks at everything that comes back, says what is wrong, and ends the
// system, with code 0 if nothing was.
#include <lib/bulkhead.h>
#include <microkit.h>

#define SERVER        3
#define CHILD_CHANNEL 6
#define CHILD         1
#define ENTRY         0x200000
#define SERVER_TCB    5 // slot

static unsigned wrong;
static unsigned answers; // notifications of the server
static unsigned lives;   // notifications of the child
static unsigned faults;
static unsigned deadlines;
static uint64_t due; // ticks

static void expect(seL4_Word value, seL4_Word expected, const char *what)
{
    if (value != expected) {
        wrong++;
        bulkhead_log("WRONG: %s is %#lx, not %#lx", what, value, expected);
    }
}

static void call_with_64_words(void)
{
    for (seL4_Uint8 i = 0; i < 64; i++) {
        microkit_mr_set(i, i + 1u);
    }
    microkit_msginfo answer = microkit_ppcall(SERVER, microkit_msginfo_new(1000, 64));
    const seL4_Word weight = 5000 + 89440; // 1 + 4 + 9 + ... + 64 * 64
    expect(microkit_msginfo_get_label(answer), 1004, "label");
    expect(microkit_msginfo_get_count(answer), 64, "count");
    for (seL4_Uint8 i = 0; i < 64; i++) {
        expect(microkit_mr_get(i), weight + i, "a word of the answer");
    }
}

static void call_with_none(void)
{
    microkit_msginfo answer = microkit_ppcall(SERVER, microkit_msginfo_new(0, 0));
    expect(microkit_msginfo_get_label(answer), 4, "label of the empty call");
    expect(microkit_mr_get(63), 5063, "last word of the empty call's answer");
}

static void shared_thread(void)
{
    seL4_CPtr tcb = microkit_cspace_root_slot_to_cptr(SERVER_TCB);
    seL4_UserContext context = {0};
    expect(seL4_TCB_Suspend(tcb), seL4_NoError, "suspending the server");
    expect(seL4_TCB_ReadRegisters(tcb, seL4_False, 0, 36, &context), seL4_NoError, "its registers");
    expect(context.pc > ENTRY && context.pc < ENTRY + 0x10000, 1, "its pc");
    expect(context.sp % 16, 0, "its sp");
    expect(seL4_TCB_Resume(tcb), seL4_NoError, "resuming the server");
    expect(seL4_TCB_Suspend(microkit_cspace_root_slot_to_cptr(6)), seL4_InvalidCapability,
           "an empty slot");
    call_with_none();
}

void init(void)
{
    call_with_64_words();
    call_with_none();
    shared_thread();
    microkit_notify(9); // prints a complaint
    microkit_irq_ack(6);
    bulkhead_assert(wrong == 0);
}

void notified(microkit_channel ch)
{
    if (ch == SERVER) {
        answers++;
        return;
    }
    expect(ch, CHILD_CHANNEL, "channel");
    lives++;
    if (lives == 1) {
        microkit_pd_restart(CHILD, ENTRY); // it runs
        return;
    }
    due = process_clock() + process_config()->ticks_per_second / 100;
    bulkhead_set_deadline(due);
}

static seL4_Bool answer_unknown_syscall(microkit_msginfo *reply)
{
    expect(microkit_mr_get(seL4_UnknownSyscall_X0), 41, "x0 of the unknown call");
    expect(microkit_mr_get(seL4_UnknownSyscall_Syscall), 77, "its number");
    expect(microkit_mr_get(seL4_UnknownSyscall_SP) % 16, 0, "its sp");
    microkit_mr_set(seL4_UnknownSyscall_X0, 42);
    *reply = microkit_msginfo_new(0, 1);
    return seL4_True;
}

static seL4_Bool skip_undefined_instruction(microkit_msginfo *reply)
{
    seL4_Word ip = microkit_mr_get(seL4_UserException_FaultIP);
    expect(ip > ENTRY && ip < ENTRY + 0x10000, 1, "pc of the undefined instruction");
    expect(microkit_mr_get(seL4_UserException_Number) >> 26, 0, "its exception class");
    microkit_mr_set(seL4_UserException_FaultIP, ip + 4);
    *reply = microkit_msginfo_new(0, 1);
    return seL4_True;
}

seL4_Bool fault(microkit_child child, microkit_msginfo msginfo, microkit_msginfo *reply_msginfo)
{
    expect(child, CHILD, "child");
    faults++;
    switch (microkit_msginfo_get_label(msginfo)) {
    case seL4_Fault_UnknownSyscall:
        return answer_unknown_syscall(reply_msginfo);
    case seL4_Fault_UserException:
        return skip_undefined_instruction(reply_msginfo);
    default:
        expect(microkit_msginfo_get_label(msginfo), seL4_Fault_VMFault, "fault");
        expect(microkit_mr_get(seL4_VMFault_Addr), 0x5001, "its address");
        expect(microkit_mr_get(seL4_VMFault_PrefetchFault), 0, "its prefetch flag");
        expect(microkit_mr_get(seL4_VMFault_FSR) >> 26, 0x24, "its exception class");
        microkit_pd_restart(child, ENTRY);
        return seL4_False;
    }
}

void deadline(void)
{
    expect(process_clock() >= due, 1, "the deadline's time");
    deadlines++;
    if (deadlines < 3) {
        due = process_clock() + 1000;
        bulkhead_set_deadline(due);
        return;
    }
    expect(answers, 1, "notifications of the server"); // three calls, one wait
    expect(lives, 2, "lives that the child told of");
    expect(faults, 3, "faults");
    if (wrong == 0) {
        bulkhead_log("nothing was wrong");
    }
    expect((seL4_Word)bulkhead_power_off(wrong == 0 ? 0 : 1), OK, "the end");
}
