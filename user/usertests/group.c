// SPDX-License-Identifier: MIT
// Process groups: inherited by fork, changed by setpgid, killed together.
#include "test.h"

static void
check_group(uint64 want)
{
  CHECK(getpgid(0) == (int)want);
  CHECK(getpgid(getpid()) == (int)want);
}

void
group_is_inherited(void)
{
  LIVES(check_group, getpgid(0));
  CHECK(setpgid(0, 0) == 0);
  CHECK(getpgid(0) == getpid());
  LIVES(check_group, getpid());
}

void
group_of_a_child(void)
{
  int a = spawn(loiter, 0), b = spawn(loiter, 0);
  CHECK(setpgid(a, 0) == 0 && getpgid(a) == a);
  CHECK(setpgid(b, a) == 0 && getpgid(b) == a);
  CHECK(setpgid(b, b) == 0 && getpgid(b) == b);
  CHECK(getpgid(0) != a && getpgid(0) != b);
  CHECK(kill(-b) == 0);
  CHECK(reap(b) == KILLED);
  CHECK(state_of(a) >= 0 && kill(-a) == 0);
  CHECK(reap(a) == KILLED);
}

// All members die, the others do not.
void
group_is_killed_together(void)
{
  int status, other = spawn(loiter, 0), first = 0;
  for (int i = 0; i < 6; i++) {
    int pid = spawn(i & 1 ? spin : loiter, 0);
    if (first == 0)
      first = pid;
    CHECK(setpgid(pid, first) == 0);
  }
  CHECK(kill(-first) == 0);
  for (int i = 0; i < 6; i++) {
    int pid = wait(&status);
    CHECK(pid > 0 && pid != other && status == KILLED);
  }
  FAILS(kill(-first), ESRCH);
  CHECK(state_of(other) >= 0 && kill(other) == 0);
  CHECK(reap(other) == KILLED);
}

void
group_arguments(void)
{
  int pid = spawn(loiter, 0);
  FAILS(getpgid(0x7ffffff), ESRCH);
  FAILS(getpgid(-1), ESRCH);
  FAILS(setpgid(0x7ffffff, 0), ESRCH);
  FAILS(setpgid(0, -1), EINVAL);
  FAILS(setpgid(pid, -5), EINVAL);
  FAILS(setpgid(-1, 0), EINVAL);
  FAILS(setpgid(0, 1), EPERM); // init's
  FAILS(setpgid(pid, 1), EPERM);
  FAILS(setpgid(0, 31999), EPERM); // of nobody
  FAILS(setpgid(pid, 0x7fffffff), EPERM);
  CHECK(getpgid(pid) == getpgid(0));
  kill(pid);
  CHECK(reap(pid) == KILLED);
}

// Only oneself and one's children can be moved.
static void
move_others(uint64 brother)
{
  FAILS(setpgid((int)brother, 0), ESRCH);
  FAILS(setpgid(1, 0), ESRCH);
  FAILS(setpgid(1, getpid()), ESRCH);
}

void
group_of_strangers(void)
{
  int brother = spawn(loiter, 0), group = getpgid(brother);
  LIVES(move_others, brother);
  CHECK(getpgid(brother) == group);
  kill(brother);
  CHECK(reap(brother) == KILLED);
}

void
console_group_can_be_set(void)
{
  CHECK(consctl(CONS_FOREGROUND, getpgid(0)) == 0);
}
