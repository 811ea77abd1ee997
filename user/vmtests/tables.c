// SPDX-License-Identifier: MIT
// Page tables: made when something is mapped below them, given back when they are empty.
#include "test.h"

// The first page far from anything needs a table of level 1 and one of level 0, its neighbours none.
void
tables_grow_on_demand(void)
{
  warm();
  mark();
  char *p = map_at(DESERT, 4, 0);
  EQUALS(since()->tables_made, 0);
  for (int i = 0; i < 4; i++) {
    *nth(p, i) = 1;
    EQUALS(since()->tables_made, 2);
    EQUALS(since()->faults, i + 1);
    EQUALS(since()->zero_fill, i + 1);
  }
}

// Root, level 1, level 0, page: 1, 2, 3, 4 frames; then one more for one more page.
void
tables_timeline(void)
{
  warm();
  char *p = map_at(DESERT, 2, 0);
  struct vmstat was = vm();
  *nth(p, 0) = 1;
  struct vmstat is = vm();
  EQUALS(1 + is.tables - was.tables + is.resident - was.resident, 4);
  *nth(p, 1) = 1;
  is = vm();
  EQUALS(1 + is.tables - was.tables + is.resident - was.resident, 5);
  struct pageinfo a = page(nth(p, 0)), b = page(nth(p, 1));
  CHECK(a.table[0] != 0 && a.table[1] != 0 && a.table[0] != a.table[1]);
  CHECK(a.table[0] == b.table[0] && a.table[1] == b.table[1] && a.frame != b.frame);
}

// Three pages spread over the address space: root, two of level 1, two of level 0.
void
tables_sparse_cost_five(void)
{
  char *at[] = { DESERT, DESERT + PGSIZE, DESERT + 100 * GIB };
  warm();
  uint64 was = vm().tables;
  for (int i = 0; i < COUNT(at); i++)
    *map_at(at[i], 1, 0) = 1;
  EQUALS(1 + vm().tables - was, 5);
  struct pageinfo a = page(at[0]), b = page(at[1]), c = page(at[2]);
  CHECK(a.table[0] == b.table[0] && a.table[1] == b.table[1]);
  CHECK(a.table[0] != c.table[0] && a.table[1] != c.table[1]);
  CHECK(a.level == 0 && b.level == 0 && c.level == 0);
}

// A program that has just started is that example: text and data low, the stack high.
void
tables_of_a_new_program(void)
{
  EQUALS(rerun("@tables"), 5);
}

void
tables_are_given_back(void)
{
  warm();
  uint64 was = vm().tables;
  char *p = map_at(DESERT, 2 * HUGEPTES, 0), *q = p + HUGESIZE;
  mark();
  p[0] = q[0] = 1;
  EQUALS(vm().tables, was + 3);
  unmap(q, HUGEPTES);
  EQUALS(vm().tables, was + 2);
  unmap(p, HUGEPTES);
  EQUALS(vm().tables, was);
  EQUALS(since()->tables_made, 3);
  EQUALS(since()->tables_freed, 3);
}

// It is the last page that matters, and however it goes.
void
tables_stay_while_they_are_used(void)
{
  warm();
  uint64 was = vm().tables;
  char *p = map_at(DESERT, 3, 0);
  *nth(p, 0) = *nth(p, 2) = 1;
  unmap(p, 1);
  EQUALS(vm().tables, was + 2);
  advise(nth(p, 2), 1, MADV_DONTNEED);
  EQUALS(vm().tables, was);
  *nth(p, 2) = 1;
  EQUALS(vm().tables, was + 2);
}

// The heap's tables too.
void
tables_of_the_heap(void)
{
  char *edge = heap_edge();
  warm();
  uint64 was = vm().tables;
  CHECK(sbrklazy(8 * MIB) == edge);
  for (char *p = edge; p < edge + 8 * MIB; p += PGSIZE)
    *p = 1;
  uint64 more = vm().tables - was;
  CHECK(more == 4 || more == 3); // the first may be there
  CHECK(sbrk(-8 * (int)MIB) != SBRK_ERROR);
  EQUALS(vm().tables, was);
}

// Where nothing is mapped the walk ends early, and says where.
void
tables_tell_where_the_walk_ended(void)
{
  EQUALS(page(DESERT).level, 2);
  *map_at(DESERT, 1, 0) = 1;
  EQUALS(page(DESERT).level, 0);
  struct pageinfo pi = page(DESERT + PGSIZE);
  CHECK(pi.level == 0 && pi.frame == 0 && pi.flags == 0 && pi.table[1] != 0);
  pi = page(DESERT + HUGESIZE);
  CHECK(pi.level == 1 && pi.frame == 0 && pi.flags == 0);
  CHECK(pi.table[0] != 0 && pi.table[1] == 0);
  pi = page(DESERT + GIB);
  CHECK(pi.level == 2 && pi.frame == 0 && pi.table[0] == 0 && pi.table[1] == 0);
}

static void
touch_three(uint64 unused)
{
  (void)unused;
  warm();
  uint64 was = vm().tables;
  for (int i = 0; i < 3; i++)
    *nth(DESERT, i * HUGEPTES) = 2;
  EQUALS(vm().tables, was);
}

// A child gets tables of its own for what it shares, and no others.
void
tables_of_a_child(void)
{
  map_at(DESERT, 3 * HUGEPTES, 0);
  for (int i = 0; i < 3; i++)
    *nth(DESERT, i * HUGEPTES) = 1;
  warm();
  uint64 was = vm().tables;
  LIVES(touch_three, 0);
  EQUALS(vm().tables, was);
}
