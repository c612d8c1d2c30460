"""`bulkhead run` around a QEMU that is none: what it is started with, whose exit code counts, how it ends. What runs in
the real one is tested end to end."""

import os
import shutil
import signal
import subprocess
import time

import pexpect
import pytest

from runner.common import BUILD

BULKHEAD = str(BUILD / "bulkhead")
OFF = "bulkhead: off, code"


@pytest.fixture
def run(tmp_path):
    """run(script, *options): the tool, with a shell script in QEMU's place. Returns a finished process."""
    image = tmp_path / "image.img"
    image.write_bytes(b"image")

    def start(script, *options, **how):
        qemu = tmp_path / "qemu-system-aarch64"
        qemu.write_text(f"#!/bin/sh\n{script}\n")
        qemu.chmod(0o755)
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        command = [BULKHEAD, "run", "--image", str(image), *options]
        how = {"capture_output": True, "text": True, "timeout": 30, "stdin": subprocess.DEVNULL, **how}
        if how.pop("wait", True):
            return subprocess.run(command, env=environment, check=False, **how)
        return command, environment

    start.folder = tmp_path
    return start


VERDICTS = {    # what is printed: exit code
    "zero": (f"{OFF} 0\\n", 0),
    "seven": (f"hello\\n{OFF} 7\\n", 7),
    "carriage_return": (f"{OFF} 3\\r\\n", 3),
    "last_one_counts": (f"{OFF} 3\\n{OFF} 0\\n{OFF} 5\\n", 5),
    "behind_other_text": (f"half a line {OFF} 4\\n", 4),
    "without_line_end": (f"{OFF} 6", 6),
    "large": (f"{OFF} 256\\n", 255),
    "followed_by_something": (f"{OFF} 0 or so\\n{OFF} 2\\n{OFF} x\\n", 2),
    "behind_a_very_long_line": ("x" * 5000 + f"{OFF} 9\\n", 9),
}


@pytest.mark.parametrize("output, code", VERDICTS.values(), ids=VERDICTS)
def test_exit_code_is_what_the_kernel_says(run, output, code):
    done = run(f"printf '{output}'")
    assert done.returncode == code
    assert done.stdout.replace("\r", "") == output.replace("\\n", "\n").replace("\\r", "")
    assert done.stderr == ""


@pytest.mark.parametrize("script, reason", [
    ("echo hello", "exit code 0"), (f"echo {OFF} none", "exit code 0"), ("exit 3", "exit code 3"),
    ("kill -9 $$", "signal 9")])
def test_without_a_verdict(run, script, reason):
    done = run(script)
    assert done.returncode == 1
    assert done.stderr == f'bulkhead: QEMU ended ({reason}) and the system had not said "off, code N"\n'


def test_complaints_of_qemu_are_shown_if_they_matter(run):
    done = run(f"echo bad weather >&2; echo {OFF} 0")
    assert (done.returncode, done.stderr) == (0, "")
    done = run("echo bad weather >&2; exit 3")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "bad weather"


def test_timeout(run):
    start = time.monotonic()
    done = run(f"echo $$ > {run.folder}/pid; echo {OFF} 0; exec sleep 100", "--timeout", "1")
    assert (done.returncode, done.stdout) == (124, f"{OFF} 0\n")
    assert done.stderr == "bulkhead: the time is up, QEMU was ended\n"
    assert 1 <= time.monotonic() - start < 20
    assert not os.path.exists(f"/proc/{(run.folder / 'pid').read_text().strip()}")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_qemu_ends_with_us(run, how):
    command, environment = run(f"echo $$ > {run.folder}/pid; echo started; exec sleep 100", wait=False)
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"started\n"
        process.send_signal(how)
        assert process.wait(10) == (130 if how != signal.SIGKILL else -9)
    pid = (run.folder / "pid").read_text().strip()
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{pid}/exe")


def test_input_reaches_the_system(run):
    done = run(f"while read line; do echo got $line; done; echo {OFF} 0", stdin=None, input="one\ntwo\n" + "x" * 100000)
    assert done.returncode == 0
    assert done.stdout.startswith("got one\ngot two\n")


def test_no_input_is_no_reason_to_end(run):
    assert run(f"sleep 0.2; echo {OFF} 0").returncode == 0


def test_nobody_reads_the_output(run):
    command, environment = run("while :; do echo much; done", wait=False)
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 130


def test_there_is_no_qemu(tmp_path):
    (tmp_path / "image.img").write_bytes(b"")
    done = subprocess.run([BULKHEAD, "run", "--image", tmp_path / "image.img"], env={"PATH": str(tmp_path)}, check=False,
                          capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "qemu-system-aarch64 cannot be started (No such file or directory)" in done.stderr


def test_the_guests_are_not_there(tmp_path):
    tool = shutil.copy(BULKHEAD, tmp_path)    # its home is the folder that it lies in
    done = subprocess.run([tool, "run"], check=False, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (
        2, "", "bulkhead: the guests of systems/two-guests are missing, run: make two-guests\n")


# ---- The terminal ----------------------------------------------------------------------------------------------------

def typed_at(run, script):
    command, environment = run(script, wait=False)
    return pexpect.spawn(command[0], command[1:], env=environment, timeout=20, encoding="latin-1")


def test_every_key_goes_through_and_the_terminal_is_restored(run):
    child = typed_at(run, f"echo ready; head -c 4 | od -An -tx1; echo {OFF} 0")
    child.expect_exact("ready")
    child.waitnoecho()
    child.send("\x03\x04\x1a\x1d")    # Ctrl-C, Ctrl-D, Ctrl-Z, Ctrl-]
    child.expect_exact(" 03 04 1a 1d")
    child.expect(pexpect.EOF)
    assert child.getecho()
    child.close()
    assert child.exitstatus == 0


def test_three_times_the_leave_key(run):
    child = typed_at(run, "echo ready; exec sleep 100")
    child.expect_exact("ready")
    child.waitnoecho()
    child.send("\x1d\x1d\x1d")
    child.expect(pexpect.EOF)
    assert child.getecho()
    child.close()
    assert child.exitstatus == 130


# ---- QEMU's command line ---------------------------------------------------------------------------------------------

def words(run, *options):
    done = run(f'echo "$@"; echo {OFF} 0', *options)
    assert done.returncode == 0
    return done.stdout.splitlines()[0]


def test_virt(run):
    line = words(run)
    for part in ("-M virt,virtualization=on,gic-version=3,dtb-randomness=off", "-cpu cortex-a53", "-smp 4", "-m 1G",
                 "-nographic", "-monitor none", "-nic none", f"-kernel {run.folder}/image.img"):
        assert part in line
    assert "icount" not in line


def test_virt_with_everything(run):
    line = words(run, "--board", "virt", "--cpus", "8", "--memory", "512M", "--gic", "2", "--cpu", "max", "--icount")
    for part in ("gic-version=2,", "-cpu max", "-smp 8", "-m 512M", "-icount shift=0,sleep=off"):
        assert part in line


def test_show(run):
    done = run(f'echo "$@"; echo {OFF} 0', "--show")
    shown, started, _ = done.stdout.splitlines()
    assert shown == "qemu-system-aarch64 " + started


WRONG = {
    "guest": (["--kernel", "vmlinuz"], "--kernel runs a guest of its own, leave out FILE.system and --image"),
    "guest_without_kernel": (["--append", "quiet"], "--initrd, --dtb and --append are for a guest, name its --kernel"),
    "trace": (["--trace", "everything"], "--trace takes one of: exits, not 'everything'"),
    "board": (["--board", "pi"], "there is no board 'pi', use virt or zcu102"),
    "zcu102_gic": (["--board", "zcu102", "--gic", "3"],
                   "the board zcu102 has a GICv2 and Cortex-A53, leave out --gic and --cpu"),
    "zcu102_cpu": (["--board", "zcu102", "--cpu", "max"],
                   "the board zcu102 has a GICv2 and Cortex-A53, leave out --gic and --cpu"),
    "zcu102_memory": (["--board", "zcu102", "--memory", "4G"],
                      "the board zcu102 has at most 2G in QEMU, give --memory 2G or less"),
    "image_and_system": (["a.system"], "--image is run as it is, leave out FILE.system and --init"),
    "gic": (["--gic", "4"], "--gic takes a number 2..3, not '4'"),
    "timeout": (["--timeout", "soon"], "--timeout takes a number 1..1000000, not 'soon'"),
}


@pytest.mark.parametrize("options, message", WRONG.values(), ids=WRONG)
def test_wrong_options(run, options, message):
    done = run("echo started", *options)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"bulkhead: {message}\n")


def test_a_wrong_description_is_not_run(tool, tmp_path):
    file = tmp_path / "a.system"
    file.write_text("<system/>")
    assert tool("run", file) == (1, "", [f"{file}:1:1: <system> has no <protection_domain>, give it at least 1"])
