// SPDX-License-Identifier: MIT
// Two processes compute with floating point side by side; what one does must not show in the other.

#include "kernel/types.h"
#include "user/user.h"

double
series(double start)
{
  double sum = start;

  for (int i = 1; i < 3000000; i++)
    sum += 1.0 / i * (i % 2 ? 1 : -1);
  return sum;
}

int
main(int argc, char *argv[])
{
  int child = fork(), status = 0;
  double start = child == 0 ? 1000 : 0, got = series(start) - start;

  if (got < 0.69314 || got > 0.69316) {
    printf("wrong: %d\n", (int)(got * 1000000));
    exit(1);
  }
  if (child == 0)
    exit(0);
  wait(&status);
  printf("floats %d\n", status);
  exit(status);
}
