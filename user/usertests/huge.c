// SPDX-License-Identifier: MIT
// Pages of 2 MiB: who gets one, what it costs, and what becomes of it when a part of it is wanted.
#include "test.h"

#define HUGE  (PTES * PGSIZE)
#define RW    (PROT_READ | PROT_WRITE)
#define NEW   (MAP_PRIVATE | MAP_ANON)
#define KIND0 (PTE_V | PTE_R | PTE_U) // of a leaf that can be read

static struct vmstat was, is;
static struct pageinfo infos[PTES];

#define GREW(name) (is.self.name - was.self.name)

// What follows is counted, until stop(). The program is in memory by then, and its errno.
static void
start(void)
{
  struct vmainfo program[2]; // text and constants
  CHECK(vmas(0, program, 2) > 2);
  for (uint64 va = program[0].start; va < program[1].end; va += PGSIZE)
    peek(va);
  errno = 0;
  CHECK(vmstat(&is) == 0 && vmstat(&was) == 0); // the first one brings both into memory
}

static void
stop(void)
{
  CHECK(vmstat(&is) == 0);
}

static struct pageinfo
page(const char *va)
{
  struct pageinfo pi;
  CHECK(pageinfo(va, 1, &pi) == 1);
  return pi;
}

// n times 2 MiB of fresh memory.
static char *
fresh(int n)
{
  char *p = mmap(0, (uint64)n * HUGE, RW, NEW, -1, 0);
  CHECK(p != MAP_FAILED && (uint64)p % HUGE == 0);
  return p;
}

static char *
fresh_huge(int n)
{
  char *p = fresh(n);
  CHECK(madvise(p, (uint64)n * HUGE, MADV_HUGEPAGE) == 0);
  return p;
}

// Each page of 2 MiB gets contents of its own.
static void
stamp_all(char *p, uint seed)
{
  for (uint i = 0; i < PTES; i++)
    stamp(p + i * PGSIZE, seed, i);
}

static void
all_stamped(const char *p, uint seed)
{
  for (uint i = 0; i < PTES; i++)
    CHECK(stamped(p + i * PGSIZE, seed, i));
}

// The 2 MiB at p are one leaf of one block with so many references; the block's first frame.
static uint64
is_huge(const char *p, uint refs)
{
  CHECK(pageinfo(p, PTES, infos) == PTES);
  for (int i = 0; i < PTES; i++)
    CHECK(infos[i].level == 1 && infos[i].kind == PG_ANON && infos[i].refs == refs &&
          infos[i].frame == infos[0].frame + i && infos[i].flags == infos[0].flags);
  CHECK(infos[0].frame % PTES == 0 && (infos[0].flags & KIND0) == KIND0);
  return infos[0].frame;
}

// They are 512 equal leaves of that block, but for page `odd`.
static void
is_split(const char *p, uint64 frame, uint refs, int odd)
{
  CHECK(pageinfo(p, PTES, infos) == PTES);
  int one = odd == 0;
  for (int i = 0; i < PTES; i++)
    if (i != odd)
      CHECK(infos[i].level == 0 && infos[i].kind == PG_ANON && infos[i].refs == refs &&
            infos[i].frame == frame + i && infos[i].flags == infos[one].flags);
}

void
huge_first_touch(void)
{
  char *p = fresh_huge(2);
  touch((uint64)p); // the tables above are there now
  start();
  touch((uint64)p + HUGE + 5 * PGSIZE);
  stop();
  CHECK(GREW(faults) == 1 && GREW(huge) == 1 && GREW(zero_fill) == 0);
  CHECK(GREW(frames_allocated) == PTES && GREW(frames_zeroed) == PTES);
  CHECK(GREW(tables_made) == 0 && is.tables == was.tables && is.resident == was.resident + PTES);
  uint64 frame = is_huge(p + HUGE, 1);
  CHECK(infos[0].flags & PTE_W && infos[0].table[0] != 0 && infos[0].table[1] == 0);
  CHECK(frame != is_huge(p, 1));
  CHECK(zeros(p + HUGE, 5 * PGSIZE) && zeros(p + HUGE + 6 * PGSIZE, HUGE - 6 * PGSIZE));
  start();
  stamp_all(p + HUGE, 1);
  all_stamped(p + HUGE, 1);
  CHECK(madvise(p + HUGE, HUGE, MADV_DONTNEED) == 0);
  stop();
  CHECK(GREW(faults) == 0 && GREW(frames_freed) == PTES && is.resident == was.resident - PTES);
}

// To read what was never written costs no frame, and makes the 2 MiB small.
void
huge_not_by_reading(void)
{
  char *p = fresh_huge(1);
  peek((uint64)p);
  CHECK(page(p).level == 0 && page(p).kind == PG_ZERO);
  touch((uint64)p + PGSIZE);
  CHECK(page(p + PGSIZE).level == 0 && page(p + PGSIZE).kind == PG_ANON);
  CHECK(madvise(p, HUGE, MADV_DONTNEED) == 0);
  touch((uint64)p + PGSIZE); // from the start again
  is_huge(p, 1);
}

static void
modes(uint64 unused)
{
  (void)unused;
  char *plain = fresh(4), *advised = fresh_huge(3), *refused = fresh(2);
  CHECK(madvise(refused, 2 * HUGE, MADV_NOHUGEPAGE) == 0);
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_NEVER) == 0);
  touch((uint64)plain);
  touch((uint64)advised);
  CHECK(page(plain).level == 0 && page(advised).level == 0);
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_MADVISE) == 0);
  touch((uint64)plain + HUGE);
  touch((uint64)advised + HUGE);
  CHECK(page(plain + HUGE).level == 0 && page(advised + HUGE).level == 1);
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_ALWAYS) == 0);
  touch((uint64)plain + 2 * HUGE);
  touch((uint64)advised + 2 * HUGE);
  touch((uint64)refused);
  CHECK(page(plain + 2 * HUGE).level == 1 && page(advised + 2 * HUGE).level == 1);
  CHECK(page(refused).level == 0);
  char *heap = (char *)(((uint64)sbrk(0) + HUGE) & ~(HUGE - 1UL));
  CHECK(sbrk(4 * HUGE) != SBRK_ERROR && page(heap).level == 1); // eager memory, too
}

void
huge_modes(void)
{
  int status = run(modes, 0);
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_MADVISE) == 0 && status == 0);
  FAILS(vmctl(VMCTL_HUGE, VMHUGE_ALWAYS + 1), EINVAL);
}

// Only 2 MiB that lie in one range as a whole.
void
huge_fits_or_not(void)
{
  char *p = fresh_huge(3);
  CHECK(munmap(p, PGSIZE) == 0 && mprotect(p + 2 * HUGE + PGSIZE, PGSIZE, PROT_READ) == 0);
  for (int i = 0; i < 3; i++)
    touch((uint64)p + (uint64)i * HUGE + 8 * PGSIZE);
  CHECK(page(p + 8 * PGSIZE).level == 0 && page(p + 2 * HUGE + 8 * PGSIZE).level == 0);
  is_huge(p + HUGE, 1);
  char *q = mmap(0, 4 * HUGE, RW, MAP_SHARED | MAP_ANON, -1, 0);
  CHECK(q != MAP_FAILED && madvise(q, 4 * HUGE, MADV_HUGEPAGE) == 0);
  touch((uint64)q + HUGE);
  CHECK(page(q + HUGE).level == 0);
}

void
huge_split_keeps_everything(void)
{
  char *p = fresh_huge(1);
  stamp_all(p, 2);
  uint64 frame = is_huge(p, 1);
  start();
  CHECK(mprotect(p + 7 * PGSIZE, PGSIZE, PROT_READ) == 0);
  stop();
  CHECK(GREW(huge_splits) == 1 && GREW(tables_made) == 1 && is.tables == was.tables + 1);
  CHECK(GREW(frames_zeroed) == 0 && GREW(frames_copied) == 0 && is.resident == was.resident);
  is_split(p, frame, 1, 7);
  CHECK(infos[7].frame == frame + 7 && !(infos[7].flags & PTE_W) && infos[8].flags & PTE_W);
  all_stamped(p, 2);
  DIES(touch, p + 7 * PGSIZE);
  touch((uint64)p + 8 * PGSIZE);
}

void
huge_cut_by_munmap_and_sbrk(void)
{
  char *p = fresh_huge(2);
  stamp_all(p, 3);
  stamp_all(p + HUGE, 4);
  uint64 frame = is_huge(p, 1);
  start();
  CHECK(munmap(p + HUGE / 2, HUGE) == 0);
  stop();
  CHECK(GREW(huge_splits) == 2 && GREW(tables_made) == 2);
  CHECK(is.resident == was.resident - PTES);
  for (uint i = 0; i < PTES / 2; i++)
    CHECK(stamped(p + i * PGSIZE, 3, i) && page(p + i * PGSIZE).frame == frame + i &&
          stamped(p + HUGE + (PTES / 2 + i) * PGSIZE, 4, PTES / 2 + i));
  DIES(peek, p + HUGE / 2);
  DIES(peek, p + HUGE + HUGE / 2 - 1);

  uint64 brk = (uint64)heap_edge(), base = (brk + HUGE - 1) & ~(HUGE - 1UL);
  CHECK(sbrklazy((int)(base + 2 * HUGE - brk)) == (char *)brk);
  CHECK(madvise((char *)base, 2 * HUGE, MADV_HUGEPAGE) == 0);
  stamp_all((char *)base, 5);
  stamp_all((char *)base + HUGE, 6);
  is_huge((char *)base + HUGE, 1);
  CHECK(sbrk(-HUGE / 2) != SBRK_ERROR);
  is_huge((char *)base, 1);
  for (uint i = 0; i < PTES / 2; i++)
    CHECK(stamped((char *)base + HUGE + i * PGSIZE, 6, i));
  DIES(peek, base + HUGE + HUGE / 2);
  all_stamped((char *)base, 5);
}

// What is forgotten is zero afterwards, and what is forgotten as a whole is huge again.
void
huge_forgotten(void)
{
  char *p = fresh_huge(1);
  stamp_all(p, 7);
  CHECK(madvise(p + 9 * PGSIZE, PGSIZE, MADV_DONTNEED) == 0);
  CHECK(zeros(p + 9 * PGSIZE, PGSIZE) && page(p + 9 * PGSIZE).kind == PG_ZERO);
  CHECK(stamped(p + 8 * PGSIZE, 7, 8) && stamped(p + 10 * PGSIZE, 7, 10));
  CHECK(page(p).level == 0);
  start();
  CHECK(madvise(p, HUGE, MADV_DONTNEED) == 0);
  stop();
  CHECK(GREW(tables_freed) == 1 && GREW(frames_freed) == PTES - 1); // one was forgotten before
  touch((uint64)p);
  is_huge(p, 1);
  CHECK(zeros(p + 1, PGSIZE - 1) && zeros(p + PGSIZE, HUGE - PGSIZE));
}

// PROT_NONE and back: the frames stay.
void
huge_hidden(void)
{
  char *p = fresh_huge(1);
  stamp_all(p, 8);
  uint64 frame = is_huge(p, 1);
  CHECK(mprotect(p, HUGE, PROT_NONE) == 0);
  CHECK(page(p).level == 1 && page(p).frame == frame && page(p).flags & PI_NONE);
  DIES(peek, p);
  CHECK(mprotect(p, 3 * PGSIZE, PROT_READ) == 0); // hidden pages can be cut too
  CHECK(pageinfo(p, PTES, infos) == PTES);
  for (int i = 0; i < PTES; i++)
    CHECK(infos[i].level == 0 && infos[i].frame == frame + i && infos[i].refs == 1 &&
          !(infos[i].flags & PI_NONE) == (i < 3));
  CHECK(mprotect(p, HUGE, RW) == 0);
  all_stamped(p, 8);
}

// ---- fork ----

static char *area;
static uint64 area_frame;
static int up[2], down[2], ends[2];

static void
child_writes(uint64 page_no)
{
  char c;
  CHECK(is_huge(area, 2) == area_frame && !(infos[0].flags & PTE_W));
  start();
  stamp(area + page_no * PGSIZE, 10, (uint)page_no);
  stop();
  CHECK(GREW(faults) == 1 && GREW(huge_splits) == 1 && GREW(cow_copy) == 1);
  CHECK(GREW(frames_copied) == 1 && GREW(frames_allocated) == 1 && GREW(tables_made) == 1);
  is_split(area, area_frame, 2, (int)page_no);
  CHECK(infos[page_no].refs == 1 && infos[page_no].flags & PTE_W);
  put(up[1], "x", 1);
  get(down[0], &c, 1);
  for (uint64 i = 0; i < PTES; i++)
    CHECK(stamped(area + i * PGSIZE, i == page_no ? 10 : 9, (uint)i));
}

// Shared as one; the first write makes small pages of the writer's side only, and copies one. The
// last owner has it as one again.
void
huge_fork(void)
{
  char c;
  area = fresh_huge(1);
  stamp_all(area, 9);
  area_frame = is_huge(area, 1);
  CHECK(pipe(up) == 0 && pipe(down) == 0);
  int pid = spawn(child_writes, 100);
  get(up[0], &c, 1);
  CHECK(page(area).level == 1 && page(area).frame == area_frame && !(page(area).flags & PTE_W));
  CHECK(page(area).refs == 2 && page(area + 100 * PGSIZE).refs == 1); // frames count one by one now
  all_stamped(area, 9);
  put(down[1], "x", 1);
  CHECK(reap(pid) == 0);
  start();
  touch((uint64)area + 200 * PGSIZE);
  stop();
  CHECK(GREW(cow_reuse) == 1 && GREW(frames_allocated) == 0 && GREW(huge_splits) == 0);
  CHECK(is_huge(area, 1) == area_frame && infos[0].flags & PTE_W);

  stamp_all(area, 9);
  CHECK((pid = spawn(loiter, 0)) > 0);
  is_huge(area, 2);
  start();
  stamp_all(area, 11); // the parent is the one to write
  stop();
  CHECK(GREW(huge_splits) == 1 && GREW(cow_copy) == PTES && GREW(frames_copied) == PTES);
  CHECK(pageinfo_of(pid, area, 1, infos) == 1 && infos[0].level == 1);
  kill(pid);
  CHECK(reap(pid) == KILLED);
  all_stamped(area, 11);
}

// Fork and exit do not look at the 512 frames.
static void
share_with(uint64 depth)
{
  is_huge(area, 5 - (uint)depth);
  if (depth > 0)
    LIVES(share_with, depth - 1);
  is_huge(area, 5 - (uint)depth);
}

void
huge_shared_by_many(void)
{
  area = fresh_huge(1);
  stamp_all(area, 12);
  LIVES(share_with, 3);
  is_huge(area, 1);
  start();
  LIVES(exit_with, 0);
  stop();
  CHECK(GREW(frames_copied) < 20 && GREW(frames_allocated) < 20);
}

// ---- the kernel reads and writes them ----

static void
by_calls(uint64 seed)
{
  char *edge = area + HUGE - 100;
  make("f", (uint)seed, 8 * PGSIZE);
  int fd = open("f", O_RDONLY);
  get(fd, edge, 8 * PGSIZE);
  CHECK(same(edge, 8 * PGSIZE, (uint)seed, 0));
  CHECK(pipe(ends) == 0);
  put(ends[1], edge - 50, 200);
  get(ends[0], buf, 200);
  CHECK(same(buf + 50, 150, (uint)seed, 0));
}

void
huge_used_by_calls(void)
{
  area = fresh_huge(2);
  by_calls(13); // untouched: the kernel's first store makes them huge
  is_huge(area, 1);
  is_huge(area + HUGE, 1);
  LIVES(by_calls, 14); // shared
  CHECK(same(area + HUGE - 100, 8 * PGSIZE, 13, 0));
  is_huge(area, 1);
}

#define SLOW 8 // pages: more than a pipe holds

static void
write_slowly(uint64 from)
{
  put(ends[1], area + from * PGSIZE, SLOW * PGSIZE);
}

// A writer sleeps in the middle while the others split, write, collapse and drop the page: it writes
// what was there when it was forked.
void
huge_written_slowly(void)
{
  area = fresh_huge(1);
  stamp_all(area, 21);
  CHECK(pipe(ends) == 0);
  int pid = spawn(write_slowly, 300);
  await(pid, ASLEEP);
  stamp_all(area, 22); // here it becomes small
  CHECK(madvise(area, HUGE, MADV_COLLAPSE) == 0);
  all_stamped(area, 22);
  is_huge(area, 1);
  CHECK(munmap(area, HUGE) == 0);
  for (uint i = 300; i < 300 + SLOW; i++) {
    get(ends[0], buf, PGSIZE);
    CHECK(stamped(buf, 21, i));
  }
  CHECK(reap(pid) == 0);
}

// ---- MAP_HUGETLB ----

void
huge_by_name(void)
{
  char *p;
  start();
  p = mmap(0, 3 * HUGE, PROT_READ, NEW | MAP_HUGETLB, -1, 0);
  stop();
  CHECK(p != MAP_FAILED && GREW(huge) == 3 && GREW(frames_zeroed) == 3 * PTES);
  start();
  for (int i = 0; i < 3; i++) {
    is_huge(p + i * (uint64)HUGE, 1);
    CHECK(zeros(p + i * (uint64)HUGE, HUGE));
  }
  stop();
  CHECK(GREW(huge) == 0 && GREW(zero_page) == 0);
  CHECK(mprotect(p, 3 * HUGE, RW) == 0);
  stamp_all(p + HUGE, 15);
  CHECK(madvise(p, HUGE, MADV_DONTNEED) == 0);
  peek((uint64)p); // even a read
  is_huge(p, 1);
  uint64 frame = is_huge(p + HUGE, 1);
  CHECK(munmap(p + HUGE, PGSIZE) == 0);
  CHECK(page(p + HUGE + PGSIZE).frame == frame + 1 && stamped(p + HUGE + PGSIZE, 15, 1));
  is_huge(p, 1);
  p = mmap(0, HUGE + PGSIZE, RW, NEW | MAP_HUGETLB, -1, 0);
  CHECK(p == MAP_FAILED && errno == EINVAL);
  p = mmap(0, HUGE, RW, MAP_SHARED | MAP_ANON | MAP_HUGETLB, -1, 0);
  CHECK(p == MAP_FAILED && errno == EINVAL);
  start();
  p = mmap(0, 1UL << 36, RW, NEW | MAP_HUGETLB, -1, 0); // more than there can be
  stop();
  CHECK(p == MAP_FAILED && errno == ENOMEM && is.resident == was.resident);
}

// ---- collapse ----

void
huge_collapse_small_pages(void)
{
  char *p = fresh(2);
  for (uint i = 0; i < PTES; i += 2)
    stamp(p + i * PGSIZE, 16, i);
  peek((uint64)p + PGSIZE);
  FAILS(madvise(p + PGSIZE, 2 * HUGE - 2 * PGSIZE, MADV_COLLAPSE), EINVAL);
  start();
  CHECK(madvise(p, HUGE, MADV_COLLAPSE) == 0);
  stop();
  CHECK(GREW(frames_allocated) == PTES && GREW(frames_copied) == PTES / 2);
  CHECK(GREW(frames_zeroed) == PTES / 2 && GREW(frames_freed) == PTES / 2);
  CHECK(GREW(tables_freed) == 1 && is.tables == was.tables - 1);
  CHECK(is.resident == was.resident + PTES - PTES / 2 - 1); // the zero page counted as one
  is_huge(p, 1);
  CHECK(infos[0].flags & PTE_W && infos[0].flags & PTE_D);
  for (uint i = 0; i < PTES; i++)
    CHECK(i % 2 ? zeros(p + i * PGSIZE, PGSIZE) : stamped(p + i * PGSIZE, 16, i));
  start();
  CHECK(madvise(p, 2 * HUGE, MADV_COLLAPSE) == 0); // one is huge, and of one there is nothing
  touch((uint64)p);
  touch((uint64)p + HUGE);
  stop();
  CHECK(GREW(frames_allocated) == PTES && GREW(faults) == 0);
  is_huge(p + HUGE, 1);
  CHECK(zeros(p + HUGE + 1, HUGE - 1) && madvise(p, HUGE, MADV_NOHUGEPAGE) == 0);
  FAILS(madvise(p, HUGE, MADV_COLLAPSE), EINVAL);
}

static void
look_on(uint64 unused)
{
  char c;
  (void)unused;
  get(down[0], &c, 1);
  all_stamped(area, 17);
}

void
huge_collapse_shared_pages(void)
{
  area = fresh(1);
  stamp_all(area, 17);
  CHECK(pipe(down) == 0);
  int pid = spawn(look_on, 0);
  CHECK(mprotect(area, HUGE, PROT_READ) == 0 && madvise(area, HUGE, MADV_COLLAPSE) == 0);
  is_huge(area, 1);
  CHECK(!(infos[0].flags & PTE_W));
  all_stamped(area, 17);
  DIES(touch, area);
  CHECK(mprotect(area, HUGE, RW) == 0);
  stamp_all(area, 18);
  is_huge(area, 1);
  put(down[1], "x", 1);
  CHECK(reap(pid) == 0);
  all_stamped(area, 18);
}

// ---- no room ----

// Takes every block that is whole and keeps one page of it: memory is free then, but in pieces.
static void
fragment(void)
{
  char *p;
  while ((p = mmap(0, HUGE, RW, NEW | MAP_HUGETLB, -1, 0)) != MAP_FAILED)
    CHECK(madvise(p + PGSIZE, HUGE - PGSIZE, MADV_DONTNEED) == 0);
  CHECK(errno == ENOMEM && counts(0).free > 2 * PTES);
}

void
huge_without_blocks(void)
{
  char *p;
  int tries = 5;
  sync(); // what is dirty now could be dropped later
  do {
    fragment();
    p = fresh_huge(1);
    start();
    stamp_all(p, 19);
    stop(); // others may have given back what a block lacked: once more, with less memory
  } while ((GREW(huge) > 0 || madvise(p, HUGE, MADV_COLLAPSE) == 0) && --tries > 0);
  CHECK(GREW(huge) == 0 && GREW(zero_fill) == PTES && page(p).level == 0);
  FAILS(madvise(p, HUGE, MADV_COLLAPSE), ENOMEM);
  all_stamped(p, 19);
  start();
  CHECK(mmap(0, HUGE, RW, NEW | MAP_HUGETLB, -1, 0) == MAP_FAILED && errno == ENOMEM);
  stop();
  CHECK(is.resident == was.resident && is.tables == was.tables);
}

// Without a frame for a table a huge page cannot be cut, and stays as it is.
void
huge_cut_without_memory(void)
{
  char *p = fresh_huge(1), *low = p, *got;
  stamp_all(p, 23);
  is_huge(p, 1);
  start();                             // the program is in memory
  for (uint64 n = PTES; n > 0; n /= 8) // all there is; ranges come one below the other
    while ((got = mmap(0, n * PGSIZE, RW, NEW | MAP_POPULATE, -1, 0)) != MAP_FAILED)
      low = got;
  FAILS(munmap(p + 9 * PGSIZE, PGSIZE), ENOMEM);
  FAILS(mprotect(p, PGSIZE, PROT_READ), ENOMEM);
  FAILS(madvise(p, PGSIZE, MADV_DONTNEED), ENOMEM);
  CHECK(munmap(low, (uint64)(p - low)) == 0);
  is_huge(p, 1);
  all_stamped(p, 23);
  CHECK(munmap(p + 9 * PGSIZE, PGSIZE) == 0);
}

static void
eager_heap(uint64 size)
{
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_ALWAYS) == 0);
  char *low = heap_edge(), *edge = low + 2 * HUGE + 3 * PGSIZE;
  CHECK(sbrklazy((int)(edge - low)) == low); // a huge page may lie across its end
  start();
  FAILS(sbrk((int)size), ENOMEM);
  CHECK(sbrk(0) == edge && sbrk(HUGE) == edge && page(edge + HUGE - PGSIZE).kind == PG_ANON);
  CHECK(zeros(low, HUGE) && sbrk(-HUGE) == edge + HUGE);
  DIES(peek, PGROUNDUP((uint64)edge));
}

// sbrk for more than there is gives all of it back, what it cut from a huge page as well.
void
huge_heap_beyond_memory(void)
{
  int status = run(eager_heap, counts(0).frames * PGSIZE);
  CHECK(vmctl(VMCTL_HUGE, VMHUGE_MADVISE) == 0 && status == 0);
}

// ---- many at once ----

#define AREAS 3

// Changes, cuts, shares and forgets pages of memory that all brothers have, and keeps account.
static void
rummage(uint64 who)
{
  static uchar mine[AREAS * PTES]; // 1: written here; 2: forgotten
  CHECK(pipe(ends) == 0);
  for (uint64 n = 0; n < 37 * (who + 1); n++)
    rnd();
  for (int round = 0; round < 150; round++) {
    uint i = rnd() % (AREAS * PTES);
    char *p = area + (uint64)i * PGSIZE;
    switch (rnd() % 7) {
    case 0:
    case 1:
      stamp(p, 30 + (uint)who, i);
      mine[i] = 1;
      break;
    case 2:
      CHECK(madvise(p, PGSIZE, MADV_DONTNEED) == 0);
      mine[i] = 2;
      break;
    case 3: // which cuts the range for good
      p = area + i % PTES * PGSIZE;
      CHECK(mprotect(p, PGSIZE, PROT_READ) == 0 && mprotect(p, PGSIZE, RW) == 0);
      break;
    case 4: LIVES(touch, p); break;
    case 5:
      put(ends[1], p, 512);
      get(ends[0], buf, 512);
      CHECK(memcmp(buf, p, 512) == 0);
      break;
    case 6: // in vain when little memory is left, or none in one piece
      if (round % 5 == 0 && i >= PTES)
        CHECK(madvise(area + i / PTES * (uint64)HUGE, HUGE, MADV_COLLAPSE) == 0 || errno == ENOMEM);
    }
  }
  for (uint i = 0; i < AREAS * PTES; i++) {
    char *p = area + (uint64)i * PGSIZE;
    CHECK(mine[i] == 2 ? zeros(p, PGSIZE) : stamped(p, mine[i] ? 30 + (uint)who : 20, i));
  }
}

void
huge_race(void)
{
  area = fresh_huge(AREAS);
  for (uint i = 0; i < AREAS * PTES; i++)
    stamp(area + (uint64)i * PGSIZE, 20, i);
  for (int round = 0; round < 4; round++) {
    crowd(4, rummage);
    for (uint i = 0; i < AREAS * PTES; i++)
      CHECK(stamped(area + (uint64)i * PGSIZE, 20, i));
  }
  for (int i = 0; i < AREAS; i++)
    is_huge(area + i * (uint64)HUGE, 1); // nobody else has any of it
  start();
  touch((uint64)area);
  stop();
  CHECK(GREW(cow_reuse) == 1 && GREW(frames_allocated) == 0);
}
