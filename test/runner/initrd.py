"""What a Linux guest runs: an initial file system (cpio, newc, uncompressed) around Debian's static busybox.

Its init mounts proc, sys and dev, says `guest: ready`, runs /etc/test.sh if there is one and then switches off; else
there is a shell on the console. As a program: `initrd.py OUT [SCRIPT]`."""

import sys
from pathlib import Path

BUSYBOX = Path(__file__).resolve().parents[2] / "build/guest/busybox-arm64"

READY = "guest: ready"
PROMPT = "guest# "

# For busybox init, which `reboot` and `poweroff` ask.
INITTAB = """::sysinit:/etc/rc
::respawn:/etc/shell
"""

RC = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /tmp /root
hostname guest
echo '{READY}'
[ -x /etc/test.sh ] || exit 0
/etc/test.sh
poweroff -f
"""

SHELL = f"""#!/bin/sh
export PATH=/bin PS1='{PROMPT}'
exec cttyhack sh
"""

DIRECTORY, FILE, LINK, DEVICE = 0o040755, 0o100755, 0o120777, 0o020600


def entry(number, name, mode, data=b"", device=(0, 0)):
    """One file: Linux, Documentation/driver-api/early-userspace/buffer-format.rst."""
    encoded = name.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return padded(head) + padded(data)


def padded(data):
    return data + bytes(-len(data) % 4)


def archive(script=None, files=None):
    """The file system. `script`: text of /etc/test.sh; `files`: {path: bytes} beside the usual ones."""
    plain = {"bin/busybox": BUSYBOX.read_bytes(), "etc/inittab": INITTAB.encode(), "etc/rc": RC.encode(),
             "etc/shell": SHELL.encode(), **(files or {})}
    if script is not None:
        plain["etc/test.sh"] = ("#!/bin/sh\n" + script).encode()
    folders = {"proc", "sys", "dev", *(str(folder) for name in plain for folder in Path(name).parents)} - {"."}
    entries = [(name, DIRECTORY, b"") for name in sorted(folders)]
    entries += [(name, FILE, data) for name, data in plain.items()]
    entries += [("init", LINK, b"bin/busybox"), ("bin/sh", LINK, b"busybox")]
    parts = [entry(number, *words) for number, words in enumerate(entries, 1)]
    parts.append(entry(len(parts) + 1, "dev/console", DEVICE, device=(5, 1)))
    return b"".join(parts) + entry(0, "TRAILER!!!", 0)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(archive(Path(sys.argv[2]).read_text() if len(sys.argv) > 2 else None))
