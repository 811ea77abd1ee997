// SPDX-License-Identifier: MIT
// No memory left: calls say ENOMEM, who touches too much dies, the others go on. Slow.
#include "test.h"

static void
eat_everything(uint64 unused)
{
  (void)unused;
  for (int step = 1 << 24; step >= PGSIZE; step /= 2)
    while (sbrk(step) != SBRK_ERROR)
      ;
  CHECK(errno == ENOMEM);
  char *end = sbrk(0);
  end[-1] = 1;
}

// All frames in one process: sbrk says ENOMEM, and they come back with its end.
void
memory_until_none_is_left(void)
{
  for (int i = 0; i < 3; i++)
    LIVES(eat_everything, 0);
}

static void
touch_everything(uint64 unused)
{
  (void)unused;
  uint64 frames = counts(0).frames;
  char *p = sbrk(0);
  for (uint64 i = 0; i <= frames * PGSIZE >> 24; i++)
    CHECK(sbrklazy(1 << 24) != SBRK_ERROR);
  for (uint64 i = 0; i <= frames; i++)
    p[i * PGSIZE] = 1;
}

// More lazy memory than there are frames: who touches it all is killed, and nobody else is.
void
memory_lazy_beyond_frames(void)
{
  int bystander = spawn(loiter, 0);
  DIES(touch_everything, 0);
  CHECK(state_of(bystander) == ASLEEP);
  kill(bystander);
  CHECK(reap(bystander) == KILLED);
}

static int order[2], answer[2], gate[2];

// Takes all memory but so many pages when it is told how many, and gives it back when nobody tells it
// any more.
static void
hog(uint64 unused)
{
  int keep;
  (void)unused;
  close(order[1]);
  while (read(order[0], &keep, sizeof(keep)) == sizeof(keep)) {
    for (int step = 1 << 24; step >= PGSIZE; step /= 2)
      while (sbrk(step) != SBRK_ERROR)
        ;
    sbrk(-keep * PGSIZE);
    put(answer[1], "x", 1);
  }
  exit(0);
}

// Waits for the gate, then wants a bit of everything.
static void
want_things(uint64 k)
{
  int ends[2], fd;
  char c, *argv[] = { "@args", "arg 1", 0 };
  close(answer[1]);
  get(gate[0], &c, 1);
  if (k % 3 == 0 && fork() == 0)
    exit(0);
  if (k % 2 == 0 && pipe(ends) == 0)
    put(ends[1], "x", 1);
  if (sbrk(PGSIZE) != SBRK_ERROR)
    ((char *)sbrk(0))[-1] = 1;
  mkdir("few.d");
  if ((fd = open("few", O_CREATE | O_RDWR)) >= 0)
    write(fd, buf, 3 * PGSIZE);
  exec(SELF, argv);
}

static void
with_pages_left(int k)
{
  char c = 0;
  CHECK(pipe(order) == 0 && pipe(answer) == 0 && pipe(gate) == 0);
  int wanting = spawn(want_things, k), big = spawn(hog, 0);
  close(answer[1]);
  put(order[1], &k, sizeof(k));
  read(answer[0], &c, 1); // or the end, when the hog has been chosen to end
  put(gate[1], &c, 1);
  for (int i = 0, how; i < 2; i++) { // whatever becomes of the one that wants things
    int pid = wait(&how);
    CHECK(pid == wanting || (pid == big && (how == 0 || how == KILLED)));
    if (pid == wanting)
      close(order[1]); // the hog's end
  }
  close(order[0]);
  close(answer[0]);
  close(gate[0]);
  close(gate[1]);
  unlink("few");
  unlink("few.d");
}

// With k pages left, for small k: fork, pipe, sbrk, mkdir, write and exec work or fail, nothing
// breaks, and nothing is lost. The hog, which has most, or the one that wants things may die of it.
void
memory_nearly_gone(void)
{
  with_pages_left(5000);
  for (int k = 0; k < 60; k++)
    with_pages_left(k);
  CHECK(run(exit_with, 12) == 12);
}
