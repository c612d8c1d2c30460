"""The payloads of test/guest in VMs of their own: interrupts, timers, PSCI, ID registers, instructions, isolation."""

import subprocess

import guests
import pytest

from runner import machine
from runner.common import ROOT

# On how many cores each is worth while, with real threads of the development machine.
CORES = {
    "test_interrupts": [1],
    "test_routing": [2],
    "test_psci": [1, 4],
    "test_idregs": [1],
    "test_decode": [1],
    "test_fault": [1],
    "test_isolation": [1],
    "test_debug": [1],
    "test_tables": [2],
}
# Those that are about moments: in virtual time only.
EXACT = {"test_timer": [1, 4], "test_sweep": [2]}
GICS = [3, 2]


def pairs(cores):
    return [(name, number) for name, numbers in cores.items() for number in numbers]


@pytest.mark.parametrize("gic", GICS)
@pytest.mark.parametrize("name, cores", pairs(CORES))
def test_in_a_vm(name, cores, gic):
    guests.assert_good(*guests.payload(name, "--cpus", cores, "--gic", gic))


@pytest.mark.parametrize("gic", GICS)
def test_two_vcpus_on_a_core(tmp_path, gic):
    """Each takes the core when the other sleeps, and is woken by it."""
    system = tmp_path / "shared.system"
    system.write_text(f'''<system>
    <virtual_machine name="a" cpus="2" memory="64M">
        <kernel path="{guests.PAYLOADS / "test_routing"}.img"/> <cmdline>strict=1 turns=10</cmdline> <console/>
    </virtual_machine>
</system>
''')
    with guests.Console(system, "--icount", "--cpus", 1, "--gic", gic) as console:
        assert console.see("(GOOD: 0 failed|FAIL: [^\r\n]*)")[1] == "GOOD: 0 failed"
        assert console.end() == 0


def test_waiting_is_trapped(tmp_path):
    """A guest that may not have all of its core leaves it at every WFI, of either width and in a single step."""
    system = tmp_path / "half.system"
    system.write_text(f'''<system>
    <virtual_machine name="a" cpus="1" memory="64M" budget="5000" period="10000">
        <kernel path="{guests.PAYLOADS / "test_debug"}.img"/> <console/>
    </virtual_machine>
</system>
''')
    with guests.Console(system, "--icount", "--cpus", 1) as console:
        assert console.see("(GOOD: 0 failed|FAIL: [^\r\n]*)")[1] == "GOOD: 0 failed"
        assert console.end() == 0


@pytest.mark.only_long
@pytest.mark.parametrize("gic", GICS)
@pytest.mark.parametrize("name", ["test_routing", "test_psci"])
def test_on_eight_cores(name, gic):
    guests.assert_good(*guests.payload(name, "--cpus", 8, "--gic", gic, append="turns=2000", limit=600))


@pytest.mark.parametrize("gic", GICS)
@pytest.mark.parametrize("name, append", [("test_interrupts", ""), ("test_timer", ""), ("test_sweep", "exact=1 step=1")])
def test_exactly(name, append, gic):
    """Virtual time: nobody is late because the development machine is busy, and a nanosecond is an instruction."""
    guests.assert_good(*guests.payload(name, "--icount", "--gic", gic, "--cpus", 2, append=append))


@pytest.mark.parametrize("gic", GICS)
@pytest.mark.parametrize("name, cores", pairs(CORES | EXACT))
def test_the_payloads_themselves(name, cores, gic):
    """What they claim holds without anything of ours beneath them: on the emulator itself."""
    done = subprocess.run(["qemu-system-aarch64", "-M", f"virt,gic-version={gic}", "-cpu", "cortex-a72", "-smp",
                           str(cores), "-m", "256", "-nographic", "-net", "none", *machine.EXACT, "-kernel",
                           guests.PAYLOADS / f"{name}.img"], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=guests.LIMIT, check=True)
    guests.assert_good(0, done.stdout.decode(errors="replace").replace("\r", "").splitlines())
