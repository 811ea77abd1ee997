// SPDX-License-Identifier: MIT
// kill [-g] pid...: kill processes, or with -g process groups; nothing when a word is no number.
// (sh has the same built in.)

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int
main(int argc, char *argv[])
{
  int i = 1, group = 0, status = 0, pid;

  if (i < argc && strcmp(argv[i], "-g") == 0) {
    group = 1;
    i++;
  }
  if (i >= argc) {
    fprintf(2, "usage: kill [-g] pid...\n");
    exit(1);
  }
  for (int k = i; k < argc; k++) {
    if (!number(argv[k], &pid) || pid <= 0) {
      errno = EINVAL;
      complain(argv[k]);
      exit(1);
    }
  }
  for (; i < argc; i++) {
    number(argv[i], &pid);
    if (kill(group ? -pid : pid) < 0) {
      complain(argv[i]);
      status = 1;
    }
  }
  exit(status);
}
