"""The example systems, end to end: `bulkhead run` in QEMU, what it prints, and its exit code. Limits of time are for
hangs only."""

import re
import subprocess
import sys

import pexpect
import pytest

from runner.common import BUILD, ROOT

BULKHEAD = BUILD / "bulkhead"
LIMIT = 120
ESCAPE = "\x1d"
EVERYWHERE = [("virt, GICv3", ["--gic", "3"]), ("virt, GICv2", ["--gic", "2"]), ("zcu102", ["--board", "zcu102"])]


def description(name):
    return ROOT / "systems" / name / f"{name}.system"


def bulkhead(*arguments):
    """Runs the tool. Returns exit code and output, with the terminal's line ends."""
    done = subprocess.run([BULKHEAD, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT + 60, check=False)
    output = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    print(output)
    return done.returncode, output


def run(file, *arguments):
    return bulkhead("run", file, "--timeout", str(LIMIT), *arguments)


def variant(tmp_path, name, *changes):
    """A description of ours with some of its text replaced."""
    text = description(name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / f"{name}.system"
    file.write_text(text)
    return file


def programs(*systems):
    """Where the programs of these systems are, for a description that lies elsewhere."""
    folders = [BUILD / "bin", *(BUILD / "systems" / system for system in systems)]
    return [word for folder in folders for word in ("--search-path", str(folder))]


def greetings(output):
    return sorted(re.findall(r"^(core\d)\| hello, this is \1$", output, re.M))


ALL_CORES = ["core0", "core1", "core2", "core3"]


# ---- hello -----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def hello_image(tmp_path_factory):
    image = tmp_path_factory.mktemp("hello") / "hello.img"
    code, _ = bulkhead("build", description("hello"), "-o", image)
    assert code == 0
    return image


@pytest.mark.parametrize("machine", [words for _, words in EVERYWHERE], ids=[name for name, _ in EVERYWHERE])
def test_one_image_says_hello_everywhere(hello_image, machine):
    code, output = bulkhead("run", "--image", hello_image, "--timeout", str(LIMIT), *machine)
    assert greetings(output) == ALL_CORES
    assert "judge| all four greetings have left the wire\n" in output
    assert code == 0


def test_hello_by_its_description():
    code, output = run(description("hello"))
    assert greetings(output) == ALL_CORES
    assert code == 0


def test_hello_on_more_cores():
    code, output = run(description("hello"), "--cpus", "8")
    assert greetings(output) == ALL_CORES
    assert code == 0


def test_hello_needs_its_cores():
    code, output = run(description("hello"), "--cpus", "2")
    assert greetings(output) == []
    assert "core2" in output and "core" in output.replace("core2", "")    # the process, and what it misses
    assert code == 1


def test_a_missing_greeting_is_noticed(tmp_path):
    # core2 runs a program that has other things to say.
    domain = '<protection_domain name="core2" priority="100" cpu="2">\n        <program_image path="'
    file = variant(tmp_path, "hello", (domain + "greeter.elf", domain + "echo.elf"))
    code, output = run(file, *programs("hello", "consoles"))
    assert greetings(output) == ["core0", "core1", "core3"]
    assert re.findall(r"^judge\| (.*)$", output, re.M) == ["no greeting from core2"]
    assert code == 1


def test_a_ring_full_of_nonsense_hurts_nobody_else(tmp_path):
    (tmp_path / "nonsense").write_bytes(bytes(range(1, 255)) * 16)
    file = variant(tmp_path, "hello", ('name="serial2" size="0x4000"',
                                       'name="serial2" size="0x4000" prefill_path="nonsense"'))
    code, output = run(file, *programs("hello"))
    assert greetings(output) == ["core0", "core1", "core3"]
    assert "judge| no greeting from core2\n" in output
    assert code == 1


# ---- The serial mux's keys -------------------------------------------------------------------------------------------

class Terminal:
    """systems/consoles or a variant, and somebody who types at it once all consoles are ready."""

    def __init__(self, *arguments, consoles=3):
        self.child = pexpect.spawn(str(BULKHEAD), ["run", *map(str, arguments), "--timeout", str(LIMIT)], cwd=str(ROOT),
                                   timeout=LIMIT, encoding="utf-8", codec_errors="replace")
        self.child.logfile_read = sys.stdout
        for _ in range(consoles):
            self.see("ready\n")

    def type(self, keys):
        self.child.send(keys)

    def see(self, text):
        # The terminal adds carriage returns of its own.
        self.child.expect(re.escape(text).replace("\\\n", "\r*\n"))

    def end(self):
        """Returns the exit code."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.mark.parametrize("machine", [words for _, words in EVERYWHERE], ids=[name for name, _ in EVERYWHERE])
def test_typing_goes_where_it_is_sent(machine):
    terminal = Terminal(description("consoles"), *machine)
    terminal.type("one\r")
    terminal.see("alice| one\nalice| you said: one\n")
    terminal.type(ESCAPE + "2")
    terminal.see("serial| input to bob\n")
    terminal.type("two\r")
    terminal.see("bob| you said: two\n")
    terminal.type(ESCAPE + "1three\r")
    terminal.see("serial| input to alice\n")
    terminal.see("you said: three\n")
    terminal.type(ESCAPE + "9")
    terminal.see("serial| there is no client 9\n")
    terminal.type(ESCAPE + "x")
    terminal.see("serial| no such command, Ctrl-] ? helps\n")
    terminal.type(ESCAPE + "?")
    terminal.see("serial| Ctrl-] then 1-9: input to that client, ?: this help, q: end the system")
    terminal.see("serial|   1 alice <- input\nserial|   2 bob\nserial|   3 mallory\n")
    terminal.type("a" + ESCAPE + ESCAPE + "b\r")
    terminal.see("you said: a\x1db\n")
    terminal.type(ESCAPE + "q")
    terminal.see("serial| end of the system, as asked\n")
    assert terminal.end() == 0


def test_who_ruins_its_ring_is_cut_off():
    terminal = Terminal(description("consoles"))
    terminal.type(ESCAPE + "3me\r")
    terminal.see("mallory| you said: me\n")
    terminal.type("break\r")
    terminal.see("serial| mallory is cut off: its ring is corrupt\n")
    terminal.type("hello?\r" + ESCAPE + "?")
    terminal.see("3 mallory <- input, cut off, 7 bytes dropped\n")
    for number, name in (1, "alice"), (2, "bob"):
        terminal.type(f"{ESCAPE}{number}still {name}\r")
        terminal.see(f"you said: still {name}\n")
    terminal.type(ESCAPE + "q")
    assert terminal.end() == 0


def test_much_is_typed_at_once():
    terminal = Terminal(description("consoles"))
    lines = [f"line {number} " + "x" * 50 for number in range(50)]
    terminal.type("".join(line + "\r" for line in lines))
    for line in lines:
        terminal.see(f"you said: {line}\n")
    terminal.type(ESCAPE + "q")
    assert terminal.end() == 0


ONE_CONSOLE = """
<system console="off">
    <memory_region name="uart" device="stdout"/>
    <memory_region name="wire" size="0x4000"/>
    <protection_domain name="uart_driver" priority="250">
        <program_image path="uart_driver.elf"/>
        <map mr="uart" vaddr="0x10000000" perms="rw" cached="false"/>
        <map mr="wire" vaddr="0x20000000" setvar_vaddr="wire"/>
        <irq device="uart" id="0"/>
    </protection_domain>
    <protection_domain name="only" priority="100">
        <program_image path="echo.elf"/>
        <map mr="wire" vaddr="0x20000000" setvar_vaddr="serial_region"/>
    </protection_domain>
    <channel><end pd="uart_driver" id="1"/><end pd="only" id="0"/></channel>
</system>
"""


def test_one_client_needs_no_mux(tmp_path):
    file = tmp_path / "one.system"
    file.write_text(ONE_CONSOLE)
    terminal = Terminal(file, *programs("consoles"), consoles=1)
    terminal.type(ESCAPE + "q\r")
    terminal.see("you said: " + ESCAPE + "q\n")
    terminal.child.close(force=True)


def test_only_who_may_ends_the_system(tmp_path):
    file = variant(tmp_path, "consoles", (' power="true"', ""))
    (tmp_path / "mux.conf").write_text("prefix off\n")
    terminal = Terminal(file, *programs("consoles"), "--search-path", tmp_path)
    terminal.type(ESCAPE + "q")
    terminal.see("ending the system is not among this process's rights\n")
    terminal.type("x\r")
    terminal.see("\nyou said: x\n")
    terminal.child.close(force=True)


# ---- The others. Shares of time are asserted under --icount, where a busy development machine has no part in them -----

def figures(output, pattern):
    return [int(figure) for figure in re.findall(pattern, output)]


@pytest.mark.parametrize("machine", [words for _, words in EVERYWHERE], ids=[name for name, _ in EVERYWHERE])
def test_ping_pong(machine):
    code, output = run(description("ping-pong"), *machine)
    assert code == 0
    assert "ping| every answer was right\n" in output
    assert re.findall(r"^ping\| (.*): 2000 round trips, [1-9]\d* ns each$", output, re.M) == [
        "calls, same core", "calls, across cores", "notifications, same core", "notifications, across cores"]


def test_ping_pong_is_repeatable_in_instructions():
    outputs = {run(description("ping-pong"), "--icount")[1] for _ in range(2)}
    assert len({re.search(r"calls, same core: .*", output)[0] for output in outputs}) == 1


@pytest.mark.parametrize("machine", [words for _, words in EVERYWHERE], ids=[name for name, _ in EVERYWHERE])
def test_hierarchy(machine):
    code, output = run(description("hierarchy"), *machine)
    misdeeds = ["reads address 0", "writes its text", "executes data", "executes an undefined instruction",
                "uses floating point without the right"]
    assert code == 0
    assert re.findall(r"^parent\| life \d+: the child (.*) \(", output, re.M) == misdeeds * 3
    assert figures(output, r"life (\d+):") == list(range(1, 16))
    assert "parent| it never learns: stopped for good\n" in output


@pytest.mark.parametrize("machine", [words for _, words in EVERYWHERE], ids=[name for name, _ in EVERYWHERE])
def test_own_vmm(machine):
    code, output = run(description("own-vmm"), *machine)
    assert re.findall(r"^guest: .*", output, re.M) == [
        "guest: this VMM was restarted 0 times; its counter says 1 2 3", "guest: now it crashes",
        "guest: this VMM was restarted 1 times; its counter says 1 2 3", "guest: off"]
    assert 'vm guest: crashed: process "own_vmm", thread 1: it wrote to 0x0, where nothing is mapped\n' in output
    assert "vm guest: restarts for the 1st time\n" in output
    assert "vm guest: powered off\n" in output
    assert code == 0


def test_hierarchy_on_one_core():
    assert run(description("hierarchy"), "--cpus", "1")[0] == 0


@pytest.mark.parametrize("machine", [words for _, words in EVERYWHERE], ids=[name for name, _ in EVERYWHERE])
def test_passive(machine):
    code, output = run(description("passive"), "--icount", *machine)
    assert "judge| callers paid for what they got\n" in output
    assert all(figures(output, r": (\d+) calls in"))
    full, fifth, _ = figures(output, r"charged (\d+) %")
    assert full >= 98 and 19 <= fifth <= 20
    assert figures(output, r"the server (\d+) %") == [0, 0, 0]
    assert code == 0


@pytest.mark.parametrize("machine", [words for _, words in EVERYWHERE], ids=[name for name, _ in EVERYWHERE])
def test_budget(machine):
    code, output = run(description("budget"), "--icount", *machine)
    assert "judge| each got its share\n" in output
    # The kernel's account of a thread that is running may lag by a slice.
    greedy, modest = figures(output, r"(\d+) % of the time")
    assert 29 <= greedy <= 30 and 68 <= modest <= 70
    assert figures(output, r"(\d+) % of the work") == [30, 70]
    assert code == 0


def test_a_greedy_process_without_a_budget_takes_all(tmp_path):
    # The judge judges: without the budget the shares are wrong, and it says so.
    file = variant(tmp_path, "budget", (' budget="3000" period="10000"', ""))
    code, output = run(file, *programs("budget"))
    assert "judge| the shares are wrong\n" in output
    assert code == 1
