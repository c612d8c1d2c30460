"""Processes without a parent that fault: init says what happened and leaves them stopped, everybody else runs on."""

import re
import subprocess

from runner.common import BUILD, ROOT

BULKHEAD = BUILD / "bulkhead"
LIMIT = 120


def test_hello_beside_processes_that_fault(tmp_path):
    # The child of systems/hierarchy finds none of what it is made for, on two cores; hello goes on as ever.
    intruders = "".join(f'<protection_domain name="stray{cpu}" priority="254" cpu="{cpu}">'
                        '<program_image path="child.elf"/></protection_domain>' for cpu in (0, 3))
    text = (ROOT / "systems/hello/hello.system").read_text().replace("</system>", intruders + "</system>")
    file = tmp_path / f"{tmp_path.parent.name}-{tmp_path.name}.system"    # the tool names the image after it
    file.write_text(text)
    folders = [BUILD / "bin", BUILD / "systems/hello", BUILD / "systems/hierarchy"]
    search = [word for folder in folders for word in ("--search-path", folder)]
    done = subprocess.run([BULKHEAD, "run", file, *search, "--timeout", str(LIMIT)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2 * LIMIT, check=False)
    output = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    print(output)
    for cpu in (0, 3):
        report = rf'init: process "stray{cpu}" is stopped: it (read|wrote) \w+ 0x[0-9a-f]+, where nothing is mapped\n' \
                 r"(.*\n)*?init:     pc 0x2[0-9a-f]{5}, syndrome 0x9[0-9a-f]{7}; the others run on\n"
        assert re.search(report, output)
    assert len(re.findall(r"^core\d\| hello, this is core\d$", output, re.M)) == 4
    assert done.returncode == 0
