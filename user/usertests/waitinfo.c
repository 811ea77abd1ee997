// SPDX-License-Identifier: MIT
// waitinfo: how a child died, so that nobody takes one death for another.
#include "test.h"

static char *const constant = "constant"; // in memory that cannot be written

// Runs fn(arg) in a child; how that died.
struct waitinfo
death(work_fn *fn, uint64 arg)
{
  struct waitinfo info = { .pid = 0 };
  int pid = spawn(fn, arg);
  CHECK(waitinfo(&info) == pid && info.pid == pid);
  return info;
}

static void
faults(work_fn *fn, uint64 va, int access)
{
  struct waitinfo info = death(fn, va);
  CHECK(info.how == DIED_FAULT && info.status == KILLED);
  CHECK(info.access == access && info.va == va);
  CHECK(info.pc == va || (info.pc >= PGSIZE && info.pc < (uint64)sbrk(0)));
}

static void
jump(uint64 to)
{
  ((void (*)(void))to)();
}

void
waitinfo_of_an_exit(void)
{
  for (int status = -2; status < 3; status++) {
    struct waitinfo info = death(exit_with, status);
    CHECK(info.how == DIED_EXIT && info.status == status);
    CHECK(info.access == 0 && info.va == 0 && info.pc == 0);
  }
}

void
waitinfo_of_a_kill(void)
{
  struct waitinfo info;
  int pid = spawn(loiter, 0);
  CHECK(kill(pid) == 0 && waitinfo(&info) == pid);
  CHECK(info.how == DIED_KILL && info.status == KILLED && info.va == 0);
  pid = spawn(spin, 0);
  CHECK(setpgid(pid, 0) == 0 && kill(-pid) == 0 && waitinfo(&info) == pid);
  CHECK(info.how == DIED_KILL && info.status == KILLED);
}

void
waitinfo_of_a_fault(void)
{
  uint64 beyond = (uint64)heap_edge();
  faults(peek, 8, PROT_READ);
  faults(touch, 8, PROT_WRITE);
  faults(jump, 8, PROT_EXEC);
  faults(touch, beyond + 5, PROT_WRITE);
  faults(touch, (uint64)constant, PROT_WRITE);
  faults(jump, (uint64)buf, PROT_EXEC);
  faults(peek, MAXVA + 16, PROT_READ);
  faults(peek, -8UL, PROT_READ);
}

static void
illegal(uint64 unused)
{
  (void)unused;
  asm volatile(".word 0xffffffff");
}

static void
trap(uint64 unused)
{
  (void)unused;
  asm volatile("ebreak");
}

void
waitinfo_of_an_instruction(void)
{
  work_fn *const fn[] = { illegal, trap };
  for (int i = 0; i < COUNT(fn); i++) {
    struct waitinfo info = death(fn[i], 0);
    CHECK(info.how == DIED_ILLEGAL && info.status == KILLED && info.access == 0);
    CHECK(info.pc >= (uint64)fn[i] && info.pc < (uint64)fn[i] + 64);
  }
}

// What is decided first counts: who is killed while it exits has exited, or the other way round.
void
waitinfo_tells_one_story(void)
{
  struct waitinfo info;
  for (int i = 0; i < 100; i++) {
    int pid = spawn(exit_with, 5);
    kill(pid);
    CHECK(waitinfo(&info) == pid);
    CHECK((info.how == DIED_EXIT && info.status == 5) ||
          (info.how == DIED_KILL && info.status == KILLED));
  }
}

void
waitinfo_arguments(void)
{
  struct waitinfo info;
  FAILS(waitinfo(&info), ECHILD);
  int pid = spawn(exit_with, 3);
  FAILS(waitinfo(0), EFAULT);
  FAILS(waitinfo((struct waitinfo *)constant), EFAULT);
  FAILS(waitinfo((struct waitinfo *)(heap_edge() - sizeof(info) / 2)), EFAULT);
  CHECK(waitinfo((struct waitinfo *)(buf + PGSIZE - 7)) == pid);
  memmove(&info, buf + PGSIZE - 7, sizeof(info));
  CHECK(info.pid == pid && info.status == 3 && info.pc == 0);
}
