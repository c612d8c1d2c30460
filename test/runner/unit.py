"""Unit tests: test/unit/test_*.c, cmocka programs of the development machine. Every test function counts."""

import re

from runner.common import BUILD, ROOT, chosen, execute, failed, in_parallel, make, passed

LIMIT = 120    # seconds, for hangs
LIMIT_LONG = 7200
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
RUN = re.compile(r"\[ RUN +\] (\w+)")
OK = re.compile(r"^\[ +OK \] ", re.MULTILINE)


def run(tests, options):
    names = chosen("unit", tests, [file.stem for file in ROOT.glob("test/unit/test_*.c")])
    errors = make(*[f"build/unit/{name}" for name in names]) if names else None
    if errors:
        yield failed("unit/build", errors)
    yield from in_parallel(lambda name: run_program(name, options), names)


def run_program(name, options):
    program = BUILD / "unit" / name
    if not program.exists():
        return [failed(f"unit/{name}", "it could not be built")]
    environment = {**ENVIRONMENT, "LONG": "1"} if options.long else ENVIRONMENT
    code, output = execute([program], LIMIT_LONG if options.long else LIMIT, environment)
    # What a test prints stands between its own "RUN" and the next one's.
    results = []
    for part in re.split(r"^(?=\[ RUN )", output, flags=re.MULTILINE)[1:]:
        test = f"unit/{name}::{RUN.match(part)[1]}"
        results.append(passed(test) if OK.search(part) else failed(test, part))
    if not results or (code != 0 and all(result.passed for result in results)):
        results.append(failed(f"unit/{name}", output or "no test ran"))
    return results
