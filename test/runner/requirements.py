"""The documents that claim something and name the tests that show it: docs/requirements.md, where every requirement has
one line that may also say "not yet", and docs/threats.md, where every threat has one, that may also say "not shown".

A test is named in backquotes as it is printed. A name without `::` stands for all tests of its file, one without
brackets for the test with all its parameters."""

import re

from runner.common import ROOT, failed, passed

COUNTS = {"K": 40, "M": 13, "I": 17, "V": 21, "D": 18, "P": 13, "C": 8, "T": 9, "F": 9, "G": 6, "O": 8, "H": 9}
REQUIREMENTS = ROOT / "docs/requirements.md"
THREATS = ROOT / "docs/threats.md"
ROW = re.compile(r"^\| (\w\d+) \| (?:.+ \| )?(.+) \|$")
UNPROVED = ("not yet", "not shown")
SOURCES = {"unit": "c", "fuzz": "c", "model": "pml"}    # Python, elsewhere


def rows(file=REQUIREMENTS):
    """(id, what shows it) of every line of the document's tables."""
    return [(match[1], match[2].strip()) for match in map(ROW.match, file.read_text().splitlines()) if match]


def missing_or_double():
    """Complaints about ids that have no line, or several, or that nobody required."""
    required = [f"{letter}{number:02}" for letter, count in COUNTS.items() for number in range(1, count + 1)]
    listed = [name for name, _ in rows()]
    return ([f"{name} has no line" for name in required if name not in listed]
            + [f"{name} has several lines" for name in sorted(set(listed)) if listed.count(name) > 1]
            + [f"{name} is nobody's requirement" for name in listed if name not in required])


def tests_in(evidence):
    return re.findall(r"`([^`]+)`", evidence)


def unknown(test):
    """Why there can be no such test, as far as the source's text tells, or None."""
    place, _, name = test.partition("::")
    suite = place.split("/")[0]
    file = ROOT / "test" / f"{place}.{SOURCES.get(suite, 'py')}"
    if not file.is_file():
        return f"{test}: there is no {file.relative_to(ROOT)}"
    function = re.escape(name.partition("[")[0])
    if name and suite != "model" and not re.search(rf"\b{function}\(", file.read_text()):
        return f"{test}: {file.relative_to(ROOT)} has no {function}"
    return None


def unknown_tests():
    """Complaints about names in the documents that cannot be those of tests."""
    return [f"{file.name}, {row}: {reason}" for file in (REQUIREMENTS, THREATS) for row, evidence in rows(file)
            for reason in map(unknown, tests_in(evidence)) if reason]


def unproved(evidence, results):
    """Why this evidence does not show its requirement, or None."""
    for test in tests_in(evidence):
        ran = [name for name in results if name == test or name.startswith((test + "::", test + "["))]
        if not ran:
            return f"{test} did not run"
        if not all(results[name] for name in ran):
            return f"{test} failed"
    return None if tests_in(evidence) else 'it names no test in `...` and does not say "not yet"'


def check_file(file, results):
    """(complaints, how many rows are shown, how many there are)."""
    complaints = []
    shown = 0
    evidence = rows(file)
    for name, text in evidence:
        if text in UNPROVED:
            continue
        reason = unproved(text, results)
        shown += reason is None
        if reason:
            complaints.append(f"{file.name}, {name}: {reason}")
    return complaints, shown, len(evidence)


def check(results):
    """The result of comparing the documents with the tests of a full run."""
    complaints = missing_or_double()
    notes = []
    for file, what in ((REQUIREMENTS, "requirements"), (THREATS, "threats")):
        wrong, shown, of = check_file(file, results)
        complaints += wrong
        notes.append(f"{shown} of {of} {what} shown")
    note = ", ".join(notes)
    return failed("requirements", "\n".join(complaints), note) if complaints else passed("requirements", note)
