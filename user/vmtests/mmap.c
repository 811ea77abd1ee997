// SPDX-License-Identifier: MIT
// mmap and its relatives: what they refuse, how ranges are replaced and cut, how many there can be.
#include "test.h"

#define FIXED (MAP_PRIVATE | MAP_ANON | MAP_FIXED)
#define ANON  (MAP_PRIVATE | MAP_ANON)

// ---- every error that POSIX lists ----

void
mmap_errors(void)
{
  int ends[2], file = create("f"), reader = open("f", O_RDONLY), writer = open("f", O_WRONLY);
  int dir = open(".", O_RDONLY), closed = dup(file);
  CHECK(pipe(ends) == 0 && ftruncate(file, 4 * PGSIZE) == 0 && close(closed) == 0);
  FAILS(mmap(0, 0, RW, ANON, -1, 0), EINVAL);
  FAILS(mmap(0, PGSIZE, RW, MAP_ANON, -1, 0), EINVAL);
  FAILS(mmap(0, PGSIZE, RW, MAP_ANON | MAP_PRIVATE | MAP_SHARED, -1, 0), EINVAL);
  FAILS(mmap(0, PGSIZE, RW, ANON | 0x40000000, -1, 0), EINVAL);
  FAILS(mmap(0, PGSIZE, 8 | PROT_READ, ANON, -1, 0), EINVAL);
  FAILS(mmap(0, PGSIZE, PROT_WRITE | PROT_EXEC, ANON, -1, 0), EACCES);
  FAILS(mmap(DESERT + 1, PGSIZE, RW, FIXED, -1, 0), EINVAL);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_SHARED, file, 100), EINVAL);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, file, PGSIZE - 1), EINVAL);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_SHARED, -1, 0), EBADF);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, 15, 0), EBADF);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, NOFILE, 0), EBADF);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, closed, 0), EBADF);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, writer, 0), EACCES);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_SHARED, writer, 0), EACCES);
  FAILS(mmap(0, PGSIZE, RW, MAP_SHARED, reader, 0), EACCES);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_SHARED, ends[0], 0), ENODEV);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, 1, 0), ENODEV); // the console
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
  FAILS(mmap(0, 2 * PGSIZE, PROT_READ, MAP_SHARED, file, -(uint64)PGSIZE), EOVERFLOW);
  FAILS(mmap(0, PGSIZE, PROT_READ, MAP_PRIVATE, file, 1UL << 40), EOVERFLOW);
  FAILS(mmap(0, 4 * GIB, PROT_READ, MAP_PRIVATE, file, 2 * PGSIZE), EOVERFLOW);
  CHECK(mmap(0, PGSIZE, RW, MAP_PRIVATE, reader, 0) !=
        MAP_FAILED); // private needs no right to write
}

// Where there is no room: ENOMEM, and nothing is changed.
void
mmap_without_room(void)
{
  int n = ranges();
  uint64 was = vm().resident;
  FAILS(mmap(0, USERTOP, RW, ANON, -1, 0), ENOMEM);
  FAILS(mmap(0, -(uint64)PGSIZE, RW, ANON, -1, 0), ENOMEM);
  FAILS(mmap(0, -1UL, RW, ANON, -1, 0), ENOMEM);
  FAILS(mmap((void *)USERTOP, PGSIZE, RW, FIXED, -1, 0), EINVAL);
  FAILS(mmap((void *)(MAXVA - PGSIZE), 2 * PGSIZE, RW, FIXED, -1, 0), EINVAL);
  FAILS(mmap((void *)KERNBASE, PGSIZE, RW, FIXED, -1, 0), EINVAL);
  FAILS(mmap(DESERT, -(uint64)DESERT, RW, FIXED, -1, 0), ENOMEM);
  FAILS(mmap(0, PGSIZE, RW, FIXED, -1, 0), EINVAL); // null stays nowhere
  FAILS(mmap(0, 64 * GIB, RW, ANON | MAP_POPULATE, -1, 0), ENOMEM);
  EQUALS(ranges(), n);
  CHECK(vm().resident <= was + 1);
}

void
munmap_errors(void)
{
  char *p = map(2, 0);
  FAILS(munmap(p, 0), EINVAL);
  FAILS(munmap(p + 1, PGSIZE), EINVAL);
  FAILS(munmap((void *)KERNBASE, PGSIZE), EINVAL);
  FAILS(munmap((void *)(MAXVA - PGSIZE), 2 * PGSIZE), EINVAL);
  FAILS(munmap(p, -1UL), EINVAL);
  FAILS(munmap(p, -(uint64)PGSIZE), EINVAL);
  CHECK(munmap(DESERT, 100 * PGSIZE) == 0); // nothing is there: that is no error
  stamp_all(p, 1, 2);
  CHECK(stamped_all(p, 1, 2));
}

void
mprotect_errors(void)
{
  make("f", 1, PGSIZE);
  int reader = open("f", O_RDONLY);
  char *p = map_at(DESERT, 3, 0), *file = map_file(reader, 0, 1, PROT_READ, MAP_SHARED);
  unmap(nth(p, 1), 1);
  FAILS(mprotect(p + 1, PGSIZE, PROT_READ), EINVAL);
  FAILS(mprotect(p, PGSIZE, 64), EINVAL);
  FAILS(mprotect(p, PGSIZE, PROT_WRITE | PROT_EXEC), EACCES);
  FAILS(mprotect(p, 3 * PGSIZE, PROT_READ), ENOMEM);
  FAILS(mprotect(DESERT - PGSIZE, PGSIZE, PROT_READ), ENOMEM);
  FAILS(mprotect((void *)KERNBASE, PGSIZE, PROT_READ), EINVAL);
  FAILS(mprotect(p, -(uint64)PGSIZE, PROT_READ), EINVAL);
  FAILS(mprotect(file, PGSIZE, RW), EACCES);
  CHECK(mprotect(p, 0, PROT_READ) == 0);
  *p = 1; // as it was
}

// The kernel's own pages cannot be made writable, replaced, or taken away.
void
mprotect_of_the_kernels_pages(void)
{
  FAILS(mmap((void *)UPIDPAGE, PGSIZE, RW, FIXED, -1, 0), EINVAL);
  FAILS(munmap((void *)UPIDPAGE, PGSIZE), EINVAL);
  FAILS(munmap((void *)(UPIDPAGE - PGSIZE), 2 * PGSIZE), EINVAL);
  CHECK(mprotect((void *)UTICKS, PGSIZE, RW) == -1);
  CHECK(mprotect((void *)UPIDPAGE, PGSIZE, RW) == -1);
  FAULTS(touch, UTICKS, PROT_WRITE);
  FAULTS(touch, UPIDPAGE, PROT_WRITE);
}

void
msync_errors(void)
{
  char *p = map_at(DESERT, 3, 0);
  unmap(nth(p, 1), 1);
  FAILS(msync(p + 1, PGSIZE, MS_SYNC), EINVAL);
  FAILS(msync(p, PGSIZE, MS_SYNC | MS_ASYNC), EINVAL);
  FAILS(msync(p, PGSIZE, MS_INVALIDATE), EINVAL);
  FAILS(msync(p, PGSIZE, MS_SYNC | 0x100), EINVAL);
  FAILS(msync(p, 3 * PGSIZE, MS_SYNC), ENOMEM);
  FAILS(msync(DESERT - PGSIZE, PGSIZE, MS_ASYNC), ENOMEM);
  FAILS(msync((void *)KERNBASE, PGSIZE, MS_ASYNC), EINVAL);
  CHECK(msync(p, PGSIZE, MS_SYNC) == 0 && msync(p, PGSIZE, MS_ASYNC | MS_INVALIDATE) == 0);
}

void
madvise_errors(void)
{
  char *p = map_at(DESERT, 3, 0);
  unmap(nth(p, 1), 1);
  FAILS(madvise(p + 1, PGSIZE, MADV_NORMAL), EINVAL);
  FAILS(madvise(p, PGSIZE, 99), EINVAL);
  FAILS(madvise(p, PGSIZE, -1), EINVAL);
  static const int all[] = { MADV_NORMAL,   MADV_WILLNEED,   MADV_DONTNEED, MADV_PAGEOUT,
                             MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLLAPSE };
  for (int i = 0; i < COUNT(all); i++) {
    FAILS(madvise(p, 3 * PGSIZE, all[i]), ENOMEM);
    FAILS(madvise(DESERT + GIB, PGSIZE, all[i]), ENOMEM);
    FAILS(madvise((void *)KERNBASE, PGSIZE, all[i]), EINVAL);
    FAILS(madvise(p, -(uint64)PGSIZE, all[i]), EINVAL);
  }
}

void
mincore_errors(void)
{
  static uchar vec[4];
  char *p = map_at(DESERT, 3, 0);
  FAILS(mincore(p + 1, PGSIZE, vec), EINVAL);
  FAILS(mincore(p, 3 * PGSIZE, (uchar *)KERNBASE), EFAULT);
  FAILS(mincore(p, 3 * PGSIZE, 0), EFAULT);
  FAILS(mincore(p, 4 * PGSIZE, vec), ENOMEM);
  FAILS(mincore(DESERT - PGSIZE, PGSIZE, vec), ENOMEM);
  FAILS(mincore((void *)KERNBASE, PGSIZE, vec), EINVAL);
  FAILS(mincore(p, -(uint64)PGSIZE, vec), EINVAL);
  CHECK(mincore(p, 0, 0) == 0);
}

// More pages than the kernel looks at in one go: the hole, or the end of vec, comes late.
void
mincore_errors_that_come_late(void)
{
  char *p = map_at(DESERT, 1000, 0);
  uchar *vec = (uchar *)map(1, 0);
  CHECK(mincore(p, 1000 * PGSIZE, vec) == 0);
  FAILS(mincore(p, 1000 * PGSIZE, vec + PGSIZE - 900), EFAULT);
  CHECK(mincore(p, 900 * PGSIZE, vec + PGSIZE - 900) == 0);
  unmap(nth(p, 950), 1);
  FAILS(mincore(p, 1000 * PGSIZE, vec), ENOMEM);
  CHECK(mincore(p, 950 * PGSIZE, vec) == 0);
}

// ---- ranges ----

void
mmap_gives_zeros_at_a_free_place(void)
{
  char *p[10];
  for (int i = 0; i < COUNT(p); i++) {
    p[i] = map(3, 0);
    CHECK((uint64)p[i] % PGSIZE == 0 && zeros(p[i], 3 * PGSIZE));
    memset(p[i], i + 1, 3 * PGSIZE);
  }
  for (int i = 0; i < COUNT(p); i++)
    CHECK(p[i][0] == i + 1 && p[i][3 * PGSIZE - 1] == i + 1);
}

// A length is rounded up to pages; a hint that is taken does not move anybody.
void
mmap_rounds_lengths_and_takes_hints(void)
{
  char *p = mmap(0, 1, RW, ANON, -1, 0);
  CHECK(p != MAP_FAILED);
  p[PGSIZE - 1] = 1;
  CHECK(munmap(p, 1) == 0);
  EQUALS(page(p).vma, VMA_NONE);
  char *here = map_at(DESERT, 2, 0);
  stamp_all(here, 1, 2);
  char *near = mmap(here, 2 * PGSIZE, RW, ANON, -1, 0);
  CHECK(near != MAP_FAILED && (near >= here + 2 * PGSIZE || near + 2 * PGSIZE <= here));
  CHECK(stamped_all(here, 1, 2));
  EQUALS(mmap(DESERT + GIB, PGSIZE, RW, ANON, -1, 0), DESERT + GIB);
}

// Whatever was there goes; the neighbours stay.
void
mmap_fixed_replaces(void)
{
  make("f", 5, PGSIZE);
  int fd = open("f", O_RDONLY);
  char *p = map_at(DESERT, 6, 0);
  stamp_all(p, 1, 6);
  uint64 was = vm().resident, neighbour = page(nth(p, 1)).frame;
  map_at(nth(p, 2), 2, 0);
  EQUALS(vm().resident, was - 2);
  CHECK(zeros(nth(p, 2), 2 * PGSIZE) && page(nth(p, 1)).frame == neighbour);
  CHECK(mmap(nth(p, 4), PGSIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == nth(p, 4));
  CHECK(same(nth(p, 4), PGSIZE, 5, 0));
  FAULTS(touch, nth(p, 4), PROT_WRITE);
  CHECK(stamped_all(p, 1, 2) && stamped(nth(p, 5), 1, 5));
}

// A wish that leaves the space for programs is not heard, and nothing wraps.
void
mmap_wishes_beyond(void)
{
  static const uint64 wishes[] = { USERTOP - PGSIZE,   USERTOP,       MAXVA,          1UL << 63,
                                   0xffffffff00000000, -2UL * PGSIZE, -(uint64)PGSIZE };
  for (int i = 0; i < COUNT(wishes); i++)
    for (uint64 len = PGSIZE; len < USERTOP / 2; len = len * 16 + PGSIZE) {
      char *p = mmap((void *)wishes[i], len, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0);
      CHECK(p != MAP_FAILED && (uint64)p >= PGSIZE && (uint64)p + len < USERTOP);
      unmap(p, len / PGSIZE);
    }
}

// A refused one replaces nothing.
void
mmap_fixed_that_fails(void)
{
  char *p = map_at(DESERT, 3, 0);
  stamp_all(p, 1, 3);
  FAILS(mmap(p, 3 * PGSIZE, RW, MAP_PRIVATE | MAP_FIXED, 15, 0), EBADF);
  FAILS(mmap(p, 3 * PGSIZE, RW, MAP_FIXED | MAP_ANON, -1, 0), EINVAL);
  FAILS(mmap(p, 3 * PGSIZE, PROT_WRITE | PROT_EXEC, FIXED, -1, 0), EACCES);
  FAILS(mmap(p, 64 * GIB, RW, FIXED | MAP_POPULATE, -1, 0), ENOMEM);
  CHECK(stamped_all(p, 1, 3));
}

// Unmaps pages from..to of ten; what is left is as it was.
static void
cut_out(int from, int to, int pieces)
{
  char *p = map_at(DESERT, 10, 0);
  stamp_all(p, 1, 10);
  uint64 was = vm().resident;
  int n = ranges();
  unmap(nth(p, from), to - from);
  EQUALS(ranges(), n - 1 + pieces);
  EQUALS(vm().resident, was - (to - from));
  for (int i = 0; i < 10; i++)
    if (i >= from && i < to)
      CHECK(page(nth(p, i)).vma == VMA_NONE && page(nth(p, i)).frame == 0);
    else
      CHECK(stamped(nth(p, i), 1, i) && page(nth(p, i)).refs == 1);
  FAULTS(touch, nth(p, from), PROT_WRITE);
  FAULTS(peek, nth(p, to) - 1, PROT_READ);
  unmap(p, 10);
  EQUALS(ranges(), n - 1);
}

void
munmap_at_the_start(void)
{
  cut_out(0, 3, 1);
}

void
munmap_at_the_end(void)
{
  cut_out(7, 10, 1);
}

void
munmap_in_the_middle(void)
{
  cut_out(4, 6, 2);
}

void
munmap_all(void)
{
  cut_out(0, 10, 0);
}

// Several ranges of several kinds, cut at both ends, with holes between.
void
munmap_across_several(void)
{
  make("f", 1, 4 * PGSIZE);
  int fd = open("f", O_RDWR);
  char *p = map_at(DESERT, 4, 0), *q = nth(p, 6), *r = nth(p, 12);
  CHECK(mmap(q, 4 * PGSIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0) == q);
  map_at(r, 4, MAP_SHARED);
  stamp_all(p, 1, 4);
  stamp_all(r, 3, 4);
  CHECK(same(q, 4 * PGSIZE, 1, 0));
  int n = ranges();
  unmap(nth(p, 2), 12);
  EQUALS(ranges(), n - 1);
  CHECK(stamped_all(p, 1, 2) && stamped(nth(r, 2), 3, 2) && stamped(nth(r, 3), 3, 3));
  for (int i = 2; i < 14; i++)
    EQUALS(page(nth(p, i)).vma, VMA_NONE);
}

// A file's pages stay right when its range is cut.
void
munmap_in_a_file(void)
{
  make("f", 1, 10 * PGSIZE);
  int fd = open("f", O_RDONLY);
  char *p = map_file(fd, 0, 10, PROT_READ, MAP_PRIVATE);
  unmap(nth(p, 3), 2);
  CHECK(same(p, 3 * PGSIZE, 1, 0) && same(nth(p, 5), 5 * PGSIZE, 1, 5 * PGSIZE));
}

// ---- protection ----

void
mprotect_splits(void)
{
  char *p = map_at(DESERT, 5, 0);
  stamp_all(p, 1, 5);
  int n = ranges();
  uint64 frame = page(nth(p, 2)).frame;
  CHECK(mprotect(nth(p, 2), PGSIZE, PROT_READ) == 0);
  EQUALS(ranges(), n + 2);
  CHECK(allows(page(nth(p, 2)), PTE_R) && page(nth(p, 2)).frame == frame);
  CHECK(allows(page(nth(p, 1)), PTE_R | PTE_W) && allows(page(nth(p, 3)), PTE_R | PTE_W));
  FAULTS(touch, nth(p, 2), PROT_WRITE);
  LIVES(touch, nth(p, 1));
  LIVES(touch, nth(p, 3));
  CHECK(stamped_all(p, 1, 5));
  CHECK(mprotect(p, 5 * PGSIZE, RW) == 0);
  *nth(p, 2) = 1;
  EQUALS(page(nth(p, 2)).frame, frame);
}

// Pages that come in later obey too.
void
mprotect_before_the_first_touch(void)
{
  char *p = map_at(DESERT, 4, 0);
  CHECK(mprotect(nth(p, 1), PGSIZE, PROT_READ) == 0);
  CHECK(mprotect(nth(p, 2), PGSIZE, PROT_NONE) == 0);
  LIVES(touch, p);
  LIVES(peek, nth(p, 1));
  FAULTS(touch, nth(p, 1), PROT_WRITE);
  FAULTS(peek, nth(p, 2), PROT_READ);
  FAULTS(jump, nth(p, 3), PROT_EXEC);
}

// PROT_NONE keeps the frame and its bytes, and lets nobody near.
void
mprotect_none_keeps_the_frame(void)
{
  warm();
  char *p = map(3, 0);
  stamp_all(p, 1, 3);
  uint64 frame = page(nth(p, 1)).frame, was = vm().resident;
  CHECK(mprotect(nth(p, 1), PGSIZE, PROT_NONE) == 0);
  struct pageinfo pi = page(nth(p, 1));
  CHECK(pi.frame == frame && (pi.flags & PI_NONE) && !(pi.flags & PTE_V) && pi.refs == 1);
  EQUALS(vm().resident, was);
  FAULTS(peek, nth(p, 1), PROT_READ);
  FAULTS(touch, nth(p, 1), PROT_WRITE);
  int fd = create("f");
  FAILS(write(fd, p, 3 * PGSIZE), EFAULT);
  mark();
  CHECK(mprotect(nth(p, 1), PGSIZE, RW) == 0);
  EQUALS(page(nth(p, 1)).frame, frame);
  CHECK(stamped_all(p, 1, 3));
  EQUALS(since()->frames_allocated, 0);
}

// A child gets it as it is.
static void
open_again(uint64 at)
{
  CHECK(mprotect((char *)at, PGSIZE, RW) == 0);
  CHECK(stamped((char *)at, 1, 0));
  stamp((char *)at, 2, 0);
}

void
mprotect_none_and_fork(void)
{
  char *p = map(1, 0);
  stamp(p, 1, 0);
  CHECK(mprotect(p, PGSIZE, PROT_NONE) == 0);
  int pid = post(nothing, 0);
  struct pageinfo mine = page(p), its = page_of(pid, p);
  CHECK(mine.frame == its.frame && mine.refs == 2 && (its.flags & PI_NONE));
  dismiss(pid);
  LIVES(open_again, p);
  CHECK(mprotect(p, PGSIZE, RW) == 0 && stamped(p, 1, 0));
}

// What was data can become code, which runs; then it is not data any more.
#define RETURN_42 0x02a00513, 0x00008067 // li a0, 42; ret

void
mprotect_data_becomes_code(void)
{
  static const uint code[] = { RETURN_42 };
  char *p = map(1, 0);
  memmove(p, code, sizeof(code));
  FAULTS(jump, p, PROT_EXEC);
  CHECK(mprotect(p, PGSIZE, PROT_READ | PROT_EXEC) == 0);
  EQUALS(((int (*)(void))p)(), 42);
  FAULTS(touch, p, PROT_WRITE);
  for (int i = 0; i < 20; i++) {
    CHECK(mprotect(p, PGSIZE, RW) == 0);
    *(uint *)p = 0x513 | (uint)i << 20; // li a0, i
    CHECK(mprotect(p, PGSIZE, PROT_READ | PROT_EXEC) == 0);
    EQUALS(((int (*)(void))p)(), i);
  }
}

// Rights that come need no other hart; rights that go need each at the most once, for all pages.
void
mprotect_calls_few_harts(void)
{
  uint64 others = counts(0).harts - 1;
  warm();
  char *p = map(50, 0);
  stamp_all(p, 1, 50);
  mark();
  CHECK(mprotect(p, 50 * PGSIZE, PROT_READ) == 0);
  CHECK(since()->shootdowns <= others);
  mark();
  CHECK(mprotect(p, 50 * PGSIZE, RW) == 0);
  EQUALS(since()->shootdowns, 0);
  unmap(p, 50);
  CHECK(since()->shootdowns <= others);
}

// ---- the rest ----

void
mmap_populate(void)
{
  make("f", 1, 8 * PGSIZE);
  int fd = open("f", O_RDWR);
  warm();
  uint64 was = vm().resident;
  char *p = map(8, MAP_POPULATE), *q = map_file(fd, 0, 8, PROT_READ, MAP_PRIVATE | MAP_POPULATE),
       *r = map(8, MAP_SHARED | MAP_POPULATE);
  EQUALS(vm().resident, was + 24);
  mark();
  stamp_all(p, 1, 8);
  stamp_all(r, 1, 8);
  CHECK(same(q, 8 * PGSIZE, 1, 0));
  EQUALS(since()->faults, 0);
}

void
mincore_tells_what_is_there(void)
{
  static uchar vec[5];
  make("f", 1, 3 * PGSIZE);
  int fd = open("f", O_RDONLY);
  char *p = map_at(DESERT, 5, 0);
  *nth(p, 1) = *nth(p, 3) = 1;
  CHECK(mincore(p, 5 * PGSIZE, vec) == 0);
  CHECK(!vec[0] && vec[1] == 1 && !vec[2] && vec[3] == 1 && !vec[4]);
  counts(SI_DROP);
  p = map_file(fd, 0, 3, PROT_READ, MAP_PRIVATE);
  CHECK(mincore(p, 3 * PGSIZE, vec) == 0 && !vec[0] && !vec[1] && !vec[2]);
  lseek(fd, PGSIZE, SEEK_SET);
  get(fd, buf, 1); // now it is in the cache, and nowhere mapped
  CHECK(mincore(p, 3 * PGSIZE, vec) == 0 && !vec[0] && vec[1] == 1);
  EQUALS(page(nth(p, 1)).frame, 0);
}

// The heap ends where a mapping begins.
void
mmap_stops_the_heap(void)
{
  char *edge = heap_edge(), *p = map_at(nth(edge, 10), 1, 0);
  stamp(p, 1, 0);
  FAILS(sbrk(11 * PGSIZE), ENOMEM);
  FAILS(sbrklazy(11 * PGSIZE), ENOMEM);
  CHECK(sbrk(10 * PGSIZE) == edge);
  FAILS(sbrk(1), ENOMEM);
  unmap(p, 1);
  CHECK(sbrk(PGSIZE) == nth(edge, 10) && zeros(nth(edge, 10), PGSIZE));
}

// exec takes all of it away.
void
mmap_ends_with_exec(void)
{
  char *p = map_at(DESERT, 100, MAP_POPULATE);
  stamp_all(p, 1, 100);
  EQUALS(rerun("@tables"), 5);
  CHECK(stamped_all(p, 1, 100));
}

// ---- ten thousand ----

#define MANY    10000
#define SAMPLES 64

static uint64
instructions(void)
{
  uint64 n;
  asm volatile("rdinstret %0" : "=r"(n)::"memory");
  return n;
}

// What a fault in one of n ranges costs at the least.
static uint64
cost_of_a_fault(int n)
{
  uint64 least = -1UL;
  for (int i = 0; i < SAMPLES; i++) {
    volatile char *p = nth(DESERT, 2 * (uint64)(i * (n / SAMPLES)));
    uint64 start = instructions();
    *p = 1;
    uint64 cost = instructions() - start;
    least = cost < least ? cost : least;
  }
  return least;
}

// Each page its own range: a gap follows.
static void
map_many(int n)
{
  for (int i = 0; i < n; i++)
    map_at(nth(DESERT, 2 * (uint64)i), 1, 0);
}

// A hundred times as many ranges make a fault not four times as costly.
void
mmap_ten_thousand(void)
{
  warm();
  int n = ranges();
  map_many(SAMPLES);
  uint64 few = cost_of_a_fault(SAMPLES);
  unmap(DESERT, 2 * SAMPLES);
  map_many(MANY);
  EQUALS(ranges(), n + MANY);
  uint64 many = cost_of_a_fault(MANY);
  CHECK(many < 4 * few);
  for (int i = 0; i < MANY; i += 3)
    unmap(nth(DESERT, 2 * (uint64)i), 1);
  EQUALS(ranges(), n + MANY - (MANY + 2) / 3);
  EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  unmap(DESERT, 2 * MANY);
  EQUALS(ranges(), n);
}

// ---- as many as there may be ----

#define BOUND 65536 // ranges of one address space

// A rule of its own for page 2 of p needs two ranges more.
static void
no_room_for_two(char *p)
{
  int n = ranges();
  FAILS(mprotect(nth(p, 2), PGSIZE, PROT_READ), ENOMEM);
  FAILS(madvise(nth(p, 2), PGSIZE, MADV_HUGEPAGE), ENOMEM);
  EQUALS(ranges(), n);
}

static void
no_room_for_one(char *p)
{
  no_room_for_two(p);
  FAILS(mprotect(p, PGSIZE, PROT_READ), ENOMEM);
  FAILS(munmap(nth(p, 2), PGSIZE), ENOMEM);
  FAILS(mmap(0, PGSIZE, RW, ANON, -1, 0), ENOMEM);
  FAILS(mmap(0, PGSIZE, RW, MAP_SHARED | MAP_ANON, -1, 0), ENOMEM);
  FAILS(mmap(nth(p, 2), PGSIZE, RW, FIXED, -1, 0), ENOMEM);
  EQUALS(ranges(), BOUND);
}

// Five pages that would be cut, and nearly all the other ranges beside them. What needs one more
// fails and changes nothing; the rest goes on.
void
mmap_as_many_as_there_may_be(void)
{
  char *p = map_at(nth(DESERT, 2 * BOUND), 5, 0);
  stamp_all(p, 1, 5);
  int n = ranges();
  map_many(BOUND - 1 - n);
  EQUALS(ranges(), BOUND - 1);
  no_room_for_two(p);
  map_at(nth(p, 6), 1, 0);
  no_room_for_one(p);
  CHECK(stamped_all(p, 1, 5) && allows(page(nth(p, 2)), PTE_R | PTE_W));
  CHECK(mprotect(p, 5 * PGSIZE, PROT_READ) == 0 && mprotect(p, 5 * PGSIZE, RW) == 0);
  LIVES(touch, nth(DESERT, 2)); // all of it forks
  unmap(nth(p, 4), 1);          // cuts nothing in two
  unmap(nth(p, 6), 1);
  CHECK(munmap(nth(p, 2), PGSIZE) == 0 && stamped_all(p, 1, 2) && stamped(nth(p, 3), 1, 3));
  EQUALS(ranges(), BOUND);
}

// In any order, with any size, against a map of who should have what.
#define SLOTS 200

void
mmap_at_random(void)
{
  static int owner[SLOTS]; // 0: nobody's; else what is stamped there
  for (int step = 1; step <= 1500; step++) {
    int at = rnd() % SLOTS, n = 1 + rnd() % (SLOTS - at < 20 ? SLOTS - at : 20);
    int keep = rnd() % 2;
    if (keep) {
      map_at(nth(DESERT, at), n, 0);
      for (int i = at; i < at + n; i++)
        stamp(nth(DESERT, i), step, i);
    } else {
      unmap(nth(DESERT, at), n);
    }
    for (int i = at; i < at + n; i++)
      owner[i] = keep ? step : 0;
    int i = rnd() % SLOTS;
    CHECK(owner[i] ? stamped(nth(DESERT, i), owner[i], i) : page(nth(DESERT, i)).vma == VMA_NONE);
  }
  for (int i = 0; i < SLOTS; i++)
    CHECK(owner[i] ? stamped(nth(DESERT, i), owner[i], i) : page(nth(DESERT, i)).vma == VMA_NONE);
}
