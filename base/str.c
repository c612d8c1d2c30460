// See str.h. Plain loops: the compiler must not turn one into a call of itself
// (-fno-tree-loop-distribute-patterns for this file).
#include "str.h"

#include <stdint.h>

#include "bits.h"

// Images of megabytes are copied with 0.16 instructions a byte.
#define BLOCK 128u
#define WORD  8u

struct block {
    uint64_t word[BLOCK / WORD];
};

static ALWAYS_INLINE uint64_t word_at(const unsigned char *at)
{
    return *(const uint64_t *)(const void *)at;
}

static ALWAYS_INLINE void set_word(unsigned char *at, uint64_t word)
{
    *(uint64_t *)(void *)at = word;
}

// ---- Copying --------------------------------------------------------------------------------------------------------
//
// Upwards. No access crosses its alignment or the ends of what was named, so that every memory will do, a device's too. A
// destination that overlaps the source lies below it: nothing is written over that has not been read.

// Both sides aligned: blocks, of which each is read before it is written. Returns how many bytes that was. Not for the
// compiler to inline: it takes all registers.
static NOINLINE size_t copy_blocks(unsigned char *dst, const unsigned char *src, size_t n)
{
    size_t done = 0;
    for (; n - done >= BLOCK; done += BLOCK) {
        const uint64_t *from = (const uint64_t *)(const void *)(src + done);
        uint64_t w0 = from[0], w1 = from[1], w2 = from[2], w3 = from[3];
        uint64_t w4 = from[4], w5 = from[5], w6 = from[6], w7 = from[7];
        uint64_t w8 = from[8], w9 = from[9], wa = from[10], wb = from[11];
        uint64_t wc = from[12], wd = from[13], we = from[14], wf = from[15];
        *(struct block *)(void *)(dst + done) =
            (struct block){{w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, wa, wb, wc, wd, we, wf}};
    }
    return done;
}

// Both sides aligned. Returns how many bytes whole words were.
static ALWAYS_INLINE size_t copy_words(unsigned char *dst, const unsigned char *src, size_t n)
{
    size_t done = n >= BLOCK ? copy_blocks(dst, src, n) : 0;
    for (; n - done >= WORD; done += WORD) {
        set_word(dst + done, word_at(src + done));
    }
    return done;
}

// The destination is aligned, the source is `skew` bytes past a boundary: each word of the one is put together out of two
// of the other, the first byte lowest. Returns how many bytes that was.
static NOINLINE size_t copy_skewed(unsigned char *dst, const unsigned char *src, size_t n,
                                   unsigned skew)
{
    const unsigned low = 8 * skew;
    const unsigned high = 64 - low;
    const size_t ahead = WORD - skew; // bytes of the source in `word`
    uint64_t word = 0;
    size_t done = 0;
    if (n < ahead + WORD) {
        return 0;
    }
    const size_t last = n - ahead - WORD; // where `done` may be for another word
    for (size_t i = 0; i < ahead; i++) {
        word |= (uint64_t)src[i] << (low + 8 * i);
    }
    for (; done <= last; done += WORD) {
        uint64_t next = word_at(src + done + ahead);
        set_word(dst + done, word >> low | next << high);
        word = next;
    }
    return done;
}

// Up to where whole words of the destination end; n is two words at least. Returns how many bytes that was.
static NOINLINE size_t copy_most(unsigned char *d, const unsigned char *s, size_t n)
{
    size_t done = 0;
    for (size_t head = -(uintptr_t)d & (WORD - 1); done < head; done++) {
        d[done] = s[done];
    }
    unsigned skew = (uintptr_t)(s + done) & (WORD - 1);
    return done + (skew == 0 ? copy_words(d + done, s + done, n - done)
                             : copy_skewed(d + done, s + done, n - done, skew));
}

static ALWAYS_INLINE void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
    for (size_t i = n >= 2 * WORD ? copy_most(d, s, n) : 0; i < n; i++) {
        d[i] = s[i];
    }
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    copy_up(dst, src, n);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    unsigned char *d = dst;
    const unsigned char *s = src;
    if ((uintptr_t)d <= (uintptr_t)s) {
        copy_up(d, s, n);
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
    if (n >= 2 * WORD) {
        for (size_t head = -(uintptr_t)d & (WORD - 1); i < head; i++) {
            d[i] = (unsigned char)c;
        }
        uint64_t word = 0x0101010101010101u * (unsigned char)c;
        for (; n - i >= BLOCK; i += BLOCK) {
            *(struct block *)(void *)(d + i) =
                (struct block){{word, word, word, word, word, word, word, word, word, word, word,
                                word, word, word, word, word}};
        }
        for (; n - i >= WORD; i += WORD) {
            set_word(d + i, word);
        }
    }
    for (; i < n; i++) {
        d[i] = (unsigned char)c;
    }
    return dst;
}

// ---- The rest -------------------------------------------------------------------------------------------------------

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
