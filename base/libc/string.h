// <string.h> for code without a C library. This folder is on the include path of freestanding code only; it holds
// the headers that C11 leaves to the library and that libfdt asks for.
#pragma once

#include <base/str.h>
