// SPDX-License-Identifier: MIT
// What the system says about itself: procs, sysinfo, and the pages that need no call.
#include "kernel/upage.h"
#include "test.h"

static struct procinfo list[NPROC + 8];

static const struct procinfo *
entry_of(int pid)
{
  int n = procs(list, COUNT(list));
  CHECK(n > 0 && n <= NPROC);
  for (int i = 0; i < n; i++)
    if (list[i].pid == pid)
      return &list[i];
  return 0;
}

void
procs_tells_about_me(void)
{
  int child = spawn(loiter, 0);
  const struct procinfo *p = entry_of(getpid());
  CHECK(p && p->state == 4 && !p->killed && p->pgid == getpgid(0));
  CHECK(p->name[0] != 0 && p->mem >= p->rss && p->rss > 0);
  CHECK(p->hart >= 0 && p->hart < NCPU);
  p = entry_of(child);
  CHECK(p && p->ppid == getpid() && p->pgid == getpgid(0));
  p = entry_of(1);
  CHECK(p && p->ppid == 0);
  kill(child);
  CHECK(reap(child) == KILLED);
  CHECK(entry_of(child) == 0);
}

void
procs_counts_memory(void)
{
  uint64 mem = entry_of(getpid())->mem, rss = entry_of(getpid())->rss;
  char *p = sbrklazy(100 * PGSIZE);
  CHECK(entry_of(getpid())->mem >= mem + 99 * PGSIZE);
  memset(p, 1, 50 * PGSIZE);
  CHECK(entry_of(getpid())->rss >= rss + 50 * PGSIZE);
  CHECK(sbrk(-100 * PGSIZE) != SBRK_ERROR);
  CHECK(entry_of(getpid())->rss < rss + 10 * PGSIZE);
}

void
procs_counts_time(void)
{
  uint64 was = entry_of(getpid())->ticks;
  int end = uptime() + 3;
  while (uptime() < end)
    ;
  CHECK(entry_of(getpid())->ticks > was);
}

// It writes as many as there is room for, and no more.
void
procs_respects_its_room(void)
{
  memset(list, 0x55, sizeof(list));
  CHECK(procs(list, 1) == 1);
  CHECK(list[0].pid > 0 && list[1].pid == 0x55555555);
  CHECK(procs(list, 2) == 2 && list[2].pid == 0x55555555);
  int got = procs(list, 0);
  CHECK(got == 0 || errno == EINVAL);
  FAILS(procs(list, -1), EINVAL);
  FAILS(procs(list, -0x7fffffff - 1), EINVAL);
  int n = procs(list, COUNT(list));
  CHECK(n >= 3 && list[n].pid == 0x55555555);
  uint64 edge = (uint64)heap_edge();
  FAILS(procs((struct procinfo *)(edge - sizeof(list[0])), 2), EFAULT);
}

void
sysinfo_adds_up(void)
{
  struct sysinfo si = counts(0);
  CHECK(si.free + si.cache + si.boot <= si.frames && si.dirty <= si.cache);
  CHECK(si.bfree <= si.blocks && si.ifree < si.inodes);
  CHECK(si.procs >= 2 && si.procs <= NPROC && si.harts >= 1 && si.harts <= NCPU);
  CHECK(si.uptime > 0 && si.dreads > 0);
  make("f", 1, 10 * PGSIZE);
  struct sysinfo is = counts(SI_DROP);
  CHECK(is.ifree == si.ifree - 1 && is.bfree <= si.bfree - 10 && is.dirty == 0);
}

void
sysinfo_unknown_flags(void)
{
  struct sysinfo si;
  FAILS(sysinfo(&si, 2), EINVAL);
  FAILS(sysinfo(&si, -1), EINVAL);
}

// SI_DROP may be asked for by anybody at any time.
static void
drop(uint64 unused)
{
  (void)unused;
  for (int i = 0; i < 10; i++)
    CHECK(counts(SI_DROP).frames > 0);
}

void
sysinfo_drop_by_several(void)
{
  crowd(4, drop);
}

static void
check_pid_page(uint64 unused)
{
  (void)unused;
  CHECK(((volatile struct upid *)UPIDPAGE)->pid == getpid());
}

void
kernel_pages_tell_the_truth(void)
{
  volatile struct uticks *t = (volatile struct uticks *)UTICKS;
  check_pid_page(0);
  LIVES(check_pid_page, 0);
  for (int i = 0; i < 2000; i++) {
    uint64 shown = t->ticks;
    CHECK(shown <= (uint64)uptime()); // the timer writes it, so it may lag, but never run ahead
  }
  uint64 then = uptime();
  pause(3);
  CHECK(t->ticks >= then + 3); // the interrupt that woke this wrote it first
}
