// A model of the kernel's capabilities and objects, for one process that makes its own of one untyped: what every slot
// holds, what derives from what, what is mapped where, and what ends when a capability goes. The kernel is compared
// with it call by call (test/kernel/stress.c). Plain data: no system calls in here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/syscall.h>

#define SHADOW_SLOTS                                                                               \
    72u // the process's own, the first holds the untyped that everything comes from
#define SHADOW_OBJECTS      112u
#define SHADOW_GROUP        7u // slots that an object may have: of a small cspace, or what a thread holds
#define SHADOW_CSPACE_SLOTS 5u // of such a cspace, slot 0 included
#define SHADOW_ALL          (SHADOW_SLOTS + SHADOW_OBJECTS * SHADOW_GROUP)
#define SHADOW_PAGES        8u // of frames whose contents are remembered

enum { SHADOW_NOBODY = -1, SHADOW_OWN_SPACE = -2 }; // where an index is meant

struct shadow_slot {
    uint8_t type; // enum obj_type; OBJ_NONE: empty
    uint8_t rights;
    int16_t object;
    int16_t parent; // slot, or SHADOW_NOBODY
    uint64_t badge;
    bool mapped;
    int16_t space; // object, or SHADOW_OWN_SPACE
    uint64_t address;
    uint64_t flags;
};

struct shadow_object {
    uint8_t type; // OBJ_NONE: free entry
    bool dying;   // last capability gone
    int16_t from; // untyped; SHADOW_NOBODY: the first
    uint32_t refs;
    uint32_t live;                   // untyped: objects carved and not gone
    uint64_t size;                   // as retype was told
    bool started;                    // threads: started and not stopped
    bool timed;                      // threads: have a budget
    bool aimed;                      // threads: have a pc
    int16_t bound;                   // notifications: the thread, or SHADOW_NOBODY
    uint64_t contents[SHADOW_PAGES]; // frames: first word of each page
};

struct shadow {
    struct shadow_slot slots[SHADOW_ALL];
    struct shadow_object objects[SHADOW_OBJECTS];
};

void shadow_begin(struct shadow *s, uint64_t size);

// The slots of an object's own.
static inline int16_t shadow_group(int16_t object, unsigned which)
{
    return (int16_t)(SHADOW_SLOTS + (unsigned)object * SHADOW_GROUP + which);
}

static inline uint64_t shadow_pages(const struct shadow_slot *slot)
{
    return (uint32_t)slot->badge;
}

// What calls do when they succeed.
int16_t shadow_free_object(const struct shadow *s); // SHADOW_NOBODY: none is free
void shadow_retype(struct shadow *s, int16_t untyped, enum obj_type type, uint64_t size,
                   int16_t to);
void shadow_copy(struct shadow *s, int16_t from, int16_t to, uint8_t rights, uint64_t badge);
void shadow_move(struct shadow *s, int16_t from, int16_t to);
void shadow_delete(struct shadow *s, int16_t slot);
void shadow_revoke(struct shadow *s, int16_t slot);
void shadow_map(struct shadow *s, int16_t slot, int16_t space, uint64_t address, uint64_t flags);
void shadow_unmap(struct shadow *s, int16_t slot);

// Would a mapping of so many pages meet another one?
bool shadow_taken(const struct shadow *s, int16_t space, uint64_t address, uint64_t pages);

// The badge of a copy. False: this one is refused.
bool shadow_derive(const struct shadow_slot *from, uint64_t wanted, uint64_t *badge);

// A thread holds a copy of what slot `from` has; SHADOW_NOBODY: of what the process itself is built on.
void shadow_bind(struct shadow *s, int16_t thread, enum thread_slot which, int16_t from);
