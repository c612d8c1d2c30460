"""`bulkhead run` without a name: systems/two-guests, to both shells and to the end. (That ./bulkhead fetches the guests for it is
test_front_door's.)"""

import guests
import pytest

from runner import initrd

TYPED_AT = {"one": "\x1d1", "two": "\x1d2"}    # Ctrl-] and the console's number


def select(console, name):
    console.type(TYPED_AT[name])
    console.see_of("serial", f"input to {name}")


def poweroff(console, name):
    select(console, name)
    console.type("poweroff\r")


@pytest.mark.parametrize("machine", [["--gic", 3], ["--gic", 2], ["--icount", "--cpu", "cortex-a72"], ["--board", "zcu102"]],
                         ids=["gic3", "gic2", "icount", "zcu102"])
def test_both_have_a_shell_and_end_the_system(machine):
    with guests.Consoles(*machine, limit=500) as console:
        for name in TYPED_AT:
            console.see_of(name, initrd.READY)
            console.see_of(name, initrd.PROMPT)
        for name in TYPED_AT:
            select(console, name)
            console.type(f"echo $(nproc) cores of {name}\r")    # what is echoed has no number
            console.see_of(name, f"2 cores of {name}")
        for name in TYPED_AT:
            poweroff(console, name)
        assert console.end() == 0
        assert all(f"bulkhead: vm {name}: powered off" in console.all for name in TYPED_AT)


def test_one_goes_on_when_the_other_is_off():
    with guests.Consoles(limit=500) as console:
        for name in TYPED_AT:
            console.see_of(name, initrd.PROMPT)
        poweroff(console, "one")
        select(console, "two")
        console.type("sleep 3; echo $((6*7))\r")
        console.see_of("two", "42")
        console.type("\x1d?")
        console.see_of("serial", "Ctrl-")
        console.type("\x1dq")
        assert console.end() == 0
