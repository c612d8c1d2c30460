"""Machines that a description shapes, with guests of a few instructions: raw programs, a device tree that is given, memory and
devices where the description puts them, accesses that nobody handles, exits that are counted."""

import re
import struct
import subprocess

import guests
import pytest

from runner.common import execute

LIMIT = "60"

# An exception of this level is taken in the vector table `vectors`; the guest ends with `off`.
PROGRAM = """
    .macro  off
    ldr     w0, =0x84000008         // PSCI SYSTEM_OFF
    hvc     #0
    .endm
    .macro  expect reg, value       // else it never ends
    ldr     x9, =\\value
    cmp     \\reg, x9
    b.ne    .
    .endm
    adr     x9, vectors
    msr     vbar_el1, x9
    isb
%s
    off
    .ltorg
    .balign 0x800
vectors:
    .org    vectors + 0x200         // synchronous, SP_EL1
    add     x28, x28, #1
    mrs     x9, esr_el1
    lsr     x9, x9, #26
    cmp     x9, #0x15               // SVC
    b.eq    1f
    mrs     x9, elr_el1             // go on behind what cannot be done
    add     x9, x9, #4
    msr     elr_el1, x9
1:  eret
"""


def program(folder, body):
    """Assembles a guest without a header. Returns its file."""
    source, linked, raw = folder / "guest.S", folder / "guest.elf", folder / "guest.bin"
    source.write_text(PROGRAM % body)
    subprocess.run(["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,-Ttext=0,-e0,--build-id=none", source, "-o", linked],
                   check=True)
    subprocess.run(["aarch64-linux-gnu-objcopy", "-O", "binary", linked, raw], check=True)
    return raw


def run(*arguments):
    code, output = execute([guests.BULKHEAD, "run", *arguments, "--timeout", LIMIT], 2 * int(LIMIT))
    output = output.replace("\r", "")
    print(output)
    return code, output


@pytest.mark.parametrize("machine", guests.MACHINES.values(), ids=guests.MACHINES.keys())
def test_a_raw_program(tmp_path, machine):
    # It finds itself 512 KiB into its memory, and the device tree in x0.
    body = """
    adr     x10, vectors
    and     x10, x10, #~0xffff
    expect  x10, 0x40080000
    ldr     w10, [x0]
    expect  x10, 0xedfe0dd0
"""
    assert run("--kernel", program(tmp_path, body), *machine)[0] == 0


def test_a_given_device_tree(tmp_path):
    # QEMU's own, for a machine with more devices and more cores than the VM has; the payload looks into it for everything.
    tree = tmp_path / "given.dtb"
    subprocess.run(["qemu-system-aarch64", "-M", f"virt,gic-version=3,dumpdtb={tree}", "-smp", "4", "-m", "1G",
                    "-display", "none", "-nic", "none"], check=True, stdout=subprocess.DEVNULL)
    code, lines = guests.payload("test_psci", "--dtb", tree, "--cpus", 2)
    guests.assert_good(code, lines)


# ---- The long form ---------------------------------------------------------------------------------------------------

LONG = """<system>
    <memory_region name="ram" size="0x400000" page_size="0x200000" phys_addr="0x50000000"/>
    <memory_region name="kernel" prefill_path="guest.bin"/>
    <memory_region name="clock" size="0x1000" phys_addr="0x9010000"/>
    <protection_domain name="vmm" priority="101" stack_size="0x8000">
        <program_image path="vmm.elf"/>
        <map mr="ram" vaddr="0x2000000000" perms="rw"/>
        <map mr="kernel" vaddr="0x3000000000" perms="r"/>
        <virtual_machine name="guest" priority="100" ram="ram" kernel="kernel" on_poweroff="shutdown">
            <vcpu id="0"/>
            <map mr="ram" vaddr="0x80000000" perms="rwx"/>
            <map mr="clock" vaddr="0x10000000" perms="rw" cached="false"/>
        </virtual_machine>
    </protection_domain>
</system>
"""


def test_memory_and_devices_where_the_description_puts_them(tmp_path):
    # Its memory begins at 2 GiB; the machine's real-time clock, which it may touch itself, is at another address than below.
    body = """
    adr     x10, vectors
    and     x10, x10, #~0xffff
    expect  x10, 0x80080000
    ldr     x11, =0x803ffff8        // the end of its memory
    str     x11, [x11]
    ldr     x10, [x11]
    expect  x10, 0x803ffff8
    ldr     x11, =0x10000fe0        // PeriphID0
    ldr     w10, [x11]
    expect  x10, 0x31
    ldr     x11, =0x10000008        // load register: seconds from now on
    ldr     w10, =0x12345678
    str     w10, [x11]
    ldr     x11, =0x10000000
    ldr     w10, [x11]
    lsr     w10, w10, #8
    expect  x10, 0x123456
    expect  x28, 0                  // all that without an exception
"""
    program(tmp_path, body)
    (tmp_path / "long.system").write_text(LONG)
    assert run(tmp_path / "long.system")[0] == 0


# ---- Several VMs -----------------------------------------------------------------------------------------------------

def several(folder, *vms):
    """A system of (payload, cpu, cpus), each with a console."""
    text = "".join(f'    <virtual_machine name="vm{cpu}" cpu="{cpu}" cpus="{cpus}" memory="32M">\n'
                   f'        <kernel path="{guests.PAYLOADS / payload}.img"/> <cmdline>strict=1</cmdline> <console/>\n'
                   "    </virtual_machine>\n" for payload, cpu, cpus in vms)
    file = folder / "several.system"
    file.write_text(f"<system>\n{text}</system>\n")
    return file


@pytest.mark.parametrize("gic", [3, 2])
@pytest.mark.parametrize("vms", [[("test_psci", 0, 1), ("test_idregs", 1, 1), ("test_decode", 2, 1), ("test_fault", 3, 1)],
                                 [("test_psci", 0, 2), ("test_decode", 2, 1), ("test_fault", 3, 1)]], ids=["one each", "mixed"])
def test_vms_on_cores_of_their_own(tmp_path, vms, gic):
    # Each with its monitor; all on one UART.
    with guests.Consoles(several(tmp_path, *vms), "--gic", gic) as console:
        for _, cpu, _ in vms:
            assert console.see_of(f"vm{cpu}", "GOOD: 0 failed|BAD: |FAIL: .*")[0] == "GOOD: 0 failed"
        assert console.end() == 0


class Pieces:
    """In a child's place: what it prints comes in these pieces, then no more."""

    timeout = 0

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def read_nonblocking(self, _size, timeout):
        assert timeout == self.timeout
        if not self.pieces:
            raise OSError
        return self.pieces.pop(0)


def test_what_vms_say_is_put_together_as_it_comes():
    console = guests.Consoles.__new__(guests.Consoles)
    console.forget()
    console.child = Pieces("a", "| gue", "st# ", "\r\nb| one, \r\na", "| echo ", "it\r\nb| two\r\nbulkhead: off\r\n")
    assert console.see_of("a", "guest# ")    # no line end has come
    assert len(console.child.pieces) == 3
    assert console.see_of("b", "one, two")
    assert console.see_of("a", "^echo it$")
    with pytest.raises(guests.pexpect.EOF):
        console.see_of("a", ".")


# ---- Diagnosis -------------------------------------------------------------------------------------------------------

def paragraphs(output):
    """{address: lines of what is told of it}; nothing may stand between them."""
    told, lines = {}, None
    for line in output.splitlines():
        if begin := re.match(r"bulkhead: guest: vcpu \d+ .* at 0x(\w+), .*\(pc 0x\w+\)\.$", line):
            address = int(begin[1], 16)
            assert address not in told, line
            lines = told[address] = [line]
        elif line.startswith("bulkhead: guest:   "):
            lines.append(line.removeprefix("bulkhead: guest:   "))
        else:
            lines = None
    return told


def assert_whole(paragraph):
    """From the access to the third remedy."""
    assert len(paragraph) == 7
    assert re.fullmatch(r"The machine has .* at or below it, and .* above it\.", paragraph[2])
    assert [line.split()[:2] for line in paragraph[4:]] == [["-", "give"], ["-", "add"], ["-", "remove"]]


def test_an_access_that_nobody_handles_is_explained_once(tmp_path):
    body = """
    ldr     x11, =0xc000014
    ldr     w10, [x11]
    ldr     w10, [x11]
    str     w10, [x11, #4]          // the same page
    strb    w10, [x11]
    expect  x28, 4
"""
    code, output = run("--kernel", program(tmp_path, body))
    assert code == 0
    told = paragraphs(output)
    assert list(told) == [0xc000014, 0xc000018]
    first, second = told.values()
    assert re.search(r"vcpu 0 reads 4 bytes at 0xc000014, where it has no memory and no device answers \(pc 0x400800\w\w\)\.$",
                     first[0])
    assert first[1] == "A device tree of QEMU's virt board would have there: platform bus 0xc000000-0xdffffff."
    assert re.match(r"The machine has \S+ 0x\w+-0x\w+ at or below it, and RAM 0x40000000-0x4fffffff above it", first[2])
    assert_whole(first)
    assert "vcpu 0 writes 4 bytes at 0xc000018," in second[0]
    assert_whole(second)
    assert "bulkhead: guest: 4 accesses where nothing is, to 2 addresses\n" in output


def test_what_a_given_tree_has_there_is_named(tmp_path):
    # QEMU's own, which the merge has changed: a disabled GPIO; more memory than the VM has; no node for a PCIe window, which
    # the board has all the same; and an address of nobody's.
    tree = tmp_path / "given.dtb"
    subprocess.run(["qemu-system-aarch64", "-M", f"virt,gic-version=3,dumpdtb={tree}", "-m", "1G", "-display", "none", "-nic",
                    "none"], check=True, stdout=subprocess.DEVNULL)
    body = """
    ldr     x11, =0x9030fe0
    ldr     w10, [x11]
    ldr     x11, =0x7ffffff8
    ldr     x10, [x11]
    ldr     x11, =0x10000000
    ldr     w10, [x11]
    ldr     x11, =0x9100000
    ldr     w10, [x11]
"""
    code, output = run("--kernel", program(tmp_path, body), "--dtb", tree)
    assert code == 0
    told = paragraphs(output)
    assert {address: lines[1] for address, lines in told.items()} == {
        0x9030fe0: "The given device tree has /pl061@9030000 (arm,pl061) there.",
        0x7ffffff8: "The given device tree has /memory@40000000 (no compatible) there.",
        0x10000000: "A device tree of QEMU's virt board would have there: PCIe memory window 0x10000000-0x3efeffff.",
        0x9100000: "A device tree of QEMU's virt board would have there: nothing.",
    }
    for paragraph in told.values():
        assert_whole(paragraph)


def test_a_guest_that_probes_is_told_of_so_often_and_no_more(tmp_path):
    body = """
    ldr     x11, =0x10000000
    ldr     x20, =100000
1:  ldr     w10, [x11]
    add     x11, x11, #4
    subs    x20, x20, #1
    b.ne    1b
    ldr     x11, =0x10000000
    ldr     w10, [x11]              // one that was told
    expect  x28, 100001
"""
    code, output = run("--kernel", program(tmp_path, body))
    assert code == 0
    told = paragraphs(output)
    assert list(told) == [0x10000000 + 4 * i for i in range(32)]
    for paragraph in told.values():
        assert_whole(paragraph)
    assert output.count("more are not told") == 1
    assert "bulkhead: guest: 100001 accesses where nothing is, to more than 32 addresses\n" in output


def test_a_crash_says_why(tmp_path):
    # A device tree that only looks like one: the monitor finds out.
    tree = tmp_path / "odd.dtb"
    tree.write_bytes(struct.pack(">10I", 0xd00dfeed, 0x80, 0x38, 0x48, 0x28, 17, 16, 0, 8, 8).ljust(0x80, b"\0"))
    code, output = run("--kernel", guests.PAYLOADS / "lifecycle.img", "--dtb", tree)
    assert "bulkhead: guest: the given device tree (128 bytes) cannot be used: " in output
    assert "bulkhead: vm guest: crashed\n" in output
    assert code == 1


@pytest.mark.parametrize("gic", [3, 2])
def test_a_vmm_whose_guest_has_no_console_is_heard(tmp_path, gic):
    # Beside a guest that has one, for which the kernel's is off. One touches nothing, the other cannot begin.
    program(tmp_path, "    ldr     x11, =0xc000014\n    ldr     w10, [x11]\n    expect  x28, 1\n")
    (tmp_path / "odd.dtb").write_bytes(struct.pack(">10I", 0xd00dfeed, 0x80, 0x38, 0x48, 0x28, 17, 16, 0, 8, 8).ljust(0x80, b"\0"))
    file = tmp_path / "mute.system"
    file.write_text(f"""<system>
    <virtual_machine name="touches" memory="4M"><kernel path="guest.bin"/></virtual_machine>
    <virtual_machine name="odd" memory="4M"><kernel path="guest.bin"/><dtb path="odd.dtb"/></virtual_machine>
    <virtual_machine name="talks" memory="32M">
        <kernel path="{guests.PAYLOADS}/lifecycle.img"/><cmdline>do=1</cmdline><console/>
    </virtual_machine>
</system>
""")
    with guests.Consoles(file, "--gic", gic) as console:
        console.see_of("touches", r"bulkhead: touches: vcpu 0 reads 4 bytes at 0xc000014, where it has no memory.*Three ways")
        console.see_of("odd", r"bulkhead: odd: the given device tree \(128 bytes\) cannot be used: ")
        console.see_of("talks", "lifecycle: started")
        assert console.end() == 1
        assert "vm odd: crashed" in console.all and "vm touches: powered off" in console.all


def counted(output, vm="guest"):
    """{row: count of all vcpus} of what a VM's monitor printed; without what depends on the moment: interrupts of the machine's,
    wake-ups."""
    rows = re.findall(rf"bulkhead: {vm}: +(\S.*?\S) +(\d+)(?: +\d+)*$", output, re.M)
    assert len(dict(rows)) == len(rows)
    return {name: int(count) for name, count in rows if name not in ("kernel alone", "woken", "deadline")}


def test_exits_are_counted(tmp_path):
    # What a guest does itself never leaves it: its own system calls, masks, and exceptions.
    body = """
    mov     x20, #3000
1:  svc     #0
    msr     daifset, #2
    msr     daifclr, #2
    subs    x20, x20, #1
    b.ne    1b
    expect  x28, 3000
    mov     x20, #700
1:  ldr     w0, =0x84000000         // PSCI_VERSION
    hvc     #0
    subs    x20, x20, #1
    b.ne    1b
    mov     x20, #300
1:  mrs     x0, id_aa64pfr0_el1
    subs    x20, x20, #1
    b.ne    1b
    ldr     x11, =0x9010000
    mov     x20, #200
1:  ldr     w10, [x11]
    subs    x20, x20, #1
    b.ne    1b
    str     wzr, [x11, #4]
"""
    code, output = run("--kernel", program(tmp_path, body), "--trace", "exits")
    assert code == 0
    assert counted(output) == {"HVC": 701, "system register": 300, "MMIO": 201, "pl031, reads": 200, "pl031, writes": 1}


# What test/guest/operations.c does, how often. All different, and so are the sums.
OPERATIONS = {"hvc": 1009, "id": 523, "gicd": 257, "uart": 131, "rtc": 67, "sgi": 37}
NO_OPERATIONS = dict.fromkeys(OPERATIONS, 0)


def arguments_for(operations):
    return " ".join(f"{name}={count}" for name, count in operations.items())


def rows_for(operations, gic):
    """What these operations add to the table."""
    n = operations
    rows = {"HVC": n["hvc"], "system register": n["id"], "MMIO": n["gicd"] + n["uart"] + n["rtc"], "SGIs sent": n["sgi"],
            "interrupt distributor, reads": n["gicd"], "pl011, reads": n["uart"], "pl031, writes": n["rtc"]}
    if gic == 3:
        rows["system register"] += n["sgi"]
    else:
        rows["MMIO"] += n["sgi"]
        rows["interrupt distributor, writes"] = n["sgi"]
    return rows


def difference(after, before):
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}


@pytest.mark.parametrize("gic", [3, 2])
def test_counts_are_the_operations_that_were_made(gic):
    def run_with(operations):
        code, output = run("--kernel", guests.PAYLOADS / "operations.img", "--append", arguments_for(operations), "--trace",
                           "exits", "--gic", gic)
        assert code == 0
        return counted(output)

    nothing = run_with(NO_OPERATIONS)
    assert nothing["HVC"] == 1    # SYSTEM_OFF; the rest prepares the interrupt controller
    assert set(nothing) <= {"HVC", "MMIO", "interrupt distributor, reads", "interrupt distributor, writes",
                            "interrupt redistributors, reads", "interrupt redistributors, writes"}
    assert difference(run_with(OPERATIONS), nothing) == rows_for(OPERATIONS, gic)
    for name, count in OPERATIONS.items():    # and each alone
        alone = NO_OPERATIONS | {name: count}
        assert difference(run_with(alone), nothing) == {row: n for row, n in rows_for(alone, gic).items() if n}


COUNTED = """<system>
    <virtual_machine name="one" cpus="1" memory="32M" trace="exits">
        <kernel path="{payload}"/> <cmdline>{one}</cmdline> <console/>
    </virtual_machine>
    <virtual_machine name="two" cpu="1" cpus="1" memory="32M" trace="exits">
        <kernel path="{payload}"/> <cmdline>{two}</cmdline> <console/>
    </virtual_machine>
</system>
"""


@pytest.mark.parametrize("gic", [3, 2])
def test_counts_of_two_vms_are_their_own(tmp_path, gic):
    # Side by side, and so often that they do run at the same time.
    other = {name: 20 * count for name, count in OPERATIONS.items()}
    file = tmp_path / "counted.system"

    def run_with(one, two):
        file.write_text(COUNTED.format(payload=guests.PAYLOADS / "operations.img", one=arguments_for(one),
                                       two=arguments_for(two)))
        with guests.Consoles(file, "--gic", gic) as console:
            assert console.end() == 0
            # Nothing but the monitor's lines is on these consoles, each begun by the mark.
            said = {name: re.sub(r"(?!^)bulkhead: ", r"\nbulkhead: ", text) for name, text in console.said.items()}
        return [counted(said[name], name) for name in ("one", "two")]

    nothing = run_with(NO_OPERATIONS, NO_OPERATIONS)
    one, two = run_with(OPERATIONS, other)
    assert difference(one, nothing[0]) == rows_for(OPERATIONS, gic)
    assert difference(two, nothing[1]) == rows_for(other, gic)


def test_registers_that_only_the_monitor_answers(tmp_path):
    # Auxiliary control, set and way, debug, performance monitors. (QEMU 7.2 does not trap implementation-defined registers.)
    body = """
    mrs     x10, actlr_el1
    expect  x10, 0
    msr     actlr_el1, x10
    dc      isw, xzr
    dc      csw, xzr
    dc      cisw, xzr
    mrs     x10, id_aa64mmfr0_el1
    msr     oslar_el1, xzr
    mrs     x10, oslsr_el1
    mrs     x10, dbgbvr0_el1
    msr     dbgbvr0_el1, x10
    expect  x28, 0
    mrs     x10, pmcr_el0           // hidden: undefined
    expect  x28, 1
"""
    code, output = run("--kernel", program(tmp_path, body), "--trace", "exits")
    assert code == 0
    assert re.search(r"^bulkhead: guest: system register +11$", output, re.M)
