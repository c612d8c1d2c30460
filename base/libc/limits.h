// <limits.h> for code without a C library: the compiler's own header includes the next one on the path. See string.h.
#pragma once
