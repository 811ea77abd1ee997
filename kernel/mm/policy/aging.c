// SPDX-License-Identifier: MIT
// Aging, which comes near to "least recently used": now and then it is noted for each page whether it
// was used since the last time, in the top bit of a number of 8 bits that moves right by one. The
// smallest number goes first, and of equals who is first in the queue.
//
//   1000 0000  new, or used in the last period only
//   0110 0000  used in the second and third period before now
//
// A period ends when a victim is wanted and, since the last one, so many pages have come or were
// evicted as an eighth of the queue has.
//
// Between two notes numbers do not change, so the search goes on where the last victim was.

#include "queue.h"

#define USED 0x80
#define MOST 0xff

static uint64 noted;    // coming and going up to the last note
static struct page *at; // nobody in front has an age of `youngest` or less; 0: search anew
static uint youngest;

static void
admit(struct page *pg, int stuck)
{
  pg->age = stuck ? MOST : USED;
  if (at && youngest > pg->age) {
    at = pg;
    youngest = pg->age;
  }
}

static void
forget(struct page *pg)
{
  if (at == pg)
    at = queue_newer(pg);
}

// Once around: everybody is renewed, which keeps the order.
static void
note(void)
{
  struct page *pg;
  for (uint n = queue.n; n > 0 && (pg = queue_oldest()) != 0; n--) {
    int used = queue_used(pg);
    if (used >= 0)
      pg->age = pg->age >> 1 | (used ? USED : 0);
    queue_renew(pg);
  }
  noted = queue.admitted + queue.evicted;
  at = 0;
}

static struct page *
victim(void)
{
  uint64 events = queue.admitted + queue.evicted - noted;
  if (events > 0 && events >= queue.n / 8)
    note();
  while (at && at->age != youngest)
    at = queue_newer(at);
  if (at == 0 && (at = queue_oldest()) != 0) {
    for (struct page *pg = at; pg; pg = queue_newer(pg))
      if (pg->age < at->age)
        at = pg;
    youngest = at->age;
  }
  return at;
}

const struct policy aging = { .admit = admit, .forget = forget, .victim = victim };
