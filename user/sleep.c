// SPDX-License-Identifier: MIT
// sleep ticks: wait; 10 ticks are a second.

#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"

int
main(int argc, char *argv[])
{
  int n;

  if (argc != 2 || !number(argv[1], &n) || n < 0) {
    fprintf(2, "usage: sleep ticks (%d ticks are a second)\n", TICKS_HZ);
    exit(1);
  }
  if (pause(n) < 0) {
    perror("sleep");
    exit(1);
  }
  exit(0);
}
