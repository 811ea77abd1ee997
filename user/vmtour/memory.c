// SPDX-License-Identifier: MIT
// Memory of a program alone: lazy, stack, copy-on-write, huge pages.
#include "tour.h"

#define TOUCHES 100
#define APART   (10 * MIB)

static void
touch_all(char *p, uint64 off)
{
  for (uint64 i = 0; i < TOUCHES; i++)
    p[off + i * APART] = 1;
}

static void
costs(const char *what)
{
  printf("  %-24s %6lu %6lu\n", what, since()->faults, since()->frames_zeroed);
  mark();
}

// An array of 1 GiB, of which a little is used.
void
tour_lazy(void)
{
  printf("  %-24s %6s %6s\n", "", "faults", "frames");
  mark();
  char *p = map(GIB / PGSIZE, 0);
  costs("1 GiB asked for");
  for (uint64 i = 0; i < TOUCHES; i++)
    (void)*(volatile char *)(p + i * APART);
  costs("100 pages read");
  uint64 same = 0;
  for (uint64 i = 0; i < TOUCHES; i++)
    same += page(p + i * APART).frame == page(p).frame;
  printf("  of these, have the one frame of zeros: %lu\n", same);
  touch_all(p, PGSIZE);
  costs("100 others written");
  touch_all(p, PGSIZE);
  costs("and written again");
  touch_all(p, 0);
  costs("those read are written");
  printf(
      "Memory costs a frame when it is first written, not when it is asked for: this array would\n"
      "be %lu frames.\n",
      GIB / PGSIZE);
}

static void
push_at(uint64 sp)
{
  asm volatile("mv t0, sp\n mv sp, %0\n sd zero, 0(sp)\n mv sp, t0" : : "r"(sp) : "t0", "memory");
}

static void
die_below(void)
{
  struct waitinfo wi;
  int pid = fork();
  if (pid == 0) {
    push_at(STACKBASE);
    push_at(STACKBASE - 8);
    exit(0);
  }
  must(pid, "fork");
  must(waitinfo(&wi), "waitinfo");
  printf("  a child that pushes at the limit, and then once more: %s 0x%lx\n",
         wi.how == DIED_FAULT && wi.access == PROT_WRITE ? "died of a write to" : "did not die",
         wi.va);
}

// Down page by page, and one page too far.
void
tour_stack(void)
{
  char here;
  uint64 low = PGROUNDDOWN((uint64)&here) - 100 * PGSIZE;
  push_at(low);
  uint64 was = vm().resident;
  printf("  it ends at 0x%lx and may grow down to 0x%lx: %d pages\n", (uint64)STACKTOP,
         (uint64)STACKBASE, USERSTACK);
  printf("  pushed at     faults  frames more than before\n");
  for (int i = 1; i <= 4; i++) {
    mark();
    push_at(low - i * PGSIZE);
    printf("  0x%lx %7lu %7lu\n", low - i * PGSIZE, since()->faults, vm().resident - was);
  }
  die_below();
  printf("The stack becomes longer by the fault of who touches below it, page by page, until the\n"
         "limit.\n");
}

// ---- copy-on-write ----

#define SHARED  8
#define WRITTEN 3

static char *area;

static void
write_some(void)
{
  warm();
  mark();
  for (int i = 0; i < WRITTEN; i++)
    *nth(area, i) = 2;
  printf("  child writes %d of %d pages: %lu faults, %lu copies\n", WRITTEN, SHARED,
         since()->faults, since()->cow_copy);
}

static void
nothing(void)
{
}

static void
both(const char *when, int pid, const char *p)
{
  struct pageinfo mine = page(p), its = page_of(pid, p);
  printf("  %-21s parent 0x%lx %s refs %u", when, mine.frame, rights(mine.flags), mine.refs);
  printf("   child 0x%lx %s refs %u\n", its.frame, rights(its.flags), its.refs);
}

void
tour_cow(void)
{
  area = map(SHARED, 0);
  memset(area, 1, SHARED * PGSIZE);
  printf("  before fork           frame  0x%lx %s refs %u\n", page(area).frame,
         rights(page(area).flags), page(area).refs);
  int pid = stand(nothing);
  both("after fork", pid, area);
  dismiss(pid);
  pid = stand(write_some);
  both("a page it has written", pid, area);
  both("one it has not", pid, nth(area, SHARED - 1));
  dismiss(pid);
  warm();
  mark();
  memset(area, 3, SHARED * PGSIZE);
  printf("  child gone, parent writes %d pages: %lu faults, %lu copies, %lu in place\n", SHARED,
         since()->faults, since()->cow_copy, since()->cow_reuse);
  printf("Fork copies no memory: who writes first gets a copy of that page, and who is left alone\n"
         "with a page keeps it.\n");
}

// ---- huge pages ----

static void
use_all(const char *what, char *p)
{
  mark();
  for (int i = 0; i < HUGEPTES; i++)
    *nth(p, i) = (char)i;
  printf("  %-12s %6lu %7lu %12d %13d\n", what, since()->faults, since()->frames_zeroed,
         page(p).level, page(p).table[1] != 0);
}

static uint64
count_equal(char *p, uint64 frame)
{
  uint64 n = 0;
  for (int i = 0; i < HUGEPTES; i++) {
    struct pageinfo pi = page(nth(p, i));
    n += pi.level == 0 && pi.frame == frame + i && *nth(p, i) == (char)i;
  }
  return n;
}

void
tour_huge(void)
{
  struct sysinfo si;
  must(sysinfo(&si, SI_DROP), "sysinfo"); // memory of the cache, in pieces of 2 MiB
  char *small = map_at(DESERT, HUGEPTES, 0), *huge = map_at(DESERT + HUGESIZE, HUGEPTES, 0);
  must(madvise(small, HUGESIZE, MADV_NOHUGEPAGE), "madvise");
  must(madvise(huge, HUGESIZE, MADV_HUGEPAGE), "madvise");
  printf("  2 MiB        faults  frames  leaf's level  level-0 tables\n");
  use_all("small pages", small);
  use_all("huge page", huge);
  uint64 frame = page(huge).frame;
  mark();
  must(mprotect(nth(huge, 100), PGSIZE, PROT_READ), "mprotect");
  printf("  one page protected: %lu split, %lu frames copied, %lu entries of level 0 as before\n",
         since()->huge_splits, since()->frames_copied, count_equal(huge, frame));
  must(mprotect(nth(huge, 100), PGSIZE, RW), "mprotect");
  must(madvise(small, HUGESIZE, MADV_HUGEPAGE), "madvise"); // it was to stay small until here
  mark();
  must(madvise(small, HUGESIZE, MADV_COLLAPSE), "madvise");
  printf("  the small ones collapsed: leaf's level %d, %lu table given back\n", page(small).level,
         since()->tables_freed);
  printf("A leaf one level higher maps 512 pages at once: one fault, and no table below it.\n");
}
