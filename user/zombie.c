// SPDX-License-Identifier: MIT
// zombie: leave a child that has exited and that nobody waits for, for half a second. Then this
// process exits as well, and the child is init's to wait for.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int
main(void)
{
  int pid = fork();

  if (pid < 0) {
    complain("fork");
    exit(1);
  }
  if (pid > 0)
    pause(5);
  exit(0);
}
