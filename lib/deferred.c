// Deferred operations: see deferred.h. The kernel has no call that signals and waits in one, so
// deferring saves nothing yet; it keeps the meaning that programs rely on: the partner does not run
// before the entry has ended.
#include "deferred.h"

#include <microkit.h>

#include "channel.h"

// As upstream's header exposes them: programs look at microkit_have_signal. The label tells an
// acknowledgement from a signal.
seL4_Bool microkit_have_signal;
seL4_CPtr microkit_signal_cap;
seL4_MessageInfo_t microkit_signal_msg;

enum { LABEL_SIGNAL, LABEL_IRQ_ACK };

void bulkhead_deferred_flush(void)
{
    if (!microkit_have_signal) {
        return;
    }
    microkit_have_signal = seL4_False;
    if (seL4_MessageInfo_get_label(microkit_signal_msg) == LABEL_IRQ_ACK) {
        seL4_IRQHandler_Ack(microkit_signal_cap);
    } else {
        seL4_Signal(microkit_signal_cap);
    }
}

static void defer(seL4_CPtr handle, seL4_Word label)
{
    bulkhead_deferred_flush();
    microkit_have_signal = seL4_True;
    microkit_signal_cap = handle;
    microkit_signal_msg = seL4_MessageInfo_new(label, 0, 0, 0);
}

void microkit_deferred_notify(microkit_channel ch)
{
    if (channel_check(ch, microkit_notifications, "microkit_deferred_notify")) {
        defer(BASE_OUTPUT_NOTIFICATION_CAP + ch, LABEL_SIGNAL);
    }
}

void microkit_deferred_irq_ack(microkit_channel ch)
{
    if (channel_check(ch, microkit_irqs, "microkit_deferred_irq_ack")) {
        defer(BASE_IRQ_CAP + ch, LABEL_IRQ_ACK);
    }
}
