"""The figures of `./bulkhead bench boot` stay at or below their aims."""

import boot

# Where an aim is missed, or there is none: what the figure must not exceed. docs/decisions/004-boot.md says where the rest goes.
CEILINGS = {"per cent more with messages": 11, "kernel text, bytes": 80_000}


def test_figures():
    figures = boot.measure()
    boot.print_table(figures)
    missed = [f"{name}: {value:,.2f}" for name, value in figures.items()
              if (ceiling := CEILINGS.get(name, boot.AIMS[name][0])) is not None and value > ceiling]
    assert not missed, "\n".join(missed)
