// Watches over a child that breaks a rule in each of its lives: prints what it did, starts it again, and stops it in
// the end. Ends the system: with 0 if every misdeed was caught as what it was.
#include <microkit.h>

#include "../verdict.h"
#include "hierarchy.h"

#define SERIAL      0
#define CHILD       1
#define ROUNDS      3u // through all misdeeds
#define PATIENCE_MS 10000

uintptr_t serial_region;
uintptr_t shared_region;

static const struct {
    const char *text;
    seL4_FaultType label;
    bool address_known;
    uint64_t address;
} misdeeds[MISDEEDS] = {
    [READ_NULL] = {"reads address 0", seL4_Fault_VMFault, true, NULL_ADDRESS},
    [WRITE_TEXT] = {"writes its text", seL4_Fault_VMFault, true, TEXT_ADDRESS},
    [EXECUTE_DATA] = {"executes data", seL4_Fault_VMFault, false, 0},
    [UNDEFINED_INSTRUCTION] = {"executes an undefined instruction", seL4_Fault_UserException, false,
                               0},
    [FLOATING_POINT] = {"uses floating point without the right", seL4_Fault_UserException, false,
                        0},
};

static struct serial serial;
static struct verdict verdict = {VERDICT_NONE};
static unsigned faults;

static volatile struct shared *shared(void)
{
    return (volatile struct shared *)shared_region;
}

// Is this fault what the order must lead to?
static bool is_right(enum misdeed order, microkit_msginfo info)
{
    if (microkit_msginfo_get_label(info) != misdeeds[order].label) {
        return false;
    }
    return !misdeeds[order].address_known ||
           microkit_mr_get(seL4_VMFault_Addr) == misdeeds[order].address;
}

static void print_fault(enum misdeed order, microkit_msginfo info)
{
    unsigned long pc = (unsigned long)microkit_mr_get(0); // first in every kind of fault
    if (microkit_msginfo_get_label(info) == seL4_Fault_VMFault) {
        serial_printf(&serial, "life %u: the child %s (pc 0x%lx, address 0x%lx)\n", shared()->lives,
                      misdeeds[order].text, pc, (unsigned long)microkit_mr_get(seL4_VMFault_Addr));
    } else {
        serial_printf(&serial, "life %u: the child %s (pc 0x%lx)\n", shared()->lives,
                      misdeeds[order].text, pc);
    }
}

static void give_up(const char *why, int code)
{
    microkit_pd_stop(CHILD);
    serial_printf(&serial, "%s\n", why);
    verdict_give(&verdict, code);
}

void init(void)
{
    serial_init(&serial, serial_region, SERIAL);
    bulkhead_set_deadline(process_clock() + ticks_from_ms(PATIENCE_MS));
}

seL4_Bool fault(microkit_child child, microkit_msginfo info, microkit_msginfo *reply)
{
    enum misdeed order = (enum misdeed)shared()->order;
    (void)reply;
    if (child != CHILD || !is_right(order, info)) {
        give_up("a fault that was not ordered", 1);
        return seL4_False;
    }
    print_fault(order, info);
    if (++faults == ROUNDS * MISDEEDS) {
        bool right = shared()->lives == faults && shared()->survived == 0;
        give_up(right ? "it never learns: stopped for good" : "it got away with something",
                right ? 0 : 1);
        return seL4_False;
    }
    shared()->order = faults % MISDEEDS;
    microkit_pd_restart(CHILD, TEXT_ADDRESS);
    return seL4_False; // there is nothing to go on with: it starts anew
}

void notified(microkit_channel ch)
{
    (void)ch;
    verdict_check(&verdict, &serial);
}

void deadline(void)
{
    verdict_late(&verdict);
    give_up("the child's next fault never came", 1);
}
