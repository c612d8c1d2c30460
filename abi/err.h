// Error codes: what every fallible function and every system call returns. OK is 0, errors are negative, so that
// a call may return a count or an error in one register.
#pragma once

#include <stdint.h>

typedef int64_t err_t;

/* name, value, meaning */
#define ERR_LIST(X)                                                                                \
    X(ERR_INVALID, -1, "an argument is out of its range")                                          \
    X(ERR_NO_CAP, -2, "the handle names no capability")                                            \
    X(ERR_TYPE, -3, "the capability is of another type")                                           \
    X(ERR_RIGHTS, -4, "the capability lacks the right")                                            \
    X(ERR_OCCUPIED, -5, "the destination is in use")                                               \
    X(ERR_NO_MEMORY, -6, "untyped memory, page tables or identifiers are used up")                 \
    X(ERR_BUSY, -7, "the object is in a state that forbids this")                                  \
    X(ERR_TIMEOUT, -8, "the deadline passed")                                                      \
    X(ERR_GONE, -9, "the object or the partner went away meanwhile")                               \
    X(ERR_ALIGN, -10, "an address or a size is not aligned")                                       \
    X(ERR_RANGE, -11, "a range leaves the object or the address space")

enum {
    OK = 0,
#define ERR_ENUM(name, value, text) name = (value),
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
};

#define WARN_UNUSED __attribute__((warn_unused_result))
