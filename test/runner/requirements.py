"""docs/requirements.md: every requirement has one line, which names the tests that show it or says "not yet"."""

import re

from runner.common import ROOT, failed, passed

COUNTS = {"K": 40, "M": 13, "I": 17, "V": 21, "D": 18, "P": 13, "C": 8, "T": 9, "F": 9, "G": 6, "O": 8, "H": 9}
ROW = re.compile(r"^\| ([A-Z]\d\d) \| (.+) \| (.+) \|$")


def rows():
    """(id, what shows it) of every line of the table."""
    text = (ROOT / "docs/requirements.md").read_text()
    return [(match[1], match[3].strip()) for match in map(ROW.match, text.splitlines()) if match]


def missing_or_double():
    """Complaints about ids that have no line, or several, or that nobody required."""
    required = [f"{letter}{number:02}" for letter, count in COUNTS.items() for number in range(1, count + 1)]
    listed = [name for name, _ in rows()]
    return ([f"{name} has no line" for name in required if name not in listed]
            + [f"{name} has several lines" for name in sorted(set(listed)) if listed.count(name) > 1]
            + [f"{name} is nobody's requirement" for name in listed if name not in required])


def unproved(evidence, results):
    """Why this evidence does not show its requirement, or None. It is a list of tests, or of whole test files."""
    for test in re.findall(r"`([^`]+)`", evidence):
        ran = [name for name in results if name == test or name.startswith(test + "::")]
        if not ran:
            return f"{test} did not run"
        if not all(results[name] for name in ran):
            return f"{test} failed"
    return None if "`" in evidence else 'it names no test in `...` and does not say "not yet"'


def check(results):
    """The result of comparing the document with the tests of a full run."""
    complaints = missing_or_double()
    proved = 0
    for name, evidence in rows():
        if evidence == "not yet":
            continue
        reason = unproved(evidence, results)
        proved += reason is None
        if reason:
            complaints.append(f"{name}: {reason}")
    note = f"{proved} of {sum(COUNTS.values())} shown"
    return failed("requirements", "\n".join(complaints), note) if complaints else passed("requirements", note)
