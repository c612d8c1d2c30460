// What QEMU's virt board has at which address: the board that the VM is modelled on, and guests take it for. For messages
// only; the VM has a part of it (vm.h).
#pragma once

#include <stdint.h>

#include <base/range.h>

// Something of a machine, as a message names it.
struct place {
    const char *name; // NULL: there is nothing
    struct range where;
};

// What a device tree of that board may have at an address. Its `name` is NULL for nothing.
struct place board_at(uint64_t ipa);
