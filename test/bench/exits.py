"""`./bulkhead bench exits`: what a guest pays for what its machine does for it, in executed instructions of all cores and
levels, beside the same of other stacks (same method: one small guest, QEMU, `-icount shift=0`)."""

import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import instructions
from runner.common import BUILD, JOBS, ROOT, execute

CPUS = ("cortex-a53", "cortex-a72")
GICS = (3, 2)
LIMIT = 300    # seconds, for hangs
GICV2_DEARER = 1.3    # what a row may cost on GICv2, against its aim, or GICv3's figure if that is above the aim

PEERS = ("none", "Bao", "Xen", "KVM nVHE", "KVM VHE", "seL4+libvmm")
BEATEN = PEERS[2:]    # no row is as dear as theirs


@dataclass
class Row:
    title: str
    aim: int = None      # GICv3; None: it is only watched
    peers: tuple = ()    # figures in the order of PEERS, on GICv3


# Bao 2.0, Xen 4.17 (guest without dom0), KVM of Linux 6.1 with kvmtool, seL4 16.0.0-dev with libvmm 0.2.0: measured with
# an instrument of the same kind as exitbench.c. None: that stack has no such thing, or it was not measured.
ROWS = {
    "hvc_psci_version": Row("null hypercall (PSCI_VERSION)", 280, (None, 195, 477, 1557, 1060, 5146)),
    "hvc_smccc_version": Row("null hypercall (SMCCC_VERSION)", 280),
    "idreg_read": Row("trapped ID register read", 300, (3, None, 412, 1962, 1472, None)),
    "gicd_read": Row("vGIC distributor register read", 380, (5, 229, 615, 2327, 1849, 4160)),
    "uart_read": Row("emulated device, 32-bit read", 380, (5, None, 639, 6415, 6071, 4140)),
    "rtc_write": Row("emulated device, 32-bit write", 380, (5, None, None, 6477, 6151, 4112)),
    "self_sgi": Row("self-SGI, send to end of interrupt", 480, (60, 847, 1157, 3101, 2645, 6884)),
    "self_sgi_wfi": Row("the same, with WFI between"),
    "timer_busy": Row("virtual timer to handler, guest busy", 150, (0, 208, 1087, 2983, 2478, 2609)),
    "timer_busy_max": Row("    the longest"),
    "timer_wfi_100us": Row("virtual timer to handler, in WFI, 100 us", 180, (16, 208, 4353, 2624, 2226, 4018)),
    "timer_wfi_100us_max": Row("    the longest"),
    "timer_wfi_5ms": Row("virtual timer to handler, in WFI, 5 ms", 180),
    "timer_wfi_5ms_max": Row("    the longest"),
    "ipi_one_way": Row("IPI one way, other vcpu busy", 550, (25, 812, 1633, 5164, 4222, None)),
    "ipi_round_trip": Row("IPI round trip, both busy", 1150, (134, 1708, 3585, 10980, 9116, None)),
    "ipi_round_trip_wfi_target": Row("IPI round trip, target in WFI", 1400, (136, 1710, 9682, 11368, 9409, None)),
    "ipi_round_trip_wfi_both": Row("IPI round trip, both in WFI"),
    "first_touch": Row("first touch of a page"),
    "second_touch": Row("second touch of a page", 5, (5, 5, 5, 5, 5, 5)),
}


def aim(name, gic):
    wanted = ROWS[name].aim
    return wanted if wanted is None or gic == 3 else round(wanted * GICV2_DEARER)


def parse(output):
    """{row: instructions} out of lines `name value ns`; what is no figure is left out."""
    words = [line.split() for line in output.replace("\r", "").splitlines()]
    return {name: float(value) for name, value, unit in (w for w in words if len(w) == 3) if unit == "ns"}


def run_guest(*arguments, limit=LIMIT):
    """Runs the guest that measures, on Bulkhead. Returns what it prints."""
    code, output = execute([BUILD / "bulkhead", "run", "--kernel", BUILD / "test/guest/exitbench.img", "--icount",
                            "--timeout", limit, *arguments], limit + 60, cwd=ROOT)
    if code != 0 or "GOOD: 0 failed" not in output:
        raise RuntimeError(f"exitbench did not end well (code {code}):\n{output}")
    return output


def guest(*arguments):
    """Its figures."""
    return parse(run_guest(*arguments))


def bare(cpu, gic, image=BUILD / "test/guest/exitbench.img", append=""):
    """The same figures without anything below: QEMU alone."""
    done = subprocess.run(["qemu-system-aarch64", "-M", f"virt,gic-version={gic},dtb-randomness=off", "-cpu", cpu,
                           "-smp", "2", "-m", "256", "-nographic", "-net", "none", "-icount", "shift=0,sleep=off",
                           "-kernel", image, "-append", append],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT,
                          check=True)
    return parse(done.stdout.decode(errors="replace"))


# How often exitbench.c does what a row is about: those that can be profiled.
TURNS = {"hvc_psci_version": 4096, "hvc_smccc_version": 4096, "idreg_read": 4096, "gicd_read": 4096, "uart_read": 4096,
         "rtc_write": 4096, "self_sgi": 4096, "self_sgi_wfi": 4096, "timer_busy": 2004, "timer_wfi_100us": 2004,
         "timer_wfi_5ms": 504, "ipi_one_way": 4096, "ipi_round_trip": 4096, "ipi_round_trip_wfi_target": 4096,
         "ipi_round_trip_wfi_both": 4096}


def profile(name, gic=3, cpu=CPUS[0]):
    """Prints where a row's instructions go, by function: the kernel's, the monitor's, the guest's. It runs twice: the
    guest says where it has been put, and every run is the same."""
    output = run_guest("--cpus", 2, "--cpu", cpu, "--gic", gic, "--append", f"profile={name}", "--show")
    begin, end = (int(place, 16) for place in re.search(r"profile_begin (\w+), profile_end (\w+)", output).groups())
    machine = shlex.split(output.splitlines()[0])
    execute([*machine, *instructions.plugin_option(begin, end)], LIMIT, cwd=ROOT)
    elf = BUILD / "test/guest/exitbench.elf"
    base = begin - {function: place for place, function in instructions.symbols(elf)}["profile_begin"]
    print(f"{name} on {cpu}, GICv{gic}: {parse(output)[name]:.0f} instructions")
    instructions.show(TURNS[name], instructions.symbols(BUILD / "kernel/kernel.elf"),
                      instructions.symbols(BUILD / "bin/vmm.elf"), instructions.symbols(elf, base))


def measure():
    """{row: {(cpu, gic): instructions}}"""
    machines = [(cpu, gic) for gic in GICS for cpu in CPUS]
    with ThreadPoolExecutor(JOBS) as pool:
        runs = dict(zip(machines, pool.map(lambda m: guest("--cpus", 2, "--cpu", m[0], "--gic", m[1]), machines)))
    return {name: {machine: runs[machine][name] for machine in machines} for name in ROWS}


def as_json(figures):
    return {name: {"aim": ROWS[name].aim, "peers": dict(zip(PEERS, ROWS[name].peers)),
                   **{f"{cpu}, GICv{gic}": value for (cpu, gic), value in values.items()}}
            for name, values in figures.items()}


def print_table(figures):
    columns = [f"{cpu[7:]}/v{gic}" for gic in GICS for cpu in CPUS]
    print(f"{'instructions':42}{'aim':>8}" + "".join(f"{column:>10}" for column in columns) + "  |"
          + "".join(f"{peer:>12}" for peer in PEERS))
    for name, values in figures.items():
        row = ROWS[name]
        missed = {machine: aim(name, machine[1]) is not None and value > aim(name, machine[1])
                  for machine, value in values.items()}
        ours = "".join(f"{value:>9.0f}{'!' if missed[machine] else ' '}" for machine, value in values.items())
        others = "".join(f"{'-' if value is None else value:>12}" for value in row.peers or [None] * len(PEERS))
        print(f"{row.title:42}{'' if row.aim is None else f'<= {row.aim}':>8}{ours}  |{others}")
    print(f"GICv2 may cost {GICV2_DEARER} times the aim; ! = above that.")
