// SPDX-License-Identifier: MIT
// bench: what work costs, in instructions.
//
//   bench              all rows           bench NAME...   these
//   bench -l           what there is      bench -p NAME   for tools/profile: see profile()
//   bench -x           does nothing: what the row "exec" starts
//
// The rows are in bench/, one subject a file. A row is measured ROUNDS times, and the round that
// cost least counts: the others had to wait for something, or the clock struck.
#include "bench/bench.h"

#define ROUNDS 5

static const struct row *const groups[] = { process_rows, memory_rows, pipe_rows, file_rows };
#define NGROUPS ((int)(sizeof(groups) / sizeof(groups[0])))

void
need(int fact, const char *what)
{
  if (fact)
    return;
  perror(what);
  exit(1);
}

int
fork_or_end(void)
{
  int pid = fork();
  need(pid >= 0, "fork");
  return pid;
}

void
reap(void)
{
  need(wait(0) >= 0, "wait");
}

static void
nothing(int n)
{
  (void)n;
}

// One round: instructions, and what else it cost.
static uint64
round(const struct row *r, struct costs *c)
{
  struct costs before, after;
  if (r->before)
    r->before(r->n);
  costs_now(&before);
  uint64 start = instret();
  r->run(r->n);
  uint64 end = instret();
  costs_now(&after);
  if (r->after)
    r->after(r->n);
  *c = (struct costs){ .satp = after.satp - before.satp,
                       .fences = after.fences - before.fences,
                       .switches = after.switches - before.switches,
                       .disk = after.disk - before.disk,
                       .contended = after.contended - before.contended,
                       .idle = after.idle - before.idle };
  return end - start - c->idle;
}

static uint64
least(const struct row *r, struct costs *c)
{
  uint64 best = ~0UL;
  for (int i = 0; i < ROUNDS; i++) {
    struct costs now;
    uint64 n = round(r, &now);
    if (n < best) {
      best = n;
      *c = now;
    }
  }
  return best;
}

// What counting costs.
static uint64
overhead(void)
{
  static const struct row empty = { "", "", 0, nothing, 0, 1, 1 };
  struct costs c;
  return least(&empty, &c);
}

static void
measure(const struct row *r)
{
  struct costs c;
  uint64 n = least(r, &c) - overhead();
  uint units = r->n * r->units;
  printf(
      "row %s %lu units %u cost %lu satp %lu fences %lu switches %lu disk %lu contended %lu idle %lu\n",
      r->name, n / units, units, n, c.satp, c.fences, c.switches, c.disk, c.contended, c.idle);
}

// For tools/profile: the work of one row between two calls that can be found in a trace, after the
// tool had time to begin with it.
__attribute__((noinline)) void
profile_mark(int n)
{
  asm volatile("" ::"r"(n));
}

static void
profile(const struct row *r)
{
  char c;
  for (int i = 0; i < 2; i++) {
    if (r->before)
      r->before(r->n);
    if (i == 1) {
      printf("ready: %d\n", r->n * r->units);
      read(0, &c, 1);
      profile_mark(0);
    }
    r->run(r->n);
    if (i == 1)
      profile_mark(1);
    if (r->after)
      r->after(r->n);
  }
}

static int
wanted(const struct row *r, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], r->name) == 0)
      return 1;
  return argc == 1;
}

static void
each(int argc, char **argv, void (*fn)(const struct row *))
{
  int found = 0;
  for (int g = 0; g < NGROUPS; g++)
    for (const struct row *r = groups[g]; r->name; r++)
      if (wanted(r, argc, argv)) {
        fn(r);
        found++;
      }
  if (found == 0) {
    fprintf(2, "bench: there is no such row: bench -l lists them\n");
    exit(1);
  }
}

static void
list(const struct row *r)
{
  printf("%-12s %s\n", r->name, r->about);
}

// Instructions since the machine was switched on: now, and after the cache was emptied, so that a
// second call tells what a command costs.
static void
since_boot(void)
{
  struct costs c;
  uint64 now = instret();
  costs_now(&c);
  printf("boot %lu frames %lu", now - c.idle, frames_in_use());
  drop_cache();
  now = instret();
  costs_now(&c);
  printf(" left %lu\n", now - c.idle);
}

int
main(int argc, char **argv)
{
  if (argc > 1 && strcmp(argv[1], "-x") == 0)
    exit(0);
  if (argc > 1 && strcmp(argv[1], "-l") == 0)
    each(1, argv, list);
  else if (argc > 1 && strcmp(argv[1], "-b") == 0)
    since_boot();
  else if (argc > 2 && strcmp(argv[1], "-p") == 0)
    each(argc - 1, argv + 1, profile);
  else
    each(argc, argv, measure);
  exit(0);
}
