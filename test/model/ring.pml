// The ring of abi/ring.h and lib/ring.c: one producer, one consumer, both sleep when there is nothing to do. Shown:
// no element is lost, doubled or overtaken; nobody sleeps for ever (Spin's deadlock check); the indices stay honest.
//
// Positions run modulo 8 with a capacity of 2, so they wrap, and events go stale, several times over.
//
// broken: NO_RECHECK   sleeps without looking again after arming
// broken: NO_FENCE     the look comes before the arming, as a store buffer lets it
// broken: KICK_FIRST   asks whether to signal before publishing

#define CAPACITY 2
#define MODULUS  8
#define TOTAL    10 /* elements that pass through */

byte data[CAPACITY];
byte tail;            /* producer.position */
byte head;            /* consumer.position */
byte consumer_event;  /* both 0 at first: the first movement is told */
byte producer_event;
bit consumer_bell;    /* notifications: set by a signal, cleared by the wait that it ends */
bit producer_bell;

#define DISTANCE(from, to) (((to) - (from) + MODULUS) % MODULUS)

/* ring_kick: our position went from `old` to `new`. */
inline kick(old, new, event, bell)
{
    seen = event;
    if
    :: DISTANCE(old, seen) < DISTANCE(old, new) -> bell = 1
    :: else
    fi
}

proctype producer()
{
    byte next = 0; /* number of the element */
    byte seen;
    byte old;
    byte used;

    do
    :: next == TOTAL -> break
    :: next < TOTAL ->
        used = DISTANCE(head, tail);
        assert(used <= CAPACITY);
        if
        :: used < CAPACITY ->
            data[tail % CAPACITY] = next;
            next++;
            old = tail;
#ifdef KICK_FIRST
            kick(old, (old + 1) % MODULUS, consumer_event, consumer_bell);
            tail = (old + 1) % MODULUS
#else
            tail = (old + 1) % MODULUS;
            kick(old, tail, consumer_event, consumer_bell)
#endif
        :: else ->
            /* ring_wait: wake us when one more has been consumed */
#ifdef NO_FENCE
            used = DISTANCE(head, tail);
#endif
            producer_event = (tail + MODULUS - CAPACITY) % MODULUS;
#ifdef NO_RECHECK
            used = CAPACITY;
#endif
#if !defined(NO_FENCE) && !defined(NO_RECHECK)
            used = DISTANCE(head, tail);
#endif
            if
            :: used < CAPACITY
            :: else -> atomic { producer_bell == 1 -> producer_bell = 0 }
            fi
        fi
    od
}

proctype consumer()
{
    byte expected = 0;
    byte seen;
    byte old;
    byte used;

    do
    :: expected == TOTAL -> break
    :: expected < TOTAL ->
        used = DISTANCE(head, tail);
        assert(used <= CAPACITY);
        if
        :: used > 0 ->
            assert(data[head % CAPACITY] == expected);
            expected++;
            old = head;
#ifdef KICK_FIRST
            kick(old, (old + 1) % MODULUS, producer_event, producer_bell);
            head = (old + 1) % MODULUS
#else
            head = (old + 1) % MODULUS;
            kick(old, head, producer_event, producer_bell)
#endif
        :: else ->
#ifdef NO_FENCE
            used = DISTANCE(head, tail);
#endif
            consumer_event = head;
#ifdef NO_RECHECK
            used = 0;
#endif
#if !defined(NO_FENCE) && !defined(NO_RECHECK)
            used = DISTANCE(head, tail);
#endif
            if
            :: used > 0
            :: else -> atomic { consumer_bell == 1 -> consumer_bell = 0 }
            fi
        fi
    od
}

init
{
    atomic {
        run producer();
        run consumer()
    }
}
