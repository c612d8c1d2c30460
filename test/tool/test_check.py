"""`bulkhead check`: a description per rule that breaks it, in rejected/, and per rule's legal side, in accepted/. What
is expected stands in the first lines, each a comment: `<!-- LINE:COLUMN: message -->`."""

import re

import pytest
from conftest import messages

from runner.common import ROOT

HERE = ROOT / "test/tool"
REJECTED = sorted((HERE / "rejected").glob("*.system"))
ACCEPTED = sorted((HERE / "accepted").glob("*.system"))
LINE = re.compile(r"\d+:\d+: .+, .+")

DOMAIN = '<protection_domain name="a"><program_image path="a.elf"/></protection_domain>'


def expected(file):
    lines = []
    for line in file.read_text().splitlines():
        match = re.fullmatch(r"<!-- (\d+:\d+: .*) -->", line)
        if not match:
            break
        lines.append(match[1])
    return lines


def described(tmp_path, content):
    """A description that consists of these bytes."""
    file = tmp_path / "a.system"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize("file", REJECTED, ids=[file.stem for file in REJECTED])
def test_rejected(sanitized, file):
    code, _, errors = sanitized("check", file)
    assert messages(errors, file) == expected(file)
    assert all(LINE.fullmatch(line) for line in expected(file))
    assert code == 1


@pytest.mark.parametrize("file", ACCEPTED, ids=[file.stem for file in ACCEPTED])
def test_accepted(sanitized, file):
    code, output, errors = sanitized("check", file)
    assert messages(errors, file) == expected(file)
    assert all(": warning: " in line for line in expected(file))
    assert output.count("\n") == 1
    assert code == 0


def test_every_system_of_ours_is_accepted(tool):
    files = sorted(ROOT.glob("systems/*/*.system"))
    assert files
    assert [tool("check", file)[0] for file in files] == [0] * len(files)


def test_every_message_of_the_checks_has_a_description():
    """Each format string of a message, as far as it is fixed text, is found in an expected line."""
    lines = [line for file in REJECTED + ACCEPTED for line in expected(file)]
    sources = [ROOT / "tool/xml.c", ROOT / "tool/parse.c", ROOT / "tool/lower.c", *sorted(ROOT.glob("tool/check*.c"))]
    fine_without = {"there is no memory to read it, close other programs",
                    "this is no text, save it as UTF-8",                           # test_no_xml's
                    "'%s' reaches up to 0x%llx, into the stack, link it lower"}    # test_build's
    missing = []
    for source in sources:
        text = source.read_text().replace('" SHOWN "', "%.64s").replace('" SHOWN', '%.64s"').replace(r"\"", "'")
        for call in re.findall(r"diag_(?:error|warning)\(.*?\);", text, re.S):
            literals = [re.sub(r'"\s*"', "", literal)[1:-1] for literal in re.findall(r'"[^"]*"(?:\s*"[^"]*")*', call)]
            message = max(literals, key=len, default="")
            pieces = [re.escape(piece).replace("'", "['\"]") for piece in re.split(r"%(?:\.64|\.\*|ll)?[sux]+", message)]
            if message not in fine_without and not any(re.search(".*".join(pieces), line) for line in lines):
                missing.append(f"{source.name}: {message}")
    assert missing == []


# ---- The machine's cores ---------------------------------------------------------------------------------------------

def test_cores(tool, tmp_path):
    file = described(tmp_path, '<system>\n<protection_domain name="a" cpu="2"><program_image path="a.elf"/>'
                               '<virtual_machine name="v"><vcpu id="0" cpu="4"/></virtual_machine></protection_domain>'
                               '\n</system>')
    assert tool("check", file)[0] == 0
    assert tool("check", file, "--cores", "5")[0] == 0
    code, _, errors = tool("check", "--cores", "2", file)
    assert code == 1
    assert messages(errors, file) == ["2:29: cpu 2 does not exist, use 0..1", "2:105: cpu 4 does not exist, use 0..1"]


# ---- Files that are no descriptions ----------------------------------------------------------------------------------

NO_XML = {
    "zero_bytes": b"\0" * 100,
    "zero_byte_inside": b'<system>\n<protection_domain name="a\0b"/></system>',
    "latin_1": '<system><!-- ü --></system>'.encode("latin-1"),
    "utf_16": ('<?xml version="1.0" encoding="UTF-16"?><system>' + DOMAIN + "</system>").encode("utf-16"),
    "overlong_utf_8": b'<system name="\xc0\xaf"/>',
    "elf": b"\x7fELF\x02\x01\x01" + b"\0" * 100,
    "billion_laughs": b'<!DOCTYPE s [<!ENTITY a "' + b"l" * 1000 + b'">' + b"".join(
        b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % ((n + 1, *[n] * 10)) for n in range(97, 117)
    ) + b"]><system>&u;</system>",
    "external_entity": b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<system>&a;</system>',
    "external_document_type": b'<!DOCTYPE system SYSTEM "http://localhost/system.dtd">\n<system/>',
    "deep": b"<system>" + b"<protection_domain>" * 30000,
    "unclosed_comment": b"<system><!-- " + b"-" * 10,
    "only_spaces": b" \n\t" * 1000,
}


@pytest.mark.parametrize("content", NO_XML.values(), ids=NO_XML)
def test_no_xml(sanitized, tmp_path, content):
    file = described(tmp_path, content)
    code, _, errors = sanitized("check", file)
    assert code == 1
    assert len(errors) == 1 and LINE.fullmatch(messages(errors, file)[0])


def test_files_that_cannot_be_read(sanitized, tmp_path):
    for file in tmp_path, tmp_path / "missing.system", tmp_path / "a" / "b.system":
        code, _, errors = sanitized("check", file)
        assert code == 1
        assert re.fullmatch(r"1:1: this file cannot be read \(.*\), name a description", messages(errors, file)[0])


def test_a_file_too_large(sanitized, tmp_path):
    file = described(tmp_path, "<system>" + " " * (1 << 20) + DOMAIN + "</system>")
    assert messages(sanitized("check", file)[2], file) == [
        "1:1: this file cannot be read (it is too large), name a description"]


# ---- Positions -------------------------------------------------------------------------------------------------------

def test_columns_count_characters(tool, tmp_path):
    file = described(tmp_path, '<system>\r\n\t<protection_domain name="äöü€𝄞" x="1"><program_image path="a.elf"/>'
                               '</protection_domain>\r\n</system>')
    assert [line[:5] for line in messages(tool("check", file)[2], file)] == ["2:34:"]


def test_a_byte_order_mark_is_fine(tool, tmp_path):
    file = described(tmp_path, b"\xef\xbb\xbf" + f"<system>{DOMAIN}</system>".encode())
    assert tool("check", file)[0] == 0


def test_attributes_over_several_lines(tool, tmp_path):
    file = described(tmp_path, '<system>\n<protection_domain\n  name = "a>"\n  budget= \'5\'\n  period\t="4"><program_image '
                               'path="a.elf"/></protection_domain></system>')
    assert messages(tool("check", file)[2], file) == [
        "4:3: budget 5 is larger than the period 4, raise the period or lower it"]


# ---- Much of everything ----------------------------------------------------------------------------------------------

def test_only_so_many_lines(sanitized, tmp_path):
    file = described(tmp_path, "<system>\n" + "<x/>\n" * 1000 + DOMAIN + "</system>")
    code, _, errors = sanitized("check", file)
    assert code == 1
    assert len(errors) == 201
    assert messages(errors, file)[-1] == "202:1: 800 more mistakes from here on, mend those above first"


MUCH = {
    "regions": "".join(f'<memory_region name="r{i}" size="0x1000" phys_addr="0x{i + 1:x}000"/>' for i in range(13000)),
    "regions_of_one_name": '<memory_region name="r" size="0x1000"/>' * 25000,
    "domains": '<protection_domain name="d"><program_image path="a"/></protection_domain>' * 13000,
    "maps": '<memory_region name="r" size="0x1000"/><protection_domain name="b"><program_image path="b"/>' + "".join(
        f'<map mr="r" vaddr="0x{i}000" setvar_vaddr="v{i}"/>' for i in range(16000)) + "</protection_domain>",
    "channels": '<channel><end pd="a" id="0"/><end pd="a" id="1"/></channel>' * 16000,
    "attributes": "<memory_region " + " ".join(f'a{i}="1"' for i in range(60000)) + "/>",
    "virtual_machines": ('<protection_domain name="d"><program_image path="a"/><virtual_machine name="v" id="1"/>'
                         '</protection_domain>') * 8000,
    "capabilities": '<protection_domain name="b"><program_image path="b"/><cspace>' + (
        '<cap_tcb slot="1" pd="a"/>' * 30000) + "</cspace></protection_domain>",
    "long_name": '<memory_region name="' + "n" * 900000 + '" size="0x1000"/>',
    "long_element": "<" + "n" * 900000 + "/>",
}


@pytest.mark.parametrize("content", MUCH.values(), ids=MUCH)
def test_much_of_everything_takes_no_time(tool, tmp_path, content):
    assert len(content) < 1 << 20
    code, _, errors = tool("check", described(tmp_path, f"<system>\n{content}\n{DOMAIN}</system>"))
    assert code in (0, 1)
    assert all(len(line) < 1000 for line in errors)


# ---- The command line ------------------------------------------------------------------------------------------------

WRONG = {
    "command": (["chekc"], "there is no command 'chekc', see bulkhead help"),
    "option": (["check", "--foo", "x"], "'check' has no option --foo, see bulkhead help check"),
    "option_of_another_command": (["check", "x", "--icount"], "'check' has no option --icount, see bulkhead help check"),
    "value_missing": (["check", "x", "--cores"], "--cores needs a value, see bulkhead help check"),
    "value_no_number": (["check", "x", "--cores", "two"], "--cores takes a number 1..32, not 'two'"),
    "value_out_of_range": (["check", "x", "--cores", "0"], "--cores takes a number 1..32, not '0'"),
    "operand_too_many": (["check", "x", "y"], "'y' is one operand too many, see bulkhead help check"),
    "check_nothing": (["check"], "'check' needs a FILE.system, see bulkhead help check"),
    "report_nothing": (["report"], "'report' needs a FILE.system, see bulkhead help report"),
    "graph_nothing": (["graph"], "'graph' needs a FILE.system, see bulkhead help graph"),
    "build_nothing": (["build", "-o", "x"], "'build' needs a FILE.system or --init, see bulkhead help build"),
    "image_type": (["build", "x", "--image-type", "uimage"], "--image-type takes one of: binary, not 'uimage'"),
    "help_about_nothing": (["help", "x"], "there is no command 'x', see bulkhead help"),
}


@pytest.mark.parametrize("arguments, message", WRONG.values(), ids=WRONG)
def test_wrong_options(sanitized, arguments, message):
    code, output, errors = sanitized(*arguments)
    assert (code, output, errors) == (2, "", [f"bulkhead: {message}"])


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"], ["-h"]], ids=["none", "help", "--help", "-h"])
def test_help(sanitized, arguments):
    code, output, errors = sanitized(*arguments)
    assert (code, errors) == (0, [])
    for command in "check", "build", "report", "graph", "run", "help":
        assert f"bulkhead {command} " in output
        assert f"bulkhead {command} " in sanitized("help", command)[1]
