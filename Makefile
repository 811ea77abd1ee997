# SPDX-License-Identifier: MIT
# Quire. `make qemu` boots it, `make test` checks everything, `make help` lists the rest.

space := $() $()
B := build$(if $(DEBUG),/debug)$(if $(LLVM),/llvm)$(if $(STANDIN),/with-$(subst $(space),-,$(strip $(STANDIN))))
CPUS ?= 3
MEM ?= 128M
FSSIZE ?= 16384
EXTRA ?=
EXTRALD ?= user/user.ld
FILES ?=
GDBPORT ?=

# ---- the table of contents: every part of the kernel, in reading order ----
OBJS := entry start main \
  trapvec trap syscall sysproc \
  proc thread kstack sched swtch exec \
  spinlock sleeplock \
  kalloc vm mm/slab mm/page mm/vma mm/anon mm/stack mm/cow mm/filemap mm/mmap mm/shm mm/huge \
  mm/rmap mm/swap mm/reclaim mm/policy/queue mm/policy/fifo mm/policy/clock \
  mm/policy/aging mm/policy/wsclock mm/oom mm/uaccess mm/futex mm/upage mm/info mm/check \
  riscv/fdt riscv/tlb riscv/asid riscv/ad riscv/timer riscv/ipi riscv/fp \
  virtio_disk bio log balloc bmap rw fs mount dcache dir names file pipe sysfile \
  console uart printk plic string \
  $(if $(DEBUG),debug/lockrank debug/wound)

# ---- user programs: one file each, and the library ----
ULIB := usys start ulib printf umalloc thread
# A program of several files has the others in a folder of its name.
UPROGS := $(sort $(filter-out $(ULIB),$(basename $(notdir $(wildcard user/*.c)))))
XPROGS := $(if $(EXTRA),$(sort $(filter-out $(ULIB),\
  $(basename $(notdir $(wildcard $(EXTRA)/*.c))))))
TEXTS := README.md=README LICENSE

# ---- tools and flags ----
include tools/toolchain.mk

CFLAGS := -std=gnu11 -O2 -g -fno-omit-frame-pointer -Wall -Wextra $(if $(CI),-Werror) \
  -ffreestanding -fno-common -nostdlib -fno-stack-protector -fno-pic -fno-pie $(NORELAX) \
  -fno-asynchronous-unwind-tables $(NOIDIOM) -mcmodel=medany -MMD -MP -I. -I$B
KFLAGS := $(CFLAGS) -march=rv64imac$(ZEXT) -mabi=lp64 $(if $(DEBUG),-DDEBUG)
UFLAGS := $(CFLAGS) -march=rv64gc -mabi=lp64d -Iuser
# Programs from elsewhere were written with other warnings in mind.
XFLAGS := $(filter-out -Wextra -Werror,$(UFLAGS)) -Wno-format -Wno-unused -Wno-unknown-attributes
LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none
HOSTFLAGS := -std=c11 -O2 -g -Wall -Wextra $(if $(CI),-Werror) -I.

# start.c runs where it is loaded, while everything it could jump through is linked elsewhere.
$B/obj/kernel/start.o: KFLAGS += $(NOTABLES)
# The only place where the kernel names floating-point registers: to keep them for programs.
$B/obj/kernel/riscv/fp.o: KFLAGS += -march=rv64gc

KOBJS := $(OBJS:%=$B/obj/kernel/%.o)
LOBJS := $(ULIB:%=$B/obj/user/%.o)
UELFS := $(UPROGS:%=$B/user/_%)
XELFS := $(XPROGS:%=$B/extra/_%)
X := $B/obj/extra/$(subst /,_,$(EXTRA))
# A program of EXTRA replaces the one of ours that has its name.
IMAGED := $(filter-out $(XPROGS:%=$B/image/_%),$(UPROGS:%=$B/image/_%)) $(XPROGS:%=$B/extra/image/_%)

# How a command shows: by one word and its target, or in full with V=1.
q = $(if $(V),,@printf '  %-5s %s\n' $1 '$@';)

.PHONY: all
.SECONDARY:
all: $B/kernel $B/fs.img $B/swap.img

# ---- what was asked for last time: a change here rebuilds what depends on it ----
# $(call remember,FILE,TEXT): FILE holds TEXT, and is new only if TEXT is.
define remember
$1: FORCE
	@mkdir -p $$(@D); echo '$(subst ','\'',$2)' | cmp -s - $$@ || echo '$(subst ','\'',$2)' >$$@
endef
$(eval $(call remember,$B/flags.kernel,$(CC) $(KFLAGS) $(LD) $(LDFLAGS) $(OBJS) $(STANDIN)))
$(eval $(call remember,$B/flags.user,$(CC) $(UFLAGS) $(LD) $(LDFLAGS) $(ULIB)))
$(eval $(call remember,$B/flags.extra,$(CC) $(XFLAGS) $(EXTRA) $(EXTRALD)))
$(eval $(call remember,$B/flags.image,$(FSSIZE) $(IMAGED) $(TEXTS) $(FILES)))

# ---- kernel ----
$B/obj/kernel/%.o: kernel/%.c $B/flags.kernel
	@mkdir -p $(@D)
	$(call q,CC)$(CC) $(KFLAGS) -c -o $@ $<

# STANDIN="cow huge": a technique's simpler stand-in instead of it.
$(STANDIN:%=$B/obj/kernel/mm/%.o): $B/obj/kernel/mm/%.o: tests/standins/%.c $B/flags.kernel
	@mkdir -p $(@D)
	$(call q,CC)$(CC) $(KFLAGS) -Ikernel/mm -c -o $@ $<

$B/obj/kernel/%.o: kernel/%.S $B/flags.kernel
	@mkdir -p $(@D)
	$(call q,CC)$(CC) $(KFLAGS) -c -o $@ $<

# Backtraces need names: link once without them, list the functions, link again with the list. The
# list lies behind all code, so the second link moves no function; tools/ksyms makes sure.
$B/ksyms0.S: tools/ksyms $B/flags.kernel
	@sh tools/ksyms </dev/null >$@

$B/kernel0: kernel.ld Makefile $(KOBJS) $B/ksyms0.o
	@$(LD) $(LDFLAGS) -T kernel.ld -o $@ $(KOBJS) $B/ksyms0.o

$B/ksyms.S: $B/kernel0 tools/ksyms
	@$(NM) -n $< | sh tools/ksyms >$@

$B/ksyms0.o $B/ksyms.o: %.o: %.S
	@$(CC) $(KFLAGS) -c -o $@ $<

$B/kernel: $B/kernel0 $B/ksyms.o
	$(call q,LINK)$(LD) $(LDFLAGS) -T kernel.ld -o $@ $(KOBJS) $B/ksyms.o
	@$(NM) -n $@ | sh tools/ksyms | cmp -s - $B/ksyms.S || \
	  { echo 'kernel.ld: .ksyms must be placed behind all code' >&2; rm -f $@; exit 1; }

# ---- user programs ----
$B/obj/user/%.o: user/%.c $B/flags.user
	@mkdir -p $(@D)
	$(call q,CC)$(CC) $(UFLAGS) -c -o $@ $<

$B/obj/user/%.o: user/%.S $B/flags.user
	@mkdir -p $(@D)
	$(call q,CC)$(CC) $(UFLAGS) -c -o $@ $<

$X/%.o: $(if $(EXTRA),$(EXTRA),user)/%.c $B/flags.extra
	@mkdir -p $(@D)
	$(call q,CC)$(CC) $(XFLAGS) -c -o $@ $<

# Weak names in the library: a program that has a function of the same name keeps its own.
$B/obj/ulib.o: $(LOBJS)
	@$(LD) -r -o $@ $(LOBJS) && $(OBJCOPY) --weaken $@

.SECONDEXPANSION:
$B/user/_%: $B/obj/user/%.o $$(addprefix $B/obj/,$$(addsuffix .o,$$(basename $$(wildcard user/$$*/*.c)))) $B/obj/ulib.o user/user.ld Makefile
	@mkdir -p $(@D)
	$(call q,LINK)$(LD) $(LDFLAGS) -T user/user.ld -o $@ $(filter %.o,$^)

# Programs of tests share what runs and judges them.
$B/user/_usertests $B/user/_vmtests: $(patsubst %.c,$B/obj/%.o,$(wildcard user/harness/*.c))
$B/user/_vmtour: $B/obj/user/harness/probe.o

$B/extra/_%: $X/%.o $B/obj/ulib.o $(EXTRALD) $B/flags.extra Makefile
	@mkdir -p $(@D)
	$(call q,LINK)$(LD) $(LDFLAGS) -T $(EXTRALD) -o $@ $(filter %.o,$^)

# ---- the disk: programs without their debug information, and some text ----
$B/mkfs: mkfs/mkfs.c kernel/fs.h kernel/param.h kernel/types.h kernel/stat.h Makefile
	@mkdir -p $(@D)
	$(call q,HOST)$(HOSTCC) $(HOSTFLAGS) -o $@ $<

$B/fsck: mkfs/fsck.c kernel/fs.h kernel/param.h kernel/types.h kernel/stat.h Makefile
	@mkdir -p $(@D)
	$(call q,HOST)$(HOSTCC) $(HOSTFLAGS) -o $@ $<

$B/image/_%: $B/user/_%
	@mkdir -p $(@D)
	@$(OBJCOPY) -S $< $@

$B/extra/image/_%: $B/extra/_%
	@mkdir -p $(@D)
	@$(OBJCOPY) -S $< $@

$B/fs.img: $B/mkfs $B/flags.image $(IMAGED) $(foreach f,$(TEXTS) $(FILES),$(firstword $(subst =, ,$f)))
	$(call q,MKFS)$B/mkfs $@ -s $(FSSIZE) $(IMAGED) $(TEXTS) $(FILES)

# A disk to swap to; it takes no room before that. What is on it means nothing after a boot.
$B/swap.img:
	@mkdir -p $(@D); truncate -s 512M $@

# ---- running ----
RUN = QEMU='$(QEMU)' CPUS='$(CPUS)' MEM='$(MEM)' sh tools/qemu -s $B/swap.img

.PHONY: qemu qemu-gdb gdb
qemu: all
	@$(RUN) $B/kernel $B/fs.img

qemu-gdb: all
	@$(RUN) -g '$(GDBPORT)' -p $B/gdb.port $B/kernel $B/fs.img

gdb:
	@GDB='$(GDB)' sh tools/gdb/attach $B '$(GDBPORT)'

# ---- checking ----
.PHONY: test check fsck doctor lines fmt
test: all $B/fsck
	@QUIRE_BUILD=$B python3 tests/system/run.py

check: all $B/fsck
	@QUIRE_BUILD=$B python3 tests/system/run.py --quick

fsck: $B/fsck
	@$B/fsck $B/fs.img

doctor:
	@CC='$(CC)' LD='$(LD)' HOSTCC='$(HOSTCC)' QEMU='$(QEMU)' GDB='$(GDB)' FMT='$(CLANGFORMAT)' sh tools/doctor

lines:
	@python3 tools/lines

# ---- measuring ----
BENCH = QUIRE_BUILD=$B NM='$(NM)' nice python3 bench
PROG ?= bench -p getpid
REASON ?=
LINUXCC ?= riscv64-linux-gnu-gcc

.PHONY: bench bench-check bench-accept bench-grow bench-wall profile bench-linux
bench: all
	@$(BENCH)/bench.py table

bench-check: all
	@$(BENCH)/bench.py check

bench-accept: all
	@$(BENCH)/bench.py accept --reason '$(subst ','\'',$(REASON))'

bench-grow: all
	@$(BENCH)/bench.py grow

bench-wall: all
	@$(BENCH)/bench.py wall

profile: all
	@$(BENCH)/profile.py '$(PROG)'

bench-linux:
	@command -v '$(LINUXCC)' >/dev/null || { echo 'There is no $(LINUXCC), which builds programs for Linux: install it, or set LINUXCC=.' >&2; exit 2; }
	@mkdir -p $B
	$(call q,CC)$(LINUXCC) -O2 -Wall -Wextra -static -I. -Iuser -o $B/bench-linux user/bench.c user/bench/*.c

fmt:
	@$(CLANGFORMAT) -i $$(find kernel user mkfs tests -name '*.[ch]')

# ---- for editors ----
# $(call entries,FOLDERS,COMMAND): how each C file in them is compiled.
entries = find $1 -name '*.c' | sort | \
  sed 's|.*|{"directory": "$(CURDIR)", "file": "&", "command": "$2 -c &"},|'

.PHONY: compile_commands.json
compile_commands.json:
	@{ $(call entries,kernel ! -path 'kernel/debug/*',$(CC) $(KFLAGS)); \
	  $(call entries,kernel/debug,$(CC) $(KFLAGS) -DDEBUG); \
	  $(call entries,tests/standins,$(CC) $(KFLAGS) -Ikernel/mm); \
	  $(call entries,user,$(CC) $(UFLAGS)); \
	  $(call entries,tests/xv6progs tools/scenes,$(CC) $(XFLAGS)); \
	  $(call entries,mkfs tests/host,$(HOSTCC) $(HOSTFLAGS) -std=gnu11 -Iuser); \
	} | sed '1s/^/[/; $$s/,$$/]/' >$@

.PHONY: clean help FORCE
clean:
	rm -rf build compile_commands.json

help:
	@sed -n 's/^#| \{0,1\}//p' Makefile

#| make                 build the kernel and its disk image in build/
#| make qemu            boot them; leave with Ctrl-A X or the command poweroff
#|   CPUS=3 MEM=128M      harts (1 to 8) and memory (64M to 8G)
#|   DEBUG=1 LLVM=1       with assertions; with clang and lld;  V=1 shows every command
#|   STANDIN="cow huge"   with simpler stand-ins for techniques of kernel/mm: see tests/standins
#|   EXTRA=dir            every .c file in dir becomes a program on the disk
#|   EXTRALD=file         linked by this script instead of user/user.ld
#|   FILES="a b=c"        more files for the disk: a, and b under the name c
#|   FSSIZE=16384         blocks of 4 KiB on the disk
#| make qemu-gdb        boot and wait for a debugger;  make gdb, in another window, attaches one
#|   GDBPORT=n            at this port
#| make check, test     the quick tests; all of them
#| make fsck            say what is wrong with the disk image, if anything
#| make doctor          which tools there are
#| make bench           what work costs, in instructions: table, build/bench.json, build/bench.svg
#|   bench-check          the same, and fails when a row costs more than bench/baseline.json allows
#|   bench-accept REASON= measures anew and writes the baseline
#|   bench-grow           how costs grow with what there is: tables and build/bench-grow.svg
#|   bench-wall           the same and the tests by the clock on the wall, as ratios
#|   bench-linux          build/bench-linux: the same program for Linux, by LINUXCC
#| make profile PROG="bench -p fork"   where the instructions of a command went, by function
#| make lines           sizes of the kernel's files and functions
#| make fmt             lay out the code by .clang-format
#| make compile_commands.json, clean

UOBJS := $(patsubst %,$B/obj/%.o,$(basename $(wildcard user/*.c user/*/*.c)))
-include $(patsubst %.o,%.d,$(KOBJS) $(LOBJS) $(UOBJS) $(XPROGS:%=$X/%.o))
