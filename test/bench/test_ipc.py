"""The figures of `./bulkhead bench ipc` stay at or below their aims. They are exact, so a single run tells."""

import run

CEILINGS = {"call_reply_own_time": 500}    # has no aim, and may not get out of hand either


def test_figures():
    figures = run.measure()
    run.print_table(figures)
    for name, figure in figures.items():
        ceiling = CEILINGS.get(name, figure["aim"])
        for cpu in run.CPUS:
            assert ceiling is None or figure[cpu] <= ceiling, f"{name} on {cpu}: {figure[cpu]:.0f} instead of {ceiling}"
