// The default VMM: one virtual machine as its config says (abi/vm.h), its console on the serial link that it was given.
//
// Thread 0 makes the machine and then moves characters; each vcpu's thread waits until the machine is made.
#include <microkit.h>

#include <abi/vm.h>
#include <base/bits.h>
#include <lib/bulkhead.h>
#include <lib/serial.h>

#include "dev/pl011.h"
#include "loop.h"
#include "port/bulkhead.h"
#include "vm.h"

#define CONSOLE_NONE UINT32_MAX
#define CHUNK        64u // bytes of input moved at a time

uintptr_t serial_region; // set by the tool

static struct {
    struct vm vm;
    struct port port;
    struct serial serial;
    // Input that the guest's UART has not taken yet.
    uint8_t input[CHUNK];
    size_t first;
    size_t count;
} root;

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

// What the VMM has to say comes out where the guest's words do: the kernel's console is off where a guest has one. The
// mark tells the two apart (tool/filter.h).
static bool say(const char *line)
{
    port_lock(&root.port, &root.vm.lock);
    bool said = serial_printf(&root.serial, "bulkhead: %s\r\n", line);
    port_unlock(&root.port, &root.vm.lock);
    return said || root.serial.broken;
}

// A vcpu has read what its UART held: thread 0 has more.
static void room(void *context)
{
    (void)context;
    port_wake_main();
}

static void fetch_input(void)
{
    port_lock(&root.port, &root.vm.lock);
    root.first = 0;
    root.count = serial_read(&root.serial, root.input, sizeof(root.input));
    port_unlock(&root.port, &root.vm.lock);
}

static void move_input(void)
{
    for (;;) {
        if (root.count == 0) {
            fetch_input();
        }
        size_t taken = pl011_input(&root.vm.console, &root.input[root.first], root.count);
        root.first += taken;
        root.count -= taken;
        if (taken == 0) {
            return;
        }
    }
}

static void serve_console(void)
{
    if (has_console()) {
        pl011_output_ready(&root.vm.console);
        move_input();
    }
}

// ---- Clock ----------------------------------------------------------------------------------------------------------

// Its alarm comes though no vcpu does anything: thread 0 sleeps no longer than until then.
static void serve_clock(void)
{
    struct pl031 *clock = &root.vm.rtc;
    if (port_now(&root.port) >= pl031_deadline(clock)) {
        pl031_run(clock);
    }
    bulkhead_set_deadline(pl031_deadline(clock));
}

// ---- Entries --------------------------------------------------------------------------------------------------------

static bool config_is_ours(const struct vm_config *config)
{
    return config->magic == VM_CONFIG_MAGIC && config->version == 1;
}

static bool make_machine(void)
{
    const struct vm_config *config = vm_config();
    if (!config_is_ours(config)) {
        bulkhead_log("this process is no virtual machine's monitor: init has given it no config");
        return false;
    }
    if (vm_create(&root.vm, config, &root.port) != OK) {
        return false;
    }
    root.vm.rtc.moved = port_wake_main;
    if (has_console()) {
        serial_init(&root.serial, serial_region, config->console);
        root.port.say = say;
        root.vm.console.sink = (struct char_sink){write_out, room, &root.serial};
    }
    return true;
}

void init(void)
{
    if (!make_machine() || vm_start(&root.vm) != OK) {
        (void)port_life(&root.port, VM_EVENT_CRASH); // it has said why
        return;
    }
    for (unsigned i = 0; i < root.vm.vcpus; i++) {
        port_start_thread(i);
    }
}

void notified(microkit_channel ch)
{
    (void)ch; // a character's way is short: whatever happened, both directions are looked at
    serve_console();
    serve_clock();
}

void deadline(void)
{
    serve_clock();
}

_Noreturn void bulkhead_thread(unsigned number)
{
    port_await_start();
    vcpu_loop(&root.vm.vcpu[number - 1]);
}
