// SPDX-License-Identifier: MIT
// Memory that starts as zeros: a frame at the first write, the one frame of zeros at the first read.
#include "test.h"

// One store: one fault, one frame, zeroed; and nothing at the second store.
void
lazy_first_write_costs_one_frame(void)
{
  warm();
  char *p = map(4, 0);
  *nth(p, 0) = 1; // with its page tables
  mark();
  *nth(p, 1) = 1;
  EQUALS(since()->faults, 1);
  EQUALS(since()->zero_fill, 1);
  EQUALS(since()->frames_allocated, 1);
  EQUALS(since()->frames_zeroed, 1);
  EQUALS(since()->frames_copied, 0);
  *nth(p, 1) = 2;
  EQUALS(since()->faults, 1);
  struct pageinfo pi = page(nth(p, 1));
  CHECK(allows(pi, PTE_R | PTE_W) && pi.kind == PG_ANON && pi.refs == 1 && pi.level == 0);
  CHECK(pi.vma == VMA_ANON && (pi.flags & PTE_A) && (pi.flags & PTE_D));
}

// Reading maps one and the same frame everywhere, which nobody can write.
void
lazy_reads_share_the_zero_frame(void)
{
  warm();
  char *p = map(11, 0);
  *nth(p, 10) = 1;
  mark();
  CHECK(zeros(p, 10 * PGSIZE));
  EQUALS(since()->faults, 10);
  EQUALS(since()->zero_page, 10);
  EQUALS(since()->frames_allocated, 0);
  for (int i = 0; i < 10; i++) {
    struct pageinfo pi = page(nth(p, i));
    CHECK(pi.frame == page(p).frame && pi.kind == PG_ZERO && allows(pi, PTE_R));
  }
}

// A write after a read takes a frame after all: one fault, no copy of the zeros.
void
lazy_write_after_read(void)
{
  warm();
  char *p = map(2, 0);
  uint64 zero = (CHECK(zeros(p, 2 * PGSIZE)), page(p).frame);
  mark();
  p[100] = 7;
  EQUALS(since()->faults, 1);
  EQUALS(since()->frames_allocated, 1);
  EQUALS(since()->frames_zeroed, 1);
  CHECK(page(p).frame != zero && page(nth(p, 1)).frame == zero);
  CHECK(page(p).kind == PG_ANON && allows(page(p), PTE_R | PTE_W));
  CHECK(p[100] == 7 && zeros(p, 100) && zeros(p + 101, 2 * PGSIZE - 101));
}

// A sparse array of 1 GiB costs what is touched.
void
lazy_sparse_gib(void)
{
  warm();
  struct vmstat was = vm();
  char *p = map(GIB / PGSIZE, 0);
  EQUALS(vm().resident, was.resident);
  mark();
  for (uint64 i = 0; i < 100; i++)
    p[i * 10 * MIB] = (char)i;
  EQUALS(since()->faults, 100);
  EQUALS(since()->zero_fill, 100);
  EQUALS(since()->frames_zeroed, 100);
  EQUALS(vm().resident, was.resident + 100);
  for (uint64 i = 0; i < 100; i++)
    CHECK(p[i * 10 * MIB] == (char)i && p[i * 10 * MIB + 1] == 0);
  EQUALS(since()->faults, 100);
}

// Faults are as many as first touches, wherever the memory is.
void
lazy_faults_are_first_touches(void)
{
  warm();
  char *edge = heap_edge();
  CHECK(sbrklazy(50 * PGSIZE) == edge);
  mark();
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 50; i++)
      *nth(edge, i * 7 % 50) = (char)round;
  EQUALS(since()->faults, 50);
  EQUALS(since()->zero_fill, 50);
  EQUALS(rerun("@bss"), 0);
}

// Memory that was asked for at once costs no fault.
void
lazy_and_eager_heap(void)
{
  char *edge = heap_edge();
  warm();
  CHECK(sbrk(20 * PGSIZE) == edge);
  mark();
  stamp_all(edge, 1, 20);
  EQUALS(since()->faults, 0);
}

// The kernel may be the first: its touches count like those of the program.
void
lazy_pages_filled_by_calls(void)
{
  make("f", 3, 8 * PGSIZE);
  int fd = open("f", O_RDONLY);
  warm();
  char *p = map(10, 0);
  mark();
  CHECK(read(fd, p + 100, 8 * PGSIZE) == 8 * PGSIZE);
  EQUALS(since()->faults, 9);
  EQUALS(since()->zero_fill, 9);
  CHECK(same(p + 100, 8 * PGSIZE, 3, 0) && zeros(p, 100));
}

// What a call only reads stays the frame of zeros.
void
lazy_pages_read_by_calls(void)
{
  int fd = create("f");
  warm();
  char *p = map(4, 0);
  mark();
  put(fd, p, 4 * PGSIZE);
  EQUALS(since()->zero_page, 4);
  EQUALS(since()->zero_fill, 0);
  CHECK(page(nth(p, 2)).kind == PG_ZERO);
}

// DONTNEED: the frames go, the addresses stay, and there are zeros again.
void
lazy_again_after_dontneed(void)
{
  warm();
  char *p = map(8, 0);
  stamp_all(p, 1, 8);
  uint64 was = vm().resident;
  advise(nth(p, 2), 4, MADV_DONTNEED);
  EQUALS(vm().resident, was - 4);
  CHECK(page(nth(p, 3)).frame == 0 && page(nth(p, 3)).vma == VMA_ANON);
  mark();
  CHECK(zeros(nth(p, 2), 4 * PGSIZE));
  EQUALS(since()->zero_page, 4);
  CHECK(stamped(nth(p, 1), 1, 1) && stamped(nth(p, 6), 1, 6));
}
