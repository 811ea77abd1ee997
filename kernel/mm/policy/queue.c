// SPDX-License-Identifier: MIT
// The queue of anonymous frames that may be evicted, in the order in which they came or were spared.
//
// Interface: queue_start, queue_stop, queue_policy; queue_admit for rmap.c, queue_enrol for exec,
// queue_forget for who frees or evicts; queue_victim and queue_settle for reclaim.c; queue_oldest, queue_newer, queue_used, queue_renew for
// policies.
//
//   frames[0] <-> oldest <-> ... <-> newest <-> frames[0]      by frame numbers: older, newer
//
// There is a queue only while there is swap: otherwise no fault takes a lock that all share. A huge
// page is in it once, by its first frame, for all 512.
//
// Lock: "queue", for the links, AF_QUEUED and what policies note in page.age.
//
// 1. AF_QUEUED is set exactly while a frame is in the queue. Then it has a family, and a reference
//    to it: a frame in waiting[] of swap.c can outlive all who mapped it.
// 2. A frame is mapped when it is admitted, and forgotten before it is free.

#include "../../proc.h"
#include "../rmap.h"

struct queue queue = { .lock = SPINLOCK("queue"), .policy = &clock };

static void
append(struct page *pg)
{
  uint me = pg - frames;
  pg->newer = 0;
  pg->older = frames[0].older;
  frames[pg->older].newer = me;
  frames[0].older = me;
}

static void
detach(struct page *pg)
{
  if (queue.policy->forget)
    queue.policy->forget(pg);
  frames[pg->older].newer = pg->newer;
  frames[pg->newer].older = pg->older;
}

static void
greet(struct page *pg, int stuck)
{
  queue.admitted += !stuck;
  if (queue.policy->admit)
    queue.policy->admit(pg, stuck);
}

static int
queued(struct page *pg)
{
  return (__atomic_load_n(&pg->flags, __ATOMIC_RELAXED) & AF_QUEUED) != 0;
}

// The frame at the head, and the one behind pg; 0: none.
struct page *
queue_oldest(void)
{
  return queue_newer(frames);
}

struct page *
queue_newer(struct page *pg)
{
  return pg->newer ? &frames[pg->newer] : 0;
}

// The next to be evicted: 1 and m is set; 0: there is nobody. May sleep.
int
queue_victim(struct mappers *m)
{
  acquire(&queue.lock);
  struct page *pg = queue.policy->victim();
  while (pg && !queued(pg)) // it went while the policy was looking at others
    pg = queue_oldest();
  if (pg)
    rmap_note(m, pg);
  release(&queue.lock);
  return pg != 0;
}

// m->pg has been evicted, or cannot be now and starts again at the tail.
void
queue_settle(struct mappers *m, int evicted)
{
  acquire(&queue.lock);
  queue.evicted += evicted;
  if (!evicted && queued(m->pg)) {
    queue_renew(m->pg);
    greet(m->pg, 1);
  }
  release(&queue.lock);
}

// Move pg to the tail, if it still is in the queue.
void
queue_renew(struct page *pg)
{
  if (queued(pg)) {
    detach(pg);
    append(pg);
  }
}

// Whether somebody has used pg since this was last asked; -1: it is not in the queue any more. Holds
// queue.lock, and drops and retakes it.
int
queue_used(struct page *pg)
{
  struct mappers m;
  rmap_note(&m, pg);
  release(&queue.lock);
  rmap_lock(&m);
  int used = rmap_used(&m);
  rmap_unlock(&m);
  acquire(&queue.lock);
  return queued(pg) ? used : -1;
}

void
admit_page(struct page *pg)
{
  acquire(&queue.lock);
  if (queue.on && !queued(pg)) {
    __atomic_fetch_or(&pg->flags, AF_QUEUED, __ATOMIC_RELAXED);
    family_get(family_of(pg));
    append(pg);
    queue.n++;
    greet(pg, 0);
  }
  release(&queue.lock);
}

void
queue_forget(struct page *pg)
{
  acquire(&queue.lock);
  struct family *f = queued(pg) ? family_of(pg) : 0;
  if (f) {
    detach(pg);
    __atomic_fetch_and(&pg->flags, ~AF_QUEUED, __ATOMIC_RELAXED);
    queue.n--;
  }
  release(&queue.lock);
  if (f)
    family_put(f);
}

// Another policy decides from now on. It finds all frames as if they had just come, in their order.
void
queue_policy(const struct policy *policy)
{
  struct page *pg = frames;
  acquire(&queue.lock);
  for (uint n = queue.n; n > 0 && queue.policy->forget; n--)
    queue.policy->forget(pg = queue_newer(pg));
  queue.policy = policy;
  pg = frames;
  for (uint n = queue.n; n > 0; n--)
    greet(pg = queue_newer(pg), 0);
  release(&queue.lock);
}

// What mm maps may be evicted, if there is swap. Sleeps.
void
queue_enrol(struct mm *mm)
{
  struct leaves it = { .pagetable = mm->pagetable, .end = USERTOP };
  if (!__atomic_load_n(&queue.on, __ATOMIC_ACQUIRE))
    return;
  acquiresleep(&mm->lock);
  while (uvmnext(&it)) {
    struct page *pg = pa_page(PTE2PA(*it.pte));
    if (!pte_mapped(*it.pte) || pg->kind != PG_ANON)
      continue;
    int huge = __atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) & AF_HUGE;
    for (int i = 0; i < (it.level == 0 || huge ? 1 : PTES); i++)
      queue_admit(&pg[i]);
  }
  releasesleep(&mm->lock);
}

// Frames that are anonymous now, and those that will be, may be evicted. Sleeps.
void
queue_start(void)
{
  struct mm *mm;
  frames[0].older = frames[0].newer = 0;
  __atomic_store_n(&queue.on, 1, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST); // who split a huge page either sees it, or is seen
  for (uint64 born = 0; (mm = mm_after(&born)) != 0; mm_put(mm))
    queue_enrol(mm);
}

// None may be.
void
queue_stop(void)
{
  struct page *pg;
  acquire(&queue.lock);
  queue.on = 0;
  release(&queue.lock);
  while ((pg = queue_oldest()) != 0)
    queue_forget(pg);
}
