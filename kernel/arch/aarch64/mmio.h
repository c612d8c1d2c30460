// Registers of devices: one access of the given width each, never merged or split, in program order among themselves.
#pragma once

#include <stdint.h>

static inline uint32_t mmio_read32(const volatile void *base, uint64_t offset)
{
    return *(const volatile uint32_t *)((const volatile char *)base + offset);
}

static inline void mmio_write32(volatile void *base, uint64_t offset, uint32_t value)
{
    *(volatile uint32_t *)((volatile char *)base + offset) = value;
}

static inline uint64_t mmio_read64(const volatile void *base, uint64_t offset)
{
    return *(const volatile uint64_t *)((const volatile char *)base + offset);
}

static inline void mmio_write64(volatile void *base, uint64_t offset, uint64_t value)
{
    *(volatile uint64_t *)((volatile char *)base + offset) = value;
}

static inline void mmio_write8(volatile void *base, uint64_t offset, uint8_t value)
{
    *((volatile uint8_t *)base + offset) = value;
}
