// Both ends of a ring on the development machine: order, bounds, signals, and partners that lie.
// sources: lib/ring.c
// flags: -pthread
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <threads.h>

#include <cmocka.h>

#include <base/bits.h>
#include <lib/ring.h>

#define CAPACITY 8u

struct fixture {
    struct ring_header header;
    uint64_t data[CAPACITY];
    uint64_t guard[4]; // behind the data: never written
    struct ring producer;
    struct ring consumer;
};

static const uint64_t untouched = 0x5a5a5a5a5a5a5a5a;

static void attach_at(struct fixture *f, uint32_t position)
{
    memset(f, 0, sizeof(*f));
    memset(f->guard, 0x5a, sizeof(f->guard));
    f->header.producer.position = position;
    f->header.consumer.position = position;
    assert_int_equal(ring_attach(&f->producer, RING_PRODUCER, &f->header, f->data, 8, CAPACITY),
                     OK);
    assert_int_equal(ring_attach(&f->consumer, RING_CONSUMER, &f->header, f->data, 8, CAPACITY),
                     OK);
}

static uint32_t put_numbers(struct ring *r, uint64_t first, uint32_t count)
{
    uint64_t numbers[2 * CAPACITY];
    uint32_t put;
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = first + i;
    }
    assert_int_equal(ring_put(r, numbers, count, &put), OK);
    return put;
}

static void get_numbers(struct ring *r, uint64_t first, uint32_t count)
{
    uint64_t numbers[2 * CAPACITY];
    uint32_t got;
    assert_int_equal(ring_get(r, numbers, count, &got), OK);
    assert_int_equal(got, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(numbers[i], first + i);
    }
}

static void keeps_order_and_bounds(void **state)
{
    (void)state;
    struct fixture f;
    attach_at(&f, 0);

    assert_int_equal(put_numbers(&f.producer, 100, 5), 5);
    get_numbers(&f.consumer, 100, 3);
    assert_int_equal(put_numbers(&f.producer, 105, 9), 6); // over the end, and full
    assert_int_equal(put_numbers(&f.producer, 0, 1), 0);
    get_numbers(&f.consumer, 103, 8);

    uint32_t got;
    uint64_t none;
    assert_int_equal(ring_get(&f.consumer, &none, 1, &got), OK);
    assert_int_equal(got, 0);
    for (size_t i = 0; i < ARRAY_SIZE(f.guard); i++) {
        assert_int_equal(f.guard[i], untouched);
    }
}

static void positions_wrap_at_32_bits(void **state)
{
    (void)state;
    struct fixture f;
    attach_at(&f, UINT32_MAX - 2);

    for (uint64_t i = 0; i < 10 * CAPACITY; i += 5) {
        assert_int_equal(put_numbers(&f.producer, i, 5), 5);
        get_numbers(&f.consumer, i, 5);
    }
    assert_true(f.producer.position < 100);
}

static void peek_leaves_and_skip_takes_what_was_seen(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seen[CAPACITY];
    uint32_t n;
    attach_at(&f, 6);

    put_numbers(&f.producer, 10, 4);
    assert_int_equal(ring_peek(&f.consumer, seen, CAPACITY, &n), OK);
    assert_int_equal(n, 4);
    assert_int_equal(seen[3], 13);
    ring_skip(&f.consumer, 1);
    get_numbers(&f.consumer, 11, 1);

    put_numbers(&f.producer, 14, 2);
    ring_skip(&f.consumer, 100); // not those that came since
    get_numbers(&f.consumer, 14, 2);
}

static void bytes_are_elements_of_one(void **state)
{
    (void)state;
    struct ring_header header = {0};
    unsigned char data[16];
    struct ring out, in;
    char text[32];
    uint32_t n;
    assert_int_equal(ring_attach(&out, RING_PRODUCER, &header, data, 1, sizeof(data)), OK);
    assert_int_equal(ring_attach(&in, RING_CONSUMER, &header, data, 1, sizeof(data)), OK);

    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(ring_put(&out, "hello, world", 12, &n), OK);
        assert_int_equal(n, 12);
        assert_int_equal(ring_get(&in, text, sizeof(text), &n), OK);
        assert_int_equal(n, 12);
        assert_memory_equal(text, "hello, world", 12);
    }
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct ring_header header = {0};
    unsigned char data[64];
    struct ring r = {.capacity = 99};

    assert_int_equal(ring_attach(&r, RING_PRODUCER, &header, data, 1, 0), ERR_INVALID);
    assert_int_equal(ring_attach(&r, RING_PRODUCER, &header, data, 1, 48), ERR_INVALID);
    assert_int_equal(ring_attach(&r, RING_PRODUCER, &header, data, 0, 64), ERR_INVALID);
    assert_int_equal(ring_attach(&r, RING_PRODUCER, &header, data, 1, 0x80000000), ERR_INVALID);
    assert_int_equal(ring_attach(&r, RING_PRODUCER, &header, data, 8, 0x20000000), ERR_INVALID);
    assert_int_equal(r.capacity, 99);
}

// ---- Signals ------------------------------------------------------------------------------------

static void first_movement_is_told(void **state)
{
    (void)state;
    struct fixture f;
    attach_at(&f, 0);
    put_numbers(&f.producer, 0, 1);
    assert_true(ring_kick(&f.producer));
    get_numbers(&f.consumer, 0, 1);
    assert_true(ring_kick(&f.consumer));
}

// As after the first movement: nobody waits.
static void attach_busy(struct fixture *f, uint32_t position)
{
    attach_at(f, position);
    put_numbers(&f->producer, 0, 1);
    get_numbers(&f->consumer, 0, 1);
    (void)ring_kick(&f->producer);
    (void)ring_kick(&f->consumer);
    assert_false(ring_kick(&f->producer));
    assert_false(ring_kick(&f->consumer));
}

static void consumer_is_told_once_for_each_wait(void **state)
{
    (void)state;
    struct fixture f;
    attach_busy(&f, UINT32_MAX - 1);

    put_numbers(&f.producer, 0, 1);
    assert_false(ring_kick(&f.producer)); // nobody waits
    assert_false(ring_wait(&f.consumer, 1));
    get_numbers(&f.consumer, 0, 1);
    assert_true(ring_wait(&f.consumer, 1));
    assert_false(ring_kick(&f.producer)); // nothing new
    put_numbers(&f.producer, 1, 2);
    assert_true(ring_kick(&f.producer));
    put_numbers(&f.producer, 3, 2);
    assert_false(ring_kick(&f.producer)); // told already
}

static void one_question_covers_many_puts(void **state)
{
    (void)state;
    struct fixture f;
    attach_busy(&f, 3);

    assert_true(ring_wait(&f.consumer, 1));
    put_numbers(&f.producer, 0, 1);
    put_numbers(&f.producer, 1, 1);
    put_numbers(&f.producer, 2, 1);
    assert_true(ring_kick(&f.producer));
}

static void wait_for_several(void **state)
{
    (void)state;
    struct fixture f;
    attach_busy(&f, 0);

    assert_true(ring_wait(&f.consumer, 3));
    put_numbers(&f.producer, 0, 2);
    assert_false(ring_kick(&f.producer));
    put_numbers(&f.producer, 2, 1);
    assert_true(ring_kick(&f.producer));
    assert_false(ring_wait(&f.consumer, 3));
    assert_true(ring_wait(&f.consumer, 100)); // as many as there can be
    put_numbers(&f.producer, 3, 5);
    assert_true(ring_kick(&f.producer));
}

static void producer_waits_for_room(void **state)
{
    (void)state;
    struct fixture f;
    attach_busy(&f, UINT32_MAX - 5);

    put_numbers(&f.producer, 0, CAPACITY);
    assert_true(ring_wait(&f.producer, 4));
    get_numbers(&f.consumer, 0, 3);
    assert_false(ring_kick(&f.consumer));
    get_numbers(&f.consumer, 3, 1);
    assert_true(ring_kick(&f.consumer));
    assert_false(ring_wait(&f.producer, 4));
}

static void successor_goes_on_and_tells(void **state)
{
    (void)state;
    struct fixture f;
    attach_busy(&f, 0);

    assert_true(ring_wait(&f.consumer, 1));
    put_numbers(&f.producer, 7, 2); // and dies before ring_kick
    struct ring next;
    assert_int_equal(ring_attach(&next, RING_PRODUCER, &f.header, f.data, 8, CAPACITY), OK);
    assert_true(ring_kick(&next));
    put_numbers(&next, 9, 1);
    get_numbers(&f.consumer, 7, 3);
}

// ---- Partners that lie --------------------------------------------------------------------------

static void assert_dead(struct ring *r)
{
    uint64_t element[CAPACITY];
    uint32_t n = 77;
    assert_int_equal(ring_put(r, element, 1, &n), ERR_INVALID);
    assert_int_equal(n, 0);
    n = 77;
    assert_int_equal(ring_get(r, element, 1, &n), ERR_INVALID);
    assert_int_equal(n, 0);
    assert_int_equal(ring_ready(r, &n), ERR_INVALID);
    ring_skip(r, 1);
    assert_true(ring_wait(r, 1));
}

static void impossible_positions_kill_the_ring(void **state)
{
    (void)state;
    static const uint32_t lies[] = {CAPACITY + 1, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        struct fixture f;
        uint32_t n;
        attach_at(&f, 1000);
        uint32_t before = f.header.consumer.position;

        f.header.producer.position = 1000 + lies[i];
        assert_int_equal(ring_ready(&f.consumer, &n), ERR_INVALID);
        f.header.producer.position = 1000; // too late to be honest
        assert_dead(&f.consumer);
        assert_int_equal(f.header.consumer.position, before);

        f.header.consumer.position = 1000 - lies[i];
        assert_int_equal(ring_ready(&f.producer, &n), ERR_INVALID);
        assert_dead(&f.producer);
    }
}

static void impossible_positions_are_not_taken_up(void **state)
{
    (void)state;
    struct fixture f;
    memset(&f, 0, sizeof(f));
    f.header.producer.position = 9;
    assert_int_equal(ring_attach(&f.producer, RING_PRODUCER, &f.header, f.data, 8, CAPACITY),
                     ERR_INVALID);
    assert_dead(&f.producer);
}

// The partner writes whatever it likes, all the time: no access outside (the sanitizers watch), and our own position
// only ever moves by what we were told was done.
static void random_partner(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (unsigned round = 0; round < 20000; round++) {
        struct fixture f;
        attach_at(&f, (uint32_t)seed);
        for (unsigned step = 0; step < 12; step++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            uint32_t near = (uint32_t)(seed >> 8) % (CAPACITY + 2);
            struct ring *r = (seed & 1) != 0 ? &f.producer : &f.consumer;
            r->partner->position = r->position + ((seed & 2) != 0 ? near : -near);
            r->partner->event = (uint32_t)(seed >> 32);

            uint64_t elements[16];
            uint32_t n = 0;
            uint32_t before = r->position;
            uint32_t wanted = (uint32_t)(seed >> 40) % 16;
            memset(elements, 0, sizeof(elements));
            err_t err = r == &f.producer ? ring_put(r, elements, wanted, &n)
                                         : ring_get(r, elements, wanted, &n);
            assert_true(n <= wanted && n <= CAPACITY);
            assert_true(err == OK || n == 0);
            assert_int_equal(r->position, before + n);
            (void)ring_kick(r);
            (void)ring_wait(r, wanted);
        }
        for (size_t i = 0; i < ARRAY_SIZE(f.guard); i++) {
            assert_int_equal(f.guard[i], untouched);
        }
    }
}

// ---- Two threads that really sleep --------------------------------------------------------------

#define STRESS_COUNT 200000u

// A notification: a word with one bit, and a thread that sleeps until it is set.
struct bell {
    mtx_t lock;
    cnd_t rung;
    bool set;
};

static void bell_init(struct bell *b)
{
    mtx_init(&b->lock, mtx_plain);
    cnd_init(&b->rung);
    b->set = false;
}

static void bell_ring(struct bell *b)
{
    mtx_lock(&b->lock);
    b->set = true;
    cnd_signal(&b->rung);
    mtx_unlock(&b->lock);
}

static void bell_wait(struct bell *b)
{
    mtx_lock(&b->lock);
    while (!b->set) {
        cnd_wait(&b->rung, &b->lock);
    }
    b->set = false;
    mtx_unlock(&b->lock);
}

struct stress {
    struct fixture f;
    struct bell consumer_bell;
    struct bell producer_bell;
};

static int stress_producer(void *arg)
{
    struct stress *s = arg;
    struct ring *r = &s->f.producer;
    uint64_t next = 0;
    while (next < STRESS_COUNT) {
        uint64_t burst[5];
        uint32_t put;
        for (unsigned i = 0; i < ARRAY_SIZE(burst); i++) {
            burst[i] = next + i;
        }
        uint32_t count = 1 + (uint32_t)(next * 7 % ARRAY_SIZE(burst));
        if (ring_put(r, burst, count, &put) != OK) {
            return 1;
        }
        next += put;
        if (ring_kick(r)) {
            bell_ring(&s->consumer_bell);
        }
        if (put < count && ring_wait(r, 1)) {
            bell_wait(&s->producer_bell);
        }
    }
    return 0;
}

// A lost signal would let this test hang; an overtaking one would show as a wrong number.
static void two_threads_lose_nothing(void **state)
{
    (void)state;
    struct stress s;
    struct ring *r = &s.f.consumer;
    attach_at(&s.f, UINT32_MAX - STRESS_COUNT / 2);
    bell_init(&s.consumer_bell);
    bell_init(&s.producer_bell);
    thrd_t producer;
    assert_int_equal(thrd_create(&producer, stress_producer, &s), thrd_success);

    uint64_t expected = 0;
    while (expected < STRESS_COUNT) {
        uint64_t elements[CAPACITY];
        uint32_t got;
        assert_int_equal(ring_get(r, elements, 1 + (uint32_t)expected % CAPACITY, &got), OK);
        for (uint32_t i = 0; i < got; i++) {
            assert_int_equal(elements[i], expected);
            expected++;
        }
        if (ring_kick(r)) {
            bell_ring(&s.producer_bell);
        }
        if (got == 0 && ring_wait(r, 1)) {
            bell_wait(&s.consumer_bell);
        }
    }
    int failed;
    thrd_join(producer, &failed);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_and_bounds),
        cmocka_unit_test(positions_wrap_at_32_bits),
        cmocka_unit_test(peek_leaves_and_skip_takes_what_was_seen),
        cmocka_unit_test(bytes_are_elements_of_one),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(first_movement_is_told),
        cmocka_unit_test(consumer_is_told_once_for_each_wait),
        cmocka_unit_test(one_question_covers_many_puts),
        cmocka_unit_test(wait_for_several),
        cmocka_unit_test(producer_waits_for_room),
        cmocka_unit_test(successor_goes_on_and_tells),
        cmocka_unit_test(impossible_positions_kill_the_ring),
        cmocka_unit_test(impossible_positions_are_not_taken_up),
        cmocka_unit_test(random_partner),
        cmocka_unit_test(two_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
