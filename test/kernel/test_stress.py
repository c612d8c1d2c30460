"""The kernel's stress test (stress.c): random building, changing and destroying on all cores against a model, with real
threads of the development machine, for a minute; ten with --long. The seed is printed; stress.c takes it again."""

import random

import pytest

from runner import machine
from test_kernel import judge

MARGIN = 240    # seconds beyond the run itself, for hangs


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("gic,cores,seconds", [(3, 4, 60), (2, 2, 15)])
def test_stress(tmp_path, long, record_property, gic, cores, seconds):
    seconds *= 10 if long else 1
    seed = random.SystemRandom().randrange(1, 2**32)
    record_property("note", f"{seconds} seconds, seed {seed}")
    image = tmp_path / "image"
    machine.pack(machine.program("kernel", "stress"), image)
    judge(*machine.run(image, seconds + MARGIN, gic=gic, cores=cores, options=f"seed={seed} seconds={seconds}"))
