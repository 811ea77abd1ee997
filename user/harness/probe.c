// SPDX-License-Identifier: MIT
// The proof interface in short words: see probe.h. What fails ends the program with a sentence.
#include "probe.h"

// Ends the program when a call has failed.
void
must(int64 result, const char *what)
{
  if (result != -1)
    return;
  complain(what);
  exit(1);
}

// ---- memory ----

static char *
mapped(void *p)
{
  must((int64)p, "mmap");
  return p;
}

// Memory of zeros for reading and writing, private unless the flags say MAP_SHARED.
char *
map(uint64 pages, int flags)
{
  if (!(flags & MAP_SHARED))
    flags |= MAP_PRIVATE;
  return mapped(mmap(0, pages * PGSIZE, RW, flags | MAP_ANON, -1, 0));
}

// The same at this address.
char *
map_at(char *at, uint64 pages, int flags)
{
  if (!(flags & MAP_SHARED))
    flags |= MAP_PRIVATE;
  return mapped(mmap(at, pages * PGSIZE, RW, flags | MAP_ANON | MAP_FIXED, -1, 0));
}

// Pages of a file, from this one on; flags: MAP_SHARED or MAP_PRIVATE.
char *
map_file(int fd, uint64 first, uint64 pages, int prot, int flags)
{
  return mapped(mmap(0, pages * PGSIZE, prot, flags, fd, first * PGSIZE));
}

void
unmap(const void *p, uint64 pages)
{
  must(munmap((void *)p, pages * PGSIZE), "munmap");
}

// ---- pages ----

// A page of another process; of the caller with pid 0.
struct pageinfo
page_of(int pid, const void *va)
{
  static struct pageinfo pi;
  int n = pageinfo_of(pid, va, 1, &pi);
  must(n == 1 ? 0 : -1, "pageinfo");
  return pi;
}

struct pageinfo
page(const void *va)
{
  return page_of(0, va);
}

// Whether the page is mapped with exactly these of R, W and X.
int
allows(struct pageinfo pi, uint bits)
{
  return (pi.flags & PTE_V) && (pi.flags & (PTE_R | PTE_W | PTE_X)) == bits;
}

// ---- counts ----

static struct vmstat marked, present;
static struct vmcounts gained;

struct vmstat
vm(void)
{
  must(vmstat(&present), "vmstat");
  return present;
}

// From here on events count for since().
void
mark(void)
{
  must(vmstat(&marked), "vmstat");
}

static const struct vmcounts *
difference(const struct vmcounts *was, const struct vmcounts *is)
{
  const uint64 *a = (const uint64 *)was, *b = (const uint64 *)is;
  uint64 *d = (uint64 *)&gained;
  for (uint i = 0; i < sizeof(gained) / sizeof(*d); i++)
    d[i] = b[i] - a[i];
  return &gained;
}

// What has happened in this address space since mark().
const struct vmcounts *
since(void)
{
  must(vmstat(&present), "vmstat");
  return difference(&marked.self, &present.self);
}

// What has happened in the whole system.
const struct vmcounts *
since_all(void)
{
  must(vmstat(&present), "vmstat");
  return difference(&marked.all, &present.all);
}

// ---- the program's own pages ----

#define STACK_WARM 16 // pages

static void __attribute__((noinline)) warm_stack(void)
{
  volatile char room[STACK_WARM * PGSIZE];
  for (uint i = 0; i < sizeof(room); i += PGSIZE)
    room[i] = 0;
}

static void
warm_range(const struct vmainfo *v)
{
  for (volatile char *p = (char *)v->start; p < (char *)v->end; p += PGSIZE) {
    char c = *p;
    if (v->prot & PROT_WRITE)
      *p = c;
  }
}

// Gives every page of this program, and some of its stack, a frame that it need not share: after
// this only what the program does with other memory costs faults.
void
warm(void)
{
  extern char end[]; // user.ld
  static struct vmainfo list[16];
  int n = vmas(0, list, 16);
  must(n, "vmas");
  for (int i = 0; i < n && i < 16; i++)
    if (list[i].start < (uint64)end && list[i].prot & PROT_READ)
      warm_range(&list[i]);
  warm_stack();
  mark();
  since();
}
