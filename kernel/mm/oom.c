// SPDX-License-Identifier: MIT
// Out of memory: nothing can be made free, so somebody has to end.
//
// The rule: the process with the most pages, in frames or in swap, and of equals the youngest. Never
// init; its children, one of which is the login shell, only when there is nobody else. While the one
// that was chosen is still on its way out, nobody else is, for PATIENCE ticks.
//
// Lock: "oom", for who was chosen and when.

#include "../proc.h"
#include "../sysinfo.h"

#define PATIENCE 30
#define PAGES(p) (((p)->rss + (p)->swap) / PGSIZE)

static struct spinlock lock = SPINLOCK("oom"); // this group:
static int victim;                             //   pid
static uint64 until;                           //   ticks: it is waited for

// Whether a is rather to be chosen than b; they come oldest first.
static int
before(const struct procinfo *a, const struct procinfo *b)
{
  int a_child = a->ppid == initproc->pid, b_child = b->ppid == initproc->pid;
  return b->pid == 0 || a_child < b_child || (a_child == b_child && PAGES(a) >= PAGES(b));
}

// Choose among all processes: pid 0 for nobody. Whether the last victim is still there.
static int
look_around(struct procinfo *best)
{
  struct procinfo p;
  uint64 born = 0;
  int dying = 0;
  best->pid = 0;
  while (procs_read(&p, 1, &born) > 0) {
    if (p.pid == victim && p.state != PS_ZOMBIE)
      dying = 1;
    if (p.pid != initproc->pid && !p.killed && p.rss + p.swap > 0 && before(&p, best))
      *best = p;
  }
  return dying;
}

// No frame is to be had: choose a process to end, or wait for the one that was chosen. The caller
// holds nothing. 1: try again; 0: the caller itself has been told to end, or there is nobody to
// choose. Sleeps.
int
oom(void)
{
  struct procinfo best;
  int chosen = 0;
  if (killed(myproc()))
    return 0;
  acquire(&lock);
  if (!look_around(&best) || timer_ticks() > until) {
    victim = chosen = best.pid;
    until = timer_ticks() + PATIENCE;
  }
  release(&lock);
  if (chosen && kill(chosen) == 0)
    printk("out of memory: killed %s[%d], which had %lu pages\n", best.name, chosen, PAGES(&best));
  timer_pause(1);
  return victim && !killed(myproc());
}
