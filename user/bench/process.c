// SPDX-License-Identifier: MIT
// Rows about processes.
#include "bench.h"

static char *ballast;

static void
call(int n)
{
  while (n-- > 0)
    getpid();
}

void
fork_exit(int n)
{
  while (n-- > 0) {
    if (fork_or_end() == 0)
      exit(0);
    reap();
  }
}

static void
fork_exec(int n)
{
  char *argv[] = { "bench", "-x", 0 };
  while (n-- > 0) {
    if (fork_or_end() == 0) {
      exec(SELF, argv);
      exit(1);
    }
    reap();
  }
}

static void
touch16(int advice)
{
  uint64 size = 16 * MIB, align = 2 * MIB;
  ballast = mmap(0, size + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  need(ballast != MAP_FAILED, "mmap");
  char *p = (char *)(((uint64)ballast + align - 1) & ~(align - 1));
  need(madvise(p, size, advice) == 0, "madvise");
  for (uint64 i = 0; i < size; i += PAGE)
    p[i] = 1;
}

static void
touch_small(int n)
{
  (void)n;
  touch16(MADV_NOHUGEPAGE);
}

static void
touch_huge(int n)
{
  (void)n;
  touch16(MADV_HUGEPAGE);
}

static void
untouch(int n)
{
  (void)n;
  munmap(ballast, 18 * MIB);
}

const struct row process_rows[] = {
  { "getpid", "a system call that does nothing", 0, call, 0, 1000, 1 },
  { "fork", "fork + exit + wait, small process", 0, fork_exit, 0, 20, 1 },
  { "fork16", "fork + exit + wait, 16 MiB touched, 4 KiB pages", touch_small, fork_exit, untouch, 1,
    1 },
  { "fork16huge", "fork + exit + wait, 16 MiB touched, huge pages", touch_huge, fork_exit, untouch,
    4, 1 },
  { "exec", "fork + exec + exit + wait", 0, fork_exec, 0, 10, 1 },
  { 0 },
};
