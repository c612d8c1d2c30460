"""./bulkhead itself, in a folder of its own and with stand-ins for apt-get and make that write down how they are
called. What it should install is a package that no machine has."""

import os
import shutil
import subprocess

import pexpect
import pytest
import tree
from runner.common import ROOT


@pytest.fixture(name="door")
def make_door(tmp_path):
    shutil.copy(ROOT / "bulkhead", tmp_path)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/packages").write_text("# why\nmake  is there\nno-such-package-1  a reason\n")
    program(tmp_path / "bin/apt-get", f'echo "apt-get $*" >>{tmp_path}/log')
    program(tmp_path / "bin/make", f'echo make >>{tmp_path}/log')
    program(tmp_path / "bin/sudo", 'exec "$@"')
    program(tmp_path / "build/bulkhead", 'echo "tool: $*"; exit 7')
    return tmp_path


def program(path, body):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def environment(door):
    return {**os.environ, "PATH": f"{door}/bin:{os.environ['PATH']}"}


def log(door):
    return (door / "log").read_text() if (door / "log").exists() else ""


def run(door, *arguments):
    return subprocess.run([door / "bulkhead", *arguments], cwd="/", env=environment(door), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_without_a_terminal_it_goes_ahead(door):
    ran = run(door, "check", "a b.system")
    assert "these Debian packages are missing: no-such-package-1" in ran.stdout
    assert log(door) == "apt-get -qq -y --no-install-recommends install no-such-package-1\nmake\n"
    assert ran.stdout.endswith("tool: check a b.system\n")
    assert ran.returncode == 7


def test_with_nothing_missing_it_installs_nothing(door):
    (door / "scripts/packages").write_text("make  is there\n")
    assert run(door).stdout == "tool: help\n"
    assert log(door) == "make\n"


@pytest.mark.parametrize("answer, goes_ahead", [("", True), ("y", True), ("n", False)])
def test_on_a_terminal_it_asks_once(door, answer, goes_ahead):
    child = pexpect.spawn(str(door / "bulkhead"), ["run"], env=environment(door), encoding="utf-8", timeout=20)
    child.expect_exact("install them with apt-get? [Y/n]")
    child.sendline(answer)
    child.expect_exact("tool: run" if goes_ahead else "nothing was installed")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == (7 if goes_ahead else 1)
    assert ("install" in log(door)) == goes_ahead


def test_yes_does_not_ask(door):
    child = pexpect.spawn(str(door / "bulkhead"), ["--yes", "run"], env=environment(door), encoding="utf-8", timeout=20)
    child.expect_exact("tool: run")
    child.expect(pexpect.EOF)


def test_a_refused_install_is_tried_with_new_lists_and_then_reported(door):
    program(door / "bin/apt-get", f'echo "$*" >>{door}/log; [ "$2" = update ]')
    ran = run(door, "run")
    assert [line.split()[1] for line in log(door).splitlines()] == ["-y", "update", "-y"]
    assert "apt-get could not install them" in ran.stdout
    assert ran.returncode == 1


def test_a_failed_build_is_reported(door):
    (door / "scripts/packages").write_text("make  is there\n")
    program(door / "bin/make", "echo oops; exit 2")
    ran = run(door, "run")
    assert ran.stdout == "oops\nbulkhead: the build failed\n"
    assert ran.returncode == 1


FETCHED = {    # what it is asked to do: what it has made of what isn't ours
    "run": "two-guests", "run --gic 2 --icount --timeout 5": "two-guests", "run --show --board zcu102": "guest",
    "run --cpu": "two-guests", "run a.system": None, "run --gic 2 a.system": None, "run --kernel Image": None,
    "run --image a.img --gic 2": None, "check a.system": None, "check --board=zcu102 a.system": "guest"}


@pytest.mark.parametrize("arguments, target", FETCHED.items(), ids=FETCHED)
def test_guests_are_fetched_for_who_asks_for_them(door, arguments, target):
    program(door / "bin/make", f'shift 5; echo "$*" >>{door}/log')    # -s -C TOP -j N
    (door / "scripts/packages").write_text("make  is there\n")
    assert run(door, *arguments.split()).stdout == f"tool: {arguments}\n"
    assert log(door) == f"all {target}\n" if target else "all\n"


def test_every_package_has_a_reason():
    tree.complain([line for line in tree.read("scripts/packages").splitlines()
                   if line and not line.startswith("#") and len(line.split()) < 2])
