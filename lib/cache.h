// Cache maintenance that a process may do on its own memory.
#pragma once

#include <stddef.h>

// Cleans and invalidates to the point of coherency: for memory that somebody reads past the caches.
void bulkhead_cache_publish(const void *start, size_t size);

// Zeroes and publishes, in one pass. Cached memory only, as for every instruction that zeroes a line.
void bulkhead_cache_zero(void *start, size_t size);
