// Relaxed atomic accesses: as the language has them, so that interleave.h finds them.
#pragma once

#include <stdatomic.h>

#define load_relaxed(p)         atomic_load_explicit(p, memory_order_relaxed)
#define store_relaxed(p, value) atomic_store_explicit(p, value, memory_order_relaxed)
