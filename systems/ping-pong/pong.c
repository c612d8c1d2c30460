// Answers calls with the number that comes after the one received, and notifications with notifications.
#include <microkit.h>

void init(void)
{
}

microkit_msginfo protected(microkit_channel ch, microkit_msginfo msginfo)
{
    (void)ch;
    microkit_mr_set(0, microkit_mr_get(0) + 1);
    return microkit_msginfo_new(microkit_msginfo_get_label(msginfo), 1);
}

void notified(microkit_channel ch)
{
    microkit_notify(ch);
}
