"""`./bulkhead bench boot`: executed instructions from reset to a guest's first one, and to init in Linux beside the same
without a hypervisor; how large the kernel is, and how much building a system takes.

Linux without a hypervisor gets the device tree that our guest has, so that it finds the same devices. What then differs
is what exits cost; nearly all of them are the console's, one or two for each character, so there is a row with the
kernel's messages and one without (`quiet`).

`--profile reset` and `--profile linux`: where the instructions go, by program and function."""

import base64
import bisect
import re
import struct
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import exits
import instructions
from runner import initrd
from runner.common import BUILD, JOBS, ROOT, execute

CPU = "cortex-a53"
GIC = 3
CMDLINE = "cryptomgr.notests"
KERNEL_SIZE = 27_000_000    # bytes: what Debian's cloud kernel has
LINUX = BUILD / "guest/vmlinuz-cloud-arm64"
KERNEL = BUILD / "kernel/kernel.elf"
LIMIT = 300

# What Linux runs when it is up: the time, and the device tree for the run without a hypervisor.
SCRIPT = "echo init at $(/bin/now)\necho TREE\nbase64 /sys/firmware/fdt\necho END\n"

# {figure: (aim, what another stack has)}: seL4 16.0.0-dev with libvmm 0.2.0.
AIMS = {
    "reset to guest": (25e6, 350e6),
    "guest's entry to Linux's init": (None, None),
    "the same without a hypervisor": (None, None),
    "per cent more": (0.3, 0.3),
    "with messages on the console": (None, None),
    "those without a hypervisor": (None, None),
    "per cent more with messages": (None, None),
    "kernel text, bytes": (65536, 144e3),
    "objects for one Linux": (200, 7130),
    "system calls for one Linux": (500, 7037),
}


def padded(folder):
    """The guest that measures, as large as a kernel: loading it costs the same."""
    image = bytearray((BUILD / "test/guest/exitbench.img").read_bytes())
    image += bytes(range(256)) * ((KERNEL_SIZE - len(image)) // 256)
    image[16:24] = len(image).to_bytes(8, "little")    # image_size
    file = Path(folder) / "padded.img"
    file.write_bytes(image)
    return file


def entered(output):
    """When the guest was entered, and what its virtual counter said then."""
    figures = exits.parse(output)
    return figures["boot_to_guest"], figures["boot_to_guest"] - figures["virtual_offset"]


def bulkhead(kernel, append, *more):
    code, output = execute([BUILD / "bulkhead", "run", "--kernel", kernel, "--icount", "--cpu", CPU, "--gic", GIC,
                            "--memory", "256M", "--append", append, "--timeout", LIMIT, *more], LIMIT + 60, cwd=ROOT)
    assert code == 0, output
    return output


def bare(kernel, append, *more):
    code, output = execute(["qemu-system-aarch64", "-M", f"virt,gic-version={GIC},dtb-randomness=off", "-cpu", CPU,
                            "-m", "256", "-nographic", "-net", "none", "-icount", "shift=0,sleep=off",
                            "-kernel", kernel, "-append", append, *more], LIMIT, cwd=ROOT)
    assert code == 0, output
    return output


def init_at(output):
    """Virtual counter when Linux's init runs its first script."""
    return int(re.search(r"^init at (\d+)", output, re.M)[1])


def tree_of(output):
    """The device tree that Linux printed."""
    return base64.b64decode(re.search(r"^TREE\r?\n(.*?)^END", output, re.M | re.S)[1])


def compare(ours, theirs):
    return [ours, theirs, (ours - theirs) / theirs * 100]


def text_size():
    symbols = {name: address for address, name in instructions.symbols(KERNEL)}
    return symbols["__text_end"] - symbols["__kernel_start"]


def measure():
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(JOBS) as pool:
        image, disk, tree = padded(name), Path(name) / "initrd.cpio", Path(name) / "ours.dtb"
        disk.write_bytes(initrd.archive(SCRIPT, {"bin/now": (BUILD / "test/guest/linux/now").read_bytes()}))
        lines = (CMDLINE + " quiet", CMDLINE)
        reset = pool.submit(bulkhead, image, "boot=1")
        start = pool.submit(bulkhead, image, "boot=1", "--initrd", disk)    # as Linux has it
        ours = [pool.submit(bulkhead, LINUX, line, "--initrd", disk) for line in lines]
        tree.write_bytes(tree_of(ours[0].result()))
        theirs = [pool.submit(bare, LINUX, line, "-initrd", disk, "-dtb", tree) for line in lines]
        begun = entered(start.result())[1]
        linux = [figure for a, b in zip(ours, theirs)
                 for figure in compare(init_at(a.result()) - begun, init_at(b.result()))]
        built = re.search(r"built with (\d+) objects and (\d+) system calls", ours[0].result())
        return dict(zip(AIMS, [entered(reset.result())[0], *linux, text_size(), int(built[1]), int(built[2])]))


def as_json(figures):
    return {name: {"aim": AIMS[name][0], "seL4+libvmm": AIMS[name][1], "value": value}
            for name, value in figures.items()}


def print_table(figures):
    print(f"{'instructions':34}{'aim':>14}{CPU:>16}{'seL4+libvmm':>16}")
    for name, value in figures.items():
        aim, other = AIMS[name]
        show = "{:,.2f}" if "cent" in name else "{:,.0f}"
        texts = ["" if figure is None else show.format(figure) for figure in (aim, value, other)]
        print(f"{name:34}{texts[0] and '<= ' + texts[0]:>14}{texts[1]:>15}{'!' if aim and value > aim else ' '}"
              f"{texts[2]:>16}")


# ---- Profiles --------------------------------------------------------------------------------------------------------

PROFILES = ("reset", "linux")
KERNEL_ENTRY = 0x40200000    # where QEMU loads our image, and where the guest's begins in its RAM
GUEST_ENTRY = 0x40000000
NEVER = 0

PROGRAMS = {"kernel": KERNEL, "init": BUILD / "init/init.elf", "vmm": BUILD / "bin/vmm.elf",
            "uart": BUILD / "bin/uart_driver.elf"}


class Program:
    """Executable bytes and functions: tells whether an instruction at an address is its own, since processes have the
    same addresses."""

    def __init__(self, path):
        data = path.read_bytes()
        headers, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
        rows = [struct.unpack_from("<IIQQQQ", data, headers + 56 * i) for i in range(count)]
        self.segments = [(vaddr, data[offset:offset + size]) for kind, flags, offset, vaddr, _, size in rows
                         if kind == 1 and flags & 1]
        self.symbols = instructions.symbols(path)

    def function(self, address, word):
        for base, text in self.segments:
            if 0 <= address - base < len(text) and text[address - base:address - base + 4] == word:
                return self.symbols[bisect.bisect_right(self.symbols, (address, "~")) - 1][1]
        return None


def counted():
    """{(program, function): instructions} of what the plugin counted."""
    programs = {name: Program(path) for name, path in PROGRAMS.items()}
    found = {}
    for line in instructions.COUNTS.read_text().splitlines():
        address, times, word = line.split()
        place = int(address, 16), int(word, 16).to_bytes(4, "little")
        owner = next(((name, function) for name, program in programs.items()
                      if (function := program.function(*place)) is not None), ("guest", ""))
        found[owner] = found.get(owner, 0) + int(times)
    return found


def profile(name):
    """Where the instructions go until the guest's first one, or until Linux has switched off."""
    instructions.build_plugin()
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder) / "initrd.cpio"
        disk.write_bytes(initrd.archive("poweroff -f\n"))
        guest = (padded(folder), "boot=1") if name == "reset" else (LINUX, CMDLINE, "--initrd", disk)
        line = re.search(r"^qemu-system-aarch64 .*", bulkhead(*guest, "--show"), re.M)[0].split()
        end = GUEST_ENTRY if name == "reset" else NEVER
        plugin = f"{instructions.PLUGIN},begin={KERNEL_ENTRY:x},end={end:x},out={instructions.COUNTS}"
        subprocess.run([*line, "-plugin", plugin], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True,
                       timeout=LIMIT)
    found = counted()
    for program in (*PROGRAMS, "guest"):
        print(f"{sum(times for (owner, _), times in found.items() if owner == program):14,}  {program}")
    for (program, function), times in sorted(found.items(), key=lambda item: -item[1])[:40]:
        print(f"{times:14,}  {program}: {function}")
