// SPDX-License-Identifier: MIT
// What the machine has cost since power-on, and how many frames its rest takes. Only Quire tells.
#include "bench.h"

#ifdef __linux__

void
since_boot(void)
{
}

void
tell_frames(void)
{
}

#else

#define CROWD 8

static int pids[4 * CROWD];

// n more processes of the smallest kind, asleep.
static void
start_sleepers(int *pid, int n)
{
  char *argv[] = { "sleep", "100000", 0 };
  for (int i = 0; i < n; i++)
    if ((pid[i] = fork_or_end()) == 0) {
      exec("/sleep", argv);
      exit(1);
    }
  sleep(2);
}

// Frames that CROWD minimal processes take. The first ones use up the kernel stacks, and what else
// earlier processes left behind.
static uint64
frames_of_crowd(void)
{
  start_sleepers(pids, 3 * CROWD);
  uint64 before = frames_in_use();
  start_sleepers(pids + 3 * CROWD, CROWD);
  uint64 after = frames_in_use();
  for (int i = 0; i < 4 * CROWD; i++)
    kill(pids[i]);
  for (int i = 0; i < 4 * CROWD; i++)
    reap();
  return after - before;
}

void
tell_frames(void)
{
  sync();
  printf("frames %lu\n", frames_in_use());
}

// For the first command after a boot. One process like this one, and then two: so one can take this
// one away and has what was in use at the prompt.
void
since_boot(void)
{
  char *argv[] = { "bench", "-f", 0 };
  struct costs c;
  uint64 now = instret();
  costs_now(&c);
  printf("boot %lu\n", now - c.idle);
  tell_frames();
  if (fork_or_end() == 0) {
    exec(SELF, argv);
    exit(1);
  }
  reap();
  printf("crowd %d %lu\n", CROWD, frames_of_crowd());
}

#endif
