// SPDX-License-Identifier: MIT
// pmap pid: the ranges of a process's memory, and how many of their pages are resident, shared with
// others, dirty, in huge pages, and in swap.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

#define PGSIZE 4096

static const char *const kinds[] = VMA_NAMES;

static void
print_kind(const struct vmainfo *v)
{
  printf(" %s", v->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[v->kind] : "?");
  if (v->inum)
    printf(" %u at 0x%lx", v->inum, v->off);
  if (v->flags & VM_TEXT)
    printf(" program");
  if (v->flags & VM_SHARED)
    printf(" shared");
  if (v->flags & VM_HUGEPAGE)
    printf(" hugepage");
  if (v->flags & VM_NOHUGE)
    printf(" nohugepage");
  if (v->flags & VM_HUGETLB)
    printf(" hugetlb");
  printf("\n");
}

static void
print_range(const struct vmainfo *v)
{
  printf("%010lx %010lx %c%c%c %7lu %7lu %7lu %7lu %7lu %7lu", v->start, v->end,
         v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
         v->prot & PROT_EXEC ? 'x' : '-', (v->end - v->start) / PGSIZE, v->resident, v->shared,
         v->dirty, v->huge, v->swapped);
  print_kind(v);
}

// All ranges of the process: how many; -1: an error.
static int
get_ranges(int pid, struct vmainfo **list)
{
  int room = 32, n;
  for (*list = 0;; room = n + 8) {
    *list = realloc(*list, room * sizeof(**list));
    if (*list == 0) {
      errno = ENOMEM;
      return -1;
    }
    n = vmas(pid, *list, room);
    if (n <= room)
      return n;
  }
}

static void
print_sum(const struct vmainfo *list, int n)
{
  struct vmainfo sum = { 0 };
  for (const struct vmainfo *v = list; v < list + n; v++) {
    sum.end += v->end - v->start;
    sum.resident += v->resident;
    sum.shared += v->shared;
    sum.dirty += v->dirty;
    sum.huge += v->huge;
    sum.swapped += v->swapped;
  }
  printf("%-25s %7lu %7lu %7lu %7lu %7lu %7lu\n", "total", sum.end / PGSIZE, sum.resident,
         sum.shared, sum.dirty, sum.huge, sum.swapped);
}

int
main(int argc, char *argv[])
{
  struct vmainfo *list;
  int pid;

  if (argc != 2 || !number(argv[1], &pid) || pid <= 0) {
    fprintf(2, "usage: pmap pid\n");
    exit(1);
  }
  int n = get_ranges(pid, &list);
  if (n < 0) {
    complain(argv[1]);
    exit(1);
  }
  printf("     START        END PRT   PAGES     RES  SHARED   DIRTY    HUGE    SWAP KIND\n");
  for (int i = 0; i < n; i++)
    print_range(&list[i]);
  print_sum(list, n);
  exit(0);
}
