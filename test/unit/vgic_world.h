// A machine around the virtual interrupt controller on the development machine: a port, a bus, and the kernel's part of
// the work with list registers for each vcpu. For tests and fuzzers of vmm/gic/.
//
// Everything may run in one thread. A test with several sets `free_running`: then a vcpu that is in the guest has its
// list registers filled again at once when somebody else has them folded, as on real cores.
#pragma once

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include <spec/gicv2.h>
#include <spec/gicv3.h>
#include <vmm/vm.h>

#define LRS           4u
#define LRS_ACTIVE    2u // of these, for interrupts that are active
#define NO_INTID      1023u
#define WORLD_THREADS VCPU_MAX

// A list register.
struct lr {
    bool used;
    bool pending;
    bool active;
    bool by_line; // pending since its line is high, and for no other reason
    unsigned source;
    uint32_t intid;
    uint8_t priority;
    uint8_t sender;
    bool level;
};

struct port {
    struct vcpu_page page[VCPU_MAX];
    struct lr lr[VCPU_MAX][LRS];
    mtx_t mutex[VCPU_MAX]; // guards lr, and folding
    bool in_guest[VCPU_MAX];
    bool folded[VCPU_MAX]; // by port_sync, and not filled again yet
    uint64_t kicks[VCPU_MAX];
    // Threads.
    bool free_running;
    bool locked;
    mtx_t lock;
    mtx_t sleep[VCPU_MAX];
    cnd_t wakeup[VCPU_MAX];
    _Atomic bool woken[VCPU_MAX];
    struct port_abilities abilities;
};

static struct {
    struct port port;
    struct vm vm;
    struct vm_config config;
} world;

// ---- The kernel's part ------------------------------------------------------------------------------------------

static inline void lr_fold(struct port *p, unsigned v)
{
    struct vcpu_page *page = &p->page[v];
    for (unsigned n = 0; n < LRS; n++) {
        struct lr *lr = &p->lr[v][n];
        if (lr->used && lr->active) {
            atomic_fetch_or(&page->active, BIT(lr->source));
        }
        if (lr->used && lr->pending && !lr->by_line) {
            if (lr->source < INTID_PPI && world.vm.gic.version == 2) {
                atomic_fetch_or(&page->sgi_senders[lr->source], (uint8_t)(1u << lr->sender));
            }
            atomic_fetch_or(&page->pending, BIT(lr->source));
        }
        lr->used = false;
    }
}

static inline struct lr *lr_free(struct port *p, unsigned v)
{
    for (unsigned n = 0; n < LRS; n++) {
        if (!p->lr[v][n].used) {
            return &p->lr[v][n];
        }
    }
    return NULL;
}

static inline struct lr *lr_of(struct port *p, unsigned v, unsigned source)
{
    for (unsigned n = 0; n < LRS; n++) {
        if (p->lr[v][n].used && p->lr[v][n].source == source) {
            return &p->lr[v][n];
        }
    }
    return NULL;
}

// Takes what is pending out of the inbox. False: there was nothing (a sender is missing, the line alone).
static inline bool take_pending(struct port *p, unsigned v, unsigned source, uint8_t *sender)
{
    struct vcpu_page *page = &p->page[v];
    if ((atomic_fetch_and(&page->pending, ~BIT(source)) & BIT(source)) == 0) {
        return false;
    }
    if (source >= INTID_PPI || world.vm.gic.version != 2) {
        return true;
    }
    uint8_t senders = atomic_load(&page->sgi_senders[source]);
    if (senders == 0) {
        return false;
    }
    *sender = (uint8_t)__builtin_ctz(senders);
    if ((atomic_fetch_and(&page->sgi_senders[source], (uint8_t) ~(1u << *sender)) &
         ~(1u << *sender)) != 0) {
        atomic_fetch_or(&page->pending, BIT(source));
    }
    return true;
}

static inline void lr_load(struct port *p, unsigned v, struct lr *lr, unsigned source, bool active)
{
    uint64_t word = atomic_load(&p->page[v].source[source]);
    *lr = (struct lr){
        .used = true,
        .active = active,
        .source = source,
        .intid = VCPU_SOURCE_INTID(word),
        .priority = VCPU_SOURCE_PRIORITY(word),
        .level = (VCPU_SOURCE_FLAGS(word) & VCPU_SOURCE_LEVEL) != 0,
    };
}

static inline void fill_active(struct port *p, unsigned v)
{
    for (unsigned n = 0; n < LRS_ACTIVE; n++) {
        uint64_t active = atomic_load(&p->page[v].active);
        struct lr *lr = lr_free(p, v);
        if (active == 0 || lr == NULL) {
            return;
        }
        unsigned source = (unsigned)__builtin_ctzll(active);
        struct lr *there = lr_of(p, v, source);
        atomic_fetch_and(&p->page[v].active, ~BIT(source));
        if (there != NULL) {
            there->active = true;
        } else {
            lr_load(p, v, lr, source, true);
        }
    }
}

// The source that is to be delivered next.
static inline unsigned best_source(struct port *p, unsigned v)
{
    struct vcpu_page *page = &p->page[v];
    uint64_t line = atomic_load(&page->line);
    uint64_t left = (atomic_load(&page->pending) | line) & atomic_load(&page->enabled) &
                    ~atomic_load(&page->active);
    unsigned best = VCPU_SOURCES;
    uint8_t priority = 0xff;
    for (; left != 0; left &= left - 1) {
        unsigned source = (unsigned)__builtin_ctzll(left);
        uint8_t mine = VCPU_SOURCE_PRIORITY(atomic_load(&page->source[source]));
        if (lr_of(p, v, source) == NULL && (best == VCPU_SOURCES || mine < priority)) {
            best = source;
            priority = mine;
        }
    }
    return best;
}

// What is pending already stays pending once. (Of another core's SGI, version 2, it is another one.)
static inline void merge_same(struct port *p, unsigned v, struct lr *lr)
{
    struct vcpu_page *page = &p->page[v];
    bool by_sender = lr->source < INTID_PPI && world.vm.gic.version == 2;
    uint8_t mine = (uint8_t)(1u << lr->sender);
    if ((atomic_fetch_and(&page->pending, ~BIT(lr->source)) & BIT(lr->source)) == 0) {
        return;
    }
    lr->by_line = false;
    if (by_sender &&
        (atomic_fetch_and(&page->sgi_senders[lr->source], (uint8_t)~mine) & ~mine) != 0) {
        atomic_fetch_or(&page->pending, BIT(lr->source));
    }
}

// What comes while the interrupt is in a list register.
static inline void merge_pending(struct port *p, unsigned v)
{
    uint64_t enabled = atomic_load(&p->page[v].enabled);
    for (unsigned n = 0; n < LRS; n++) {
        struct lr *lr = &p->lr[v][n];
        if (lr->used && lr->pending) {
            merge_same(p, v, lr);
        } else if (lr->used && (enabled & BIT(lr->source)) != 0 &&
                   take_pending(p, v, lr->source, &lr->sender)) {
            lr->pending = true;
            lr->by_line = false;
        }
    }
}

static inline void lr_fill(struct port *p, unsigned v)
{
    fill_active(p, v);
    merge_pending(p, v);
    for (struct lr *lr = lr_free(p, v); lr != NULL; lr = lr_free(p, v)) {
        unsigned source = best_source(p, v);
        uint8_t sender = 0;
        if (source == VCPU_SOURCES) {
            return;
        }
        bool latched = take_pending(p, v, source, &sender);
        if (latched || (atomic_load(&p->page[v].line) & BIT(source)) != 0) {
            lr_load(p, v, lr, source, false);
            lr->pending = true;
            lr->by_line = !latched;
            lr->sender = sender;
            assert(!lr->by_line || lr->level);
        }
    }
}

// As the kernel does at entry, and in the guest when it is kicked. What is new changes what is in list registers only
// if there is no room for it.
static inline void lr_look(struct port *p, unsigned v)
{
    uint64_t attention = atomic_exchange(&p->page[v].attention, 0);
    if ((attention & VCPU_ATTENTION_FOLD) != 0 || (attention != 0 && lr_free(p, v) == NULL)) {
        lr_fold(p, v);
    }
    lr_fill(p, v);
}

// ---- What the guest does with its CPU interface -----------------------------------------------------------------

static inline uint8_t running_priority(struct port *p, unsigned v)
{
    uint8_t running = 0xff;
    for (unsigned n = 0; n < LRS; n++) {
        if (p->lr[v][n].used && p->lr[v][n].active && p->lr[v][n].priority < running) {
            running = p->lr[v][n].priority;
        }
    }
    for (uint64_t left = atomic_load(&p->page[v].active); left != 0; left &= left - 1) {
        uint64_t word = atomic_load(&p->page[v].source[__builtin_ctzll(left)]);
        running = VCPU_SOURCE_PRIORITY(word) < running ? VCPU_SOURCE_PRIORITY(word) : running;
    }
    return running;
}

// Entering the guest again after a port_sync: without that the kernel has no reason to look at the inbox.
static inline void refill(struct port *p, unsigned v)
{
    if (p->folded[v]) {
        p->folded[v] = false;
        lr_fill(p, v);
    }
}

// Acknowledges what is pending at the highest priority below `ceiling`.
static inline uint32_t guest_ack_below(unsigned v, unsigned ceiling, uint8_t *sender)
{
    struct port *p = &world.port;
    struct lr *best = NULL;
    mtx_lock(&p->mutex[v]);
    refill(p, v);
    for (unsigned n = 0; n < LRS; n++) {
        struct lr *lr = &p->lr[v][n];
        if (lr->used && lr->pending && !lr->active && lr->priority < ceiling &&
            (best == NULL || lr->priority < best->priority)) {
            best = lr;
        }
    }
    uint32_t intid = NO_INTID;
    if (best != NULL && best->priority < running_priority(p, v)) {
        best->pending = false;
        best->active = true;
        intid = best->intid;
        *sender = best->sender;
    }
    mtx_unlock(&p->mutex[v]);
    return intid;
}

static inline uint32_t guest_ack(unsigned v)
{
    uint8_t sender;
    return guest_ack_below(v, 0x100, &sender);
}

static inline void guest_eoi(unsigned v, uint32_t intid)
{
    struct port *p = &world.port;
    mtx_lock(&p->mutex[v]);
    for (unsigned n = 0; n < LRS; n++) {
        struct lr *lr = &p->lr[v][n];
        if (lr->used && lr->active && lr->intid == intid) {
            lr->active = false;
            lr->used = lr->pending;
        }
    }
    for (uint64_t left = atomic_load(&p->page[v].active); left != 0; left &= left - 1) {
        unsigned source = (unsigned)__builtin_ctzll(left);
        if (VCPU_SOURCE_INTID(atomic_load(&p->page[v].source[source])) == intid) {
            atomic_fetch_and(&p->page[v].active, ~BIT(source));
        }
    }
    lr_fill(p, v);
    mtx_unlock(&p->mutex[v]);
}

// ---- The port ---------------------------------------------------------------------------------------------------

const struct port_abilities *port_abilities(const struct port *p)
{
    return &p->abilities;
}

void port_kick(struct port *p, unsigned v)
{
    mtx_lock(&p->mutex[v]);
    p->kicks[v]++;
    if (p->in_guest[v]) {
        lr_look(p, v);
    }
    mtx_unlock(&p->mutex[v]);
}

void port_sync(struct port *p, unsigned v)
{
    mtx_lock(&p->mutex[v]);
    lr_fold(p, v);
    p->folded[v] = true;
    if (p->free_running && p->in_guest[v]) {
        refill(p, v);
    }
    mtx_unlock(&p->mutex[v]);
}

void port_wake(struct port *p, unsigned v)
{
    mtx_lock(&p->sleep[v]);
    atomic_store(&p->woken[v], true);
    cnd_signal(&p->wakeup[v]);
    mtx_unlock(&p->sleep[v]);
}

// Without free-running threads nobody could wake it.
void port_wait(struct port *p, unsigned v, uint64_t deadline)
{
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_sec += 60;
    (void)deadline;
    mtx_lock(&p->sleep[v]);
    int err = thrd_success;
    while (p->free_running && !atomic_load(&p->woken[v]) && err == thrd_success) {
        err = cnd_timedwait(&p->wakeup[v], &p->sleep[v], &until);
    }
    assert(err == thrd_success); // nobody came: a wake is lost
    atomic_store(&p->woken[v], false);
    mtx_unlock(&p->sleep[v]);
}

void port_lock(struct port *p, struct port_lock *lock)
{
    mtx_lock(&p->lock);
    assert(!p->locked);
    p->locked = true;
    (void)lock;
}

void port_unlock(struct port *p, struct port_lock *lock)
{
    assert(p->locked);
    p->locked = false;
    mtx_unlock(&p->lock);
    (void)lock;
}

uint64_t port_now(struct port *p)
{
    (void)p;
    return 1000;
}

uint64_t port_ticks_per_second(struct port *p)
{
    (void)p;
    return 1000000;
}

err_t bus_add(struct bus *b, struct bus_range range)
{
    b->ranges[b->count++] = range;
    return OK;
}

// ---- The machine ------------------------------------------------------------------------------------------------

static inline void world_init(uint32_t version, unsigned vcpus)
{
    struct port *p = &world.port;
    memset(&world, 0, sizeof(world));
    world.config.gic_version = version;
    world.config.vcpus = vcpus;
    world.vm.config = &world.config;
    world.vm.port = p;
    world.vm.vcpus = vcpus;
    p->abilities = (struct port_abilities){.can_read_lr = true, .threads_per_vm = 1};
    mtx_init(&p->lock, mtx_plain);
    for (unsigned v = 0; v < VCPU_MAX; v++) {
        mtx_init(&p->mutex[v], mtx_plain);
        mtx_init(&p->sleep[v], mtx_plain);
        cnd_init(&p->wakeup[v]);
        world.vm.vcpu[v].vm = &world.vm;
        world.vm.vcpu[v].index = v;
        world.vm.vcpu[v].page = &p->page[v];
        atomic_store(&world.vm.vcpu[v].power, VCPU_ON);
    }
    err_t err = vgic_create(&world.vm);
    assert(err == OK);
    (void)err;
}

// As loop.c does before a run: whom an SGI left there is kicked.
static inline void kick_left(unsigned v)
{
    struct vcpu *vcpu = &world.vm.vcpu[v];
    if (vcpu->kick != PORT_NOBODY) {
        port_kick(&world.port, vcpu->kick - 1);
        vcpu->kick = PORT_NOBODY;
    }
}

// A vcpu leaves the guest and enters it again.
static inline void vcpu_turn_around(unsigned v)
{
    struct port *p = &world.port;
    kick_left(v);
    mtx_lock(&p->mutex[v]);
    p->in_guest[v] = false;
    mtx_unlock(&p->mutex[v]);
    if (vgic_wanted(&world.vm.gic, v)) {
        vgic_serve(&world.vm.vcpu[v]);
    }
    mtx_lock(&p->mutex[v]);
    lr_look(p, v);
    p->in_guest[v] = true;
    mtx_unlock(&p->mutex[v]);
}

// An exit ends.
static inline void enter(unsigned v)
{
    struct port *p = &world.port;
    kick_left(v);
    mtx_lock(&p->mutex[v]);
    if (p->in_guest[v]) {
        lr_look(p, v);
    }
    mtx_unlock(&p->mutex[v]);
}

static inline uint64_t access_bus(unsigned v, uint64_t ipa, unsigned size, bool write,
                                  uint64_t value)
{
    for (unsigned r = 0; r < world.vm.bus.count; r++) {
        const struct bus_range *range = &world.vm.bus.ranges[r];
        if (range_contains(range->where, ipa, 1)) {
            struct bus_access a = {
                .vcpu = &world.vm.vcpu[v],
                .offset = ipa - range->where.base,
                .value = value,
                .size = (uint8_t)size,
                .write = write,
            };
            enum handled handled = range->access(range->device, &a);
            assert(handled == HANDLED && (world.port.free_running || !world.port.locked));
            (void)handled;
            enter(v);
            return a.value;
        }
    }
    return 0;
}

// Where a vcpu finds the register with the bits of an interrupt; the distributor for shared ones.
static inline uint64_t family_at(unsigned bank, unsigned offset, uint32_t intid, unsigned bits)
{
    uint64_t base = VGIC_DISTRIBUTOR;
    if (world.vm.gic.version == 3 && intid < 32) {
        base = VGIC_REDISTRIBUTOR + bank * (uint64_t)GICR_FRAMES_SIZE + GICR_SGI_FRAME;
    }
    return base + offset + intid * bits / 32 * 4;
}

// Version 2 has the private interrupts of the vcpu that accesses only.
static inline unsigned via(unsigned self, unsigned bank, uint32_t intid)
{
    return world.vm.gic.version == 2 && intid < 32 ? bank : self;
}

static inline unsigned read_bits(unsigned self, unsigned bank, unsigned offset, uint32_t intid,
                                 unsigned bits)
{
    uint64_t word =
        access_bus(via(self, bank, intid), family_at(bank, offset, intid, bits), 4, false, 0);
    return (unsigned)(word >> intid * bits % 32) & ((1u << bits) - 1);
}

// A bit of a family that takes ones.
static inline void write_one(unsigned self, unsigned bank, unsigned offset, uint32_t intid)
{
    access_bus(via(self, bank, intid), family_at(bank, offset, intid, 1), 4, true, BIT(intid % 32));
}

static inline void write_bits(unsigned self, unsigned bank, unsigned offset, uint32_t intid,
                              unsigned bits, unsigned value)
{
    unsigned by = via(self, bank, intid);
    uint64_t at = family_at(bank, offset, intid, bits);
    uint64_t word = access_bus(by, at, 4, false, 0);
    word &= ~((uint64_t)((1u << bits) - 1) << intid * bits % 32);
    access_bus(by, at, 4, true, word | (uint64_t)value << intid * bits % 32);
}

static inline void set_target(unsigned self, uint32_t intid, unsigned target)
{
    if (world.vm.gic.version == 2) {
        access_bus(self, VGIC_DISTRIBUTOR + GICD_ITARGETSR + intid, 1, true, 1u << target);
    } else {
        access_bus(self, VGIC_DISTRIBUTOR + GICD_IROUTER + 8 * intid, 8, true, target);
    }
}

static inline void set_groups(uint32_t groups)
{
    access_bus(0, VGIC_DISTRIBUTOR + GICD_CTLR, 4, true, groups);
}

static inline void send_sgi(unsigned from, unsigned to, unsigned intid)
{
    if (world.vm.gic.version == 2) {
        uint64_t value = BIT(GICD_SGIR_TARGET_SHIFT + to) | intid;
        access_bus(from, VGIC_DISTRIBUTOR + GICD_SGIR, 4, true, value);
    } else {
        vgic_write_sgi_register(&world.vm.vcpu[from], 7, BIT(to) | (uint64_t)intid << 24);
        enter(from);
    }
}
