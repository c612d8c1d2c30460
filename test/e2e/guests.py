"""Guests for the end-to-end tests: Linux to talk to, and the payloads of test/guest."""

import re
import subprocess
import sys

import pexpect

from runner import initrd
from runner.common import BUILD, ROOT

BULKHEAD = BUILD / "bulkhead"
PAYLOADS = BUILD / "test/guest"
KERNELS = {"generic": BUILD / "guest/vmlinuz-arm64", "cloud": BUILD / "guest/vmlinuz-cloud-arm64",
           "rt": BUILD / "guest/vmlinuz-rt-arm64"}
INITRD = BUILD / "guest/initrd.cpio"
CMDLINE = "cryptomgr.notests panic=-1"    # those tests are two thirds of a boot
LIMIT = 180    # seconds, for hangs

MACHINES = {"gic3": ["--gic", "3"], "gic2": ["--gic", "2"], "zcu102": ["--board", "zcu102"]}


def payload(name, *arguments, limit=LIMIT, append=""):
    """Runs a payload in a VM of its own. Returns the exit code and the lines it printed."""
    command = [BULKHEAD, "run", "--kernel", PAYLOADS / f"{name}.img", "--append", f"strict=1 {append}".strip(),
               "--timeout", limit, *arguments]
    # What Bulkhead has to say comes on another stream, perhaps in the middle of a line of the guest's.
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=limit + 60, check=False)
    output = (done.stdout + b"\n" + done.stderr).decode(errors="replace").replace("\r", "")
    print(output)
    return done.returncode, output.splitlines()


def assert_good(code, lines):
    bad = [line for line in lines if "FAIL:" in line]
    assert not bad, "\n".join(bad)
    assert "GOOD: 0 failed" in lines
    assert code == 0


class Console:
    """`bulkhead run` with somebody who reads and types."""

    def __init__(self, *arguments, limit=LIMIT):
        command = [str(word) for word in ["run", *arguments, "--timeout", limit]]
        self.child = pexpect.spawn(str(BULKHEAD), command, cwd=str(ROOT), timeout=limit + 60, encoding="utf-8",
                                   codec_errors="replace", dimensions=(24, 200))
        self.child.logfile_read = sys.stdout

    def see(self, pattern):
        """Waits for a regular expression; returns the match."""
        self.child.expect(pattern)
        return self.child.match

    def type(self, keys):
        self.child.send(keys)

    def end(self):
        """Waits until it ends. Returns the exit code."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus

    def stop(self):
        """Not interested any more."""
        self.child.close(force=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Consoles(Console):
    """Several VMs, whose consoles share one line: `a| what a says`. The mux may break a line off where another VM says
    something, so what is looked for is looked for in what one VM says, without its line ends. A line counts from its first
    word on: who waits for a prompt gets no line end."""

    def __init__(self, *arguments, limit=LIMIT):
        super().__init__(*arguments, limit=limit)
        self.forget()

    def forget(self):
        self.line = ""        # begun, not ended
        self.taken = 0        # how much of its VM's words is in `said`
        self.said = {}        # {VM: what is not looked at yet}
        self.all = ""

    def read(self):
        try:
            text = self.child.read_nonblocking(65536, timeout=self.child.timeout).replace("\r", "")
        except OSError:    # how a pseudoterminal may say that nobody is there any more
            raise pexpect.EOF("the system has ended") from None
        self.all += text
        *ended, self.line = (self.line + text).split("\n")
        for line in ended:
            self.take(line)
            self.taken = 0
        self.taken = self.take(self.line)

    def take(self, line):
        """Adds what is new of a line. Returns how much its VM has said in it."""
        name, separator, words = line.partition("| ")
        if separator:
            self.said[name] = self.said.get(name, "") + words[self.taken:]
        return len(words)

    def see_of(self, name, pattern):
        """Waits until a VM says something that the regular expression matches; returns the match."""
        while (match := re.search(pattern, self.said.get(name, ""))) is None:
            self.read()
        self.said[name] = self.said[name][match.end():]
        return match

    def end(self):
        try:
            while True:
                self.read()
        except pexpect.EOF:
            self.child.close()
            return self.child.exitstatus


class Linux(Console):
    """A Linux with busybox, at its shell."""

    def __init__(self, *arguments, kernel="cloud", append=CMDLINE, initrd_file=INITRD, limit=LIMIT):
        super().__init__("--kernel", KERNELS[kernel], "--initrd", initrd_file, "--append", append, *arguments,
                         limit=limit)
        self.ready()

    def ready(self):
        self.see(initrd.READY)
        self.see(initrd.PROMPT)

    def shell(self, command):
        """Runs a command, which must succeed. Returns what it printed. What is waited for differs from what the shell
        echoes."""
        self.type(command + "; echo end-$?-$((6*7))\r")
        code = self.see(r"end-(\d+)-42")[1]
        text = self.child.before.replace("\r", "")
        self.see(initrd.PROMPT)
        assert code == "0", f"{command}: {text}"
        return text.partition("\n")[2]    # behind the echo

    def number(self, command):
        return int(re.search(r"^(\d+)\s*$", self.shell(command), re.M)[1])

    def power_off(self):
        self.type("poweroff -f\r")
        return self.end()


def initrd_with(folder, script=None, files=None):
    """An initial file system of one's own."""
    file = folder / "initrd.cpio"
    file.write_bytes(initrd.archive(script, files))
    return file
