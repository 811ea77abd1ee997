// SPDX-License-Identifier: MIT
// swapon [-d]: use the second drive for swap, or with -d bring all pages back and stop using it.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int
main(int argc, char *argv[])
{
  struct vmstat v;
  int off = argc == 2 && strcmp(argv[1], "-d") == 0;

  if (argc > 1 && !off) {
    fprintf(2, "usage: swapon [-d]\n");
    exit(1);
  }
  if (vmctl(VMCTL_SWAP, !off) < 0 || vmstat(&v) < 0) {
    perror("swapon");
    exit(1);
  }
  if (v.slots)
    printf("swap: %lu KiB, of these free %lu\n", v.slots * 4, v.slots_free * 4);
  else
    printf("swap: off\n");
  exit(0);
}
