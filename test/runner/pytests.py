"""Python tests: test/SUITE/test_*.py, by pytest, several at a time. They run the tool, QEMU and the checkers."""

import queue
import threading

import pytest

from runner.common import BUILD, JOBS, ROOT, failed, make, passed

LIMIT = 600    # seconds for one test, for hangs; a test that needs more says so: @pytest.mark.timeout(...)
RUN_MACHINES = {"kernel", "e2e", "bench"}


class Reporter:
    """Turns pytest's reports into results. A test passes if its set-up, call and tear-down all pass. What it records as
    the property "note", such as a seed, is shown even then."""

    def __init__(self, put):
        self.put = put
        self.failures = {}

    def pytest_runtest_logreport(self, report):
        test = report.nodeid.removeprefix("test/").replace(".py::", "::", 1)
        if report.skipped:
            self.failures.setdefault(test, "skipped: " + str(report.longrepr))
        elif report.failed:
            self.failures.setdefault(test, report.longreprtext + "".join(text for _, text in report.sections))
        if report.when == "teardown":
            failure = self.failures.pop(test, None)
            note = dict(report.user_properties).get("note", "")
            self.put(passed(test, note) if failure is None else failed(test, failure, note))

    def pytest_collectreport(self, report):
        if not report.passed:
            self.put(failed(report.nodeid.removeprefix("test/") or "pytest", str(report.longrepr)))


def run(tests, options):
    suites = {test.split("/")[0] for test in tests}
    errors = make("all", *(["guest"] if suites & RUN_MACHINES else []))
    if errors:
        yield failed(tests[0].split("/")[0] + "/build", errors)
    places = [place for place in map(location, tests) if (ROOT / place.split("::")[0]).exists()]
    if places:
        yield from results_of([*places, "--long"] if options.long else places)


def location(test):
    """e2e, e2e/test_hello or e2e/test_hello::test_gicv2 as a path that pytest understands."""
    path, _, name = test.partition("::")
    return "test/" + path + (".py" if "/" in path and not path.endswith(".py") else "") + (name and "::" + name)


def results_of(arguments):
    """Yields results as they come, while pytest runs in a thread of its own."""
    results = queue.Queue()
    done = object()

    options = ["-p", "no:terminalreporter", "--tb=short", "-c", "test/pytest.ini", f"--rootdir={ROOT}",
               f"-n{JOBS}", f"--timeout={LIMIT}"]

    def work():
        try:
            pytest.main([*options, *arguments], plugins=[Reporter(results.put)])
        finally:
            results.put(done)

    threading.Thread(target=work).start()
    while (result := results.get()) is not done:
        yield result
