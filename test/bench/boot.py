"""`./bulkhead bench boot`: executed instructions from reset to a guest's first one, and to a shell in Linux, beside the
same without a hypervisor."""

import re
import tempfile
from pathlib import Path

import exits
from runner import initrd
from runner.common import BUILD, ROOT, execute

CPU = "cortex-a53"
GIC = 3
CMDLINE = "cryptomgr.notests"
KERNEL_SIZE = 27_000_000    # bytes: what Debian's cloud kernel has
LINUX = BUILD / "guest/vmlinuz-cloud-arm64"
LIMIT = 300

# {figure: (aim, what another stack has)}: seL4 16.0.0-dev with libvmm 0.2.0.
AIMS = {
    "reset to guest": (25e6, 350e6),
    "guest's entry to Linux's init": (None, None),
    "the same without a hypervisor": (None, None),
    "per cent more": (0.3, 0.3),
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


def linux(run, option, file):
    """Virtual counter when Linux's init runs its first script."""
    output = run(LINUX, CMDLINE, option, file)
    return int(re.search(r"^init at (\d+)", output, re.M)[1])


def measure():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "initrd.cpio"
        file.write_bytes(initrd.archive("echo init at $(/bin/now)\n",
                                        {"bin/now": (BUILD / "test/guest/linux/now").read_bytes()}))
        reset, start = entered(bulkhead(padded(folder), "boot=1"))
        ours = linux(bulkhead, "--initrd", file) - start
        _, start = entered(bare(padded(folder), "boot=1"))
        theirs = linux(bare, "-initrd", file) - start
    return dict(zip(AIMS, [reset, ours, theirs, (ours - theirs) / theirs * 100]))


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
