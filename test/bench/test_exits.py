"""The figures of `./bulkhead bench exits` stay at or below their aims. They are exact, so a single run tells."""

import exits

# Where the aim is missed: what the figure must not exceed, {(row, gic): instructions}.
# docs/decisions/003-vcpus.md says where the rest goes.
CEILINGS = {
    ("self_sgi", 3): 550, ("ipi_one_way", 3): 745, ("ipi_round_trip", 3): 1580, ("ipi_round_trip_wfi_target", 3): 1580,
    ("self_sgi", 2): 660, ("ipi_one_way", 2): 855, ("ipi_round_trip", 2): 1810,
}


def assert_below_peers(figures):
    for name, values in figures.items():
        for peer, theirs in zip(exits.PEERS, exits.ROWS[name].peers):
            if peer in exits.BEATEN and theirs is not None:
                assert max(values.values()) < theirs, f"{name}: {peer} has {theirs}"


def assert_gicv2_is_like_gicv3(figures):
    for name, values in figures.items():
        if exits.ROWS[name].aim is not None:
            for cpu in exits.CPUS:
                allowed = exits.GICV2_DEARER * max(values[cpu, 3], exits.ROWS[name].aim)
                assert values[cpu, 2] <= allowed, f"{name} on {cpu}, GICv2: more than {allowed:.0f}"


def test_figures():
    figures = exits.measure()
    exits.print_table(figures)
    too_dear = [f"{name} on {cpu}, GICv{gic}: {value:.0f} instead of {CEILINGS.get((name, gic), exits.aim(name, gic))}"
                for name, values in figures.items() for (cpu, gic), value in values.items()
                if (ceiling := CEILINGS.get((name, gic), exits.aim(name, gic))) is not None and value > ceiling]
    assert not too_dear, "\n".join(too_dear)
    assert_below_peers(figures)
    assert_gicv2_is_like_gicv3(figures)


def test_the_instrument_itself():
    # Without anything below: what the guest's own part of each figure is.
    for gic in exits.GICS:
        figures = exits.bare("cortex-a53", gic)
        assert set(figures) >= set(exits.ROWS)
        assert figures["control_loop"] == 2
        assert figures["self_sgi"] <= 80 and figures["ipi_round_trip"] <= 160 and figures["timer_busy"] <= 16
