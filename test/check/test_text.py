"""What can be seen in the text of the files."""

import ast
import re
import subprocess

import tree
from runner.common import ROOT, execute

KERNEL_LINES = 8000    # code lines of all C and assembly linked into the kernel, libfdt's included, stay below

# What a conditional may ask for: which language this is. Nothing about features or boards.
CONDITIONS = {"__ASSEMBLER__", "__cplusplus"}


def matches(pattern, names):
    regex = re.compile(pattern)
    return [f"{name}:{number}: {line.strip()}" for name in names
            for number, line in enumerate(tree.read(name).splitlines(), 1) if regex.search(line)]


def code_lines(names):
    """{file: lines that are neither blank nor comment}"""
    return {name: sum(bool(line.strip()) for line in tree.without_comments(tree.read(name)).splitlines())
            for name in names}


def test_format():
    code, output = execute(["clang-format", "--dry-run", "-Werror", *tree.code_files()], 300)
    tree.complain(["clang-format -i mends this:", *output.splitlines()] if code != 0 else [])


def test_no_unfinished_marks():
    tree.complain(matches(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b", tree.files()))


def test_nothing_names_a_folder_outside_the_repository():
    tree.complain(matches(r"(^|[^\w/])(\.\./)*shared" r"/", tree.files()))


def test_no_conditional_features():
    found = []
    for name in tree.files(".c", ".h", ".S"):
        for number, line in enumerate(tree.without_comments(tree.read(name)).splitlines(), 1):
            condition = re.match(r"\s*#\s*(?:if|ifdef|ifndef|elif)\b(.*)", line)
            if condition and not set(re.findall(r"[A-Za-z_]\w*", condition[1])) - {"defined"} <= CONDITIONS:
                found.append(f"{name}:{number}: {line.strip()}")
    tree.complain(found)


def test_headers_are_included_once():
    tree.complain([f"{name} has no #pragma once" for name in tree.files(".h")
                   if "\n#pragma once\n" not in "\n" + tree.read(name)])


def test_every_file_says_what_it_is():
    tree.complain([f"{name} does not begin with a comment" for name in tree.files(".c", ".h", ".S")
                   if not tree.read(name).startswith(("//", "/*"))])


def test_lines_end_cleanly():
    tree.complain(matches(r"[ \t]$|\r", tree.files(".c", ".h", ".S", ".py", ".ld", ".md", "Makefile"))
                  + [f"{name} does not end with a newline" for name in tree.files(".c", ".h", ".S", ".py", ".md")
                     if not ("\n" + tree.read(name)).endswith("\n")])


def test_kernel_is_small():
    tree.build("all")
    units = tree.linked("build/kernel/kernel.map")
    headers = {name for _, includes in units for name in includes if not name.startswith("/")}
    linked = code_lines(name for name, _ in units)
    assert linked, "no kernel was built"
    print("\n".join(f"{count:5} {name}" for name, count in sorted(linked.items(), key=lambda item: -item[1])))
    print(f"{sum(linked.values())} lines are linked, beside {sum(code_lines(headers).values())} lines of headers")
    assert sum(linked.values()) < KERNEL_LINES


def test_python_is_for_tests_and_parses():
    for name in tree.files(".py"):
        assert name.startswith("test/")
        ast.parse(tree.read(name), name)


def test_shell_scripts_parse():
    scripts = [name for name in tree.files() if tree.read(name).startswith("#!/bin/sh")]
    assert "bulkhead" in scripts
    for name in scripts:
        subprocess.run(["/bin/sh", "-n", name], cwd=ROOT, check=True)
