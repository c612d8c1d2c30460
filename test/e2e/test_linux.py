"""Debian's arm64 kernels, unmodified, with busybox: to a shell and what can be done there, by one command."""

import re

import guests
import pytest

from runner.common import BUILD

CORES = [1, 2, 4, 8]
PROGRAMS = BUILD / "test/guest/linux"


def interrupts(linux, name):
    """How often each core has taken an interrupt of that name."""
    line = re.search(rf"^\s*\w+:((?:\s+\d+)+)\s.*{name}", linux.shell("cat /proc/interrupts"), re.M)
    return [int(count) for count in line[1].split()]


def look_around(linux, cores):
    """What must hold at every shell."""
    assert linux.number("grep -c ^processor /proc/cpuinfo") == cores
    assert linux.number("nproc") == cores
    before = interrupts(linux, "arch_timer")
    assert len(before) == cores
    # Every core works for a moment, so every core's timer ticks.
    linux.shell("for i in $(seq 0 %d); do taskset $((1 << i)) sh -c 'for j in $(seq 20000); do :; done' & done; wait"
                % (cores - 1))
    after = interrupts(linux, "arch_timer")
    assert all(then < now for then, now in zip(before, after)), (before, after)
    assert sum(interrupts(linux, "uart-pl011")) > 0
    linux.shell("! dmesg | grep -iE 'call trace|soft lockup|rcu.*stall|unexpected (irq|interrupt)'")


def reboots(linux):
    linux.type("reboot -f\r")
    linux.ready()


def session(cores, *arguments, kernel="cloud"):
    with guests.Linux("--cpus", cores, *arguments, kernel=kernel) as linux:
        look_around(linux, cores)
        reboots(linux)
        look_around(linux, cores)
        assert linux.power_off() == 0


# ---- Every day: few boots --------------------------------------------------------------------------------------------

def test_generic_kernel_gic3():
    session(4, "--gic", 3, kernel="generic")


def test_cloud_kernel_gic2():
    session(2, "--gic", 2)


def test_zcu102():
    with guests.Linux("--board", "zcu102", "--cpus", 2) as linux:
        look_around(linux, 2)
        assert linux.power_off() == 0


def test_gentle_ends():
    # `reboot` and `poweroff` through init, as somebody at a shell would type them.
    with guests.Linux("--cpus", 1) as linux:
        linux.type("reboot\r")
        linux.ready()
        linux.type("poweroff\r")
        assert linux.end() == 0


@pytest.mark.only_long
def test_crash_of_the_kernel_restarts_it():
    with guests.Linux("--cpus", 2) as linux:
        linux.type("echo c >/proc/sysrq-trigger\r")
        linux.see("Kernel panic")
        linux.ready()
        assert linux.power_off() == 0


@pytest.mark.only_long
def test_time_limit():
    with guests.Linux("--cpus", 1, limit=60) as linux:
        linux.type("sleep 10000\r")
        assert linux.end() == 124


def test_script_that_ends_by_itself(tmp_path):
    file = guests.initrd_with(tmp_path, "echo sum $((40+2))\n")
    with guests.Console("--kernel", guests.KERNELS["cloud"], "--initrd", file, "--append", guests.CMDLINE) as linux:
        linux.see("sum 42")
        assert linux.end() == 0


def hotplug(linux, cores, turns):
    for _ in range(turns):
        for cpu in range(1, cores):
            linux.shell(f"echo 0 >/sys/devices/system/cpu/cpu{cpu}/online")
            assert linux.number("nproc") == cores - 1
            linux.shell(f"echo 1 >/sys/devices/system/cpu/cpu{cpu}/online")
        assert linux.number("nproc") == cores


@pytest.mark.only_long
def test_cores_go_and_come(long):
    with guests.Linux("--cpus", 4, limit=600) as linux:
        hotplug(linux, 4, 30 if long else 2)
        look_around(linux, 4)
        assert linux.power_off() == 0


@pytest.mark.only_long
def test_cores_go_before_the_end():
    with guests.Linux("--cpus", 4) as linux:
        for cpu in range(1, 4):
            linux.shell(f"echo 0 >/sys/devices/system/cpu/cpu{cpu}/online")
        reboots(linux)
        assert linux.number("nproc") == 4
        assert linux.power_off() == 0


def test_a_program_of_32_bits(tmp_path):
    file = guests.initrd_with(tmp_path, files={"bin/arm32": (PROGRAMS / "arm32").read_bytes()})
    with guests.Linux("--cpus", 1, initrd_file=file, kernel="generic") as linux:
        assert "32 bits: 42" in linux.shell("/bin/arm32")
        assert linux.power_off() == 0


def test_console_takes_much_text(tmp_path):
    with guests.Linux("--cpus", 1) as linux:
        text = linux.shell("seq 1 5000")
        assert text.split() == [str(number) for number in range(1, 5001)]
        word = "abcdefghij" * 40
        assert word in linux.shell(f"echo {word} | tee /tmp/word")
        assert linux.number("wc -c </tmp/word") == len(word) + 1
        assert linux.power_off() == 0


# ---- With --long: every kernel, both GICs, all numbers of cores ------------------------------------------------------

@pytest.mark.only_long
@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("gic", [2, 3])
@pytest.mark.parametrize("kernel", guests.KERNELS)
def test_every_kernel(kernel, gic, cores):
    session(cores, "--gic", gic, kernel=kernel)


@pytest.mark.only_long
@pytest.mark.parametrize("cpu", ["cortex-a57", "cortex-a72", "max,pauth-impdef=on"])
def test_other_processors(cpu):
    session(2, "--cpu", cpu)


# ---- Two Linux VMs ---------------------------------------------------------------------------------------------------

TWO = """<system>
    <virtual_machine name="a" cpus="1" memory="128M">
        <kernel path="{kernel}"/> <initrd path="{initrd}"/> <cmdline>{cmdline}</cmdline> <console/>
    </virtual_machine>
    <virtual_machine name="b" cpus="1" memory="128M">
        <kernel path="{kernel}"/> <initrd path="{initrd}"/> <cmdline>{cmdline}</cmdline> <console/>
    </virtual_machine>
</system>
"""


@pytest.mark.only_long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("gic", [2, 3])
def test_two_in_one_system(tmp_path, gic, long):
    file = tmp_path / "two.system"
    file.write_text(TWO.format(kernel=guests.KERNELS["cloud"], initrd=guests.INITRD, cmdline=guests.CMDLINE))
    with guests.Consoles(file, "--gic", gic, limit=3000) as console:
        for name in "ab":
            console.see_of(name, "guest# ")
        for _ in range(20 if long else 1):
            console.type("reboot -f\r")
            console.see_of("a", "guest: ready")
            console.see_of("a", "guest# ")
        console.type("\x1d2")
        console.type("echo b$((6*7))\r")
        console.see_of("b", "b42")
        console.type("poweroff -f\r")
        console.type("\x1d1")
        console.type("poweroff -f\r")
        assert console.end() == 0
