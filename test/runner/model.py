"""Models: test/model/*.pml, verified by Spin. Safety always; every `ltl NAME` formula and progress labels, where the
model has them, under weak fairness. A model also shows that it can fail: each comment line `broken: NAME` names a
variant (spin -DNAME) in which Spin must find an error."""

import re
import shutil
from dataclasses import dataclass

from runner.common import BUILD, ROOT, chosen, execute, failed, in_parallel, passed

LIMIT = 900    # seconds for one search, for hangs


@dataclass
class Search:
    name: str
    compile: list    # more options of the compiler
    run: list        # options of the search


def run(tests, options):
    names = chosen("model", tests, [file.stem for file in ROOT.glob("test/model/*.pml")])
    yield from in_parallel(run_model, names)


def run_model(name):
    source = ROOT / "test/model" / f"{name}.pml"
    text = source.read_text()
    searches = [Search("safety", ["-DSAFETY", "-DNOCLAIM"], [])]
    searches += [Search(formula, [], ["-a", "-f", "-N", formula]) for formula in re.findall(r"^ltl (\w+)", text, re.M)]
    if re.search(r"^\s*progress\w*:", text, re.M):
        searches.append(Search("progress", ["-DNP"], ["-l", "-f"]))

    results = []
    for search in searches:
        errors, output = verify(source, search)
        results.append(passed(f"model/{name}::{search.name}") if errors == 0
                       else failed(f"model/{name}::{search.name}", output))
    for variant in re.findall(r"^[ \t/*]*broken: (\w+)", text, re.M):
        found = [verify(source, search, variant) for search in searches]
        results.append(passed(f"model/{name}::{variant}", "broken on purpose: found") if any(e for e, _ in found)
                       else failed(f"model/{name}::{variant}", "Spin finds no error in this broken variant:\n"
                                   + "\n".join(output for _, output in found)))
    return results


def verify(source, search, variant=None):
    """Number of errors that Spin found (None: it could not search, or not to the end), and what it printed."""
    folder = BUILD / "model" / "-".join(filter(None, [source.stem, search.name, variant]))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    steps = [["spin", *([f"-D{variant}"] if variant else []), "-a", source],
             ["gcc", "-O2", "-w", "-DMEMLIM=4096", *(["-DNFAIR=8"] if "-f" in search.run else []), *search.compile,
              "-o", "pan", "pan.c"],
             ["./pan", "-m1000000", *search.run]]
    log = ""
    for step in steps:
        code, output = execute(step, LIMIT, cwd=folder)
        log += output
        if code != 0:
            return None, log
    errors = re.search(r"errors: (\d+)", log)
    complete = "Search not completed" not in log and "max search depth too small" not in log
    if not errors or (errors[1] == "0" and not complete):
        return None, log
    return int(errors[1]), log
