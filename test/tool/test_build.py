"""`bulkhead build`: the image and the bundle in it, what programs and files may be wrong with, and what is written."""

import hashlib
import struct
import subprocess

import bundle
import pytest
from bundle import EXECUTE, READ, UNCACHED, WRITE
from conftest import messages
from programs import INIT_DATA, INIT_TEXT, workshop    # noqa: F401 (a fixture)

BUNDLE_AT = 8192    # the kernel, rounded up to a page
VARIABLE = "unsigned long {} = 1;\n"


def domain(inside="", name="a", attributes=""):
    return (f'<protection_domain name="{name}"{attributes}><program_image path="{name}.elf"/>{inside}'
            '</protection_domain>')


def built(workshop, *lines, options=()):
    """Builds a system and returns its bundle."""
    code, errors = workshop.build(workshop.describe(*lines), *options)
    assert (code, errors) == (0, [])
    return bundle.Bundle((workshop.folder / "image.img").read_bytes(), BUNDLE_AT)


def refused(workshop, *lines, options=()):
    """Builds a system that is refused, and returns the messages, with the workshop's folder as @."""
    file = workshop.describe(*lines)
    code, errors = workshop.build(file, "--search-path", workshop.folder, *options)
    assert code == 1
    assert not (workshop.folder / "image.img").exists()
    return [line.replace(str(workshop.folder), "@") for line in messages(errors, file)]


def word(content):
    return struct.unpack("<Q", content)[0]


# ---- The image -------------------------------------------------------------------------------------------------------

def test_image_is_kernel_and_bundle(workshop):
    workshop.elf("a.elf")
    b = built(workshop, domain())
    image = (workshop.folder / "image.img").read_bytes()
    kernel = workshop.kernel.read_bytes()
    assert image[:16] == kernel[:16] and image[24:len(kernel)] == kernel[24:]
    assert image[len(kernel):BUNDLE_AT] == bytes(BUNDLE_AT - len(kernel))
    assert struct.unpack_from("<Q", image, 16)[0] == len(image) == BUNDLE_AT + b.size
    assert b.magic == int.from_bytes(b"blbundle", "little")
    assert (b.revision, b.header_size, b.size % bundle.PAGE) == (2, 144, 0)
    assert b.blob(b.init_offset, b.init_size) == workshop.init.read_bytes()
    assert b.init_offset % bundle.PAGE == 0


def test_init_alone(workshop):
    code, errors = workshop.build(None)
    b = bundle.Bundle((workshop.folder / "image.img").read_bytes(), BUNDLE_AT)
    assert (code, errors) == (0, [])
    assert b.init_size == INIT_TEXT + INIT_DATA
    assert (b.processes, b.regions, b.cores, b.flags) == ([], [], 1, 0)
    assert [file.name for file in workshop.folder.glob("image*")] == ["image.img"]


def test_the_same_every_time(workshop):
    workshop.elf("a.elf")
    digests = set()
    for _ in range(2):
        built(workshop, '<memory_region name="m" size="0x1000"/>', domain('<map mr="m" vaddr="0x1000000"/>'))
        digests.add(tuple(hashlib.sha256(file.read_bytes()).hexdigest()
                          for file in sorted(workshop.folder.glob("image.*"))))
    assert len(digests) == 1 and len(digests.pop()) == 4


def test_a_kernel_without_header(workshop):
    workshop.elf("a.elf")
    workshop.kernel.write_bytes(bytes(5000))
    code, errors = workshop.build(workshop.describe(domain()))
    assert (code, errors) == (1, [f"bulkhead: '{workshop.kernel}' has no arm64 Image header, name Bulkhead's kernel.bin"])


@pytest.mark.parametrize("content", [b"", b"i" * 4096, None], ids=["empty", "nonsense", "missing"])
def test_an_init_that_is_none(workshop, content):
    workshop.init.unlink()
    if content is not None:
        workshop.init.write_bytes(content)
    code, errors = workshop.build(None)
    assert code == 1
    assert len(errors) == 1 and str(workshop.init) in errors[0]


# ---- What the bundle says --------------------------------------------------------------------------------------------

def test_processes(workshop):
    for name in "a", "b", "c":
        workshop.elf(f"{name}.elf")
    b = built(workshop,
              '<protection_domain name="a" priority="254" budget="100" period="200" passive="true" stack_size="0x5000" '
              'cpu="2" smc="true" fpu="false"><program_image path="a.elf"/>',
              domain(name="b", attributes=' id="61" power="true"'), "</protection_domain>", domain(name="c"))
    a, child, c = b.processes
    assert a == {**a, "name": "a", "parent": bundle.NONE, "priority": 254, "core": 2, "flags": 1 | 4, "line": 2,
                 "budget_us": 100, "period_us": 200, "stack_size": 0x5000, "entry": 0x200000}
    assert child == {**child, "name": "b", "parent": 0, "child_id": 61, "flags": 2 | 8, "line": 3}
    assert c == {**c, "name": "c", "parent": bundle.NONE, "flags": 2, "budget_us": 1000, "period_us": 1000,
                 "stack_size": 0x2000, "priority": 0, "core": 0}
    assert (b.cores, b.flags) == (3, 0)


def test_console_off(workshop):
    workshop.elf("a.elf")
    file = workshop.write("a.system", f'<system console="off">{domain()}</system>')
    assert workshop.build(file)[0] == 0
    assert bundle.Bundle((workshop.folder / "image.img").read_bytes(), BUNDLE_AT).flags == 1


def test_segments(workshop):
    workshop.elf("a.elf", 'const char text[] = "read-only"; int set = 0x1234; int zeroed[5000];')
    b = built(workshop, domain())
    text, rodata, data = b.segments_of(b.processes[0])
    assert (text.vaddr, text.perms) == (0x200000, READ | EXECUTE)
    assert (rodata.vaddr, rodata.perms, b.blob(rodata.file_offset, 10)) == (0x201000, READ, b"read-only\0")
    assert (data.vaddr, data.perms, b.blob(data.file_offset, 4)) == (0x202000, READ | WRITE, b"\x34\x12\0\0")
    assert data.memory_size >= 20000 and data.file_size < 100
    assert all(segment.file_offset % bundle.PAGE == 0 for segment in b.segments)


def test_segments_that_start_inside_a_page(workshop):
    script = workshop.write("odd.ld", "ENTRY(_start) PHDRS { text PT_LOAD FLAGS(1); data PT_LOAD FLAGS(2); } SECTIONS {"
                            ". = 0x200108; .text : { *(.text*) } :text . = 0x201ff8; .data : { *(.data*) } :data }")
    workshop.elf("a.elf", VARIABLE.format("last"), "-T", script, script=False)
    b = built(workshop, domain())
    text, data = b.segments_of(b.processes[0])
    assert (text.vaddr, text.perms, b.processes[0].entry) == (0x200000, READ | EXECUTE, 0x200108)
    assert (data.vaddr, data.perms) == (0x201000, READ | WRITE)
    assert b.memory(b.processes[0], 0x201ff0, 16) == bytes(8) + (1).to_bytes(8, "little")


def test_text_of_one_program_is_there_once(workshop):
    workshop.elf("a.elf", "char microkit_name[64];")
    b = built(workshop, domain(), '<protection_domain name="b"><program_image path="a.elf"/></protection_domain>')
    first, second = (b.segments_of(process) for process in b.processes)
    assert first[0].file_offset == second[0].file_offset
    assert first[-1].file_offset != second[-1].file_offset


def test_regions_and_maps(workshop):
    workshop.elf("a.elf")
    workshop.write("data.bin", b"x" * 5000)
    b = built(workshop, '<memory_region name="m" size="0x3000"/>',
              '<memory_region name="fixed" size="0x1000" phys_addr="0x9000000"/>',
              '<memory_region name="filled" prefill_path="data.bin"/>',
              '<memory_region name="uart" device="serial0 arm,pl011"/>',
              domain('<map mr="fixed" vaddr="0x1000000" cached="false"/>\n<map mr="m" vaddr="0x2000000" perms="rx"/>'
                     '<map mr="filled" vaddr="0x3000000" perms="r"/><map mr="uart" vaddr="0x4000000"/>'))
    m, fixed, filled, uart = b.regions
    assert (m.name, m.size, m.page_size, m.paddr, m.line) == ("m", 0x3000, 0x1000, bundle.ANYWHERE, 2)
    assert (fixed.paddr, fixed.size, fixed.device) == (0x9000000, 0x1000, "")
    assert filled.size == 0x2000 and b.blob(filled.prefill_offset, filled.prefill_size) == b"x" * 5000
    assert (uart.device, uart.size, uart.paddr) == ("serial0 arm,pl011", 0, bundle.ANYWHERE)
    assert [(x.region, x.process, x.vaddr, x.perms, x.line) for x in b.maps] == [
        (1, 0, 0x1000000, READ | WRITE | UNCACHED, 6), (0, 0, 0x2000000, READ | EXECUTE, 7),
        (2, 0, 0x3000000, READ, 7), (3, 0, 0x4000000, READ | WRITE, 7)]


PAGES = {    # attributes, vaddr: page size
    "all_large": ('size="0x400000"', "0x2000000", 0x200000),
    "small_size": ('size="0x201000"', "0x2000000", 0x1000),
    "small_vaddr": ('size="0x200000"', "0x2001000", 0x1000),
    "small_address": ('size="0x200000" phys_addr="0x50001000"', "0x2000000", 0x1000),
    "large_address": ('size="0x200000" phys_addr="0x50000000"', "0x2000000", 0x200000),
    "small_wanted": ('size="0x200000" page_size="0x1000"', "0x2000000", 0x1000),
    "large_wanted": ('size="0x200000" page_size="0x200000"', "0x2000000", 0x200000),
}


@pytest.mark.parametrize("attributes, vaddr, page_size", PAGES.values(), ids=PAGES)
def test_page_sizes(workshop, attributes, vaddr, page_size):
    workshop.elf("a.elf")
    b = built(workshop, f'<memory_region name="m" {attributes}/>', domain(f'<map mr="m" vaddr="{vaddr}"/>'))
    assert b.regions[0].page_size == page_size


def test_channels_interrupts_and_capabilities(workshop):
    workshop.elf("a.elf")
    workshop.elf("b.elf")
    b = built(workshop, '<memory_region name="d" device="serial0"/>',
              domain('<irq irq="33" id="4"/><irq irq="34" id="5" trigger="edge"/><map mr="d" vaddr="0x1000000"/>'
                     '<irq device="d" index="2" id="6"/>'),
              domain('<cspace><cap_tcb slot="1" pd="a"/><cap_sc slot="2" pd="a"/><cap_vspace slot="63" pd="b"/></cspace>',
                     "b", ' priority="1"'),
              '<channel><end pd="a" id="1" pp="true"/><end pd="b" id="61" notify="false"/></channel>')
    assert list(b.channels[0].values()) == [0, 1, 1, 1, 1, 61, 0, 0]
    assert [list(irq.values())[:6] for irq in b.irqs] == [
        [0, 4, 33, bundle.NONE, 0, 0], [0, 5, 34, bundle.NONE, 0, 1], [0, 6, bundle.NONE, 0, 2, 0]]
    assert [list(share.values()) for share in b.shares] == [[1, 1, 0, 0], [1, 2, 1, 0], [1, 63, 2, 1]]


# ---- Variables -------------------------------------------------------------------------------------------------------

def address(workshop, program, symbol):
    symbols = subprocess.run(["aarch64-linux-gnu-nm", workshop.folder / program], capture_output=True, text=True,
                             check=True).stdout.split("\n")
    return next(int(line.split()[0], 16) for line in symbols if line.endswith(" " + symbol))


def test_variables(workshop):
    names = ["m_vaddr", "m_size", "filled_size", "irq_id", "channel_id", "child_id", "fixed_paddr"]
    zeroed = "unsigned long b_channel, padding[100], last_of_bss;"
    workshop.elf("a.elf", "".join(VARIABLE.format(name) for name in names))
    workshop.elf("b.elf", zeroed)
    workshop.write("data.bin", b"x" * 4321)
    b = built(workshop, '<memory_region name="m" size="0x3000"/>',
              '<memory_region name="filled" prefill_path="data.bin"/>',
              '<memory_region name="fixed" size="0x1000" phys_addr="0x9000000"/>',
              domain('<map mr="m" vaddr="0x1000000" setvar_vaddr="m_vaddr" setvar_size="m_size"/>'
                     '<map mr="filled" vaddr="0x2000000" setvar_prefill_size="filled_size"/>'
                     '<map mr="fixed" vaddr="0x3000000"/><setvar symbol="fixed_paddr" region_paddr="fixed"/>'
                     '<irq irq="33" id="4" setvar_id="irq_id"/>' + domain("", "b", ' id="7" setvar_id="child_id"')),
              '<channel><end pd="a" id="9" setvar_id="channel_id"/><end pd="b" id="11" setvar_id="last_of_bss"/></channel>')
    found = {name: word(b.memory(b.process("a"), address(workshop, "a.elf", name), 8)) for name in names}
    assert found == {"m_vaddr": 0x1000000, "m_size": 0x3000, "filled_size": 4321, "irq_id": 4, "channel_id": 9,
                     "child_id": 7, "fixed_paddr": 0x9000000}
    assert word(b.memory(b.process("b"), address(workshop, "b.elf", "last_of_bss"), 8)) == 11
    assert b.patches == []


def test_what_only_the_machine_knows_is_left_to_init(workshop):
    workshop.elf("a.elf", "".join(VARIABLE.format(name) for name in ("paddr", "device_paddr", "device_size")))
    b = built(workshop, '<memory_region name="m" size="0x3000"/>', '<memory_region name="d" device="serial0"/>',
              domain('<map mr="m" vaddr="0x1000000"/><map mr="d" vaddr="0x2000000" setvar_size="device_size"/>'
                     '<setvar symbol="paddr" region_paddr="m"/>\n<setvar symbol="device_paddr" region_paddr="d"/>'))
    where = {name: address(workshop, "a.elf", name) for name in ("paddr", "device_paddr", "device_size")}
    assert sorted((patch.kind, patch.region, patch.vaddr, patch.line) for patch in b.patches) == sorted([
        (0, 0, where["paddr"], 4), (0, 1, where["device_paddr"], 5), (1, 1, where["device_size"], 4)])


def test_libmicrokit_variables(workshop):
    workshop.elf("a.elf", "char microkit_name[64] = {1}; char microkit_passive; unsigned long microkit_irqs = 5, "
                          "microkit_notifications, microkit_pps;")
    workshop.elf("b.elf", "char microkit_name[16] = {1};")
    b = built(workshop, domain('<irq irq="33" id="60"/>', attributes=' passive="true"'),
              domain("", "b", ' priority="3"'),
              '<channel><end pd="a" id="0" pp="true"/><end pd="b" id="0"/></channel>',
              '<channel><end pd="a" id="61" pp="true" notify="false"/><end pd="b" id="1"/></channel>')
    def value(name, size):
        return b.memory(b.processes[0], address(workshop, "a.elf", name), size)
    assert value("microkit_name", 64) == b"a".ljust(64, b"\0")
    assert value("microkit_passive", 1) == b"\1"
    assert word(value("microkit_irqs", 8)) == 1 << 60
    assert word(value("microkit_notifications", 8)) == 1
    assert word(value("microkit_pps", 8)) == 1 << 61 | 1
    # What only has the name is left alone.
    assert b.memory(b.processes[1], address(workshop, "b.elf", "microkit_name"), 1) == b"\1"


def test_symbols_from_another_file(workshop):
    workshop.elf("full.elf", VARIABLE.format("x"))
    workshop.elf("a.elf", VARIABLE.format("x"), "-s")
    b = built(workshop, '<protection_domain name="a"><program_image path="a.elf" path_for_symbols="full.elf"/>'
                        '<irq irq="40" id="9" setvar_id="x"/></protection_domain>')
    assert word(b.memory(b.processes[0], address(workshop, "full.elf", "x"), 8)) == 9


def test_a_global_symbol_wins_over_local_ones(workshop):
    other = workshop.write("other.c", "static volatile unsigned long x = 3; unsigned long f(void); "
                                      "unsigned long f(void) { return x; }")
    workshop.elf("a.elf", VARIABLE.format("x"), other)
    b = built(workshop, domain('<irq irq="40" id="9" setvar_id="x"/>'))
    data = b.segments_of(b.processes[0])[-1]
    words = struct.unpack("<2Q", b.blob(data.file_offset, 16))
    assert sorted(words) == [3, 9]


# ---- What is refused -------------------------------------------------------------------------------------------------

def patched(file, *changes):
    """Overwrites bytes of a file: (offset, bytes)..."""
    content = bytearray(file.read_bytes())
    for offset, replacement in changes:
        content[offset:offset + len(replacement)] = replacement
    file.write_bytes(bytes(content))


PROGRAMS = {
    "empty": (lambda w: w.write("a.elf", b""), "is no ELF file, name a program"),
    "text": (lambda w: w.write("a.elf", b"#!/bin/sh\n" * 100), "is no ELF file, name a program"),
    "only_a_magic": (lambda w: w.write("a.elf", b"\x7fELF" + b"\0" * 12), "is no ELF file, name a program"),
    "archive": (lambda w: w.write("a.elf", b"!<arch>\n" + b" " * 60), "is no ELF file, name a program"),
    "x86": (lambda w: w.elf("a.elf", compiler="gcc", script=False),
            "is not for little-endian 64-bit Arm, compile it for AArch64"),
    "big_endian": (lambda w: patched(w.elf("a.elf"), (5, b"\2")),
                   "is not for little-endian 64-bit Arm, compile it for AArch64"),
    "of_32_bits": (lambda w: patched(w.elf("a.elf"), (4, b"\1")),
                   "is not for little-endian 64-bit Arm, compile it for AArch64"),
    "object": (lambda w: w.elf("a.elf", "", "-c", script=False),
               "is not an executable at a fixed address, link it with -static -no-pie"),
    "position_independent": (lambda w: w.elf("a.elf", "", "-shared", "-fPIC", script=False),
                             "is not an executable at a fixed address, link it with -static -no-pie"),
    "dynamic": (lambda w: patched(w.elf("a.elf"), (64, b"\3\0\0\0")), "is linked dynamically, link it with -static"),
    "nothing_to_load": (lambda w: patched(w.elf("a.elf"), (64, b"\4"), (120, b"\4"), (176, b"\4")),
                        "has nothing to load, link it with lib/microkit.ld"),
    "writable_text": (lambda w: patched(w.elf("a.elf", VARIABLE.format("x")), (68, b"\7")),
                      "has a segment that is both writable and executable, separate text and data"),
    "entry_in_data": (lambda w: patched(w.elf("a.elf", VARIABLE.format("x")), (24, struct.pack("<Q", 0x202000))),
                      "does not start in executable memory, give it an entry point"),
    "entry_unaligned": (lambda w: patched(w.elf("a.elf"), (24, struct.pack("<Q", 0x200002))),
                        "does not start in executable memory, give it an entry point"),
    "segment_behind_the_end": (lambda w: patched(w.elf("a.elf"), (72, struct.pack("<Q", 1 << 40))),
                               "has a segment beyond its end, build it again"),
    "segment_file_larger_than_memory": (lambda w: patched(w.elf("a.elf"), (104, struct.pack("<Q", 1))),
                                        "has a segment beyond its end, build it again"),
    "segment_too_high": (lambda w: patched(w.elf("a.elf"), (80, struct.pack("<Q", 1 << 39))),
                         "has a segment outside a process's address space, link it with lib/microkit.ld"),
    "segment_wraps": (lambda w: patched(w.elf("a.elf"), (80, struct.pack("<Q", (1 << 64) - 4096))),
                      "has a segment outside a process's address space, link it with lib/microkit.ld"),
    "segments_on_one_page": (lambda w: w.elf("a.elf", VARIABLE.format("x"), "-Wl,-z,noseparate-code", "-T", w.write(
        "close.ld", "ENTRY(_start) PHDRS { t PT_LOAD FLAGS(5); d PT_LOAD FLAGS(6); } SECTIONS { . = 0x200000; "
                    ".text : { *(.text*) } :t .data : { *(.data*) } :d }"), script=False),
                             "has segments that share a page, link it with -z max-page-size=4096"),
    "huge_zeroed_constant": (lambda w: patched(w.elf("a.elf"), (104, struct.pack("<Q", 1 << 30))),
                             "has too much zeroed memory that cannot be written, make it writable"),
}


@pytest.mark.parametrize("make, message", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_that_are_refused(workshop, make, message):
    make(workshop)
    assert refused(workshop, domain()) == [f"2:44: '@/a.elf' {message}"]


def test_files_that_are_missing(workshop):
    workshop.elf("b.elf")
    assert refused(workshop, '<memory_region name="m" prefill_path="m.bin"/>',
                   '<memory_region name="n" size="0x1000" prefill_path="n.bin"/>',
                   domain('<map mr="m" vaddr="0x1000000"/><map mr="n" vaddr="0x2000000"/>'), domain(name="a2"),
                   '<protection_domain name="b"><program_image path="b.elf" path_for_symbols="c.elf"/>'
                   '</protection_domain>') == [
        "2:25: there is no file 'm.bin', build it or add --search-path FOLDER",
        "3:39: there is no file 'n.bin', build it or add --search-path FOLDER",
        "4:44: there is no file 'a.elf', build it or add --search-path FOLDER",
        "5:45: there is no file 'a2.elf', build it or add --search-path FOLDER",
        "6:57: there is no file 'c.elf', build it or add --search-path FOLDER"]


def test_prefills_that_are_refused(workshop):
    workshop.elf("a.elf")
    workshop.write("empty.bin", b"")
    workshop.write("large.bin", b"x" * 0x1001)
    assert refused(workshop, '<memory_region name="m" prefill_path="empty.bin"/>',
                   '<memory_region name="n" size="0x1000" prefill_path="large.bin"/>',
                   domain('<map mr="m" vaddr="0x1000000"/><map mr="n" vaddr="0x2000000"/>')) == [
        "2:25: '@/empty.bin' is empty, fill it or remove prefill_path",
        "3:25: '@/large.bin' has 0x1001 bytes and the region 0x1000, make the region larger"]


def test_a_prefilled_region_has_the_size_of_its_file(workshop):
    workshop.elf("a.elf")
    workshop.write("large.bin", b"x" * 0x1001)
    assert refused(workshop, '<memory_region name="m" phys_addr="0x9000000" prefill_path="large.bin"/>',
                   '<memory_region name="n" phys_addr="0x9001000" size="0x1000"/>',
                   domain('<map mr="m" vaddr="0x1000000"/>\n<map mr="n" vaddr="0x1001000"/>')) == [
        "3:25: 'n' at 0x9001000 overlaps 'm' at 0x9000000 (line 2), move one of the two",
        "5:13: 'n' at 0x1001000 overlaps 'm' at 0x1000000 (line 4), move one of the two"]


def test_maps_over_the_program(workshop):
    workshop.elf("a.elf", "char zeroed[0x3000];")
    assert refused(workshop, '<memory_region name="m" size="0x1000"/>',
                   domain('\n<map mr="m" vaddr="0x200000"/>\n<map mr="m" vaddr="0x203000" perms="r"/>'
                          '\n<map mr="m" vaddr="0x1ff000"/>')) == [
        "4:13: 'm' at 0x200000 overlaps the program's segment at 0x200000 (line 3), move one of the two",
        "5:13: 'm' at 0x203000 overlaps the program's segment at 0x201000 (line 3), move one of the two"]


def test_a_program_in_the_stack(workshop):
    workshop.elf("a.elf")
    patched(workshop.folder / "a.elf", (80, struct.pack("<Q", 0x7fffffa000)), (24, struct.pack("<Q", 0x7fffffa000)))
    assert refused(workshop, domain()) == ["2:44: '@/a.elf' reaches up to 0x7fffffa004, into the stack, link it lower"]


def test_symbols_that_are_refused(workshop):
    other = workshop.write("other.c", "static volatile unsigned long twice; unsigned long g(void) { return twice; }")
    workshop.elf("a.elf", "unsigned long array[2]; unsigned int half; const unsigned long constant = 3;"
                          "void f(void) {} static volatile unsigned long twice; unsigned long h(void) { return twice; }", "-w", other)
    names = ["missing", "array", "half", "constant", "f", "twice", "_start"]
    irqs = "".join(f'\n<irq irq="{40 + i}" id="{i}" setvar_id="{name}"/>' for i, name in enumerate(names))
    sizes = dict(line.split(": symbol ")[1].split(" of '@/a.elf' has ") for line in refused(workshop, domain(irqs))
                 if "bytes" in line)
    assert set(sizes) == {"'array'", "'half'", "'f'", "'_start'"}
    assert sizes["'array'"] == "16 bytes, make it a variable of 8"
    assert [line for line in refused(workshop, domain(irqs)) if "bytes" not in line] == [
        "3:22: '@/a.elf' has no symbol 'missing', define it there or remove this",
        "6:22: symbol 'constant' of '@/a.elf' is not in writable memory, make it a variable",
        "8:22: '@/a.elf' has several symbols 'twice', rename all but one"]


def test_a_symbol_far_behind_the_data(workshop):
    workshop.elf("a.elf", "unsigned long set = 1; char much[0x20000000];"
                          "unsigned long last __attribute__((section(\".bss.z\")));")
    assert refused(workshop, domain('<irq irq="40" id="0" setvar_id="last"/>')) == [
        "2:79: symbol 'last' lies too far behind the program's data, initialise it"]


def test_all_mistakes_in_one_run(workshop):
    workshop.elf("b.elf")
    assert refused(workshop, '<memory_region name="m" size="0x1001"/>', domain('<map mr="m" vaddr="0x1000000"/>'),
                   domain('<irq irq="40" id="0" setvar_id="x"/>', "b"), '<thread/>') == [
        "2:25: size 0x1001 is not a multiple of the page size 0x1000, use 0x2000",
        "3:44: there is no file 'a.elf', build it or add --search-path FOLDER",
        "4:79: '@/b.elf' has no symbol 'x', define it there or remove this",
        "5:1: <thread> is not known in <system>, use some of <protection_domain> <memory_region> <channel> "
        "<io_address_space> <domains> <virtual_machine>"]


# ---- The command line ------------------------------------------------------------------------------------------------

def test_microkit_spelling(workshop):
    for folder, name in ("one", "a.elf"), ("two", "b.elf"):
        workshop.elf(name)
        (workshop.folder / folder).mkdir()
        (workshop.folder / name).rename(workshop.folder / folder / name)
    (workshop.folder / "systems").mkdir()
    file = workshop.describe(domain(), domain(name="b")).rename(workshop.folder / "systems" / "a.system")
    code, _, errors = workshop.tool(
        "build", file, "--search-path", workshop.folder / "one", workshop.folder / "two", "--board", "qemu_virt_aarch64",
        "--config", "debug", "--image-type", "binary", "-o", workshop.folder / "loader.img", "-r",
        workshop.folder / "report", "--kernel", workshop.kernel, "--init", workshop.init)
    assert (code, errors) == (0, [])
    assert {"loader.img", "report", "loader.report.json", "loader.svg"} <= {f.name for f in workshop.folder.iterdir()}
    assert "loader.report.txt" not in {file.name for file in workshop.folder.iterdir()}


def test_folders_given_are_searched_first(workshop):
    good = workshop.elf("a.elf").read_bytes()
    workshop.write("a.elf", b"not this one")
    (workshop.folder / "first").mkdir()
    workshop.write("first/a.elf", good)
    built(workshop, domain(), options=["--search-path", workshop.folder / "first"])


@pytest.mark.parametrize("output", ["missing/image.img", "."], ids=["no_folder", "a_folder"])
def test_output_that_cannot_be_written(workshop, output):
    workshop.elf("a.elf")
    code, _, errors = workshop.tool("build", workshop.describe(domain()), "-o", workshop.folder / output, "--kernel",
                                    workshop.kernel, "--init", workshop.init)
    assert code == 1
    assert len(errors) == 1 and "cannot be written" in errors[0]
    assert not list(workshop.folder.glob("*.tmp"))
