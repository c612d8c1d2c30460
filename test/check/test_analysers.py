"""Static analysers. clang-tidy and cppcheck look only at what changed since they last passed."""

import os

import pytest
import tree
from runner.common import BUILD, JOBS, execute

INCLUDES = ["-I.", "-Ilib/include", "-Ikernel", "-Ikernel/arch/aarch64"]

# It stumbles over register variables of system calls (without `__asm__("x0")` it does not), takes two symbols of a
# linker script for pointers into different objects, and a character for what may not be an array of one.
OPTIONS = ["-D__asm__(name)=", "--suppress=comparePointers", "--suppress=subtractPointers",
           "--suppress=objectIndex", "--suppress=normalCheckLevelMaxBranches"]


@pytest.mark.timeout(1800)
def test_clang_tidy():
    tree.build("LLVM=1", "tidy")


@pytest.mark.timeout(1800)
def test_cppcheck():
    cache = BUILD / "cppcheck"
    os.makedirs(cache, exist_ok=True)
    sources = [name for name in tree.files(".c") if not name.startswith(("test/", "kernel/arch/fake/"))]
    code, output = execute(["cppcheck", "--quiet", "--enable=warning,portability", "--inline-suppr", *OPTIONS,
                            "--std=c11", "--platform=unix64", f"-j{JOBS}", f"--cppcheck-build-dir={cache}",
                            "--error-exitcode=1", *INCLUDES, *sources], 1700)
    tree.complain(output.splitlines() if code != 0 else [])
