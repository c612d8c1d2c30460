// Fault messages in seL4's order, and what replies to them write into the child.
// sources: lib/fault.c lib/sel4.c lib/crash.c lib/console.c test/unit/fake_kernel.c
// flags: -Itest/unit/fake -Ilib/include
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <lib/fault.h>

#include "fake_kernel.h"

#define CHILD 3u

static int start(void **state)
{
    (void)state;
    fake_reset();
    for (unsigned i = 0; i < REG_COUNT; i++) {
        fake.registers[i] = 1000 + i;
    }
    return 0;
}

static seL4_MessageInfo_t from_kernel(seL4_Word label)
{
    seL4_SetMR(0, 0x200010); // pc
    seL4_SetMR(1, 0xdead0);  // address
    seL4_SetMR(2, 0x12345678);
    seL4_SetMR(3, 1); // fetch
    return bulkhead_fault_message(CHILD, seL4_MessageInfo_new(label, 0, 0, 4));
}

static void vm_fault(void **state)
{
    (void)state;
    seL4_MessageInfo_t info = from_kernel(FAULT_VM);
    assert_int_equal(seL4_MessageInfo_get_label(info), seL4_Fault_VMFault);
    assert_int_equal(seL4_MessageInfo_get_length(info), seL4_VMFault_Length);
    assert_int_equal(seL4_GetMR(seL4_VMFault_IP), 0x200010);
    assert_int_equal(seL4_GetMR(seL4_VMFault_Addr), 0xdead0);
    assert_int_equal(seL4_GetMR(seL4_VMFault_PrefetchFault), 1);
    assert_int_equal(seL4_GetMR(seL4_VMFault_FSR), 0x12345678);

    // Whatever the reply says, the child goes on, and nothing is written.
    assert_true(bulkhead_fault_reply(CHILD, info, seL4_MessageInfo_new(1, 0, 0, 4)));
    assert_string_equal(fake.transcript, "");
}

static void user_exception(void **state)
{
    (void)state;
    seL4_MessageInfo_t info = from_kernel(FAULT_USER);
    assert_int_equal(seL4_MessageInfo_get_label(info), seL4_Fault_UserException);
    assert_int_equal(seL4_MessageInfo_get_length(info), seL4_UserException_Length);
    assert_int_equal(seL4_GetMR(seL4_UserException_FaultIP), 1000 + REG_PC);
    assert_int_equal(seL4_GetMR(seL4_UserException_SP), 1000 + REG_SP);
    assert_int_equal(seL4_GetMR(seL4_UserException_SPSR), 1000 + REG_PSTATE);
    assert_int_equal(seL4_GetMR(seL4_UserException_Number), 0x12345678);
    assert_int_equal(seL4_GetMR(seL4_UserException_Code), 0);
}

static void reply_to_user_exception_writes_its_length(void **state)
{
    (void)state;
    seL4_MessageInfo_t info = from_kernel(FAULT_USER);

    assert_true(bulkhead_fault_reply(CHILD, info, seL4_MessageInfo_new(0, 0, 0, 0)));
    assert_string_equal(fake.transcript, "");

    seL4_SetMR(seL4_UserException_FaultIP, 0x200014);
    seL4_SetMR(seL4_UserException_SP, 0x7000);
    assert_true(bulkhead_fault_reply(CHILD, info, seL4_MessageInfo_new(0, 0, 0, 2)));
    assert_int_equal(fake.registers[REG_PC], 0x200014);
    assert_int_equal(fake.registers[REG_SP], 0x7000);
    assert_string_equal(fake.transcript, "thread_write 197 first 32 count 1\n"
                                         "thread_write 197 first 31 count 1\n");

    assert_false(bulkhead_fault_reply(CHILD, info, seL4_MessageInfo_new(1, 0, 0, 0)));
}

static void unknown_syscall(void **state)
{
    (void)state;
    seL4_MessageInfo_t info = from_kernel(FAULT_SYSCALL);
    assert_int_equal(seL4_MessageInfo_get_label(info), seL4_Fault_UnknownSyscall);
    assert_int_equal(seL4_MessageInfo_get_length(info), seL4_UnknownSyscall_Length);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(seL4_GetMR(seL4_UnknownSyscall_X0 + i), 1000 + i);
    }
    assert_int_equal(seL4_GetMR(seL4_UnknownSyscall_FaultIP), 1000 + REG_PC);
    assert_int_equal(seL4_GetMR(seL4_UnknownSyscall_SP), 1000 + REG_SP);
    assert_int_equal(seL4_GetMR(seL4_UnknownSyscall_LR), 1030);
    assert_int_equal(seL4_GetMR(seL4_UnknownSyscall_SPSR), 1000 + REG_PSTATE);
    assert_int_equal(seL4_GetMR(seL4_UnknownSyscall_Syscall), 0xdead0);
}

static void reply_to_unknown_syscall_writes_its_length(void **state)
{
    (void)state;
    seL4_MessageInfo_t info = from_kernel(FAULT_SYSCALL);
    for (int i = 0; i < 7; i++) {
        seL4_SetMR(i, 5000 + (seL4_Word)i);
    }
    assert_true(bulkhead_fault_reply(CHILD, info, seL4_MessageInfo_new(0, 0, 0, 7)));
    assert_int_equal(fake.registers[0], 5000);
    assert_int_equal(fake.registers[6], 5006);
    assert_int_equal(fake.registers[7], 1007);
    assert_string_equal(fake.transcript, "thread_write 197 first 0 count 5\n"
                                         "thread_write 197 first 5 count 2\n");
}

static void registers_of_a_lost_child_are_zero(void **state)
{
    (void)state;
    fake.err = ERR_NO_CAP;
    seL4_MessageInfo_t info = from_kernel(FAULT_USER);
    assert_int_equal(seL4_GetMR(seL4_UserException_SP), 0);
    assert_true(bulkhead_fault_reply(CHILD, info, seL4_MessageInfo_new(0, 0, 0, 3)));
}

static void other_labels_pass_as_they_are(void **state)
{
    (void)state;
    seL4_MessageInfo_t info = from_kernel(77);
    assert_int_equal(seL4_MessageInfo_get_label(info), 77);
    assert_int_equal(seL4_GetMR(2), 0x12345678);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(vm_fault, start),
        cmocka_unit_test_setup(user_exception, start),
        cmocka_unit_test_setup(reply_to_user_exception_writes_its_length, start),
        cmocka_unit_test_setup(unknown_syscall, start),
        cmocka_unit_test_setup(reply_to_unknown_syscall_writes_its_length, start),
        cmocka_unit_test_setup(registers_of_a_lost_child_are_zero, start),
        cmocka_unit_test_setup(other_labels_pass_as_they_are, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
