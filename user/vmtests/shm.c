// SPDX-License-Identifier: MIT
// Anonymous shared memory: the same frame on all sides of a fork, and never a copy.
#include "test.h"

#define PAGES 8

static char *area;

static void
write_half(uint64 unused)
{
  (void)unused;
  warm();
  mark();
  for (int i = 0; i < PAGES / 2; i++)
    stamp(nth(area, i), 2, i);
  EQUALS(since()->cow_copy, 0);
  EQUALS(since()->frames_copied, 0);
}

void
shm_is_one_frame(void)
{
  area = map(PAGES, MAP_SHARED);
  stamp_all(area, 1, PAGES);
  CHECK(page(area).vma == VMA_SHM && page(area).refs >= 1);
  uint one = page(area).refs;
  int pid = post(write_half, 0);
  for (int i = 0; i < PAGES; i++) {
    *nth(area, i) = *nth(area, i);
    struct pageinfo mine = page(nth(area, i)), its = page_of(pid, nth(area, i));
    CHECK(stamped(nth(area, i), i < PAGES / 2 ? 2 : 1, i) && allows(mine, PTE_R | PTE_W));
    CHECK(its.frame == 0 || (its.frame == mine.frame && mine.refs == one + 1));
    CHECK(i >= PAGES / 2 || its.frame == mine.frame);
  }
  dismiss(pid);
  EQUALS(page(area).refs, one);
}

// Also a page that nobody had touched before the fork.
static void
touch_first(uint64 unused)
{
  (void)unused;
  CHECK(zeros(nth(area, 1), PGSIZE));
  stamp_all(area, 3, PAGES);
}

void
shm_untouched_before_the_fork(void)
{
  area = map(PAGES, MAP_SHARED);
  int pid = post(touch_first, 0);
  CHECK(stamped_all(area, 3, PAGES));
  for (int i = 0; i < PAGES; i++)
    CHECK(page(nth(area, i)).frame == page_of(pid, nth(area, i)).frame);
  dismiss(pid);
  CHECK(stamped_all(area, 3, PAGES));
}

// Reading first is no reason to be left with zeros.
void
shm_read_before_the_fork(void)
{
  area = map(PAGES, MAP_SHARED);
  CHECK(zeros(area, PAGES * PGSIZE));
  LIVES(touch_first, 0);
  CHECK(stamped_all(area, 3, PAGES));
}

// What a call stores there is for nobody else: the disk is as clean as before.
void
shm_is_no_file(void)
{
  make("f", 1, PGSIZE);
  area = map(PAGES, MAP_SHARED);
  int fd = open("f", O_RDONLY);
  get(fd, area, PGSIZE);
  CHECK(same(area, PGSIZE, 1, 0));
  CHECK(sync() == 0 && msync(area, PAGES * PGSIZE, MS_SYNC) == 0);
}

// 4 GiB of which two pages were touched: a look at each of the others would take a minute.
void
shm_ends_as_fast_as_it_was_used(void)
{
  uint64 pages = 4 * GIB / PGSIZE, free = frames_free();
  for (int i = 0; i < 20; i++) {
    area = map(pages, MAP_SHARED);
    *area = *nth(area, pages - 1) = 1;
    unmap(area, pages);
  }
  CHECK(frames_free() + 8 >= free);
}

// One fault for one page, and one frame for all.
void
shm_costs_one_frame(void)
{
  warm();
  area = map(PAGES, MAP_SHARED);
  *area = 1;
  mark();
  *nth(area, 1) = 1;
  EQUALS(since()->faults, 1);
  EQUALS(since()->shm, 1);
  EQUALS(since()->frames_zeroed, 1);
}

static void
keep_and_let_go(uint64 unused)
{
  (void)unused;
  stamp(nth(area, 1), 5, 1);
  unmap(area, 1);
  CHECK(mprotect(nth(area, 2), PGSIZE, PROT_READ) == 0);
}

// What one side unmaps, protects or forgets the other one keeps.
void
shm_sides_are_apart(void)
{
  area = map(PAGES, MAP_SHARED);
  stamp_all(area, 1, PAGES);
  LIVES(keep_and_let_go, 0);
  CHECK(stamped(area, 1, 0) && stamped(nth(area, 1), 5, 1));
  stamp(nth(area, 2), 6, 2);
  advise(nth(area, 3), 2, MADV_DONTNEED);
  CHECK(stamped(nth(area, 3), 1, 3) && stamped(nth(area, 4), 1, 4));
}

// Children of children; the memory lives as long as one has it.
static void
grandchild(uint64 unused)
{
  (void)unused;
  CHECK(stamped(area, 1, 0));
  stamp_all(area, 7, PAGES);
}

static void
child(uint64 unused)
{
  (void)unused;
  LIVES(grandchild, 0);
}

void
shm_through_generations(void)
{
  area = map(PAGES, MAP_SHARED);
  stamp(area, 1, 0);
  LIVES(child, 0);
  CHECK(stamped_all(area, 7, PAGES));
}

// All add to one word at once; nothing is lost.
static void
add(uint64 unused)
{
  (void)unused;
  for (int i = 0; i < 20000; i++)
    __atomic_fetch_add((int *)area, 1, __ATOMIC_RELAXED);
}

void
shm_written_by_many_at_once(void)
{
  area = map(1, MAP_SHARED);
  crowd(4, add);
  EQUALS(*(int *)area, 80000);
}

// Offsets stay right when the range is cut.
static void
touch_rest(uint64 unused)
{
  (void)unused;
  CHECK(stamped(nth(area, 4), 1, 4));
  stamp(nth(area, 5), 9, 5);
}

void
shm_cut_in_pieces(void)
{
  area = map(PAGES, MAP_SHARED);
  stamp_all(area, 1, PAGES);
  unmap(nth(area, 2), 2);
  LIVES(touch_rest, 0);
  CHECK(stamped(area, 1, 0) && stamped(nth(area, 5), 9, 5));
}
