// In front of a source of kernel/arch/aarch64 that is to run on the development machine: the system registers that it
// reads are functions of its test.
#pragma once

#include <kernel/arch/aarch64/sysreg.h>

#undef sysreg_read
#undef sysreg_constant
#define sysreg_read(name)     fake_##name()
#define sysreg_constant(name) fake_##name()

uint64_t fake_cntv_ctl_el0(void);
uint64_t fake_tpidr_el2(void);
uint64_t fake_isr_el1(void);
uint64_t fake_cntpct_el0(void);
