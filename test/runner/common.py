"""What every kind of suite shares: the result of a test, running a program with a time limit, building."""

import fcntl
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
JOBS = os.cpu_count() or 1


@dataclass
class Options:
    long: bool = False    # more executions, longer stress


@dataclass
class Result:
    test: str             # SUITE/FILE or SUITE/FILE::TEST
    passed: bool
    output: str = ""      # shown when it failed
    note: str = ""        # shown always, in brackets: a seed, a count


def passed(test, note=""):
    return Result(test, True, "", note)


def failed(test, output, note=""):
    return Result(test, False, output, note)


def execute(command, limit, env=None, cwd=ROOT):
    """Runs a program for at most `limit` seconds, which only a hang reaches. Returns its exit code (None: it hung and
    was stopped with all its children) and its output and errors as one text."""
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, env={**os.environ, **(env or {})},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        output += f"\nstopped: it still ran after {limit} seconds\n".encode()
        code = None
    return code, output.decode(errors="replace")


def make(*targets):
    """Builds targets, as many of them as can be built. Returns None, or what make said when it failed. One make at a
    time for each folder: ./bulkhead takes the same lock."""
    folder = BUILD / "clang" if "LLVM=1" in targets else BUILD / "ubsan" if "UBSAN=1" in targets else BUILD
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, output = execute(["make", "-s", "-k", f"-j{JOBS}", *targets], limit=1800)
    return None if code == 0 else output


def in_parallel(function, items):
    """function(item) for each, on all cores; yields each list of results as soon as it and those before are there."""
    with ThreadPoolExecutor(JOBS) as pool:
        for results in pool.map(function, items):
            yield from results


def chosen(suite, tests, names):
    """The names of one suite's files that the command line asks for: SUITE for all, SUITE/NAME for one file."""
    wanted = [test.partition("/")[2].partition("::")[0] for test in tests if test.split("/")[0] == suite]
    return [name for name in sorted(names) if not all(wanted) or name in wanted]
