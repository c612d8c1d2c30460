// Fault messages: from the kernel's form (abi/syscall.h, enum fault_label) to the one that fault()
// expects (sel4/fault.h), and what a reply means. Private to lib.
#pragma once

#include <stdbool.h>

#include <microkit.h>

// Rewrites the message registers and returns the info for fault().
seL4_MessageInfo_t bulkhead_fault_message(microkit_child child, seL4_MessageInfo_t kernel);

// After fault() returned true with `reply`: writes the registers that the reply sets. False: the
// reply asks for the child to stay stopped.
bool bulkhead_fault_reply(microkit_child child, seL4_MessageInfo_t message,
                          seL4_MessageInfo_t reply);
