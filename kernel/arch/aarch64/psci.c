// See psci.h. Arm DEN 0022; calling convention: Arm DEN 0028.
#include "psci.h"

#include <spec/psci.h>

#include "arch.h"
#include "devtree.h"
#include "machine.h"

// What may come back changed: x0-x3 results; x4-x17 under the oldest convention.
static void firmware(uint64_t words[8], bool hvc)
{
    register uint64_t x0 __asm__("x0") = words[0];
    register uint64_t x1 __asm__("x1") = words[1];
    register uint64_t x2 __asm__("x2") = words[2];
    register uint64_t x3 __asm__("x3") = words[3];
    register uint64_t x4 __asm__("x4") = words[4];
    register uint64_t x5 __asm__("x5") = words[5];
    register uint64_t x6 __asm__("x6") = words[6];
    register uint64_t x7 __asm__("x7") = words[7];
    register uint64_t x8 __asm__("x8") = hvc;
    __asm__ volatile("cbnz x8, 1f\n\t"
                     "smc #0\n\t"
                     "b 2f\n"
                     "1: hvc #0\n"
                     "2:"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6),
                       "+r"(x7), "+r"(x8)
                     :
                     : "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
    words[0] = x0;
    words[1] = x1;
    words[2] = x2;
    words[3] = x3;
}

void arch_firmware_call(uint64_t words[8])
{
    firmware(words, false);
}

static int64_t call(const struct psci *psci, uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t words[8] = {function, a, b, c};
    if (!psci->present) {
        return PSCI_NOT_SUPPORTED;
    }
    firmware(words, psci->hvc);
    return (int64_t)words[0];
}

void psci_find(const void *fdt, struct psci *psci)
{
    static const char versions[][16] = {"arm,psci-1.0", "arm,psci-0.2"};
    for (unsigned i = 0; i < 2 && !psci->present; i++) {
        int node = devtree_find(fdt, -1, versions[i]);
        psci->hvc = devtree_string_index(fdt, node, "method", "hvc") == 0;
        psci->present = psci->hvc || devtree_string_index(fdt, node, "method", "smc") == 0;
    }
}

int64_t psci_cpu_on(const struct psci *psci, uint64_t target, paddr_t entry, uint64_t context)
{
    return (int32_t)call(psci, PSCI_CPU_ON, target, entry.a, context);
}

void psci_system_off(const struct psci *psci, bool reset)
{
    (void)call(psci, reset ? PSCI_SYSTEM_RESET : PSCI_SYSTEM_OFF, 0, 0, 0);
}

_Noreturn void arch_off(bool reset)
{
    psci_system_off(&machine.psci, reset);
    for (;;) {
        wfe();
    }
}
