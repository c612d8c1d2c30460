// A VMM of one's own: the library's virtual machine with one more device. Its registers, 32 bits each, at COUNTER:
//
//   0x0  STARTS  read: how often this VMM was started before
//   0x4  COUNT   read: how often it was read since the machine's last reset
//   0x8  CRASH   write: the VMM itself crashes, as if the device had a bug
#include <stdatomic.h>

#include <lib/bulkhead.h>
#include <microkit.h>
#include <vmm/fdt_write.h>
#include <vmm/monitor.h>

#define COUNTER      0x0b000000u // nothing is there on the virt board
#define COUNTER_SIZE 0x1000u

enum { STARTS = 0x0, COUNT = 0x4, CRASH = 0x8 };

static struct monitor monitor;
static _Atomic uint32_t count;          // any vcpu's thread may come
static volatile uint32_t *volatile bug; // nobody has ever set it

static enum handled access(void *device, struct bus_access *a)
{
    (void)device;
    if (!a->write) {
        a->value = a->offset == STARTS  ? monitor.vm.config->starts
                   : a->offset == COUNT ? ++count
                                        : 0;
    } else if (a->offset == CRASH) {
        *bug = (uint32_t)a->value;
    }
    return HANDLED;
}

static void reset(struct vm *vm)
{
    (void)vm;
    count = 0;
}

static void describe(const struct vm *vm, struct fdt_writer *w)
{
    (void)vm;
    fdt_write_begin_at(w, "counter", COUNTER);
    fdt_write_string(w, "compatible", "example,counter");
    fdt_write_reg(w, &(struct range){COUNTER, COUNTER_SIZE}, 1);
    fdt_write_end(w);
}

void init(void)
{
    static const struct vm_extension extension = {reset, describe};
    if (!monitor_create(&monitor)) {
        return;
    }
    monitor.vm.extension = &extension;
    struct bus_range where = {{COUNTER, COUNTER_SIZE}, access, NULL, "counter"};
    if (bus_add(&monitor.vm.bus, where) != OK) {
        monitor_fail(&monitor, "there is no room for the counter");
        return;
    }
    monitor_start(&monitor);
}

void notified(microkit_channel ch)
{
    (void)ch;
    monitor_serve(&monitor);
}

void deadline(void)
{
    monitor_serve(&monitor);
}

_Noreturn void bulkhead_thread(unsigned number)
{
    monitor_thread(&monitor, number);
}
