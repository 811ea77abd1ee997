// SPDX-License-Identifier: MIT
// kill in every state a process can be in, and what to do when there are too many of them.
#include "test.h"

static int ends[2];

static void
block_in_read(uint64 unused)
{
  char c;
  (void)unused;
  read(ends[0], &c, 1);
  exit(3);
}

static void
block_in_write(uint64 unused)
{
  (void)unused;
  for (;;)
    write(ends[1], buf, 1000);
}

static void
block_in_wait(uint64 unused)
{
  (void)unused;
  spawn(loiter, 0);
  wait(0);
  exit(3);
}

static void
call_for_ever(uint64 unused)
{
  (void)unused;
  for (;;)
    getpid();
}

static void
killed_while(work_fn *fn, int sleeps)
{
  int pid = spawn(fn, 0);
  if (sleeps)
    await(pid, ASLEEP);
  CHECK(kill(pid) == 0);
  CHECK(reap(pid) == KILLED);
}

void
kill_reaches_every_state(void)
{
  CHECK(pipe(ends) == 0);
  killed_while(loiter, 1);
  killed_while(block_in_read, 1);
  killed_while(block_in_write, 1);
  killed_while(block_in_wait, 1);
  killed_while(spin, 0);
  killed_while(call_for_ever, 0);
}

// Killed in the same moment in which it starts: the status is still that of a death.
void
kill_right_after_fork(void)
{
  for (int i = 0; i < 60; i++) {
    int pid = spawn(i & 1 ? call_for_ever : loiter, 0);
    CHECK(kill(pid) == 0);
    CHECK(reap(pid) == KILLED);
  }
}

void
kill_nobody(void)
{
  int pid = spawn(exit_with, 0);
  CHECK(reap(pid) == 0);
  FAILS(kill(pid), ESRCH);
  FAILS(kill(0x7fffffff), ESRCH);
  FAILS(kill(-0x7fffffff), ESRCH);
  FAILS(kill(-0x7fffffff - 1), ESRCH);
}

// Without init there is no system.
void
kill_init_is_refused(void)
{
  FAILS(kill(1), EPERM);
  CHECK(state_of(1) >= 0);
}

static void
kill_myself(uint64 unused)
{
  (void)unused;
  kill(getpid());
  exit(3);
}

void
kill_oneself(void)
{
  DIES(kill_myself, 0);
}

// Two kill the same processes, which kill each other.
static void
killer(uint64 n)
{
  int victim[8];
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 8; i++)
      victim[i] = spawn(i % 2 ? spin : loiter, n);
    for (int i = 0; i < 8; i++) {
      kill(victim[i]);
      kill(victim[(i + 3) % 8]);
    }
    for (int i = 0; i < 8; i++) {
      int status;
      CHECK(wait(&status) > 0 && status == KILLED);
    }
  }
}

void
kill_by_several(void)
{
  crowd(4, killer);
}

// ---- more processes than there may be ----

// Forks children that wait for the end of a pipe, until fork fails; returns how many.
static int
fork_until_refused(int *gate)
{
  int n = 0;
  char c;
  for (;;) {
    int pid = fork();
    if (pid == 0) {
      close(gate[1]);
      read(gate[0], &c, 1);
      exit(0);
    }
    if (pid < 0)
      break;
    n++;
  }
  CHECK(errno == EAGAIN || errno == ENOMEM);
  return n;
}

void
fork_until_it_fails(void)
{
  int gate[2];
  CHECK(pipe(gate) == 0);
  int n = fork_until_refused(gate);
  CHECK(n > 20 && n < NPROC);
  CHECK(fork() == -1 && (errno == EAGAIN || errno == ENOMEM));
  close(gate[1]);
  reap_all(n);
  FAILS(wait(0), ECHILD);
  CHECK(run(exit_with, 8) == 8);
}

static void
bomb(uint64 unused)
{
  (void)unused;
  for (;;)
    if (fork() < 0)
      pause(1);
}

// A fork bomb, killed as a group by somebody outside.
void
fork_bomb_can_be_stopped(void)
{
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    setpgid(0, 0);
    bomb(0);
  }
  pause(10);
  for (int i = 0; i < 200 && members(pid) > 0; i++) {
    kill(-pid);
    pause(1);
  }
  CHECK(members(pid) == 0);
  CHECK(reap(pid) == KILLED);
}
