"""Who includes whom: the file `layers` says what is allowed, the compiler says what is."""

import tree
from runner.common import ROOT


# What unit tests put in front of a source, or in the place of a header that it includes: no line of the source says so.
FORCED = ("kernel/arch/fake/", "test/unit/fake")


def allowed():
    """{folder: folders that it may include}, out of the file `layers`: lines of `FOLDER... : FOLDER...`."""
    table = {}
    for line in (ROOT / "layers").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line:
            folders, _, below = line.partition(":")
            for folder in folders.split():
                table[folder] = {folder, *below.split()}
    return table


def violations(compilations, table):
    found = set()
    for name, includes in compilations:
        folder = name.split("/")[0]
        for included in includes:
            if included.startswith(FORCED):
                continue
            below = included.split("/")[0]
            if folder in table and below in table and below not in table[folder]:
                found.add(f"{name} must not include {included}")
    return sorted(found)


def test_every_folder_of_code_has_a_layer():
    assert {name.split("/")[0] for name in tree.code_files()} <= set(allowed())


def test_nothing_includes_what_is_above_or_beside_it():
    tree.build("all", "headers")
    compilations = tree.compilations("build/obj")
    assert len(compilations) > 50, "there are no dependency files to look at"
    tree.complain(violations(compilations, allowed()))


def test_a_violation_is_found():
    table = allowed()
    assert violations([("kernel/cap.c", ["kernel/cap.h", "abi/err.h", "/usr/include/stdio.h"])], table) == []
    assert violations([("kernel/cap.c", ["lib/log.h"])], table) == ["kernel/cap.c must not include lib/log.h"]
    assert violations([("base/str.c", ["abi/err.h"])], table) == ["base/str.c must not include abi/err.h"]
