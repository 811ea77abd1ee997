// SPDX-License-Identifier: MIT
// Huge pages: 2 MiB by one leaf, split when a part of them needs something of its own, and put
// together again.
#include "test.h"

static char *const base = DESERT; // aligned to 2 MiB

// n huge pages' worth of memory that asks for them. The cache goes first, so that there are blocks.
static void
huge_area(uint64 n)
{
  counts(SI_DROP);
  map_at(base, n * HUGEPTES, 0);
  advise(base, n * HUGEPTES, MADV_HUGEPAGE);
}

static void
stamped_huge(void)
{
  huge_area(1);
  stamp_all(base, 1, HUGEPTES);
  EQUALS(page(base).level, 1);
}

void
huge_one_fault_one_leaf(void)
{
  warm();
  huge_area(2);
  uint64 was = vm().resident;
  mark();
  base[1234567] = 1;
  EQUALS(since()->faults, 1);
  EQUALS(since()->huge, 1);
  EQUALS(since()->zero_fill, 0);
  EQUALS(since()->frames_zeroed, HUGEPTES);
  EQUALS(since()->tables_made, 1); // of level 1, and none of level 0
  EQUALS(vm().resident, was + HUGEPTES);
  CHECK(zeros(base, 1234567) && zeros(base + 1234568, HUGESIZE - 1234568));
  EQUALS(since()->faults, 1);
  for (int i = 0; i < HUGEPTES; i += 73) {
    struct pageinfo pi = page(nth(base, i));
    CHECK(pi.level == 1 && pi.table[1] == 0 && pi.frame == page(base).frame + i);
    CHECK(allows(pi, PTE_R | PTE_W) && pi.kind == PG_ANON);
  }
  EQUALS(page(base).frame % HUGEPTES, 0);
  base[HUGESIZE] = 1;
  EQUALS(since()->huge, 2);
}

// Only where 2 MiB of one range lie under the fault.
void
huge_only_where_it_fits(void)
{
  counts(SI_DROP);
  map_at(nth(base, 1), 2 * HUGEPTES - 2, 0);
  advise(nth(base, 1), 2 * HUGEPTES - 2, MADV_HUGEPAGE);
  warm();
  mark();
  *nth(base, 1) = *nth(base, HUGEPTES) = *nth(base, 2 * HUGEPTES - 2) = 1;
  EQUALS(since()->huge, 0);
  EQUALS(since()->zero_fill, 3);
}

// Nor where a part is touched already.
void
huge_not_over_small_pages(void)
{
  map_at(base, HUGEPTES, 0);
  stamp(nth(base, 7), 1, 7);
  advise(base, HUGEPTES, MADV_HUGEPAGE);
  *nth(base, 8) = 1;
  CHECK(page(nth(base, 7)).level == 0 && page(nth(base, 8)).level == 0);
  CHECK(stamped(nth(base, 7), 1, 7));
}

static uint64
huge_faults(int mode, int advice)
{
  CHECK(vmctl(VMCTL_HUGE, mode) == 0);
  counts(SI_DROP);
  map_at(base, HUGEPTES, 0);
  advise(base, HUGEPTES, advice);
  mark();
  *base = 1;
  uint64 n = since()->huge;
  EQUALS(page(base).level, n);
  unmap(base, HUGEPTES);
  return n;
}

void
huge_policy_can_be_set(void)
{
  EQUALS(huge_faults(VMHUGE_NEVER, MADV_NORMAL), 0);
  EQUALS(huge_faults(VMHUGE_NEVER, MADV_HUGEPAGE), 0);
  EQUALS(huge_faults(VMHUGE_MADVISE, MADV_NORMAL), 0);
  EQUALS(huge_faults(VMHUGE_MADVISE, MADV_HUGEPAGE), 1);
  EQUALS(huge_faults(VMHUGE_MADVISE, MADV_NOHUGEPAGE), 0);
  EQUALS(huge_faults(VMHUGE_ALWAYS, MADV_NORMAL), 1);
  EQUALS(huge_faults(VMHUGE_ALWAYS, MADV_NOHUGEPAGE), 0);
}

// ---- splitting ----

// After a split: small pages in one table, with the frames and the rights that the leaf had, but
// for those from..to.
static void
split_but_for(int from, int to, uint64 frame)
{
  uint64 table = page(nth(base, to % HUGEPTES)).table[1];
  ushort flags = page(nth(base, to % HUGEPTES)).flags;
  CHECK(table != 0);
  for (int i = 0; i < HUGEPTES; i++) {
    if (i >= from && i < to)
      continue;
    struct pageinfo pi = page(nth(base, i));
    EQUALS(pi.level, 0);
    EQUALS(pi.frame, frame + i);
    EQUALS(pi.table[1], table);
    EQUALS(pi.flags, flags);
    EQUALS(pi.refs, 1);
    CHECK(stamped(nth(base, i), 1, i));
  }
}

void
huge_split_by_munmap(void)
{
  warm();
  stamped_huge();
  uint64 frame = page(base).frame, was = vm().resident;
  mark();
  unmap(nth(base, 100), 3);
  EQUALS(since()->huge_splits, 1);
  EQUALS(since()->tables_made, 1);
  EQUALS(since()->frames_copied, 0);
  EQUALS(vm().resident, was - 3);
  split_but_for(100, 103, frame);
  EQUALS(page(nth(base, 101)).frame, 0);
}

void
huge_split_by_mprotect(void)
{
  warm();
  stamped_huge();
  uint64 frame = page(base).frame;
  mark();
  CHECK(mprotect(nth(base, 511), PGSIZE, PROT_READ) == 0);
  EQUALS(since()->huge_splits, 1);
  CHECK(allows(page(nth(base, 511)), PTE_R) && page(nth(base, 511)).frame == frame + 511);
  EQUALS(page(nth(base, 511)).level, 0);
  for (int i = 0; i < 511; i++) {
    struct pageinfo pi = page(nth(base, i));
    CHECK(pi.level == 0 && pi.frame == frame + i && allows(pi, PTE_R | PTE_W) && pi.refs == 1);
  }
  CHECK(stamped_all(base, 1, HUGEPTES));
  EQUALS(since()->frames_copied, 0);
}

// Rights for all of it need no split.
void
huge_protected_as_a_whole(void)
{
  warm();
  stamped_huge();
  mark();
  CHECK(mprotect(base, HUGESIZE, PROT_READ) == 0);
  CHECK(page(base).level == 1 && allows(page(base), PTE_R));
  FAULTS(touch, nth(base, 9), PROT_WRITE);
  CHECK(mprotect(base, HUGESIZE, RW) == 0);
  EQUALS(since()->huge_splits, 0);
  stamp_all(base, 2, HUGEPTES);
  EQUALS(page(base).level, 1);
}

void
huge_split_by_dontneed(void)
{
  stamped_huge();
  uint64 frame = page(base).frame;
  advise(base, 1, MADV_DONTNEED);
  split_but_for(0, 1, frame);
  CHECK(zeros(base, PGSIZE));
}

static void
write_one(uint64 unused)
{
  (void)unused;
  warm();
  uint64 frame = page(base).frame;
  CHECK(allows(page(base), PTE_R) && page(base).level == 1);
  mark();
  stamp(nth(base, 40), 2, 40);
  EQUALS(since()->cow_copy, 1);
  EQUALS(since()->frames_copied, 1);
  EQUALS(since()->huge_splits, 1);
  for (int i = 0; i < HUGEPTES; i++) {
    struct pageinfo pi = page(nth(base, i));
    CHECK(pi.level == 0 && (pi.frame == frame + i) == (i != 40));
    CHECK(stamped(nth(base, i), i == 40 ? 2 : 1, i));
  }
}

// A child shares the leaf; its first write splits it and copies one small page.
void
huge_split_by_copy_on_write(void)
{
  stamped_huge();
  uint64 frame = page(base).frame;
  LIVES(write_one, 0);
  CHECK(stamped_all(base, 1, HUGEPTES));
  warm();
  mark();
  stamp_all(base, 3, HUGEPTES); // all ours again: in place
  EQUALS(since()->frames_copied, 0);
  for (int i = 0; i < HUGEPTES; i++)
    EQUALS(page(nth(base, i)).frame, frame + i);
}

void
huge_is_shared_by_fork(void)
{
  stamped_huge();
  int pid = post(nothing, 0);
  struct pageinfo mine = page(base), its = page_of(pid, base);
  CHECK(mine.level == 1 && its.level == 1 && mine.frame == its.frame);
  CHECK(allows(mine, PTE_R) && allows(its, PTE_R));
  dismiss(pid);
}

// Both sides write all over it, at once.
static void
write_all(uint64 who)
{
  for (uint i = 0; i < HUGEPTES; i++) {
    CHECK(stamped(nth(base, i), 1, i));
    stamp(nth(base, i), (uint)who + 5, i);
  }
  CHECK(stamped_all(base, (uint)who + 5, HUGEPTES));
}

void
huge_written_by_many_at_once(void)
{
  stamped_huge();
  for (int round = 0; round < 3; round++) {
    crowd(3, write_all);
    CHECK(stamped_all(base, 1, HUGEPTES));
  }
}

// ---- asked for expressly ----

void
huge_by_mmap(void)
{
  counts(SI_DROP);
  warm();
  mark();
  char *p = mmap(0, 2 * HUGESIZE, RW, MAP_PRIVATE | MAP_ANON | MAP_HUGETLB, -1, 0);
  CHECK(p != MAP_FAILED && (uint64)p % HUGESIZE == 0);
  stamp_all(p, 1, 2 * HUGEPTES);
  CHECK(page(p).level == 1 && page(p + HUGESIZE).level == 1);
  CHECK(since()->huge <= 2 && since()->zero_fill == 0);
  CHECK(stamped_all(p, 1, 2 * HUGEPTES));
  unmap(p, 2 * HUGEPTES);
}

// Or not at all.
static void
use_hugetlb(uint64 at)
{
  char *p = mmap((char *)at, HUGESIZE, RW, MAP_PRIVATE | MAP_ANON | MAP_FIXED | MAP_HUGETLB, -1, 0);
  if (p == MAP_FAILED)
    exit(errno == ENOMEM ? 5 : 6);
  *p = 1;
}

// ---- put together ----

void
huge_collapse(void)
{
  counts(SI_DROP);
  warm();
  map_at(base, HUGEPTES, 0);
  stamp_all(base, 1, HUGEPTES);
  EQUALS(page(base).level, 0);
  uint64 was = vm().resident;
  mark();
  advise(base, HUGEPTES, MADV_COLLAPSE);
  struct pageinfo pi = page(base);
  CHECK(pi.level == 1 && allows(pi, PTE_R | PTE_W) && pi.table[1] == 0);
  EQUALS(since()->tables_freed, 1);
  EQUALS(vm().resident, was);
  CHECK(stamped_all(base, 1, HUGEPTES));
  stamp_all(base, 2, HUGEPTES);
  EQUALS(since()->faults, 0);
}

// Pages that nobody has touched become zeros.
void
huge_collapse_with_holes(void)
{
  counts(SI_DROP);
  map_at(base, HUGEPTES, 0);
  for (int i = 0; i < HUGEPTES; i += 2)
    stamp(nth(base, i), 1, i);
  (void)*(volatile char *)nth(base, 1); // the frame of zeros
  advise(base, HUGEPTES, MADV_COLLAPSE);
  EQUALS(page(base).level, 1);
  for (int i = 0; i < HUGEPTES; i++)
    CHECK(i % 2 ? zeros(nth(base, i), PGSIZE) : stamped(nth(base, i), 1, i));
}

// What was split can be put together again, and what is shared stays as it is for the other side.
void
huge_collapse_after_a_split(void)
{
  stamped_huge();
  CHECK(mprotect(nth(base, 3), PGSIZE, PROT_READ) == 0 && mprotect(nth(base, 3), PGSIZE, RW) == 0);
  EQUALS(page(base).level, 0);
  advise(base, HUGEPTES, MADV_COLLAPSE);
  EQUALS(page(base).level, 1);
  CHECK(stamped_all(base, 1, HUGEPTES));
}

static void
collapse_and_write(uint64 unused)
{
  (void)unused;
  madvise(base, HUGESIZE, MADV_COLLAPSE); // may be refused while it is shared
  stamp_all(base, 4, HUGEPTES);
}

void
huge_collapse_of_shared_pages(void)
{
  counts(SI_DROP);
  map_at(base, HUGEPTES, 0);
  stamp_all(base, 1, HUGEPTES);
  LIVES(collapse_and_write, 0);
  CHECK(stamped_all(base, 1, HUGEPTES));
}

// ---- no block left ----

// Takes all memory in small pages and gives every second one back: half is free, and no 2 MiB.
static void
fragment(void)
{
  uint64 n = 0;
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_NEVER) == 0);
  while (mmap(nth(base + GIB, n), 64 * PGSIZE, RW,
              MAP_PRIVATE | MAP_ANON | MAP_FIXED | MAP_POPULATE, -1, 0) != MAP_FAILED)
    n += 64;
  CHECK(n > 64 && errno == ENOMEM);
  for (uint64 i = 0; i < n; i += 2)
    advise(nth(base + GIB, i), 1, MADV_DONTNEED);
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_MADVISE) == 0);
}

// Small pages come instead, and nobody is told; only who insists is refused.
void
huge_without_a_block(void)
{
  huge_area(2);
  fragment();
  warm();
  CHECK(counts(0).free > 4 * HUGEPTES);
  mark();
  stamp_all(base, 1, 2 * HUGEPTES);
  EQUALS(since()->huge, 0);
  EQUALS(since()->zero_fill, 2 * HUGEPTES);
  CHECK(page(base).level == 0 && stamped_all(base, 1, 2 * HUGEPTES));
  FAILS(madvise(base, HUGESIZE, MADV_COLLAPSE), ENOMEM);
  CHECK(stamped_all(base, 1, 2 * HUGEPTES));
  struct waitinfo wi = fate(use_hugetlb, (uint64)base + HUGESIZE);
  CHECK((wi.how == DIED_EXIT && wi.status == 5) || wi.how == DIED_NOMEM);
}

// ---- with other techniques ----

// A call that fills from small pages across the edge into a huge one, and back out.
void
huge_filled_by_calls(void)
{
  make("f", 6, 12 * PGSIZE);
  int fd = open("f", O_RDONLY);
  map_at(base - 4 * PGSIZE, 4, 0);
  huge_area(1);
  *base = 1;
  EQUALS(page(base).level, 1);
  char *p = base - 3 * PGSIZE + 77;
  CHECK(read(fd, p, 12 * PGSIZE) == 12 * PGSIZE && same(p, 12 * PGSIZE, 6, 0));
  EQUALS(page(base).level, 1);
  fd = create("g");
  put(fd, p, 12 * PGSIZE);
  holds("g", 6, 12 * PGSIZE);
  put(fd, base + HUGESIZE - 10, 10);
  FAILS(write(fd, base + HUGESIZE - 10, 11), EFAULT);
}

void
huge_paged_out(void)
{
  swap_on();
  warm();
  stamped_huge();
  mark();
  page_out(nth(base, 10), 4);
  EQUALS(since()->huge_splits, 1);
  for (int i = 8; i < 16; i++)
    EQUALS(!!(page(nth(base, i)).flags & PI_SWAP), i >= 10 && i < 14);
  CHECK(stamped_all(base, 1, HUGEPTES));
  page_out(base, HUGEPTES);
  CHECK(stamped_all(base, 1, HUGEPTES));
  swap_off();
}
