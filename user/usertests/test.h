// SPDX-License-Identifier: MIT
// What every test of usertests uses, beside what all programs of tests share.
#pragma once

#include "user/harness/harness.h"

#define SELF "/usertests" // this program

// waitinfo.c
struct waitinfo death(work_fn *, uint64);

// elf.c: a small program file
struct ehdr {
  uint magic;
  uchar class, order, version, pad[9];
  ushort type, machine;
  uint version2;
  uint64 entry, phoff, shoff;
  uint flags;
  ushort ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct phdr {
  uint type, flags;
  uint64 off, vaddr, paddr, filesz, memsz, align;
};

#define IMAGE_SIZE 0x2100
#define IMAGE_EXIT 7 // what the program exits with

extern uchar image[0x3000];
extern struct ehdr *const image_head;
extern struct phdr *const image_seg; // 0: text, 1: data

void image_build(void);
void image_save(const char *name, uint size);
void image_sleeper(const char *name);
int image_run(const char *name);

// readonly.c
int on_readonly_disk(int argc, char **argv);
int on_failing_disk(int argc, char **argv);

// again.c: what this program does when a test runs it again
int rerun(char **argv);
int helper(int argc, char **argv);

#define QUICK(name, about) void name(void);
#define SLOW(name, about)  void name(void);
#include "tests.tbl"
#undef QUICK
#undef SLOW
