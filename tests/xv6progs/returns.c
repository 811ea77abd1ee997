// SPDX-License-Identifier: MIT
// Returns from main instead of calling exit.

#include "kernel/types.h"
#include "user/user.h"

int bss[3000];
int filled = 42;

int
main(int argc, char *argv[])
{
  for (int i = 0; i < 3000; i++)
    if (bss[i] != 0)
      return 1;
  bss[2999] = filled++;
  return argc == 2 && filled == 43 ? atoi(argv[1]) : 2;
}
