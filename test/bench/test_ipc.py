"""The figures of `./bulkhead bench ipc` stay at or below their aims. They are exact, so a single run tells."""

import run

# Where the aim is missed, for the reason that docs/decisions/002-hot-paths.md gives: what the figure must not exceed.
CEILINGS = {"call_reply": 461, "call_reply_own_time": 514, "notify_same_core": 281, "irq_to_driver": 288, "map_4k": 456,
            "unmap_4k": 344, "map_2m": 433, "unmap_2m": 332}


def test_figures():
    figures = run.measure()
    run.print_table(figures)
    for name, figure in figures.items():
        ceiling = CEILINGS.get(name, figure["aim"])
        for cpu in run.CPUS:
            assert ceiling is None or figure[cpu] <= ceiling, f"{name} on {cpu}: {figure[cpu]:.0f} instead of {ceiling}"
