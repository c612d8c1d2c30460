"""`bulkhead report` and `bulkhead graph`, and the files that `bulkhead build` writes beside an image: everything that
the description gives to anybody is in them."""

import json
import re
import xml.dom.minidom

import pytest
from programs import workshop    # noqa: F401 (a fixture)

from runner.common import ROOT

SYSTEM = """<system console="off">
<memory_region name="uart" device="stdout serial0"/>
<memory_region name="shared" size="0x2000"/>
<memory_region name="fixed" size="0x1000" phys_addr="0x9000000"/>
<memory_region name="file" prefill_path="file.bin"/>
<protection_domain name="driver" priority="200" budget="300" period="900" cpu="1" smc="true" fpu="false" stack_size="0x3000">
  <program_image path="driver.elf"/>
  <map mr="uart" vaddr="0x1000000" cached="false"/>
  <map mr="shared" vaddr="0x2000000" perms="r"/>
  <irq device="uart" id="7"/>
  <irq irq="44" id="8" trigger="edge"/>
  <cspace><cap_tcb slot="5" pd="client"/><cap_vspace slot="6" pd="driver"/></cspace>
  <protection_domain name="child" id="3" passive="true"><program_image path="child.elf"/></protection_domain>
</protection_domain>
<protection_domain name="client" power="true">
  <program_image path="client.elf"/>
  <map mr="shared" vaddr="0x2000000"/>
  <map mr="fixed" vaddr="0x3000000" perms="rx"/>
  <map mr="file" vaddr="0x4000000" perms="r"/>
</protection_domain>
<channel><end pd="client" id="1" pp="true"/><end pd="driver" id="2" notify="false"/></channel>
</system>
"""


@pytest.fixture
def made(workshop):    # noqa: F811
    """The workshop after building the system above."""
    for name in "driver", "child", "client":
        workshop.elf(f"{name}.elf")
    workshop.write("file.bin", b"x" * 10)
    assert workshop.build(workshop.write("a.system", SYSTEM)) == (0, [])
    return workshop


def check_rights(report):
    driver, child, client = report["protection_domains"]
    assert [domain["name"] for domain in (driver, child, client)] == ["driver", "child", "client"]
    facts = {"line": 6, "program": "driver.elf", "priority": 200, "core": 1, "budget_us": 300, "period_us": 900,
             "stack_size": 0x3000, "passive": False, "may_write_to_console": False, "may_use_floating_point": False,
             "may_call_firmware": True, "may_end_system": False}
    assert facts.items() <= driver.items()
    assert driver["maps"] == [
        {"memory_region": "uart", "address": 0x1000000, "size": 0, "perms": "rw-", "cached": False},
        {"memory_region": "shared", "address": 0x2000000, "size": 0x2000, "perms": "r--", "cached": True}]
    assert driver["interrupts"] == [{"device": "uart", "index": 0, "id": 7},
                                    {"number": 44, "trigger": "edge", "id": 8}]
    assert driver["capabilities"] == [{"slot": 5, "kind": "thread", "of": "client"},
                                      {"slot": 6, "kind": "address space", "of": "driver"}]
    assert driver["children"] == [{"name": "child", "id": 3}]
    assert (child["parent"], child["child_id"], child["passive"]) == ("driver", 3, True)
    assert client["may_end_system"] and client["may_use_floating_point"] and not client["may_call_firmware"]
    assert client["channels"] == [{"id": 1, "may_notify": True, "may_call": True, "other": {
        "protection_domain": "driver", "id": 2, "may_notify": False, "may_call": False}}]


def check_regions(report):
    uart, shared, fixed, file = report["memory_regions"]
    assert (uart["device"], uart["read_by"], uart["written_by"]) == ("stdout serial0", ["driver"], ["driver"])
    assert (shared["size"], shared["read_by"], shared["written_by"]) == (0x2000, ["driver", "client"], ["client"])
    assert (fixed["physical_address"], fixed["executed_by"], fixed["written_by"]) == (0x9000000, ["client"], [])
    assert (file["prefill"], file["read_by"]) == ("file.bin", ["client"])


def check_channels_and_interrupts(report):
    assert report["channels"] == [{"line": 21, "ends": [
        {"protection_domain": "client", "id": 1, "may_notify": True, "may_call": True},
        {"protection_domain": "driver", "id": 2, "may_notify": False, "may_call": False}]}]
    assert report["interrupts"] == [
        {"line": 10, "protection_domain": "driver", "device": "uart", "index": 0, "id": 7},
        {"line": 11, "protection_domain": "driver", "number": 44, "trigger": "edge", "id": 8}]
    assert report["console"] is False


def test_json_beside_the_image(made):
    report = json.loads((made.folder / "image.report.json").read_text())
    check_rights(report)
    check_regions(report)
    check_channels_and_interrupts(report)
    size = (made.folder / "image.img").stat().st_size
    assert report["image"] == {"size": size, "kernel_size": 8192, "bundle_size": size - 8192}
    assert report["protection_domains"][0]["segments"][0] == {"address": 0x200000, "size": 4, "perms": "r-x"}
    assert report["memory_regions"][3]["size"] == 0x1000


def test_json_without_programs(tool, tmp_path):
    file = tmp_path / "a.system"
    file.write_text(SYSTEM)
    code, output, errors = tool("report", "--json", file)
    report = json.loads(output)
    assert (code, errors) == (0, [])
    check_rights(report)
    check_regions(report)
    check_channels_and_interrupts(report)
    assert "image" not in report


TEXT = """
protection domains: 3, memory regions: 4, channels: 1, interrupts: 2
the kernel's console: off once the system runs, and none of them may write to it
  driver: driver.elf
    priority 200, core 1, 300 us of every 900 us
    may use floating point: no, call the firmware: yes, end the system: no
    controls child 3, child
    holds the thread of client in slot 5
    holds the address space of driver in slot 6
    0001000000..0001010000 rw- uart, uncached
    0002000000..0002002000 r-- shared
    7fffffa000..7fffffd000 rw- its stack
    id 2: does nothing to client, which notifies and calls it
    id 7: is notified by interrupt 0 of device 'uart'
    id 8: is notified by interrupt 44
  child: child.elf
    priority 0, core 0, 1000 us of every 1000 us, passive: runs on its callers' time
    is child 3 of driver, which handles its faults
  client: client.elf
    may use floating point: yes, call the firmware: no, end the system: yes
    0003000000..0003001000 r-x fixed
    id 1: notifies and calls driver, which does nothing to it
  uart: the device stdout serial0
    rw- driver
  shared: anywhere, 0x2000 bytes
    r-- driver
    rw- client
  fixed: at 0x9000000, 0x1000 bytes
    r-x client
  client (id 1) notifies and calls driver (id 2)
  driver (id 2) does nothing to client (id 1)
  interrupt 0 of device 'uart': driver (id 7)
  interrupt 44: driver (id 8), edge
""".strip("\n").splitlines()


def in_order(wanted, lines):
    """The first of the wanted lines that does not follow those before it, or None."""
    remaining = iter(lines)
    return next((line for line in wanted if line not in remaining), None)


def test_text_beside_the_image(made):
    lines = (made.folder / "image.report.txt").read_text().splitlines()
    assert in_order(TEXT, lines) is None
    size = (made.folder / "image.img").stat().st_size
    assert f"image: {size} bytes, of which kernel 8192, bundle {size - 8192}" in lines
    assert "    0000200000..0000200004 r-x its program" in lines
    assert "  file: anywhere, 0x1000 bytes, filled from file.bin" in lines


def test_text_without_programs(tool, tmp_path):
    file = tmp_path / "a.system"
    file.write_text(SYSTEM)
    code, output, errors = tool("report", file)
    assert (code, errors) == (0, [])
    assert in_order(TEXT, output.splitlines()) is None
    assert "image:" not in output


def titles(svg):
    return [title.firstChild.data for title in xml.dom.minidom.parseString(svg).getElementsByTagName("title")]


def test_picture(made, tool):
    found = titles((made.folder / "image.svg").read_text())
    for title in ("driver: driver.elf, priority 200, core 1, smc, interrupt 0 of device 'uart', interrupt 44",
                  "client: client.elf, priority 0, core 0, power", "uart: device stdout serial0",
                  "shared: 0x2000 bytes", "fixed: 0x1000 bytes at 0x9000000", "driver: rw- uart at 0x1000000",
                  "client: r-x fixed at 0x3000000", "client (id 1) calls driver (id 2)"):
        assert title in found
    assert not any(title.startswith("driver (id 2)") for title in found)    # it may do nothing there
    assert tool("graph", made.folder / "a.system", "-o", made.folder / "b.svg")[0] == 0
    assert len(titles((made.folder / "b.svg").read_text())) == len(found)


def test_a_virtual_machine_is_shown(tool, tmp_path):
    file = tmp_path / "a.system"
    file.write_text('<system><memory_region name="ram" size="0x200000"/><protection_domain name="vmm" cpu="2">'
                    '<program_image path="vmm.elf"/><virtual_machine name="linux" priority="3"><vcpu id="1"/>'
                    '<map mr="ram" vaddr="0x40000000" perms="rwx"/></virtual_machine></protection_domain></system>')
    report = json.loads(tool("report", "--json", file)[1])
    assert report["protection_domains"][0]["virtual_machine"] == {
        "name": "linux", "priority": 3, "budget_us": 1000, "period_us": 1000, "vcpus": [{"id": 1, "core": 2}],
        "command_line": "", "on_reset": "restart", "on_poweroff": "stop", "on_crash": "stop", "restarts": 5, "window_s": 60,
        "counts_exits": False,
        "maps": [{"memory_region": "ram", "address": 0x40000000, "size": 0x200000, "perms": "rwx", "cached": True}]}
    assert report["memory_regions"][0]["executed_by"] == ["vmm's virtual machine linux"]
    text = tool("report", file)[1]
    assert in_order(["    runs the virtual machine linux: priority 3, 1000 us of every 1000 us", "    vcpu 1 on core 2",
                     "    0040000000..0040200000 rwx ram", "    rwx vmm's virtual machine linux"],
                    text.splitlines()) is None


def test_names_that_need_escaping(sanitized, tmp_path):
    file = tmp_path / "a.system"
    file.write_text('<system><memory_region name="&lt;m&gt;&quot;\\" size="0x1000"/><protection_domain name="&amp;ä\'">'
                    '<program_image path="a&lt;b"/><map mr="&lt;m&gt;&quot;\\" vaddr="0x1000000"/></protection_domain>'
                    "</system>")
    report = json.loads(sanitized("report", "--json", file)[1])
    assert report["memory_regions"][0]["name"] == '<m>"\\'
    assert report["protection_domains"][0]["name"] == "&ä'"
    assert "&ä': a<b, priority 0, core 0" in titles(sanitized("graph", file)[1])


@pytest.mark.parametrize("command", ["report", "graph"])
def test_a_wrong_description_has_no_report(tool, tmp_path, command):
    file = tmp_path / "a.system"
    file.write_text("<system>\n</system>")
    assert tool(command, file) == (1, "", [
        f"{file}:1:1: <system> has no <protection_domain>, give it at least 1"])


def test_pictures_of_our_systems_are_drawings(tool):
    for file in sorted(ROOT.glob("systems/*/*.system")):
        code, output, errors = tool("graph", file)
        assert (code, errors) == (0, [])
        names = re.findall(r'<protection_domain name="(\w+)"', file.read_text())
        assert all(any(title.startswith(f"{name}: ") for title in titles(output)) for name in names)
