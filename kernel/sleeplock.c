// SPDX-License-Identifier: MIT
// Sleeplocks: mutual exclusion for as long as it takes. The holder may sleep; who waits, sleeps.
//
// Interface: initsleeplock, acquiresleep, try_acquiresleep, releasesleep, holdingsleep. What happens
// while nobody waits is in proc.h, a few instructions each.
//
// owner is 0, or the holder with WAITERS added when somebody sleeps for the lock. Taking a free lock
// and giving up one that nobody waits for is one compare-and-swap.
//
// 1. WAITERS is set under lk->lk, and the wakeup that clears it is sent under lk->lk: no waiter
//    can fall asleep between the look and the wakeup.

#include "proc.h"

#define WAITERS 1UL

void
initsleeplock(struct sleeplock *lk, const char *name)
{
  *lk = (struct sleeplock)SLEEPLOCK(name);
}

// Whether the running process holds lk.
int
holdingsleep(struct sleeplock *lk)
{
  return (__atomic_load_n(&lk->owner, __ATOMIC_RELAXED) & ~WAITERS) == (uint64)myproc();
}

// Take lk, which somebody has. For acquiresleep.
void
lock_sleep(struct sleeplock *lk)
{
  acquire(&lk->lk);
  while (!try_acquiresleep(lk)) {
    uint64 held = __atomic_load_n(&lk->owner, __ATOMIC_RELAXED);
    if (held != 0 && __atomic_compare_exchange_n(&lk->owner, &held, held | WAITERS, 0,
                                                 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      sleep(lk, &lk->lk);
  }
  release(&lk->lk);
}

// Give up lk, which somebody waits for. For releasesleep.
void
lock_wake(struct sleeplock *lk)
{
  acquire(&lk->lk);
  __atomic_store_n(&lk->owner, 0, __ATOMIC_RELEASE);
  wakeup(lk);
  release(&lk->lk);
}
