"""`./bulkhead test [SUITE[/NAME]...] [--long]`: runs the suites, prints a line per test, and ends with how many passed.

A suite is a folder beside this file. What its tests are is said in test/runner/: programs of the development machine
(unit.py), fuzzers (fuzz.py), Spin models (model.py), and Python tests, which run everything else (pytests.py).
Nothing may be skipped, and a suite without a test fails. The outcome of every test is left in build/test-results.json.
"""

import argparse
import json
import os
import sys
import time

from runner import fuzz, model, pytests, requirements, unit
from runner.common import BUILD, ROOT, Options, failed, make

# In the order in which they run: quick ones first. Neighbours of the same kind are run together.
SUITES = {
    "check": pytests,
    "unit": unit,
    "model": model,
    "fuzz": fuzz,
    "tool": pytests,
    "kernel": pytests,
    "e2e": pytests,
    "bench": pytests,
}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./bulkhead test", description=__doc__.split("\n\n")[0],
                                     epilog="Suites: " + " ".join(SUITES))
    parser.add_argument("tests", metavar="SUITE[/NAME]", nargs="*", help="all suites, if none is named")
    parser.add_argument("--long", action="store_true", help="more fuzzing, longer stress")
    parser.add_argument("--fresh", action="store_true", help="everything, in a fresh Debian 12 (root needed)")
    arguments = parser.parse_args()
    for test in arguments.tests:
        if test.split("/")[0] not in SUITES:
            parser.error(f"there is no suite {test.split('/')[0]!r}; there are: {' '.join(SUITES)}")
    return arguments


def plan(tests):
    """What to run: a list of (kind, [test, ...]), each test a suite or SUITE/NAME."""
    steps = []
    for suite, kind in SUITES.items():
        chosen = [test for test in tests if test.split("/")[0] == suite] if tests else [suite]
        if not chosen:
            continue
        if steps and steps[-1][0] is kind:
            steps[-1][1].extend(chosen)
        else:
            steps.append((kind, chosen))
    return steps


def run_all(steps, options):
    for kind, tests in steps:
        ran = set()
        for result in kind.run(tests, options):
            ran.add(result.test.split("/")[0])
            yield result
        for suite in sorted({test.split("/")[0] for test in tests} - ran):
            yield failed(suite, "not a single test ran")


def show(result):
    print(f"{'ok  ' if result.passed else 'FAIL'} {result.test}{result.note and f'  ({result.note})'}", flush=True)
    if not result.passed:
        print("".join(f"     | {line}\n" for line in result.output.splitlines()), end="", flush=True)


def main():
    arguments = parse_arguments()
    if arguments.fresh:
        os.execv(ROOT / "test/fresh.sh", ["fresh.sh"])
    os.chdir(ROOT)
    options = Options(long=arguments.long)
    results = {}
    start = time.monotonic()

    def record(result):
        show(result)
        results[result.test] = result.passed and results.get(result.test, True)

    for result in run_all(plan(arguments.tests), options):
        record(result)
    if not arguments.tests:
        record(requirements.check(results))

    BUILD.mkdir(exist_ok=True)
    (BUILD / "test-results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    passed = sum(results.values())
    print(f"in {time.monotonic() - start:.0f} seconds")
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if results and passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
