// init: the first process. The kernel starts it with capabilities to all that the machine has; it checks that the
// described system fits this machine, builds it, starts it, and stays as the one who hears of faults and decides what
// becomes of VMs.
//
//   main, build                      what is done when
//   plan, vmplan, budget, layout     does all of it fit this machine?
//   region, process, vm, wire,
//   thread, config                   making it
//   make, memory, sys                out of what the kernel has
//   device, tree                     what the machine has
//   server, fault, life              what happens once it runs
//   print                            what init says
//
// What doesn't belong here: anything that a process could do for itself.
#include <stdint.h>

#include <abi/boot.h>
#include <base/format.h>

#include "build.h"
#include "plan.h"
#include "process.h"
#include "server.h"

#define SIZE_TEXT_MAX 24u

static struct kernel kernel;
static struct system root;

_Noreturn void init_main(const struct boot_info *boot); // start.S

static const char *plural(uint32_t count, const char *ending)
{
    return count == 1 ? "" : ending;
}

// Memory of all regions, as "96 KiB" or "3.2 MiB".
static void size_text(const struct system *s, char text[SIZE_TEXT_MAX])
{
    uint64_t kib = 0;
    for (uint32_t i = 0; i < s->bundle.header->regions.count; i++) {
        kib += s->regions[i].is_device ? 0 : s->regions[i].where.size / 1024;
    }
    if (kib < 1024) {
        format(text, SIZE_TEXT_MAX, "%lu KiB", kib);
    } else {
        format(text, SIZE_TEXT_MAX, "%lu.%lu MiB", kib / 1024, kib % 1024 * 10 / 1024);
    }
}

static void summary(struct system *s)
{
    const struct bundle_header *b = s->bundle.header;
    char size[SIZE_TEXT_MAX];
    size_text(s, size);
    say(s->kernel,
        "%u process%s, %u channel%s, %u interrupt%s, %u region%s (%s) built with %lu objects and "
        "%lu system calls",
        b->processes.count, plural(b->processes.count, "es"), b->channels.count,
        plural(b->channels.count, "s"), b->irqs.count, plural(b->irqs.count, "s"), b->regions.count,
        plural(b->regions.count, "s"), size, s->kernel->objects, s->kernel->calls);
}

static bool boot_is_ours(const struct boot_info *boot)
{
    return boot->magic == BOOT_MAGIC && boot->version == 1 && boot->untyped_count > 0 &&
           boot->untyped_count <= BOOT_UNTYPED_MAX && boot->ticks_per_second > 0;
}

static bool bring_up(struct system *s)
{
    const char *fdt = (const char *)(uintptr_t)(BOOT_FDT_ADDRESS + s->boot->fdt_offset);
    const char *bundle = (const char *)(uintptr_t)s->boot->bundle_address;
    if (!boot_is_ours(s->boot)) {
        say(s->kernel, "this kernel hands over what init does not understand");
        return false;
    }
    if (!system_open(s, bundle, fdt) || !plan_system(s) || !system_build(s)) {
        return false;
    }
    summary(s);
    speak_no_more(s);
    return processes_start(s);
}

_Noreturn void init_main(const struct boot_info *boot)
{
    root.kernel = &kernel;
    root.boot = boot;
    root.window = (char *)(uintptr_t)BOOT_FREE_ADDRESS;
    if (!bring_up(&root)) {
        sys_system_off(&kernel, 1);
    }
    serve(&root);
}
