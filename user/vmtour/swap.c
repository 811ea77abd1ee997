// SPDX-License-Identifier: MIT
// Swap: pages on the second drive, and which of them go, by each policy.
#include "tour.h"

#define PAGES 16

static char *area;

static int
intact(void)
{
  int n = 0;
  for (int i = 0; i < PAGES; i++)
    n += *nth(area, i) == (char)(i + 1);
  return n;
}

static uint64
slots_used(void)
{
  struct vmstat v = vm();
  return v.slots - v.slots_free;
}

static void
nothing(void)
{
}

static void
out_and_in(void)
{
  area = map(PAGES, 0);
  for (int i = 0; i < PAGES; i++)
    *nth(area, i) = (char)(i + 1);
  int pid = stand(nothing);
  uint64 used = slots_used();
  warm();
  mark();
  must(madvise(area, PAGES * PGSIZE, MADV_PAGEOUT), "madvise");
  printf("  %d pages that two processes share, paged out: %lu written, %lu slots, each of both\n",
         PAGES, since()->swap_outs, slots_used() - used);
  struct pageinfo mine = page(area), its = page_of(pid, area);
  printf("  page 0: slot %lu in the parent, %lu in the child, frames %lu and %lu\n", mine.slot,
         its.slot, mine.frame, its.frame);
  mark();
  int good = intact();
  printf("  touched: %lu faults, %lu swapped in, %d of %d as before\n", since()->faults,
         since()->swap_in, good, PAGES);
  dismiss(pid);
}

// ---- policies ----

#define SET   48  // pages
#define ROOM  24  // of them that may have frames
#define REFS  600 // touches, two of three to a quarter of the pages
#define QUART (SET / 4)

static uint seed;

// The same series in each round, and in tests/system/test_vm.py.
static uint
next(void)
{
  seed = seed * 1103515245 + 12345;
  return seed >> 16 & 0x7fff;
}

// Evicts until one page of the set has gone.
static void
one_goes(char *p, uchar *here)
{
  static uchar now[SET];
  for (;;) {
    must(vmctl(VMCTL_RECLAIM, 1) == 1 ? 0 : -1, "reclaim");
    must(mincore(p, SET * PGSIZE, now), "mincore");
    for (int i = 0; i < SET; i++)
      if (here[i] && !now[i]) {
        here[i] = 0;
        return;
      }
  }
}

// How many of the touches find that their page is not there.
static int
misses(int policy)
{
  static uchar here[SET];
  char *p = map(SET, 0);
  int have = 0, missed = 0;
  must(vmctl(VMCTL_POLICY, VMPOLICY_FIFO), "policy");
  must(vmctl(VMCTL_RECLAIM, 10000), "reclaim"); // who sleeps stays out
  must(vmctl(VMCTL_POLICY, policy), "policy");
  memset(here, 0, SET);
  seed = 1;
  for (int n = 0; n < REFS; n++) {
    int i = next() % 3 ? next() % QUART : next() % SET;
    if (!here[i]) {
      missed++;
      have++;
    }
    *nth(p, i) += 1;
    here[i] = 1;
    if (have > ROOM) {
      one_goes(p, here);
      have--;
    }
  }
  unmap(p, SET);
  return missed;
}

void
tour_swap(void)
{
  static const char *const names[] = VMPOLICY_NAMES;
  struct vmstat was = vm();
  if (was.slots == 0)
    must(vmctl(VMCTL_SWAP, 1), "the second drive (make qemu has one; see tools/qemu)");
  printf("  slots on the second drive: %lu, each of 4 KiB\n", vm().slots);
  out_and_in();
  printf("  %d touches of %d pages, with frames for %d: how many found no frame\n ", REFS, SET,
         ROOM);
  for (int i = 0; i < NVMPOLICY; i++)
    printf("  %s %d", names[i], misses(i));
  printf("\n");
  must(vmctl(VMCTL_POLICY, was.policy), "policy");
  if (was.slots == 0)
    must(vmctl(VMCTL_SWAP, 0), "swap off");
  printf(
      "When frames are short, pages that were not used lately wait on the disk. A policy guesses\n"
      "which ones will not be missed.\n");
}
