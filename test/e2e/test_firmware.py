"""Calling the firmware is a right of its own, off by default."""

import subprocess

from runner.common import BUILD, ROOT, execute

SYSTEM = """<system>
    <protection_domain name="caller" priority="100" power="true"{smc}>
        <program_image path="firmware.elf"/>
    </protection_domain>
</system>
"""


def run(folder, smc):
    subprocess.run(["aarch64-linux-gnu-gcc", "-O2", "-nostdlib", "-ffreestanding", "-mno-outline-atomics", "-fno-pic",
                    "-static", "-fno-stack-protector", f"-I{ROOT}", f"-I{ROOT}/lib/include", f"-L{BUILD}/lib",
                    ROOT / "test/e2e/firmware.c", "-lmicrokit", f"-T{BUILD}/lib/microkit.ld",
                    "-Wl,-z,max-page-size=4096,--build-id=none", "-o", folder / "firmware.elf"], check=True)
    (folder / "firmware.system").write_text(SYSTEM.format(smc=smc))
    code, output = execute([BUILD / "bulkhead", "run", folder / "firmware.system", "--timeout", "20"], 100)
    print(output)
    return code, output


def test_with_the_right(tmp_path):
    code, output = run(tmp_path, ' smc="true"')
    assert "firmware: it answered" in output
    assert code == 0


def test_without_it(tmp_path):
    code, output = run(tmp_path, "")
    assert "firmware: it answered" not in output
    assert 'init: process "caller" is stopped' in output
    assert code == 124    # it is stopped, the system goes on until the time limit
