// SPDX-License-Identifier: MIT
// The queue of anonymous frames that may be evicted, and what a policy is. See queue.c.
#pragma once

#include "../mm.h"

// Who is evicted next. All with queue.lock held; victim may drop and retake it (queue_used).
struct policy {
  void (*admit)(struct page *,
                int stuck);      // it has come, to the tail, or stuck: it was chosen and could
                                 // not be evicted. 0: nothing to do
  void (*forget)(struct page *); // it leaves its place. 0: nothing to do
  struct page *(*victim)(void);  // whom to evict; 0: there is nobody
};

extern const struct policy fifo, clock, aging, wsclock;

// Frame 0 is the kernel's own, so its struct page is free to be the queue's head: its newer is the
// head of the queue, its older the tail.
struct queue {
  struct spinlock lock;
  int on;                      // frames come in; also read without the lock
  const struct policy *policy; // under the lock, as are the rest:
  uint n;                      // how many are in it
  uint64 admitted, evicted;    // how many ever were
};

extern struct queue queue;

struct page *queue_oldest(void);
struct page *queue_newer(struct page *);
int queue_used(struct page *);
void queue_renew(struct page *);
int queue_victim(struct mappers *);
void queue_settle(struct mappers *, int evicted);
void queue_start(void);
void queue_stop(void);
void queue_policy(const struct policy *);
void admit_page(struct page *);

// pg, an anonymous frame, has been mapped. Nothing happens, at the price of one look, while swap is
// off, and to a frame that is queued already.
static inline void
queue_admit(struct page *pg)
{
  if (__atomic_load_n(&queue.on, __ATOMIC_ACQUIRE))
    admit_page(pg);
}
