"""What the documents say about the tree: the tests and files that they name are there, each folder says what it is for."""

import re

import pytest
import tree
from runner import requirements
from runner.common import ROOT, execute

DOCUMENTS = tree.files(".md")

# What documents name that isn't ours, or isn't there before something has been built.
ELSEWHERE = ("build/", "/", "http", "..")
PLACEHOLDER = re.compile(r"\b(NAME|CLASS)\b")


def test_every_requirement_has_its_line():
    tree.complain(requirements.missing_or_double())


def test_every_test_that_is_named_exists():
    tree.complain(requirements.unknown_tests())


def test_names_of_tests_are_understood():
    results = {"e2e/test_a::one[1]": True, "e2e/test_a::one[2]": False, "e2e/test_a::two": True, "unit/test_b::x": True}
    for evidence, reason in (("`e2e/test_a::two` `unit/test_b`", None), ("`e2e/test_a::one[1]`", None),
                             ("`e2e/test_a::one`", "e2e/test_a::one failed"), ("`e2e/test_a`", "e2e/test_a failed"),
                             ("`unit/test_b::y`", "unit/test_b::y did not run"), ("`unit/test_`", "unit/test_ did not run")):
        assert requirements.unproved(evidence, results) == reason
    assert requirements.unproved("it is obvious", results) is not None
    assert requirements.unknown("unit/test_ring::no_such_test") and requirements.unknown("e2e/test_no_such_file")
    assert requirements.unknown("check/test_docs::test_names_of_tests_are_understood") is None


# ---- Files and folders that documents name ---------------------------------------------------------------------------

def names_in(document):
    """Paths in backquotes that begin with one of our folders, and targets of links."""
    text = re.sub(r"^```.*?^```$", "", tree.read(document), flags=re.DOTALL | re.MULTILINE)
    folders = {name.split("/")[0] for name in tree.files() if "/" in name}
    for name in re.findall(r"`([\w./-]+)`", text):
        if name.split("/")[0] in folders and "/" in name and not name.startswith(ELSEWHERE):
            yield name, ROOT / name
    for name in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not name.startswith(ELSEWHERE):
            yield name, (ROOT / document).parent / name


def is_test(name):
    """A test's name (unit/test_ring) looks like a path."""
    return name.split("/")[0] in {"unit", "kernel", "e2e", "tool", "fuzz", "check", "bench", "model"} and "test_" in name


def test_what_documents_name_is_there():
    assert len(DOCUMENTS) > 15
    missing = [f"{document} names {name}" for document in DOCUMENTS for name, path in names_in(document)
               if not (is_test(name) or PLACEHOLDER.search(name) or name in sources_of(document) or path.exists()
                       or list(path.parent.glob(path.name + ".*")))]
    tree.complain(missing)


def test_every_folder_says_what_it_is_for():
    folders = {name.rsplit("/", 1)[0] for name in tree.files(".c", ".h", ".py")}
    top = {folder.split("/")[0] for folder in folders}
    named = tree.read("docs/architecture.md") + tree.read("test/README.md")
    tree.complain([f"{folder}/ has no README.md" for folder in sorted(top) if not (ROOT / folder / "README.md").is_file()]
                  + [f"docs/architecture.md does not name `{folder}/`" for folder in sorted(top) if f"`{folder}/" not in named])


def test_readme_and_architecture_stay_short():
    for name, most in (("README.md", 150), ("docs/architecture.md", 140)):
        assert len(tree.read(name).splitlines()) <= most, name


def test_the_licence_is_permissive():
    assert "Redistribution and use in source and binary forms, with or without\nmodification, are permitted" in tree.read("LICENSE")
    other = [name for name in tree.files(".c", ".h", ".S", ".py", ".ld") if re.search(r"SPDX-License-Identifier|GNU General Public", tree.read(name))]
    tree.complain([f"{name} names a licence of its own" for name in other if name != "test/check/test_docs.py"])


# ---- The device of docs/adding-a-device.md ---------------------------------------------------------------------------

def sources_of(document):
    """{path: text} of the files that a document shows: blocks of C whose first line is a comment with their path."""
    blocks = re.findall(r"^```c\n// (\S+\.[ch])\n(.*?)^```$", tree.read(document), re.DOTALL | re.MULTILINE)
    return dict(blocks)


@pytest.mark.parametrize("test, options, arguments", [
    ("test/unit/test_vmm_bell.c", [], []), ("test/fuzz/fuzz_vmm_bell.c", ["-fsanitize=fuzzer"], ["-runs=5000", "-seed=1"])],
    ids=["unit", "fuzz"])
def test_the_device_that_is_described_works(tmp_path, test, options, arguments):
    sources = sources_of("docs/adding-a-device.md")
    assert len(sources) == 4
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in tree.files(".h"):    # what it includes relative to itself
        if name.startswith("vmm/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).symlink_to(ROOT / name)
    linked = re.search(r"^// sources: (.*)$", sources[test], re.MULTILINE)[1].split()
    files = [tmp_path / name if name in sources else ROOT / name for name in [test, *linked]]
    program = tmp_path / "program"
    code, output = execute(["clang", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
                            "-Wmissing-prototypes", "-Wshadow", f"-I{tmp_path}", f"-I{ROOT}", "-Itest/unit", "-Ikernel",
                            "-Ikernel/arch/fake", "-Ilib/include", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                            *options, *files, "-lcmocka", "-lfdt", "-o", program], 120)
    assert code == 0, output
    code, output = execute([program, *arguments], 60)
    assert code == 0, output
