// SPDX-License-Identifier: MIT
// Page tables: what one page needs, and what a full tree would.
#include "tour.h"

static void
row(uint64 n, const char *what, uint64 frame, const char *at)
{
  printf("  %lu  %-14s frame 0x%lx", n, what, frame);
  if (at)
    printf("  at 0x%lx", (uint64)at);
  printf("\n");
}

// Root, level 1, level 0, page: four frames; then one more.
void
tour_tables(void)
{
  char *p = map_at(DESERT, 2, 0), *q = nth(p, 1);
  mark();
  *p = 1;
  uint64 made = since()->tables_made, faults = since()->faults;
  struct pageinfo a = page(p);
  printf("  1  root table     is there from the start\n");
  row(2, "level-1 table", a.table[0], 0);
  row(3, "level-0 table", a.table[1], 0);
  row(1 + made + 1, "the page", a.frame, p);
  *q = 1;
  uint64 more = since()->tables_made - made;
  row(1 + made + 1 + more + 1, "one page more", page(q).frame, q);
  printf("  tables made: %lu for the first page, %lu for the second; faults: %lu and %lu\n", made,
         more, faults, since()->faults - faults);
  mark();
  unmap(p, 2);
  printf("  both pages unmapped: %lu tables given back\n", since()->tables_freed);
  printf(
      "A table is made when something below it is touched for the first time, and goes with its\n"
      "last page.\n");
}

static uint64
distinct(const uint64 *v, int n)
{
  uint64 count = 0;
  for (int i = 0; i < n; i++) {
    int seen = v[i] == 0;
    for (int k = 0; k < i; k++)
      seen |= v[k] == v[i];
    count += !seen;
  }
  return count;
}

static void
tree(const char *what, uint64 level1, uint64 level0)
{
  uint64 all = 1 + level1 + level0;
  printf("  %-12s %4d %8lu %8lu %8lu %10lu\n", what, 1, level1, level0, all, all * PGSIZE / 1024);
}

// Two pages side by side and one far away: five tables instead of 262,657.
void
tour_sparse(void)
{
  char *at[3] = { DESERT, DESERT + PGSIZE, DESERT + 100 * GIB };
  uint64 level1[3], level0[3], was = vm().tables;
  mark();
  for (int i = 0; i < 3; i++) {
    *map_at(at[i], 1, 0) = 1;
    level1[i] = page(at[i]).table[0];
    level0[i] = page(at[i]).table[1];
  }
  printf("  %-12s %4s %8s %8s %8s %10s\n", "", "root", "level 1", "level 0", "tables", "KiB");
  tree("full tree", PTES, PTES * PTES);
  tree("three pages", distinct(level1, 3), distinct(level0, 3));
  printf("  the pages: 0x%lx 0x%lx 0x%lx\n", (uint64)at[0], (uint64)at[1], (uint64)at[2]);
  printf(
      "  tables made by three touches: %lu, beside the root; tables of this process: %lu, then %lu\n",
      since()->tables_made, was, vm().tables);
  printf("A tree has only the branches that lead somewhere, so its size follows what is used and\n"
         "not how far apart it lies.\n");
}
