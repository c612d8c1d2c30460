// Kernel objects and the slots that name them.
//
// Every object lives in memory that an untyped gave (or, for the first few, that boot set aside) and starts with a
// struct obj. A slot is a capability: which object, which rights, which badge, and where it stands in the tree of
// derivations. Slots live in cspaces and, for what a thread or an irq holds, inside those objects ("held" slots).
//
// Who may touch what:
//   - The tree, reference counts, untyped watermarks and the creation or removal of slots: under the build lock.
//   - A slot's contents may be read without the lock (cap_lookup): `meta` carries a sequence number that changes
//     with every change of the slot, so that a reader never pairs one capability's object with another's badge.
//   - An object found in this way stays readable until the core leaves the kernel: its memory is reused only after
//     every core has left the kernel once (xcall.h, quiesce). What it finds may be dead, so every object in its
//     dead state refuses or ignores whatever arrives.
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/syscall.h>
#include <base/list.h>

struct untyped;

struct obj {
    uint8_t type;          // enum obj_type
    bool dead;             // last capability gone; set once
    uint32_t refs;         // slots that name it
    struct untyped *from;  // whose memory it is; NULL: boot's
    struct obj *next_dead; // link while it waits to be taken apart (reap.c)
};

// What a slot's place in memory is: decides what else ends when it is emptied.
enum slot_place {
    SLOT_IN_CSPACE,
    SLOT_IN_THREAD, // index: enum thread_slot
    SLOT_IN_IRQ,
    SLOT_IN_VCPU, // index: enum vcpu_slot
};

struct slot {
    _Atomic uint64_t meta; // type | rights << 8 | sequence << 32; type OBJ_NONE: empty
    struct obj *_Atomic obj;
    _Atomic uint64_t badge; // meaning by type: see abi/syscall.h

    // Derivation: children were copied or retyped from this one. The tree of the boot capabilities has no root.
    struct slot *parent;
    struct slot *child; // first
    struct slot *next;  // siblings, doubly linked without a head
    struct slot *prev;

    // Use of a frames capability: mapped in `space` at `address`, pages done so far. Linked in the space's list.
    struct obj *space;
    uint64_t address;
    struct list maps;
    uint32_t
        mapped; // pages in the tables: fewer than the range while a restartable map or unmap is under way
    int8_t map_error;  // why a map is being undone, OK otherwise
    uint8_t map_flags; // enum map_flags
    bool fresh;        // the frames were when the map began: frames_use

    uint8_t place : 2; // enum slot_place, fixed
    uint8_t index : 5; // in its holder, fixed
    bool
        moving : 1; // a move into this slot is under way: until it ends, a copy that derives from its source
};
static_assert(sizeof(struct slot) == 96, "a handle is turned into an address by two additions");

// A capability as a system call uses it: a consistent copy.
struct cap {
    struct obj *obj;
    uint64_t badge;
    uint8_t type;
    uint8_t rights;
};
