// SPDX-License-Identifier: MIT
// sync: return when everything written so far is on the disk.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int
main(void)
{
  if (sync() < 0) {
    perror("sync");
    exit(1);
  }
  exit(0);
}
