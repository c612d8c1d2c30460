// The guest's device tree: the VM's own nodes (those of QEMU's virt board, which guests know), alone or merged into a
// tree that was given.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <abi/err.h>
#include <base/range.h>

struct vm;

// What a device tree may have at most: Linux, Documentation/arm64/booting.rst, "Setup the device tree".
#define FDT_SIZE_MAX 0x200000u

// Bytes of the buffer that fdt_make needs.
size_t fdt_room(const struct vm *vm);

// Writes the device tree to the start of a buffer of fdt_room bytes, 8-byte aligned; the rest is zero then. `initrd`:
// where it is for the guest, empty for none. What is wrong with a tree that was given is told through port_log: then
// ERR_INVALID.
err_t fdt_make(const struct vm *vm, void *buffer, const struct range *initrd) WARN_UNUSED;
