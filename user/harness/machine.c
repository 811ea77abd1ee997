// SPDX-License-Identifier: MIT
// The machine as a test sees it: memory, time, counts, system calls without their stubs.
#include "harness.h"

// Makes the heap end at a page boundary with at least a page before it; the first byte beyond it.
char *
heap_edge(void)
{
  uint64 brk = (uint64)sbrk(0);
  CHECK(sbrk(2 * PGSIZE - brk % PGSIZE) != SBRK_ERROR);
  return sbrk(0);
}

// Time since boot.
uint64
micros(void)
{
  return counts(0).uptime;
}

struct sysinfo
counts(int flags)
{
  struct sysinfo si;
  CHECK(sysinfo(&si, flags) == 0);
  return si;
}

// Frames that nobody holds on to: free ones, and the cache's.
uint64
spare_frames(void)
{
  struct sysinfo si = counts(0);
  return si.free + si.cache;
}

// Any system call, with arguments as wide as registers are.
int64
raw(uint64 nr, uint64 a, uint64 b, uint64 c, int *err)
{
  register uint64 a0 asm("a0") = a;
  register uint64 a1 asm("a1") = b;
  register uint64 a2 asm("a2") = c;
  register uint64 a7 asm("a7") = nr;
  asm volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a7) : "memory");
  if (err)
    *err = (int64)a0 == -1 ? (int)a1 : 0;
  return (int64)a0;
}

// The same numbers in every run.
uint
rnd(void)
{
  static uint64 state = 88172645463325252UL;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint)(state >> 16);
}
