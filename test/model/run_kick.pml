// "A signal before or during a wait always ends it": how a thread that receives (or runs a guest) and a signaller on
// another core cross. The receiver says that it waits, then looks at the word again, then sleeps; the signaller sets
// the word, then looks at the state, then wakes. Shown: after the last signal the receiver does not sleep on a word
// that is set, and every wake-up that was sent arrives.
//
// Store buffers are modelled: without its barrier, a core's store may become visible after its next load.
//
// broken: NO_RECHECK           sleeps without looking again
// broken: NO_RECEIVER_BARRIER  looks again before the state is visible
// broken: NO_SIGNALLER_BARRIER looks at the state before the word is visible

#define SIGNALS 3

#define RUNNING 0
#define WAITING 1

byte word;          /* signals that nobody has taken yet */
bit state = RUNNING;
bit wake_up;        /* the interrupt (or the run queue) that ends the sleep: kept until taken */
byte taken;

proctype receiver()
{
    byte seen;
    byte value;
    bool buffered; /* our store to `state` is not visible yet */

    do
    :: taken == SIGNALS -> break
    :: else ->
        buffered = true;
#ifndef NO_RECEIVER_BARRIER
        state = WAITING;
        buffered = false;
#endif
        /* the re-check, which another core's store may precede or follow */
#ifdef NO_RECHECK
        seen = 0;
#else
        seen = word;
#endif
        if
        :: buffered -> state = WAITING
        :: else
        fi;
        if
        :: seen > 0
        :: else -> atomic { wake_up == 1 -> wake_up = 0 }
        fi;
        state = RUNNING;
        atomic { value = word; word = 0 };
        taken = taken + value
    od
}

proctype signaller()
{
    byte sent;
    bit seen;

    do
    :: sent == SIGNALS -> break
    :: else ->
#ifdef NO_SIGNALLER_BARRIER
        seen = state;
        word = word + 1;
#else
        word = word + 1;
        seen = state;
#endif
        if
        :: seen == WAITING -> wake_up = 1
        :: else
        fi;
        sent++
    od
}

init
{
    atomic {
        run receiver();
        run signaller()
    }
}
