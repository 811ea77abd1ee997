// SPDX-License-Identifier: MIT
// No frame left and nothing to reclaim: one process ends, the right one, and the others go on.
#include "test.h"

// More than there is.
static void
use_all(uint64 unused)
{
  (void)unused;
  uint64 pages = counts(0).frames;
  char *p = map(pages, 0);
  stamp_all(p, 1, (uint)pages);
}

void
oom_ends_the_hog(void)
{
  char *mine = map(100, 0);
  stamp_all(mine, 2, 100);
  int bystander = post(nothing, 0);
  for (int i = 0; i < 3; i++) {
    struct waitinfo wi = fate(use_all, 0);
    EQUALS(wi.how, DIED_KILL);
  }
  EQUALS(state_of(bystander), ASLEEP);
  dismiss(bystander);
  CHECK(stamped_all(mine, 2, 100));
}

static void
use_most(uint64 unused)
{
  (void)unused;
  uint64 pages = counts(SI_DROP).free * 9 / 10;
  char *p = map(pages, 0);
  stamp_all(p, 1, (uint)pages);
}

static void
use_a_quarter(uint64 unused)
{
  (void)unused;
  uint64 pages = counts(0).frames / 4;
  char *p = map(pages, 0);
  stamp_all(p, 1, (uint)pages);
  CHECK(stamped_all(p, 1, (uint)pages));
}

// Who wants the last frame need not be who has the most.
void
oom_takes_the_largest(void)
{
  struct waitinfo wi;
  int hog = post(use_most, 0), small = spawn(use_a_quarter, 0);
  EQUALS(waitinfo(&wi), hog); // the first to end
  EQUALS(wi.how, DIED_KILL);
  EQUALS(ending(small).status, 0);
}

// Hogs of every kind of memory.
static void
use_stack_and_heap(uint64 unused)
{
  (void)unused;
  for (char *p = heap_edge();; p += MIB) {
    CHECK(sbrklazy((int)MIB) != SBRK_ERROR);
    stamp_all(p, 1, MIB / PGSIZE);
  }
}

static void
use_shared(uint64 unused)
{
  (void)unused;
  uint64 pages = counts(0).frames;
  char *p = map(pages, MAP_SHARED);
  stamp_all(p, 1, (uint)pages);
}

static void
use_huge(uint64 unused)
{
  (void)unused;
  uint64 pages = counts(0).frames;
  char *p = map_at(DESERT, pages, 0);
  advise(p, pages, MADV_HUGEPAGE);
  stamp_all(p, 1, (uint)pages);
}

// The kernel touches for it.
static void
use_by_calls(uint64 unused)
{
  (void)unused;
  uint64 pages = counts(0).frames;
  char *p = map(pages, 0);
  for (uint64 i = 0; i + 16 <= pages; i += 16) {
    int fd = open("f", O_RDONLY);
    if (read(fd, nth(p, i), 16 * PGSIZE) < 0)
      exit(errno == ENOMEM ? 5 : 6);
    close(fd);
  }
}

void
oom_of_every_kind_of_memory(void)
{
  EQUALS(fate(use_stack_and_heap, 0).how, DIED_KILL);
  EQUALS(fate(use_shared, 0).how, DIED_KILL);
  EQUALS(fate(use_huge, 0).how, DIED_KILL);
  make("f", 1, 16 * PGSIZE);
  struct waitinfo wi = fate(use_by_calls, 0);
  CHECK(wi.how == DIED_KILL || (wi.how == DIED_EXIT && wi.status == 5));
}

// Three at once: the memory comes back, whoever goes first.
void
oom_several_hogs(void)
{
  for (int i = 0; i < 3; i++)
    spawn(use_all, 0);
  for (int i = 0; i < 3; i++) {
    struct waitinfo wi;
    CHECK(waitinfo(&wi) > 0);
    EQUALS(wi.how, DIED_KILL);
  }
}

// Copies, too, need frames.
static void
write_over(uint64 p)
{
  uint64 pages = counts(0).frames * 2 / 3;
  stamp_all((char *)p, 3, (uint)pages);
}

void
oom_by_copies(void)
{
  uint64 pages = counts(SI_DROP).frames * 2 / 3;
  int pid = fork();
  if (pid == 0) {
    char *p = map(pages, 0);
    stamp_all(p, 1, (uint)pages);
    int child = spawn(write_over, (uint64)p);
    struct waitinfo wi = ending(child);
    EQUALS(wi.how, DIED_KILL);
    CHECK(stamped_all(p, 1, (uint)pages));
    exit(0);
  }
  struct waitinfo wi = ending(pid); // one of the two is the larger
  CHECK(wi.how == DIED_KILL || (wi.how == DIED_EXIT && wi.status == 0));
}
