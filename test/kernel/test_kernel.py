"""The kernel's own tests: each C file of this folder is a program that takes init's place and says of every claim that
it holds (PASS: ...) or does not (FAIL: ...). Both versions of the interrupt controller, one core and four, real threads
of the development machine; where claims are about time, instructions are the clock."""

import random

import pytest

from runner import machine
from runner.common import ROOT

LIMIT = 300    # seconds for a program, for hangs
LIMIT_LONG = 3000
PROGRAMS = sorted(file.stem for file in (ROOT / "test/kernel").glob("test_*.c"))
TIMED = {"test_time", "test_sweep", "test_migration", "test_share"}
CORES = {"test_sweep": [2], "test_share": [1], "test_migration": [4]}    # those that have no use for one and four
CALLS, CALLS_LONG = 10_000, 200_000    # random ones of test_absurd


def options_of(name, long):
    """What the program is told; the seed is printed, by the program."""
    if name == "test_absurd":
        return f"seed={random.SystemRandom().randrange(1, 2**32)} calls={CALLS_LONG if long else CALLS}"
    if name == "test_sweep":
        return f"step={1 if long else 3}"
    if name == "test_migration":
        return f"seed={random.SystemRandom().randrange(1, 2**32)} migrations={10_000 if long else 300}"
    return ""


def judge(code, lines):
    """Fails unless the program ended by itself and nothing that it claimed was wrong."""
    print("\n".join(lines))
    wrong = [line for line in lines if line.startswith(("FAIL", "BAD", "bulkhead: panic"))]
    if code is None:
        wrong.append("it hung; its last words: " + " / ".join(lines[-5:]))
    elif "GOOD: 0 failed" not in lines or "bulkhead: off, code 0" not in lines:
        wrong.append("it ended without a verdict; its last words: " + " / ".join(lines[-5:]))
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
    assert any(line.startswith("PASS: ") for line in lines)


@pytest.mark.timeout(LIMIT_LONG + 60)
@pytest.mark.parametrize("name, gic, cores", [(name, gic, cores) for name in PROGRAMS for gic in [2, 3]
                                              for cores in CORES.get(name, [1, 4])])
def test_kernel(tmp_path, long, name, gic, cores):
    image = tmp_path / "image"
    machine.pack(machine.program("kernel", name), image)
    judge(*machine.run(image, LIMIT_LONG if long else LIMIT, gic=gic, cores=cores, options=options_of(name, long),
                       more=machine.EXACT if name in TIMED else ()))


# Another core: 40 bits of address space and three levels of tables instead of 44 and four.
@pytest.mark.timeout(LIMIT + 60)
@pytest.mark.parametrize("name", ["test_capability", "test_memory", "test_instruction", "test_isolation"])
def test_three_levels(tmp_path, name):
    image = tmp_path / "image"
    machine.pack(machine.program("kernel", name), image)
    judge(*machine.run(image, LIMIT, cpu="cortex-a53"))


# A core whose VMIDs have 16 bits: more spaces at a time than 8 bits can tell apart.
@pytest.mark.timeout(LIMIT + 60)
def test_sixteen_bits_of_vmid(tmp_path):
    image = tmp_path / "image"
    machine.pack(machine.program("kernel", "test_capability"), image)
    code, lines = machine.run(image, LIMIT, cpu="max,pauth-impdef=on")
    judge(code, lines)
    assert "PASS: many spaces are made (300)" in lines


# A core with everything that QEMU can emulate: registers that others don't have.
@pytest.mark.timeout(LIMIT + 60)
@pytest.mark.parametrize("name", ["test_instruction", "test_isolation"])
def test_everything_a_core_can_have(tmp_path, name):
    image = tmp_path / "image"
    machine.pack(machine.program("kernel", name), image)
    judge(*machine.run(image, LIMIT, cpu="max,pauth-impdef=on"))
