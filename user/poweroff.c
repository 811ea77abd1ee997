// SPDX-License-Identifier: MIT
// poweroff [status]: write everything to the disk and end the machine. QEMU exits with the status.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int
main(int argc, char *argv[])
{
  int status = 0;

  if (argc > 2 || (argc == 2 && (!number(argv[1], &status) || status < 0 || status > 255))) {
    fprintf(2, "usage: poweroff [status from 0 to 255]\n");
    exit(1);
  }
  poweroff(status);
  perror("poweroff");
  exit(1);
}
