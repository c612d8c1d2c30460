// Calls, replies, receiving and faults: see ipc.h.
#include "ipc.h"

#include <stddef.h>

#include <base/bits.h>

#include "cspace.h"
#include "endpoint.h"
#include "notification.h"
#include "sched.h"

// Where a call's info word is in a thread's registers; the four words follow: x2..x6.
#define W_INFO 2

static uint64_t *words_of(struct thread *t)
{
    return arch_words(&t->regs);
}

static const uint64_t *outgoing(struct thread *t, bool fault)
{
    return fault ? t->fault_words : &words_of(t)[W_INFO];
}

static void copy_rest(struct thread *to, const struct thread *from, uint64_t *info)
{
    uint64_t count = INFO_COUNT(*info);
    if (to->message == NULL || from->message == NULL) {
        *info = INFO(INFO_LABEL(*info), MESSAGE_REGISTER_WORDS);
        return;
    }
    for (uint64_t i = MESSAGE_REGISTER_WORDS; i < count; i++) {
        to->message[i] = from->message[i];
    }
}

// Copies info and words; `from`'s info has been checked.
static inline void transfer(struct thread *to, struct thread *from, const uint64_t *out)
{
    uint64_t *in = &words_of(to)[W_INFO];
    // All loads before all stores: pairs of registers.
    uint64_t info = out[0];
    uint64_t w0 = out[1];
    uint64_t w1 = out[2];
    uint64_t w2 = out[3];
    uint64_t w3 = out[4];
    in[0] = info;
    in[1] = w0;
    in[2] = w1;
    in[3] = w2;
    in[4] = w3;
    if (INFO_COUNT(info) > MESSAGE_REGISTER_WORDS) {
        copy_rest(to, from, &in[0]);
    }
}

static bool info_valid(const struct thread *t, uint64_t info)
{
    uint64_t count = INFO_COUNT(info);
    return (info & 0xf80) == 0 && count <= MESSAGE_WORDS &&
           (count <= MESSAGE_REGISTER_WORDS || t->message != NULL);
}

void ipc_deliver_bits(struct thread *t, uint64_t bits)
{
    uint64_t *w = words_of(t);
    w[0] = OK;
    w[1] = bits;
    w[W_INFO] = INFO_NOTIFICATION;
}

void ipc_deliver_timeout(struct thread *t)
{
    words_of(t)[0] = (uint64_t)ERR_TIMEOUT;
}

void ipc_fail_call(struct thread *caller)
{
    if (!caller->fault_reply) {
        words_of(caller)[0] = (uint64_t)ERR_GONE;
    }
}

// ---- Calls --------------------------------------------------------------------------------------------------

// A passive server runs on its caller's core and time.
static inline void lend_time(struct thread *server, struct thread *caller)
{
    if ((server->flags & THREAD_PASSIVE) == 0 || caller->depth >= DONATION_DEPTH) {
        return;
    }
    server->donor = caller->donor;
    server->depth = caller->depth + 1;
    thread_set_core(server, thread_core(caller));
}

// Both are ours: the server was claimed, the caller is current or was taken out of the queue. Hands the message over;
// the server is not awake yet. `out`: the caller's info and words.
static ALWAYS_INLINE void hand_over(struct thread *server, struct thread *caller,
                                    const uint64_t *out)
{
    lend_time(server, caller);
    uint64_t *w = words_of(server);
    w[0] = OK;
    w[1] = caller->call_badge;
    transfer(server, caller, out);
    store_relaxed(&caller->server, server);
    store_relaxed(&server->caller, caller);
    atomic_store(&caller->wait, WAIT_REPLY);
}

// Takes the first queued caller to a server that is ours. False: there is none.
static bool serve_next(struct thread *server, struct endpoint *ep)
{
    struct thread *caller = endpoint_dequeue(ep);
    if (caller == NULL) {
        return false;
    }
    hand_over(server, caller, outgoing(caller, caller->fault_reply));
    // The time that a queued caller runs on may be taken back or moved just now, on its core: either ipc_take_back_time
    // finds the server behind it, or we find that things have changed. Then the server runs on its own.
    atomic_thread_fence(memory_order_seq_cst);
    if (server->donor != server &&
        (server->donor != caller->donor || thread_core(server) != thread_core(caller))) {
        server->donor = server;
        server->depth = 0;
        thread_set_core(server, server->home);
    }
    return true;
}

// The current thread calls, or its fault does. False: the endpoint is closed, nothing has changed.
static ALWAYS_INLINE bool call(struct thread *self, const struct cap *cap, bool fault)
{
    struct endpoint *ep = CONTAINER_OF(cap->obj, struct endpoint, obj);
    self->call_badge = cap->badge;
    self->fault_reply = fault;
    uint32_t core = this_cpu()->id;
    thread_set_state(self, fault ? THREAD_FAULTED : THREAD_CALLING, core);

    struct thread *server = atomic_load(&ep->server);
    if (server != NULL && thread_claim(server, WAIT_RECEIVE)) {
        hand_over(server, self, outgoing(self, fault));
        sched_leave_for(self, server);
        return true;
    }

    if (!endpoint_enqueue(ep, self)) {
        thread_set_state(self, THREAD_READY, core);
        return false;
    }
    sched_leave();
    // The server may have begun to wait before it could see us; whoever claims it serves the first in the queue.
    server = atomic_load(&ep->server);
    if (server != NULL && thread_claim(server, WAIT_RECEIVE)) {
        if (!serve_next(server, ep)) {
            // Somebody else served it: a wake-up with nothing, it waits again.
            ipc_deliver_bits(server, 0);
        }
        sched_wake(server);
    }
    return true;
}

NOINLINE struct thread *ipc_call(struct thread *self, uint64_t *words)
{
    struct cap cap;
    err_t err = cspace_lookup(self->cspace, words[0], OBJ_ENDPOINT, RIGHT_WRITE, &cap);
    if (err == OK && !info_valid(self, words[W_INFO])) {
        err = ERR_INVALID;
    }
    if (err == OK) {
        err = call(self, &cap, false) ? OK : ERR_GONE;
    }
    if (err != OK) {
        words[0] = (uint64_t)err;
    }
    return sched_pick(this_cpu());
}

bool ipc_fault(struct thread *self, enum fault_label label, const uint64_t words[4])
{
    struct cap cap;
    if (!slot_read(&self->held[THREAD_FAULT], &cap)) {
        return false;
    }
    self->fault_words[0] = INFO(label, 4);
    for (unsigned i = 0; i < 4; i++) {
        self->fault_words[1 + i] = words[i];
    }
    return call(self, &cap, true);
}

// ---- Replies ------------------------------------------------------------------------------------------------

void ipc_take_back_time(struct thread *caller)
{
    const struct thread *donor = caller->donor;
    struct thread *t = caller;
    for (unsigned i = 0; i <= DONATION_DEPTH; i++) {
        atomic_thread_fence(memory_order_seq_cst); // pairs with serve_next
        t = load_relaxed(&t->server);
        if (t == NULL || t->donor != donor || thread_core(t) != this_cpu()->id) {
            return;
        }
        sched_own_time(t);
    }
}

// Takes the present caller, claimed, or NULL. Nobody else can wake it afterwards.
static struct thread *take_caller(struct thread *server)
{
    struct thread *caller = load_relaxed(&server->caller);
    if (caller == NULL) {
        return NULL;
    }
    // Whoever stops it instead clears server->caller after the same claim.
    if (!thread_claim(caller, WAIT_REPLY)) {
        return NULL;
    }
    store_relaxed(&server->caller, NULL);
    store_relaxed(&caller->server, NULL);
    return caller;
}

bool ipc_cancel_reply(struct thread *caller)
{
    if (!thread_claim(caller, WAIT_REPLY)) {
        return false;
    }
    ipc_take_back_time(caller);
    struct thread *server = load_relaxed(&caller->server);
    if (server != NULL) {
        struct thread *me = caller;
        atomic_compare_exchange_strong(&server->caller, &me, NULL);
        store_relaxed(&caller->server, NULL);
    }
    return true;
}

void ipc_drop_caller(struct thread *server)
{
    struct thread *caller = take_caller(server);
    if (caller != NULL) {
        ipc_fail_call(caller);
        sched_wake(caller);
    }
}

// Answers the present caller; it is ours, not yet awake. NULL: there is none any more.
static struct thread *reply(struct thread *self, const uint64_t *words)
{
    struct thread *caller = take_caller(self);
    if (caller == NULL) {
        return NULL;
    }
    if (!caller->fault_reply) {
        words_of(caller)[0] = OK;
        transfer(caller, self, &words[W_INFO]);
    }
    return caller;
}

// The server waits for something new without having answered: its caller stays blocked until somebody restarts it.
static void forget_caller(struct thread *server)
{
    if (load_relaxed(&server->caller) == NULL) {
        return;
    }
    struct thread *caller = atomic_exchange(&server->caller, NULL);
    if (caller != NULL) {
        ipc_take_back_time(caller);
        store_relaxed(&caller->server, NULL);
    }
}

// ---- Receive ------------------------------------------------------------------------------------------------

// Are there signals or callers? Another core may just be about to leave some: see wait.
static bool is_wanted(const struct thread *self)
{
    const struct notification *n = self->notification;
    const struct endpoint *ep = self->endpoint;
    return (n != NULL && load_relaxed(&n->word) != 0) || (ep != NULL && endpoint_has_callers(ep));
}

// Gives a thread that is ours what is there for it. A passive thread takes calls only after it has left its core.
static bool receive_now(struct thread *self)
{
    uint64_t bits = self->notification != NULL ? atomic_exchange(&self->notification->word, 0) : 0;
    if (bits != 0) {
        ipc_deliver_bits(self, bits);
        return true;
    }
    return self->endpoint != NULL && serve_next(self, self->endpoint);
}

// The current thread waits. `answered`, if any, is woken on the way, if possible by going straight to it.
static void wait(struct thread *self, uint64_t deadline, struct thread *answered, bool passive)
{
    thread_set_state(self, THREAD_RECEIVING, this_cpu()->id);
    if (deadline != DEADLINE_NEVER) {
        sched_set_deadline(self, deadline);
    }
    if (answered != NULL) {
        sched_leave_for(self, answered);
    } else {
        sched_leave();
    }
    if (passive) {
        sched_go_home(self);
    }

    // From here on others may claim self. Either they find it waiting, or we find what they left: the fence pairs with
    // the sequentially consistent accesses of notification_signal and endpoint_enqueue.
    atomic_store(&self->wait, WAIT_RECEIVE);
    atomic_thread_fence(memory_order_seq_cst);
    if (is_wanted(self) && thread_claim(self, WAIT_RECEIVE)) {
        if (!receive_now(self)) {
            ipc_deliver_bits(self, 0);
        }
        sched_wake(self);
    }
}

static err_t receive_check(const struct thread *self, const uint64_t *words, bool passive)
{
    uint64_t flags = words[0];
    if ((flags & ~(uint64_t)(RECEIVE_REPLY | RECEIVE_POLL)) != 0 ||
        ((flags & RECEIVE_REPLY) != 0 && !info_valid(self, words[W_INFO]))) {
        return ERR_INVALID;
    }
    // A passive thread has no core of its own whose timer could keep a deadline, and leaves its caller's to look for more.
    return passive && (words[1] != DEADLINE_NEVER || (flags & RECEIVE_POLL) != 0) ? ERR_INVALID
                                                                                  : OK;
}

NOINLINE struct thread *ipc_receive(struct thread *self, uint64_t *words)
{
    bool passive = (self->flags & THREAD_PASSIVE) != 0;
    err_t err = receive_check(self, words, passive);
    if (err != OK) {
        words[0] = (uint64_t)err;
        return self;
    }

    uint64_t flags = words[0];
    uint64_t deadline = words[1];
    struct thread *answered = NULL;
    if ((flags & RECEIVE_REPLY) != 0) {
        answered = reply(self, words);
    } else {
        forget_caller(self);
    }

    bool done = !passive && is_wanted(self) && receive_now(self);
    if (!done &&
        ((flags & RECEIVE_POLL) != 0 || (deadline != DEADLINE_NEVER && deadline <= arch_now()))) {
        ipc_deliver_timeout(self);
        done = true;
    }
    if (!done) {
        wait(self, deadline, answered, passive);
    } else if (answered != NULL) {
        sched_wake(answered);
    }
    return sched_pick(this_cpu());
}
