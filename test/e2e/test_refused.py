"""Descriptions that do not fit the machine at hand: init refuses them at boot with a line that names the element, and
the system ends with code 1 before any process has run. Limits of time are for hangs only."""

import re
import subprocess

import pytest

from runner.common import BUILD

BULKHEAD = BUILD / "bulkhead"
LIMIT = 60

# Line 1 is <system>; what a test adds stands on lines 2 (root), 3 (process) and 5 (in the process).
TEMPLATE = """<system>
    {root}
    <protection_domain name="only" priority="100" {attributes}>
        <program_image path="uart_driver.elf"/>
        {inside}
    </protection_domain>
</system>
"""


def region(name, *attributes):
    """A region and its map."""
    text = f'<memory_region name="{name}" ' + " ".join(attributes) + "/>"
    return {"root": text, "inside": f'<map mr="{name}" vaddr="0x4000_0000"/>'}


def run(tmp_path, *machine, root="", attributes="", inside=""):
    """Runs such a description. Returns exit code and what init said."""
    file = tmp_path / f"{tmp_path.parent.name}-{tmp_path.name}.system"    # the tool names the image after it
    file.write_text(TEMPLATE.format(root=root, attributes=attributes, inside=inside))
    command = [BULKHEAD, "run", file, "--search-path", BUILD / "bin", "--timeout", str(LIMIT), *machine]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=2 * LIMIT, check=False)
    output = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    print(output)
    return done.returncode, re.findall(r"^init: (.*)$", output, re.M)


def assert_refused(result, *starts):
    """Exactly these lines (their beginnings) were said, and nothing was built."""
    code, said = result
    assert [line for line, start in zip(said, starts, strict=True) if not line.startswith(start)] == []
    assert code == 1


def test_too_much_memory(tmp_path):
    assert_refused(run(tmp_path, **region("lake", 'size="0x1_0000_0000"')),
                   'memory_region "lake" (line 2): its 4194304 KiB don\'t fit: ')


def test_regions_that_fit_only_one_by_one(tmp_path):
    root = "".join(f'<memory_region name="{name}" size="0x2800_0000"/>' for name in ("first", "second"))
    assert_refused(run(tmp_path, "--memory", "1024M", root=root),
                   'memory_region "second" (line 2): its 655360 KiB don\'t fit: ')


def test_a_cpu_beyond_the_cores(tmp_path):
    assert_refused(run(tmp_path, "--cpus", "2", attributes='cpu="2"'),
                   'protection_domain "only" (line 3): there is no cpu 2: this machine runs 2 cores')


@pytest.mark.parametrize("address, why", [
    ("0x4020_0000", "the 4 KiB at physical address 0x40200000 are not all there and free"),       # the kernel
    ("0x3000_0000_0000", "at physical address 0x300000000000 this machine has neither memory nor a device"),
    ("0xff00_0000", "at physical address 0xff000000 this machine has neither memory nor a device"),  # a ZCU102's UART
    ("0x800_0000", "at 0x8000000, 4 KiB: the kernel keeps what is there for itself"),                # the GIC
])
def test_fixed_addresses(tmp_path, address, why):
    assert_refused(run(tmp_path, **region("there", 'size="0x1000"', f'phys_addr="{address}"')),
                   f'memory_region "there" (line 2): {why}')


def test_fixed_memory_that_the_machine_has_not(tmp_path):
    assert_refused(run(tmp_path, "--memory", "512M", **region("high", 'size="0x20_0000"', 'phys_addr="0x7000_0000"')),
                   'memory_region "high" (line 2): at physical address 0x70000000 this machine has neither')


def test_fixed_memory_that_is_there(tmp_path):
    regions = [("0x6000_1000", "0x1000"), ("0x6000_2000", "0x3000"), ("0x5810_0000", "0x30_0000"),
               ("0x5000_0000", "0x40_0000")]
    root = "".join(f'<memory_region name="r{i}" size="{size}" phys_addr="{address}"/>'
                   for i, (address, size) in enumerate(regions))
    inside = "".join(f'<map mr="r{i}" vaddr="{0x40000000 + 0x1000000 * i:#x}"/>' for i in range(len(regions)))
    # Everything is built (and then one thing too many is asked for, so that the run ends by itself).
    taken = '<memory_region name="again" size="0x1000" phys_addr="0x800_0000"/>'
    assert_refused(run(tmp_path, root=root + taken, inside=inside + '<map mr="again" vaddr="0x5000_0000"/>'),
                   'memory_region "again" (line 2): at 0x8000000, 4 KiB: the kernel keeps what is there')


@pytest.mark.parametrize("number", ["500", "900"])
def test_an_interrupt_that_does_not_exist(tmp_path, number):
    assert_refused(run(tmp_path, inside=f'<irq irq="{number}" id="3"/>'),
                   f'irq of "only" (line 5): there is no interrupt {number} for a process')


def test_a_device_that_is_not_in_the_tree(tmp_path):
    assert_refused(run(tmp_path, **region("screen", 'device="vendor,screen /soc/display display0"')),
                   'memory_region "screen" (line 2): this machine has no device "vendor,screen /soc/display display0"')


def test_an_interrupt_that_a_device_does_not_have(tmp_path):
    assert_refused(run(tmp_path, root='<memory_region name="uart" device="stdout"/>',
                       inside='<map mr="uart" vaddr="0x4000_0000"/><irq device="uart" index="3" id="0"/>'),
                   'irq of "only" (line 5): the device of region "uart" has no interrupt 3')


def test_a_device_for_two(tmp_path):
    root = '<memory_region name="a" device="stdout"/><memory_region name="b" device="arm,pl011"/>'
    assert_refused(run(tmp_path, root=root,
                       inside='<map mr="a" vaddr="0x4000_0000"/><map mr="b" vaddr="0x5000_0000"/>'),
                   'memory_region "b" (line 2): the device "arm,pl011" belongs to another region')


def test_everything_that_is_wrong_is_said(tmp_path):
    assert_refused(run(tmp_path, root='<memory_region name="screen" device="vendor,screen"/>', attributes='cpu="9"',
                       inside='<irq irq="1000" id="1"/><map mr="screen" vaddr="0x4000_0000"/>'),
                   'memory_region "screen" (line 2)', 'irq of "only" (line 5)', 'protection_domain "only" (line 3)')


@pytest.mark.parametrize("machine", [["--gic", "2"], ["--board", "zcu102"]], ids=["GICv2", "zcu102"])
def test_on_other_machines(tmp_path, machine):
    assert_refused(run(tmp_path, *machine, root='<memory_region name="screen" device="vendor,screen"/>',
                       attributes='cpu="4"', inside='<map mr="screen" vaddr="0x4000_0000"/>'),
                   'memory_region "screen" (line 2)', 'protection_domain "only" (line 3): there is no cpu 4')
