"""Fuzzers: test/fuzz/fuzz_NAME.c, libFuzzer programs. Each runs a fixed number of times from a fresh seed, which is
shown, beginning with the committed inputs of test/fuzz/corpus/NAME."""

import random
import shutil

from runner.common import BUILD, ROOT, chosen, execute, failed, in_parallel, make, passed

RUNS = 20_000
RUNS_LONG = 2_000_000
FEWER = {"fuzz_syscall": 4}    # each run boots a kernel: so many times fewer
HANG = 10         # seconds for one input
LIMIT = 900       # seconds for a fuzzer
LIMIT_LONG = 7200


def run(tests, options):
    names = chosen("fuzz", tests, [file.stem for file in ROOT.glob("test/fuzz/fuzz_*.c")])
    errors = make(*[f"build/fuzz/{name}" for name in names]) if names else None
    if errors:
        yield failed("fuzz/build", errors)
    yield from in_parallel(lambda name: [run_fuzzer(name, options)], names)


def run_fuzzer(name, options):
    program = BUILD / "fuzz" / name
    if not program.exists():
        return failed(f"fuzz/{name}", "it could not be built")
    found = BUILD / "fuzz" / f"{name}.found"      # inputs that reached something new
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir()
    committed = ROOT / "test/fuzz/corpus" / name.removeprefix("fuzz_")
    runs = (RUNS_LONG if options.long else RUNS) // FEWER.get(name, 1)
    seed = random.SystemRandom().randrange(1, 2**32)
    command = [program, f"-runs={runs}", f"-seed={seed}", f"-timeout={HANG}", "-rss_limit_mb=4096",
               "-max_len=65536", "-print_final_stats=0", f"-artifact_prefix={BUILD}/fuzz/{name}.crash-", found]
    if committed.is_dir():
        command.append(committed)
    code, output = execute(command, LIMIT_LONG if options.long else LIMIT)
    note = f"{runs} runs, seed {seed}"
    return passed(f"fuzz/{name}", note) if code == 0 else failed(f"fuzz/{name}", output[-8000:], note)
