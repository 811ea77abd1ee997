// SPDX-License-Identifier: MIT
// Lazy memory: frames come at the first touch, whoever touches, the program or the kernel.
#include "test.h"

#define GIB (1 << 30)

void
lazy_memory_is_zero(void)
{
  char *p = sbrklazy(64 * PGSIZE);
  CHECK(p != SBRK_ERROR && sbrk(0) == p + 64 * PGSIZE);
  CHECK(zeros(p, 32 * PGSIZE));
  fill(p + 10 * PGSIZE, 54 * PGSIZE, 5, 0);
  CHECK(same(p + 10 * PGSIZE, 54 * PGSIZE, 5, 0));
  CHECK(zeros(p, 10 * PGSIZE));
}

// Memory costs frames when it is touched, not before.
void
lazy_memory_costs_nothing_untouched(void)
{
  uint64 was = spare_frames();
  char *p = sbrklazy(4000 * PGSIZE);
  CHECK(p != SBRK_ERROR);
  CHECK(spare_frames() + 64 >= was);
  for (int i = 0; i < 1000; i++)
    p[i * PGSIZE] = 1;
  CHECK(spare_frames() + 900 <= was);
}

void
lazy_memory_ends_at_the_break(void)
{
  uint64 edge = (uint64)heap_edge();
  CHECK(sbrklazy(3 * PGSIZE) == (char *)edge);
  LIVES(touch, edge + 3 * PGSIZE - 1);
  DIES(touch, edge + 3 * PGSIZE);
  CHECK(sbrk(-PGSIZE) != SBRK_ERROR);
  LIVES(touch, edge + 2 * PGSIZE - 1);
  DIES(touch, edge + 2 * PGSIZE);
}

// The kernel may be the first to touch: read() across pages that nobody has used yet.
void
lazy_memory_filled_by_read(void)
{
  make("f", 6, 5 * PGSIZE);
  int fd = open("f", O_RDONLY);
  char *p = sbrklazy(40 * PGSIZE) + 100;
  CHECK(read(fd, p, 5 * PGSIZE) == 5 * PGSIZE);
  CHECK(same(p, 5 * PGSIZE, 6, 0));
  CHECK(zeros(p + 5 * PGSIZE, 5 * PGSIZE));
}

void
lazy_memory_taken_by_write(void)
{
  char *p = sbrklazy(40 * PGSIZE) + 50;
  int fd = create("f");
  put(fd, p, 30 * PGSIZE);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  for (int i = 0; i < 30; i++) {
    get(fd, buf, PGSIZE);
    CHECK(zeros(buf, PGSIZE));
  }
}

// A name whose zero is the first byte of an untouched page.
void
lazy_memory_ends_a_name(void)
{
  make("READER", 1, 3);
  char *edge = heap_edge();
  CHECK(sbrklazy(2 * PGSIZE) == edge);
  memmove(edge - 6, "READER", 6);
  int fd = open(edge - 6, O_RDONLY);
  CHECK(fd >= 0);
  FAILS(open(edge + PGSIZE, O_RDONLY), ENOENT); // an empty name there: no fault
}

// Small results go there too.
void
lazy_memory_takes_results(void)
{
  char *p = sbrklazy(10 * PGSIZE);
  p = (char *)PGROUNDUP((uint64)p);
  int *ends = (int *)(p + PGSIZE - 4), *status = (int *)(p + 2 * PGSIZE);
  struct stat *st = (struct stat *)(p + 4 * PGSIZE - 8);
  CHECK(pipe(ends) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
  CHECK(fstat(1, st) == 0);
  spawn(exit_with, 44);
  CHECK(wait(status) > 0 && *status == 44);
}

void
lazy_memory_through_a_pipe(void)
{
  int ends[2];
  CHECK(pipe(ends) == 0);
  char *p = sbrklazy(8 * PGSIZE);
  put(ends[1], p, 100);
  put(ends[1], "x", 1);
  get(ends[0], p + 5 * PGSIZE - 50, 101);
  CHECK(zeros(p + 5 * PGSIZE - 50, 100) && p[5 * PGSIZE + 50] == 'x');
}

// Beyond what fits in an int: addresses stay right.
void
lazy_memory_of_many_gib(void)
{
  char *base = sbrk(0);
  for (int64 i = 0; i < 8; i++)
    CHECK(sbrklazy(GIB) == base + i * GIB);
  CHECK(sbrk(0) == base + 8L * GIB);
  for (int64 i = 0; i < 8; i++) {
    base[i * GIB] = (char)(i + 1);
    base[i * GIB + GIB - 1] = (char)(i + 100);
  }
  for (int64 i = 0; i < 8; i++)
    CHECK(base[i * GIB] == i + 1 && base[i * GIB + GIB - 1] == i + 100);
  for (int64 i = 0; i < 8; i++)
    CHECK(sbrk(-GIB) == base + (8 - i) * GIB);
  CHECK(sbrk(0) == base);
}

// Up to the top of what a program may have, by ever smaller steps: it ends below the stack, all of
// it can be used, and the next page is refused.
void
lazy_memory_to_the_top(void)
{
  uint64 low = STACKBASE - GIB;
  for (int step = GIB; step >= PGSIZE; step /= 2)
    while (sbrklazy(step) != SBRK_ERROR)
      CHECK((uint64)sbrk(0) <= STACKBASE);
  CHECK(errno == ENOMEM);
  uint64 top = PGROUNDDOWN((uint64)sbrk(0));
  CHECK(top > low);
  touch(top - 1);
  touch(top - GIB);
  FAILS(sbrklazy(PGSIZE), ENOMEM);
  FAILS(sbrk(PGSIZE), ENOMEM);
  LIVES(touch, top - 1);
  char *one[] = { "@args", 0 };
  int pid = fork();
  if (pid == 0) {
    exec(SELF, one);
    broken(__FILE__, __LINE__, "exec from a full address space");
  }
  CHECK(reap(pid) == 1);
}

// Both kinds side by side, and a fork between them.
static void
check_mixture(uint64 at)
{
  char *p = (char *)at;
  CHECK(same(p, PGSIZE, 7, 0) && zeros(p + PGSIZE, 2 * PGSIZE) && same(p + 3 * PGSIZE, 100, 8, 0));
  fill(p + PGSIZE, PGSIZE, 9, 0);
}

void
lazy_and_eager_mixed(void)
{
  char *p = heap_edge();
  CHECK(sbrk(PGSIZE) == p && sbrklazy(2 * PGSIZE) == p + PGSIZE);
  CHECK(sbrk(PGSIZE) == p + 3 * PGSIZE);
  fill(p, PGSIZE, 7, 0);
  fill(p + 3 * PGSIZE, 100, 8, 0);
  LIVES(check_mixture, p);
  check_mixture((uint64)p);
}
