// SPDX-License-Identifier: MIT
// Rows about memory.
#include "bench.h"

static char *area, *whole;
static int ends[2];

// ---- the heap ----

static void
grow(int n)
{
  for (int i = 0; i < n; i++)
    need((area = grow_eager(64 * PAGE)) != SBRK_ERROR, "sbrk");
}

static void
shrink(int n)
{
  for (int i = 0; i < n; i++)
    need(sbrk(-64 * PAGE) != SBRK_ERROR, "sbrk");
}

// ---- lazy memory ----

static void
reserve(int n)
{
  need((area = sbrklazy(n * PAGE)) != SBRK_ERROR, "sbrk");
}

static void
unreserve(int n)
{
  need(sbrk(-n * PAGE) != SBRK_ERROR, "sbrk");
}

static void
touch(int n)
{
  for (int i = 0; i < n; i++)
    ((volatile char *)area)[(uint64)i * PAGE] = 1;
}

static void
reserve_huge(int n)
{
  uint64 align = 2 * MIB, size = n * align;
  whole = mmap(0, size + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  need(whole != MAP_FAILED, "mmap");
  area = (char *)(((uint64)whole + align - 1) & ~(align - 1));
  need(madvise(area, size, MADV_HUGEPAGE) == 0, "madvise");
}

static void
touch_huge(int n)
{
  touch(n * 512);
}

static void
unreserve_huge(int n)
{
  munmap(whole, (n + 1) * 2 * MIB);
}

static void
map_touch_unmap(int n)
{
  while (n-- > 0) {
    char *p = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    *(volatile char *)p = 1;
    munmap(p, PAGE);
  }
}

// ---- copy-on-write ----

// A child that has the same frames, until it is let go.
static void
share(int n)
{
  char c;
  reserve(n);
  touch(n);
  need(pipe(ends) == 0, "pipe");
  if (fork_or_end() == 0) {
    close(ends[1]);
    read(ends[0], &c, 1);
    exit(0);
  }
  close(ends[0]);
}

static void
let_go(int n)
{
  (void)n;
  close(ends[1]);
  reap();
}

static void
unshare(int n)
{
  let_go(n);
  unreserve(n);
}

static void
share_once(int n)
{
  share(n);
  let_go(n);
}

const struct row memory_rows[] = {
  { "sbrk", "eager sbrk, per page", 0, grow, shrink, 4, 64 },
  { "lazy", "first touch of a lazy page", reserve, touch, unreserve, 256, 1 },
  { "hugetouch", "first touch, huge page, per 4 KiB", reserve_huge, touch_huge, unreserve_huge, 1,
    512 },
  { "shrink", "shrink the heap, per page", grow, shrink, 0, 4, 64 },
  { "mmap", "mmap + touch + munmap of one page", 0, map_touch_unmap, 0, 50, 1 },
  { "cowcopy", "copy-on-write: copy", share, touch, unshare, 256, 1 },
  { "cowreuse", "copy-on-write: the last owner reuses", share_once, touch, unreserve, 256, 1 },
  { 0 },
};
