// SPDX-License-Identifier: MIT
// Where every program starts: the kernel jumps here with exec's arguments.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int main(int argc, char **argv);

const char *progname = "?";

// Give the first thread an errno, and run main; a program that returns from it exits with what it returned.
void
start(int argc, char **argv)
{
  static int error; // errno

  asm volatile("mv tp, %0" ::"r"(&error));
  if (argc > 0)
    progname = argv[0];
  exit(main(argc, argv));
}
