// SPDX-License-Identifier: MIT
// bench: what work costs, in instructions.
//
//   bench              all rows           bench NAME...        these
//   bench -l           what there is      bench -g [NAME...]   how costs grow: bench/grow.c
//   bench -b           since power-on     bench -j K NAME...   K processes at once: bench/share.c
//   bench -f           frames in use
//   bench -x           does nothing: what the row "exec" starts
//   bench -p NAME      for bench/profile.py: see profile()
//
// The rows are in bench/, one subject a file. A row is measured ROUNDS times, and the round that
// cost least counts: the others had to wait for something, or the clock struck. bench/bench.py
// reads what is printed here.
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

char *
numbered(char *name, int n)
{
  for (char *p = name + strlen(name) - 2; *p >= '0' && *p <= '9'; p--, n /= 10)
    *p = '0' + n % 10;
  return name;
}

static void
nothing(int n)
{
  (void)n;
}

struct costs
costs_since(const struct costs *before)
{
  struct costs now;
  costs_now(&now);
  return (struct costs){ .satp = now.satp - before->satp,
                         .fences = now.fences - before->fences,
                         .switches = now.switches - before->switches,
                         .disk = now.disk - before->disk,
                         .contended = now.contended - before->contended,
                         .idle = now.idle - before->idle };
}

// One round: instructions, and what else it cost.
static uint64
one_round(const struct row *r, struct costs *c)
{
  struct costs before;
  if (r->before)
    r->before(r->n);
  costs_now(&before); // twice: after a fork, the first call copies the pages it writes to
  costs_now(&before);
  uint64 start = instret();
  r->run(r->n);
  uint64 end = instret();
  *c = costs_since(&before);
  if (r->after)
    r->after(r->n);
  return end - start - c->idle;
}

uint64
least(const struct row *r, int rounds, struct costs *c)
{
  uint64 best = ~0UL;
  for (int i = 0; i < rounds; i++) {
    struct costs now;
    uint64 n = one_round(r, &now);
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
  return least(&empty, ROUNDS, &c);
}

void
report(const char *kind, const char *name, int size, uint64 units, uint64 cost,
       const struct costs *c)
{
  printf("%s %s %d: units %lu cost %lu satp %lu fences %lu switches %lu disk %lu contended %lu\n",
         kind, name, size, units, cost, c->satp, c->fences, c->switches, c->disk, c->contended);
}

static void
measure(const struct row *r)
{
  struct costs c;
  uint64 cost = least(r, ROUNDS, &c) - overhead();
  report("row", r->name, 1, (uint64)r->n * r->units, cost, &c);
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

int
wanted(const char *name, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], name) == 0)
      return 1;
  return argc == 1;
}

static void
each(int argc, char **argv, void (*fn)(const struct row *))
{
  int found = 0;
  for (int g = 0; g < NGROUPS; g++)
    for (const struct row *r = groups[g]; r->name; r++)
      if (wanted(r->name, argc, argv)) {
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

int
main(int argc, char **argv)
{
  if (argc > 1 && strcmp(argv[1], "-x") == 0)
    exit(0);
  if (argc > 1 && strcmp(argv[1], "-l") == 0)
    each(1, argv, list);
  else if (argc > 1 && strcmp(argv[1], "-b") == 0)
    since_boot();
  else if (argc > 1 && strcmp(argv[1], "-f") == 0)
    tell_frames();
  else if (argc > 1 && strcmp(argv[1], "-g") == 0)
    growth(argc - 1, argv + 1);
  else if (argc > 2 && strcmp(argv[1], "-p") == 0)
    each(argc - 1, argv + 1, profile);
  else if (argc > 3 && strcmp(argv[1], "-j") == 0 && (workers = atoi(argv[2])) > 0)
    each(argc - 2, argv + 2, at_once);
  else
    each(argc, argv, measure);
  exit(0);
}
