// SPDX-License-Identifier: MIT
// After fork, parent and child have the same memory and cannot see each other's changes.
#include "test.h"

#define PAGES 300

static char *area;

static void
new_area(void)
{
  area = heap_edge();
  CHECK(sbrk(PAGES * PGSIZE) == area);
  for (uint i = 0; i < PAGES; i++)
    stamp(area + i * PGSIZE, 1, i);
}

static void
area_is(uint seed)
{
  for (uint i = 0; i < PAGES; i++)
    CHECK(stamped(area + i * PGSIZE, seed, i));
}

static void
restamp(uint64 seed)
{
  area_is(1);
  for (uint i = 0; i < PAGES; i++)
    stamp(area + i * PGSIZE, (uint)seed, i);
  area_is((uint)seed);
}

void
cow_child_writes(void)
{
  new_area();
  LIVES(restamp, 2);
  area_is(1);
}

static int ends[2];

static void
look_after_the_parent(uint64 unused)
{
  char c;
  (void)unused;
  get(ends[0], &c, 1);
  area_is(1);
}

void
cow_parent_writes(void)
{
  new_area();
  CHECK(pipe(ends) == 0);
  int pid = spawn(look_after_the_parent, 0);
  restamp(3);
  put(ends[1], "x", 1);
  CHECK(reap(pid) == 0);
  area_is(3);
}

// Brothers have three views of one page.
void
cow_several_children(void)
{
  new_area();
  for (int i = 0; i < 5; i++)
    spawn(restamp, 10 + i);
  reap_all(5);
  area_is(1);
}

// Each generation changes one page more; each sees what its ancestors did, and nobody else's
// changes.
static void
generation(uint64 depth)
{
  for (uint64 i = 0; i < PAGES; i++)
    CHECK(stamped(area + i * PGSIZE, i < depth ? 20 : 1, (uint)i));
  stamp(area + depth * PGSIZE, 20, (uint)depth);
  if (depth < 12)
    LIVES(generation, depth + 1);
  for (uint64 i = 0; i < PAGES; i++)
    CHECK(stamped(area + i * PGSIZE, i <= depth ? 20 : 1, (uint)i));
}

void
cow_chain_of_forks(void)
{
  new_area();
  LIVES(generation, 0);
  area_is(1);
}

static void
read_over(uint64 unused)
{
  (void)unused;
  int fd = open("f", O_RDONLY);
  CHECK(read(fd, area + 10, 20 * PGSIZE) == 20 * PGSIZE);
  CHECK(same(area + 10, 20 * PGSIZE, 7, 0));
}

// The kernel writes into shared pages: it must copy them first, too.
void
cow_written_by_read(void)
{
  new_area();
  make("f", 7, 20 * PGSIZE);
  LIVES(read_over, 0);
  area_is(1);
  CHECK(pipe(ends) == 0);
  int pid = spawn(look_after_the_parent, 0);
  read_over(0);
  put(ends[1], "x", 1);
  CHECK(reap(pid) == 0);
}

static void
results_over(uint64 unused)
{
  (void)unused;
  CHECK(pipe((int *)area) == 0);
  int *p = (int *)area;
  put(p[1], "abc", 3);
  get(p[0], area + PGSIZE, 3);
  CHECK(fstat(p[0], (struct stat *)(area + 2 * PGSIZE)) == 0 || errno != EFAULT);
  CHECK(sysinfo((struct sysinfo *)(area + 3 * PGSIZE), 0) == 0);
  int pid = fork();
  if (pid == 0)
    exit(3);
  CHECK(wait((int *)(area + 4 * PGSIZE)) == pid && *(int *)(area + 4 * PGSIZE) == 3);
}

void
cow_written_by_results(void)
{
  new_area();
  LIVES(results_over, 0);
  area_is(1);
}

static int initialised = 5, zeroed;

static void
change_globals(uint64 value)
{
  CHECK(initialised == 5 && zeroed == 0);
  initialised = (int)value;
  zeroed = (int)value;
  for (int i = 0; i < 1000; i++)
    CHECK(initialised == (int)value && zeroed == (int)value && getpid() > 0);
}

// A fork copies no memory: it costs a few frames, whatever the size.
void
cow_fork_is_cheap(void)
{
  char *big = sbrk(4000 * PGSIZE);
  CHECK(big != SBRK_ERROR);
  run(change_globals, 1); // warms up what a fork uses once
  uint64 was = spare_frames();
  int pid = spawn(loiter, 0);
  await(pid, ASLEEP);
  uint64 is = spare_frames();
  kill(pid);
  CHECK(reap(pid) == KILLED);
  CHECK(was < is + 200);
}

// When the child has gone, the parent's pages are its own again: writing needs no copies.
void
cow_last_owner_needs_no_copy(void)
{
  new_area();
  int pid = spawn(loiter, 0);
  kill(pid);
  CHECK(reap(pid) == KILLED);
  uint64 was = spare_frames();
  restamp(4);
  CHECK(was < spare_frames() + 50);
}

// Memory that was never touched is not shared either.
static void
touch_lazy(uint64 seed)
{
  for (uint i = 0; i < PAGES; i++)
    stamp(area + i * PGSIZE, (uint)seed, i);
  area_is((uint)seed);
}

void
cow_lazy_memory(void)
{
  area = heap_edge();
  CHECK(sbrklazy(PAGES * PGSIZE) == area);
  (void)*(volatile char *)(area + 5 * PGSIZE); // read, not written
  for (int i = 0; i < 4; i++)
    spawn(touch_lazy, 30 + i);
  reap_all(4);
  CHECK(zeros(area, 20 * PGSIZE));
  touch_lazy(40);
}

void
cow_globals(void)
{
  for (int i = 0; i < 4; i++)
    spawn(change_globals, 100 + i);
  reap_all(4);
  CHECK(initialised == 5 && zeroed == 0);
}

// Many processes write the same shared page at the same moment.
static void
write_at_once(uint64 seed)
{
  for (uint i = 0; i < PAGES; i++) {
    CHECK(stamped(area + i * PGSIZE, 1, i));
    stamp(area + i * PGSIZE, (uint)seed + 50, i);
  }
  area_is((uint)seed + 50);
}

void
cow_race(void)
{
  new_area();
  for (int round = 0; round < 5; round++) {
    crowd(4, write_at_once);
    area_is(1);
  }
}
