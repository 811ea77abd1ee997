// SPDX-License-Identifier: MIT
// The heap: malloc, free, calloc, realloc.
//
// Memory from sbrk() is cut into blocks that lie side by side. Each begins with a head of 16 bytes,
// so that what malloc returns is 16-aligned:
//
//      +-------+------+-----------------+-------+------+----------- - -   +-------+----+
//      | below | size | data            | below | size | next, prev       | below | 16 |  end of
//      +-------+------+-----------------+-------+------+----------- - -   +-------+----+  a region
//      ^ in use        ^ malloc's result  ^ free                          ^ guard, in use for ever
//
// A free block is in the list of the power of two its size begins with: in any higher list than its
// own, the first block is large enough for a request.
//
// Invariants
//  1. size is a multiple of 16, at least 32 but for a guard; its bit 0 says "in use".
//  2. below is the size of the block just below, 0 for the first of a region.
//  3. No two free blocks touch: free() joins them at once.
//
// A mutex guards all of it, but the size of a block in use, which is its owner's.

#include "kernel/types.h"
#include "user/user.h"
#include "user/thread.h"

struct block {
  uint64 below;
  uint64 size;
  struct block *next, *prev; // while it is free
};

#define HEAD   16
#define USED   1UL
#define GROWTH (32 * 1024) // least amount asked from sbrk()
#define NLIST  33

#define ALIGN16(n) (((uint64)(n) + 15) & ~15UL)

static struct block *lists[NLIST];
static struct block *guard; // of the newest region
static struct mutex lock;

static uint64
size_of(const struct block *b)
{
  return b->size & ~USED;
}

static struct block *
above(struct block *b)
{
  return (struct block *)((char *)b + size_of(b));
}

static struct block **
list_of(uint64 size)
{
  int i = 0;

  while (size >>= 1)
    i++;
  return &lists[i < NLIST ? i : NLIST - 1];
}

static void
link_free(struct block *b)
{
  struct block **list = list_of(b->size);

  b->prev = 0;
  b->next = *list;
  if (*list)
    (*list)->prev = b;
  *list = b;
}

static void
unlink_free(struct block *b)
{
  if (b->prev)
    b->prev->next = b->next;
  else
    *list_of(b->size) = b->next;
  if (b->next)
    b->next->prev = b->prev;
}

// Put the block b, which is in no list and marked in use, among the free ones.
static void
give(struct block *b)
{
  b->size &= ~USED;
  struct block *up = above(b);
  if (!(up->size & USED)) {
    unlink_free(up);
    b->size += up->size;
  }
  if (b->below) {
    struct block *down = (struct block *)((char *)b - b->below);
    if (!(down->size & USED)) {
      unlink_free(down);
      down->size += b->size;
      b = down;
    }
  }
  above(b)->below = b->size;
  link_free(b);
}

// Make b, which is in use, size bytes long, and free the rest if that can be a block.
static void
trim(struct block *b, uint64 size)
{
  uint64 rest = size_of(b) - size;

  if (rest < sizeof(struct block))
    return;
  b->size = size | USED;
  struct block *r = above(b);
  r->below = size;
  r->size = rest | USED;
  above(r)->below = rest;
  give(r);
}

// Get a region with room for a block of size bytes, or make the newest one longer. 0: no memory.
static int
grow(uint64 size)
{
  uint64 least = size + 2 * HEAD; // a guard, and room to align
  int n = least > GROWTH ? least : GROWTH;
  char *p;

  if (least > 0x7fffffff)
    return 0;
  if ((p = sbrk(n)) == SBRK_ERROR && (p = sbrk(n = least)) == SBRK_ERROR)
    return 0;

  struct block *b = (struct block *)ALIGN16(p);
  uint64 room = ((uint64)p + n - (uint64)b) & ~15UL;
  if (guard && (char *)guard + HEAD == (char *)b) {
    b = guard;
    room += HEAD;
  } else {
    b->below = 0;
  }
  b->size = (room - HEAD) | USED;
  guard = above(b);
  guard->below = size_of(b);
  guard->size = HEAD | USED;
  give(b);
  return 1;
}

static struct block *
find(uint64 size)
{
  for (struct block **list = list_of(size); list < lists + NLIST; list++)
    for (struct block *b = *list; b; b = b->next)
      if (b->size >= size)
        return b;
  return 0;
}

// A block of this size, marked in use. 0: no memory.
static struct block *
take(uint64 size)
{
  struct block *b;

  while ((b = find(size)) == 0)
    if (!grow(size))
      return 0;
  unlink_free(b);
  b->size |= USED;
  trim(b, size);
  return b;
}

// The size of a block for n bytes.
static uint64
room_for(uint n)
{
  uint64 size = ALIGN16((uint64)n + HEAD);

  return size < sizeof(struct block) ? sizeof(struct block) : size;
}

// n bytes of memory, 16-aligned, with any contents; 0 and ENOMEM: there are none.
void *
malloc(uint n)
{
  mutex_lock(&lock);
  struct block *b = take(room_for(n));
  mutex_unlock(&lock);
  if (!b) {
    errno = ENOMEM;
    return 0;
  }
  return (char *)b + HEAD;
}

// Give back what malloc returned. A null pointer is nothing to give back.
void
free(void *p)
{
  if (!p)
    return;
  mutex_lock(&lock);
  give((struct block *)((char *)p - HEAD));
  mutex_unlock(&lock);
}

// An array of zeros.
void *
calloc(uint n, uint size)
{
  uint64 bytes = (uint64)n * size;

  if (bytes > 0xffffffff) {
    errno = ENOMEM;
    return 0;
  }
  void *p = malloc(bytes);
  return p ? memset(p, 0, bytes) : 0;
}

// The same contents in n bytes, perhaps elsewhere. 0 and ENOMEM: p is as it was.
void *
realloc(void *p, uint n)
{
  if (!p)
    return malloc(n);
  struct block *b = (struct block *)((char *)p - HEAD);
  uint64 room = size_of(b) - HEAD;
  if (n <= room) {
    mutex_lock(&lock);
    trim(b, room_for(n));
    mutex_unlock(&lock);
    return p;
  }
  void *q = malloc(n);
  if (q) {
    memcpy(q, p, room);
    free(p);
  }
  return q;
}
