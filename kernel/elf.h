// SPDX-License-Identifier: MIT
// An executable file as it lies on the disk (System V ABI, chapters 4 and 5; 64 bit).
#pragma once

#include "types.h"

#define ELF_MAGIC   0x464c457fU // "\177ELF"
#define ELF_CLASS64 2
#define ELF_LITTLE  1
#define ELF_EXEC    2
#define ELF_RISCV   243
#define ELF_LOAD    1

struct elfhdr {
  uint magic;
  uchar class, data, version, abi, pad[8];
  ushort type, machine;
  uint version2;
  uint64 entry; // address of the first instruction
  uint64 phoff; // where in the file the program headers are
  uint64 shoff;
  uint flags;
  ushort ehsize;
  ushort phentsize, phnum; // size of a program header, and how many
  ushort shentsize, shnum, shstrndx;
};

// proghdr.flags
#define ELF_X 1
#define ELF_W 2
#define ELF_R 4

struct proghdr {
  uint type, flags;
  uint64 off; // where in the file
  uint64 vaddr, paddr;
  uint64 filesz; // bytes in the file
  uint64 memsz;  // bytes in memory; what is more is zero
  uint64 align;
};
