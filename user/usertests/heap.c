// SPDX-License-Identifier: MIT
// The heap: sbrk eager and lazy, down as well as up, and what its limits are.
#include "test.h"

#define GIB (1 << 30)

void
sbrk_gives_zeros(void)
{
  char *was = sbrk(20 * PGSIZE);
  CHECK(was != SBRK_ERROR && sbrk(0) == was + 20 * PGSIZE);
  CHECK(zeros(was, 20 * PGSIZE));
  fill(was, 20 * PGSIZE, 3, 0);
  CHECK(same(was, 20 * PGSIZE, 3, 0));
}

static void
dirty_memory(uint64 pages)
{
  char *p = sbrk(pages * PGSIZE);
  CHECK(p != SBRK_ERROR);
  memset(p, 0xa5, pages * PGSIZE);
}

// Frames that somebody else has used come clean.
void
sbrk_recycled_frames_are_zero(void)
{
  for (int round = 0; round < 3; round++) {
    LIVES(dirty_memory, 500);
    char *p = round & 1 ? sbrklazy(500 * PGSIZE) : sbrk(500 * PGSIZE);
    CHECK(p != SBRK_ERROR && zeros(p, 500 * PGSIZE));
    CHECK(sbrk(-500 * PGSIZE) != SBRK_ERROR);
  }
}

void
sbrk_byte_by_byte(void)
{
  char *at = sbrk(0);
  for (int i = 0; i < 5000; i++) {
    CHECK(sbrk(1) == at);
    *at++ = (char)i;
  }
  CHECK(at[-1] == (char)4999);
}

// Down to the middle of a page: the page below the break stays, with its bytes.
void
sbrk_down_within_a_page(void)
{
  char *base = heap_edge();
  CHECK(sbrk(3 * PGSIZE) == base);
  fill(base, 3 * PGSIZE, 4, 0);
  CHECK(sbrk(-10) == base + 3 * PGSIZE);
  CHECK(sbrk(-(PGSIZE - 20)) == base + 3 * PGSIZE - 10);
  CHECK(sbrk(0) == base + 2 * PGSIZE + 10);
  CHECK(same(base, 2 * PGSIZE + 10, 4, 0));
  CHECK(sbrk(-(PGSIZE + 5)) != SBRK_ERROR);
  CHECK(same(base, PGSIZE + 5, 4, 0));
}

// What went below the break and comes back is zero.
void
sbrk_down_and_up_is_zero(void)
{
  char *base = heap_edge();
  for (int lazy = 0; lazy < 2; lazy++) {
    CHECK(sbrk(4 * PGSIZE) == base);
    memset(base, 0x77, 4 * PGSIZE);
    CHECK(sbrk(-4 * PGSIZE) != SBRK_ERROR);
    CHECK((lazy ? sbrklazy(4 * PGSIZE) : sbrk(4 * PGSIZE)) == base);
    CHECK(zeros(base, 4 * PGSIZE));
    CHECK(sbrk(-4 * PGSIZE) != SBRK_ERROR);
  }
}

// Frames go back at once.
void
sbrk_down_gives_frames_back(void)
{
  char *p = sbrk(1000 * PGSIZE);
  CHECK(p != SBRK_ERROR);
  uint64 was = spare_frames();
  CHECK(sbrk(-1000 * PGSIZE) != SBRK_ERROR);
  CHECK(spare_frames() >= was + 900);
}

void
sbrk_down_takes_memory_away(void)
{
  char *p = sbrk(10 * PGSIZE);
  memset(p, 1, 10 * PGSIZE);
  char *edge = (char *)PGROUNDUP((uint64)p + 5 * PGSIZE);
  CHECK(sbrk(-(int)((char *)sbrk(0) - edge)) != SBRK_ERROR);
  LIVES(touch, edge - 1);
  DIES(touch, edge);
  DIES(touch, edge + 3 * PGSIZE);
}

// Below its start the heap does not shrink; the program goes on.
void
sbrk_below_the_heap(void)
{
  int size = (int)(uint64)sbrk(0);
  char *was = sbrk(0);
  FAILS(sbrk(-size), EINVAL);
  FAILS(sbrk(-(size - 3500)), EINVAL);
  FAILS(sbrk(-size - PGSIZE), EINVAL);
  FAILS(sbrk(-0x7fffffff - 1), EINVAL);
  FAILS(sbrklazy(-size), EINVAL);
  CHECK(sbrk(0) == was);
}

void
sbrk_unknown_kind(void)
{
  char *was = sbrk(0);
  FAILS(sys_sbrk(PGSIZE, 0), EINVAL);
  FAILS(sys_sbrk(PGSIZE, 77), EINVAL);
  CHECK(sbrk(0) == was);
}

// More than the machine has: refused at once, and no frame is kept.
void
sbrk_more_than_memory(void)
{
  struct sysinfo si = counts(0);
  int64 want = si.frames * PGSIZE;
  char *was = sbrk(0);
  if (want >= 2L * GIB)
    want = 2L * GIB - PGSIZE; // the largest step; a large machine may grant it
  char *got = sbrk((int)want);
  if (si.frames * PGSIZE < 2UL * GIB)
    CHECK(got == SBRK_ERROR && errno == ENOMEM);
  if (got == SBRK_ERROR)
    CHECK(sbrk(0) == was && spare_frames() + 64 >= si.free + si.cache);
}

void
malloc_and_free(void)
{
  char *at[200];
  for (int round = 0; round < 5; round++) {
    for (uint i = 0; i < COUNT(at); i++) {
      at[i] = malloc(1 + i * i % 9000);
      CHECK(at[i] != 0);
      fill(at[i], 1 + i * i % 9000, i, 0);
    }
    for (uint i = 0; i < COUNT(at); i++) {
      CHECK(same(at[i], 1 + i * i % 9000, i, 0));
      free(at[i]);
    }
  }
  char *p = realloc(calloc(10, 10), 5000);
  CHECK(p != 0 && zeros(p, 100));
  free(p);
}
