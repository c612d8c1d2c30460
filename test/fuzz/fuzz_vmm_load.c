// Images and given device trees of any content. The input: a byte that chooses the VM, two bytes for the length of the
// device tree, the device tree, and the kernel. What must hold: no access outside images and guest memory (the sanitizers
// see it), and after a success a device tree that libfdt can read and an entry in guest memory.
// sources: vmm/load.c vmm/fdt.c vmm/fdt_address.c vmm/fdt_write.c vmm/fdt_check.c vmm/fdt_merge.c vmm/dev/pl011.c vmm/dev/pl031.c vmm/log.c
// sources: base/format.c
// flags: -Itest/unit
#include <libfdt.h>

#include <vmm/fdt.h>
#include <vmm/load.h>

#include <vmm_world.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM      0x40000000u
#define RAM_STEP 0x80000u
#define RAM_MAX  (4 * RAM_STEP)

// Guest memory is its end: what is behind that, the sanitizer watches.
static _Alignas(4096) uint8_t memory[RAM_MAX];

static size_t sink_write(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    return size;
}

// Memory of exactly this size, so that not a byte behind it is read unseen.
static struct vm_image image_of(const uint8_t *bytes, size_t size)
{
    void *copy = malloc(size);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, size);
    return (struct vm_image){(uintptr_t)copy, size};
}

static void check(void)
{
    const struct vm *vm = &world.vm;
    const struct vm_config *c = &world.config;
    struct range where = {c->ram_ipa, c->ram_size};
    if (!range_contains(where, vm->entry, 1) || !range_contains(where, vm->fdt_ipa, 40)) {
        abort();
    }
    const void *fdt = (const void *)(uintptr_t)(c->ram_vaddr + (vm->fdt_ipa - c->ram_ipa));
    if (fdt_check_header(fdt) != 0 || fdt_totalsize(fdt) > FDT_SIZE_MAX ||
        !range_contains(where, vm->fdt_ipa, fdt_totalsize(fdt)) ||
        fdt_path_offset(fdt, "/cpus/cpu@0") < 0) {
        abort();
    }
}

static void make_vm(uint8_t choice)
{
    static const struct char_sink to = {.write = sink_write};
    world_reset();
    struct vm_config *c = &world.config;
    c->gic_version = 2 + (choice & 1);
    world.vm.vcpus = 1 + (choice >> 1 & 7);
    c->ram_ipa = RAM;
    c->ram_size = RAM_STEP * (1u + (choice >> 4 & 3));
    c->ram_vaddr = (uintptr_t)memory + RAM_MAX - c->ram_size;
    c->starts = choice >> 6 & 1;
    c->cmdline[0] = choice >> 7 != 0 ? 'x' : 0;
    if (pl011_create(&world.vm, &world.vm.console, VM_PL011, VM_PL011_INTID, &to) != OK ||
        pl031_create(&world.vm, &world.vm.rtc, VM_PL031, VM_PL031_INTID, 0) != OK) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    make_vm(data[0]);
    size_t dtb_size = (size_t)(data[1] | data[2] << 8);
    dtb_size = dtb_size < size - 3 ? dtb_size : size - 3;

    struct vm_config *c = &world.config;
    c->dtb = image_of(data + 3, dtb_size);
    c->kernel = image_of(data + 3 + dtb_size, size - 3 - dtb_size);
    c->initrd = image_of(data, size);

    err_t err = load_images(&world.vm);
    if (err == OK) {
        check();
    } else if (world.log[0] == '\0') {
        abort(); // every refusal says why
    }
    free((void *)(uintptr_t)c->dtb.vaddr);
    free((void *)(uintptr_t)c->kernel.vaddr);
    free((void *)(uintptr_t)c->initrd.vaddr);
    return 0;
}
