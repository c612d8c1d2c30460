"""One image of hello on machines that differ: cores of other kinds, more cores than it needs, little and much memory,
every interrupt controller that QEMU has. And machines that the kernel cannot run on, which it tells."""

import re
import subprocess

import pytest

from runner.common import BUILD, ROOT

BULKHEAD = BUILD / "bulkhead"
HELLO = ROOT / "systems/hello/hello.system"
LIMIT = 120


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    image = tmp_path_factory.mktemp("machines") / "hello.img"
    subprocess.run([BULKHEAD, "build", HELLO, "-o", image], check=True, timeout=LIMIT)
    return image


def qemu(image, machine, *words):
    """Runs QEMU itself: on machines that `bulkhead run` does not offer. Returns what it printed."""
    done = subprocess.run(["qemu-system-aarch64", "-M", machine, "-nographic", "-net", "none", "-no-reboot",
                           "-kernel", image, *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT,
                          check=True)
    output = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    print(output)
    return output


def assert_hello(output):
    assert len(set(re.findall(r"^(core\d)\| hello, this is \1$", output, re.M))) == 4
    assert output.endswith("bulkhead: off, code 0\n")


@pytest.mark.parametrize("gic", [2, 3, 4])
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a57", "cortex-a72", "max,pauth-impdef=on"])
def test_cores_and_controllers(hello, cpu, gic):
    assert_hello(qemu(hello, f"virt,virtualization=on,gic-version={gic}", "-cpu", cpu, "-smp", "4", "-m", "512"))


@pytest.mark.parametrize("cores, gic", [(1, 3), (8, 2), (8, 3), (32, 3)])
def test_from_one_core_to_many(hello, cores, gic):
    output = qemu(hello, f"virt,virtualization=on,gic-version={gic}", "-cpu", "cortex-a53", "-smp", str(cores), "-m", "512")
    assert re.search(rf"Bulkhead \S+: {cores} core", output)
    if cores == 1:    # its description wants four
        assert 'init: protection_domain "core1"' in output
    else:
        assert_hello(output)


# Frames come from the high end of memory: with 6 GiB, above 4 GiB.
@pytest.mark.parametrize("memory", ["64", "6144"])
def test_memory(hello, memory):
    assert_hello(qemu(hello, "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a53", "-smp", "4", "-m", memory))


@pytest.mark.parametrize("machine", ["virt", "xlnx-zcu102"])
def test_started_without_el2(hello, machine):
    tree = [] if machine == "virt" else ["-dtb", BUILD / "guest/zynqmp-zcu102-rev1.0.dtb"]
    cpu = ["-cpu", "cortex-a53"] if machine == "virt" else []
    output = qemu(hello, machine, *cpu, "-m", "512", *tree)
    assert "bulkhead: started at EL1, but a hypervisor needs EL2" in output
    assert output.endswith("bulkhead: off, code 1\n")


def test_no_bundle():
    output = qemu(BUILD / "kernel/kernel.bin", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a53")
    assert "there is no bundle behind the kernel" in output
    assert output.endswith("bulkhead: off, code 1\n")


def test_damaged_bundle(hello, tmp_path):
    data = bytearray(hello.read_bytes())
    start = (BUILD / "kernel/kernel.bin").stat().st_size
    data[start + 8] ^= 0xFF    # the revision
    image = tmp_path / "damaged.img"
    image.write_bytes(data)
    output = qemu(image, "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a53")
    assert re.search("bundle has revision|no bundle", output)
    assert not output.endswith("code 0\n")
