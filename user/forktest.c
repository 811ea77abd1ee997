// SPDX-License-Identifier: MIT
// forktest: fork until the system refuses, then wait for every child.
//
// The children wait until the last one is there, so that all are alive at the same time: each reads
// from a pipe whose only writing end the parent closes.
#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

static void
child(int *gate)
{
  char c;
  close(gate[1]);
  exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
}

static int
fork_all(int *gate)
{
  for (int n = 0;; n++) {
    int pid = fork();
    if (pid == 0)
      child(gate);
    if (pid < 0)
      return n;
  }
}

static int
wait_for_all(void)
{
  int good = 0, status;
  while (wait(&status) > 0)
    good += status == 0;
  return good;
}

int
main(void)
{
  int gate[2];
  if (pipe(gate) < 0) {
    perror("forktest: pipe");
    return 1;
  }
  int n = fork_all(gate);
  printf("forktest: %d children, then: %s\n", n, strerror(errno));
  close(gate[1]);
  int good = wait_for_all();
  if (n == 0 || good != n) {
    fprintf(2, "forktest: FAILED: %d of %d children ended well\n", good, n);
    return 1;
  }
  printf("forktest: OK\n");
  return 0;
}
