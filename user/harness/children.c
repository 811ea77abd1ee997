// SPDX-License-Identifier: MIT
// Processes for the tests: start them, start many at one moment, find out what became of them.
#include "harness.h"

static struct procinfo table[NPROC + 8];

// Starts a child that does fn(arg) and exits with 0; its pid.
int
spawn(work_fn *fn, uint64 arg)
{
  int pid = fork();
  if (pid == 0) {
    fn(arg);
    exit(0);
  }
  CHECK(pid > 0);
  return pid;
}

// Waits for this child; its status. Other children that end before are forgotten.
int
reap(int pid)
{
  int status, got;
  do {
    got = wait(&status);
    CHECK(got > 0);
  } while (got != pid);
  return status;
}

int
run(work_fn *fn, uint64 arg)
{
  return reap(spawn(fn, arg));
}

// Waits for n children, all of which must be content.
void
reap_all(int n)
{
  for (int i = 0; i < n; i++) {
    int status = 99;
    CHECK(wait(&status) > 0);
    CHECK(status == 0);
  }
}

// Lets n children do fn(0) ... fn(n-1) at the same time. They start when the last one is there:
// each waits for the end of a pipe.
void
crowd(int n, work_fn *fn)
{
  int gate[2];
  char c;
  CHECK(pipe(gate) == 0);
  for (int i = 0; i < n; i++) {
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      close(gate[1]);
      CHECK(read(gate[0], &c, 1) == 0);
      close(gate[0]);
      fn(i);
      exit(0);
    }
  }
  close(gate[0]);
  close(gate[1]);
  reap_all(n);
}

// Does nothing until killed.
void
loiter(uint64 unused)
{
  (void)unused;
  for (;;)
    pause(1000);
}

void
exit_with(uint64 status)
{
  exit((int)status);
}

// One byte written or read, for DIES and LIVES.
void
touch(uint64 at)
{
  *(volatile char *)at = 1;
}

void
peek(uint64 at)
{
  (void)*(volatile char *)at;
}

// Keeps a hart busy until killed, without a system call.
void
spin(uint64 unused)
{
  (void)unused;
  for (;;)
    asm volatile("nop");
}

static struct procinfo *
find(int pid)
{
  int n = procs(table, COUNT(table));
  CHECK(n > 0);
  for (int i = 0; i < n; i++)
    if (table[i].pid == pid)
      return &table[i];
  return 0;
}

// -1: no such process.
int
state_of(int pid)
{
  struct procinfo *p = find(pid);
  return p ? p->state : -1;
}

int
parent_of(int pid)
{
  struct procinfo *p = find(pid);
  return p ? p->ppid : -1;
}

// How many live processes are in this group.
int
members(int pgid)
{
  int count = 0, n = procs(table, COUNT(table));
  for (int i = 0; i < n; i++)
    count += table[i].pgid == pgid && table[i].state != ZOMBIE;
  return count;
}

// Waits until the process is in this state; -1: gone.
void
await(int pid, int state)
{
  uint64 limit = micros() + 20000000;
  while (state_of(pid) != state)
    CHECK(micros() < limit);
}

// Waits until the process has become this program, and sleeps: in exec it may sleep, too, for the disk.
void
await_program(int pid, const char *name)
{
  uint64 limit = micros() + 20000000;
  struct procinfo *p;
  while ((p = find(pid)) == 0 || p->state != ASLEEP || strcmp(p->name, name) != 0)
    CHECK(micros() < limit);
}

void
await_gone(int pid)
{
  await(pid, -1);
}
