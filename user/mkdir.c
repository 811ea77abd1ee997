// SPDX-License-Identifier: MIT
// mkdir dir...: make directories.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int
main(int argc, char *argv[])
{
  int status = 0;

  if (argc < 2 || argv[1][0] == '-') {
    fprintf(2, "usage: mkdir dir...\n");
    exit(1);
  }
  for (int i = 1; i < argc; i++) {
    if (mkdir(argv[i]) < 0) {
      complain(argv[i]);
      status = 1;
    }
  }
  exit(status);
}
