"""Tiny programs, compiled for the tests of building, and a kernel and an init that are none."""

import struct
import subprocess

import pytest

INIT_TEXT, INIT_DATA, INIT_BSS = 8192, 4096, 4096
KERNEL_SIZE = 5000    # no whole number of pages

LINKER_SCRIPT = """
ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6); }
SECTIONS
{
    . = 0x200000;
    .text : ALIGN(0x1000) { *(.text*) } :text
    .rodata : ALIGN(0x1000) { *(.rodata*) } :rodata
    . = ALIGN(0x1000);
    .data : { *(.data*) } :data
    .bss : { *(.bss* COMMON) } :data
    /DISCARD/ : { *(.note* .comment .eh_frame*) }
}
"""
START = "void _start(void); void _start(void) { for (;;) { } }\n"


class Workshop:
    """A folder with a kernel and an init, and the means to make programs and descriptions in it."""

    def __init__(self, folder, tool):
        self.folder = folder
        self.tool = tool
        self.script = self.write("link.ld", LINKER_SCRIPT)
        kernel = bytearray(range(250)) * (KERNEL_SIZE // 250)
        kernel[56:60] = b"ARM\x64"
        self.kernel = self.write("kernel.bin", bytes(kernel))
        header = struct.pack("<5Q", 0x3174696e69686c62, 0x200040, INIT_TEXT, INIT_DATA, INIT_BSS)
        self.init = self.write("init.bin", header.ljust(INIT_TEXT + INIT_DATA, b"i"))

    def write(self, name, content):
        file = self.folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def elf(self, name, source="", *flags, compiler="aarch64-linux-gnu-gcc", script=True):
        source = self.write(name + ".c", START + source)
        link = ["-T", self.script] if script else []
        subprocess.run([compiler, "-O1", "-g0", "-ffreestanding", "-fno-pic", "-nostdlib", "-static", "-Wl,--build-id=none",
                        "-Wl,-z,max-page-size=4096", "-Wl,--no-warn-rwx-segments", *link, *flags, source, "-o",
                        self.folder / name], check=True)
        return self.folder / name

    def describe(self, *lines):
        return self.write("a.system", "\n".join(["<system>", *lines, "</system>"]))

    def build(self, description, *options):
        """Returns exit code and error lines of building with our kernel and init."""
        operands = [description] if description else []
        code, _, errors = self.tool("build", *operands, "-o", self.folder / "image.img", "--kernel", self.kernel,
                                    "--init", self.init, *options)
        return code, errors


@pytest.fixture
def workshop(tmp_path, sanitized):
    return Workshop(tmp_path, sanitized)
