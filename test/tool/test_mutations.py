"""Descriptions changed at random: whatever they say then, the tool neither crashes nor hangs, and says where what is
wrong. The seed is a fresh one each time and is shown; BULKHEAD_SEED=N repeats it."""

import json
import os
import random
import re
import xml.dom.minidom

import pytest

from runner.common import BUILD, ROOT

MUTATIONS = 1000
MUTATIONS_LONG = 50_000
SLICES = 4    # run side by side

REFUSAL = re.compile(r"[^:]+:\d+:\d+: .+, .+")
NUMBERS = ["0", "1", "-1", "61", "62", "255", "0x", "0x1000", "0xfff", "4095", "0x200000", "0x7fffffa000",
           "0xffffffffffffffff", "18446744073709551616", "99999999999999999999999", "0x_", "1_0", "", " 1", "1e3"]
WORDS = ["true", "false", "rw", "w", "rwx", "level", "edge", "monitor", "stdout", "arm,pl011 serial0", "&#10;", "&lt;", "ü" * 70]


COMMANDS = ["check", "check", "check --cores 4", "report", "report --json", "graph"]
READERS = {"report --json": json.loads, "graph": xml.dom.minidom.parseString}    # of what is printed


def corpus():
    folders = ROOT / "test/tool/accepted", ROOT / "test/tool/rejected", ROOT / "systems"
    return [file.read_text() for folder in folders for file in sorted(folder.rglob("*.system"))]


# Each takes a random generator, a text and another text of the corpus, and returns a changed text.

def flip_byte(rng, text, _):
    at = rng.randrange(len(text) + 1)
    return text[:at] + chr(rng.choice([0, 9, 10, 34, 38, 39, 47, 60, 61, 62, 127, 255, rng.randrange(0x10000, 0x10ffff)])) \
        + text[at + 1:]


def cut(rng, text, _):
    start = rng.randrange(len(text) + 1)
    return text[:start] + text[start + rng.randrange(40):]


def repeat(rng, text, _):
    start = rng.randrange(len(text) + 1)
    piece = text[start:start + rng.randrange(200)]
    return text[:start] + piece * rng.choice([2, 3, 100]) + text[start:]


def truncate(rng, text, _):
    return text[:rng.randrange(len(text) + 1)]


def splice(rng, text, other):
    return text[:rng.randrange(len(text) + 1)] + other[rng.randrange(len(other) + 1):]


def change_one(rng, text, pattern, change):
    places = list(re.finditer(pattern, text))
    if not places:
        return text
    place = rng.choice(places)
    return text[:place.start()] + change(place[0]) + text[place.end():]


def change_value(rng, text, _):
    return change_one(rng, text, r'"[^"]*"', lambda _: f'"{rng.choice(NUMBERS + WORDS)}"')


def swap_value(rng, text, _):
    values = re.findall(r'"[^"]*"', text) or ['""']
    return change_one(rng, text, r'"[^"]*"', lambda _: rng.choice(values))


def rename_attribute(rng, text, other):
    names = re.findall(r" (\w+)=", text + other) or ["name"]
    return change_one(rng, text, r" (\w+)=", lambda _: f" {rng.choice(names)}=")


def drop_attribute(rng, text, _):
    return change_one(rng, text, r' \w+="[^"]*"', lambda _: "")


def add_attribute(rng, text, other):
    attributes = re.findall(r' \w+="[^"]*"', text + other) or [' id="0"']
    return change_one(rng, text, r"<\w+", lambda element: element + rng.choice(attributes))


def rename_element(rng, text, other):
    names = re.findall(r"<(\w+)", text + other) or ["map"]
    return change_one(rng, text, r"<\w+", lambda _: "<" + rng.choice(names))


def drop_element(rng, text, _):
    return change_one(rng, text, r"<[^<>]*/>", lambda _: "")


def add_element(rng, text, other):
    elements = re.findall(r"<[^<>]*/>", text + other) or ["<map/>"]
    return change_one(rng, text, r">", lambda end: end + rng.choice(elements) * rng.choice([1, 1, 1, 70]))


def nest(rng, text, _):
    name = rng.choice(["protection_domain", "system", "x"])
    depth = rng.choice([2, 64, 99, 100, 5000])
    return change_one(rng, text, r"<\w+[^<>]*/>", lambda element: f"<{name}>" * depth + element + f"</{name}>" * depth)


CHANGES = [flip_byte, cut, repeat, truncate, splice, change_value, change_value, change_value, swap_value, swap_value,
           rename_attribute, drop_attribute, add_attribute, rename_element, drop_element, add_element, nest]


def mutant(rng, texts):
    text = rng.choice(texts)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        text = rng.choice(CHANGES)(rng, text, rng.choice(texts))
    return text


def complaint(command, code, output, errors):
    """What is wrong with how the tool took a mutant, or None."""
    if code not in (0, 1):
        return f"exit code {code}"
    if code == 0 and command in READERS:
        READERS[command](output)
    for line in errors:
        if not REFUSAL.fullmatch(line):
            return f"no refusal with line, column and mend: {line}"
    refused = any(": warning: " not in line for line in errors)
    return None if refused == (code == 1) else f"exit code {code} does not go with what was printed"


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("slice_number", range(SLICES))
def test_mutations(sanitized, seed, long, tmp_path, record_property, slice_number):
    count = (MUTATIONS_LONG if long or os.environ.get("BULKHEAD_LONG") else MUTATIONS) // SLICES
    print(f"{count} mutations, BULKHEAD_SEED={seed}")
    record_property("note", f"{count} mutations, seed {seed}")
    rng = random.Random(f"{seed} {slice_number}")
    texts = corpus()
    file = tmp_path / "mutant.system"
    for number in range(count):
        file.write_text(mutant(rng, texts), errors="surrogateescape")
        command = rng.choice(COMMANDS)
        wrong = complaint(command, *sanitized(*command.split(), file))
        if wrong:
            kept = BUILD / "tool-asan" / f"mutant-{seed}-{slice_number}-{number}.system"
            kept.write_bytes(file.read_bytes())
            raise AssertionError(f"{wrong}; seed {seed}, the description is kept as {kept}, "
                                 f"the command was {command}")
