// See memory.h.
#include "memory.h"

#include <string.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <abi/vm.h>

uint64_t memory_page_size(const struct region *r)
{
    return r->page_size == 0 ? PAGE_SIZE : r->page_size;
}

uint64_t memory_extent(const struct region *r)
{
    if (r->size != 0) {
        return r->size;
    }
    return r->device != NULL ? MEMORY_DEVICE_ASSUMED : memory_page_size(r);
}

uint64_t memory_top(const struct process *p)
{
    return p->vm != NULL ? VM_BASE : PROCESS_STACK_TOP - p->stack_size - PAGE_SIZE;
}

bool memory_is_of_vm(const struct map *map)
{
    return strcmp(map->node.parent->xml->name, "virtual_machine") == 0;
}
