// What init arranges for a process that is the monitor (VMM) of a virtual machine, beyond what every process gets
// (abi/process.h): threads, one per vcpu, the vcpus themselves, guest memory, and a config that says what to make of it.
//
// Thread 0 is the process's first, as in every process; thread i + 1 is the one bound to vcpu i, pinned to its core.
// A thread finds its number in TPIDRRO_EL0. All threads of a VMM start at the image's entry point.
#pragma once

#include <stdint.h>

#include <abi/process.h>
#include <base/bits.h>

#define VCPU_MAX 8u // of one VM

// Address space of a VMM.
#define VM_BASE         (PROCESS_TOP - 0x80000000u)
#define VM_CONFIG       VM_BASE                // struct vm_config, read-only
#define VM_VCPU_PAGE    (VM_BASE + 0x10000u)   // + vcpu * 0x1000: struct vcpu_page, read-write
#define VM_STACK_TOP    (VM_BASE + 0x1000000u) // + thread * VM_STACK_STRIDE, VM_STACK_SIZE below each
#define VM_STACK_STRIDE 0x100000u
#define VM_STACK_SIZE   0x8000u
#define VM_MEMORY       0x1000000000u // guest memory and images; init and the tool place them here

// Handles, after those of every process.
enum vm_handle {
    VM_VCPU = PROCESS_HANDLES,          // + vcpu: the vcpu, all rights
    VM_THREAD = VM_VCPU + VCPU_MAX,     // + thread: its notification, to signal
    VM_LIFE = VM_THREAD + VCPU_MAX + 1, // endpoint of init: struct below
    VM_HANDLES                          // one past the highest
};

// Bits of the notifications of a VMM's vcpu threads: what a signal to VM_THREAD + 1... sets. Thread 0 has the bits of
// every process; a signal to VM_THREAD + 0 sets one that no channel has (its event loop calls notified(62)).
#define VM_WAKE      BIT(0)
#define VM_WAKE_MAIN BIT(62)

enum vm_policy {
    VM_RESTART,
    VM_STOP,
    VM_SHUTDOWN, // end the whole system
};

enum vm_flags {
    VM_TRACE_EXITS = 1, // count exits, print them when the VM ends
};

struct vm_image {
    uint64_t vaddr; // in the VMM, read-only
    uint64_t size;  // bytes; 0: there is none
};

#define VM_CONFIG_MAGIC 0x31676663766d6c62u // "blmvcfg1"
#define VM_CMDLINE_MAX  2048u

struct vm_config {
    uint64_t magic;
    uint32_t version; // 1
    uint32_t flags;   // enum vm_flags
    char name[PROCESS_NAME_MAX];
    uint32_t vcpus;
    uint32_t gic_version; // of the machine, and so of the guest: 2 or 3
    // The guest's RAM: one range, mapped in the VMM as well.
    uint64_t ram_ipa;
    uint64_t ram_size;
    uint64_t ram_vaddr;
    struct vm_image kernel; // unpacked: an arm64 Image, or anything else
    struct vm_image initrd;
    struct vm_image dtb;
    uint32_t on_reset; // enum vm_policy: init decides by these, they are here to be shown
    uint32_t on_poweroff;
    uint32_t on_crash;
    uint32_t console; // channel of the serial mux or driver, UINT32_MAX: none
    uint32_t starts; // how often this VMM was started before: not 0: guest RAM holds what was there
    uint32_t reserved;
    char cmdline[VM_CMDLINE_MAX]; // zero-terminated
};

// What a VMM calls VM_LIFE with: label is one of these.
enum vm_event {
    VM_EVENT_POWEROFF = 16, // the guest asked for it
    VM_EVENT_RESET,         // so it did
    VM_EVENT_CRASH,         // the guest did what it cannot go on from; the VMM has said what
};

// The answer's label: what the VMM is to do.
enum vm_action {
    VM_ACTION_RESTART, // start the guest again from its images
    VM_ACTION_STOP,    // stay off for good
};
