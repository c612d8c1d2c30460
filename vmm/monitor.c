// See monitor.h.
#include "monitor.h"

#include <abi/vm.h>
#include <base/format.h>
#include <lib/bulkhead.h>

#include "dev/pl011.h"
#include "life.h"
#include "log.h"
#include "loop.h"

#define CONSOLE_NONE UINT32_MAX

// Set by the tool. The channel only where the guest has no console, and the link is for what the VMM says.
uintptr_t serial_region;
uint64_t serial_channel;

static const struct vm_config *vm_config(void)
{
    return (const struct vm_config *)VM_CONFIG;
}

// ---- Console --------------------------------------------------------------------------------------------------------

static bool has_console(void)
{
    return vm_config()->console != CONSOLE_NONE;
}

// The VM's lock is held.
static size_t write_out(void *context, const uint8_t *bytes, size_t size)
{
    return serial_write(context, bytes, size);
}

// What the VMM has to say comes out where the guest's words do, or would: the kernel's console is off where any guest has
// one. The mark tells the two apart (tool/filter.h).
static bool say(void *context, const char *line)
{
    struct monitor *m = context;
    port_lock(&m->port, &m->vm.lock);
    bool said = serial_printf(&m->serial, "bulkhead: %s\r\n", line);
    port_unlock(&m->port, &m->vm.lock);
    return said || m->serial.broken;
}

// A vcpu has read what its UART held: thread 0 has more.
static void room(void *context)
{
    (void)context;
    port_wake_main();
}

static void fetch_input(struct monitor *m)
{
    port_lock(&m->port, &m->vm.lock);
    m->first = 0;
    m->count = serial_read(&m->serial, m->input, sizeof(m->input));
    port_unlock(&m->port, &m->vm.lock);
}

static void move_input(struct monitor *m)
{
    for (;;) {
        if (m->count == 0) {
            fetch_input(m);
        }
        size_t taken = pl011_input(&m->vm.console, &m->input[m->first], m->count);
        m->first += taken;
        m->count -= taken;
        if (taken == 0) {
            return;
        }
    }
}

static void serve_console(struct monitor *m)
{
    if (has_console()) {
        pl011_output_ready(&m->vm.console);
        move_input(m);
    }
}

static void open_link(struct monitor *m)
{
    uint64_t channel = has_console() ? vm_config()->console : serial_channel;
    serial_init(&m->serial, serial_region, (microkit_channel)channel);
    m->port.say = say;
    m->port.context = m;
}

// ---- Clock ----------------------------------------------------------------------------------------------------------

// Its alarm comes though no vcpu does anything: thread 0 sleeps no longer than until then.
static void serve_clock(struct monitor *m)
{
    struct pl031 *clock = &m->vm.rtc;
    if (port_now(&m->port) >= pl031_deadline(clock)) {
        pl031_run(clock);
    }
    bulkhead_set_deadline(pl031_deadline(clock));
}

// ---- What a program calls -------------------------------------------------------------------------------------------

static bool config_is_ours(const struct vm_config *config)
{
    return config->magic == VM_CONFIG_MAGIC && config->version == 1;
}

void monitor_fail(struct monitor *m, const char *why)
{
    char line[VM_LOG_LINE];
    format(line, sizeof(line), "%s: %s", vm_config()->name, why);
    port_log(&m->port, line);
    while (port_life(&m->port, VM_EVENT_CRASH) == VM_ACTION_RESTART) {
        // it would fail again
    }
}

bool monitor_create(struct monitor *m)
{
    const struct vm_config *config = vm_config();
    if (!config_is_ours(config)) {
        bulkhead_log("this process is no virtual machine's monitor: init has given it no config");
        return false;
    }
    err_t err = vm_create(&m->vm, config, &m->port);
    if (serial_region != 0) {
        open_link(m);
    }
    if (err != OK) {
        monitor_fail(m, "the virtual machine's config contradicts itself");
        return false;
    }
    m->vm.rtc.moved = port_wake_main;
    if (has_console()) {
        m->vm.console.sink = (struct char_sink){write_out, room, &m->serial};
    }
    return true;
}

void monitor_start(struct monitor *m)
{
    for (unsigned i = 0; i < m->vm.vcpus; i++) {
        port_start_thread(i);
    }
}

void monitor_serve(struct monitor *m)
{
    if (atomic_load(&m->begun)) { // before, a reset to come would lose what was typed
        serve_console(m);
        serve_clock(m);
    }
}

_Noreturn void monitor_thread(struct monitor *m, unsigned number)
{
    port_await_start();
    if (number == 1) {
        life_begin(&m->vm);
        atomic_store(&m->begun, true);
        port_wake_main();
    }
    vcpu_loop(&m->vm.vcpu[number - 1]);
}
