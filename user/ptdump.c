// SPDX-License-Identifier: MIT
// ptdump pid: the page tables of a process, as a tree. Neighbours that differ only in their frame
// are one line; what is empty is left out.
//
//   [ 64] table 0x80345            entry 64 of the root: a table of level 1, in this frame
//     [  0] table 0x80346          its entry 0: a table of level 0
//       [  0-  2] 0x1000000000 RW-U AD anon, 3 frames from 0x80347

#include "kernel/types.h"
#include "kernel/memlayout.h"
#include "kernel/riscv.h"
#include "user/user.h"
#include "user/quire.h"

#define BATCH 512

// Entries that are told in one line.
struct run {
  struct pageinfo first;
  uint64 n;
  int consecutive; // their frames follow each other
};

static const char *const kinds[] = {
  "reserved", "free", "kernel", "table", "anon", "cache", "zero"
};

static void
print_what(const struct pageinfo *pi)
{
  if (pi->flags & PI_SWAP) {
    printf(" swap");
    return;
  }
  printf(" %c%c%c%c %c%c", pi->flags & PTE_R ? 'R' : '-', pi->flags & PTE_W ? 'W' : '-',
         pi->flags & PTE_X ? 'X' : '-', pi->flags & PTE_U ? 'U' : '-',
         pi->flags & PTE_A ? 'A' : '-', pi->flags & PTE_D ? 'D' : '-');
  printf(" %s", pi->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[pi->kind] : "?");
  if (pi->flags & PI_NONE)
    printf(" (nobody may)");
}

static void
print_run(const struct run *r)
{
  const struct pageinfo *pi = &r->first;
  const char *size = pi->level ? "2 MiB page" : "frame";
  uint64 at = PX(pi->level, pi->va);
  if (r->n == 0)
    return;
  printf("%*s[%3lu", pi->level ? 2 : 4, "", at);
  if (r->n > 1)
    printf("-%3lu", at + r->n - 1);
  printf("] 0x%010lx", pi->va);
  print_what(pi);
  if (pi->flags & PI_SWAP)
    printf(", %lu slot%s from %lu\n", r->n, r->n > 1 ? "s" : "", pi->slot);
  else if (r->n == 1)
    printf(", %s 0x%lx\n", size, pi->frame);
  else
    printf(", %lu %ss %s 0x%lx\n", r->n, size, r->consecutive ? "from" : "such as", pi->frame);
}

static int
empty(const struct pageinfo *pi)
{
  return pi->frame == 0 && !(pi->flags & PI_SWAP);
}

// What bits of an entry make another line of it.
static int
alike(const struct pageinfo *a, const struct pageinfo *b)
{
  return a->level == b->level && a->flags == b->flags && a->kind == b->kind &&
         a->table[0] == b->table[0] && a->table[1] == b->table[1];
}

static void
add(struct run *r, const struct pageinfo *pi)
{
  const struct pageinfo *first = &r->first;
  uint64 step = 1UL << 9 * pi->level; // in pages
  if (r->n > 0 && alike(first, pi) && pi->va == first->va + r->n * step * PGSIZE) {
    r->consecutive &= pi->frame == first->frame + r->n * step;
    r->n++;
    return;
  }
  print_run(r);
  if (r->n == 0 || first->table[0] != pi->table[0])
    printf("[%3lu] table 0x%lx\n", PX(2, pi->va), pi->table[0]);
  if (pi->table[1] && (r->n == 0 || first->table[1] != pi->table[1]))
    printf("  [%3lu] table 0x%lx\n", PX(1, pi->va), pi->table[1]);
  *r = (struct run){ .first = *pi, .n = 1, .consecutive = 1 };
}

// Print what the process has: 0, or -1 with errno.
static int
dump(int pid)
{
  static struct pageinfo batch[BATCH];
  struct run r = { .n = 0 };
  for (uint64 va = 0; va < USERTOP;) {
    int n = pageinfo_of(pid, (void *)va, BATCH, batch);
    if (n <= 0)
      return n;
    for (const struct pageinfo *pi = batch; pi < batch + n && va < USERTOP; pi++) {
      if (pi->va < va)
        continue; // of an entry that was told already
      if (!empty(pi))
        add(&r, pi);
      va = (va | (LVLSIZE(pi->level) - 1)) + 1;
    }
  }
  print_run(&r);
  return 0;
}

int
main(int argc, char *argv[])
{
  int pid;

  if (argc != 2 || !number(argv[1], &pid) || pid <= 0) {
    fprintf(2, "usage: ptdump pid\n");
    exit(1);
  }
  if (dump(pid) < 0) {
    complain(argv[1]);
    exit(1);
  }
  exit(0);
}
