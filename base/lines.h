// The loop over cache lines, for those who have instructions that act on one: the kernel, and lib for processes.
#pragma once

// Memory is megabytes, and nothing but the loop around it could be saved.
#define LINES_UNROLLED 32u

// Executes OPERATIONS on each line of [at, end): %0 is its address.
#define FOR_LINES(at, end, line, operations)                                                       \
    do {                                                                                           \
        while ((at) + LINES_UNROLLED * (line) <= (end)) {                                          \
            __asm__ volatile(".rept %c2\n\t" operations "add %0, %0, %1\n\t.endr"                  \
                             : "+r"(at)                                                            \
                             : "r"(line), "i"(LINES_UNROLLED)                                      \
                             : "memory");                                                          \
        }                                                                                          \
        while ((at) < (end)) {                                                                     \
            __asm__ volatile(operations "add %0, %0, %1" : "+r"(at) : "r"(line) : "memory");       \
        }                                                                                          \
    } while (0)
