// Any instruction on any registers, as a guest may have them executed on a device. The input: an instruction of four
// bytes, then registers of eight bytes each, from x0 on. What must hold of what is not refused: one or two transfers of
// a size that a bus has, of registers that there are, next to each other around the base.
// sources: vmm/decode.c
#include <stdlib.h>
#include <string.h>

#include <vmm/decode.h>

#define REACH 0x8000u // of an immediate offset, more than any

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_register_offset(uint32_t instruction)
{
    return (instruction & 0x3f200c00) == 0x38200800;
}

static void check(uint32_t instruction, const struct vcpu_regs *regs, uint64_t sp,
                  const struct decode *d)
{
    expect(d->count == 1 || d->count == 2);
    expect(d->base <= DECODE_SP);
    uint64_t base = d->base == DECODE_SP ? sp : regs->x[d->base];
    for (unsigned i = 0; i < d->count; i++) {
        const struct decode_transfer *t = &d->transfers[i];
        expect(t->reg <= DECODE_ZR);
        expect(t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8);
        expect(t->size == d->transfers[0].size);
        expect(!(t->sign && (d->write || t->size == 8)));
        expect(!d->write_back || d->base == DECODE_SP || t->reg != d->base);
    }
    expect(d->count == 1 || d->transfers[0].size >= 4);
    expect(d->count == 1 || d->write || d->transfers[0].reg != d->transfers[1].reg);
    if (!is_register_offset(instruction)) {
        expect(d->address - base + REACH < 2 * REACH);
    }
    if (d->write_back) {
        expect(d->address == base || d->address == d->new_base);
        expect(d->new_base - base + REACH < 2 * REACH);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t instruction;
    uint64_t words[32] = {0}; // x0 - x30, sp
    if (size < sizeof(instruction)) {
        return 0;
    }
    memcpy(&instruction, data, sizeof(instruction));
    size -= sizeof(instruction);
    memcpy(words, data + sizeof(instruction), size < sizeof(words) ? size : sizeof(words));

    struct vcpu_regs regs = {.pc = 0x40000000};
    memcpy(regs.x, words, sizeof(regs.x));
    struct decode d;
    if (decode_access(instruction, &regs, words[31], &d)) {
        check(instruction, &regs, words[31], &d);
    }
    return 0;
}
