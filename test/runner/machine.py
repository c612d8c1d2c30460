"""Machines for programs that take init's place (test/harness): makes an image of one and runs it in QEMU."""

from runner.common import BUILD, ROOT, execute

EXACT = ["-icount", "shift=0,sleep=off"]    # virtual time is executed instructions; one host thread


def program(folder, name):
    return BUILD / "test" / folder / f"{name}.bin"


def pack(binary, image):
    code, output = execute([BUILD / "bulkhead", "build", "--init", binary, "-o", image], 60)
    assert code == 0, output


def run(image, limit, *, gic=3, cores=4, cpu="cortex-a72", options="", more=()):
    """Runs an image until it ends the machine. Returns QEMU's exit code (None: it hung) and the lines it printed."""
    command = ["qemu-system-aarch64", "-M", f"virt,virtualization=on,gic-version={gic},dtb-randomness=off", "-cpu", cpu,
               "-smp", cores, "-m", 512, "-nographic", "-net", "none", "-no-reboot", "-kernel", image, *more]
    code, output = execute([*command, "-append", options] if options else command, limit, cwd=ROOT)
    return code, output.replace("\r", "").splitlines()
