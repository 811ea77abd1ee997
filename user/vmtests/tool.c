// SPDX-License-Identifier: MIT
// How processes die, children that stand still while they are looked at, threads.
#include "test.h"

// How this child ended. Others that end before are forgotten.
struct waitinfo
ending(int pid)
{
  struct waitinfo wi;
  int got;
  do {
    got = waitinfo(&wi);
    CHECK(got > 0 && got == wi.pid);
  } while (got != pid);
  return wi;
}

// How a child that does fn(arg) ends.
struct waitinfo
fate(work_fn *fn, uint64 arg)
{
  return ending(spawn(fn, arg));
}

// Ends the process unless that was how. access 0: whatever the access was.
void
must_end(const char *file, int line, const char *what, struct waitinfo wi, int how, uint64 va,
         int access)
{
  static const char *const words[] = {
    "exit", "kill", "fault", "I/O error", "no memory", "illegal"
  };
  char text[200];
  if (wi.how == how && wi.va == va && (access == 0 || wi.access == access))
    return;
  snprintf(text, sizeof(text), "%s ended by %s at %p (access %d, status %d), not by %s at %p (%d)",
           what, wi.how < COUNT(words) ? words[wi.how] : "?", (void *)wi.va, wi.access, wi.status,
           words[how], (void *)va, access);
  broken(file, line, text);
}

// Starts a child that does fn(arg) and then stands still; returns when it has done it.
int
post(work_fn *fn, uint64 arg)
{
  int ready[2];
  char c;
  CHECK(pipe(ready) == 0);
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    close(ready[0]);
    fn(arg);
    put(ready[1], "x", 1);
    loiter(0);
  }
  close(ready[1]);
  if (read(ready[0], &c, 1) != 1)
    exit(1); // it has said why
  close(ready[0]);
  await(pid, ASLEEP);
  return pid;
}

void
dismiss(int pid)
{
  CHECK(kill(pid) == 0);
  EQUALS(ending(pid).how, DIED_KILL);
}

// How many ranges this address space has.
int
ranges(void)
{
  int n = vmas(0, 0, 0);
  CHECK(n > 0);
  return n;
}

// Frames that nobody has, once the cache is dropped.
uint64
frames_free(void)
{
  counts(SI_DROP);
  return spare_frames();
}

void
stamp_all(char *p, uint seed, uint pages)
{
  for (uint i = 0; i < pages; i++)
    stamp(nth(p, i), seed, i);
}

int
stamped_all(const char *p, uint seed, uint pages)
{
  for (uint i = 0; i < pages; i++)
    if (!stamped(nth(p, i), seed, i))
      return 0;
  return 1;
}

void
advise(const void *p, uint64 pages, int advice)
{
  CHECK(madvise((void *)p, pages * PGSIZE, advice) == 0);
}

void
jump(uint64 at)
{
  ((void (*)(void))at)();
}

void
nothing(uint64 unused)
{
  (void)unused;
}

// ---- threads ----

#define NTHREADS   4
#define STACK_SIZE (4 * PGSIZE)

static char stacks[NTHREADS][STACK_SIZE] __attribute__((aligned(16)));
static int started;

// A thread of this process that does fn(arg), which ends with texit(); its id.
int
thread(void (*fn)(void *), void *arg)
{
  CHECK(started < NTHREADS);
  int tid = clone(fn, arg, stacks[started++] + STACK_SIZE);
  CHECK(tid > 0);
  return tid;
}

void
end_of_thread(int tid)
{
  int status = 99;
  CHECK(join(tid, &status) >= 0);
  EQUALS(status, 0);
}
