"""Where the instructions of one benchmark go: counts every instruction with a QEMU plugin (count.c) and prints the
functions, the kernel's and the benchmark's, by how many instructions of them each turn executes."""

import bisect
import subprocess

from runner.common import BUILD, ROOT

CROSS = "aarch64-linux-gnu-"
PLUGIN = BUILD / "bench/count.so"
COUNTS = BUILD / "bench/counts"


def qemu_version():
    line = subprocess.run(["qemu-system-aarch64", "--version"], check=True, capture_output=True, text=True).stdout
    return int(line.split("version ")[1].split(".")[0])


def build_plugin():
    interface = 1 if qemu_version() < 8 else 2
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", f"-DPLUGIN_VERSION={interface}", "-o", PLUGIN,
                    ROOT / "test/bench/count.c"], check=True)


def symbols(program, base=0):
    """Sorted (address, name) of a program's functions."""
    lines = subprocess.run([CROSS + "nm", program], check=True, capture_output=True, text=True).stdout.splitlines()
    found = [line.split() for line in lines]
    return sorted((base + int(address, 16), name) for address, kind, name in (f for f in found if len(f) == 3)
                  if kind in "tTwW" and not name.startswith("$"))


def plugin_option(begin, end):
    """Counts what is executed after the instruction at `begin`, until the one at `end`."""
    build_plugin()
    return ["-plugin", f"{PLUGIN},begin={begin:x},end={end:x},out={COUNTS}"]


def by_function(*tables):
    """{function: instructions}, and {(address, function): times} of single instructions. `tables`: of symbols."""
    table = sorted(entry for entries in tables for entry in entries)
    addresses = [address for address, _ in table]
    functions, single = {}, {}
    for line in COUNTS.read_text().splitlines():
        address, times = int(line.split()[0], 16), int(line.split()[1])
        name = table[bisect.bisect_right(addresses, address) - 1][1]
        functions[name] = functions.get(name, 0) + times
        single[address, name] = times
    return functions, single


def show(turns, *tables):
    functions, single = by_function(*tables)
    total = sum(functions.values())
    print(f"{total / turns:8.1f} instructions a turn ({turns} turns)")
    for name, count in sorted(functions.items(), key=lambda item: -item[1]):
        if count < turns / 100:
            continue
        inside = sum(times >= turns / 2 for (_, function), times in single.items() if function == name)
        print(f"{count / turns:8.1f}  {name}  ({inside} different ones)")
