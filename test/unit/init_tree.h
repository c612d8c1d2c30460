// The device tree of the machine of init's tests: a GIC, a UART, small devices that share a page, a bus that moves
// addresses, a PCI window, clocks. init_tree.c says where everything is.
#pragma once

#define WORLD_RAM     0x40000000u
#define WORLD_RAM_END 0x48000000u

void *world_tree(void); // free() it
