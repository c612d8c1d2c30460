// The passive server of microkit.system: weighs the words it gets, answers with 64, and notifies its
// client once the answer is out.
#include <microkit.h>

#define CLIENT 4

static seL4_Word constructed;

__attribute__((constructor)) static void construct(void)
{
    constructed = 5000;
}

void init(void)
{
    microkit_dbg_puts(microkit_name);
    microkit_dbg_puts(microkit_passive ? ": passive\n" : ": not passive\n");
}

void notified(microkit_channel ch)
{
    (void)ch;
}

microkit_msginfo protected(microkit_channel ch, microkit_msginfo msginfo)
{
    seL4_Word weight = constructed;
    for (seL4_Word i = 0; i < microkit_msginfo_get_count(msginfo); i++) {
        weight += (i + 1) * microkit_mr_get((seL4_Uint8)i);
    }
    for (seL4_Uint8 i = 0; i < 64; i++) {
        microkit_mr_set(i, weight + i);
    }
    microkit_deferred_notify(CLIENT);
    return microkit_msginfo_new(ch + microkit_msginfo_get_label(msginfo), 64);
}
