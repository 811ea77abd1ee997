// SPDX-License-Identifier: MIT
// uptime: how long the machine has been up, and what for.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int
main(void)
{
  struct sysinfo si;

  if (sysinfo(&si, 0) < 0) {
    perror("uptime");
    exit(1);
  }
  uint64 tenths = si.uptime / 100000;
  printf("up %lu.%lu seconds, %lu processes, %lu harts\n", tenths / 10, tenths % 10, si.procs,
         si.harts);
  exit(0);
}
