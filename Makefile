# Bulkhead's build. Everything it makes is under build/, which may be deleted at any time.
#
#   make               what `./bulkhead run` needs: kernel, init, libmicrokit, libvmm, programs, the tool
#   make target        of that, what runs on the target
#   make unit fuzz     the development machine's tests          make guest     files out of Debian's arm64 packages
#   make two-guests    of these, what `./bulkhead run` needs
#   make install       DESTDIR, PREFIX                          make clean     all but what was fetched
#
# Variables: V=1 shows commands. LLVM=1 builds with clang and lld, into build/clang. UBSAN=1 builds what runs on the
# target, with a trap wherever C leaves open what happens, into build/ubsan. CROSS is the prefix of the cross tools.
# BUILD is another folder to build into (what was fetched stays in build/).
#
# Drop a source into its folder and it is built: kernel/, init/, lib/, base/, tool/; drivers/CLASS/ and mux/CLASS/ make
# one program each; every C file of systems/NAME/ is a program of its own, every C file of test/kernel/ and test/bench/
# a first process of its own; every test/unit/test_*.c and test/fuzz/fuzz_*.c is a test that names its sources itself
# (scripts/hosttests.awk).

CROSS ?= aarch64-linux-gnu-
PREFIX ?= /usr/local
Q := $(if $(V),,@)

ifdef UBSAN
  BUILD ?= build/ubsan
endif
ifdef LLVM
  BUILD ?= build/clang
  CC_CROSS := clang --target=aarch64-none-elf
  LD_CROSS := ld.lld
  AR_CROSS := llvm-ar
  OBJCOPY := llvm-objcopy
  HOSTCC ?= clang
else
  BUILD ?= build
  CC_CROSS := $(CROSS)gcc
  LD_CROSS := $(CROSS)ld
  AR_CROSS := $(CROSS)ar
  OBJCOPY := $(CROSS)objcopy
  HOSTCC ?= gcc
endif
B := $(BUILD)

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all target unit fuzz guest two-guests headers tidy install clean
all:

# ---- Fetched once: sources and guest files out of Debian's archive ---------------------------------------------------

# libfdt for code without a C library. The archive's arm-trusted-firmware carries its plain source.
LIBFDT := build/src/libfdt
LIBFDT_READ := $(addprefix $(LIBFDT)/,fdt.c fdt_ro.c)

$(LIBFDT)/fetched:
	$(Q)scripts/apt-private source arm-trusted-firmware build/src/atf
	$(Q)mkdir -p $(LIBFDT)
	$(Q)cp build/src/atf/lib/libfdt/*.[ch] build/src/atf/include/lib/libfdt/*.h $(LIBFDT)
	$(Q)rm -rf build/src/atf
	$(Q)touch $@ $(LIBFDT)/*.c
$(LIBFDT)/%.c: $(LIBFDT)/fetched ;

# Debian's arm64 kernel: a guest to boot, and the device tree of the second board.
GUEST := build/guest
guest: $(GUEST)/fetched
$(GUEST)/fetched:
	$(Q)scripts/apt-private arm64 $$(scripts/apt-private depends linux-image-arm64 linux-image-) build/src/linux
	$(Q)mkdir -p $(GUEST)
	$(Q)cp build/src/linux/boot/vmlinuz-* $(GUEST)/vmlinuz-arm64
	$(Q)cp build/src/linux/usr/lib/linux-image-*/xilinx/zynqmp-zcu102-rev1.0.dtb $(GUEST)
	$(Q)rm -rf build/src/linux
	$(Q)touch $@

# More guests for the tests: the archive's other arm64 kernels, and the one program that a shell needs.
guest: $(GUEST)/vmlinuz-cloud-arm64 $(GUEST)/vmlinuz-rt-arm64 $(GUEST)/busybox-arm64
$(GUEST)/vmlinuz-%-arm64:
	$(Q)scripts/apt-private arm64 $$(scripts/apt-private depends linux-image-$*-arm64 linux-image-) build/src/linux-$*
	$(Q)mkdir -p $(GUEST)
	$(Q)cp build/src/linux-$*/boot/vmlinuz-* $@
	$(Q)rm -rf build/src/linux-$*
$(GUEST)/busybox-arm64:
	$(Q)scripts/apt-private arm64 busybox-static build/src/busybox
	$(Q)mkdir -p $(GUEST)
	$(Q)cp build/src/busybox/bin/busybox $@
	$(Q)rm -rf build/src/busybox

# An initial file system with a shell: `./bulkhead run --kernel build/guest/vmlinuz-arm64 --initrd build/guest/initrd.cpio`
guest: $(GUEST)/initrd.cpio

# Of these, what systems/two-guests takes.
two-guests: $(GUEST)/vmlinuz-cloud-arm64 $(GUEST)/initrd.cpio
$(GUEST)/initrd.cpio: test/runner/initrd.py $(GUEST)/busybox-arm64
	$(Q)python3 $< $@

# ---- Flags -----------------------------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
    -Wundef -Wwrite-strings -Werror
COMMON := -std=c11 -O2 -g -fno-common -ffile-prefix-map=$(CURDIR)=. $(WARN) -MMD -MP -I.

# Undefined behaviour ends whoever shows it with a BRK: in the kernel a panic, in a process a fault.
UBSAN_FLAGS := $(if $(UBSAN),-fsanitize=undefined -fsanitize-undefined-trap-on-error)

# Code for the target. Without a C library: the headers are the compiler's, base/libc and libfdt, and nothing else.
CC_INCLUDE := $(shell $(CC_CROSS) -print-file-name=include)
TARGET := $(COMMON) -ffreestanding -nostdinc -isystem $(CC_INCLUDE) -isystem base/libc -isystem $(LIBFDT) \
    -mstrict-align -mno-outline-atomics -mbranch-protection=none -fno-pic -fno-pie -fno-stack-protector \
    -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-omit-frame-pointer $(UBSAN_FLAGS)

# Programs of examples and tests may use floating point. Nothing else does: a process that has no right to it needs
# our code as much as one that has.
PROGRAM_FLAGS := $(TARGET) -Ilib/include
PROCESS_FLAGS := $(TARGET) -mgeneral-regs-only -Wconversion -Ilib/include
# The kernel is optimised as one program, in one piece: its hot paths cross files (a tenth of their instructions). A variable
# is addressed as itself: by way of a section's anchor it takes an instruction more.
KERNEL_FLAGS := $(TARGET) -mgeneral-regs-only -Wconversion -flto $(if $(LLVM),,-fno-section-anchors -flto-partition=one) \
    -Ikernel -Ikernel/arch/aarch64
TOOL_FLAGS := $(COMMON) -D_GNU_SOURCE
HOST_FLAGS := $(TOOL_FLAGS) -O1 -fno-omit-frame-pointer -Ikernel -Ikernel/arch/fake -Ilib/include
LINK := -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack

# $(call objects,COMPONENT,SOURCES)
objects = $(patsubst %,$(B)/obj/$(1)/%.o,$(basename $(2)))

# $(call component,COMPONENT,COMPILER,FLAGS): how its objects are compiled, and looked at by clang-tidy.
define component
$(B)/obj/$(1)/%.o: %.c Makefile $(LIBFDT)/fetched
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $(3) $$(EXTRA) -c -o $$@ $$<
$(B)/obj/$(1)/%.o: %.S Makefile
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $(3) -c -o $$@ $$<
$(B)/tidy/$(1)/%.ok: $(B)/obj/$(1)/%.o .clang-tidy
	$$(Q)mkdir -p $$(@D)
	$$(Q)clang-tidy --quiet $$*.c -- $(filter --target=%,$(2)) $(3)
	$$(Q)touch $$@
endef
$(eval $(call component,kernel,$(CC_CROSS),$(KERNEL_FLAGS)))
$(eval $(call component,process,$(CC_CROSS),$(PROCESS_FLAGS)))
VMM_FLAGS := $(PROCESS_FLAGS) -flto $(if $(LLVM),,-flto-partition=one -ffat-lto-objects)
$(eval $(call component,vmm,$(CC_CROSS),$(VMM_FLAGS)))
$(eval $(call component,program,$(CC_CROSS),$(PROGRAM_FLAGS)))
$(eval $(call component,tool,$(HOSTCC),$(TOOL_FLAGS)))

LIBFDT_NAMES := fdt fdt_ro fdt_sw fdt_rw fdt_wip
$(foreach f,$(LIBFDT_NAMES),$(B)/obj/%/$(LIBFDT)/$(f).o): EXTRA := -w
# It reads every word byte by byte. In a process all of its memory is Normal: that may be one load wherever it lies.
$(foreach c,process vmm,$(LIBFDT_NAMES:%=$(B)/obj/$(c)/$(LIBFDT)/%.o)): \
    EXTRA := -w $(if $(LLVM),-munaligned-access,-mno-strict-align)
# The compiler must not turn memcpy's loop into a call of memcpy, nor lose it before it finds that it needs it.
$(B)/obj/%/base/str.o $(B)/obj/%/base/search.o: EXTRA := -fno-lto $(if $(LLVM),,-fno-tree-loop-distribute-patterns)

BASE_SRC := $(wildcard base/*.c) abi/bundle_check.c

# ---- Kernel ----------------------------------------------------------------------------------------------------------

KERNEL_LD := kernel/arch/aarch64/kernel.ld
KERNEL_SRC := $(wildcard kernel/*.c kernel/arch/aarch64/*.[cS]) base/format.c base/str.c
KERNEL_OBJ := $(call objects,kernel,$(KERNEL_SRC))
# What runs at boot, in panics, or to build and take apart is made small instead of fast.
KERNEL_COLD := boot console cspace panic reap threadctl vcpu \
    $(addprefix arch/aarch64/,cores devtree el2 machine main memmap mmu psci uart)
$(KERNEL_COLD:%=$(B)/obj/kernel/kernel/%.o): EXTRA := -Os
$(B)/obj/kernel/base/str.o: EXTRA := -Os -fno-lto $(if $(LLVM),,-fno-tree-loop-distribute-patterns)
all: $(B)/kernel/kernel.bin

$(B)/kernel/kernel.elf: $(KERNEL_LD) $(KERNEL_OBJ)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_CROSS) $(KERNEL_FLAGS) $(if $(LLVM),-fuse-ld=lld -Qunused-arguments) $(foreach o,$(LINK),-Wl,$(o)) -nostdlib -static \
	    -Wl,-T,$(KERNEL_LD),-Map,$(@:.elf=.map) -o $@ $(KERNEL_OBJ)

%.bin: %.elf
	$(Q)$(OBJCOPY) -O binary $< $@

# ---- libmicrokit, init, programs -------------------------------------------------------------------------------------

LIB := $(B)/lib/libmicrokit.a $(B)/lib/microkit.ld
LIB_OBJ := $(call objects,process,$(wildcard lib/*.[cS]) $(BASE_SRC))
all: $(LIB)

$(B)/lib/libmicrokit.a: $(LIB_OBJ)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR_CROSS) rcsD $@ $^

$(B)/lib/microkit.ld: lib/microkit.ld
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

# init is linked flat, and takes the C functions that it needs out of libmicrokit.
INIT_OBJ := $(call objects,process,$(wildcard init/*.[cS]) $(LIBFDT_READ))
all: $(B)/init/init.bin

$(B)/init/init.elf: init/init.ld $(INIT_OBJ) $(B)/lib/libmicrokit.a
	$(Q)mkdir -p $(@D)
	$(Q)$(link-first)

# Kernel tests and benchmarks take init's place. (count.c is a plugin of QEMU, which profile.py builds.)
link-first = $(LD_CROSS) $(LINK) -T init/init.ld -Map $(@:.elf=.map) -o $@ $(filter %.o,$^) $(B)/lib/libmicrokit.a
HARNESS_OBJ := $(call objects,process,init/start.S $(wildcard test/harness/*.[cS]) $(LIBFDT_READ))
FIRST_SRC := $(filter-out test/bench/count.c,$(wildcard test/kernel/*.c test/bench/*.c))
FIRST_TESTS := $(FIRST_SRC:%.c=$(B)/%.bin)
all: $(FIRST_TESTS)

$(FIRST_TESTS:.bin=.elf): $(B)/%.elf: init/init.ld $(B)/obj/process/%.o $(HARNESS_OBJ) $(B)/lib/libmicrokit.a
	$(Q)mkdir -p $(@D)
	$(Q)$(link-first)

link-program = $(LD_CROSS) $(LINK) -T $(B)/lib/microkit.ld -o $@ $(filter %.o,$^) $(filter %.a,$^)

# $(call server,FOLDER,CLASS,SUFFIX): drivers/uart/*.c become bin/uart_driver.elf, mux/serial/*.c bin/serial_mux.elf.
define server
SERVERS += $(B)/bin/$(2)_$(3).elf
$(B)/bin/$(2)_$(3).elf: $(call objects,process,$(wildcard $(1)/$(2)/*.c)) $(LIB)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(link-program)
endef
classes = $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard $(1)/*/*.c)))))
$(foreach c,$(call classes,drivers),$(eval $(call server,drivers,$(c),driver)))
$(foreach c,$(call classes,mux),$(eval $(call server,mux,$(c),mux)))

# The VMM: a library, and the default program. Hot paths cross files here, too; the simulated port is for tests. gcc's
# objects are code as well, for who links with another compiler or without one.
LIBFDT_WRITE := $(addprefix $(LIBFDT)/,fdt.c fdt_ro.c fdt_sw.c fdt_rw.c fdt_wip.c)
# What the tool sets in the program must not be known to be zero.
$(B)/obj/vmm/vmm/monitor.o: EXTRA := -fno-lto
VMM_SRC := $(filter-out vmm/main.c vmm/port/sim.c,$(wildcard vmm/*.c vmm/*/*.c)) $(LIBFDT_WRITE)
VMM_LIB := $(B)/lib/libvmm.a
all: $(VMM_LIB)

$(VMM_LIB): $(call objects,vmm,$(VMM_SRC))
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR_CROSS) rcsD $@ $^

SERVERS += $(B)/bin/vmm.elf
$(B)/bin/vmm.elf: $(call objects,vmm,vmm/main.c) $(VMM_LIB) $(LIB)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_CROSS) $(VMM_FLAGS) $(if $(LLVM),-fuse-ld=lld -Qunused-arguments) $(foreach o,$(LINK),-Wl,$(o)) -nostdlib -static \
	    -Wl,-T,$(B)/lib/microkit.ld -o $@ $(filter %.o,$^) $(filter %.a,$^)

# Programs of examples take out of both libraries what they use.
PROGRAMS := $(patsubst %.c,$(B)/%.elf,$(wildcard systems/*/*.c))
$(PROGRAMS): $(B)/%.elf: $(B)/obj/program/%.o $(VMM_LIB) $(LIB)
	$(Q)mkdir -p $(@D)
	$(Q)$(link-program)

all: $(SERVERS) $(PROGRAMS)

# Everything of ours that a system with virtual machines consists of.
target: $(B)/kernel/kernel.bin $(B)/init/init.bin $(SERVERS)

# ---- Guests that test the machine that they run on -------------------------------------------------------------------

# Every C file of test/guest/ is an arm64 Image of its own. Position-independent: it runs wherever it is put.
GUEST_FLAGS := $(filter-out -fno-pic -fno-pie,$(TARGET)) -fpie -mgeneral-regs-only
$(eval $(call component,guest,$(CC_CROSS),$(GUEST_FLAGS)))
GUEST_LD := test/guest/lib/guest.ld
GUEST_OBJ := $(call objects,guest,$(wildcard test/guest/lib/*.[cS]) base/format.c base/str.c base/search.c $(LIBFDT_READ))
GUEST_IMAGES := $(patsubst %.c,$(B)/%.img,$(wildcard test/guest/*.c))
all: $(if $(LLVM),,$(GUEST_IMAGES)) # their assembly is gcc's

$(GUEST_IMAGES:.img=.elf): $(B)/%.elf: $(GUEST_LD) $(B)/obj/guest/%.o $(GUEST_OBJ)
	$(Q)mkdir -p $(@D)
	$(Q)$(LD_CROSS) $(LINK) -pie --no-dynamic-linker -z notext -T $(GUEST_LD) -o $@ $(filter %.o,$^)
$(GUEST_IMAGES): %.img: %.elf
	$(Q)$(OBJCOPY) -O binary $< $@

# $(call example-guest,systems/NAME/guest): a guest that belongs to an example, a raw binary.
define example-guest
all: $(B)/$(1).img
$(B)/$(1).elf: $(1)/guest.ld $(call objects,guest,$(wildcard $(1)/*.[cS]))
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(LD_CROSS) $$(LINK) -T $$< -o $$@ $$(filter %.o,$$^)
$(B)/$(1).img: $(B)/$(1).elf
	$$(Q)$$(OBJCOPY) -O binary $$< $$@
endef
$(foreach g,$(patsubst %/,%,$(wildcard systems/*/guest/)),$(eval $(call example-guest,$(g))))

# Programs that Linux guests run in tests: static, without a C library. One is for 32-bit Arm: clang's business.
ARM32 := $(B)/test/guest/linux/arm32
GUEST_PROGRAMS := $(filter-out $(ARM32),$(patsubst %.c,$(B)/%,$(wildcard test/guest/linux/*.c)))
all: $(if $(LLVM),,$(GUEST_PROGRAMS) $(ARM32))
$(GUEST_PROGRAMS): $(B)/%: $(B)/obj/guest/%.o
	$(Q)mkdir -p $(@D)
	$(Q)$(LD_CROSS) $(LINK) -o $@ $<
$(ARM32): test/guest/linux/arm32.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)clang --target=armv7a-linux-gnueabi -std=c11 -O2 $(WARN) -ffreestanding -nostdlib -static -fuse-ld=lld -marm \
	    -o $@ $<

# ---- The tool --------------------------------------------------------------------------------------------------------

TOOL_OBJ := $(call objects,tool,$(wildcard tool/*.c) $(filter-out base/str.c base/search.c,$(BASE_SRC)))
all: $(B)/bulkhead

$(B)/bulkhead: $(TOOL_OBJ)
	$(Q)$(HOSTCC) -o $@ $^ -lexpat -lelf -lfdt -lz -lzstd

# ---- Tests on the development machine --------------------------------------------------------------------------------

# $(call host-test,NAME,SOURCES,FLAGS,SANITIZERS,LIBRARIES): one test program with objects of its own.
define host-test
$(B)/$(1): $(patsubst %.c,$(B)/obj/$(1)/%.o,$(2))
	$$(Q)mkdir -p $$(@D)
	$$(Q)clang $(4) -o $$@ $$^ $(5)
$(B)/obj/$(1)/%.o: %.c Makefile
	$$(Q)mkdir -p $$(@D)
	$$(Q)clang $(3) $(HOST_FLAGS) $(4) -c -o $$@ $$<
endef
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
unit-test = $(eval $(call host-test,$(1),$(2),$(3),$(SANITIZE),-lcmocka -lexpat -lelf -lfdt -lz -lzstd))
fuzz-test = $(eval $(call host-test,$(1),$(2),$(3),$(SANITIZE) -fsanitize=fuzzer,-lcmocka -lexpat -lelf -lfdt -lz -lzstd))

UNIT_SRC := $(wildcard test/unit/test_*.c)
FUZZ_SRC := $(wildcard test/fuzz/fuzz_*.c)
unit: $(UNIT_SRC:test/%.c=$(B)/%)
fuzz: $(FUZZ_SRC:test/%.c=$(B)/%)

# The script prints for each test: $(call unit-test,unit/test_notif,test/unit/test_notif.c kernel/notif.c,-Ikernel)
$(eval $(shell awk -f scripts/hosttests.awk $(UNIT_SRC) $(FUZZ_SRC) </dev/null))

# ---- Checks of the source, used by test/check ------------------------------------------------------------------------

# $(call lone-headers,HEADERS,COMPILER,FLAGS): each header compiles alone.
define lone-headers
headers: $(1:%=$(B)/obj/header/%.ok)
$(1:%=$(B)/obj/header/%.ok): $(B)/obj/header/%.ok: % Makefile $(LIBFDT)/fetched
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $(3) -MF $$(@:.ok=.d) -MT $$@ -fsyntax-only -include $$< -x c /dev/null
	$$(Q)touch $$@
endef
in = $(if $(wildcard $(1)),$(shell find $(wildcard $(1)) -path kernel/arch/fake -prune -o -name '*.h' -print))
$(eval $(call lone-headers,$(call in,spec abi base kernel),$(CC_CROSS),$(KERNEL_FLAGS)))
$(eval $(call lone-headers,$(call in,lib init vmm drivers mux test/harness),$(CC_CROSS),$(PROCESS_FLAGS)))
$(eval $(call lone-headers,$(call in,systems),$(CC_CROSS),$(PROGRAM_FLAGS)))
$(eval $(call lone-headers,$(call in,test/guest),$(CC_CROSS),$(GUEST_FLAGS)))
$(eval $(call lone-headers,$(call in,tool),$(HOSTCC),$(TOOL_FLAGS)))
$(eval $(call lone-headers,$(call in,kernel/arch/fake/* test/unit test/fuzz),clang,$(HOST_FLAGS)))

# clang-tidy looks at a file again when its object was made again. Its flags are clang's: LLVM=1 belongs to it.
tidy-of = $(patsubst %.c,$(B)/tidy/$(1)/%.ok,$(2))
tidy: $(call tidy-of,kernel,$(wildcard kernel/*.c kernel/arch/aarch64/*.c base/*.c)) \
      $(call tidy-of,process,$(wildcard lib/*.c init/*.c drivers/*/*.c mux/*/*.c)) \
      $(call tidy-of,vmm,$(filter-out vmm/port/sim.c,$(wildcard vmm/*.c vmm/*/*.c))) \
      $(call tidy-of,program,$(wildcard systems/*/*.c)) \
      $(call tidy-of,tool,$(wildcard tool/*.c))

# ---- Installing, cleaning, dependencies ------------------------------------------------------------------------------

SHARE := $(DESTDIR)$(PREFIX)/share/bulkhead
# What `run` takes without being told.
FETCHED = $(wildcard $(GUEST)/*.dtb $(GUEST)/vmlinuz-cloud-arm64 $(GUEST)/initrd.cpio)
install: all
	install -D $(B)/bulkhead $(DESTDIR)$(PREFIX)/bin/bulkhead
	install -d $(SHARE)/lib $(SHARE)/bin $(SHARE)/systems $(SHARE)/guest
	install -m 644 $(B)/kernel/kernel.bin $(B)/init/init.bin $(SHARE)
	install -m 644 $(LIB) $(VMM_LIB) $(SHARE)/lib
	install -m 644 $(SERVERS) $(SHARE)/bin
	cp -R systems/* $(B)/systems/* $(SHARE)/systems
	cp -R lib/include $(SHARE)
	cp --parents abi/*.h base/*.h base/libc/*.h lib/*.h spec/*.h $(filter-out vmm/port/sim.h,$(wildcard vmm/*.h vmm/*/*.h)) $(SHARE)/include
	$(if $(FETCHED),install -m 644 $(FETCHED) $(SHARE)/guest)

clean:
	rm -rf $(filter-out build/src build/guest build/apt,$(wildcard $(B)/*))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
