// SPDX-License-Identifier: MIT
// Copy-on-write: fork shares all frames; who writes copies, exactly one page; the last one keeps it.
#include "test.h"

#define PAGES 16

static char *area;

static void
new_area(void)
{
  area = map(PAGES, 0);
  stamp_all(area, 1, PAGES);
}

// The same frame, writable in neither, counted twice.
void
cow_fork_shares_frames(void)
{
  new_area();
  uint64 was[PAGES];
  for (int i = 0; i < PAGES; i++)
    was[i] = page(nth(area, i)).frame;
  int pid = post(nothing, 0);
  for (int i = 0; i < PAGES; i++) {
    struct pageinfo mine = page(nth(area, i)), its = page_of(pid, nth(area, i));
    CHECK(mine.frame == was[i] && its.frame == was[i] && mine.refs == 2 && its.refs == 2);
    CHECK(allows(mine, PTE_R) && allows(its, PTE_R) && mine.kind == PG_ANON);
    CHECK(mine.prot == RW && its.prot == RW);
  }
  dismiss(pid);
}

static void
write_three(uint64 unused)
{
  (void)unused;
  uint64 was[PAGES];
  warm();
  for (int i = 0; i < PAGES; i++)
    was[i] = page(nth(area, i)).frame;
  mark();
  for (int i = 0; i < 3; i++)
    stamp(nth(area, i * 5), 2, i);
  EQUALS(since()->faults, 3);
  EQUALS(since()->cow_copy, 3);
  EQUALS(since()->frames_copied, 3);
  EQUALS(since()->frames_allocated, 3);
  EQUALS(since()->frames_zeroed, 0);
  for (int i = 0; i < PAGES; i++) {
    struct pageinfo pi = page(nth(area, i));
    int mine = i == 0 || i == 5 || i == 10;
    CHECK((pi.frame != was[i]) == mine && pi.refs == (mine ? 1 : 2));
    CHECK(allows(pi, mine ? PTE_R | PTE_W : PTE_R));
    CHECK(mine ? stamped(nth(area, i), 2, i / 5) : stamped(nth(area, i), 1, i));
  }
}

void
cow_one_copy_for_each_written_page(void)
{
  new_area();
  LIVES(write_three, 0);
  CHECK(stamped_all(area, 1, PAGES));
}

// When the child has gone, the parent writes where it always was: a fault, and no copy.
void
cow_last_owner_reuses_in_place(void)
{
  new_area();
  dismiss(post(nothing, 0));
  warm();
  uint64 was = page(area).frame;
  EQUALS(page(area).refs, 1);
  mark();
  stamp_all(area, 3, PAGES);
  EQUALS(since()->faults, PAGES);
  EQUALS(since()->cow_reuse, PAGES);
  EQUALS(since()->cow_copy, 0);
  EQUALS(since()->frames_allocated, 0);
  CHECK(page(area).frame == was && allows(page(area), PTE_R | PTE_W));
}

// Also when the child has written: each side is then the only one.
static void
write_all(uint64 unused)
{
  (void)unused;
  stamp_all(area, 9, PAGES);
}

void
cow_after_the_child_has_written(void)
{
  new_area();
  int pid = post(write_all, 0);
  warm();
  mark();
  stamp_all(area, 4, PAGES);
  EQUALS(since()->cow_copy, 0);
  EQUALS(since()->cow_reuse, PAGES);
  for (int i = 0; i < PAGES; i++)
    CHECK(page(nth(area, i)).frame != page_of(pid, nth(area, i)).frame);
  dismiss(pid);
}

// Counts are exact through three generations.
static void
have_child(uint64 ready)
{
  (void)ready;
  post(nothing, 0);
}

void
cow_counts_are_exact(void)
{
  new_area();
  EQUALS(page(area).refs, 1);
  int a = post(nothing, 0);
  EQUALS(page(area).refs, 2);
  int b = post(nothing, 0);
  EQUALS(page(area).refs, 3);
  int c = post(have_child, 0);
  EQUALS(page(area).refs, 5);
  dismiss(a);
  EQUALS(page(area).refs, 4);
  warm();
  mark();
  *area = 1; // the others keep theirs
  EQUALS(since()->cow_copy, 1);
  EQUALS(page(area).refs, 1);
  EQUALS(page_of(b, area).refs, 3);
  dismiss(b);
  EQUALS(page_of(c, area).refs, 2);
  dismiss(c);
  EQUALS(page(nth(area, 1)).refs, 2); // the grandchild, which the harness ends
}

void
cow_reading_costs_nothing(void)
{
  new_area();
  int pid = post(nothing, 0);
  warm();
  mark();
  CHECK(stamped_all(area, 1, PAGES));
  EQUALS(since()->faults, 0);
  dismiss(pid);
}

// Text is never copied and never writable.
void
cow_text_stays_executable(void)
{
  void *text = (void *)PGROUNDDOWN((uint64)cow_text_stays_executable);
  int pid = post(nothing, 0);
  struct pageinfo mine = page(text), its = page_of(pid, text);
  CHECK(mine.frame == its.frame && mine.kind == PG_CACHE);
  CHECK(allows(mine, PTE_R | PTE_X) && allows(its, PTE_R | PTE_X));
  dismiss(pid);
  FAULTS(touch, text, PROT_WRITE);
  int fd = open("/README", O_RDONLY);
  FAILS(read(fd, text, 100), EFAULT);
}

// The kernel writes for a program: it copies, too, and neither the other side nor the cache sees it.
static void
read_over(uint64 fd)
{
  warm();
  mark();
  CHECK(read((int)fd, area + 100, 3 * PGSIZE) == 3 * PGSIZE);
  EQUALS(since()->cow_copy, 4);
  EQUALS(since()->frames_copied, 4);
  CHECK(same(area + 100, 3 * PGSIZE, 6, 0));
  CHECK(stamped(nth(area, 4), 1, 4));
}

void
cow_written_by_calls(void)
{
  make("f", 6, 3 * PGSIZE);
  int fd = open("f", O_RDONLY);
  new_area();
  LIVES(read_over, fd);
  CHECK(stamped_all(area, 1, PAGES));
}

// Pages that were only read are the frame of zeros on both sides, and are not counted.
static void
write_zeros(uint64 unused)
{
  (void)unused;
  warm();
  mark();
  area[0] = 1;
  EQUALS(since()->frames_copied, 0);
  EQUALS(since()->frames_allocated, 1);
}

void
cow_of_the_zero_frame(void)
{
  area = map(PAGES, 0);
  CHECK(zeros(area, PAGES * PGSIZE));
  uint64 zero = page(area).frame;
  int pid = post(nothing, 0);
  CHECK(page(area).frame == zero && page_of(pid, area).frame == zero);
  EQUALS(page_of(pid, area).kind, PG_ZERO);
  dismiss(pid);
  LIVES(write_zeros, 0);
  CHECK(zeros(area, PAGES * PGSIZE));
}

// A read-only page that becomes writable again is still shared.
void
cow_across_mprotect(void)
{
  new_area();
  int pid = post(nothing, 0);
  CHECK(mprotect(area, PAGES * PGSIZE, PROT_READ) == 0);
  CHECK(mprotect(area, PAGES * PGSIZE, RW) == 0);
  CHECK(allows(page(area), PTE_R));
  warm();
  mark();
  stamp_all(area, 8, PAGES);
  EQUALS(since()->cow_copy, PAGES);
  EQUALS(page_of(pid, area).refs, 1);
  dismiss(pid);
}

// Four at once write what they share: each has its own in the end, and the parent the old.
static void
write_and_compare(uint64 who)
{
  for (uint i = 0; i < PAGES; i++) {
    CHECK(stamped(nth(area, i), 1, i));
    stamp(nth(area, i), (uint)who + 50, i);
  }
  CHECK(stamped_all(area, (uint)who + 50, PAGES));
}

void
cow_many_write_at_once(void)
{
  new_area();
  for (int round = 0; round < 20; round++) {
    crowd(4, write_and_compare);
    CHECK(stamped_all(area, 1, PAGES));
  }
  EQUALS(page(area).refs, 1);
}
