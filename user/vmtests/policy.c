// SPDX-License-Identifier: MIT
// Who is evicted: the same touches on real pages and in the model (model.c), and each time that a
// page must go, the kernel and the model choose the same one.
//
// All processes' pages are in the kernel's queue, the model knows only the trace's own. That makes no
// difference where each test takes care of what does depend on the others:
// - Before a trace everything is evicted. Who sleeps does not come back.
// - The kernel is asked for one page after the other until one of the trace goes. What is not
//   touched between does not change its place among the others.
// - Times that a policy counts in admissions and evictions are passed by a margin: a page of this
//   program's own data more or less does not matter.
#include "test.h"

#define PAGES  MODEL_PAGES // of the trace at the most
#define MARGIN 40          // pages of our own that may come or go at any time

static char *area;
static uchar here[PAGES], there[PAGES]; // which pages of the trace have frames
static int npages;

static void
start(int policy, int n)
{
  swap_on();
  CHECK(vmctl(VMCTL_POLICY, VMPOLICY_FIFO) == 0);
  area = map(n, 0);
  npages = n;
  memset(here, 0, sizeof(here));
  memset(there, 0, sizeof(there));
  warm();
  for (int i = 0; i < 3; i++)
    CHECK(vmctl(VMCTL_RECLAIM, 10000) > 0);
  CHECK(vmctl(VMCTL_POLICY, policy) == 0);
  model_start(policy);
}

static void
use(int i)
{
  *(volatile char *)nth(area, i) += 1;
  here[i] = 1;
  model_touch(i);
}

// Pages from first on, of a series that is not in order; the step has no factor with n in common.
static void
use_series(int first, int n, int step)
{
  for (int i = 0; i < n; i++)
    use(first + i * step % n);
}

// Evicts one page of the trace.
static int
evict(void)
{
  for (int tries = 0; tries < 200; tries++) {
    CHECK(vmctl(VMCTL_RECLAIM, 1) == 1);
    CHECK(mincore(area, npages * PGSIZE, there) == 0);
    for (int i = 0; i < npages; i++)
      if (here[i] && !there[i]) {
        here[i] = 0;
        CHECK(page(nth(area, i)).flags & PI_SWAP);
        return i;
      }
  }
  broken(__FILE__, __LINE__, "a page of the trace is among 200 evicted ones");
}

static void
evict_and_compare(int n)
{
  while (n-- > 0)
    EQUALS(evict(), model_evict());
}

// So many references with room for half of the pages: mostly to a few, now and then to any.
static void
play(int refs)
{
  int room = npages / 2, have = 0;
  for (int n = 0; n < refs; n++) {
    int i = rnd() % 3 ? rnd() % (npages / 4) : rnd() % npages;
    have += !here[i];
    use(i);
    if (have > room) {
      evict_and_compare(1);
      have--;
    }
  }
}

// Some of those that are here are used, three go, three others come; many times.
static void
mix(int rounds)
{
  while (rounds-- > 0) {
    for (int n = 0; n < 16; n++) {
      int i = rnd() % npages;
      if (here[i])
        use(i);
    }
    evict_and_compare(3);
    for (int left = 3; left > 0;) {
      int i = rnd() % npages;
      if (!here[i]) {
        use(i);
        left--;
      }
    }
  }
}

void
policy_fifo(void)
{
  start(VMPOLICY_FIFO, 64);
  use_series(0, 64, 27);
  use_series(0, 32, 5); // changes nothing
  evict_and_compare(20);
  use_series(0, 64, 11); // those who were out are the last now
  evict_and_compare(64);
  play(400);
}

void
policy_clock(void)
{
  start(VMPOLICY_CLOCK, 64);
  use_series(0, 64, 27);
  evict_and_compare(10); // all were used: round once, then as they came
  use_series(0, 32, 5);
  evict_and_compare(16); // a second chance for these
  mix(40);
}

// Four times: half of the pages are used, others come in and stay in use, and one goes, before which
// the ages are taken. Then so many go as do before it is time for the next ages.
#define AGED   160
#define OTHERS 160
#define TOLD   (AGED + 4 * OTHERS)

void
policy_aging(void)
{
  start(VMPOLICY_AGING, TOLD);
  CHECK(OTHERS >= (TOLD + MARGIN) / 8 + MARGIN / 2);
  use_series(0, AGED, 27);
  for (int phase = 0; phase < 4; phase++) {
    int others = AGED + phase * OTHERS;
    for (int i = 0; i < others; i++)
      if (here[i] && (i >= AGED || rnd() % 2))
        use(i);
    use_series(others, OTHERS, 7);
    evict_and_compare(1);
  }
  evict_and_compare((TOLD - 4) / 8 - MARGIN);
}

// Those that were not used for more than TAU admissions go, then, with none such, the oldest.
void
policy_wsclock(void)
{
  start(VMPOLICY_WSCLOCK, 1400);
  use_series(0, 100, 27);
  evict_and_compare(5); // all were used: the first of equals
  use_series(100, 300 + MARGIN, 7);
  for (int i = 20; i < 100; i += 3)
    use(i);
  evict_and_compare(40); // unused since, but for every third
  use_series(500, 100, 7);
  evict_and_compare(10);
  use_series(600, 300 + MARGIN, 11);
  evict_and_compare(60);
  for (int i = 100; i < 300; i += 2)
    if (here[i])
      use(i);
  use_series(1000, 300 + MARGIN, 7);
  evict_and_compare(100);
}

// Switched while there are pages: the bytes stay, and all go in the end.
void
policy_switched_meanwhile(void)
{
  swap_on();
  area = map(200, 0);
  stamp_all(area, 1, 200);
  for (int round = 0; round < 12; round++) {
    CHECK(vmctl(VMCTL_POLICY, round % NVMPOLICY) == 0);
    CHECK(vmctl(VMCTL_RECLAIM, 50) == 50);
    CHECK(stamped_all(area, 1, 200));
  }
  swap_off();
}

// RECLAIM says how many, and takes no more than it was asked for.
void
policy_reclaim_counts(void)
{
  swap_on();
  area = map(300, 0);
  stamp_all(area, 1, 300);
  mark();
  EQUALS(vmctl(VMCTL_RECLAIM, 0), 0);
  EQUALS(vmctl(VMCTL_RECLAIM, 7), 7);
  EQUALS(since_all()->swap_outs, 7);
  EQUALS(vmctl(VMCTL_RECLAIM, 100), 100);
  EQUALS(since_all()->swap_outs, 107);
  CHECK(vmctl(VMCTL_RECLAIM, 1 << 30) >= 193);
  CHECK(stamped_all(area, 1, 300));
  swap_off();
}
