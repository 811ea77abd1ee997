// SPDX-License-Identifier: MIT
// The proof interface in short words, for programs that look at their own memory while they use it
// (vmtests, vmtour): which frame a page has, and what has happened since a moment ago.
//
//   warm();                       every page of the program has a frame of its own now
//   mark();
//   p[0] = 1;
//   since()->faults == 1          that store cost one fault
//
// Who calls fork() has both sides share their pages again: each side warms up for itself.
#pragma once

#include "kernel/types.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"
#include "user/user.h"
#include "user/quire.h"

#define MIB      (1UL << 20)
#define GIB      (1UL << 30)
#define HUGESIZE (2 * MIB) // of a huge page
#define HUGEPTES 512       // pages of it
#define RW       (PROT_READ | PROT_WRITE)
#define DESERT   ((char *)0x1000000000) // start of a GiB far from anything that is mapped

// Page i of the memory at p.
static inline char *
nth(const void *p, uint64 i)
{
  return (char *)p + i * PGSIZE;
}

char *map(uint64 pages, int flags);
char *map_at(char *at, uint64 pages, int flags);
char *map_file(int fd, uint64 page, uint64 pages, int prot, int flags);
void unmap(const void *p, uint64 pages);
struct pageinfo page(const void *va);
struct pageinfo page_of(int pid, const void *va);
int allows(struct pageinfo, uint bits);
struct vmstat vm(void);
void warm(void);
void mark(void);
const struct vmcounts *since(void);
const struct vmcounts *since_all(void);
void must(int64 result, const char *what);
