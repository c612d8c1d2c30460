"""Reads an image as init does: kernel, then the bundle of abi/bundle.h. Written from the header, not from the tool."""

import struct

PAGE = 4096
NONE = 0xffffffff
ANYWHERE = 0xffffffffffffffff
READ, WRITE, EXECUTE, UNCACHED = 1, 2, 4, 8

TABLES = {
    "processes": ("64s6I4Q2I", "name parent child_id priority core flags line budget_us period_us stack_size entry "
                               "segment_first segment_count"),
    "segments": ("4Q2I", "vaddr memory_size file_offset file_size perms process"),
    "regions": ("2I5Q2I", "name device size page_size paddr prefill_offset prefill_size line flags"),
    "maps": ("2IQ2I", "region process vaddr perms line"),
    "channels": ("8I", "process0 id0 notify0 call0 process1 id1 notify1 call1"),
    "irqs": ("8I", "process id intid device index trigger line reserved"),
    "patches": ("2IQ2I", "process kind vaddr region line"),
    "shares": ("4I", "process slot kind of"),
    "vms": ("64s8I5Q8I", "name process line vcpu_first vcpu_count ram kernel initrd dtb ram_ipa ram_vaddr kernel_vaddr "
                         "initrd_vaddr dtb_vaddr cmdline flags on_reset on_poweroff on_crash restarts window_s console"),
    "vcpus": ("4I2Q", "vm id core priority budget_us period_us"),
    "guest_maps": ("2IQ2I", "vm region ipa perms line"),
}


class Record(dict):
    __getattr__ = dict.__getitem__


class Bundle:
    def __init__(self, image, kernel_size):
        """`image`: bytes; `kernel_size`: where the bundle starts."""
        self.bytes = image[kernel_size:]
        fields = struct.unpack_from("<QIIQQQ24I2I", self.bytes)
        self.magic, self.revision, self.header_size, self.size, self.init_offset, self.init_size = fields[:6]
        tables = dict(zip([*TABLES, "strings"], zip(fields[6:30:2], fields[7:30:2])))
        self.flags, self.cores = fields[30:]
        for name, (form, fields) in TABLES.items():
            offset, count = tables[name]
            size = struct.calcsize("<" + form)
            records = struct.iter_unpack("<" + form, self.bytes[offset:offset + count * size])
            setattr(self, name, [Record(zip(fields.split(), record)) for record in records])
        offset, count = tables["strings"]
        self.strings = self.bytes[offset:offset + count]
        for process in self.processes:
            process["name"] = process.name.rstrip(b"\0").decode()
        for vm in self.vms:
            vm["name"], vm["cmdline"] = vm.name.rstrip(b"\0").decode(), self.string(vm.cmdline)
        for region in self.regions:
            region["name"], region["device"] = self.string(region.name), self.string(region.device)

    def string(self, offset):
        return self.strings[offset:self.strings.index(b"\0", offset)].decode()

    def blob(self, offset, size):
        return self.bytes[offset:offset + size]

    def process(self, name):
        return next(process for process in self.processes if process.name == name)

    def segments_of(self, process):
        return self.segments[process.segment_first:process.segment_first + process.segment_count]

    def memory(self, process, address, size):
        """What a process finds at an address when it starts."""
        for segment in self.segments_of(process):
            if segment.vaddr <= address < segment.vaddr + segment.memory_size:
                content = self.blob(segment.file_offset, segment.file_size).ljust(segment.memory_size, b"\0")
                return content[address - segment.vaddr:address - segment.vaddr + size]
        raise AssertionError(f"{process.name} has nothing at {address:#x}")
