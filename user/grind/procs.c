// SPDX-License-Identifier: MIT
// Acts of grind on memory and on processes.
#include "grind.h"

// ---- acts on memory ----

void
act_heap(void)
{
  int n = (int)rnd(40 * PGSIZE) + 1;
  char *p = rnd(2) ? sbrk(n) : sbrklazy(n);
  if (p == SBRK_ERROR)
    return;
  p[0] = 1;
  p[n - 1] = 2;
  if (p[n / 2] != 0 && n > 2)
    broken("new memory is not zero");
  if (rnd(3))
    sbrk(-n);
}

// Parent and child change the same page, and each sees its own change.
void
act_share(void)
{
  static volatile int word;
  word = 7;
  int pid = fork();
  if (pid == 0) {
    word = 8;
    exit(word == 8 ? 0 : 1);
  }
  word++;
  int status = 0;
  if (pid > 0 && (wait(&status) != pid || status != 0))
    broken("a child saw the wrong memory");
  if (word != 8)
    broken("a child changed its parent's memory");
}

void
act_bad_pointer(void)
{
  static const uint64 bad[] = { 0, 0x1000, 0x3fc0000000, 0x4000000000, 0xffffffc080000000, -8UL };
  char *p = (char *)bad[rnd(6)];
  switch (rnd(4)) {
  case 0: open(p, O_RDONLY); break;
  case 1: read(3, p, 100); break;
  case 2: pipe((int *)p); break;
  case 3: exec("/echo", (char **)p); break;
  }
}

// A child that touches what is not there.
void
act_fault(void)
{
  int status, pid = fork();
  if (pid == 0) {
    *(volatile int *)(uint64)(rnd(2) ? 8 : 0x3fc0000000) = 1;
    exit(0);
  }
  if (pid > 0 && wait(&status) == pid && status != -1)
    broken("a bad access did not kill");
}

// ---- acts on processes ----

void
act_exit_status(void)
{
  int want = (int)rnd(200), status, pid = fork();
  if (pid == 0) {
    if (rnd(3) == 0)
      pause(0);
    exit(want);
  }
  if (pid > 0 && (wait(&status) != pid || status != want))
    broken("a wrong exit status");
}

void
act_kill(void)
{
  int status, how = (int)rnd(3), pid = fork();
  if (pid < 0)
    return;
  while (pid == 0) {
    if (how == 0)
      pause(1);
    else if (how == 1)
      getpid();
  }
  if (rnd(4) == 0)
    pause(1);
  kill(pid);
  if (wait(&status) != pid || status != -1)
    broken("a killed child has another status");
}

// A group with grandchildren, killed as one; the grandchildren become orphans.
void
act_kill_group(void)
{
  int pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    fork();
    fork();
    pause(50); // long enough to be killed; and if the killer was killed, they end
    exit(0);
  }
  if (pid < 0)
    return;
  setpgid(pid, pid);
  if (rnd(2))
    pause(1);
  kill(-pid);
  if (wait(0) != pid)
    broken("a killed group has no leader");
  while (kill(-pid) == 0) // one may have been forking
    pause(1);
}

void
act_exec(void)
{
  static char *const argv[] = { "grind", "-x", 0 };
  static const char *const path[] = { "/grind", "/grind", "/README", "/", "a", "/no" };
  const char *which = path[rnd(6)];
  int status, pid = fork();
  if (pid == 0) {
    exec(which, (char **)argv);
    exit(77);
  }
  if (pid > 0 && wait(&status) == pid && status != 77 && status != 55)
    broken("exec went wrong");
}

void
act_orphans(void)
{
  int pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 2; i++)
      if (fork() == 0 && rnd(2))
        pause(1);
    exit(0);
  }
  if (pid > 0)
    wait(0);
}

void
act_ask(void)
{
  static struct procinfo table[20];
  struct sysinfo si;
  procs(table, 20);
  sysinfo(&si, rnd(40) == 0 ? SI_DROP : 0);
  if (si.free > si.frames)
    broken("more frames free than there are");
}
