// SPDX-License-Identifier: MIT
// free: what is used and what is free, of memory, of swap and of the disk.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

#define KIB(units) ((units)*4) // frames and blocks are 4 KiB

static void
row(const char *what, uint64 total, uint64 nfree)
{
  printf("%-12s %10lu %10lu %10lu\n", what, total, total - nfree, nfree);
}

int
main(void)
{
  struct sysinfo si;
  struct vmstat v;

  if (sysinfo(&si, 0) < 0 || vmstat(&v) < 0) {
    perror("free");
    exit(1);
  }
  printf("%-12s %10s %10s %10s\n", "", "total", "used", "free");
  row("memory KiB", KIB(si.frames), KIB(si.free));
  row("swap KiB", KIB(v.slots), KIB(v.slots_free));
  row("disk KiB", KIB(si.blocks), KIB(si.bfree));
  row("inodes", si.inodes, si.ifree);
  printf("\nof the memory used: kernel %lu, cache %lu (%lu not on the disk yet), other %lu KiB\n",
         KIB(si.boot), KIB(si.cache), KIB(si.dirty), KIB(si.frames - si.free - si.boot - si.cache));
  exit(0);
}
