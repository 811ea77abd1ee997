// SPDX-License-Identifier: MIT
// Several processes at once, for several harts: each does a row's work, in a folder of its own.
// What counts is what they did to each other, above all locks waited for: harts that run at the
// same time have no instructions that QEMU could count.
#include "bench.h"

#define ROUNDS 3

enum { READY, GO, DONE, END, STEPS };

int workers;

static int step[STEPS][2];

static void
say(int at, int times)
{
  while (times-- > 0)
    need(write(step[at][1], "", 1) == 1, "pipe");
}

static void
hear(int at, int times)
{
  char c;
  while (times-- > 0)
    need(read(step[at][0], &c, 1) == 1, "pipe");
}

static void
work(const struct row *r, int i)
{
  char name[] = "bench.w0.";
  mkdir(numbered(name, i));
  need(chdir(name) == 0, name);
  if (r->before)
    r->before(r->n);
  say(READY, 1);
  hear(GO, 1);
  r->run(r->n);
  say(DONE, 1);
  hear(END, 1);
  if (r->after)
    r->after(r->n);
  chdir("/");
  remove_dir(name);
  exit(0);
}

static uint64
together(const struct row *r, struct costs *c)
{
  struct costs before;
  for (int i = 0; i < STEPS; i++)
    need(pipe(step[i]) == 0, "pipe");
  for (int i = 0; i < workers; i++)
    if (fork_or_end() == 0)
      work(r, i);
  hear(READY, workers);
  costs_now(&before);
  uint64 start = instret();
  say(GO, workers);
  hear(DONE, workers);
  uint64 end = instret();
  *c = costs_since(&before);
  say(END, workers);
  for (int i = 0; i < workers; i++)
    reap();
  for (int i = 0; i < STEPS; i++) {
    close(step[i][0]);
    close(step[i][1]);
  }
  return end - start;
}

void
at_once(const struct row *r)
{
  uint64 best = ~0UL;
  struct costs least = { 0 };
  for (int i = 0; i < ROUNDS; i++) {
    struct costs c;
    uint64 cost = together(r, &c);
    if (cost < best) {
      best = cost;
      least = c;
    }
  }
  report("share", r->name, workers, (uint64)workers * r->n * r->units, best, &least);
}
