// <assert.h> for code without a C library: only what the compiler itself checks. See string.h.
#pragma once

#define static_assert _Static_assert
