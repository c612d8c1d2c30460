// <stdlib.h> for code without a C library: libfdt includes it and uses none of it. See string.h.
#pragma once
