// SPDX-License-Identifier: MIT
// The stack grows as it is used, up to its limit, and not a page further.
#include "test.h"

#define STACK_BYTES ((uint64)USERSTACK * PGSIZE)

// Uses about kib KiB of stack, in frames that know each other, so that no compiler makes a loop of
// it; how many frames were as they should be at the end.
static uint64 __attribute__((noinline)) dig(uint64 kib, volatile char *above)
{
  volatile char room[1000];
  room[0] = (char)kib;
  room[999] = (char)(above ? above[0] : 0);
  uint64 good = kib == 0 ? 0 : dig(kib - 1, room);
  return good + (room[0] == (char)kib && (above == 0 || above[0] == room[999]));
}

void
stack_grows(void)
{
  CHECK(dig(100, 0) == 101);
  CHECK(dig(6000, 0) == 6001);
  CHECK(dig(6000, 0) == 6001);
}

static void
dig_for_ever(uint64 unused)
{
  (void)unused;
  dig(STACK_BYTES / 1000 + 10, 0);
}

void
stack_overflow_kills(void)
{
  DIES(dig_for_ever, 0);
}

// Puts the stack pointer there and pushes a word.
static void
push_at(uint64 sp)
{
  asm volatile("mv t0, sp\n mv sp, %0\n sd zero, 0(sp)\n mv sp, t0" : : "r"(sp) : "t0", "memory");
}

// The lowest page of the limit can be had, the page below it cannot.
void
stack_limit_is_exact(void)
{
  LIVES(push_at, STACKBASE);
  LIVES(push_at, STACKBASE + PGSIZE);
  LIVES(push_at, STACKTOP - 64 * PGSIZE);
  DIES(push_at, STACKBASE - 8);
  DIES(push_at, STACKBASE - PGSIZE);
  DIES(touch, STACKBASE - 1);
  DIES(peek, STACKBASE - PGSIZE);
  DIES(touch, STACKTOP);
}

// Arrays on the stack that the kernel is the first to touch.
static void
read_to_stack(uint64 unused)
{
  (void)unused;
  char room[20 * PGSIZE];
  int fd = open("f", O_RDONLY);
  CHECK(read(fd, room, sizeof(room)) == sizeof(room));
  CHECK(same(room, sizeof(room), 2, 0));
}

static void
write_from_stack(uint64 unused)
{
  (void)unused;
  char room[40 * PGSIZE];
  asm volatile("" : : "r"(room) : "memory");
  int fd = create("g");
  put(fd, room + PGSIZE, 20 * PGSIZE);
  CHECK(look("g").size == 20 * PGSIZE);
}

void
stack_pages_used_by_calls(void)
{
  make("f", 2, 20 * PGSIZE);
  LIVES(read_to_stack, 0);
  LIVES(write_from_stack, 0);
}

// A buffer that starts below the limit is refused as a whole.
void
stack_buffers_below_the_limit(void)
{
  make("f", 2, 2 * PGSIZE);
  int fd = open("f", O_RDWR);
  FAILS(read(fd, (void *)(STACKBASE - PGSIZE), 2 * PGSIZE), EFAULT);
  FAILS(write(fd, (void *)(STACKBASE - 1), 2), EFAULT);
  FAILS(read(fd, (void *)(STACKTOP - 10), 20), EFAULT);
  CHECK(lseek(fd, 0, SEEK_CUR) == 0);
}

static void
use_copy(uint64 at)
{
  char *deep = (char *)at;
  CHECK(same(deep, 3 * PGSIZE, 5, 0));
  fill(deep, 3 * PGSIZE, 6, 0);
}

// A deep stack is copied by fork like other memory.
void
stack_is_forked(void)
{
  char room[100 * PGSIZE];
  fill(room, 3 * PGSIZE, 5, 0);
  LIVES(use_copy, room);
  CHECK(same(room, 3 * PGSIZE, 5, 0));
}
