// Notifying, acknowledging, calling: the functions of microkit.h that name a channel or an
// interrupt id.
#include "channel.h"

#include <assert.h>

#include <lib/syscall.h>

#include "crash.h"
#include "message.h"

static_assert(BASE_OUTPUT_NOTIFICATION_CAP == PROCESS_NOTIFY, "handles of microkit.h");
static_assert(BASE_ENDPOINT_CAP == PROCESS_CALL, "handles of microkit.h");
static_assert(BASE_IRQ_CAP == PROCESS_IRQ, "handles of microkit.h");
static_assert(MICROKIT_MAX_CHANNELS == CHANNEL_MAX, "limits of microkit.h");
static_assert(seL4_MsgMaxLength == MESSAGE_WORDS, "message length");

void bulkhead_channel_complain(microkit_channel ch, const char *function)
{
    microkit_dbg_puts(microkit_name);
    microkit_dbg_puts(" ");
    microkit_dbg_puts(function);
    microkit_dbg_puts(": invalid channel given '");
    microkit_dbg_put32(ch);
    microkit_dbg_puts("'\n");
}

// In these two a system call fails only if the other end is gone, which is none of the caller's
// business.

void microkit_notify(microkit_channel ch)
{
    if (channel_check(ch, microkit_notifications, "microkit_notify")) {
        err_t err = sys_signal(PROCESS_NOTIFY + ch);
        (void)err;
    }
}

void microkit_irq_ack(microkit_channel ch)
{
    if (channel_check(ch, microkit_irqs, "microkit_irq_ack")) {
        err_t err = sys_irq_ack(PROCESS_IRQ + ch);
        (void)err;
    }
}

microkit_msginfo microkit_ppcall(microkit_channel ch, microkit_msginfo msginfo)
{
    if (!channel_check(ch, microkit_pps, "microkit_ppcall")) {
        return seL4_MessageInfo_new(0, 0, 0, 0);
    }
    uint64_t info = message_info(msginfo);
    err_t err = sys_call(PROCESS_CALL + ch, &info, message_words());
    if (err != OK) {
        bulkhead_crash("microkit_ppcall: error calling", err);
    }
    return (microkit_msginfo){{info}};
}
