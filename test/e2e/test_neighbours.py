"""Two VMs: one reboots, its kernel crashes, its VMM crashes, again and again; the other loses no tick, and gets its time
when it is due. What becomes of the system when VMs have gone."""

import re
import subprocess

import guests
import pytest

from runner.common import BUILD

# Of the payload `lifecycle`: how it ends.
OFF, RESET, WRITE = 1, 2, 7
STARTED = "lifecycle: started"

# VM a is run by the program of systems/own-vmm: a write to this register makes it crash.
OWN_VMM = BUILD / "systems/own-vmm"
CRASH = 0x0b000008

OFTEN = 'on_crash="restart" restarts="1000" window="1"'    # not what it may run out of

VM = '''<virtual_machine name="{name}" cpu="{cpu}" memory="{memory}" {attributes}>
    <kernel path="{kernel}"/>{initrd}<cmdline>{cmdline}</cmdline><console/>
</virtual_machine>
'''


def payload(name, cmdline, attributes=OFTEN, cpu=0):
    return {"kernel": guests.PAYLOADS / f"{name}.img", "initrd": "", "cmdline": cmdline, "attributes": attributes,
            "cpu": cpu, "memory": "16M"}


def linux(initrd, does, attributes=OFTEN, cpu=0):
    return {"kernel": guests.KERNELS["cloud"], "initrd": f'<initrd path="{initrd}"/>',
            "cmdline": f"{guests.CMDLINE} quiet does={does}", "attributes": attributes, "cpu": cpu, "memory": "128M"}


def start(folder, a, b, *arguments, limit=guests.LIMIT):
    """A system of two, of which a's VMM is a program of its own. That takes the long form: the tool has it."""
    short = folder / "short.system"
    short.write_text(f'<system>{VM.format(name="a", **a)}{VM.format(name="b", **b)}</system>\n')
    shown = subprocess.run([guests.BULKHEAD, "check", "--show", short], check=True, text=True, capture_output=True)
    text, changed = re.subn('(<protection_domain name="a"[^>]*>\\s*<program_image path=")vmm.elf',
                            r"\g<1>own_vmm.elf", shown.stdout)
    assert changed == 1
    file = folder / "two.system"
    file.write_text(text)
    return guests.Consoles(file, "--search-path", OWN_VMM, *arguments, limit=limit)


# ---- Linux, again and again ------------------------------------------------------------------------------------------

# What a Linux does as soon as it runs, by its command line.
SCRIPT = f"""
case $(cat /proc/cmdline) in
*does=reboot*) reboot -f ;;
*does=panic*) echo c >/proc/sysrq-trigger ;;
*does=crash*) devmem {CRASH:#x} 32 0 ;;
*does=tick*) /bin/ticks ;;
esac
echo "it went on: FAIL"
sleep 1000
"""

TICKER = r"ticker: (\d+) ticks, the latest one after (\d+) us"
LINUX_TICKS = r"ticks (\d+) (\d+) (\d+)"


@pytest.fixture(name="initrd")
def make_initrd(tmp_path):
    return guests.initrd_with(tmp_path, SCRIPT, {"bin/ticks": (guests.PAYLOADS / "linux/ticks").read_bytes()})


def again_and_again(console, times, begins, report):
    """Sees a begin so often, with b's reports coming all the while. Returns b's next report."""
    for _ in range(times + 1):    # the first one is no restart
        console.see_of("a", begins)
    console.said["b"] = ""
    match = console.see_of("b", report)
    assert "FAIL" not in console.all
    return match


def linux_ends(folder, a, b, times, *arguments, limit=500):
    report = LINUX_TICKS if b["initrd"] else TICKER
    with start(folder, a, b, *arguments, limit=limit) as console:
        console.see_of("b", report)
        last = again_and_again(console, times, "guest: ready", report)
        crashes = console.all.count("vm a: restarts for the")
        assert (crashes >= times) if "does=crash" in a["cmdline"] else (crashes == 0)
        return last


TIMES = {"reboot": 200, "panic": 100, "crash": 100}    # with --long
TICKS = "every=1000"


def test_linux_reboots(tmp_path, initrd):
    linux_ends(tmp_path, linux(initrd, "reboot"), payload("ticker", TICKS), 10, "--gic", 3, "--cpus", 1)


def test_vmm_of_linux_crashes(tmp_path, initrd):
    linux_ends(tmp_path, linux(initrd, "crash"), linux(initrd, "tick", cpu=1), 10, "--gic", 3, "--cpus", 2)


@pytest.mark.only_long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("gic", [2, 3])
@pytest.mark.parametrize("does", TIMES)
@pytest.mark.parametrize("b", ["ticker", "linux"])
def test_linux_often(tmp_path, initrd, does, gic, b):
    neighbour = payload("ticker", TICKS) if b == "ticker" else linux(initrd, "tick")
    linux_ends(tmp_path, linux(initrd, does), neighbour, TIMES[does], "--gic", gic, "--cpus", 1, limit=7000)


# ---- Exactly: from tick to tick b waits no longer than its scheduling period -----------------------------------------

PERIOD = 4000    # microseconds
TICK = 1000
SHARE = f'{OFTEN} budget="{PERIOD // 2}" period="{PERIOD}"'


def assert_in_time(report):
    assert TICK + int(report[2]) <= PERIOD


@pytest.mark.parametrize("gic, where", [(3, 0), (2, 1)], ids=["same_core", "other_core"])
@pytest.mark.parametrize("does", [f"do={RESET}", f"do={WRITE} at={CRASH}"], ids=["reset", "crash"])
def test_the_longest_gap(tmp_path, long, does, gic, where):
    a = payload("lifecycle", does, SHARE, cpu=where)
    b = payload("ticker", "every=50", SHARE)
    with start(tmp_path, a, b, "--icount", "--gic", gic, "--cpus", 2) as console:
        assert_in_time(again_and_again(console, 100 if long else 10, STARTED, TICKER))


def linux_on_the_same_core(folder, initrd, does, gic, times):
    """Another core than the UART driver's and the mux's, for which what a says is work before b's."""
    a = linux(initrd, does, SHARE, cpu=1)
    b = payload("ticker", TICKS, SHARE, cpu=1)
    assert_in_time(linux_ends(folder, a, b, times, "--icount", "--gic", gic, "--cpus", 2, limit=3000))


def test_kernel_of_linux_crashes(tmp_path, initrd):
    linux_on_the_same_core(tmp_path, initrd, "panic", 2, 10)


@pytest.mark.only_long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("does", TIMES)
@pytest.mark.parametrize("gic", [2, 3])
def test_the_longest_gap_beside_linux(tmp_path, initrd, does, gic):
    linux_on_the_same_core(tmp_path, initrd, does, gic, 20)


# ---- The end ---------------------------------------------------------------------------------------------------------

CRASHES = f"do={WRITE} at={CRASH}"
A_WHILE = "ticks=1000"
GOOD = "GOOD: 0 failed"


def crash_of(output):
    return output.count('vm a: crashed: process "a", thread 1: it wrote to 0x0, where nothing is mapped\n')


@pytest.mark.parametrize("gic", [2, 3])
def test_when_the_last_is_off_qemu_ends(tmp_path, gic):
    with start(tmp_path, payload("lifecycle", f"do={OFF}"), payload("ticker", A_WHILE), "--gic", gic, "--cpus", 1) as console:
        console.see_of("a", STARTED)
        console.see_of("b", GOOD)
        assert console.end() == 0
        assert "vm a: powered off\n" in console.all and "vm b: powered off\n" in console.all


def test_a_vmm_that_always_crashes_is_given_up(tmp_path):
    a = payload("lifecycle", CRASHES, 'on_crash="restart" restarts="3" window="3600"')
    with start(tmp_path, a, payload("ticker", A_WHILE)) as console:
        console.see_of("b", GOOD)
        assert console.end() == 1
        assert crash_of(console.all) == console.all.count(STARTED) == 4
        assert console.all.count("vm a: stays off: it may restart 3 times in 3600 seconds\n") == 1


def test_a_vmm_that_crashes_may_be_left_off(tmp_path):
    a = payload("lifecycle", CRASHES, 'on_crash="stop"')
    with start(tmp_path, a, payload("ticker", A_WHILE)) as console:
        console.see_of("b", GOOD)
        assert console.end() == 1
        assert crash_of(console.all) == console.all.count(STARTED) == 1
        assert "restarts for the" not in console.all


def test_a_vmm_that_crashes_may_take_the_system_along(tmp_path):
    a = payload("lifecycle", CRASHES, 'on_crash="shutdown"')
    with start(tmp_path, a, payload("ticker", "every=1000")) as console:
        assert console.end() == 1
        assert crash_of(console.all) == 1
