// SPDX-License-Identifier: MIT
// Slabs: objects smaller than a frame, of one size each, cut from frames.
//
//   frame: | head: owner's list link, count | object | object | free -> | object | free -> 0 |
//
// Interface: SLAB() makes one at compile time; slab_take, slab_alloc, slab_free.
// Lock: slab.lock, for its frames and counts.
//
// 1. A frame is on slab.partial exactly while it has free and used objects.
// 2. A frame whose last object comes back is given up at once.

#include "../proc.h"
#include "../debug/failing.h"
#include "slab.h"

struct head {
  struct list link; // in slab.partial
  void *free;       // first free object; each holds the address of the next
  uint used;
};

static uint
room(struct slab *s)
{
  return (PGSIZE - sizeof(struct head)) / s->size;
}

static struct head *
cut(struct slab *s)
{
  struct head *h = kalloc();
  if (h == 0)
    return 0;
  h->free = 0;
  h->used = 0;
  char *at = (char *)(h + 1) + (room(s) - 1) * s->size;
  for (; at >= (char *)(h + 1); at -= s->size) {
    *(void **)at = h->free;
    h->free = at;
  }
  return h;
}

// An object, contents undefined; 0: no memory. Does not sleep.
void *
slab_take(struct slab *s)
{
  assert(s->size >= sizeof(void *) && s->size % 8 == 0 && room(s) > 1);
  if (failing())
    return 0;
  acquire(&s->lock);
  if (list_empty(&s->partial)) {
    release(&s->lock); // the frame allocator may want to shrink what this slab holds up
    struct head *h = cut(s);
    if (h == 0)
      return 0;
    acquire(&s->lock);
    list_before(s->partial.next, &h->link);
  }
  struct head *h = list_first(&s->partial, struct head, link);
  void *object = h->free;
  h->free = *(void **)object;
  if (++h->used == room(s))
    list_del(&h->link);
  release(&s->lock);
  return object;
}

// An object, all zero; 0: no memory. Does not sleep.
void *
slab_alloc(struct slab *s)
{
  void *object = slab_take(s);
  return object ? memset(object, 0, s->size) : 0;
}

// Give an object back. Does not sleep.
void
slab_free(struct slab *s, void *object)
{
  struct head *h = (struct head *)PGROUNDDOWN((uint64)object);
  acquire(&s->lock);
  if (h->used == room(s))
    list_before(s->partial.next, &h->link);
  *(void **)object = h->free;
  h->free = object;
  int unused = --h->used == 0;
  if (unused)
    list_del(&h->link);
  release(&s->lock);
  if (unused)
    kfree(h);
}
