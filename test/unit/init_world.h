// For init's tests: a machine with a device tree, a description that a test puts together record by record, and the
// system that init makes of both on the kernel of init_kernel.h.
//
// The machine: 4 cores, interrupts 0 to 287, RAM at 0x40000000..0x48000000, of which 0x40000000..0x40400000 is the
// kernel's and init's. Devices: see init_tree.h.
#pragma once

#include <init/system.h>

#include "init_kernel.h"
#include "init_tree.h"

#define WORLD_RAM     0x40000000u
#define WORLD_FREE    0x40400000u
#define WORLD_RAM_END 0x48000000u

#define WORLD_RECORDS 80u

struct world {
    struct fake_kernel fake;
    struct boot_info boot;
    struct system *system;
    void *fdt;
    unsigned char *bundle; // once world_open has made it
    void *window;
    // The description: filled by the functions below, changed by tests as they like.
    struct bundle_process processes[WORLD_RECORDS];
    struct bundle_segment segments[2 * WORLD_RECORDS];
    struct bundle_region regions[WORLD_RECORDS];
    struct bundle_map maps[WORLD_RECORDS];
    struct bundle_channel channels[WORLD_RECORDS];
    struct bundle_irq irqs[WORLD_RECORDS];
    struct bundle_patch patches[WORLD_RECORDS];
    struct bundle_share shares[WORLD_RECORDS];
    struct bundle_vm vms[WORLD_RECORDS];
    struct bundle_vcpu vcpus[WORLD_RECORDS];
    struct bundle_guest_map guest_maps[WORLD_RECORDS];
    struct bundle_header header; // its counts say how many of each
    char strings[4096];
};

struct world *world_new(void);
void world_end(struct world *w);

// Each of these adds a record, of line `count of its kind * 10 + 10`, and returns it; indexes count from 0.

// A process with a page of text at PROCESS_IMAGE and, behind it, data of 0x1800 bytes: 0x1004 bytes 'd', then zeros.
struct bundle_process *world_process(struct world *w, const char *name);
struct bundle_region *world_region(struct world *w, const char *name, uint64_t size);
struct bundle_region *world_device(struct world *w, const char *name, const char *device);
struct bundle_map *world_map(struct world *w, uint32_t region, uint32_t process, uint64_t vaddr);
struct bundle_irq *world_irq(struct world *w, uint32_t process, uint32_t id, uint32_t intid);
struct bundle_channel *world_channel(struct world *w, uint32_t a, uint32_t a_id, uint32_t b,
                                     uint32_t b_id);

// A process "NAME" and a VM of that name with so many vcpus on cores 0, 1, ...; 16 MiB of memory and a kernel in place,
// mapped where abi/vm.h says, the memory in the guest at WORLD_GUEST_RAM. Policies: reset restarts, power-off and crash
// stop; 2 restarts in 60 s.
struct bundle_vm *world_vm(struct world *w, const char *name, uint32_t vcpus);
struct bundle_guest_map *world_guest_map(struct world *w, uint32_t vm, uint32_t region,
                                         uint64_t ipa);
#define WORLD_GUEST_RAM  0x40000000u
#define WORLD_GUEST_SIZE 0x1000000u

#define WORLD_DATA      (PROCESS_IMAGE + PAGE_SIZE)
#define WORLD_DATA_FILE 0x1004u
#define WORLD_DATA_SIZE 0x1800u
#define WORLD_PREFILL   "a region begins with this" // what record.prefill = world_prefill() holds
struct bundle_blob world_prefill(void);

// Makes the bundle of it all and has init open it (system_open).
bool world_open(struct world *w);
