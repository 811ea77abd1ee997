// SPDX-License-Identifier: MIT
// Working-set clock: a clock that also spares who was used not long ago. Time is how many pages have
// come into the queue; page.age is when a page was last seen used (its low 16 bits).

#include "queue.h"

#define TAU 256 // who was used within this time is part of a working set

static ushort
idle(struct page *pg)
{
  return (ushort)queue.admitted - pg->age;
}

static void
admit(struct page *pg, int stuck)
{
  (void)stuck;
  pg->age = queue.admitted;
}

static struct page *
victim(void)
{
  struct page *pg, *best;
  for (uint n = queue.n; n > 0 && (pg = queue_oldest()) != 0; n--) {
    int used = queue_used(pg);
    if (used > 0)
      pg->age = queue.admitted;
    else if (used == 0 && idle(pg) > TAU)
      return pg;
    queue_renew(pg);
  }
  best = queue_oldest(); // all belong to working sets: who was used longest ago
  for (pg = best; pg; pg = queue_newer(pg))
    if (idle(pg) > idle(best))
      best = pg;
  return best;
}

const struct policy wsclock = { .admit = admit, .victim = victim };
