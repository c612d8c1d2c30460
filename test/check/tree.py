"""The tree as the checks see it: which files are ours, and what each object was compiled from."""

import re
import subprocess

import pytest
from runner.common import ROOT, make

CODE_FOLDERS = ("spec", "abi", "base", "kernel", "init", "lib", "vmm", "drivers", "mux", "tool", "systems", "test")


def complain(complaints):
    """Fails the test with these lines, if there are any."""
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def build(*targets):
    """Builds targets; fails the test with what the compiler says."""
    complain((make(*targets) or "").splitlines())


def files(*suffixes):
    """Our files that end so (all, if nothing is said), relative to the root: tracked ones and ones yet to be added."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, text=True,
                            capture_output=True).stdout.splitlines()
    return [name for name in sorted(set(listed)) if (ROOT / name).is_file()
            and (not suffixes or name.endswith(suffixes))]


def code_files():
    return [name for name in files(".c", ".h") if name.split("/")[0] in CODE_FOLDERS]


def compilations(folder):
    """(source, everything that it includes) of each object under a folder, from the compiler's dependency files. An
    object whose files are not there any more is left over from another day."""
    return [unit for unit in map(compilation, sorted((ROOT / folder).rglob("*.d"))) if unit]


def compilation(dependencies):
    rule = dependencies.read_text().replace("\\\n", " ").split("\n")[0]
    names = [relative(name) for name in rule.partition(": ")[2].split() if name != "/dev/null"]
    if names and all((ROOT / name).is_file() for name in names):
        return names[0], names[1:]
    return None


def linked(map_file):
    """The same of each object that the linker took, from the map that it wrote."""
    objects = re.findall(r"^LOAD (build/\S+)\.o$", read(map_file), re.MULTILINE)
    return [compilation(ROOT / f"{name}.d") for name in objects]


def relative(name):
    path = (ROOT / name).resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def without_comments(text):
    """C or assembly with comments blanked; line numbers stay."""
    def blank(match):
        return match[0] if match[0].startswith('"') else "\n" * match[0].count("\n")
    return COMMENT_OR_STRING.sub(blank, text)


def read(name):
    return (ROOT / name).read_text(errors="replace")
