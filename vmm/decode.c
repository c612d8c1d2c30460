// See decode.h. Names of fields are the manual's.
#include "decode.h"

#include <base/bits.h>

// Fields that all of these instructions have in the same place.
#define RT(insn)  ((uint8_t)field_get(insn, 4, 0))
#define RN(insn)  ((uint8_t)field_get(insn, 9, 5))
#define RT2(insn) ((uint8_t)field_get(insn, 14, 10))
#define RM(insn)  ((uint8_t)field_get(insn, 20, 16))

// Pairs: bits 29:27 and 26 (V: vectors). Single registers: the same bits.
#define CLASS(insn)     field_get(insn, 29, 26)
#define CLASS_PAIR      0xau
#define CLASS_SINGLE    0xeu
#define SINGLE_UNSIGNED BIT(24)
#define SINGLE_IMM9_NOT BIT(21)
#define SINGLE_OTHER    BIT(25)

// How the address and the base's new value follow from base and offset.
enum index {
    INDEX_OFFSET,
    INDEX_PRE,
    INDEX_POST,
};

static uint64_t sign_extend(uint64_t value, unsigned bits)
{
    uint64_t sign = BIT(bits - 1);
    return (value ^ sign) - sign;
}

static uint64_t register_value(const struct vcpu_regs *regs, uint8_t number)
{
    return number == DECODE_ZR ? 0 : regs->x[number];
}

static void place(struct decode *d, const struct vcpu_regs *regs, uint64_t sp, enum index index,
                  uint64_t offset)
{
    uint64_t base = d->base == DECODE_SP ? sp : regs->x[d->base];
    d->address = index == INDEX_POST ? base : base + offset;
    d->new_base = base + offset;
    d->write_back = index != INDEX_OFFSET;
}

// Such an instruction sets the base register twice, or stores what it is about to change. The manual leaves open what
// it does; we refuse it. (The stack pointer and the zero register share a number, but are not the same.)
static bool meets_its_base(const struct decode *d)
{
    if (!d->write_back || d->base == DECODE_SP) {
        return false;
    }
    for (unsigned i = 0; i < d->count; i++) {
        if (d->transfers[i].reg == d->base) {
            return true;
        }
    }
    return false;
}

// LDP, STP, LDNP, STNP, LDPSW.
static bool decode_pair(uint32_t insn, const struct vcpu_regs *regs, uint64_t sp,
                        struct decode *out)
{
    static const enum index indices[] = {INDEX_OFFSET, INDEX_POST, INDEX_OFFSET, INDEX_PRE};
    unsigned opc = (unsigned)field_get(insn, 31, 30);
    unsigned mode = (unsigned)field_get(insn, 24, 23); // 0: non-temporal
    bool load = (insn & BIT(22)) != 0;
    bool sign = opc == 1;
    if ((insn & BIT(25)) != 0 || opc == 3 || (sign && (!load || mode == 0))) {
        return false;
    }
    uint8_t size = opc == 2 ? 8 : 4;
    *out = (struct decode){
        .write = !load,
        .base = RN(insn),
        .count = 2,
        .transfers = {{RT(insn), size, sign, sign || size == 8},
                      {RT2(insn), size, sign, sign || size == 8}},
    };
    if (load && RT(insn) == RT2(insn)) {
        return false;
    }
    place(out, regs, sp, indices[mode], sign_extend(field_get(insn, 21, 15), 7) * size);
    return !meets_its_base(out);
}

// The register offset of LDR and STR, extended and shifted. False: unallocated.
static bool extended_offset(uint32_t insn, const struct vcpu_regs *regs, unsigned scale,
                            uint64_t *offset)
{
    uint64_t m = register_value(regs, RM(insn));
    unsigned shift = (insn & BIT(12)) != 0 ? scale : 0;
    switch (field_get(insn, 15, 13)) {
    case 2: // UXTW
        *offset = (uint64_t)(uint32_t)m << shift;
        return true;
    case 6: // SXTW
        *offset = sign_extend((uint32_t)m, 32) << shift;
        return true;
    case 3: // LSL
    case 7: // SXTX
        *offset = m << shift;
        return true;
    default:
        return false;
    }
}

// Where a load or store of a single register finds its address. False: it is another instruction.
static bool single_place(uint32_t insn, const struct vcpu_regs *regs, uint64_t sp, unsigned scale,
                         struct decode *out)
{
    if ((insn & SINGLE_UNSIGNED) != 0) {
        place(out, regs, sp, INDEX_OFFSET, field_get(insn, 21, 10) << scale);
        return true;
    }
    unsigned form = (unsigned)field_get(insn, 11, 10);
    if ((insn & SINGLE_IMM9_NOT) != 0) {
        uint64_t offset;
        if (form != 2 || !extended_offset(insn, regs, scale, &offset)) {
            return false; // atomics, authenticated loads
        }
        place(out, regs, sp, INDEX_OFFSET, offset);
        return true;
    }
    // LDUR, post-index, LDTR, pre-index
    static const enum index indices[] = {INDEX_OFFSET, INDEX_POST, INDEX_OFFSET, INDEX_PRE};
    place(out, regs, sp, indices[form], sign_extend(field_get(insn, 20, 12), 9));
    return true;
}

// LDR, STR and their kin.
static bool decode_single(uint32_t insn, const struct vcpu_regs *regs, uint64_t sp,
                          struct decode *out)
{
    unsigned scale = (unsigned)field_get(insn, 31, 30);
    unsigned opc = (unsigned)field_get(insn, 23, 22); // store, load, load signed 64, load signed 32
    bool sign = opc >= 2;
    bool wide = opc == 2 || scale == 3;
    if ((insn & SINGLE_OTHER) != 0 || (sign && scale + opc >= 5)) {
        return false; // prefetches, unallocated
    }
    *out = (struct decode){
        .write = opc == 0,
        .base = RN(insn),
        .count = 1,
        .transfers = {{RT(insn), (uint8_t)(1u << scale), sign, wide}},
    };
    return single_place(insn, regs, sp, scale, out) && !meets_its_base(out);
}

bool decode_access(uint32_t instruction, const struct vcpu_regs *regs, uint64_t sp,
                   struct decode *out)
{
    switch (CLASS(instruction)) {
    case CLASS_PAIR:
        return decode_pair(instruction, regs, sp, out);
    case CLASS_SINGLE:
        return decode_single(instruction, regs, sp, out);
    default:
        return false;
    }
}
