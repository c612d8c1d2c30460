"""docs/manual.md: its quick commands are run and print what it says, and its options are those of the tool.

In a block ```console a line `$ COMMAND` is run, and what follows is what it prints; `...` stands for what is left out. A block whose
first line is a comment with a file's name is that file."""

import re
import shlex
import subprocess

import pytest

from runner.common import BUILD, ROOT

TEXT = (ROOT / "docs/manual.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"(?:<!--|/\*) (\S+) (?:-->|\*/)\n")
LIMIT = 120

# What is said of ./bulkhead itself, of ./bulkhead test and bench, and of other programs.
NOT_THE_TOOLS = {"--yes"}


def blocks(kind):
    return [text for word, text in BLOCK.findall(TEXT) if word == kind]


def files():
    """{name: text} of the files that the manual shows."""
    shown = [text for kind in ("xml", "c") for text in blocks(kind)]
    return {NAME.match(text)[1]: text for text in shown}


def commands():
    """(command, lines that it prints) of every command that can be tried at once."""
    found = []
    for text in blocks("console"):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            found.append((command, lines))
    return found


def assert_prints(output, lines):
    """The lines follow each other; where `...` stands, anything may be."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
                      for line in lines)
    assert re.fullmatch(pattern, output), "wanted:\n" + "\n".join(lines) + f"\ngot:\n{output}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the manual's files, and everything of the repository that its commands name."""
    folder = tmp_path_factory.mktemp("manual")
    for name, text in files().items():
        (folder / name).write_text(text)
    for name in "build", "systems", "lib", "abi", "base", "spec":
        (folder / name).symlink_to(ROOT / name)
    (folder / "bulkhead").symlink_to(BUILD / "bulkhead")
    return folder


def run(desk, command):
    done = subprocess.run(shlex.split(command), cwd=desk, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
    return done.returncode, done.stdout.decode(errors="replace").replace("\r", "")


def test_commands_print_what_the_manual_says(desk):
    tried = commands()
    assert len(tried) >= 10
    for command, lines in tried:
        code, output = run(desk, command)
        assert_prints(output, lines)
        assert code == (1 if "wrong" in command else 0), command
    for name in "hello.img", "hello.report.txt", "hello.report.json", "hello.svg", "two.svg":
        assert (desk / name).stat().st_size > 0
    code, output = run(desk, "./bulkhead run --image mine.img --timeout 5")
    assert "mine: hello from a process of my own\n" in output
    assert code == 124    # it has no right to end the system


def test_a_guest_of_the_manual_s_is_an_image(desk):
    # What takes minutes to boot is built, at least.
    assert run(desk, "./bulkhead build two.system --search-path build/guest -o two.img")[0] == 0


def test_the_paragraph_is_the_monitor_s(desk):
    """The remedies that the manual explains are those that are printed (test_described has a guest that runs into them)."""
    source = (ROOT / "vmm/unhandled.c").read_text()
    remedies = re.findall(r"^bulkhead: guest:   - (.*)$", TEXT, re.MULTILINE)
    assert len(remedies) == 3
    for remedy in remedies:
        assert remedy in source


# ---- Options ---------------------------------------------------------------------------------------------------------

def help_of(command):
    """Every spelling of an option that `bulkhead help COMMAND` lists."""
    done = subprocess.run([BUILD / "bulkhead", "help", command], stdout=subprocess.PIPE, text=True, check=True)
    return set(re.findall(r"^    (?:(-\w), )?(--[\w-]+)", done.stdout, re.MULTILINE))


def test_options_are_those_of_the_tool():
    listed = {name for command in ("check", "build", "report", "graph", "run") for pair in help_of(command) for name in pair if name}
    assert "--kernel" in listed and "-o" in listed
    prose = BLOCK.sub("", TEXT)
    told = set(re.findall(r"(?<![\w-])(--[a-z][\w-]+)", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert {name for name in listed if name.startswith("--")} - told == set(), "the manual lacks these"
    assert told - listed - NOT_THE_TOOLS == set(), "there are no such options"


def test_options_of_run_stand_in_its_section():
    section = TEXT[TEXT.index("\n## 2 "):TEXT.index("\n## 3 ")]
    assert {name for _, name in help_of("run") if f"`{name}" not in section} == set()


def test_exit_codes_are_told():
    for code in "0 the guest powered off", "1 it crashed", "2 the command line is wrong", "124 the time was up", "130 you":
        assert code in TEXT.replace("\n", " ")
