// A VM's images get into its memory: kernel, initrd, device tree.
//
//   RAM |  device tree, if it fits here  | kernel, its zeroed rest | device tree, if not there | initrd |
//
// A kernel with an arm64 Image header goes where that asks for (Linux, Documentation/arm64/booting.rst); anything else
// 512 KiB into RAM, where programs for QEMU's virt board expect to be, with the device tree at the start of RAM.
#pragma once

#include <abi/err.h>

struct vm;

// Makes guest memory what a start finds: images, and zero elsewhere; vm->started says whether RAM may hold what an earlier
// guest left. The guest may read all of it past its caches. Sets vm->entry and vm->fdt_ipa. All vcpus stand still.
//
// ERR_INVALID: an image is not what it says. ERR_NO_MEMORY: they don't fit. A message has told what and how to mend it.
err_t load_images(struct vm *vm) WARN_UNUSED;
