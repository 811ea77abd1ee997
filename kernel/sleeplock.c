// SPDX-License-Identifier: MIT
// Sleeplocks: mutual exclusion for as long as it takes. The holder may sleep; who waits, sleeps.
//
// Interface: initsleeplock, acquiresleep, try_acquiresleep, releasesleep, holdingsleep.
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

// Take lk if it is free: 1, else 0. Does not sleep.
int
try_acquiresleep(struct sleeplock *lk)
{
  uint64 nobody = 0;
  if (!__atomic_compare_exchange_n(&lk->owner, &nobody, (uint64)myproc(), 0, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return 0;
  lockrank_took(lk, lk->name);
  return 1;
}

// Apart from acquiresleep, which is short that way.
static NOINLINE void
wait_for(struct sleeplock *lk)
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

// Take lk; sleeps while somebody else has it. The caller holds no spinlock.
void
acquiresleep(struct sleeplock *lk)
{
  assert(lk->name && myproc()->noff == 0 && !holdingsleep(lk));
  lockrank_want(lk, lk->name);
  if (!try_acquiresleep(lk))
    wait_for(lk);
}

void
releasesleep(struct sleeplock *lk)
{
  uint64 me = (uint64)myproc();
  assert(holdingsleep(lk));
  lockrank_gave(lk);
  if (__atomic_compare_exchange_n(&lk->owner, &me, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
    return;
  acquire(&lk->lk);
  __atomic_store_n(&lk->owner, 0, __ATOMIC_RELEASE);
  wakeup(lk);
  release(&lk->lk);
}
