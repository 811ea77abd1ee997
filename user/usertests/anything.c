// SPDX-License-Identifier: MIT
// Calls with senseless arguments in every place. Whatever they return, the system lives.
#include "test.h"

// Every call but those that end or stop somebody, which come below, and those of virtual memory,
// which can take the caller's memory away and are for vmtests. No descriptor is one that a read would
// wait at for ever.
static void
throw_anything(uint64 seed)
{
  static const uint64 odd[] = { 0,      -1UL, 1UL << 63,  KERNBASE + RAMBASE, MAXVA, USERTOP - 1,
                                0x1000, 77,   0x7fffffff, 0x80000000,         5 };
  for (uint64 i = 0; i < seed; i++)
    rnd();
  for (int i = 0; i < 3000; i++) {
    uint64 nr = rnd() % (NSYSCALL + 2), arg[3];
    for (int k = 0; k < 3; k++)
      arg[k] = rnd() % 4 ? odd[rnd() % COUNT(odd)] : (uint64)buf + rnd() % BUFSZ;
    if (nr == SYS_exit || nr == SYS_fork || nr == SYS_poweroff || nr == SYS_pause ||
        nr == SYS_kill || nr == SYS_consctl || nr == SYS_setpgid || nr == SYS_wait ||
        nr == SYS_pipe || nr >= SYS_mmap)
      continue;
    if (nr == SYS_sbrk)
      arg[0] = (int)(rnd() % 3000) - 1000;
    if (nr == SYS_read || nr == SYS_write || nr == SYS_close || nr == SYS_dup)
      arg[0] = (rnd() & 7) + 3;
    raw(nr, arg[0], arg[1], arg[2], 0);
  }
}

void
calls_with_any_arguments(void)
{
  for (int seed = 1; seed <= 4; seed++)
    run(throw_anything, seed); // it may die: sbrk takes its memory away
}

// ---- those that start, stop and end processes and threads ----

static const uchar stopping[] = { SYS_fork,  SYS_wait,    SYS_pipe,   SYS_kill,
                                  SYS_pause, SYS_setpgid, SYS_join,   SYS_consctl,
                                  SYS_clone, SYS_texit,   SYS_gettid, SYS_futex };

static void
end_at_once(void *status)
{
  texit((int)(uint64)status);
}

// One of those calls. children[] are to be killed, and nobody else.
static void
throw_one(int *children, int n)
{
  static const uint64 odd[] = { 0,          -1UL,        1UL << 63, KERNBASE + RAMBASE,
                                MAXVA,      USERTOP - 1, 31999,     0x7fffffff,
                                0x80000000, 1,           2 };
  static char stacks[4][PGSIZE] __attribute__((aligned(16)));
  uint64 nr = stopping[rnd() % COUNT(stopping)], arg[3];
  int *child = &children[rnd() % n];
  for (int k = 0; k < 3; k++)
    arg[k] = rnd() % 3 ? odd[rnd() % COUNT(odd)] : (uint64)buf + rnd() % BUFSZ;
  if (nr == SYS_kill || nr == SYS_wait)
    kill(*child); // or there might be nobody to wait for
  if (nr == SYS_kill)
    arg[0] = rnd() % 2 ? (uint64)*child : odd[rnd() % (COUNT(odd) - 1)];
  if (nr == SYS_setpgid && rnd() % 2)
    arg[0] = *child;
  if (nr == SYS_clone && rnd() % 32) { // else it kills the caller, most likely
    arg[0] = (uint64)end_at_once;
    arg[2] = (uint64)stacks[rnd() % 3 + 1];
  }
  if ((nr == SYS_texit || nr == SYS_pause || nr == SYS_futex) && rnd() % 32)
    return; // few, as they may be the last of this process
  int64 got = raw(nr, arg[0], arg[1], arg[2], 0);
  if (nr == SYS_fork && got == 0)
    loiter(0);
  if (nr == SYS_fork && got > 0) {
    kill(*child);
    *child = (int)got;
  }
  if (nr == SYS_pipe && got == 0)
    for (int fd = 3; fd < NOFILE; fd++)
      close(fd);
}

static void
throw_what_stops(uint64 seed)
{
  int children[8];
  CHECK(setpgid(0, 0) == 0);
  for (int i = 0; i < COUNT(children); i++)
    children[i] = spawn(loiter, 0);
  for (uint64 i = 0; i < seed * 1000; i++)
    rnd();
  memset(buf, 0, BUFSZ); // what the console shows of it is nothing
  for (int i = 0; i < 500; i++)
    throw_one(children, COUNT(children));
}

static void
bite(uint64 pid)
{
  pause(2);
  kill((int)pid);
}

// Each process does that until it ends by itself, or waits for something for ever and is killed.
void
calls_that_stop_with_any_arguments(void)
{
  for (int seed = 1; seed <= 10; seed++) {
    int pid = spawn(throw_what_stops, seed), dog = spawn(bite, pid), ended = 0, got;
    while ((got = wait(0)) != pid)
      ended |= got == dog;
    kill(-pid); // its children, but those that have got a group of their own
    if (!ended) {
      kill(dog);
      CHECK(wait(0) == dog);
    }
  }
  CHECK(consctl(CONS_FILL, (uint64) "") == 0 && consctl(CONS_HISTORY, 0) == 0);
  CHECK(consctl(CONS_FOREGROUND, getpgid(0)) == 0);
}
