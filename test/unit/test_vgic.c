// The virtual interrupt controller's registers and its single rules, both versions. What happens when they meet:
// test_vgic_walk.c; on several threads: test_vgic_threads.c.
// sources: vmm/gic/vgic.c vmm/gic/slots.c vmm/gic/hold.c vmm/gic/sgi.c vmm/gic/registers.c
// sources: vmm/gic/distributor.c vmm/gic/redistributor.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "vgic_world.h"

#define GICD      VGIC_DISTRIBUTOR
#define GICR(n)   (VGIC_REDISTRIBUTOR + (n) * (uint64_t)GICR_FRAMES_SIZE)
#define SGIS(n)   (GICR(n) + GICR_SGI_FRAME)
#define SGI1R(id) ((uint64_t)(id) << ICC_SGI1R_INTID_SHIFT)

static uint64_t rd(uint64_t ipa, unsigned size)
{
    return access_bus(0, ipa, size, false, 0);
}

static void wr(uint64_t ipa, unsigned size, uint64_t value)
{
    access_bus(0, ipa, size, true, value);
}

static void begin(uint32_t version, unsigned vcpus)
{
    world_init(version, vcpus);
    for (unsigned v = 0; v < vcpus; v++) {
        vcpu_turn_around(v);
    }
    set_groups(3);
}

// Ready to be delivered at vcpu `target`.
static void ready(uint32_t intid, unsigned target, bool edge)
{
    set_target(0, intid, target);
    write_bits(0, target, GICD_ICFGR, intid, 2, edge ? 2 : 0);
    write_one(0, target, GICD_ISENABLER, intid);
}

static void pulse(uint32_t intid)
{
    vgic_set_line(&world.vm, intid, true);
    vgic_set_line(&world.vm, intid, false);
}

// ---- Registers: what is written and what is read then ------------------------------------------------------------

struct access {
    uint32_t version;
    uint64_t ipa;
    unsigned size;
    bool write;
    uint64_t value; // written first
    uint64_t expected;
};

// Two vcpus; vcpu 0 makes the accesses.
// clang-format off
static const struct access accesses[] = {
    // Constants.
    {2, GICD + GICD_TYPER, 4, true, ~0ull, 0x28},
    {3, GICD + GICD_TYPER, 4, true, ~0ull, 0x480008},
    {3, GICD + GICD_TYPER, 8, false, 0, 0},
    {2, GICD + GICD_IIDR, 4, true, 0, 0x4200043b},
    {2, GICD + GICD_PIDR2_V2, 4, true, 0, 0x2b},
    {3, GICD + GICD_PIDR2, 4, true, 0, 0x3b},
    {3, GICD + GICD_PIDR2_V2, 4, false, 0, 0},
    {3, GICR(1) + GICD_PIDR2, 4, false, 0, 0x3b},
    {3, GICR(0) + GICR_IIDR, 4, false, 0, 0x4200043b},
    {3, GICR(0) + GICR_TYPER, 8, true, 0, 0},
    {3, GICR(1) + GICR_TYPER, 8, false, 0, 0x100000110},
    {3, GICR(1) + GICR_TYPER, 4, false, 0, 0x110},
    {3, GICR(1) + GICR_TYPER + 4, 4, false, 0, 1},
    {3, GICR(0) + GICR_CTLR, 4, true, ~0ull, 0},
    {3, GICR(2) + GICR_TYPER, 8, false, 0, 0}, // nobody there
    // Control.
    {2, GICD + GICD_CTLR, 4, true, ~0ull, 3},
    {3, GICD + GICD_CTLR, 4, true, ~0ull, 0x53},
    {3, GICD + GICD_CTLR, 4, true, 0, 0x50},
    {3, GICR(0) + GICR_WAKER, 4, false, 0, 6},
    {3, GICR(0) + GICR_WAKER, 4, true, 0, 0},
    {3, GICR(0) + GICR_WAKER, 4, true, 2, 6},
    // Families.
    {2, GICD + GICD_IGROUPR, 4, true, 0xa5a5a5a5, 0xa5a5a5a5},
    {3, GICD + GICD_IGROUPR, 4, true, 0xa5a5a5a5, 0},
    {3, SGIS(0) + GICD_IGROUPR, 4, true, 0xa5a5a5a5, 0xa5a5a5a5},
    {3, SGIS(0) + GICD_IGROUPR + 4, 4, true, 0xa5a5a5a5, 0},
    {2, GICD + GICD_ISENABLER, 4, false, 0, 0xffff},
    {2, GICD + GICD_ICENABLER, 4, true, ~0ull, 0xffff},
    {3, SGIS(1) + GICD_ISENABLER, 4, false, 0, 0},
    {3, SGIS(1) + GICD_ISENABLER, 4, true, ~0ull, 0xffffffff},
    {3, GICD + GICD_ISENABLER + 32, 4, true, ~0ull, 0xffffffff},
    {3, GICD + GICD_ISENABLER + 36, 4, true, ~0ull, 0}, // beyond GICD_TYPER
    {2, GICD + GICD_ISENABLER + 4, 2, true, ~0ull, 0},
    {2, GICD + GICD_ISENABLER + 4, 1, true, ~0ull, 0},
    {2, GICD + GICD_ISENABLER + 6, 4, true, ~0ull, 0},
    {2, GICD + GICD_ISENABLER + 4, 8, true, ~0ull, 0},
    {2, GICD + GICD_IPRIORITYR + 33, 1, true, 0xff, 0xf8},
    {3, GICD + GICD_IPRIORITYR + 32, 4, true, 0x1122ff08, 0x1020f808},
    {3, GICD + GICD_IPRIORITYR + 31, 1, true, 0xff, 0},
    {3, SGIS(0) + GICD_IPRIORITYR + 31, 1, true, 0xff, 0xf8},
    {2, GICD + GICD_ICFGR, 4, true, 0, 0xaaaaaaaa},
    {2, GICD + GICD_ICFGR + 4, 4, true, ~0ull, 0xaaaaaaaa},
    {3, GICD + GICD_ICFGR + 8, 4, true, 0x22222222, 0x22222222},
    {2, GICD + GICD_ISPENDR, 4, true, ~0ull, 0xffff0000}, // SGIs come by GICD_SGIR
    {3, SGIS(1) + GICD_ISPENDR, 4, true, ~0ull, 0xffffffff},
    {3, GICD + GICD_ISPENDR + 4, 4, true, 0xf0, 0xf0},
    {3, SGIS(1) + GICD_ISACTIVER, 4, true, 0xf00f, 0xf00f},
    {3, GICD + GICD_ISACTIVER + 4, 4, true, 0xf0, 0xf0},
    // Targets.
    {2, GICD + GICD_ITARGETSR, 4, true, ~0ull, 0x01010101},
    {2, GICD + GICD_ITARGETSR + 32, 4, true, ~0ull, 0x03030303},
    {2, GICD + GICD_ITARGETSR + 34, 1, true, 2, 2},
    {3, GICD + GICD_ITARGETSR + 32, 4, true, ~0ull, 0},
    {3, GICD + GICD_IROUTER + 8 * 40, 8, true, ~0ull, 0xff80ffffff},
    {3, GICD + GICD_IROUTER + 8 * 40 + 4, 4, true, ~0ull, 0xff},
    {3, GICD + GICD_IROUTER + 8 * 40, 4, true, 0x80000001, 0x80000001},
    {3, GICD + GICD_IROUTER + 8 * 40, 1, true, 1, 0},
    {3, GICD + GICD_IROUTER + 8 * 40 + 4, 8, true, 1, 0},
    {3, GICD + GICD_IROUTER + 8 * 31, 8, true, 1, 0},
    {2, GICD + GICD_IROUTER + 8 * 40, 4, true, 1, 0},
    // Senders.
    {2, GICD + GICD_SPENDSGIR + 4, 4, true, 0x0302, 0x0302},
    {2, GICD + GICD_SPENDSGIR + 5, 1, true, 0xff, 3},
    {2, GICD + GICD_CPENDSGIR + 4, 4, true, 0x0302, 0},
    {3, GICD + GICD_SPENDSGIR, 4, true, ~0ull, 0},
    {3, SGIS(0) + GICD_SPENDSGIR, 4, true, ~0ull, 0},
    // Nothing.
    {2, GICD + 0xfffc, 4, true, ~0ull, 0},
    {2, GICD + GICD_SGIR, 4, false, 0, 0},
    {3, SGIS(0) + 0xfffc, 4, true, ~0ull, 0},
};
// clang-format on

static void registers_hold_what_they_can(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ARRAY_SIZE(accesses); n++) {
        const struct access *a = &accesses[n];
        world_init(a->version, 2);
        if (a->write) {
            wr(a->ipa, a->size, a->value);
        }
        uint64_t value = rd(a->ipa, a->size);
        if (value != a->expected) {
            print_message("version %u, %u bytes at 0x%lx: 0x%lx\n", a->version, a->size,
                          (unsigned long)a->ipa, (unsigned long)value);
        }
        assert_true(value == a->expected);
    }
}

static void one_core_has_no_targets(void **state)
{
    (void)state;
    begin(2, 1);
    wr(GICD + GICD_ITARGETSR + 32, 4, ~0ull);
    assert_int_equal(rd(GICD + GICD_ITARGETSR + 32, 4), 0);
    assert_int_equal(rd(GICD + GICD_ITARGETSR, 4), 0);
    write_one(0, 0, GICD_ISENABLER, 40);
    vgic_set_line(&world.vm, 40, true);
    assert_int_equal(guest_ack(0), 40);
}

// ---- Pending, and what keeps it from being delivered -------------------------------------------------------------

static void pending_while_disabled(uint32_t version)
{
    begin(version, 2);
    ready(40, 1, true);
    write_one(0, 0, GICD_ICENABLER, 40);
    pulse(40);
    assert_int_equal(guest_ack(1), NO_INTID);
    assert_int_equal(read_bits(0, 0, GICD_ISPENDR, 40, 1), 1);
    write_one(0, 0, GICD_ISENABLER, 40);
    assert_int_equal(guest_ack(1), 40);
    assert_int_equal(read_bits(0, 0, GICD_ISACTIVER, 40, 1), 1);
    guest_eoi(1, 40);
    assert_int_equal(guest_ack(1), NO_INTID);
}

static void disabled_on_its_way(uint32_t version)
{
    begin(version, 2);
    ready(40, 1, true);
    pulse(40); // in a list register now
    write_one(0, 0, GICD_ICENABLER, 40);
    assert_int_equal(guest_ack(1), NO_INTID);
    set_groups(0);
    write_one(0, 0, GICD_ISENABLER, 40);
    assert_int_equal(guest_ack(1), NO_INTID);
    set_groups(1);
    assert_int_equal(guest_ack(1), 40);
}

static void moved_while_pending(uint32_t version)
{
    begin(version, 3);
    ready(40, 1, true);
    pulse(40);
    set_target(0, 40, 2);
    assert_true(vgic_wanted(&world.vm.gic, 1));
    vcpu_turn_around(1);
    assert_false(vgic_wanted(&world.vm.gic, 1));
    assert_int_equal(guest_ack(1), NO_INTID);
    assert_int_equal(guest_ack(2), 40);
}

static void moved_while_active(uint32_t version)
{
    begin(version, 3);
    ready(40, 1, true);
    pulse(40);
    assert_int_equal(guest_ack(1), 40);
    set_target(0, 40, 2);
    pulse(40);
    vcpu_turn_around(1);
    assert_true(vgic_serve(&world.vm.vcpu[1]) != UINT64_MAX); // looks again soon
    assert_int_equal(guest_ack(2), NO_INTID);
    guest_eoi(1, 40);
    vcpu_turn_around(1);
    assert_int_equal(guest_ack(1), NO_INTID);
    assert_int_equal(guest_ack(2), 40);
}

static void moved_from_a_core_that_is_off(uint32_t version)
{
    begin(version, 3);
    ready(40, 1, true);
    atomic_store(&world.vm.vcpu[1].power, VCPU_OFF);
    pulse(40);
    assert_int_equal(read_bits(0, 0, GICD_ISPENDR, 40, 1), 1);
    set_target(0, 40, 2);
    assert_int_equal(guest_ack(2), 40);
}

static void without_a_target(uint32_t version)
{
    begin(version, 2);
    ready(40, 1, true);
    set_target(0, 40, 7);
    pulse(40);
    assert_int_equal(read_bits(0, 0, GICD_ISPENDR, 40, 1), 1);
    set_target(0, 40, 0);
    assert_int_equal(guest_ack(0), 40);
}

// More than there are slots, the last ones with the highest priority.
static void all_at_once(uint32_t version)
{
    begin(version, 2);
    for (uint32_t n = 0; n < 64; n++) {
        ready(32 + n, 1, n % 2 == 0);
        write_bits(0, 0, GICD_IPRIORITYR, 32 + n, 8, (63 - n) / 2 << 3);
    }
    for (uint32_t n = 0; n < 64; n++) {
        vgic_set_line(&world.vm, 32 + n, true);
    }
    vcpu_turn_around(1);
    unsigned last = 0;
    for (uint32_t n = 0; n < 64; n++) {
        uint32_t intid = guest_ack(1);
        assert_true(intid != NO_INTID);
        assert_true((63 - (intid - 32)) / 2 >= last);
        last = (63 - (intid - 32)) / 2;
        vgic_set_line(&world.vm, intid, false);
        guest_eoi(1, intid);
        if (vgic_wanted(&world.vm.gic, 1)) {
            vcpu_turn_around(1);
        }
    }
    assert_int_equal(guest_ack(1), NO_INTID);
    assert_false(vgic_wanted(&world.vm.gic, 1));
}

static void level_until_the_line_drops(uint32_t version)
{
    begin(version, 1);
    ready(40, 0, false);
    vgic_set_line(&world.vm, 40, true);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(guest_ack(0), 40);
        guest_eoi(0, 40);
    }
    write_one(0, 0, GICD_ICPENDR, 40); // clears the latch, not the line
    assert_int_equal(read_bits(0, 0, GICD_ISPENDR, 40, 1), 1);
    vgic_set_line(&world.vm, 40, false);
    assert_int_equal(guest_ack(0), NO_INTID);
    write_one(0, 0, GICD_ISPENDR, 40);
    assert_int_equal(guest_ack(0), 40);
    guest_eoi(0, 40);
    assert_int_equal(guest_ack(0), NO_INTID);
}

static void private_lines(uint32_t version)
{
    begin(version, 2);
    write_one(1, 1, GICD_ISENABLER, 30);
    vgic_set_private_line(&world.vm.vcpu[0], 30, true);
    vgic_set_private_line(&world.vm.vcpu[1], 30, true);
    enter(0);
    enter(1);
    assert_int_equal(guest_ack(0), NO_INTID);
    assert_int_equal(guest_ack(1), 30);
    vgic_set_private_line(&world.vm.vcpu[1], 30, false);
    guest_eoi(1, 30);
    assert_int_equal(guest_ack(1), NO_INTID);
}

static void reset_forgets(uint32_t version)
{
    begin(version, 2);
    ready(40, 1, true);
    ready(41, 1, false);
    pulse(40);
    vgic_set_line(&world.vm, 41, true);
    assert_true(guest_ack(1) != NO_INTID);
    vgic_reset(&world.vm);
    assert_int_equal(read_bits(0, 1, GICD_ISPENDR, 40, 1), 0);
    assert_int_equal(read_bits(0, 1, GICD_ISPENDR, 41, 1), 1); // its line
    assert_int_equal(read_bits(0, 1, GICD_ISACTIVER, 40, 1), 0);
    assert_int_equal(read_bits(0, 1, GICD_ISENABLER, 40, 1), 0);
    enter(1);
    assert_int_equal(guest_ack(1), NO_INTID);
}

static void for_any_core(uint32_t intid)
{
    if (world.vm.gic.version == 3) {
        wr(GICD + GICD_IROUTER + 8 * intid, 8, GICD_IROUTER_IRM);
    } else {
        wr(GICD + GICD_ITARGETSR + intid, 1, 7);
    }
    write_bits(0, 0, GICD_ICFGR, intid, 2, 2);
    write_one(0, 0, GICD_ISENABLER, intid);
}

static void pending_at_a_core_that_goes_off(uint32_t version)
{
    begin(version, 3);
    for_any_core(40);
    pulse(40);
    assert_int_equal(world.vm.gic.spi[8].home, 0);
    atomic_store(&world.vm.vcpu[0].power, VCPU_OFF);
    vgic_power_changed(&world.vm.vcpu[0]);
    assert_int_equal(guest_ack(1), 40);
    guest_eoi(1, 40);
    assert_int_equal(guest_ack(1), NO_INTID);
}

static void pending_while_all_are_off(uint32_t version)
{
    begin(version, 3);
    for_any_core(40);
    for (unsigned v = 0; v < 3; v++) {
        atomic_store(&world.vm.vcpu[v].power, VCPU_OFF);
    }
    pulse(40);
    atomic_store(&world.vm.vcpu[2].power, VCPU_STARTING);
    vgic_power_changed(&world.vm.vcpu[1]);
    assert_int_equal(guest_ack(2), 40);
}

static void (*const rules[])(uint32_t version) = {
    pending_while_disabled,
    disabled_on_its_way,
    moved_while_pending,
    moved_while_active,
    moved_from_a_core_that_is_off,
    pending_at_a_core_that_goes_off,
    pending_while_all_are_off,
    without_a_target,
    all_at_once,
    level_until_the_line_drops,
    private_lines,
    reset_forgets,
};

static void rules_of_both_versions(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ARRAY_SIZE(rules); n++) {
        rules[n](2);
        rules[n](3);
    }
}

static void strange_intids_are_ignored(void **state)
{
    (void)state;
    begin(3, 1);
    vgic_set_line(&world.vm, 31, true);
    vgic_set_line(&world.vm, 288, true);
    vgic_set_line(&world.vm, UINT32_MAX, true);
    vgic_set_private_line(&world.vm.vcpu[0], 0, true);
    vgic_set_private_line(&world.vm.vcpu[0], 32, true);
}

static void any_core_means_one_that_is_on(void **state)
{
    (void)state;
    begin(3, 3);
    atomic_store(&world.vm.vcpu[0].power, VCPU_OFF);
    wr(GICD + GICD_IROUTER + 8 * 40, 8, GICD_IROUTER_IRM);
    wr(GICD + GICD_ICFGR + 8, 4, ~0ull);
    write_one(0, 0, GICD_ISENABLER, 40);
    pulse(40);
    assert_int_equal(guest_ack(1), 40);
    guest_eoi(1, 40);
    atomic_store(&world.vm.vcpu[1].power, VCPU_OFF);
    pulse(40);
    assert_int_equal(guest_ack(2), 40);
}

// ---- SGIs -------------------------------------------------------------------------------------------------------

struct sgi {
    uint64_t value;
    unsigned op2;
    uint32_t group1;   // GICR_IGROUPR0 of all
    uint32_t expected; // vcpus that get it
};

// Sent by vcpu 1 of 4; SGI 3.
static const struct sgi sgis[] = {
    {SGI1R(3) | 0x1, 5, ~0u, 0x1},
    {SGI1R(3) | 0xffff, 5, ~0u, 0xf},
    {SGI1R(3) | 0x2, 5, ~0u, 0x2},
    {SGI1R(3) | ICC_SGI1R_ALL_OTHERS, 5, ~0u, 0xd},
    {SGI1R(3) | 0xf | BIT(16), 5, ~0u, 0}, // other clusters
    {SGI1R(3) | 0xf | BIT(32), 5, ~0u, 0},
    {SGI1R(3) | 0xf | BIT(48), 5, ~0u, 0},
    {SGI1R(3) | 0xf | BIT(44), 5, ~0u, 0}, // Aff0 from 16 on
    {SGI1R(3) | 0xf, 5, 0, 0},             // other group
    {SGI1R(3) | 0xf, 7, 0, 0xf},
    {SGI1R(3) | 0xf, 6, 0, 0xf},
    {SGI1R(3) | 0xf, 7, ~0u, 0},
};

static void sgi_registers(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ARRAY_SIZE(sgis); n++) {
        begin(3, 4);
        for (unsigned v = 0; v < 4; v++) {
            wr(SGIS(v) + GICD_IGROUPR, 4, sgis[n].group1);
            wr(SGIS(v) + GICD_ISENABLER, 4, 8);
        }
        uint64_t kicks = world.port.kicks[1];
        struct vcpu *sender = &world.vm.vcpu[1];
        assert_int_equal(vgic_write_sgi_register(sender, sgis[n].op2, sgis[n].value), HANDLED);
        assert_int_equal(sender->exits[TRACE_SGI], 1); // whoever takes it
        assert_int_equal(world.port.kicks[1], kicks);  // not for itself
        enter(1);
        for (unsigned v = 0; v < 4; v++) {
            uint32_t expected = (sgis[n].expected & 1u << v) != 0 ? 3 : NO_INTID;
            assert_int_equal(guest_ack(v), expected);
        }
    }
}

static void version_2_has_no_sgi_registers(void **state)
{
    (void)state;
    begin(2, 1);
    assert_int_equal(vgic_write_sgi_register(&world.vm.vcpu[0], 5, 1), UNHANDLED);
    assert_int_equal(world.vm.vcpu[0].exits[TRACE_SGI], 0);
}

static void sgir_filters(void **state)
{
    static const struct {
        uint32_t value;
        uint32_t expected;
    } cases[] = {
        {0x000f0003, 0xf}, {0x00020003, 0x2}, {0x00f00003, 0},
        {0x01000003, 0xd}, {0x02000003, 0x2}, {0x03ff0003, 0},
    };
    (void)state;
    for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
        begin(2, 4);
        access_bus(1, GICD + GICD_SGIR, 4, true, cases[n].value);
        assert_int_equal(world.vm.vcpu[1].exits[TRACE_SGI], 1);
        for (unsigned v = 0; v < 4; v++) {
            uint8_t sender = 9;
            uint32_t expected = (cases[n].expected & 1u << v) != 0 ? 3 : NO_INTID;
            assert_int_equal(guest_ack_below(v, 0x100, &sender), expected);
            assert_int_equal(sender, expected == 3 ? 1 : 9);
        }
    }
}

static void senders_come_one_by_one(void **state)
{
    uint8_t sender = 0;
    (void)state;
    begin(2, 4);
    for (unsigned v = 0; v < 4; v++) {
        access_bus(v, GICD + GICD_SGIR, 4, true, 0x00010005);
    }
    assert_int_equal(rd(GICD + GICD_SPENDSGIR + 4, 4), 0xf00);
    wr(GICD + GICD_CPENDSGIR + 5, 1, 0x5);
    assert_int_equal(guest_ack_below(0, 0x100, &sender), 5);
    assert_int_equal(sender, 1);
    guest_eoi(0, 5);
    assert_int_equal(guest_ack_below(0, 0x100, &sender), 5);
    assert_int_equal(sender, 3);
    guest_eoi(0, 5);
    assert_int_equal(guest_ack(0), NO_INTID);
    assert_int_equal(rd(GICD + GICD_SPENDSGIR + 4, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_hold_what_they_can),
        cmocka_unit_test(one_core_has_no_targets),
        cmocka_unit_test(rules_of_both_versions),
        cmocka_unit_test(strange_intids_are_ignored),
        cmocka_unit_test(any_core_means_one_that_is_on),
        cmocka_unit_test(sgi_registers),
        cmocka_unit_test(version_2_has_no_sgi_registers),
        cmocka_unit_test(sgir_filters),
        cmocka_unit_test(senders_come_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
