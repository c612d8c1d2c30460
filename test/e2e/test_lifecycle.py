"""How a VM begins and ends: off, reset, time limit, what cannot go on; exit codes.
What neighbours notice of it: test_neighbours.py."""

import os
import signal
import subprocess
from pathlib import Path

import guests
import pytest

LIFECYCLE = guests.PAYLOADS / "lifecycle.img"
OFF, RESET, RESET2, SPIN, EXCEPTIONS, SLEEP = range(1, 7)
STARTED = "lifecycle: started"


def lifecycle(do, *arguments, limit=guests.LIMIT):
    return guests.Console("--kernel", LIFECYCLE, "--append", f"do={do}", *arguments, limit=limit)


@pytest.mark.parametrize("machine", guests.MACHINES.values(), ids=guests.MACHINES.keys())
def test_power_off_ends_everything(machine):
    with lifecycle(OFF, *machine) as vm:
        vm.see(STARTED)
        assert vm.end() == 0


@pytest.mark.parametrize("do", [RESET, RESET2], ids=["reset", "reset2"])
@pytest.mark.parametrize("gic", [2, 3])
def test_reset_begins_anew(do, gic):
    with lifecycle(do, "--gic", gic) as vm:
        for _ in range(3):
            assert vm.see(f"({STARTED}|FAIL: [^\r\n]*)")[1] == STARTED


@pytest.mark.parametrize("do", [SPIN, EXCEPTIONS, SLEEP], ids=["spin", "exceptions", "sleep"])
def test_time_limit(do):
    with lifecycle(do, limit=10) as vm:
        vm.see(STARTED)
        assert vm.end() == 124


# ---- What looks like the end is none ---------------------------------------------------------------------------------

FORGED = "bulkhead: off, code 0"


def qemu_of(console):
    pid = console.child.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


@pytest.mark.parametrize("machine", guests.MACHINES.values(), ids=guests.MACHINES.keys())
def test_a_forged_end_is_the_guest_s_word(machine):
    command = [guests.BULKHEAD, "run", "--kernel", LIFECYCLE, "--append", f"do={OFF} forge=7", "--timeout", guests.LIMIT, *machine]
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=guests.LIMIT + 60)
    assert done.returncode == 0
    assert done.stdout.endswith(b"\nlogin: bulkhead: off, code 7\nbulkhead: off, code 7\n")
    assert done.stderr.endswith(b"\nbulkhead: bulkhead: off, code 7\nbulkhead: vm guest: powered off\n")


def test_a_forged_end_is_no_verdict():
    # QEMU goes without the kernel's word, so the guest's is the last one that there is.
    with lifecycle(f"{SPIN} forge=0") as vm:
        vm.see(f"[^ ]{FORGED}")
        os.kill(qemu_of(vm), signal.SIGTERM)
        vm.see('had not said "off, code N"')
        assert vm.end() == 1


# ---- Two VMs ---------------------------------------------------------------------------------------------------------

OFTEN = ' restarts="1000" window="1"'    # resets are not what it may run out of


def two(tmp_path, a, b, cmdline_a, cmdline_b, attributes=OFTEN):
    file = tmp_path / "two.system"
    vms = "".join(f'    <virtual_machine name="{name}" cpus="1" memory="64M"{attributes}>\n'
                  f'        <kernel path="{guests.PAYLOADS / kernel}.img"/>\n'
                  f"        <cmdline>{cmdline}</cmdline>\n        <console/>\n    </virtual_machine>\n"
                  for name, kernel, cmdline in (("a", a, cmdline_a), ("b", b, cmdline_b)))
    file.write_text(f"<system>\n{vms}</system>\n")
    return file


def test_a_forged_end_beside_others_is_no_verdict(tmp_path):
    system = two(tmp_path, "lifecycle", "ticker", f"do={SPIN} forge=0", "every=1000")
    with guests.Consoles(system) as console:
        console.see_of("a", "(bulkhead: of\x01f, code 0.*){3}")
        os.kill(qemu_of(console), signal.SIGTERM)
        assert console.end() == 1


def ticks(console):
    """Reads B's reports until the next one; returns its ticks and how late the latest was, in microseconds."""
    match = console.see_of("b", r"ticker: (\d+) ticks, the latest one after (\d+) us|FAIL: .*")
    assert match[1] is not None, match[0]
    return int(match[1]), int(match[2])


def test_too_many_resets_are_the_last(tmp_path):
    system = two(tmp_path, "lifecycle", "ticker", f"do={RESET}", "ticks=1000", ' restarts="3" window="60"')
    with guests.Consoles(system) as console:
        console.see_of("b", "GOOD: 0 failed")
        console.end()
        assert console.all.count("vm a: stays off") == 1


@pytest.mark.parametrize("machine", [("--gic", 2), ("--gic", 3, "--cpu", "max,pauth-impdef=on")], ids=["gicv2", "max"])
def test_two_on_one_core_see_their_own_registers(tmp_path, long, machine):
    rounds = 2000 if long else 100
    system = two(tmp_path, "test_isolation", "test_isolation", f"seed=1 rounds={rounds}", f"seed=2 rounds={rounds}")
    with guests.Consoles(system, *machine, "--cpus", 1) as console:
        for name in "ab":
            assert console.see_of(name, "GOOD: 0 failed|BAD: ")[0] == "GOOD: 0 failed"
        assert console.end() == 0


# Tables: the same address space identifier, other tables behind it.
@pytest.mark.parametrize("payload", ["test_tables", pytest.param("test_timer", marks=pytest.mark.only_long)])
def test_two_cores_of_a_vm_on_one(tmp_path, payload):
    system = tmp_path / "shared.system"
    system.write_text(f'''<system>
    <virtual_machine name="a" cpus="2" memory="128M">
        <kernel path="{guests.PAYLOADS / payload}.img"/> <console/>
    </virtual_machine>
</system>
''')
    with guests.Console(system, "--cpus", 1) as console:
        assert console.see("(GOOD: 0 failed|FAIL: [^\r\n]*)")[1] == "GOOD: 0 failed"
        assert console.end() == 0
