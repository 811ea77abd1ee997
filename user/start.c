// SPDX-License-Identifier: MIT
// Where every program starts: the kernel jumps here with exec's arguments.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

int main(int argc, char **argv);

// Give the first thread what it has for itself, and run main; a program that returns from it exits with
// what it returned. It is on the stack, so that a program that changes no data needs no page for them.
void
start(int argc, char **argv)
{
  struct self first = { .program = argc > 0 ? argv[0] : "?" };

  asm volatile("mv tp, %0" ::"r"(&first) : "memory");
  exit(main(argc, argv));
}
