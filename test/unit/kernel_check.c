// check_kernel: looks at everything that a boot capability leads to, and holds it against what must be true of it
// whenever no core is inside the kernel. See kernel_fixture.h.
#include <stdlib.h>
#include <string.h>

#include "cap.h"
#include "kernel_fixture.h"
#include "lock.h"
#include "percpu.h"
#include "tlb.h"
#include "vcpu.h"

#define SLOTS_MAX   65536u
#define OBJECTS_MAX 16384u

static struct slot *slots[SLOTS_MAX];
static size_t slot_count;
static struct obj *objects[OBJECTS_MAX];
static size_t object_count;

// ---- Finding everything -------------------------------------------------------------------------------------------

// Open hash of what was found, by where it is. An entry of an earlier search is free.
#define SEEN_SIZE 262144u
static struct {
    const void *p;
    unsigned search;
} seen[SEEN_SIZE];
static unsigned search;

static bool see(const void *p)
{
    size_t i = (size_t)p / 8 * 0x9e3779b97f4a7c15u >> 46;
    while (seen[i].search == search && seen[i].p != p) {
        i = (i + 1) % SEEN_SIZE;
    }
    bool is_new = seen[i].search != search;
    seen[i].p = p;
    seen[i].search = search;
    return is_new;
}

static void add_slot(struct slot *s)
{
    if (s != NULL && !slot_empty(s) && see(s)) {
        assert_true(slot_count < SLOTS_MAX);
        slots[slot_count++] = s;
    }
}

static struct thread *as_thread(struct obj *o)
{
    return CONTAINER_OF(o, struct thread, obj);
}

static struct space *as_space(struct obj *o)
{
    return CONTAINER_OF(o, struct space, obj);
}

static struct untyped *as_untyped(struct obj *o)
{
    return CONTAINER_OF(o, struct untyped, obj);
}

static struct vcpu *as_vcpu(struct obj *o)
{
    return CONTAINER_OF(o, struct vcpu, obj);
}

static void add_slots_in(struct obj *o)
{
    if (o->type == OBJ_CSPACE) {
        struct cspace *cs = CONTAINER_OF(o, struct cspace, obj);
        for (uint32_t i = 0; i < cs->count; i++) {
            add_slot(&cs->slots[i]);
        }
    } else if (o->type == OBJ_THREAD) {
        for (unsigned i = 0; i < THREAD_SLOT_COUNT; i++) {
            add_slot(&as_thread(o)->held[i]);
        }
    } else if (o->type == OBJ_IRQ) {
        add_slot(&CONTAINER_OF(o, struct irq, obj)->target);
    } else if (o->type == OBJ_VCPU) {
        for (unsigned i = 0; i < VCPU_SLOT_COUNT; i++) {
            add_slot(&as_vcpu(o)->held[i]);
        }
    }
}

static void add_object(struct obj *o)
{
    if (o != NULL && see(o)) {
        assert_true(object_count < OBJECTS_MAX);
        objects[object_count++] = o;
        add_slots_in(o);
        add_object(o->from != NULL ? &o->from->obj : NULL);
    }
}

static void find_everything(void)
{
    search++;
    slot_count = 0;
    object_count = 0;
    add_object(&world.cspace->obj);
    for (size_t i = 0; i < slot_count; i++) {
        struct slot *s = slots[i];
        add_object(s->obj);
        add_slot(s->parent);
        add_slot(s->child);
        add_slot(s->next);
        add_slot(s->prev);
    }
}

// ---- Capabilities -------------------------------------------------------------------------------------------------

static void check_slot(const struct slot *s)
{
    assert_true(s->parent == NULL || !slot_empty(s->parent));
    if (s->child != NULL) {
        assert_ptr_equal(s->child->parent, s);
        assert_null(s->child->prev);
    }
    if (s->next != NULL) {
        assert_ptr_equal(s->next->prev, s);
        assert_ptr_equal(s->next->parent, s->parent);
    }
    if (s->prev != NULL) {
        assert_ptr_equal(s->prev->next, s);
    } else if (s->parent != NULL) {
        assert_ptr_equal(s->parent->child, s);
    }
    assert_int_equal((uint8_t)s->meta, s->obj->type);
}

static uint32_t count_refs(const struct obj *o)
{
    uint32_t refs = 0;
    for (size_t i = 0; i < slot_count; i++) {
        refs += slots[i]->obj == o;
    }
    return refs;
}

// ---- Memory -------------------------------------------------------------------------------------------------------

static bool carved(const struct untyped *ut, uint64_t base, uint64_t bytes)
{
    uint64_t end = base + bytes;
    return bytes == 0 || (base >= ut->base && end <= ut->low) ||
           (base >= ut->high && end <= ut->end);
}

static size_t object_bytes(const struct obj *o)
{
    switch (o->type) {
    case OBJ_UNTYPED:
        return sizeof(struct untyped);
    case OBJ_CSPACE:
        return cspace_bytes(CONTAINER_OF(o, struct cspace, obj)->count);
    case OBJ_THREAD:
        return sizeof(struct thread);
    case OBJ_SPACE:
        return space_bytes(CONTAINER_OF(o, struct space, obj)->table_count);
    case OBJ_FRAMES:
        return sizeof(struct frames);
    case OBJ_NOTIFICATION:
        return sizeof(struct notification);
    case OBJ_ENDPOINT:
        return sizeof(struct endpoint);
    case OBJ_VCPU:
        return sizeof(struct vcpu);
    default:
        return sizeof(struct irq);
    }
}

static void *object_start(struct obj *o)
{
    return o->type == OBJ_THREAD ? (void *)as_thread(o) : (void *)o;
}

struct piece {
    uint64_t base;
    uint64_t end;
};

static int by_base(const void *a, const void *b)
{
    const struct piece *x = a;
    const struct piece *y = b;
    return x->base < y->base ? -1 : x->base > y->base;
}

// The memory that o was carved with lies where its untyped says; adds it to the pieces.
static size_t add_pieces(struct obj *o, struct piece *p)
{
    uint64_t base = virt_to_phys(object_start(o)).a;
    size_t count = 0;
    p[count++] = (struct piece){base, base + object_bytes(o)};
    if (o->type == OBJ_UNTYPED) {
        p[count++] = (struct piece){as_untyped(o)->base, as_untyped(o)->end};
    } else if (o->type == OBJ_FRAMES && !CONTAINER_OF(o, struct frames, obj)->device) {
        const struct frames *f = CONTAINER_OF(o, struct frames, obj);
        p[count++] = (struct piece){f->base, f->base + (uint64_t)f->count * PAGE_SIZE};
    } else if (o->type == OBJ_SPACE) {
        uint64_t root = virt_to_phys(as_space(o)->tables).a;
        p[count++] = (struct piece){root, root + (uint64_t)as_space(o)->table_count * PAGE_SIZE};
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(carved(o->from, p[i].base, p[i].end - p[i].base));
    }
    return count;
}

static void check_zero(uint64_t base, uint64_t end)
{
    for (uint64_t a = base; a < end; a += 8) {
        if (*(uint64_t *)phys_to_virt(paddr(a)) != 0) {
            fake_fail("untyped memory at %#lx counts as clean and is not", (unsigned long)a);
        }
    }
}

static void check_untyped(struct untyped *ut, bool all)
{
    static struct piece pieces[2 * OBJECTS_MAX];
    size_t count = 0;
    uint32_t live = 0;
    for (size_t i = 0; i < object_count; i++) {
        if (objects[i]->from == ut) {
            live++;
            count += add_pieces(objects[i], &pieces[count]);
        }
    }
    assert_true(all ? live == ut->live : live <= ut->live);
    qsort(pieces, count, sizeof(pieces[0]), by_base);
    for (size_t i = 1; i < count; i++) {
        assert_true(pieces[i - 1].end <= pieces[i].base);
    }
    assert_true(ut->base <= ut->low && ut->low <= ut->high && ut->high <= ut->end);
    assert_true(ut->low <= ut->dirty_low && ut->dirty_low <= ut->dirty_high &&
                ut->dirty_high <= ut->high);
    check_zero(ut->low, ut->dirty_low);
    check_zero(ut->dirty_high, ut->high);
}

// ---- Spaces -------------------------------------------------------------------------------------------------------

#define FREE_TABLES_READ 32u // of a space; the first process has a thousand

struct tables {
    uint64_t pages;  // that leaves cover
    uint32_t tables; // the root's not counted
};

static void count_entries(const struct space *sp, const uint64_t *table, unsigned level,
                          struct tables *sum)
{
    unsigned valid = 0;
    for (unsigned i = 0; i < 512; i++) {
        if (arch_pte_is_table(table[i], level)) {
            sum->tables++;
            count_entries(sp, phys_to_virt(arch_pte_address(table[i])), level + 1, sum);
        } else if (table[i] != 0) {
            sum->pages += BIT(9 * (3 - level));
        }
        valid += table[i] != 0;
    }
    size_t n = (size_t)(table - sp->tables) / 512;
    assert_true(valid != 0 || n < arch_stage2_root_pages());
    assert_int_equal(sp->used[n], valid);
}

static void check_free_tables(const struct space *sp, uint32_t used)
{
    uint32_t free = 0;
    for (uint32_t n = sp->free; n != sp->table_count; n = sp->used[n]) {
        assert_true(n < sp->table_count && ++free <= sp->table_count);
        const uint64_t *table = sp->tables + (size_t)n * 512;
        for (unsigned i = 0; i < 512 && free <= FREE_TABLES_READ; i++) {
            assert_int_equal(table[i], 0);
        }
    }
    assert_int_equal(free, sp->free_count);
    assert_int_equal(free + used + arch_stage2_root_pages(), sp->table_count);
}

static void check_mapping(const struct space *sp, const struct slot *s)
{
    struct cap cap;
    assert_true(slot_read(s, &cap));
    const struct frames *f = CONTAINER_OF(cap.obj, struct frames, obj);
    assert_int_equal(cap.type, OBJ_FRAMES);
    assert_true(s->mapped <= frames_count(cap.badge));
    uint64_t step = s->mapped > 4096 ? 509 : 1; // of a large mapping some pages
    for (uint64_t i = 0; i < s->mapped; i += step) {
        uint64_t pte;
        unsigned level;
        ipa_t at = ipa(s->address + i * PAGE_SIZE);
        assert_true(tlb_translate(sp->vmid, at, &pte, &level));
        uint64_t inside = at.a & (BIT(12 + 9 * (3 - level)) - 1);
        assert_int_equal(arch_pte_address(pte).a + inside,
                         frames_page(f, frames_first(cap.badge) + i).a);
        assert_int_equal(pte, arch_pte_leaf(arch_pte_address(pte), s->map_flags, level, f->device));
    }
}

static void check_space(const struct space *sp)
{
    struct tables sum = {0};
    for (unsigned i = 0; i < arch_stage2_root_pages(); i++) {
        count_entries(sp, sp->tables + (size_t)i * 512, arch_stage2_start_level(), &sum);
    }
    check_free_tables(sp, sum.tables);
    uint64_t pages = 0;
    for (const struct list *l = sp->maps.next; l != &sp->maps; l = l->next) {
        const struct slot *s = CONTAINER_OF(l, struct slot, maps);
        assert_ptr_equal(s->space, &sp->obj);
        check_mapping(sp, s);
        pages += s->mapped;
    }
    assert_int_equal(pages, sum.pages);
}

// ---- Threads ------------------------------------------------------------------------------------------------------

static bool in_list(const struct list *head, const struct list *l)
{
    for (const struct list *i = head->next; i != head; i = i->next) {
        if (i == l) {
            return true;
        }
    }
    return false;
}

static bool is_queued_for_time(const struct timeq_node *n, const struct percpu *cpu)
{
    if (!timeq_queued(n)) {
        return false;
    }
    while (n->up != NULL) {
        n = n->up;
    }
    return n == cpu->timers.first;
}

static void check_ready(const struct thread *t)
{
    const struct percpu *cpu = &percpu[t->core];
    bool queued = in_list(&cpu->ready[t->priority], &t->ready);
    assert_int_equal((cpu->current == t) + queued + t->throttled, 1);
    assert_int_equal(timeq_queued(&t->timer), t->throttled);
    assert_true(!t->throttled || is_queued_for_time(&t->timer, cpu));
    // In guest mode it has been in the guest, or will look when it gets there.
    assert_true(t->wait == WAIT_NONE || (t->wait == WAIT_GUEST && arch_guest_mode(&t->regs)));
}

// Nobody waits for what is there.
static void check_guest(const struct thread *t)
{
    const struct vcpu *v = t->vcpu;
    assert_true(v != NULL && v->ready);
    bool enters_later =
        t->wait == WAIT_NONE || (t->wait == WAIT_GUEST && percpu[t->core].current != t);
    if (!enters_later) {
        assert_true(t->notification == NULL || t->notification->word == 0);
        assert_true(world.careless || (v->page->pending & v->page->enabled) == 0);
        assert_true(world.careless || (v->linked_raised & v->page->enabled) == 0);
        assert_true(v->deadline > fake.now);
    }
}

static void check_vcpu(const struct vcpu *v)
{
    assert_int_equal(v->space == NULL, slot_empty(&v->held[VCPU_SPACE]));
    assert_int_equal(v->page == NULL, slot_empty(&v->held[VCPU_PAGE]));
    assert_int_equal(v->ready, v->space != NULL && v->page != NULL);
    assert_true(v->thread == NULL || v->thread->vcpu == v);
    assert_true(v->resident == VCPU_NOWHERE || v->ready);
    for (unsigned i = 0; i < core_count; i++) {
        assert_int_equal(percpu[i].arch.resident == v, v->resident == i + 1);
    }
}

static void check_calling(const struct thread *t)
{
    assert_false(timeq_queued(&t->timer));
    if (t->wait == WAIT_QUEUED) {
        assert_non_null(t->queued_at);
        assert_true(in_list(&t->queued_at->queue, &t->queue));
        assert_null(t->server);
    } else {
        assert_int_equal(t->wait, WAIT_REPLY);
        assert_null(t->queued_at);
        assert_true(t->server == NULL || t->server->caller == t);
    }
    assert_int_equal(t->fault_reply, thread_state(t) == THREAD_FAULTED);
}

static void check_donor(const struct thread *t)
{
    const struct thread *c = t->caller;
    if (t->donor == t) {
        assert_int_equal(t->depth, 0);
        assert_true((t->flags & THREAD_PASSIVE) != 0 || t->core == t->home);
        return;
    }
    assert_true((t->flags & THREAD_PASSIVE) != 0);
    assert_non_null(c);
    assert_ptr_equal(c->server, t);
    assert_ptr_equal(c->donor, t->donor);
    assert_int_equal(c->depth + 1, t->depth);
    assert_int_equal(c->core, t->core);
}

static void check_thread(struct thread *t)
{
    switch (thread_state(t)) {
    case THREAD_READY:
        assert_true(thread_is(t, THREAD_READY, t->core));
        check_ready(t);
        break;
    case THREAD_RECEIVING:
        assert_int_equal(t->wait, arch_guest_mode(&t->regs) ? WAIT_IDLE : WAIT_RECEIVE);
        assert_true(t->caller == NULL || arch_guest_mode(&t->regs));
        assert_ptr_equal(t->donor, t);
        assert_int_equal(t->core, t->home);
        assert_true(!timeq_queued(&t->timer) || is_queued_for_time(&t->timer, &percpu[t->core]));
        break;
    case THREAD_CALLING:
    case THREAD_FAULTED:
        assert_true(thread_is(t, thread_state(t), t->core));
        check_calling(t);
        break;
    default:
        assert_int_equal(thread_state(t), THREAD_STOPPED);
        assert_int_equal(t->wait, WAIT_NONE);
        assert_false(timeq_queued(&t->timer));
        assert_ptr_equal(t->donor, t);
        assert_int_equal(t->core, t->home);
        assert_int_equal(t->fp.resident, 0);
        break;
    }
    check_donor(t);
    if (arch_guest_mode(&t->regs)) {
        check_guest(t);
    }
    if (thread_state(t) != THREAD_READY) {
        assert_true(list_empty(&t->ready));
        assert_false(t->throttled);
    }
    assert_true(t->wait == WAIT_QUEUED || list_empty(&t->queue));
    struct thread *caller = t->caller;
    assert_true(caller == NULL || (caller->server == t && caller->wait == WAIT_REPLY));
    assert_true(t->notification == NULL || t->notification->bound == t);
    assert_true(t->endpoint == NULL || t->endpoint->server == t);
    assert_int_equal(t->notification == NULL, slot_empty(&t->held[THREAD_NOTIFICATION]));
    assert_int_equal(t->endpoint == NULL, slot_empty(&t->held[THREAD_ENDPOINT]));
    assert_int_equal(t->cspace == NULL, slot_empty(&t->held[THREAD_CSPACE]));
    assert_int_equal(t->space == NULL, slot_empty(&t->held[THREAD_SPACE]));
    assert_int_equal(t->message == NULL, slot_empty(&t->held[THREAD_MESSAGE]));
    assert_int_equal(t->vcpu == NULL, slot_empty(&t->held[THREAD_VCPU]));
    assert_true(t->vcpu == NULL || t->vcpu->thread == t);
    assert_true(t->fp.resident == 0 || percpu[t->fp.resident - 1].fp_owner == &t->fp);
    // Nobody waits for what is there.
    if (t->wait == WAIT_RECEIVE) {
        assert_true(t->notification == NULL || t->notification->word == 0);
        assert_true(t->endpoint == NULL || list_empty(&t->endpoint->queue));
    }
}

static void check_timers(const struct timeq_node *n, const struct timeq_node *up)
{
    if (n == NULL) {
        return;
    }
    assert_ptr_equal(n->up, up);
    assert_true(up == NULL || up->when <= n->when);
    uint32_t left = n->left == NULL ? 0 : n->left->rank;
    uint32_t right = n->right == NULL ? 0 : n->right->rank;
    assert_true(left >= right && n->rank == right + 1);
    check_timers(n->left, n);
    check_timers(n->right, n);
}

static void check_core(const struct percpu *cpu)
{
    assert_null(cpu->inbox);
    assert_null(cpu->xcall);
    assert_true(cpu->fp_owner == NULL || cpu->fp_owner->resident == cpu->id + 1);
    for (unsigned p = 0; p < PRIORITIES; p++) {
        bool bit = (cpu->ready_bits[p / 64] & BIT(p % 64)) != 0;
        assert_int_equal(bit, !list_empty(&cpu->ready[p]));
        for (const struct list *l = cpu->ready[p].next; l != &cpu->ready[p]; l = l->next) {
            const struct thread *t = CONTAINER_OF(l, struct thread, ready);
            assert_int_equal(t->priority, p);
            assert_int_equal(t->core, cpu->id);
            assert_int_equal(thread_state(t), THREAD_READY);
        }
    }
    check_timers(cpu->timers.first, NULL);
}

// ---- All of it ----------------------------------------------------------------------------------------------------

static void check_object(struct obj *o, bool all)
{
    bool is_static = o->from == NULL;
    assert_true(is_static || o->refs == count_refs(o));
    assert_true(is_static || o->dead == (o->refs == 0));
    if (o->type == OBJ_UNTYPED) {
        check_untyped(as_untyped(o), all);
    } else if (o->type == OBJ_SPACE && !o->dead) {
        check_space(as_space(o));
    } else if (o->type == OBJ_THREAD && !o->dead) {
        check_thread(as_thread(o));
    } else if (o->type == OBJ_VCPU && !o->dead) {
        check_vcpu(as_vcpu(o));
    }
}

void check_kernel(bool all)
{
    assert_int_equal(build_lock.taken, 0);
    for (unsigned i = 0; i < core_count; i++) {
        check_core(&percpu[i]);
    }
    find_everything();
    for (size_t i = 0; i < slot_count; i++) {
        check_slot(slots[i]);
    }
    for (size_t i = 0; i < object_count; i++) {
        check_object(objects[i], all);
    }
}
