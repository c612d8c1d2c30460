"""Virtual machines: what the short form at the root comes to, what of them is in the bundle, what kernels may be packed
as, and `bulkhead run --kernel` around a QEMU that is none."""

import gzip
import os
import struct
import subprocess
import time

import bundle
import pexpect
import pytest
from bundle import EXECUTE, NONE, READ, UNCACHED, WRITE
from conftest import messages
from programs import workshop    # noqa: F401 (a fixture)

from runner.common import BUILD

BUNDLE_AT = 8192    # programs.py's kernel, rounded up to a page
MEMORY, IMAGES, STRIDE = 0x1000000000, 0x5000000000, 0x100000000
RAM_IPA = 0x40000000
VARIABLES = "unsigned long {0} = 1;\n"
MUX = "".join(VARIABLES.format(name) for name in
              ["driver", "config", "config_size", *(f"client{n}" for n in range(1, 10))])


def image(size=0x3000, text_offset=0, image_size=None, fill=b"k"):
    """An arm64 Image."""
    header = struct.pack("<IIQQQQQQ4sI", 0x14000010, 0, text_offset, size if image_size is None else image_size, 0xa, 0, 0, 0,
                         b"ARM\x64", 0)
    return header.ljust(size, fill)


def device_tree(size=0x80):
    return struct.pack(">10I", 0xd00dfeed, size, 0x38, 0x48, 0x28, 17, 16, 0, 8, 8).ljust(size, b"\0")


def zstd_block(kind, size, content, last=False):
    return struct.pack("<I", last | kind << 1 | size << 3)[:3] + content


def zstd(content):
    """A frame with a window of 2 MiB, its blocks not compressed (RFC 8878)."""
    pieces = [content[at:at + 0x10000] for at in range(0, len(content), 0x10000)]
    blocks = [zstd_block(0, len(piece), piece) for piece in pieces]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(blocks) + zstd_block(0, 0, b"", last=True)


def zstd_bomb(size):
    return b"\x28\xb5\x2f\xfd\x00\x58" + zstd_block(1, 0x10000, b"x") * (size // 0x10000) + zstd_block(0, 0, b"", last=True)


def zboot(payload, method=b"gzip"):
    return (b"MZ\0\0zimg" + struct.pack("<IIII", 0x100, len(payload), 0, 0) + method.ljust(32, b"\0")).ljust(0x100, b"\0") + payload


@pytest.fixture
def shop(workshop):    # noqa: F811
    """The workshop with the programs that the short form needs, and files to start from."""
    workshop.elf("vmm.elf", VARIABLES.format("serial_region") + VARIABLES.format("serial_channel"))
    workshop.elf("uart_driver.elf", VARIABLES.format("wire"))
    workshop.elf("serial_mux.elf", MUX)
    workshop.write("Image", image())
    workshop.write("initrd", b"i" * 5000)
    workshop.write("guest.dtb", device_tree())
    return workshop


def read(shop):
    return bundle.Bundle((shop.folder / "image.img").read_bytes(), BUNDLE_AT)


def built(shop, *lines, options=()):
    assert shop.build(shop.describe(*lines), *options) == (0, [])
    return read(shop)


def refused(shop, *lines, options=()):
    file = shop.describe(*lines)
    code, errors = shop.build(file, *options)
    assert code == 1
    return [line.replace(str(shop.folder), "@") for line in messages(errors, file)]


def guest(attributes="", inside="", name="web"):
    return f'<virtual_machine name="{name}" {attributes}><kernel path="Image"/>{inside}</virtual_machine>'


def region(b, name):
    return next(region for region in b.regions if region.name == name)


def maps(b, process):
    index = b.processes.index(b.process(process))
    return {b.regions[map.region].name: (map.vaddr, map.perms) for map in b.maps if map.process == index}


# ---- The short form --------------------------------------------------------------------------------------------------

def test_a_virtual_machine_alone(shop):
    b = built(shop, guest('memory="32M"'))
    assert [process.name for process in b.processes] == ["web"]
    assert (b.flags, b.cores, b.channels, b.irqs) == (0, 1, [], [])
    ram, kernel = b.regions
    assert (ram.name, ram.size, ram.page_size, ram.flags, ram.prefill_size) == ("web_ram", 32 << 20, 0x200000, 0, 0)
    assert (kernel.name, kernel.size, kernel.page_size, kernel.flags, kernel.paddr) == ("web_kernel", 0x3000, 0x1000, 1,
                                                                                        bundle.ANYWHERE)
    assert b.blob(kernel.prefill_offset, kernel.prefill_size) == image()
    assert maps(b, "web") == {"web_ram": (MEMORY, READ | WRITE), "web_kernel": (IMAGES, READ)}
    assert b.guest_maps == [{"vm": 0, "region": 0, "ipa": RAM_IPA, "perms": READ | WRITE | EXECUTE, "line": 2}]
    assert b.vms == [{"name": "web", "process": 0, "line": 2, "vcpu_first": 0, "vcpu_count": 1, "ram": 0, "kernel": 1,
                      "initrd": NONE, "dtb": NONE, "ram_ipa": RAM_IPA, "ram_vaddr": MEMORY, "kernel_vaddr": IMAGES,
                      "initrd_vaddr": 0, "dtb_vaddr": 0, "cmdline": "", "flags": 0, "on_reset": 0, "on_poweroff": 1,
                      "on_crash": 1, "restarts": 5, "window_s": 60, "console": NONE}]
    assert b.vcpus == [{"vm": 0, "id": 0, "core": 0, "priority": 100, "budget_us": 1000, "period_us": 1000}]
    assert (b.processes[0].priority, b.processes[0].stack_size) == (101, 0x8000)


def test_everything_of_the_short_form(shop):
    b = built(shop, guest('cpus="3" memory="64M" priority="7" budget="100" period="200" cpu="2" on_reset="stop" '
                          'on_poweroff="shutdown" on_crash="restart" restarts="9" window="8" trace="exits"',
                          '<initrd path="initrd"/><dtb path="guest.dtb"/><cmdline> a &lt;b&gt;\n  c  d </cmdline><console/>'))
    vm = b.vms[0]
    assert (vm.cmdline, vm.flags, vm.on_reset, vm.on_poweroff, vm.on_crash, vm.restarts, vm.window_s) == \
        ("a <b> c  d", 1, 1, 2, 0, 9, 8)
    assert (vm.initrd_vaddr, vm.dtb_vaddr, vm.console) == (IMAGES + STRIDE, IMAGES + 2 * STRIDE, 0)
    for name, content in ("web_initrd", b"i" * 5000), ("web_dtb", device_tree()):
        r = region(b, name)
        assert r.flags == 1
        assert b.blob(r.prefill_offset, r.prefill_size) == content
    assert [(vcpu.id, vcpu.core, vcpu.priority, vcpu.budget_us, vcpu.period_us) for vcpu in b.vcpus] == \
        [(0, 2, 7, 100, 200), (1, 3, 7, 100, 200), (2, 0, 7, 100, 200)]
    assert (b.process("web").core, b.process("web").priority, b.cores, b.flags) == (2, 8, 4, 1)


def test_vcpus_go_round_the_cores_there_are(shop):
    assert [vcpu.core for vcpu in built(shop, guest('cpus="5"')).vcpus] == [0, 1, 2, 3, 0]
    b = built(shop, guest('cpus="8" cpu="5"'), options=["--cores", "6"])
    assert [vcpu.core for vcpu in b.vcpus] == [5, 0, 1, 2, 3, 4, 5, 0]
    assert refused(shop, guest('cpu="1"'), options=["--cores", "1"]) == [
        "2:29: cpu 1 does not exist on a machine of 1 cores, use 0..0"]


def variables_of_vmm(b, name):
    """serial_region and serial_channel, in whatever order the compiler has put them."""
    return sorted(struct.unpack("<QQ", b.memory(b.process(name), 0x201000, 16)))


def test_one_console_needs_no_mux(shop):
    b = built(shop, guest("", "<console/>"))
    assert [process.name for process in b.processes] == ["web", "uart_driver"]
    assert maps(b, "uart_driver") == {"uart": (0x10000000, READ | WRITE | UNCACHED), "web_console": (0x20000000, READ | WRITE)}
    assert maps(b, "web")["web_console"] == (0x20000000, READ | WRITE)
    assert (region(b, "web_console").size, region(b, "uart").device.split()[0]) == (0x4000, "stdout")
    assert [(c.process0, c.id0, c.notify0, c.process1, c.id1, c.notify1) for c in b.channels] == [(0, 0, 1, 1, 1, 1)]
    assert [vm.console for vm in b.vms] == [0]
    assert variables_of_vmm(b, "web") == [1, 0x20000000]    # serial_region is set, serial_channel isn't
    assert b.flags == 1


def test_several_consoles_share_the_mux(shop):
    b = built(shop, guest("", "<console/>"), guest("", "<console/>", name="a_name_that_is_long"))
    driver, mux, *vmms = b.processes
    assert [process.name for process in b.processes] == ["uart_driver", "serial_mux", "web", "a_name_that_is_long"]
    assert driver.priority > mux.priority > vmms[0].priority > b.vcpus[0].priority
    assert mux.flags & 8    # may end the system
    assert maps(b, "serial_mux").keys() == {"wire", "web_console", "a_name_that_is_long_console", "mux_config"}
    assert [(c.process0, c.id0, c.process1, c.id1) for c in b.channels] == [(1, 0, 0, 1), (2, 0, 1, 1), (3, 0, 1, 2)]
    config = region(b, "mux_config")
    assert b.blob(config.prefill_offset, config.prefill_size) == b"name 1 web\nname 2 a_name_that_is_\n"


def test_a_vmm_without_a_console_beside_one_has_a_link(shop):
    b = built(shop, guest(name="mute"), guest("", "<console/>"))
    assert [process.name for process in b.processes] == ["uart_driver", "serial_mux", "mute", "web"]
    assert maps(b, "serial_mux").keys() == {"wire", "mute_log", "web_console", "mux_config"}
    assert maps(b, "mute")["mute_log"] == (0x20000000, READ | WRITE)
    assert [(c.process0, c.id0, c.process1, c.id1) for c in b.channels] == [(1, 0, 0, 1), (2, 0, 1, 2), (3, 0, 1, 1)]
    assert [vm.console for vm in b.vms] == [NONE, 0]
    config = region(b, "mux_config")    # what is typed goes to number 1 at first
    assert b.blob(config.prefill_offset, config.prefill_size) == b"name 2 mute\nname 1 web\n"
    assert variables_of_vmm(b, "mute") == [0, 0x20000000]


def test_consoles_are_served_before_vmms_without_one(shop):
    consoles, mute = "<console/>", ""
    b = built(shop, *(guest("", element, name=f"vm{n}") for n, element in enumerate([mute] * 3 + [consoles] * 8)))
    assert sorted(name for name in maps(b, "serial_mux") if "_log" in name) == ["vm0_log"]
    assert built(shop, guest(), guest(name="db")).channels == []


def test_a_console_that_the_description_keeps(shop):
    file = shop.write("a.system", f'<system console="on">{guest("", "<console/>")}</system>')
    assert shop.build(file) == (0, [])
    assert read(shop).flags == 0


def test_what_is_shown_builds_the_same(shop):
    file = shop.describe('<memory_region name="m" size="0x1000"><prefill>a &lt;\n b</prefill></memory_region>',
                         guest('cpus="2"', "<cmdline>x=\"1\"\n&amp; y</cmdline><console/>"),
                         '<protection_domain name="own"><program_image path="vmm.elf"/><map mr="m" vaddr="0x1000000"/>'
                         '</protection_domain>', guest(' on_crash="stop"', '<initrd path="initrd"/><console/>', "db"))
    assert shop.build(file) == (0, [])
    before = read(shop)
    code, plain, errors = shop.tool("check", file, "--show")
    assert (code, errors) == (0, [])
    assert shop.build(shop.write("plain.system", plain)) == (0, [])
    after = read(shop)
    # Our own domain stands before those that were made, in both.
    for table in bundle.TABLES:
        for record in getattr(before, table) + getattr(after, table):
            record.pop("line", None)
        assert getattr(before, table) == getattr(after, table), table
    assert shop.tool("build", shop.folder / "plain.system", "--show", "--kernel", shop.kernel, "--init", shop.init, "-o",
                     shop.folder / "image.img")[1] == plain


def test_the_same_kernel_is_packed_once(shop):
    one = built(shop, guest())
    two = built(shop, guest(), guest(name="db"))
    kernels = [region(two, name) for name in ("web_kernel", "db_kernel")]
    assert kernels[0].prefill_offset == kernels[1].prefill_offset
    assert two.size - one.size <= 2 * bundle.PAGE


# ---- The long form ---------------------------------------------------------------------------------------------------

LONG = """<memory_region name="ram" size="0x400000"/>
<memory_region name="device" size="0x2000" phys_addr="0x9000000"/>
<protection_domain name="vmm" cpu="1" priority="9"><program_image path="vmm.elf"/>
<map mr="ram" vaddr="0x40000000" setvar_vaddr="serial_region"/>
<virtual_machine name="linux" priority="8" budget="10" period="20">
<vcpu id="4"/><vcpu id="2" cpu="3" setvar_id="second"/>
<map mr="ram" vaddr="0x80000000" perms="rwx"/>
<map mr="device" vaddr="0x1000" perms="rw" cached="false"/>
</virtual_machine></protection_domain>"""


def test_the_long_form(shop):
    shop.elf("vmm.elf", VARIABLES.format("serial_region") + VARIABLES.format("second"))
    b = built(shop, LONG)
    vm = b.vms[0]
    assert (vm.ram, vm.kernel, vm.initrd, vm.dtb, vm.console) == (NONE,) * 5
    assert (vm.vcpu_count, vm.cmdline, vm.line) == (2, "", 6)
    assert [(vcpu.id, vcpu.core, vcpu.priority, vcpu.budget_us) for vcpu in b.vcpus] == [(0, 1, 8, 10), (1, 3, 8, 10)]
    assert [(map.region, map.ipa, map.perms, map.line) for map in b.guest_maps] == \
        [(1, 0x1000, READ | WRITE | UNCACHED, 9), (0, 0x80000000, READ | WRITE | EXECUTE, 8)]    # by address
    assert (len(b.maps), b.cores) == (1, 4)
    assert 2 in struct.unpack("<2Q", b.memory(b.processes[0], 0x201000, 16))    # second


def test_the_older_form(shop):
    b = built(shop, '<protection_domain name="vmm" cpu="2"><program_image path="vmm.elf"/>'
                    '<virtual_machine name="v" id="5"/></protection_domain>')
    assert [(vcpu.id, vcpu.core) for vcpu in b.vcpus] == [(0, 2)]


# ---- Kernels ---------------------------------------------------------------------------------------------------------

BIG = image(200_000, fill=b"K")
PACKED = {
    "image": BIG,
    "gzip": gzip.compress(BIG),
    "gzip_and_more": gzip.compress(BIG) + b"signature",
    "zstd": zstd(BIG),
    "zboot_gzip": zboot(gzip.compress(BIG)),
    "zboot_zstd": zboot(zstd(BIG), b"zstd"),
    "zboot_zstd22": zboot(zstd(BIG) + struct.pack("<I", len(BIG)), b"zstd22"),
    "gzip_in_zboot": gzip.compress(zboot(gzip.compress(BIG))),
}


@pytest.mark.parametrize("content", PACKED.values(), ids=PACKED)
def test_kernels_are_unpacked(shop, content):
    shop.write("Image", content)
    b = built(shop, guest())
    kernel = region(b, "web_kernel")
    assert b.blob(kernel.prefill_offset, kernel.prefill_size) == BIG


def test_a_raw_kernel(shop):
    shop.write("Image", b"\x55" * 999)
    kernel = region(built(shop, guest()), "web_kernel")
    assert (kernel.prefill_size, kernel.size) == (999, 0x1000)


def test_an_initrd_stays_packed(shop):
    packed = gzip.compress(b"i" * 10000)
    shop.write("initrd", packed)
    b = built(shop, guest("", '<initrd path="initrd"/>'))
    initrd = region(b, "web_initrd")
    assert b.blob(initrd.prefill_offset, initrd.prefill_size) == packed


NO_KERNELS = {
    "empty": (b"", "is empty, name a kernel"),
    "elf": (b"\x7fELF\x02\x01\x01".ljust(100), "is an ELF file, name the Image or make it raw: objcopy -O binary"),
    "x86": (b"MZ".ljust(0x202) + b"HdrS" + bytes(1000), "is a kernel for x86, name one for 64-bit Arm"),
    "arm": (bytes(0x24) + struct.pack("<I", 0x016f2818) + bytes(100), "is a kernel for 32-bit Arm, name one for 64-bit Arm"),
    "riscv": (bytes(0x38) + b"RSC\x05" + bytes(100), "is a kernel for RISC-V, name one for 64-bit Arm"),
    "xz": (b"\xfd7zXZ\0" + bytes(50), "is packed with xz, unpack it first: unxz"),
    "bzip2": (b"BZh9" + bytes(50), "is packed with bzip2, unpack it first: bunzip2"),
    "lz4": (b"\x02\x21\x4c\x18" + bytes(50), "is packed with lz4, unpack it first: unlz4"),
    "uboot": (b"\x27\x05\x19\x56" + bytes(50), "is wrapped for U-Boot, name the Image in it"),
    "device_tree": (device_tree(), "is a device tree, name a kernel"),
    "gzip_cut": (gzip.compress(BIG)[:-9], "is packed with gzip and damaged, fetch it again"),
    "gzip_damaged": (gzip.compress(BIG)[:20] + b"\xff" * 50, "is packed with gzip and damaged, fetch it again"),
    "gzip_header_only": (b"\x1f\x8b", "is packed with gzip and damaged, fetch it again"),
    "zstd_cut": (zstd(BIG)[:-9], "is packed with zstd and damaged, fetch it again"),
    "zstd_header_only": (b"\x28\xb5\x2f\xfd", "is packed with zstd and damaged, fetch it again"),
    "zboot_cut": (zboot(gzip.compress(BIG))[:-1], "is an EFI zboot kernel and damaged, fetch it again"),
    "zboot_lzma": (zboot(b"x" * 50, b"lzma"), "is an EFI zboot kernel packed with 'lzma', use gzip or zstd"),
    "gzip_bomb": (gzip.compress(bytes(300 << 20), 1), "unpacks to more than 0x200000 bytes, give the guest more memory"),
    "zstd_bomb": (zstd_bomb(300 << 20), "unpacks to more than 0x200000 bytes, give the guest more memory"),
    "x86_packed": (gzip.compress(bytes(0x202) + b"HdrS" + bytes(50)), "is a kernel for x86, name one for 64-bit Arm"),
    "layers": (gzip.compress(gzip.compress(gzip.compress(gzip.compress(BIG)))), "is packed more than twice, unpack it first"),
}


@pytest.mark.parametrize("content, message", NO_KERNELS.values(), ids=NO_KERNELS)
def test_what_is_no_kernel(shop, content, message):
    shop.write("Image", content)
    assert refused(shop, guest('memory="2M"')) == [f"2:49: '@/Image' {message}"]


def test_files_that_are_missing(shop):
    for name in "Image", "initrd", "guest.dtb", "vmm.elf":
        (shop.folder / name).unlink()
    mend = "build it or add --search-path FOLDER"
    assert refused(shop, guest("", '\n<initrd path="initrd"/>\n<dtb path="guest.dtb"/>')) == [
        f"2:1: there is no file 'vmm.elf', {mend}", f"2:38: there is no file 'Image', {mend}",
        f"3:9: there is no file 'initrd', {mend}", f"4:6: there is no file 'guest.dtb', {mend}"]


def test_a_device_tree_that_is_none(shop):
    for content in b"x" * 100, device_tree()[:20], device_tree(0x80)[:0x7f], device_tree().replace(b"\xd0\r", b"\xd0\n"):
        shop.write("guest.dtb", content)
        assert refused(shop, guest("", '<dtb path="guest.dtb"/>')) == ["2:57: '@/guest.dtb' is no device tree, name a .dtb file"]


def needs(size, need):
    return (f"2:29: 'web' has 0x{size:x} bytes of memory and what it starts from needs 0x{need:x}, give it more")


def test_kernels_that_do_not_fit(shop):
    memory = 0x200000
    for content, need in ((image(image_size=memory + 1), memory + 1), (image(text_offset=memory), memory + 0x3000),
                          (image(memory), memory), (image(0x1000, image_size=0x10), 0x1000), (b"r" * (memory - 0x80000), memory),
                          (b"r" * (memory - 0x7ffff), memory + 1), (image(text_offset=1 << 63, image_size=1 << 63), 2**64 - 1)):
        shop.write("Image", content)
        if need <= memory:
            built(shop, guest('memory="2M"'))
        else:
            assert refused(shop, guest('memory="2M"')) == [needs(memory, need)]


def test_images_that_do_not_fit_together(shop):
    shop.write("initrd", bytes(0x1fe000))
    assert refused(shop, guest('memory="2M"', '<initrd path="initrd"/>')) == [needs(0x200000, 0x201000)]


# ---- The report ------------------------------------------------------------------------------------------------------

def test_the_report_says_who_touches_a_guest(shop):
    built(shop, guest('cpus="2" memory="32M" trace="exits"', '<initrd path="initrd"/><cmdline>quiet</cmdline><console/>'))
    report = (shop.folder / "image.report.txt").read_text()
    start = report.index("Virtual machines\n")
    assert report[start:report.index("\n\n", start)].splitlines()[1:] == [
        "  web, run by web: vcpus on cores 0 1", "    its RAM, web_ram: 0x2000000 bytes at 0x40000000, touched by",
        "      rwx web's virtual machine web", "      rw- web", "    starts from the kernel in web_kernel, filled from Image",
        "    starts from the initrd in web_initrd, filled from initrd", "    command line: quiet",
        "    its console is its VMM's id 0",
        "    when it resets: restart, powers off: stop, crashes: stop; at most 5 restarts in 60 seconds",
        "    its exits are counted"]
    assert "runs web, vcpus on cores 0 1" in (shop.folder / "image.svg").read_text()


# ---- run --kernel ----------------------------------------------------------------------------------------------------

OFF = "bulkhead: off, code"


@pytest.fixture
def run(shop):
    """run(script, *options): a guest, with a shell script in QEMU's place."""
    def start(script, *options, wait=True):
        qemu = shop.write("qemu-system-aarch64", f"#!/bin/sh\n{script}\n")
        qemu.chmod(0o755)
        environment = {**os.environ, "PATH": f"{shop.folder}:{os.environ['PATH']}"}
        command = [str(BUILD / "bulkhead"), "run", *options, "--kernel", str(shop.folder / "Image"), "--init", str(shop.init),
                   "--search-path", str(shop.folder)]
        if not wait:
            return command, environment
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL)

    start.folder = shop.folder
    return start


def test_only_the_guest_s_output_is_shown(run):
    done = run(f"printf 'Bulkhead 0.1: 1 cores\\nhello\\r\\nlogin: bulkhead: it is off\\n{OFF} 0\\n'")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\nlogin: ", "bulkhead: it is off\n")


def test_a_crash_has_a_reason(run):
    done = run(f"printf 'x\\nbulkhead: guest: it touched 0x123\\n{OFF} 1\\n'")
    assert (done.returncode, done.stdout, done.stderr) == (1, "x\n", "bulkhead: guest: it touched 0x123\n")
    done = run(f"echo {OFF} 1")
    assert (done.returncode, done.stdout, done.stderr) == (
        1, "", "bulkhead: the guest crashed, and the system ended with code 1\n")
    done = run("echo 'init: protection_domain \"guest\": no memory'; echo bulkhead: off, code 1")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", 'init: protection_domain "guest": no memory\n')


def test_the_time_is_up(run):
    done = run("printf 'boo bulk'; exec sleep 100", "--timeout", "1")
    assert (done.returncode, done.stdout, done.stderr) == (124, "boo bulk", "bulkhead: the time is up, QEMU was ended\n")


def test_what_could_be_ours_is_not_held_for_long(run):
    command, environment = run("printf 'ab'; exec sleep 100", wait=False)
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        start = time.monotonic()
        assert process.stdout.read(2) == b"ab"
        assert time.monotonic() - start < 20
        process.terminate()


def words(run, *options):
    done = run(f'echo "$@"; echo {OFF} 0', *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_machine_has_what_the_guest_takes(run):
    line = words(run)
    assert "-smp 1 " in line and "-m 448M" in line and "gic-version=3" in line
    line = words(run, "--cpus", "8", "--memory", "1G", "--gic", "2", "--cpu", "cortex-a72", "--icount")
    for part in "-smp 8 ", "-m 1216M", "gic-version=2", "-cpu cortex-a72", "-icount shift=0":
        assert part in line


def described(run, *options):
    """The plain description that is shown."""
    return words(run, "--show", *options).partition("\n")[2].partition("</system>")[0]


def test_the_description_that_is_made(run):
    text = described(run)
    assert 'name="guest_ram" size="0x10000000"' in text and "<cmdline" not in text and "serial_mux" not in text
    assert '<virtual_machine name="guest" priority="100" on_poweroff="shutdown" on_crash="shutdown"' in text
    text = described(run, "--cpus", "2", "--memory", "64M", "--append", 'a="<b>" & c', "--initrd", str(run.folder / "initrd"), "--dtb",
                     str(run.folder / "guest.dtb"))
    for part in ('size="0x4000000"', '<vcpu id="1" cpu="1"/>', "<cmdline>a=&quot;&lt;b&gt;&quot; &amp; c</cmdline>",
                 f'prefill_path="{run.folder}/initrd"', f'prefill_path="{run.folder}/guest.dtb"'):
        assert part in text


def test_exits_are_traced(run):
    words(run, "--trace", "exits")
    images = sorted((BUILD / "run").glob("Image-*.img"), key=os.path.getmtime)
    kernel = (BUILD / "kernel/kernel.bin").stat().st_size
    assert bundle.Bundle(images[-1].read_bytes(), (kernel + 4095) // 4096 * 4096).vms[0].flags == 1


WRONG = {
    "cpus": (["--cpus", "9"], 2, "a guest has at most 8 vcpus, give --cpus 8 or less"),
    "memory": (["--memory", "much"], 1, "memory 'much' is not a size, write a number of bytes, or one with K, M or G"),
    "memory_small": (["--memory", "2M", "--initrd", "/dev/null"], 1, "'/dev/null' is empty, fill it or remove prefill_path"),
    "initrd": (["--initrd", "missing"], 1, "there is no file 'missing', build it or add --search-path FOLDER"),
    "system": (["a.system"], 2, "--kernel runs a guest of its own, leave out FILE.system and --image"),
    "board": (["--board", "pi"], 2, "there is no board 'pi', use virt or zcu102"),
}


@pytest.mark.parametrize("options, code, message", WRONG.values(), ids=WRONG)
def test_wrong_options(run, options, code, message):
    done = run("echo started", *options)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"bulkhead: {message}\n")


# ---- The terminal ----------------------------------------------------------------------------------------------------

def typed_at(run, script):
    command, environment = run(script, wait=False)
    child = pexpect.spawn(command[0], command[1:], env=environment, timeout=20, encoding="latin-1")
    child.expect_exact("ready")
    child.waitnoecho()
    return child


def test_the_key_that_leaves(run):
    child = typed_at(run, "echo ready; exec sleep 100")
    child.send("\x1dq")
    child.expect(pexpect.EOF)
    assert child.getecho()
    child.close()
    assert child.exitstatus == 130


def test_other_keys_are_the_guest_s(run):
    child = typed_at(run, f"echo ready; head -c 6 | od -An -tx1; echo {OFF} 0")
    child.send("q\x1d")
    time.sleep(0.2)
    child.send("x\x1d\x1d\x03q")
    child.expect_exact(" 71 1d 78 1d 03 71")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
