// What one core may expect of its interrupt controller: every kind of interrupt, enables, priorities, preemption, levels
// and edges, active state, ending in one and in two steps, more at once than there are list registers.
//
// Interrupts are masked while a test arranges what it needs; record_let_in opens the door for a moment.
#include <base/bits.h>
#include <spec/pl011.h>
#include <spec/pl031.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/record.h"
#include "lib/report.h"

#define SPI       100u // no device has it nor the next hundred
#define SPI_COUNT 40u  // more than any list registers and inboxes hold at once
#define PPI       20u  // nobody's
#define SGIS      16u

static void begin(void)
{
    irq_off();
    gic_init();
    gic_init_core();
    record_begin();
}

static void begin_with(unsigned intid)
{
    begin();
    gic_enable(intid);
}

// ---- Kinds -----------------------------------------------------------------------------------------------------------

static void test_sgis(void)
{
    begin();
    for (unsigned i = 0; i < SGIS; i++) {
        gic_enable(i);
        gic_sgi(i, 0);
        gic_sgi(i, 0); // merges with the first
    }
    record_let_in();
    unsigned once = 0;
    for (unsigned i = 0; i < SGIS; i++) {
        once += record.count[i] == 1;
    }
    report_value(once, SGIS,
                 "SGIs to itself: each is taken once, however often it was sent before");
    report_value(record.length, SGIS, "and nothing else");
}

static void test_software_pending(void)
{
    begin();
    unsigned end = gic_lines() < SPI + SPI_COUNT ? gic_lines() : SPI + SPI_COUNT;
    for (unsigned i = SPI; i < end; i++) {
        gic_enable(i);
        gic_set_edge(i, true);
        gic_set_pending(i);
    }
    gic_enable(PPI);
    gic_set_edge(PPI, true);
    gic_set_pending(PPI);
    record_let_in();
    unsigned once = 0;
    for (unsigned i = SPI; i < end; i++) {
        once += record.count[i] == 1;
    }
    report_value(once, end - SPI, "shared interrupts made pending by software are taken once");
    report_value(record.count[PPI], 1, "so is a private one");
    report_value(record.length, end - SPI + 1, "and nothing else");
}

static void test_spurious(void)
{
    begin();
    report_value(gic_intid(gic_acknowledge()), INTID_SPURIOUS, "nothing pending: 1023");
    report_value(gic_running_priority(), 0xff, "idle priority");
}

static void test_mask_and_clear(void)
{
    begin_with(SPI);
    gic_set_edge(SPI, true);
    gic_set_pending(SPI);
    report(gic_pending(SPI), "pending shows while PSTATE.I masks it");
    gic_clear_pending(SPI);
    report(!gic_pending(SPI), "pending can be taken back");
    record_let_in();
    report_value(record.length, 0, "what was taken back is not delivered");
}

static void test_wfi_with_mask(void)
{
    begin_with(SPI);
    gic_set_pending(SPI);
    wfi();
    report(true, "WFI ends by an interrupt that PSTATE.I masks");
    record_let_in();
    report_value(record.count[SPI], 1, "which is delivered afterwards");
}

static void test_many_in_a_row(void)
{
    begin();
    gic_enable(1);
    gic_enable(SPI);
    gic_enable(PPI);
    irq_on();
    unsigned lost = 0;
    for (unsigned i = 1; i <= 3000 && lost == 0; i++) {
        gic_sgi(1, 0);
        gic_set_pending(SPI);
        gic_set_pending(PPI);
        lost += !record_wait(1, i) + !record_wait(SPI, i) + !record_wait(PPI, i);
    }
    irq_off();
    report_value(lost, 0, "3000 turns with an SGI, a PPI and an SPI: none lost");
    report_value(record.length, 9000, "and none doubled");
}

// ---- Enables ---------------------------------------------------------------------------------------------------------

// Version 2 may keep SGIs enabled for ever.
static bool can_be_disabled(unsigned intid)
{
    gic_disable(intid);
    return (read32(gic_register(GICD_ISENABLER, intid, 1)) >> intid % 32 & 1) == 0;
}

static void test_enable_while_pending(void)
{
    static const unsigned kinds[] = {SPI, PPI, 3};
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        unsigned intid = kinds[i];
        begin();
        if (!can_be_disabled(intid)) {
            continue;
        }
        if (intid < SGIS) {
            gic_sgi(intid, 0);
        } else {
            gic_set_edge(intid, true);
            gic_set_pending(intid);
        }
        record_let_in();
        report(record.length == 0 && gic_pending(intid), "%u: disabled, stays pending", intid);
        gic_enable(intid);
        gic_disable(intid);
        record_let_in();
        report(record.length == 0 && gic_pending(intid), "%u: disabled in time, stays pending",
               intid);
        gic_enable(intid);
        record_let_in();
        report(record.count[intid] == 1 && !gic_pending(intid), "%u: enabled, delivered", intid);
    }
}

static void test_registers_keep(void)
{
    begin();
    unsigned wrong = 0;
    for (unsigned i = INTID_SPI; i < gic_lines(); i++) {
        gic_set_priority(i, i % 2 ? 0x40 : 0xa0);
        gic_set_edge(i, i % 3 == 0);
    }
    for (unsigned i = INTID_SPI; i < gic_lines(); i++) {
        bool edge = read32(gic_register(GICD_ICFGR, i, 2)) >> (2 * (i % 16) + 1) & 1;
        wrong += gic_priority(i) != (i % 2 ? 0x40 : 0xa0) || edge != (i % 3 == 0);
    }
    report_value(wrong, 0, "priorities and configurations of all lines read back");
    report_value(read32(gic_register(GICD_ICFGR, 0, 2)), 0xaaaaaaaa, "SGIs are edges");
    gic_enable(SPI);
    report_value(read32(gic_register(GICD_ISENABLER, SPI, 1)), BIT(SPI % 32), "enables read back");
    report_value(read32(gic_register(GICD_ICENABLER, SPI, 1)), BIT(SPI % 32), "in both registers");
}

static void test_groups_off(void)
{
    begin_with(SPI);
    uint32_t control = read32(machine.gicd + GICD_CTLR);
    write32(machine.gicd + GICD_CTLR, control & ~3u);
    gic_set_pending(SPI);
    record_let_in();
    report(record.length == 0 && gic_pending(SPI), "distributor off: stays pending");
    write32(machine.gicd + GICD_CTLR, control);
    record_let_in();
    report_value(record.count[SPI], 1, "distributor on: delivered");
}

static void test_interface_off(void)
{
    begin_with(SPI);
    if (machine.gic_version == 3) {
        WRITE(ICC_IGRPEN1_EL1, 0);
        isb();
    } else {
        write32(machine.gicc + GICC_CTLR, 0);
    }
    gic_set_pending(SPI);
    record_let_in();
    report(record.length == 0 && gic_pending(SPI), "CPU interface off: stays pending");
    if (machine.gic_version == 3) {
        WRITE(ICC_IGRPEN1_EL1, 1);
        isb();
    } else {
        write32(machine.gicc + GICC_CTLR, 1);
    }
    record_let_in();
    report_value(record.count[SPI], 1, "CPU interface on: delivered");
}

static volatile unsigned fiqs;

static void handle_group0(void)
{
    uint64_t intid = READ(ICC_IAR0_EL1);
    fiqs += intid == SPI;
    WRITE(ICC_EOIR0_EL1, intid);
    isb();
}

static void test_group0(void)
{
    if (machine.gic_version != 3) {
        return; // there all is group 0
    }
    begin_with(SPI);
    fiq_handler = handle_group0;
    gic_set_group(SPI, 0);
    gic_set_pending(SPI);
    fiq_on();
    record_let_in();
    report_value(fiqs, 0, "group 0 disabled: nothing comes");
    WRITE(ICC_IGRPEN0_EL1, 1);
    isb();
    record_let_in();
    fiq_off();
    WRITE(ICC_IGRPEN0_EL1, 0);
    isb();
    report_value(fiqs, 1, "group 0 is an FIQ");
    report_value(record.length, 0, "and no IRQ");
}

// ---- Priorities ------------------------------------------------------------------------------------------------------

static void test_order(void)
{
    begin();
    // SPI + i has priority 0xf0 - 0x10 * i in steps: the last one first.
    for (unsigned i = 0; i < 15; i++) {
        gic_set_priority(SPI + i, 0xe0 - 0x10 * i);
        gic_enable(SPI + i);
        gic_set_pending(SPI + i);
    }
    record_let_in();
    unsigned wrong = 0;
    for (unsigned i = 0; i < 15; i++) {
        wrong += record.order[i] != SPI + 14 - i;
    }
    report(wrong == 0 && record.length == 15, "fifteen priorities are taken in order");
}

static void test_late_change_of_priority(void)
{
    begin();
    gic_enable(SPI);
    gic_enable(SPI + 1);
    gic_set_pending(SPI);
    gic_set_pending(SPI + 1);
    gic_set_priority(SPI, 0xc0);
    gic_set_priority(SPI + 1, 0x40);
    record_let_in();
    report(record.length == 2 && record.order[0] == SPI + 1,
           "a priority changed while pending counts");
}

static void test_priority_mask(void)
{
    begin_with(SPI);
    gic_set_mask(GIC_PRIORITY);
    gic_set_pending(SPI);
    record_let_in();
    report(record.length == 0 && gic_pending(SPI), "a priority equal to the mask does not pass");
    gic_set_mask(GIC_PRIORITY + 0x10);
    record_let_in();
    report_value(record.count[SPI], 1, "a lower one does");
    report_value(record.running_priority, GIC_PRIORITY, "which then is the running priority");
    gic_set_mask(0);
    gic_set_pending(SPI);
    record_let_in();
    report_value(record.count[SPI], 1, "mask 0 stops everything");
}

// In the handler of `outer`, `inner` becomes pending and interrupts are let in.
static unsigned outer;
static unsigned inner;
static volatile bool inner_came_inside;

static void nest(unsigned intid)
{
    if (intid != outer) {
        return;
    }
    uint64_t elr = READ(elr_el1);
    uint64_t spsr = READ(spsr_el1);
    gic_set_pending(inner);
    irq_on();
    delay(microseconds(20));
    irq_off();
    inner_came_inside = record.count[inner] > 0;
    WRITE(elr_el1, elr);
    WRITE(spsr_el1, spsr);
}

static void nesting(unsigned outer_priority, unsigned inner_priority)
{
    outer = SPI;
    inner = SPI + 1;
    gic_enable(outer);
    gic_enable(inner);
    gic_set_priority(outer, outer_priority);
    gic_set_priority(inner, inner_priority);
    record_hook = nest;
    gic_set_pending(outer);
    record_let_in();
    report(record.count[outer] == 1 && record.count[inner] == 1, "both are taken once");
}

static void test_preemption(void)
{
    begin();
    nesting(0xc0, 0x40);
    report(inner_came_inside, "0x40 preempts 0xc0");
    begin();
    nesting(0x40, 0xc0);
    report(!inner_came_inside, "0xc0 does not preempt 0x40");
    begin();
    nesting(0x80, 0x80);
    report(!inner_came_inside, "0x80 does not preempt 0x80");
}

static void test_binary_point(void)
{
    begin();
    if (machine.gic_version == 3) {
        WRITE(ICC_BPR1_EL1, 7);
        isb();
    } else {
        write32(machine.gicc + GICC_BPR, 7);
    }
    nesting(0xc0, 0xa0);
    report(!inner_came_inside, "binary point 7: 0xa0 does not preempt 0xc0");
}

// Each handler makes the next, more urgent one pending and lets it in: eight deep.
#define DEPTH 8u

static void dig(unsigned intid)
{
    unsigned next = intid + 1;
    if (next >= SPI + DEPTH) {
        return;
    }
    uint64_t elr = READ(elr_el1);
    uint64_t spsr = READ(spsr_el1);
    gic_set_pending(next);
    irq_on();
    delay(microseconds(5));
    irq_off();
    WRITE(elr_el1, elr);
    WRITE(spsr_el1, spsr);
}

static void test_deep_nesting(void)
{
    begin();
    for (unsigned i = 0; i < DEPTH; i++) {
        gic_set_priority(SPI + i, 0xf0 - 0x10 * i);
        gic_enable(SPI + i);
    }
    gic_set_mask(0xff);
    record_hook = dig;
    for (unsigned turn = 1; turn <= 20; turn++) {
        gic_set_pending(SPI);
        record_let_in();
    }
    report_value(record.length, 20 * DEPTH, "eight deep, twenty times: all are taken");
    unsigned left = 0;
    for (unsigned i = 0; i < DEPTH; i++) {
        left += gic_active(SPI + i) || gic_pending(SPI + i);
    }
    report_value(left, 0, "none stays active or pending");
    report_value(gic_running_priority(), 0xff, "nothing is running");
}

// ---- Active ----------------------------------------------------------------------------------------------------------

static volatile bool active_inside;
static volatile bool pending_inside;
static volatile bool pending_again;

static void look_and_pend(unsigned intid)
{
    if (record.count[intid] > 1) {
        return;
    }
    active_inside = gic_active(intid);
    pending_inside = gic_pending(intid);
    gic_set_pending(intid);
    pending_again = gic_pending(intid);
}

static void test_active(void)
{
    static const unsigned kinds[] = {SPI, PPI};
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        unsigned intid = kinds[i];
        begin_with(intid);
        gic_set_edge(intid, true);
        record_hook = look_and_pend;
        gic_set_pending(intid);
        record_let_in();
        report(active_inside && !pending_inside, "%u: active and not pending in its handler",
               intid);
        report(pending_again, "%u: active and pending when it comes again", intid);
        report_value(record.count[intid], 2, "%u: then it is taken a second time", intid);
        report(!gic_active(intid) && !gic_pending(intid), "%u: idle at last", intid);
    }
}

static void test_active_by_software(void)
{
    begin_with(SPI);
    gic_set_active(SPI);
    report(gic_active(SPI), "software makes an interrupt active");
    gic_set_pending(SPI);
    record_let_in();
    report(record.length == 0 && gic_pending(SPI), "an active one is not delivered");
    gic_clear_active(SPI);
    record_let_in();
    report_value(record.count[SPI], 1, "it is when it is no longer active");
    report(!gic_active(SPI), "and idle then");
}

static void test_split_end(void)
{
    begin_with(SPI);
    gic_enable(SPI + 1);
    gic_split_end(true);
    gic_set_pending(SPI);
    record_let_in();
    report(record.count[SPI] == 1 && gic_active(SPI),
           "split end: active after the priority has dropped");
    report_value(gic_running_priority(), 0xff, "split end: nothing is running");
    gic_set_pending(SPI);
    gic_set_pending(SPI + 1);
    record_let_in();
    report(record.count[SPI] == 1 && record.count[SPI + 1] == 1,
           "split end: others come, it does not");
    gic_deactivate(SPI + 1);
    gic_deactivate(SPI);
    record_let_in();
    report_value(record.count[SPI], 2, "deactivated, it comes again");
    gic_deactivate(SPI);
    report(!gic_active(SPI) && !gic_active(SPI + 1), "split end: idle at last");
    gic_split_end(false);
}

// ---- Many ------------------------------------------------------------------------------------------------------------

static void test_more_than_list_registers(void)
{
    begin();
    for (unsigned i = 0; i < SPI_COUNT; i++) {
        gic_set_priority(SPI + i, i % 2 ? 0x40 : 0x80);
        gic_enable(SPI + i);
    }
    for (unsigned i = 0; i < SGIS; i++) {
        gic_set_priority(i, 0xc0);
        gic_enable(i);
    }
    for (unsigned turn = 0; turn < 50; turn++) {
        for (unsigned i = 0; i < SGIS; i++) {
            gic_sgi(i, 0);
        }
        for (unsigned i = 0; i < SPI_COUNT; i++) {
            gic_set_pending(SPI + i);
        }
        record_let_in();
    }
    unsigned wrong = 0;
    for (unsigned i = 0; i < SPI_COUNT; i++) {
        wrong += record.count[SPI + i] != 50;
    }
    for (unsigned i = 0; i < SGIS; i++) {
        wrong += record.count[i] != 50;
    }
    report_value(wrong, 0, "56 at once, fifty times: each is taken as often as it was sent");
    wrong = 0;
    for (unsigned i = 0; i < SPI_COUNT + SGIS; i++) {
        unsigned intid = record.order[i];
        wrong += i < SPI_COUNT / 2 ? intid % 2 == 0 || intid < SPI : 0;
        wrong += i >= SPI_COUNT ? intid >= SGIS : 0;
    }
    report_value(wrong, 0, "the most urgent half first, the least urgent ones last");
}

// Fewer than 32: at more a machine with 32 places for a core's shared interrupts lets the rest wait.
#define ACTIVE_COUNT 24u

static void test_more_active_than_list_registers(void)
{
    begin();
    gic_split_end(true);
    for (unsigned i = 0; i < ACTIVE_COUNT; i++) {
        gic_enable(SPI + i);
        gic_set_pending(SPI + i);
    }
    record_let_in();
    record_let_in();
    unsigned active = 0;
    for (unsigned i = 0; i < ACTIVE_COUNT; i++) {
        active += gic_active(SPI + i);
    }
    report_value(record.length, ACTIVE_COUNT, "24 are taken before any is deactivated");
    report_value(active, ACTIVE_COUNT, "all of them are active");
    for (unsigned i = 0; i < ACTIVE_COUNT; i++) {
        gic_deactivate(SPI + i);
    }
    active = 0;
    for (unsigned i = 0; i < ACTIVE_COUNT; i++) {
        active += gic_active(SPI + i);
        gic_set_pending(SPI + i);
    }
    report_value(active, 0, "none is active when all are deactivated");
    record_let_in();
    report_value(record.length, 2 * ACTIVE_COUNT, "and all come again");
    for (unsigned i = 0; i < ACTIVE_COUNT; i++) {
        gic_deactivate(SPI + i);
    }
    gic_split_end(false);
}

// ---- Levels and edges, by devices ------------------------------------------------------------------------------------

// The PL011's transmit interrupt: set when a character has left, until ICR.
static void uart_line(bool high)
{
    if (high) {
        write32(machine.uart + PL011_DR, '\n');
        write32(machine.uart + PL011_IMSC, (uint32_t)PL011_INT_TX);
    } else {
        write32(machine.uart + PL011_IMSC, 0);
    }
    dsb();
}

static void lower_at_third(unsigned intid)
{
    if (record.count[intid] == 3) {
        uart_line(false);
    }
}

static void test_level(void)
{
    unsigned intid = machine.uart_intid;
    uart_line(false);
    begin_with(intid);
    gic_set_edge(intid, false);
    uart_line(true);
    report(gic_pending(intid), "level: pending while the line is high");
    uart_line(false);
    report(!gic_pending(intid), "level: not pending when it falls");
    record_let_in();
    report_value(record.length, 0, "level: a line that fell in time is not delivered");
    record_hook = lower_at_third;
    uart_line(true);
    record_let_in();
    report_value(record.count[intid], 3, "level: taken again until its device is served");
    report(!gic_pending(intid) && !gic_active(intid), "level: idle then");
}

static void test_level_disabled(void)
{
    unsigned intid = machine.uart_intid;
    uart_line(false);
    begin();
    gic_set_edge(intid, false);
    uart_line(true);
    record_let_in();
    report_value(record.length, 0, "level: nothing while disabled");
    record_hook = lower_at_third;
    gic_enable(intid);
    record_let_in();
    report_value(record.count[intid], 3, "level: the line is looked at again when enabled");
}

static void test_edge(void)
{
    unsigned intid = machine.uart_intid;
    uart_line(false);
    begin_with(intid);
    gic_set_edge(intid, true);
    uart_line(true);
    record_let_in();
    report_value(record.count[intid], 1, "edge: taken once, though the line stays high");
    uart_line(false);
    uart_line(true);
    uart_line(false);
    record_let_in();
    report_value(record.count[intid], 2, "edge: taken although the line has fallen");
}

static void test_alarm(void)
{
    if (machine.rtc == 0) {
        return;
    }
    begin_with(machine.rtc_intid);
    write32(machine.rtc + PL031_ICR, 1);
    write32(machine.rtc + PL031_MR, read32(machine.rtc + PL031_DR) + 1);
    write32(machine.rtc + PL031_IMSC, 1);
    uint64_t end = now() + 3 * machine.ticks_per_second;
    while (!gic_pending(machine.rtc_intid) && now() < end) {
        wfi();
    }
    report(gic_pending(machine.rtc_intid), "the clock's alarm wakes a WFI");
    write32(machine.rtc + PL031_IMSC, 0);
    write32(machine.rtc + PL031_ICR, 1);
}

void guest_main(void)
{
    test_sgis();
    test_software_pending();
    test_spurious();
    test_mask_and_clear();
    test_wfi_with_mask();
    test_many_in_a_row();
    test_enable_while_pending();
    test_registers_keep();
    test_groups_off();
    test_interface_off();
    test_group0();
    test_order();
    test_late_change_of_priority();
    test_priority_mask();
    test_preemption();
    test_binary_point();
    test_deep_nesting();
    test_active();
    test_active_by_software();
    test_split_end();
    test_more_than_list_registers();
    test_more_active_than_list_registers();
    test_level();
    test_level_disabled();
    test_edge();
    test_alarm();
}
