# SPDX-License-Identifier: MIT
# Finds the tools. Included by the Makefile; sets CC, LD, OBJCOPY, NM for the guest, HOSTCC, QEMU, GDB,
# and ZEXT, NOIDIOM and NORELAX, which depend on what the tools know.
#
#   TOOLPREFIX=riscv64-foo-   use riscv64-foo-gcc and its binutils
#   LLVM=1                    use clang and lld; LLVM=-15 uses clang-15 and ld.lld-15
#   QEMU=, GDB=, HOSTCC=      name these outright

ifneq ($(filter 3.%,$(MAKE_VERSION)),)
$(error GNU make 4 or newer is needed and this is $(MAKE_VERSION): run 'sh tools/setup.sh', then use 'gmake')
endif

# $(call first,NAMES): the first of these programs that is installed.
first = $(shell for p in $1; do command -v $$p >/dev/null 2>&1 && echo $$p && break; done)
# $(call knows,FLAGS): FLAGS when the compiler accepts them, else nothing.
knows = $(shell echo 'int x;' | $(CC) -Werror $1 -x c -c -o /dev/null - >/dev/null 2>&1 && echo "$1")

PREFIXES := riscv64-unknown-elf- riscv64-elf- riscv64-linux-gnu- riscv64-unknown-linux-gnu- riscv64-none-elf-
LLVMSUFFIXES := $(if $(filter -%,$(LLVM)),$(LLVM),-22 -21 -20 -19 -18 -17 -16 -15 -14)
llvmtool = $(call first,$(if $(filter -%,$(LLVM)),,$1) $(addprefix $1,$(LLVMSUFFIXES)))

ifdef LLVM
CLANG := $(call llvmtool,clang)
CC := $(if $(CLANG),$(CLANG) --target=riscv64-unknown-elf)
LD := $(call llvmtool,ld.lld)
OBJCOPY := $(call llvmtool,llvm-objcopy)
NM := $(call llvmtool,llvm-nm)
READELF := $(call llvmtool,llvm-readelf)
NOTOOLS := $(if $(and $(CC),$(LD),$(OBJCOPY),$(NM)),,LLVM=1 needs clang, lld and llvm: run 'sh tools/setup.sh')
else
ifndef TOOLPREFIX
TOOLPREFIX := $(patsubst %gcc,%,$(call first,$(addsuffix gcc,$(PREFIXES))))
endif
CC := $(TOOLPREFIX)gcc
LD := $(TOOLPREFIX)ld
OBJCOPY := $(TOOLPREFIX)objcopy
NM := $(TOOLPREFIX)nm
READELF := $(TOOLPREFIX)readelf
NOTOOLS := $(if $(and $(TOOLPREFIX),$(call first,$(CC))),,$(if $(TOOLPREFIX),there is no \
  $(CC),there is no RISC-V compiler): run 'sh tools/setup.sh' or set TOOLPREFIX=)
endif

ifndef HOSTCC
HOSTCC := $(call first,cc gcc clang)
endif
ifndef GDB
GDB := $(call first,gdb-multiarch $(addsuffix gdb,$(TOOLPREFIX) $(PREFIXES)) gdb)
endif
QEMU ?= qemu-system-riscv64
CLANGFORMAT ?= clang-format

# Nothing is compiled for these, so they work without a compiler.
ifneq ($(filter-out clean help doctor fmt lines,$(or $(MAKECMDGOALS),all)),)
ifneq ($(NOTOOLS),)
$(error $(NOTOOLS))
endif
ifeq ($(HOSTCC),)
$(error there is no C compiler for this computer: run 'sh tools/setup.sh' or set HOSTCC=)
endif
# Since 2019 control registers and fence.i are extensions with names, which older compilers lack.
ZEXT := $(patsubst -march=rv64imac%,%,$(firstword $(call knows,-march=rv64imac_zicsr_zifencei -mabi=lp64)))
# The compiler may not turn a loop inside memset into a call of memset, nor a switch into a table.
NOIDIOM := $(call knows,-fno-tree-loop-distribute-patterns)
# The linker makes calls shorter; lld could not before version 15.
NORELAX := $(if $(LLVM),-mno-relax)
NOTABLES := -fno-jump-tables $(call knows,-fno-tree-switch-conversion)
endif
