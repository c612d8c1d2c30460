// The bundle: what the tool appends to the kernel and init turns into processes. One header, tables of fixed-size
// records, then blobs. All integers little-endian; all offsets in bytes from the start of the bundle; every offset
// and count is checked by init (and by the kernel, for the header and init's image) before use.
//
// The kernel reads only `header`. A bundle starts on a page boundary right behind the kernel image.
#pragma once

#include <stdint.h>

#include <abi/process.h>

#define BUNDLE_MAGIC    0x656c646e75626c62u // "blbundle"
#define BUNDLE_REVISION 2u
#define BUNDLE_NONE     UINT32_MAX
#define BUNDLE_ANYWHERE UINT64_MAX // a region without a fixed physical address

struct bundle_table {
    uint32_t offset; // multiple of 8
    uint32_t count;  // records
};

struct bundle_blob {
    uint64_t offset; // multiple of PAGE_SIZE, so that text can be mapped where it lies
    uint64_t size;   // bytes
};

struct bundle_header {
    uint64_t magic;
    uint32_t revision;
    uint32_t header_size;
    uint64_t size; // of the whole bundle, multiple of PAGE_SIZE
    struct bundle_blob init;
    struct bundle_table processes;  // struct bundle_process, a parent before its children
    struct bundle_table segments;   // struct bundle_segment, by process
    struct bundle_table regions;    // struct bundle_region
    struct bundle_table maps;       // struct bundle_map
    struct bundle_table channels;   // struct bundle_channel
    struct bundle_table irqs;       // struct bundle_irq
    struct bundle_table patches;    // struct bundle_patch
    struct bundle_table shares;     // struct bundle_share
    struct bundle_table vms;        // struct bundle_vm
    struct bundle_table vcpus;      // struct bundle_vcpu, by VM
    struct bundle_table guest_maps; // struct bundle_guest_map, by VM and address
    struct bundle_table strings;    // count = bytes; zero-terminated strings, first one empty
    uint32_t flags;                 // enum bundle_flags
    uint32_t cores;                 // cores the description needs (highest cpu + 1)
};

enum bundle_flags {
    BUNDLE_CONSOLE_OFF = 1, // init turns the kernel's console off once the system is built
};

// init's own image ("flat"): a header, then its bytes. Linked at BOOT_IMAGE_ADDRESS, the header included.
#define INIT_MAGIC 0x3174696e69686c62u // "blhinit1"
struct init_header {
    uint64_t magic;
    uint64_t entry;     // address
    uint64_t text_size; // bytes from the header on that are mapped read-execute; page multiple
    uint64_t data_size; // bytes that follow, copied and mapped read-write; page multiple
    uint64_t bss_size;  // zeroed memory behind the data; page multiple
};

enum bundle_process_flags {
    BUNDLE_PASSIVE = 1,
    BUNDLE_FPU = 2,
    BUNDLE_SMC = 4,
    BUNDLE_POWER = 8, // may end the system
};

struct bundle_process {
    char name[PROCESS_NAME_MAX];
    uint32_t parent;   // index, BUNDLE_NONE: init
    uint32_t child_id; // how the parent names it
    uint32_t priority;
    uint32_t core;
    uint32_t flags; // enum bundle_process_flags
    uint32_t line;  // in the description, for messages
    uint64_t budget_us;
    uint64_t period_us;
    uint64_t stack_size;
    uint64_t entry;
    uint32_t segment_first;
    uint32_t segment_count;
};

struct bundle_segment {
    uint64_t vaddr;       // page multiple
    uint64_t memory_size; // bytes in memory; what the file does not fill is zero
    struct bundle_blob file;
    uint32_t perms; // enum map_flags
    uint32_t process;
};

struct bundle_region {
    uint32_t name; // string
    uint32_t
        device; // string: space-separated candidates (alias, /path, compatible string, "stdout"); 0: memory
    uint64_t size; // bytes, page multiple; 0 only with `device`: what the device tree says
    uint64_t page_size;
    uint64_t paddr;             // or BUNDLE_ANYWHERE
    struct bundle_blob prefill; // size 0: none
    uint32_t line;
    uint32_t flags; // enum bundle_region_flags
};

enum bundle_region_flags {
    // Its memory is the prefill where it lies in the bundle, pages of PAGE_SIZE: mapped in processes only, read-only.
    BUNDLE_REGION_IN_PLACE = 1,
};

struct bundle_map {
    uint32_t region;
    uint32_t process;
    uint64_t vaddr;
    uint32_t perms; // enum map_flags, MAP_UNCACHED included
    uint32_t line;
};

struct bundle_end {
    uint32_t process;
    uint32_t id;
    uint32_t notify; // this end may notify the other
    uint32_t call;   // this end may call the other
};

struct bundle_channel {
    struct bundle_end end[2];
};

struct bundle_irq {
    uint32_t process;
    uint32_t id;
    uint32_t intid;  // or BUNDLE_NONE: interrupt `index` of `device`
    uint32_t device; // region index whose device it belongs to, or BUNDLE_NONE
    uint32_t index;
    uint32_t trigger; // enum irq_trigger; for a device the device tree decides
    uint32_t line;
    uint32_t reserved;
};

// A word of a process's data that only this machine decides: written by init at every start.
enum bundle_patch_kind {
    PATCH_REGION_PADDR, // physical address of a region
    PATCH_REGION_SIZE,  // its size (differs from the description's only for devices)
};

struct bundle_patch {
    uint32_t process;
    uint32_t kind;
    uint64_t vaddr; // of the word, inside a writable segment
    uint32_t region;
    uint32_t line;
};

// <cspace>: a capability of one process given to another.
enum bundle_share_kind { SHARE_THREAD, SHARE_TIME, SHARE_SPACE };

struct bundle_share {
    uint32_t process; // who gets it
    uint32_t slot;    // 1..63
    uint32_t kind;    // enum bundle_share_kind
    uint32_t of;      // whose
};

// A virtual machine and its VMM (abi/vm.h), a process that has one only. Nothing of that process lies above VM_BASE.
struct bundle_vm {
    char name[PROCESS_NAME_MAX];
    uint32_t process; // its VMM
    uint32_t line;
    uint32_t vcpu_first;
    uint32_t vcpu_count; // 1..VCPU_MAX
    uint32_t ram;        // region, or BUNDLE_NONE: the program knows better (long form)
    uint32_t kernel;     // regions, in place, or BUNDLE_NONE
    uint32_t initrd;
    uint32_t dtb;
    uint64_t ram_ipa;      // where a bundle_guest_map maps it
    uint64_t ram_vaddr;    // where a bundle_map maps it in the VMM, writable
    uint64_t kernel_vaddr; // where bundle_maps map the three in the VMM
    uint64_t initrd_vaddr;
    uint64_t dtb_vaddr;
    uint32_t cmdline;  // string, shorter than VM_CMDLINE_MAX
    uint32_t flags;    // enum vm_flags
    uint32_t on_reset; // enum vm_policy
    uint32_t on_poweroff;
    uint32_t on_crash;
    uint32_t restarts; // at most so many
    uint32_t window_s; // in so many seconds; more, and the policy is VM_STOP
    uint32_t console;  // channel id of the VMM, or BUNDLE_NONE
};

struct bundle_vcpu {
    uint32_t vm;
    uint32_t id; // 0..vcpu_count - 1, in order
    uint32_t core;
    uint32_t priority;
    uint64_t budget_us;
    uint64_t period_us;
};

// A region in a guest's physical address space, below BUNDLE_GUEST_TOP. RAM is one of these, too. Sorted, and those of
// one VM don't overlap, as far as sizes are known (a device's may not be).
#define BUNDLE_GUEST_TOP (1ull << 40)
struct bundle_guest_map {
    uint32_t vm;
    uint32_t region;
    uint64_t ipa;
    uint32_t perms; // enum map_flags; writable and executable at once is allowed here
    uint32_t line;
};
