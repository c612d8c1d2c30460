# Reads what each test of the development machine says about itself in its first lines, and prints a line for the
# Makefile. A test states the product sources that it is linked with, and more compiler flags if it needs some:
#
#   // sources: kernel/notif.c base/str.c
#   // flags: -Ikernel -Ikernel/arch/fake
#
# Both may be repeated. Headers and the tests' own helpers are found as everywhere: `#include <abi/err.h>`.

function finish() {
    if (test != "")
        printf "$(call %s-test,%s,%s%s,%s)\n", kind, name, test, sources, flags
}

FNR == 1 {
    finish()
    test = FILENAME
    name = test
    sub(/^test\//, "", name)
    sub(/\.c$/, "", name)
    kind = substr(name, 1, 4)    # unit or fuzz: the folder's name
    sources = flags = ""
}

/^\/\/ sources: / { sub(/^\/\/ sources: */, ""); sources = sources " " $0 }
/^\/\/ flags: / { sub(/^\/\/ flags: */, ""); flags = flags " " $0 }

END { finish() }
