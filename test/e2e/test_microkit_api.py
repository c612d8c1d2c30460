"""Programs written for Microkit: compiled and linked the way its projects' Makefiles do, by every compiler and linker,
and run."""

import shutil
import subprocess

import pytest

from runner.common import BUILD, ROOT, execute

SOURCES = ROOT / "test/e2e/microkit"
PROGRAMS = ("client", "server", "child")
FLAGS = ["-nostdlib", "-ffreestanding", "-mstrict-align", "-g", "-Wall", "-Werror", f"-I{ROOT}/lib/include", f"-I{ROOT}"]
CLANG = ["clang", "-target", "aarch64-none-elf"]
GCC = ["aarch64-linux-gnu-gcc", "-fno-pic", "-mno-outline-atomics", "-fno-stack-protector"]
WAYS = {
    "clang -O3, lld": ([*CLANG, "-O3"], ["ld.lld"]),
    "clang -O0, lld": ([*CLANG, "-O0"], ["ld.lld"]),
    "gcc -O2, ld": ([*GCC, "-O2"], ["aarch64-linux-gnu-ld"]),
}


def build(folder, compiler, linker):
    for name in PROGRAMS:
        subprocess.run([*compiler, *FLAGS, "-c", SOURCES / f"{name}.c", "-o", folder / f"{name}.o"], check=True)
        subprocess.run([*linker, "--fatal-warnings", f"-L{BUILD}/lib", folder / f"{name}.o", "-lmicrokit", "-Tmicrokit.ld",
                        "-o", folder / f"{name}.elf"], check=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_api(tmp_path, way):
    build(tmp_path, *WAYS[way])
    shutil.copy(SOURCES / "microkit.system", tmp_path)
    code, output = execute([BUILD / "bulkhead", "run", tmp_path / "microkit.system", "--timeout", "120"], 200)
    print(output)
    lines = output.replace("\r", "").splitlines()
    for line in ("server: passive", "child: the answer is 42", "child: over it", "child: third life",
                 "client microkit_notify: invalid channel given '9'", "client microkit_irq_ack: invalid channel given '6'",
                 "client: nothing was wrong"):
        assert line in lines
    assert code == 0


def test_makefiles_find_the_architecture():
    found = subprocess.run("grep 'CONFIG_SEL4_ARCH  ' lib/include/kernel/gen_config.h | cut -d' ' -f4", cwd=ROOT, shell=True,
                           check=True, capture_output=True, text=True).stdout
    assert found.strip() == "aarch64"
