// Limits and defaults of the short form of a virtual machine, and where its parts are: in the guest's memory, and in
// its VMM's.
#pragma once

#include <abi/vm.h>

#include "options.h"

#define GUEST_MEMORY_DEFAULT 0x10000000u   // 256 MiB
#define GUEST_MEMORY_MOST    0x3fc0000000u // 255 GiB: what QEMU's board has room for, too

// The VMM's first thread must get the better of its vcpus, and the servers of both.
#define GUEST_DRIVER_PRIORITY  250u
#define GUEST_MUX_PRIORITY     200u
#define GUEST_PRIORITY_MOST    (GUEST_MUX_PRIORITY - 2)
#define GUEST_PRIORITY_DEFAULT 100u

#define GUEST_CORES_DEFAULT 4u // of the machine, if nobody says otherwise

#define GUEST_RAM_IPA      0x40000000u
#define GUEST_IMAGES       (VM_MEMORY + 0x4000000000u) // in the VMM, behind the largest memory
#define GUEST_IMAGE_STRIDE 0x100000000u                // between images: none is as large

// What `run --kernel` runs: a description in the short form.
const char *guest_describe(struct arena *a, const struct options *o);
