"""The build itself: both compilers, headers alone, nothing to do the second time."""

import subprocess

import pytest
import tree
from runner.common import ROOT, execute


def test_clang_builds_everything():
    tree.build("LLVM=1", "all")


def test_every_header_compiles_alone():
    tree.build("headers")


def test_second_make_has_nothing_to_do():
    tree.build("all")
    assert subprocess.run(["make", "-q", "all"], cwd=ROOT).returncode == 0, "make finds work to do after make"


@pytest.fixture(name="installed")
def install(tmp_path):
    tree.build("all")
    tree.build("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    return tmp_path / "usr"


def test_the_installed_tool_builds_an_image(installed, tmp_path):
    hello = installed / "share/bulkhead/systems/hello/hello.system"
    code, output = execute([installed / "bin/bulkhead", "build", hello, "-o", "image"], 60, cwd=tmp_path)
    assert code == 0, output
    assert (tmp_path / "image").stat().st_size > 0


def test_a_program_compiles_with_the_installed_headers(installed, tmp_path):
    program = tmp_path / "program.c"
    program.write_text("#include <microkit.h>\n#include <lib/bulkhead.h>\nvoid init(void) { microkit_notify(1); }\n")
    code, output = execute(["aarch64-linux-gnu-gcc", "-ffreestanding", "-Wall", "-Werror", "-c", program, "-o",
                            tmp_path / "program.o", f"-I{installed}/share/bulkhead/include"], 60)
    assert code == 0, output


@pytest.mark.parametrize("linker", ["ld", "gcc -flto"])
def test_a_vmm_is_made_of_what_is_installed(installed, tmp_path, linker):
    """As systems/own-vmm/README.md says; with the whole program optimised as one, too."""
    share = installed / "share/bulkhead"
    flto, link = ([], ["aarch64-linux-gnu-ld"]) if linker == "ld" else (
        ["-flto"], ["aarch64-linux-gnu-gcc", "-flto", "-nostdlib", "-static", "-Wl,--build-id=none"])
    steps = [
        ["aarch64-linux-gnu-gcc", "-O2", "-ffreestanding", "-mstrict-align", "-mno-outline-atomics", "-fno-pic",
         "-fno-stack-protector", *flto, f"-I{share}/include", "-isystem", share / "include/base/libc", "-c",
         share / "systems/own-vmm/own_vmm.c", "-o", "own_vmm.o"],
        [*link, "own_vmm.o", f"-L{share}/lib", "-lvmm", "-lmicrokit", "-T", share / "lib/microkit.ld", "-o", "own_vmm.elf"],
        [installed / "bin/bulkhead", "build", share / "systems/own-vmm/own-vmm.system", "-o", "image"],
    ]
    for step in steps:
        code, output = execute(step, 60, cwd=tmp_path)
        assert code == 0, output
    assert (tmp_path / "image").stat().st_size > 0
