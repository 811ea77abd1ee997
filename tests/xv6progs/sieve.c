// SPDX-License-Identifier: MIT
// Primes by a chain of processes, each of which keeps back the multiples of one: pipes and fork.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

void stage(int) __attribute__((noreturn));

void
stage(int in)
{
  int prime, n, out[2];

  if (read(in, &prime, sizeof(prime)) != sizeof(prime))
    exit(0);
  printf("prime %d\n", prime);
  pipe(out);
  if (fork() == 0) {
    close(in);
    close(out[1]);
    stage(out[0]);
  }
  close(out[0]);
  while (read(in, &n, sizeof(n)) == sizeof(n))
    if (n % prime != 0)
      write(out[1], &n, sizeof(n));
  close(out[1]);
  wait((int *)0);
  exit(0);
}

int
main(int argc, char *argv[])
{
  int first[2];

  pipe(first);
  if (fork() == 0) {
    close(first[1]);
    stage(first[0]);
  }
  close(first[0]);
  for (int i = 2; i <= 35; i++)
    write(first[1], &i, sizeof(i));
  close(first[1]);
  wait(0);
  exit(0);
}
