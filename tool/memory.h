// What of a process's or VM's address space may be used, and how large things in it are.
#pragma once

#include "model.h"

#define MEMORY_PHYSICAL_TOP   0x1000000000000u // 48 bits
#define MEMORY_GUEST_TOP      0x10000000000u   // 40 bits, what every core offers
#define MEMORY_DEVICE_ASSUMED 0x10000u         // size of a device that only the device tree knows
#define MEMORY_CANDIDATE_MAX  128u             // bytes of one device candidate

// The region's page size: as given, as chosen, or the smallest.
uint64_t memory_page_size(const struct region *r);

// Bytes of address space that the region takes as far as is known, at least a page.
uint64_t memory_extent(const struct region *r);

// End of what a process may map: the guard page below its stack, or what init keeps for a VMM's vcpus.
uint64_t memory_top(const struct process *p);

bool memory_is_of_vm(const struct map *map);
