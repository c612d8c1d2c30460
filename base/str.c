// See str.h. Plain loops: the compiler must not turn one into a call of itself
// (-fno-tree-loop-distribute-patterns for this file).
#include "str.h"

#include <stdint.h>

#include "bits.h"

// Images of megabytes are copied with 0.22 instructions a byte.
#define BLOCK 64u

struct block {
    uint64_t word[BLOCK / 8];
};

// Both sides 8-byte aligned: copies blocks and words, upwards, and returns how many bytes that was. A destination that
// overlaps the source lies below it: a block is read before it is written.
static ALWAYS_INLINE size_t copy_words(unsigned char *dst, const unsigned char *src, size_t n)
{
    if ((((uintptr_t)dst | (uintptr_t)src) & 7) != 0) {
        return 0;
    }
    size_t done = 0;
    for (; n - done >= BLOCK; done += BLOCK) {
        struct block *to = (void *)(dst + done);
        const uint64_t *from = (const uint64_t *)(const void *)(src + done);
        uint64_t w0 = from[0], w1 = from[1], w2 = from[2], w3 = from[3];
        uint64_t w4 = from[4], w5 = from[5], w6 = from[6], w7 = from[7];
        *to = (struct block){{w0, w1, w2, w3, w4, w5, w6, w7}};
    }
    for (; n - done >= 8; done += 8) {
        *(uint64_t *)(void *)(dst + done) = *(const uint64_t *)(const void *)(src + done);
    }
    return done;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    unsigned char *d = dst;
    const unsigned char *s = src;
    for (size_t i = copy_words(d, s, n); i < n; i++) {
        d[i] = s[i];
    }
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    unsigned char *d = dst;
    const unsigned char *s = src;
    if ((uintptr_t)d <= (uintptr_t)s) {
        for (size_t i = copy_words(d, s, n); i < n; i++) {
            d[i] = s[i];
        }
        return dst;
    }
    // Downwards. What is moved most, device trees, is a multiple of four bytes.
    if ((((uintptr_t)d | (uintptr_t)s | n) & 3) == 0) {
        for (; n > 0; n -= 4) {
            *(uint32_t *)(void *)(d + n - 4) = *(const uint32_t *)(const void *)(s + n - 4);
        }
    }
    for (; n > 0; n--) {
        d[n - 1] = s[n - 1];
    }
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    unsigned char *d = dst;
    size_t i = 0;
    if (((uintptr_t)d & 7) == 0) {
        uint64_t word = 0x0101010101010101u * (unsigned char)c;
        struct block block = {{word, word, word, word, word, word, word, word}};
        for (; n - i >= BLOCK; i += BLOCK) {
            *(struct block *)(void *)(d + i) = block;
        }
        for (; n - i >= 8; i += 8) {
            *(uint64_t *)(void *)(d + i) = word;
        }
    }
    for (; i < n; i++) {
        d[i] = (unsigned char)c;
    }
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const unsigned char *p = s;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == (unsigned char)c) {
            return (void *)(uintptr_t)(p + i);
        }
    }
    return NULL;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n] != '\0') {
        n++;
    }
    return n;
}

size_t strlen(const char *s)
{
    return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)a[i];
        unsigned char y = (unsigned char)b[i];
        if (x != y || x == '\0') {
            return x - y;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c) {
            return (char *)(uintptr_t)s;
        }
        if (*s == '\0') {
            return NULL;
        }
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;
    for (;; s++) {
        if (*s == (char)c) {
            last = s;
        }
        if (*s == '\0') {
            return (char *)(uintptr_t)last;
        }
    }
}
