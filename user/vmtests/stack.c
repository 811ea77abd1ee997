// SPDX-License-Identifier: MIT
// The stack grows a page at a time, to its limit and not a page further.
#include "test.h"

// Pushes a word with the stack pointer there.
static void
push_at(uint64 sp)
{
  asm volatile("mv t0, sp\n mv sp, %0\n sd zero, 0(sp)\n mv sp, t0" : : "r"(sp) : "t0", "memory");
}

static void
peek_at(uint64 sp)
{
  asm volatile("mv t0, sp\n mv sp, %0\n ld t1, 0(sp)\n mv sp, t0"
               :
               : "r"(sp)
               : "t0", "t1", "memory");
}

// An address of the stack well below what is in use.
static uint64
below_use(void)
{
  char here;
  return PGROUNDDOWN((uint64)&here) - 100 * PGSIZE;
}

void
stack_frames_one_by_one(void)
{
  warm();
  uint64 low = below_use();
  push_at(low);
  uint64 was = vm().resident;
  mark();
  for (int i = 1; i <= 20; i++) {
    push_at(low - i * PGSIZE);
    EQUALS(vm().resident, was + i);
    EQUALS(since()->faults, i);
    EQUALS(since()->stack, i);
    EQUALS(since()->frames_zeroed, i);
  }
  struct pageinfo pi = page((void *)(low - 20 * PGSIZE));
  CHECK(pi.vma == VMA_STACK && pi.kind == PG_ANON && pi.refs == 1 && allows(pi, PTE_R | PTE_W));
  CHECK(page((void *)(low - 21 * PGSIZE)).vma == VMA_NONE);
}

// Pages that were skipped belong to the stack and have no frame.
void
stack_skipped_pages_cost_nothing(void)
{
  warm();
  uint64 low = below_use();
  mark();
  push_at(low - 1000 * PGSIZE);
  EQUALS(since()->frames_zeroed, 1);
  struct pageinfo pi = page((void *)(low - 500 * PGSIZE));
  CHECK(pi.vma == VMA_STACK && pi.frame == 0);
  push_at(low - 500 * PGSIZE);
  EQUALS(since()->frames_zeroed, 2);
  EQUALS(since()->faults, 2);
}

// A call may be the first to touch.
void
stack_pages_filled_by_calls(void)
{
  make("f", 4, 20 * PGSIZE);
  int fd = open("f", O_RDONLY);
  warm();
  char *room = (char *)(below_use() - 20 * PGSIZE);
  mark();
  CHECK(read(fd, room, 20 * PGSIZE) == 20 * PGSIZE);
  EQUALS(since()->faults, 20);
  EQUALS(since()->frames_zeroed, 20);
  CHECK(same(room, 20 * PGSIZE, 4, 0));
  EQUALS(page(room).vma, VMA_STACK);
}

// The lowest page can be had; the page below it is the end, by the right cause.
void
stack_ends_at_its_limit(void)
{
  LIVES(push_at, STACKBASE);
  LIVES(peek_at, STACKBASE);
  FAULTS(push_at, STACKBASE - 8, PROT_WRITE);
  FAULTS(push_at, STACKBASE - PGSIZE, PROT_WRITE);
  FAULTS(peek_at, STACKBASE - 8, PROT_READ);
  FAULTS(push_at, STACKTOP, PROT_WRITE);
  make("f", 1, 100);
  int fd = open("f", O_RDONLY);
  FAILS(read(fd, (void *)(STACKBASE - PGSIZE), 100), EFAULT);
}

// Nothing comes to lie in the gap below the limit.
void
stack_has_a_gap_below(void)
{
  char *p = map(1, 0), *q = map(1000, 0);
  CHECK((uint64)p + PGSIZE <= MMAPTOP && (uint64)q + 1000 * PGSIZE <= MMAPTOP);
  CHECK(STACKBASE - MMAPTOP >= PGSIZE);
  FAULTS(touch, MMAPTOP, PROT_WRITE);
}

static void
use_stack(uint64 low)
{
  warm();
  mark();
  push_at(low);
  EQUALS(since()->cow_copy, 1);
  push_at(low - PGSIZE);
  EQUALS(since()->stack, 1);
}

// A child has the same frames, and grows by itself.
void
stack_is_shared_by_fork(void)
{
  uint64 low = below_use();
  push_at(low);
  int pid = post(nothing, 0);
  struct pageinfo mine = page((void *)low), its = page_of(pid, (void *)low);
  CHECK(mine.frame == its.frame && mine.refs == 2);
  dismiss(pid);
  LIVES(use_stack, low);
  EQUALS(page((void *)(low - PGSIZE)).vma, VMA_NONE);
}
