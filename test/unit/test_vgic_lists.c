// List registers: kernel/arch/aarch64/vgic.c against a model of them, of a guest that takes and ends interrupts, and of
// the controller behind linked ones. An account of what each interrupt owes says what the guest has to see: nothing is
// lost, nothing comes twice, the most urgent comes first, and maintenance interrupts come to an end.
// sources: kernel/arch/aarch64/vgic.c kernel/arch/aarch64/vgic_quick.c
// flags: -Ikernel/arch/aarch64 -include test/unit/fake_sysreg.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/bits.h>
#include <spec/gich.h>

#include "machine.h"
#include "percpu.h"
#include "vcpu.h"
#include "vgic_lists.h"

#define TIMER          27u
#define VTIMER         30u // its physical INTID here
#define LINKED         40u // this slot and those after it are linked, to the physical INTID 100 + slot
#define LINKED_END     44u
#define SPI            200u // INTID of slot n: SPI + n
#define MAINTAINED_MAX 3u   // maintenance interrupts without an instruction of the guest in between
#define PRIORITY_IDLE  0x100u

#define PLAYS      1500u // with LONG in the environment: PLAYS_LONG
#define PLAYS_LONG 60000u
#define STEPS      300u

struct machine machine;
struct percpu percpu[CORES_MAX];
unsigned core_count = 1;

struct source {
    bool level;
    bool line;       // level, not linked: in the page, too
    bool owed;       // the guest has to take it: latched, or raised by the controller
    bool pended;     // latched, whatever else
    bool active;     // the guest has taken it
    uint8_t senders; // version 2, SGIs: who it is owed to
    // Linked, and the timer:
    bool physical_line;
    bool physical_active;
};

struct taken {
    unsigned source;
    unsigned priority;
    uint64_t sender; // of the list register: its bits
};

static struct {
    uint64_t list[VGIC_LISTS_MAX];
    uint64_t hcr;
    struct source source[VCPU_SOURCES];
    struct taken taken[VCPU_SOURCES]; // by the guest, not ended: the last is the most urgent
    unsigned taken_count;
    bool loaded;
} m;

static struct vcpu_page page;
static struct vcpu vcpu;
static uint64_t seed;
static uint64_t state_of_random;

static uint64_t below(uint64_t n)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return (state_of_random * 0x2545f4914f6cdd1du >> 16) % n;
}

static bool one_in(uint64_t n)
{
    return below(n) == 0;
}

// ---- Sources ------------------------------------------------------------------------------------------------------

static bool is_hardware(unsigned source)
{
    return source == TIMER || (source >= LINKED && source < LINKED_END);
}

static bool has_senders(unsigned source)
{
    return machine.gic.version == 2 && source < INTID_PPI;
}

static uint32_t intid_of(unsigned source)
{
    return source < VCPU_SOURCE_SPI ? source : SPI + source;
}

static unsigned source_of(uint64_t lr)
{
    uint32_t intid = (uint32_t)lr;
    return intid < VCPU_SOURCE_SPI ? intid : intid - SPI;
}

static unsigned source_of_physical(uint32_t intid)
{
    return intid == VTIMER ? TIMER : intid - 100;
}

static unsigned priority_of(unsigned source)
{
    return VCPU_SOURCE_PRIORITY(page.source[source]);
}

static bool is_enabled(unsigned source)
{
    return (page.enabled & BIT(source)) != 0;
}

static void set_config(unsigned source, unsigned priority)
{
    unsigned flags = VCPU_SOURCE_GROUP1 |
                     (m.source[source].level && !is_hardware(source) ? VCPU_SOURCE_LEVEL : 0);
    page.source[source] = VCPU_SOURCE(intid_of(source), priority, flags);
}

// Does it have to come, as soon as nothing is more urgent?
static bool is_due(unsigned source)
{
    const struct source *s = &m.source[source];
    bool wanted = s->owed || s->line;
    return wanted && is_enabled(source) && !s->active;
}

// ---- Hardware -----------------------------------------------------------------------------------------------------

static bool is_valid(uint64_t lr)
{
    return (lr & (ICH_LR_PENDING | ICH_LR_ACTIVE)) != 0;
}

static bool is_pending(uint64_t lr)
{
    return (lr & (ICH_LR_PENDING | ICH_LR_ACTIVE)) == ICH_LR_PENDING;
}

static bool has_ended(uint64_t lr)
{
    return !is_valid(lr) && (lr & ICH_LR_HW) == 0 && (lr & ICH_LR_EOI) != 0;
}

static unsigned priority_in(uint64_t lr)
{
    return lr >> ICH_LR_PRIORITY_SHIFT & 0xff;
}

static uint64_t list_read(unsigned n)
{
    assert_true(n < machine.gic.lists);
    return m.list[n];
}

static void list_write(unsigned n, uint64_t value)
{
    assert_true(n < machine.gic.lists);
    uint64_t old = m.list[n];
    // Only what it holds may change, or it is emptied.
    assert_true(value == 0 || (!is_valid(old) && !has_ended(old)) ||
                (uint32_t)old == (uint32_t)value);
    for (unsigned i = 0; i < machine.gic.lists && is_valid(value); i++) {
        assert_true(i == n || !is_valid(m.list[i]) || (uint32_t)m.list[i] != (uint32_t)value);
    }
    if ((value & ICH_LR_HW) != 0) {
        assert_int_not_equal(value & (ICH_LR_PENDING | ICH_LR_ACTIVE),
                             ICH_LR_PENDING | ICH_LR_ACTIVE);
    }
    m.list[n] = value;
}

static uint64_t lists_that(bool (*are)(uint64_t lr))
{
    uint64_t set = 0;
    for (unsigned n = 0; n < machine.gic.lists; n++) {
        set |= are(m.list[n]) ? BIT(n) : 0;
    }
    return set;
}

static bool is_empty(uint64_t lr)
{
    return !is_valid(lr) && !has_ended(lr);
}

static uint64_t list_empty_bits(void)
{
    return lists_that(is_empty);
}

static uint64_t list_ended_bits(void)
{
    return lists_that(has_ended);
}

static void list_control(uint64_t value)
{
    m.hcr = value;
}

static uint64_t list_ended_elsewhere(void)
{
    return (m.hcr & ICH_HCR_EOICOUNT) >> ICH_HCR_EOICOUNT_SHIFT;
}

static uint64_t list_vmcr(void)
{
    return 0;
}

// Its guest ends in one step.
static uint64_t list_trap_end(uint64_t vmcr)
{
    (void)vmcr;
    return 0;
}

static bool list_passes(uint64_t vmcr, uint64_t lr)
{
    (void)vmcr;
    (void)lr;
    return true;
}

static void list_save(struct vgic_state *s)
{
    (void)s;
}

static void list_load(const struct vgic_state *s)
{
    (void)s;
}

static bool list_put_quickly(struct vgic_state *s, unsigned source, uint64_t lr)
{
    return vgic_put_into_one_of(list_empty_bits(), s, source, lr, list_write);
}

static const struct vgic_ops list_ops = {
    .read = list_read,
    .write = list_write,
    .empty = list_empty_bits,
    .ended = list_ended_bits,
    .control = list_control,
    .ended_elsewhere = list_ended_elsewhere,
    .vmcr = list_vmcr,
    .trap_end = list_trap_end,
    .passes = list_passes,
    .save = list_save,
    .load = list_load,
    .put_quickly = list_put_quickly,
};

static void deactivate(uint32_t intid)
{
    m.source[source_of_physical(intid)].physical_active = false;
}

static void activate(uint32_t intid)
{
    assert_int_equal(intid, VTIMER);
    m.source[TIMER].physical_active = true;
}

static void route(uint32_t intid, unsigned core)
{
    assert_true(intid >= 100 + LINKED && intid < 100 + LINKED_END);
    assert_int_equal(core, 0);
}

static const struct gic_ops controller_ops = {
    .deactivate = deactivate,
    .activate = activate,
    .route = route,
};

uint64_t fake_cntv_ctl_el0(void)
{
    return CNT_CTL_ENABLE | (m.source[TIMER].physical_line ? CNT_CTL_ISTATUS : 0);
}

uint64_t fake_tpidr_el2(void)
{
    return (uint64_t)&percpu[0];
}

static bool wants_maintenance(void)
{
    return (m.hcr & ICH_HCR_EN) != 0 &&
           (list_ended_bits() != 0 ||
            ((m.hcr & ICH_HCR_LRENPIE) != 0 && list_ended_elsewhere() != 0) ||
            ((m.hcr & ICH_HCR_NPIE) != 0 && lists_that(is_pending) == 0));
}

// ---- The kernel around it: what guest.c does ----------------------------------------------------------------------

static void raise(unsigned source)
{
    vcpu.linked_raised |= BIT(source);
}

static void enter_guest(void)
{
    if (page.attention != 0 || vcpu.linked_raised != 0) {
        vgic_update(&vcpu);
    }
}

static void post(uint64_t attention)
{
    page.attention |= attention;
    if (m.loaded) {
        enter_guest();
    }
}

// What the controller signals comes in.
static bool take_physical(void)
{
    bool any = false;
    // The timer was silenced and asserts again before anybody has looked.
    if (m.source[TIMER].physical_line && (vcpu.linked_raised & BIT(TIMER)) != 0) {
        m.source[TIMER].owed = true;
    }
    for (unsigned n = TIMER; n < LINKED_END; n = n == TIMER ? LINKED : n + 1) {
        struct source *s = &m.source[n];
        if (s->physical_active || !s->physical_line || (n == TIMER && !m.loaded)) {
            continue;
        }
        any = true;
        s->physical_active = true;
        s->owed = true;
        s->physical_line = s->level; // an edge is gone
        if (n != TIMER || one_in(4) || !vgic_timer(&vcpu)) {
            raise(n);
        }
    }
    return any;
}

static void settle(void)
{
    unsigned rounds = 0;
    while (take_physical() || (m.loaded && wants_maintenance())) {
        if (m.loaded && wants_maintenance()) {
            vgic_maintain(&vcpu);
        }
        if (m.loaded) {
            enter_guest();
        }
        assert_true(++rounds <= MAINTAINED_MAX);
    }
}

// ---- The guest ----------------------------------------------------------------------------------------------------

static unsigned running_priority(void)
{
    return m.taken_count != 0 ? m.taken[m.taken_count - 1].priority : PRIORITY_IDLE;
}

// The most urgent list register that the guest is told of; machine.gic.lists: none.
static unsigned signalled(void)
{
    unsigned best = machine.gic.lists;
    for (unsigned n = 0; n < machine.gic.lists; n++) {
        uint64_t lr = m.list[n];
        bool better = best == machine.gic.lists || priority_in(lr) < priority_in(m.list[best]);
        if (is_pending(lr) && priority_in(lr) < running_priority() && better) {
            best = n;
        }
    }
    return best;
}

static void account_taken(struct source *s, unsigned source, uint64_t sender)
{
    if (has_senders(source)) {
        uint8_t bit = (uint8_t)(1u << (sender >> ICH_LR_PINTID_SHIFT));
        assert_true((s->senders & bit) != 0);
        s->senders &= (uint8_t)~bit;
        s->owed = s->senders != 0;
    } else {
        assert_true(s->owed || s->line); // else it comes twice, or for nothing
        s->owed = false;
        s->pended = false;
    }
    assert_false(s->active);
    s->active = true;
}

static void guest_takes(void)
{
    unsigned n = signalled();
    if (n == machine.gic.lists) {
        return;
    }
    uint64_t lr = m.list[n];
    unsigned source = source_of(lr);
    uint64_t sender = has_senders(source) ? lr & 7ull << ICH_LR_PINTID_SHIFT : 0;
    assert_true(is_enabled(source));
    account_taken(&m.source[source], source, sender);
    m.list[n] = (lr & ~ICH_LR_PENDING) | ICH_LR_ACTIVE;
    m.taken[m.taken_count++] =
        (struct taken){.source = source, .priority = priority_in(lr), .sender = sender};
}

static void end_in_list(uint64_t *lr)
{
    *lr &= ~ICH_LR_ACTIVE;
    if ((*lr & ICH_LR_HW) != 0) {
        deactivate((uint32_t)(*lr >> ICH_LR_PINTID_SHIFT & 0x3ff));
    }
}

static void guest_ends(void)
{
    if (m.taken_count == 0) {
        return;
    }
    struct taken t = m.taken[--m.taken_count];
    m.source[t.source].active = false;
    for (unsigned n = 0; n < machine.gic.lists; n++) {
        uint64_t lr = m.list[n];
        uint64_t sender = has_senders(t.source) ? lr & 7ull << ICH_LR_PINTID_SHIFT : 0;
        if ((lr & ICH_LR_ACTIVE) != 0 && source_of(lr) == t.source && sender == t.sender) {
            end_in_list(&m.list[n]);
            return;
        }
    }
    m.hcr += BIT(ICH_HCR_EOICOUNT_SHIFT);
}

// Reprograms its timer, and traps some time later.
static void guest_silences_timer(void)
{
    m.source[TIMER].physical_line = false;
    m.source[TIMER].owed = m.source[TIMER].pended;
    if ((vcpu.arch.vgic.placed & BIT(TIMER)) != 0) {
        vgic_timer_sample(&vcpu);
    }
}

// ---- The VMM ------------------------------------------------------------------------------------------------------

static void vmm_pends(unsigned source)
{
    struct source *s = &m.source[source];
    if (has_senders(source)) {
        uint8_t sender = (uint8_t)(1u << below(4));
        s->senders |= sender;
        page.sgi_senders[source] |= sender;
    }
    s->owed = true;
    s->pended = true;
    page.pending |= BIT(source);
    post(VCPU_ATTENTION_NEW);
}

static void vmm_moves_line(unsigned source, bool up)
{
    struct source *s = &m.source[source];
    if (is_hardware(source)) {
        s->physical_line = up || (!s->level && s->physical_line);
        return;
    }
    if (!s->level || s->line == up) {
        return;
    }
    s->line = up;
    page.line ^= BIT(source);
    post(up ? VCPU_ATTENTION_NEW : VCPU_ATTENTION_FOLD);
}

static void vmm_enables(unsigned source, bool enable)
{
    page.enabled = enable ? page.enabled | BIT(source) : page.enabled & ~BIT(source);
    post(enable ? VCPU_ATTENTION_NEW : VCPU_ATTENTION_FOLD);
}

static void vmm_sets_priority(unsigned source, unsigned priority)
{
    if (!m.source[source].active) {
        set_config(source, priority);
        post(VCPU_ATTENTION_FOLD);
    }
}

// The page tells the truth.
static void expect_folded(void)
{
    for (unsigned i = 0; i < VCPU_SOURCES; i++) {
        const struct source *s = &m.source[i];
        bool pending = ((page.pending | vcpu.linked_raised) & BIT(i)) != 0;
        assert_int_equal((page.active & BIT(i)) != 0, s->active);
        if (i != TIMER) {
            assert_int_equal(pending, s->owed);
        }
        if (has_senders(i)) {
            assert_int_equal(page.sgi_senders[i], s->senders);
        }
    }
    assert_int_equal(lists_that(is_valid), 0);
}

static void vmm_clears_pending(unsigned source)
{
    struct source *s = &m.source[source];
    if (is_hardware(source)) {
        return;
    }
    page.pending &= ~BIT(source);
    s->owed = false;
    s->senders = 0;
    if (has_senders(source)) {
        page.sgi_senders[source] = 0;
    }
}

static void vmm_synchronises(unsigned source)
{
    if (!m.loaded) {
        return;
    }
    vgic_fold(&vcpu);
    expect_folded();
    if (one_in(2)) {
        vmm_clears_pending(source);
    }
    post(VCPU_ATTENTION_FOLD);
}

static void leave_core(void)
{
    if (m.loaded) {
        uint64_t attention = page.attention;
        vgic_unload(&vcpu);
        assert_int_equal(page.attention, attention); // else nobody would kick any more
        m.loaded = false;
        expect_folded();
        assert_false(m.source[TIMER].physical_active);
        assert_false((m.hcr & ICH_HCR_EN) != 0);
        // What the timer raised is forgotten, and comes again.
        m.source[TIMER].owed = m.source[TIMER].pended;
    }
}

static void come_to_core(void)
{
    if (!m.loaded) {
        vgic_load(&vcpu);
        m.loaded = true;
        enter_guest();
    }
}

// ---- What must hold whenever the guest runs -----------------------------------------------------------------------

static unsigned most_urgent_due(void)
{
    unsigned best = PRIORITY_IDLE;
    for (unsigned i = 0; i < VCPU_SOURCES; i++) {
        if (is_due(i) && priority_of(i) < best) {
            best = priority_of(i);
        }
    }
    return best;
}

static void check(void)
{
    if (!m.loaded) {
        return;
    }
    unsigned due = most_urgent_due();
    unsigned n = signalled();
    if (due < running_priority()) {
        assert_true(n < machine.gic.lists);
        assert_int_equal(priority_in(m.list[n]), due);
    }
    // What was raised while it is active ends a WFI, too.
    if (page.attention == 0 && (vcpu.linked_raised & page.enabled) == 0) {
        assert_int_equal(vgic_awaits(&vcpu, false), due != PRIORITY_IDLE);
    }
}

static void reset(unsigned version, unsigned lists)
{
    memset(&m, 0, sizeof(m));
    memset(&page, 0, sizeof(page));
    memset(&vcpu, 0, sizeof(vcpu));
    machine.gic.version = version;
    machine.gic.lists = lists;
    machine.gic.all_lists = BIT(lists) - 1;
    machine.gic.vgic = &list_ops;
    machine.gic.ops = &controller_ops;
    machine.vtimer_intid = VTIMER;
    vcpu.page = &page;
    for (unsigned i = LINKED; i < LINKED_END; i++) {
        vcpu.linked[i] = 100 + i;
    }
    vgic_init_core();
    for (unsigned i = 0; i < VCPU_SOURCES; i++) {
        m.source[i].level = i == TIMER || (i >= VCPU_SOURCE_SPI && i % 2 != 0);
        set_config(i, 0x80);
    }
    page.enabled = ~0ull;
    come_to_core();
}

// Everything that is due comes, and then nothing is left anywhere.
static void drain(void)
{
    come_to_core();
    page.enabled = ~0ull;
    post(VCPU_ATTENTION_NEW);
    for (unsigned i = 0; i < VCPU_SOURCES; i++) {
        vmm_moves_line(i, false);
    }
    guest_silences_timer();
    settle();
    for (unsigned i = 0; i < 1000 && (m.taken_count != 0 || signalled() != machine.gic.lists);
         i++) {
        guest_takes();
        settle();
        check();
        if (signalled() == machine.gic.lists) {
            guest_ends();
            settle();
            check();
        }
    }
    for (unsigned i = 0; i < VCPU_SOURCES; i++) {
        assert_false(m.source[i].owed);
        assert_false(m.source[i].active);
        assert_false(m.source[i].physical_active);
    }
    leave_core();
}

// ---- Scenes -------------------------------------------------------------------------------------------------------

static void both_versions(void (*scene)(void), unsigned lists)
{
    for (unsigned version = 2; version <= 3; version++) {
        reset(version, lists);
        scene();
        drain();
    }
}

static unsigned next_taken(void)
{
    settle();
    check();
    unsigned before = m.taken_count;
    guest_takes();
    settle();
    check();
    return m.taken_count == before ? VCPU_SOURCES : m.taken[m.taken_count - 1].source;
}

static void next_ended(void)
{
    guest_ends();
    settle();
    check();
}

static void urgent_first(void)
{
    for (unsigned i = 46; i < 64; i += 2) {
        set_config(i, 8 * (64 - i));
        vmm_pends(i);
    }
    for (unsigned i = 62; i >= 46; i -= 2) {
        assert_int_equal(next_taken(), i);
        next_ended();
    }
    assert_int_equal(next_taken(), VCPU_SOURCES);
}

static void the_most_urgent_comes_first_however_many_wait(void **state)
{
    (void)state;
    for (unsigned lists = 1; lists <= VGIC_LISTS_MAX; lists++) {
        both_versions(urgent_first, lists);
    }
}

static void nested(void)
{
    for (unsigned i = 46; i < 64; i += 2) {
        set_config(i, 8 * (64 - i));
        vmm_pends(i);
        assert_int_equal(next_taken(), i);
    }
    for (unsigned i = 62; i >= 46; i -= 2) {
        assert_int_equal(m.taken[m.taken_count - 1].source, i);
        next_ended();
        vmm_synchronises(i);
    }
    assert_int_equal(m.taken_count, 0);
}

static void more_may_be_active_than_there_are_lists(void **state)
{
    (void)state;
    for (unsigned lists = 1; lists <= VGIC_LISTS_MAX; lists++) {
        both_versions(nested, lists);
    }
}

static void line_stays_up(void)
{
    vmm_moves_line(47, true);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(next_taken(), 47);
        next_ended();
    }
    assert_int_equal(next_taken(), 47);
    vmm_moves_line(47, false);
    next_ended();
    assert_int_equal(next_taken(), VCPU_SOURCES);
}

static void a_line_is_looked_at_again_when_its_interrupt_ends(void **state)
{
    (void)state;
    both_versions(line_stays_up, 4);
    both_versions(line_stays_up, 1);
}

static void pend_while_active(unsigned source)
{
    vmm_pends(source);
    assert_int_equal(next_taken(), source);
    vmm_pends(source);
    vmm_pends(source);
    assert_int_equal(next_taken(), VCPU_SOURCES);
    next_ended();
    assert_int_equal(next_taken(), source);
    next_ended();
}

static void pending_again_scene(void)
{
    pend_while_active(46);
    pend_while_active(47);
    pend_while_active(LINKED);
    pend_while_active(LINKED + 1);
    if (machine.gic.version == 3) {
        pend_while_active(3);
    }
    assert_int_equal(next_taken(), VCPU_SOURCES);
}

static void what_is_pended_while_active_comes_once_more(void **state)
{
    (void)state;
    both_versions(pending_again_scene, 4);
    both_versions(pending_again_scene, 1);
}

static void from(unsigned sgi, uint8_t senders)
{
    m.source[sgi].senders |= senders;
    m.source[sgi].owed = true;
    page.sgi_senders[sgi] |= senders;
    page.pending |= BIT(sgi);
    post(VCPU_ATTENTION_NEW);
}

static void every_sender_of_version_2_is_heard(void **state)
{
    (void)state;
    reset(2, 4);
    from(5, 0xa6);
    from(5, 0x02); // again while it is pending: no more than once
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(next_taken(), 5);
        next_ended();
    }
    assert_int_equal(next_taken(), VCPU_SOURCES);
    from(5, 1);
    assert_int_equal(next_taken(), 5);
    from(5, 3); // the same and another while it is active
    assert_int_equal(next_taken(), VCPU_SOURCES);
    vmm_synchronises(40);
    next_ended();
    assert_int_equal(next_taken(), 5);
    next_ended();
    drain();
}

static void timer_scene(void)
{
    m.source[TIMER].physical_line = true;
    assert_int_equal(next_taken(), TIMER);
    assert_true(m.source[TIMER].physical_active);
    leave_core(); // active: the core's next guest has a timer of its own
    come_to_core();
    assert_int_equal(next_taken(), VCPU_SOURCES);
    guest_silences_timer();
    next_ended();
    assert_int_equal(next_taken(), VCPU_SOURCES);
    m.source[TIMER].physical_line = true;
    settle();
    guest_silences_timer(); // before it has taken it
    assert_false(m.source[TIMER].physical_active);
    assert_int_equal(next_taken(), VCPU_SOURCES);
    vmm_enables(TIMER, false);
    m.source[TIMER].physical_line = true;
    assert_int_equal(next_taken(), VCPU_SOURCES);
    m.source[TIMER].physical_line = false; // no trap tells
    m.source[TIMER].owed = false;
    vmm_enables(TIMER, true);
    assert_int_equal(next_taken(), VCPU_SOURCES);
    assert_false(m.source[TIMER].physical_active);
}

static void the_timer_comes_while_it_asserts(void **state)
{
    (void)state;
    both_versions(timer_scene, 4);
    both_versions(timer_scene, 1);
}

static void wrong_config(void)
{
    for (unsigned i = 33; i < 39; i++) { // no such interrupts
        page.source[i] = VCPU_SOURCE(i < 36 ? 7 : 1021, 0, VCPU_SOURCE_LEVEL);
        page.line |= BIT(i);
        page.pending |= BIT(i);
        page.active |= BIT(i);
    }
    vmm_pends(46);
    assert_int_equal(next_taken(), 46);
    next_ended();
    page.line = 0;
    page.active = 0;
    assert_int_equal(next_taken(), VCPU_SOURCES);
    for (unsigned i = 33; i < 39; i++) {
        set_config(i, 0x80);
    }
}

static void what_does_not_exist_stops_nothing(void **state)
{
    (void)state;
    both_versions(wrong_config, 4);
    both_versions(wrong_config, 1);
}

// ---- A walk -------------------------------------------------------------------------------------------------------

static unsigned some_source(void)
{
    static const uint8_t some[] = {0,  1,  9,  20, TIMER, 32, 33, 34, 35, 36,
                                   37, 38, 39, 40, 41,    42, 43, 50, 51, 63};
    return some[below(sizeof(some))];
}

static void do_something(void)
{
    unsigned source = some_source();
    switch (below(24)) {
    case 0 ... 5:
        if (m.loaded) {
            guest_takes();
        }
        break;
    case 6 ... 10:
        if (m.loaded) {
            guest_ends();
        }
        if (one_in(4)) { // another exit is before the maintenance interrupt
            vmm_synchronises(source);
        } else if (one_in(8)) {
            leave_core();
        }
        break;
    case 11 ... 13:
        vmm_pends(source);
        break;
    case 14 ... 15:
        vmm_moves_line(source, true);
        break;
    case 16:
        vmm_moves_line(source, source == TIMER);
        break;
    case 17:
        vmm_enables(source, one_in(2));
        break;
    case 18:
        page.enabled = ~0ull;
        post(VCPU_ATTENTION_NEW);
        break;
    case 19:
        vmm_sets_priority(source, (unsigned)below(8) * 0x20);
        break;
    case 20:
        vmm_synchronises(source);
        break;
    case 21:
        if (m.loaded) {
            guest_silences_timer();
        }
        break;
    default:
        if (one_in(3)) {
            leave_core();
        } else {
            come_to_core();
        }
        break;
    }
}

static void walk(void)
{
    state_of_random = seed * 0x9e3779b97f4a7c15u | 1;
    reset(2 + (unsigned)seed % 2, 1 + (unsigned)below(one_in(3) ? VGIC_LISTS_MAX : 5));
    for (unsigned i = 0; i < VCPU_SOURCES; i++) {
        vmm_sets_priority(i, (unsigned)below(8) * 0x20);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        do_something();
        settle();
        check();
    }
    drain();
}

static void what_is_owed_comes_and_nothing_else(void **state)
{
    (void)state;
    const char *chosen = getenv("SEED");
    uint64_t first = chosen != NULL ? strtoull(chosen, NULL, 10) : 1;
    uint64_t plays = chosen != NULL ? 1 : getenv("LONG") != NULL ? PLAYS_LONG : PLAYS;
    for (seed = first; seed < first + plays; seed++) {
        walk();
    }
}

static int tell_seed(void **state)
{
    (void)state;
    (void)fprintf(stderr, "seed %lu\n", (unsigned long)seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_urgent_comes_first_however_many_wait),
        cmocka_unit_test(more_may_be_active_than_there_are_lists),
        cmocka_unit_test(a_line_is_looked_at_again_when_its_interrupt_ends),
        cmocka_unit_test(what_is_pended_while_active_comes_once_more),
        cmocka_unit_test(every_sender_of_version_2_is_heard),
        cmocka_unit_test(the_timer_comes_while_it_asserts),
        cmocka_unit_test(what_does_not_exist_stops_nothing),
        cmocka_unit_test_teardown(what_is_owed_comes_and_nothing_else, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
