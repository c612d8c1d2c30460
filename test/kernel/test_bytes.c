// Copying, filling and zeroing memory as a process does it on the target: the code that the compiler makes of base/str.c
// with all the registers and block instructions that this architecture has, and lib/cache.c. test/unit/test_str.c has
// the same claims on the development machine, with every length.
#include "../harness/report.h"
#include "../harness/world.h"

#include <base/bits.h>
#include <base/str.h>
#include <lib/cache.h>

#define SIZE  600u // of what is looked at
#define GUARD 0x5au

// Lengths around those of words and blocks.
static const unsigned lengths[] = {0,  1,  2,  3,  7,  8,   9,   15,  16,  17,  23,  24,  31,
                                   32, 33, 63, 64, 65, 127, 128, 129, 135, 136, 255, 256, 500};

static _Alignas(64) unsigned char from[SIZE], to[SIZE];

// memset is under test.
static void prepare(void)
{
    for (unsigned i = 0; i < SIZE; i++) {
        from[i] = (unsigned char)(i * 7 + 1);
        to[i] = GUARD;
    }
}

static unsigned wrong_bytes(unsigned begin, unsigned n, const unsigned char *expected, int fill)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < SIZE; i++) {
        bool inside = i >= begin && i < begin + n;
        int byte = !inside ? (int)GUARD : expected != NULL ? expected[i - begin] : fill;
        wrong += to[i] != byte;
    }
    return wrong;
}

static void test_copy(void)
{
    unsigned wrong = 0;
    for (unsigned a = 0; a < 8; a++) {
        for (unsigned b = 0; b < 8; b++) {
            for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
                prepare();
                (void)memcpy(to + b, from + a, lengths[l]);
                wrong += wrong_bytes(b, lengths[l], from + a, 0);
            }
        }
    }
    report(wrong == 0, "memcpy: every alignment, what was asked for and no byte more");
}

// Both directions, by less than a word, a word, and more than a block.
static void test_move(void)
{
    static const unsigned places[] = {0, 1, 5, 8, 13, 16, 64, 70};
    unsigned wrong = 0;
    for (unsigned a = 0; a < ARRAY_SIZE(places); a++) {
        for (unsigned b = 0; b < ARRAY_SIZE(places); b++) {
            for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
                prepare();
                (void)memmove(from + places[b], from + places[a], lengths[l]);
                for (unsigned i = 0; i < SIZE; i++) {
                    bool moved = i >= places[b] && i < places[b] + lengths[l];
                    unsigned was = moved ? i - places[b] + places[a] : i;
                    wrong += from[i] != (unsigned char)(was * 7 + 1);
                }
            }
        }
    }
    report(wrong == 0, "memmove: what overlaps arrives whole, up and down");
}

static void test_set(void)
{
    unsigned wrong = 0;
    for (unsigned b = 0; b < 8; b++) {
        for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
            prepare();
            (void)memset(to + b, 0x1e7, lengths[l]);
            wrong += wrong_bytes(b, lengths[l], NULL, 0xe7);
        }
    }
    report(wrong == 0, "memset: every alignment, and no byte more");
}

// Whole lines by the block instruction, anything else by stores; what lies beside is left alone.
static void test_zero_and_publish(void)
{
    static const struct {
        unsigned at;
        unsigned size;
    } cases[] = {{0, 64}, {64, 128}, {0, 512}, {1, 64}, {64, 65}, {3, 0}, {8, 300}};
    unsigned wrong = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        prepare();
        bulkhead_cache_zero(to + cases[i].at, cases[i].size);
        wrong += wrong_bytes(cases[i].at, cases[i].size, NULL, 0);
        bulkhead_cache_publish(to + cases[i].at, cases[i].size);
        wrong += wrong_bytes(cases[i].at, cases[i].size, NULL, 0);
    }
    report(wrong == 0, "zeroing to memory leaves alone what is beside");
}

static void test_zero_megabytes(void)
{
    const uint64_t size = 4 * LARGE_PAGE_SIZE - PAGE_SIZE;
    handle_t frames;
    uint64_t *words = map_new(size + PAGE_SIZE, &frames);
    for (uint64_t i = 0; i < (size + PAGE_SIZE) / 8; i++) {
        words[i] = i + 1;
    }
    bulkhead_cache_zero(words, size);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < (size + PAGE_SIZE) / 8; i++) {
        wrong += words[i] != (i < size / 8 ? 0 : i + 1);
    }
    report(wrong == 0, "megabytes are zeroed up to their end");
}

static const struct test_case cases[] = {
    {"memcpy", test_copy},
    {"memmove", test_move},
    {"memset", test_set},
    {"zero and publish", test_zero_and_publish},
    {"zero megabytes", test_zero_megabytes},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}
