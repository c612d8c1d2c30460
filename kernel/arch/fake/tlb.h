// A model of stage-2 translation: sees every descriptor that is written, every barrier and every invalidation, and
// ends the test where real hardware might go astray. A TLB may hold every valid entry (leaf or table) that a walk
// could have reached since the last invalidation that covers it. So it is a mistake
//   - to write a valid entry over a valid one, or where an older one may still be held (break before make);
//   - to link a table whose contents are not yet visible (no barrier after writing or zeroing it);
//   - to use memory for something else while a held entry leads there;
//   - to invalidate a VMID that no space has, or to give a VMID to a new space before the old one's entries are gone;
//   - to leave the kernel before a new entry is visible or a removed one is invalidated.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/addr.h>

void tlb_reset(void);

void tlb_space(paddr_t root, uint16_t vmid, bool guest); // a guest may execute what it writes
void tlb_enter(uint16_t vmid);                           // a core runs in this space from now on
void tlb_write(uint64_t *entry, uint64_t value);
void tlb_sync(void);
void tlb_invalidate_page(uint16_t vmid, ipa_t at);
void tlb_invalidate_space(uint16_t vmid);
void tlb_memory_written(paddr_t pa, uint64_t size); // by the kernel, to use it for something else
void tlb_kernel_left(void);                         // and nobody is in the middle of a change

// For tests: the leaf that a walk finds. False: there is none.
bool tlb_translate(uint16_t vmid, ipa_t at, uint64_t *pte, unsigned *level);
