// SPDX-License-Identifier: MIT
// Doubly linked lists whose links live in their elements. A list's head is a link of its own, so no
// operation has a special case. The lock is the caller's.
#pragma once

#include <stddef.h>

struct list {
  struct list *next, *prev;
};

#define LIST_INIT(name)             ((struct list){ &(name), &(name) })
#define list_entry(l, type, member) ((type *)((char *)(l)-offsetof(type, member)))
#define list_first(h, type, member) list_entry((h)->next, type, member)
#define list_each(l, h)             for (struct list *l = (h)->next; l != (h); l = l->next)
#define list_each_safe(l, h) \
  for (struct list *l = (h)->next, *n_ = l->next; l != (h); l = n_, n_ = l->next)

static inline void
list_init(struct list *h)
{
  h->next = h->prev = h;
}

static inline int
list_empty(const struct list *h)
{
  return h->next == h;
}

// Put l in front of at: behind all others when at is the head.
static inline void
list_before(struct list *at, struct list *l)
{
  l->next = at;
  l->prev = at->prev;
  at->prev->next = l;
  at->prev = l;
}

// Take l out. It then is an empty list of its own, so taking it out twice does no harm.
static inline void
list_del(struct list *l)
{
  l->prev->next = l->next;
  l->next->prev = l->prev;
  list_init(l);
}
