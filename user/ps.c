// SPDX-License-Identifier: MIT
// ps: list the processes. Memory in KiB: what a process may use, and what it has frames for. Time
// is what it has run, in seconds.

#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"

static struct procinfo all[NPROC];
static const char *const states[] = PS_NAMES;

static const char *
state_name(int s)
{
  return s >= 0 && s < (int)(sizeof(states) / sizeof(states[0])) ? states[s] : "?";
}

int
main(void)
{
  int n = procs(all, NPROC);

  if (n < 0) {
    perror("ps");
    exit(1);
  }
  printf("  PID  PPID  PGID STATE  HART     MEM     RSS    TIME NAME\n");
  for (int i = 0; i < n; i++) {
    const struct procinfo *p = &all[i];
    uint64 cs = p->ticks * 100 / SLICE_HZ;
    printf("%5d %5d %5d %-6s %4d %7lu %7lu %4lu.%02lu %.16s%s\n", p->pid, p->ppid, p->pgid,
           state_name(p->state), p->hart, p->mem / 1024, p->rss / 1024, cs / 100, cs % 100, p->name,
           p->killed ? " (killed)" : "");
  }
  exit(0);
}
