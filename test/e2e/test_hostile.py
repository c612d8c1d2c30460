"""A guest that does whatever it can think of (test/guest/hostile.c) beside one that counts its timer's ticks. Kernel, init,
VMMs, drivers and muxes are built with a trap wherever C leaves open what happens (UBSAN=1): whatever a guest does, no
trap and no assertion is reached, and its neighbour notices nothing."""

import random
import re

import guests
import pytest

from runner.common import BUILD, execute, make

CHECKED = BUILD / "ubsan"
ACTIONS, ACTIONS_LONG = 20_000, 1_000_000
EVERY = 500    # ticks from one report to the next
STUCK = 600_000    # ticks, milliseconds, without a word of the hostile guest's own


@pytest.fixture(scope="module", name="build")
def build_checked():
    """Builds an image of a description out of what is checked."""
    said = make("UBSAN=1", "target")
    assert said is None, said

    def build(system, image):
        code, output = execute([BUILD / "bulkhead", "build", "--kernel", CHECKED / "kernel/kernel.bin", "--init",
                                CHECKED / "init/init.bin", "--search-path", CHECKED / "bin", "-o", image, system], 60)
        assert code == 0, output
    return build


def hostile_beside_ticker(seed, actions):
    vms = (("a", "hostile", f"seed={seed} actions={actions}"), ("b", "ticker", f"every={EVERY}"))
    return "<system>\n" + "".join(f'''    <virtual_machine name="{name}" cpus="1" memory="64M">
        <kernel path="{guests.PAYLOADS / kernel}.img"/>
        <cmdline>{cmdline}</cmdline>
        <console/>
    </virtual_machine>
''' for name, kernel, cmdline in vms) + "</system>\n"


def assert_nothing_wrong(console):
    """Neither VM, nor its VMM, nor anybody else."""
    wrong = re.findall(r".*(?:FAIL|BAD|panic|crashed|stays off|assertion).*", console.all)
    assert not wrong, "\n".join(wrong)


def ticks(console):
    match = console.see_of("b", r"ticker: (\d+) ticks|FAIL: .*")
    assert match[1] is not None, match[0]
    return int(match[1])


def actions_done(console):
    return max(map(int, re.findall(r"hostile: seed \d+, (\d+) actions", console.said.get("a", ""))), default=0)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("gic", [3, 2])
def test_hostile(tmp_path, build, long, record_property, gic):
    seed = random.SystemRandom().randrange(1, 2**32)
    actions = ACTIONS_LONG if long else ACTIONS
    record_property("note", f"{actions} actions, seed {seed}")
    system, image = tmp_path / "hostile.system", tmp_path / "image"
    system.write_text(hostile_beside_ticker(seed, actions))
    build(system, image)
    with guests.Consoles("--image", image, "--gic", gic, "--cpus", 2, limit=7000) as console:
        done, since = 0, 0
        while "GOOD: 0 failed" not in console.said.get("a", ""):
            assert_nothing_wrong(console)
            now = ticks(console)
            before, done = done, actions_done(console)
            if done != before:
                since = now
            assert now - since < STUCK, f"it is stuck after {done} actions"
        for _ in range(2):
            ticks(console)
        assert_nothing_wrong(console)
