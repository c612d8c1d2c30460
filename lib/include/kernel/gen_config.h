// What programs and Makefiles written for Microkit ask about the kernel they run on. Makefiles find
// the architecture with a grep for CONFIG_SEL4_ARCH and two blanks.
#pragma once

// clang-format off
#define CONFIG_SEL4_ARCH  aarch64
#define CONFIG_ARCH_AARCH64 1
#define CONFIG_ARCH_ARM 1
#define CONFIG_WORD_SIZE 64
#define CONFIG_KERNEL_MCS 1
#define CONFIG_ENABLE_SMP_SUPPORT 1
#define CONFIG_ARM_HYPERVISOR_SUPPORT 1
#define CONFIG_ALLOW_SMC_CALLS 1
#define CONFIG_PRINTING 1
#define CONFIG_DEBUG_BUILD 1
// clang-format on
