// See load.h. First everything is checked and gets its place, then it is copied; nothing fails half-way but a given device
// tree that cannot be merged.
#include "load.h"

#include <abi/vm.h>
#include <base/bits.h>
#include <base/str.h>
#include <spec/image.h>

#include "fdt.h"
#include "log.h"
#include "vm.h"

#define PAGE 0x1000u
#define MIB  0x100000u
#define RAW_OFFSET                                                                                 \
    0x80000u // of a kernel without header, and of one from before the header told sizes

// Memory that a kernel needs behind its image when its header is too old to say (before Linux 3.17).
#define UNSAID_REST 0x1000000u

// Nothing that is loaded is bigger: sums of a few such numbers and an address below it can't wrap.
#define SIZE_LIMIT BIT(48)

// Places in guest memory.
struct placement {
    struct range kernel; // its zeroed rest included
    struct range fdt;
    struct range initrd;
};

// What a kernel asks for.
struct wish {
    uint64_t offset; // from a 2 MiB boundary
    uint64_t size;
};

static const void *bytes_of(const struct vm_image *image)
{
    return (const void *)(uintptr_t)image->vaddr;
}

static struct wish wish_of(const struct vm_image *kernel)
{
    struct image_header h = {0};
    if (kernel->size >= sizeof(h)) {
        memcpy(&h, bytes_of(kernel), sizeof(h));
    }
    if (h.magic != IMAGE_MAGIC) {
        return (struct wish){RAW_OFFSET, kernel->size};
    }
    if (h.image_size == 0) {
        return (struct wish){RAW_OFFSET, kernel->size + UNSAID_REST};
    }
    return (struct wish){h.text_offset, h.image_size > kernel->size ? h.image_size : kernel->size};
}

static err_t check(const struct vm *vm, struct wish wish)
{
    const struct vm_config *c = vm->config;
    if (c->kernel.size == 0) {
        vm_log(vm, "there is no kernel: the description has to name one");
        return ERR_INVALID;
    }
    if (wish.offset >= SIZE_LIMIT || wish.size >= SIZE_LIMIT) {
        vm_log(vm, "kernel (%lu bytes): its header asks for 0x%lx bytes at offset 0x%lx: damaged",
               (unsigned long)c->kernel.size, (unsigned long)wish.size, (unsigned long)wish.offset);
        return ERR_INVALID;
    }
    if (c->ram_ipa >= SIZE_LIMIT || c->initrd.size >= SIZE_LIMIT || c->dtb.size > FDT_SIZE_MAX) {
        vm_log(vm,
               "initrd of %lu bytes, device tree of %lu: too big (a device tree has 2 MiB at most)",
               (unsigned long)c->initrd.size, (unsigned long)c->dtb.size);
        return ERR_INVALID;
    }
    return OK;
}

static uint64_t end_of(struct range r)
{
    return r.base + r.size;
}

static struct placement place(const struct vm *vm, struct wish wish)
{
    const struct vm_config *c = vm->config;
    struct placement p;
    p.kernel = (struct range){align_up(c->ram_ipa, IMAGE_ALIGNMENT) + wish.offset, wish.size};
    uint64_t next = align_up(end_of(p.kernel), PAGE);

    p.fdt = (struct range){align_up(c->ram_ipa, PAGE), fdt_room(vm)};
    if (end_of(p.fdt) > p.kernel.base) {
        p.fdt.base = next;
        next = align_up(end_of(p.fdt), PAGE);
    }
    p.initrd = (struct range){next, c->initrd.size};
    return p;
}

static uint64_t mib(uint64_t bytes)
{
    return align_up(bytes, MIB) / MIB;
}

static err_t check_fits(const struct vm *vm, const struct placement *p)
{
    const struct vm_config *c = vm->config;
    uint64_t end = end_of(p->initrd);
    if (range_contains((struct range){c->ram_ipa, c->ram_size}, c->ram_ipa, end - c->ram_ipa)) {
        return OK;
    }
    vm_log(vm,
           "memory of %lu MiB is too small: kernel %lu MiB, initrd %lu MiB, device tree %lu KiB; "
           "give the VM %lu MiB and what the guest works with",
           (unsigned long)(c->ram_size / MIB), (unsigned long)mib(p->kernel.size),
           (unsigned long)mib(c->initrd.size), (unsigned long)(p->fdt.size / 1024),
           (unsigned long)mib(end - c->ram_ipa));
    return ERR_NO_MEMORY;
}

static void copy(struct vm *vm, const struct vm_image *image, uint64_t ipa)
{
    if (image->size != 0) {
        memcpy(vm_memory(vm, ipa, image->size), bytes_of(image), image->size);
    }
}

static void publish(struct vm *vm, uint64_t ipa, uint64_t size)
{
    if (size != 0) {
        port_publish(vm->port, vm_memory(vm, ipa, size), size);
    }
}

// The rest of RAM was published by whoever zeroed it.
static void publish_images(struct vm *vm, const struct placement *p)
{
    publish(vm, p->kernel.base, vm->config->kernel.size);
    publish(vm, p->fdt.base, p->fdt.size);
    publish(vm, p->initrd.base, p->initrd.size);
}

err_t load_images(struct vm *vm)
{
    const struct vm_config *c = vm->config;
    struct wish wish = wish_of(&c->kernel);
    err_t err = check(vm, wish);
    if (err != OK) {
        return err;
    }
    struct placement p = place(vm, wish);
    err = check_fits(vm, &p);
    if (err != OK) {
        return err;
    }

    bool clean = !vm->started && c->starts == 0;
    vm->started = true;
    if (!clean) {
        port_zero(vm->port, vm_memory(vm, c->ram_ipa, c->ram_size), c->ram_size);
    }
    copy(vm, &c->kernel, p.kernel.base);
    copy(vm, &c->initrd, p.initrd.base);
    err = fdt_make(vm, vm_memory(vm, p.fdt.base, p.fdt.size), &p.initrd);
    if (err != OK) {
        return err;
    }
    publish_images(vm, &p);
    vm->entry = p.kernel.base;
    vm->fdt_ipa = p.fdt.base;
    return OK;
}
