// SPDX-License-Identifier: MIT
// fork, exit, wait: who is told what, and that nobody is forgotten.
#include "test.h"

void
exit_status_is_told(void)
{
  static const int values[] = { 0, 1, 7, 255, 256, 1000, -5, 0x7fffffff, -0x7fffffff - 1 };
  for (int i = 0; i < COUNT(values); i++)
    CHECK(run(exit_with, (uint64)values[i]) == values[i]);
}

void
wait_without_children(void)
{
  int status = 5;
  FAILS(wait(&status), ECHILD);
  FAILS(wait(0), ECHILD);
  CHECK(status == 5);
  run(exit_with, 0);
  FAILS(wait(&status), ECHILD);
}

// fork tells the parent the child's number, and the child has it.
void
fork_tells_the_pid(void)
{
  int ends[2], told;
  CHECK(pipe(ends) == 0);
  for (int i = 0; i < 20; i++) {
    int pid = fork();
    if (pid == 0) {
      int me = getpid();
      put(ends[1], &me, sizeof(me));
      exit(0);
    }
    get(ends[0], &told, sizeof(told));
    CHECK(told == pid && pid > 1 && pid != getpid());
    CHECK(wait(0) == pid);
  }
}

// Numbers of live processes differ, and are positive.
void
pids_are_unique(void)
{
  int pid[60], n = COUNT(pid);
  for (int i = 0; i < n; i++) {
    pid[i] = spawn(loiter, 0);
    for (int k = 0; k < i; k++)
      CHECK(pid[k] != pid[i]);
  }
  for (int i = 0; i < n; i++)
    CHECK(kill(pid[i]) == 0);
  for (int i = 0; i < n; i++) {
    int status;
    CHECK(wait(&status) > 0 && status == KILLED);
  }
}

// More processes, one after the other, than there are numbers: they are used again, and never
// twice.
void
pids_are_used_again(void)
{
  int keep = spawn(loiter, 0), last = 0, wrapped = 0;
  for (int i = 0; i < 40000; i++) {
    int pid = fork();
    if (pid == 0)
      exit(0);
    CHECK(pid > 1 && pid != keep && pid != getpid());
    CHECK(wait(0) == pid);
    wrapped += pid < last;
    last = pid;
  }
  CHECK(wrapped > 0);
  kill(keep);
  CHECK(reap(keep) == KILLED);
}

void
wait_returns_each_child_once(void)
{
  int seen[30] = { 0 }, pid[30], status;
  for (int i = 0; i < 30; i++)
    pid[i] = spawn(exit_with, i);
  for (int i = 0; i < 30; i++) {
    int got = wait(&status);
    CHECK(status >= 0 && status < 30 && pid[status] == got);
    CHECK(seen[status]++ == 0);
  }
  FAILS(wait(&status), ECHILD);
}

void
fork_exit_wait_storm(void)
{
  for (int i = 0; i < 300; i++)
    CHECK(run(exit_with, i) == i);
}

static void
storm(uint64 n)
{
  for (int i = 0; i < 60; i++)
    CHECK(run(exit_with, n + i) == (int)n + i);
}

void
fork_exit_wait_by_several(void)
{
  crowd(6, storm);
}

// ---- orphans ----

static int ends[2];

static void
orphan(uint64 unused)
{
  (void)unused;
  int me = getpid();
  while (parent_of(me) != 1)
    ;
  put(ends[1], "o", 1);
}

static void
leave_an_orphan(uint64 unused)
{
  (void)unused;
  spawn(orphan, 0);
}

// The children of a process that ends go to init, which waits for them.
void
orphans_go_to_init(void)
{
  char c;
  CHECK(pipe(ends) == 0);
  for (int i = 0; i < 10; i++) {
    LIVES(leave_an_orphan, 0);
    get(ends[0], &c, 1);
  }
}

static void
two_generations(uint64 n)
{
  for (int i = 0; i < 15; i++) {
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      if (fork() == 0 && n % 2)
        fork();
      exit(0);
    }
    CHECK(reap(pid) == 0);
  }
}

// Parents and children end at the same time, on all harts.
void
orphans_and_exits_race(void)
{
  crowd(6, two_generations);
}

static void
forker(uint64 unused)
{
  (void)unused;
  while (!exists("stop")) {
    int pid = fork();
    if (pid == 0)
      exit(0);
    if (pid > 0)
      wait(0);
  }
}

// Processes that fork without end stop when they are told to by a file.
void
forkers_until_told(void)
{
  for (int i = 0; i < 4; i++)
    spawn(forker, 0);
  pause(3);
  make("stop", 1, 1);
  reap_all(4);
}

// A zombie keeps its number and its state until somebody waits.
void
zombies_wait_for_wait(void)
{
  int pid = spawn(exit_with, 9);
  await(pid, ZOMBIE);
  pause(1);
  CHECK(state_of(pid) == ZOMBIE && parent_of(pid) == getpid());
  CHECK(reap(pid) == 9);
  CHECK(state_of(pid) == -1);
}

void
getpid_is_constant(void)
{
  int me = getpid();
  for (int i = 0; i < 10000; i++)
    CHECK(getpid() == me);
}
