// Loads and stores taken apart: encodings as an assembler makes them, and what is refused.
// sources: vmm/decode.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/bits.h>
#include <vmm/decode.h>

#define SP      0x8000u
#define UPDATED true
#define KEPT    false

// x0 = 0x1000, x1 = 0x1100, ...; x9 is an index: its low half is -2.
static struct vcpu_regs regs_of_test(void)
{
    struct vcpu_regs regs = {.pc = 0x7000};
    for (unsigned i = 0; i < 31; i++) {
        regs.x[i] = 0x1000 + 0x100 * i;
    }
    regs.x[9] = 0xfffffffe;
    return regs;
}

#define X(n) (0x1000ull + 0x100u * (n))

struct row {
    const char *text;
    uint32_t instruction;
    uint64_t address;
    bool write;
    bool write_back;
    uint8_t base;
    uint64_t new_base; // if write_back
    uint8_t count;
    struct decode_transfer transfers[2];
};

// clang-format off
static const struct row rows[] = {
    {"ldr w3, [x5], #4", 0xb84044a3, X(5), false, UPDATED, 5, X(5) + 4, 1, {{3, 4, false, false}}},
    {"ldr x3, [x5, #-8]!", 0xf85f8ca3, X(5) - 8, false, UPDATED, 5, X(5) - 8, 1, {{3, 8, false, true}}},
    {"str w3, [sp, #16]!", 0xb8010fe3, SP + 16, true, UPDATED, DECODE_SP, SP + 16, 1, {{3, 4, false, false}}},
    {"strb w7, [x2], #1", 0x38001447, X(2), true, UPDATED, 2, X(2) + 1, 1, {{7, 1, false, false}}},
    {"ldursb x4, [x6, #-3]", 0x389fd0c4, X(6) - 3, false, KEPT, 6, 0, 1, {{4, 1, true, true}}},
    {"ldrsb w4, [x6, #4095]", 0x39fffcc4, X(6) + 4095, false, KEPT, 6, 0, 1, {{4, 1, true, false}}},
    {"ldrh w4, [x6, #8190]", 0x797ffcc4, X(6) + 8190, false, KEPT, 6, 0, 1, {{4, 2, false, false}}},
    {"ldrsh w4, [x6, w9, sxtw #1]", 0x78e9d8c4, X(6) - 4, false, KEPT, 6, 0, 1, {{4, 2, true, false}}},
    {"ldrsw x4, [x6, w9, uxtw #2]", 0xb8a958c4, X(6) + 0x3fffffff8, false, KEPT, 6, 0, 1, {{4, 4, true, true}}},
    {"ldr x4, [x6, x9, lsl #3]", 0xf86978c4, X(6) + 0x7fffffff0, false, KEPT, 6, 0, 1, {{4, 8, false, true}}},
    {"ldr x4, [x6, x9, sxtx]", 0xf869e8c4, X(6) + 0xfffffffe, false, KEPT, 6, 0, 1, {{4, 8, false, true}}},
    {"stp w1, w2, [x3, #-256]", 0x29200861, X(3) - 256, true, KEPT, 3, 0, 2, {{1, 4, false, false}, {2, 4, false, false}}},
    {"ldp x1, x2, [x3], #504", 0xa8df8861, X(3), false, UPDATED, 3, X(3) + 504, 2, {{1, 8, false, true}, {2, 8, false, true}}},
    {"ldp x29, x30, [sp, #-16]!", 0xa9ff7bfd, SP - 16, false, UPDATED, DECODE_SP, SP - 16, 2, {{29, 8, false, true}, {30, 8, false, true}}},
    {"ldnp w1, w2, [x3, #252]", 0x285f8861, X(3) + 252, false, KEPT, 3, 0, 2, {{1, 4, false, false}, {2, 4, false, false}}},
    {"stnp x1, x2, [x3, #-512]", 0xa8200861, X(3) - 512, true, KEPT, 3, 0, 2, {{1, 8, false, true}, {2, 8, false, true}}},
    {"ldpsw x1, x2, [x3, #8]", 0x69410861, X(3) + 8, false, KEPT, 3, 0, 2, {{1, 4, true, true}, {2, 4, true, true}}},
    {"ldpsw x1, x2, [x3], #8", 0x68c10861, X(3), false, UPDATED, 3, X(3) + 8, 2, {{1, 4, true, true}, {2, 4, true, true}}},
    {"stp xzr, xzr, [x3], #16", 0xa8817c7f, X(3), true, UPDATED, 3, X(3) + 16, 2, {{DECODE_ZR, 8, false, true}, {DECODE_ZR, 8, false, true}}},
    {"str xzr, [x3]", 0xf900007f, X(3), true, KEPT, 3, 0, 1, {{DECODE_ZR, 8, false, true}}},
    {"str xzr, [sp], #8", 0xf80087ff, SP, true, UPDATED, DECODE_SP, SP + 8, 1, {{DECODE_ZR, 8, false, true}}},
    {"ldtr w1, [x3, #5]", 0xb8405861, X(3) + 5, false, KEPT, 3, 0, 1, {{1, 4, false, false}}},
    {"sttrh w1, [x3, #-1]", 0x781ff861, X(3) - 1, true, KEPT, 3, 0, 1, {{1, 2, false, false}}},
    {"ldursw x1, [x3, #-4]", 0xb89fc061, X(3) - 4, false, KEPT, 3, 0, 1, {{1, 4, true, true}}},
};

static const struct {
    const char *text;
    uint32_t instruction;
} refused[] = {
    {"ldr q1, [x3]", 0x3dc00061},
    {"ldp d1, d2, [x3]", 0x6d400861},
    {"ldxr w1, [x3]", 0x885f7c61},
    {"ldar w1, [x3]", 0x88dffc61},
    {"ldaddal w1, w2, [x3]", 0xb8e10062},
    {"swp x1, x2, [x3]", 0xf8218062},
    {"cas x1, x2, [x3]", 0xc8a17c62},
    {"ldapr w1, [x3]", 0xb8bfc061},
    {"ldapur w1, [x3, #4]", 0x99404061},
    {"ldraa x1, [x3]", 0xf8200461},
    {"prfm pldl1keep, [x3]", 0xf9800060},
    {"prfum pldl1keep, [x3, #1]", 0xf8801060},
    {"ldr x1, .", 0x58000001},
    {"dc zva, x1", 0xd50b7421},
    {"add x1, x2, x3", 0x8b030041},
    {"ret", 0xd65f03c0},
    {"udf #0", 0},
    {"all ones", 0xffffffff},
    {"stgp x1, x2, [x3]", 0x69000861},
    {"opc 3 of a pair", 0xe9400861},
    {"ldnp with signs", 0x68400861},
    {"size 2, signed to 32 bits", 0xb9c00061},
    {"size 3, opc 3", 0xf9c00061},
    {"register offset, option 0", 0xf86908c4},
    {"ldp x1, x1, [x3]", 0xa9400461},
    {"ldr x3, [x3], #8", 0xf8408463},
    {"str x3, [x3, #8]!", 0xf8008c63},
    {"ldp x3, x2, [x3], #16", 0xa8c10863},
    {"stp x1, x3, [x3, #16]!", 0xa9810c61},
};
// clang-format on

static void what_assemblers_make_is_understood(void **state)
{
    (void)state;
    struct vcpu_regs regs = regs_of_test();
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct decode d;
        print_message("%s\n", r->text);
        assert_true(decode_access(r->instruction, &regs, SP, &d));
        assert_int_equal(d.address, r->address);
        assert_int_equal(d.write, r->write);
        assert_int_equal(d.write_back, r->write_back);
        assert_int_equal(d.base, r->base);
        assert_int_equal(d.count, r->count);
        if (r->write_back) {
            assert_int_equal(d.new_base, r->new_base);
        }
        for (unsigned k = 0; k < r->count; k++) {
            assert_int_equal(d.transfers[k].reg, r->transfers[k].reg);
            assert_int_equal(d.transfers[k].size, r->transfers[k].size);
            assert_int_equal(d.transfers[k].sign, r->transfers[k].sign);
            assert_true(!d.transfers[k].sign || d.transfers[k].wide == r->transfers[k].wide);
        }
    }
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    struct vcpu_regs regs = regs_of_test();
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
        struct decode d;
        print_message("%s\n", refused[i].text);
        assert_false(decode_access(refused[i].instruction, &regs, SP, &d));
    }
}

static void addresses_wrap_as_the_cpu_s_do(void **state)
{
    (void)state;
    struct vcpu_regs regs = {.x = {[3] = 0, [5] = UINT64_MAX}};
    struct decode d;
    assert_true(decode_access(0xb89fc061, &regs, SP, &d)); // ldursw x1, [x3, #-4]
    assert_int_equal(d.address, UINT64_MAX - 3);
    assert_true(decode_access(0xb84044a3, &regs, SP, &d)); // ldr w3, [x5], #4
    assert_int_equal(d.new_base, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_assemblers_make_is_understood),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(addresses_wrap_as_the_cpu_s_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
