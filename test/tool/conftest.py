"""What the tests of the tool share: running it, as it is and with the address sanitizer."""

import fcntl
import os
import random
import subprocess

import pytest

from runner.common import BUILD, ROOT

SANITIZED = BUILD / "tool-asan" / "bulkhead"
SANITIZED_FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-I.", "-O1", "-g", "-fno-omit-frame-pointer",
                   "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
LIBRARIES = ["-lexpat", "-lelf", "-lfdt", "-lz", "-lzstd"]
HANG = 10    # seconds


def pytest_configure():
    # Chosen once, before workers are started: they inherit it.
    os.environ.setdefault("BULKHEAD_SEED", str(random.SystemRandom().randrange(2**32)))


@pytest.fixture(scope="session")
def seed():
    """Of everything random in this run. BULKHEAD_SEED repeats one."""
    return int(os.environ["BULKHEAD_SEED"])


def run(program, *arguments, **options):
    """Runs the tool. Returns exit code, output, and the lines of its errors."""
    done = subprocess.run([str(word) for word in (program, *arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=options.pop("timeout", HANG), check=False, **options)
    return (done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace").splitlines())


@pytest.fixture(scope="session")
def tool():
    """tool("check", file): the tool as it is used."""
    return lambda *arguments, **options: run(BUILD / "bulkhead", *arguments, **options)


def is_current(program, sources):
    return program.exists() and program.stat().st_mtime > max(file.stat().st_mtime for file in sources)


@pytest.fixture(scope="session")
def sanitized():
    """The same with address and undefined-behaviour sanitizers, which end it with a code beyond 1."""
    sources = sorted(ROOT.glob("tool/*.c")) + [ROOT / "abi/bundle_check.c"]
    watched = sources + sorted(ROOT.glob("tool/*.h")) + sorted(ROOT.glob("abi/*.h")) + sorted(ROOT.glob("base/*.h"))
    SANITIZED.parent.mkdir(parents=True, exist_ok=True)
    with open(SANITIZED.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current(SANITIZED, watched):
            new = SANITIZED.with_suffix(".new")    # others may be running the old one
            subprocess.run(["clang", *SANITIZED_FLAGS, "-o", new, *sources, *LIBRARIES], cwd=ROOT, check=True)
            new.replace(SANITIZED)
    environment = {**os.environ, "ASAN_OPTIONS": "exitcode=99:detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    return lambda *arguments, **options: run(SANITIZED, *arguments, env=environment, **options)


def messages(lines, file):
    """The lines of errors, without the file's name in front, which all of them must have."""
    start = f"{file}:"
    assert all(line.startswith(start) for line in lines), lines
    return [line[len(start):] for line in lines]
