"""`./bulkhead bench [NAME] [--json] [--profile FIGURE]`: what things cost, in executed instructions. This file has the
kernel's services (ipc); exits.py and boot.py have the rest.

Under QEMU's `-icount shift=0` an instruction is a nanosecond of virtual time and nothing else takes any: the figures
are exact and the same on every machine. They count both sides' user code and, across cores, both cores' work."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import boot    # noqa: E402
import exits    # noqa: E402
import instructions    # noqa: E402
from runner import machine    # noqa: E402
from runner.common import BUILD    # noqa: E402

CPUS = ("cortex-a53", "cortex-a72")
LIMIT = 300    # seconds, for hangs

# What each figure should be at most; None: it is only watched.
AIMS = {
    "signal_idle": 120,
    "call_reply": 450,
    "call_reply_own_time": None,    # two charges of time and two timer settings more than call_reply
    "notify_same_core": 250,
    "notify_cross_core": 400,
    "irq_to_driver": 280,
    "map_4k": 300,
    "unmap_4k": 300,
    "map_2m": 300,
    "unmap_2m": 300,
    "retype_1000": None,
    "revoke_1000": None,
}

# How often ipc.c does what a figure is about.
TURNS = {"map_4k": 1024, "unmap_4k": 1024, "map_2m": 1024, "unmap_2m": 1024, "retype_1000": 1, "revoke_1000": 1}
TURNS_OTHERWISE = 4096


def run_program(cpu, options="", more=()):
    """Runs ipc.c; returns the figures that it prints, {name: instructions}."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image"
        machine.pack(machine.program("bench", "ipc"), image)
        code, lines = machine.run(image, LIMIT, cores=2, cpu=cpu, options=options, more=[*machine.EXACT, *more])
    if code is None or "GOOD: 0 failed" not in lines:
        raise RuntimeError("the benchmark did not end well:\n" + "\n".join(lines))
    found = (line.split()[1:] for line in lines if line.startswith("BENCH: "))
    return {name: int(tenths) / 10 for name, tenths in found}


def measure():
    """{figure: {"aim": aim, cpu: instructions...}}"""
    measured = {cpu: run_program(cpu) for cpu in CPUS}
    return {name: {"aim": aim, **{cpu: measured[cpu][name] for cpu in CPUS}} for name, aim in AIMS.items()}


def print_table(figures):
    print(f"{'instructions':22}{'aim':>10}" + "".join(f"{cpu:>14}" for cpu in CPUS))
    for name, figure in figures.items():
        aim = figure["aim"]
        marks = "".join(f"{figure[cpu]:>13.0f}{'!' if aim is not None and figure[cpu] > aim else ' '}" for cpu in CPUS)
        print(f"{name:22}{'' if aim is None else f'<= {aim}':>10}{marks}")


def profile(name):
    """Where the instructions of a figure go, by function."""
    program = instructions.symbols(BUILD / "test/bench/ipc.elf")
    address = {function: place for place, function in program}
    option = instructions.plugin_option(address["profile_begin"], address["profile_end"])
    figures = run_program(CPUS[0], f"only={name}", option)
    print(f"{name}: {figures[name]:.0f} instructions")
    instructions.show(TURNS.get(name, TURNS_OTHERWISE), instructions.symbols(BUILD / "kernel/kernel.elf"), program)


def main():
    parser = argparse.ArgumentParser(prog="./bulkhead bench", description=__doc__.split("\n\n")[0],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="NAME", nargs="?", default="ipc", choices=["ipc", "exits", "boot"],
                        help="ipc: the kernel's services; exits: what a guest pays; boot: from reset to a guest")
    parser.add_argument("--json", action="store_true", help="as JSON")
    profiles = {**dict.fromkeys(AIMS, profile), **dict.fromkeys(exits.TURNS, exits.profile),
                **dict.fromkeys(boot.PROFILES, boot.profile)}
    parser.add_argument("--profile", metavar="FIGURE", choices=profiles,
                        help="where the instructions of one figure go; of boot: reset or linux")
    arguments = parser.parse_args()
    if arguments.profile:
        profiles[arguments.profile](arguments.profile)
        return
    if arguments.name == "ipc":
        figures = measure()
        print(json.dumps(figures, indent=1)) if arguments.json else print_table(figures)
        return
    bench = {"exits": exits, "boot": boot}[arguments.name]
    figures = bench.measure()
    print(json.dumps(bench.as_json(figures), indent=1)) if arguments.json else bench.print_table(figures)


if __name__ == "__main__":
    main()
