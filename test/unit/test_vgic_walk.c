// The virtual interrupt controller under random devices and guests, both versions, 1 to 8 vcpus. An account is kept of
// what each interrupt owes; what the guest acknowledges and reads is compared with it: nothing is lost, nothing comes
// twice, nothing while disabled; an edge counts once; a level counts until its line drops.
// sources: vmm/gic/vgic.c vmm/gic/slots.c vmm/gic/hold.c vmm/gic/sgi.c vmm/gic/registers.c
// sources: vmm/gic/distributor.c vmm/gic/redistributor.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "vgic_world.h"

#define SPI_LAST    100u // enough to use up all slots
#define WALK_STEPS  6000u
#define DRAIN_EVERY 500u

// What is known of an interrupt without looking at the product.
struct account {
    bool enabled;
    bool edge;
    bool line;
    bool latched; // an edge, an SGI, a write
    bool active;
    bool by_write;   // active since the guest wrote so
    uint8_t senders; // version 2, SGIs
    uint8_t active_on;
    uint8_t target;
};

static struct account private[VCPU_MAX][32];
static struct account shared[SPI_LAST];
static uint32_t groups;
static uint64_t state;
static unsigned delivered;

static unsigned pick(unsigned limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 20) % limit;
}

static unsigned any_vcpu(void)
{
    return pick(world.vm.vcpus);
}

static struct account *account_of(unsigned bank, uint32_t intid)
{
    return intid < 32 ? &private[bank][intid] : &shared[intid];
}

static bool is_pending(const struct account *a)
{
    return a->latched || (!a->edge && a->line);
}

static bool is_due(const struct account *a)
{
    return is_pending(a) && a->enabled && !a->active && (groups & GICD_CTLR_GROUP0) != 0;
}

static uint32_t any_intid(void)
{
    // A few of them often, so that things meet; sometimes all.
    return pick(3) == 0 ? 16 + pick(SPI_LAST - 16) : 28 + pick(12);
}

// ---- Steps ------------------------------------------------------------------------------------------------------

static void move_line(unsigned bank, uint32_t intid, bool high)
{
    struct account *a = account_of(bank, intid);
    a->latched |= a->edge && high && !a->line;
    a->line = high;
    if (intid < 32) {
        vgic_set_private_line(&world.vm.vcpu[bank], intid, high);
        enter(bank);
    } else {
        vgic_set_line(&world.vm, intid, high);
    }
}

static void acknowledge(unsigned v)
{
    uint8_t sender = 0;
    uint32_t intid = guest_ack_below(v, 0x100, &sender);
    if (intid == NO_INTID) {
        return;
    }
    struct account *a = account_of(v, intid);
    if (!is_due(a)) {
        print_message("vcpu %u, interrupt %u: enabled %d pending %d active %d\n", v, intid,
                      a->enabled, is_pending(a), a->active);
    }
    assert_true(is_due(a));
    if (intid < 16 && world.vm.gic.version == 2) {
        assert_true((a->senders & 1u << sender) != 0);
        a->senders &= (uint8_t) ~(1u << sender);
        a->latched = a->senders != 0;
    } else {
        a->latched = false;
    }
    a->active = true;
    a->by_write = false;
    a->active_on = (uint8_t)v;
    delivered++;
}

static void end_one(unsigned v, bool drop)
{
    for (uint32_t intid = 0; intid < SPI_LAST; intid++) {
        struct account *a = account_of(v, intid);
        if (a->active && !a->by_write && a->active_on == v) {
            if (drop && a->line) {
                move_line(v, intid, false);
            }
            a->active = false;
            guest_eoi(v, intid);
            return;
        }
    }
}

static void write_state(unsigned bank, uint32_t intid)
{
    struct account *a = account_of(bank, intid);
    unsigned self = any_vcpu();
    bool sgi_of_2 = intid < 16 && world.vm.gic.version == 2;
    switch (pick(4)) {
    case 0:
        write_one(self, bank, GICD_ISPENDR, intid);
        a->latched |= !sgi_of_2;
        break;
    case 1:
        write_one(self, bank, GICD_ICPENDR, intid);
        a->latched &= sgi_of_2;
        break;
    case 2:
        // An interrupt that waits for a slot can't be made active.
        if (intid < 32) {
            write_one(self, bank, GICD_ISACTIVER, intid);
            a->by_write |= !a->active;
            a->active = true;
        }
        break;
    case 3:
        write_one(self, bank, GICD_ICACTIVER, intid);
        a->active = false;
        break;
    }
}

static void write_enable(unsigned bank, uint32_t intid)
{
    struct account *a = account_of(bank, intid);
    bool on = pick(2) == 0;
    write_one(any_vcpu(), bank, on ? GICD_ISENABLER : GICD_ICENABLER, intid);
    a->enabled = on || (intid < 16 && world.vm.gic.version == 2);
}

static void write_config(unsigned bank, uint32_t intid)
{
    struct account *a = account_of(bank, intid);
    bool edge = pick(2) == 0;
    if (intid >= 16) {
        write_bits(any_vcpu(), bank, GICD_ICFGR, intid, 2, edge ? 2 : 0);
        a->edge = edge;
    }
}

static void check_state(unsigned bank, uint32_t intid)
{
    const struct account *a = account_of(bank, intid);
    unsigned self = any_vcpu();
    assert_int_equal(read_bits(self, bank, GICD_ISPENDR, intid, 1), is_pending(a));
    assert_int_equal(read_bits(self, bank, GICD_ICACTIVER, intid, 1), a->active);
    assert_int_equal(read_bits(self, bank, GICD_ICENABLER, intid, 1), a->enabled);
}

static void send(void)
{
    unsigned from = any_vcpu(), to = any_vcpu(), intid = pick(16);
    send_sgi(from, to, intid);
    private[to][intid].latched = true;
    private[to][intid].senders |= (uint8_t)(1u << from);
}

static void move_target(uint32_t intid)
{
    if (intid >= 32) {
        unsigned target = any_vcpu();
        set_target(any_vcpu(), intid, target);
        shared[intid].target = (uint8_t)target;
    }
}

// Everything at once, for one vcpu: more than there are slots.
static void burst(void)
{
    unsigned target = any_vcpu();
    bool high = pick(4) != 0;
    for (uint32_t intid = 32; intid < SPI_LAST; intid++) {
        set_target(target, intid, target);
        write_one(target, 0, GICD_ISENABLER, intid);
        shared[intid].target = (uint8_t)target;
        shared[intid].enabled = true;
        move_line(0, intid, high);
    }
}

static void step(void)
{
    unsigned bank = any_vcpu();
    uint32_t intid = any_intid();
    switch (pick(14)) {
    case 0:
    case 1:
        move_line(bank, intid, pick(2) == 0);
        break;
    case 2:
        send();
        break;
    case 3:
    case 4:
        acknowledge(bank);
        break;
    case 5:
    case 6:
        end_one(bank, pick(2) == 0);
        break;
    case 7:
        write_state(bank, pick(4) == 0 ? pick(16) : intid);
        break;
    case 8:
        write_enable(bank, pick(4) == 0 ? pick(16) : intid);
        break;
    case 9:
        write_bits(any_vcpu(), bank, GICD_IPRIORITYR, intid, 8, pick(32) << 3);
        break;
    case 10:
        write_config(bank, intid);
        break;
    case 11:
        check_state(bank, pick(4) == 0 ? pick(16) : intid);
        break;
    case 12:
        move_target(intid);
        break;
    case 13:
        vcpu_turn_around(bank);
        break;
    }
    if (pick(300) == 0) {
        burst();
    }
    if (pick(200) == 0) {
        groups = pick(4);
        set_groups(groups);
    }
}

// ---- Rest: everything that is due has come ----------------------------------------------------------------------

static void clear_written_actives(void)
{
    for (unsigned v = 0; v < world.vm.vcpus; v++) {
        for (uint32_t intid = 0; intid < 32; intid++) {
            if (private[v][intid].active && private[v][intid].by_write) {
                write_one(0, v, GICD_ICACTIVER, intid);
                private[v][intid].active = false;
            }
        }
    }
}

// Nothing but what the product asks for makes it leave the guest.
static void drain_vcpu(unsigned v)
{
    if (vgic_wanted(&world.vm.gic, v)) {
        vcpu_turn_around(v);
    }
    acknowledge(v);
    end_one(v, true);
}

static void no_interrupt_is_due(void)
{
    for (uint32_t intid = 0; intid < SPI_LAST; intid++) {
        for (unsigned v = 0; v < (intid < 32 ? world.vm.vcpus : 1); v++) {
            if (is_due(account_of(v, intid))) {
                print_message("interrupt %u of vcpu %u never came\n", intid, v);
            }
            assert_false(is_due(account_of(v, intid)));
            check_state(v, intid);
        }
    }
}

static void drain(void)
{
    clear_written_actives();
    for (unsigned round = 0; round < 2 * SPI_LAST; round++) {
        for (unsigned v = 0; v < world.vm.vcpus; v++) {
            drain_vcpu(v);
        }
    }
    no_interrupt_is_due();
}

// From rest on, each comes to its target.
static void targets_are_right(void)
{
    for (uint32_t intid = 32; intid < SPI_LAST; intid++) {
        const struct vgic_irq *irq = &world.vm.gic.spi[intid - 32];
        assert_true(irq->slot == 0 || irq->home == shared[intid].target);
    }
}

static void walk(uint32_t version, unsigned vcpus, uint64_t seed)
{
    world_init(version, vcpus);
    memset(private, 0, sizeof(private));
    memset(shared, 0, sizeof(shared));
    state = seed * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned v = 0; v < vcpus; v++) {
        for (uint32_t intid = 0; intid < 16; intid++) {
            private[v][intid].edge = true;
            private[v][intid].enabled = version == 2;
        }
    }
    for (uint32_t intid = 32; intid < SPI_LAST; intid++) {
        set_target(0, intid, 0);
    }
    for (unsigned v = 0; v < vcpus; v++) {
        vcpu_turn_around(v);
    }
    groups = 1;
    set_groups(groups);
    for (unsigned n = 1; n <= WALK_STEPS; n++) {
        step();
        if (n % DRAIN_EVERY == 0) {
            drain();
            targets_are_right();
        }
    }
}

static void walks(uint32_t version)
{
    static const unsigned sizes[] = {1, 2, 4, 8};
    delivered = 0;
    for (unsigned s = 0; s < 4; s++) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            walk(version, sizes[s], seed);
        }
    }
    assert_true(delivered > 1000);
}

static void version_2(void **context)
{
    (void)context;
    walks(2);
}

static void version_3(void **context)
{
    (void)context;
    walks(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_2),
        cmocka_unit_test(version_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
