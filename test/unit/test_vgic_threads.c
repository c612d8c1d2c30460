// The virtual interrupt controller with a thread for each vcpu and one for a device, all at once: no edge is lost or
// comes twice while targets move and vcpus are switched off, and what one vcpu reads and clears of what waits in
// another's list registers is true.
// sources: vmm/gic/vgic.c vmm/gic/slots.c vmm/gic/hold.c vmm/gic/sgi.c vmm/gic/registers.c
// sources: vmm/gic/distributor.c vmm/gic/redistributor.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "vgic_world.h"

#define VCPUS      4u
#define BUSY_FIRST 32u // the device's: more than there are slots
#define BUSY_COUNT 48u
#define EXITS      10000u // of all vcpus, while the device works
#define SGI        5u
#define SILENT     100u // + vcpu: pending there for ever, at a priority that the guest doesn't take
#define OWN        104u // + vcpu: set and cleared by that vcpu, pending at the next one
#define SILENT_AT  0xf0u
#define TURNS_MAX  1000000u // a test that goes on longer has lost something

// Raised and seen: a delivery has seen all edges up to then.
struct account {
    _Atomic uint32_t raised;
    _Atomic uint32_t seen;
    _Atomic uint32_t delivered;
};

static struct account busy[BUSY_COUNT];
static struct account sgi[VCPUS];
static _Atomic bool device_done;
static _Atomic bool finished;
static _Atomic uint32_t wrong;
static _Atomic uint32_t exits;

static unsigned pick(uint64_t *state, unsigned limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state >> 20) % limit;
}

static int device(void *context)
{
    uint64_t state = 77;
    (void)context;
    while (atomic_load(&exits) < EXITS) {
        unsigned which = pick(&state, BUSY_COUNT);
        atomic_fetch_add(&busy[which].raised, 1);
        vgic_set_line(&world.vm, BUSY_FIRST + which, true);
        vgic_set_line(&world.vm, BUSY_FIRST + which, false);
        if (pick(&state, 8) == 0) {
            thrd_yield();
        }
    }
    atomic_store(&device_done, true);
    return 0;
}

// ---- A vcpu -----------------------------------------------------------------------------------------------------

static void leave(unsigned v)
{
    mtx_lock(&world.port.mutex[v]);
    world.port.in_guest[v] = false;
    mtx_unlock(&world.port.mutex[v]);
}

static void see(struct account *a)
{
    // No edge that comes from here on is meant by this delivery.
    atomic_store(&a->seen, atomic_load(&a->raised));
    atomic_fetch_add(&a->delivered, 1);
}

static void guest(unsigned v, unsigned steps)
{
    for (unsigned n = 0; n < steps && !atomic_load(&world.port.woken[v]); n++) {
        uint8_t sender;
        uint32_t intid = guest_ack_below(v, SILENT_AT, &sender);
        if (intid == SGI) {
            see(&sgi[v]);
        } else if (intid >= BUSY_FIRST && intid < BUSY_FIRST + BUSY_COUNT) {
            see(&busy[intid - BUSY_FIRST]);
        } else if (intid != NO_INTID) {
            atomic_fetch_add(&wrong, 1);
        }
        if (intid != NO_INTID) {
            guest_eoi(v, intid);
        }
        thrd_yield(); // others find it in the guest
    }
    atomic_store(&world.port.woken[v], false);
}

static void expect(unsigned v, unsigned offset, uint32_t intid, unsigned value)
{
    if (read_bits(v, 0, offset, intid, 1) != value) {
        atomic_fetch_add(&wrong, 1);
    }
}

static void set_and_clear(unsigned v)
{
    write_one(v, 0, GICD_ISPENDR, OWN + v);
    expect(v, GICD_ISPENDR, OWN + v, 1);
    expect(v, GICD_ISACTIVER, OWN + v, 0);
    write_one(v, 0, GICD_ICPENDR, OWN + v);
    expect(v, GICD_ISPENDR, OWN + v, 0);
}

static void set_power(unsigned v, uint32_t power)
{
    port_lock(&world.port, &world.vm.lock);
    atomic_store(&world.vm.vcpu[v].power, power);
    port_unlock(&world.port, &world.vm.lock);
}

static void be_off(unsigned v, unsigned yields)
{
    set_power(v, VCPU_OFF);
    for (unsigned n = 0; n < yields; n++) {
        thrd_yield();
    }
    set_power(v, VCPU_ON);
}

static void handle_an_exit(unsigned v, uint64_t *state)
{
    unsigned other = pick(state, VCPUS);
    atomic_fetch_add(&exits, 1);
    switch (pick(state, 8)) {
    case 0:
        set_target(v, BUSY_FIRST + pick(state, BUSY_COUNT), other);
        break;
    case 1:
        expect(v, GICD_ISPENDR, SILENT + other, 1);
        break;
    case 2:
        set_and_clear(v);
        break;
    case 3:
        atomic_fetch_add(&sgi[other].raised, 1);
        send_sgi(v, other, SGI);
        break;
    case 4:
        be_off(v, pick(state, 20));
        break;
    default:
        break;
    }
}

static int vcpu(void *context)
{
    unsigned v = (unsigned)(uintptr_t)context;
    uint64_t state = v + 1;
    for (unsigned n = 0; n < TURNS_MAX && !atomic_load(&finished); n++) {
        leave(v);
        if (!atomic_load(&device_done)) {
            handle_an_exit(v, &state);
        } else {
            thrd_yield();
        }
        vcpu_turn_around(v);
        guest(v, pick(&state, 30));
    }
    leave(v);
    set_power(v, VCPU_OFF);
    return 0;
}

// ---- The test ---------------------------------------------------------------------------------------------------

static bool all_seen(const struct account *accounts, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        if (atomic_load(&accounts[n].seen) != atomic_load(&accounts[n].raised)) {
            return false;
        }
    }
    return true;
}

static bool none_twice(const struct account *accounts, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        if (atomic_load(&accounts[n].delivered) > atomic_load(&accounts[n].raised)) {
            return false;
        }
    }
    return true;
}

static void ready(uint32_t intid, unsigned target, unsigned priority)
{
    set_target(0, intid, target);
    write_bits(0, 0, GICD_ICFGR, intid, 2, 2);
    write_bits(0, 0, GICD_IPRIORITYR, intid, 8, priority);
    write_one(0, 0, GICD_ISENABLER, intid);
}

static void prepare(uint32_t version)
{
    world_init(version, VCPUS);
    memset(busy, 0, sizeof(busy));
    memset(sgi, 0, sizeof(sgi));
    atomic_store(&device_done, false);
    atomic_store(&finished, false);
    atomic_store(&wrong, 0);
    atomic_store(&exits, 0);
    set_groups(1);
    for (unsigned n = 0; n < BUSY_COUNT; n++) {
        ready(BUSY_FIRST + n, 1, 0x40);
    }
    for (unsigned v = 0; v < VCPUS; v++) {
        ready(SILENT + v, v, SILENT_AT);
        ready(OWN + v, (v + 1) % VCPUS, SILENT_AT);
        write_one(v, v, GICD_ISENABLER, SGI);
        write_one(0, 0, GICD_ISPENDR, SILENT + v);
    }
    world.port.free_running = true;
    world.port.abilities.threads_per_vm = VCPUS;
}

static bool is_over(void)
{
    return atomic_load(&device_done) && all_seen(busy, BUSY_COUNT) && all_seen(sgi, VCPUS);
}

static void run(uint32_t version)
{
    thrd_t threads[VCPUS], device_thread;
    prepare(version);
    for (uintptr_t v = 0; v < VCPUS; v++) {
        assert_int_equal(thrd_create(&threads[v], vcpu, (void *)v), thrd_success);
    }
    assert_int_equal(thrd_create(&device_thread, device, NULL), thrd_success);
    thrd_join(device_thread, NULL);
    for (unsigned n = 0; n < 10000 && !is_over(); n++) {
        thrd_sleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    atomic_store(&finished, true);
    for (unsigned v = 0; v < VCPUS; v++) {
        thrd_join(threads[v], NULL);
    }
    assert_true(is_over());
    assert_true(none_twice(busy, BUSY_COUNT) && none_twice(sgi, VCPUS));
    assert_int_equal(atomic_load(&wrong), 0);
}

static void version_2(void **state)
{
    (void)state;
    run(2);
}

static void version_3(void **state)
{
    (void)state;
    run(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_2),
        cmocka_unit_test(version_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
