// SPDX-License-Identifier: MIT
// Spinlocks: mutual exclusion between harts, and against interrupts of this one.
//
// Interface: initlock, acquire, try_acquire, release, holding; push_off and pop_off.
//
// 1. While a hart holds a spinlock its interrupts are off, so no handler can want the same lock.
// 2. noff and intena belong to the running process, not to the hart: a process with noff > 0 cannot
//    move, and one that moves has noff == 0.
// 3. In debug builds holder is the process that acquired, or the one that inherited it over a switch
//    (sched.c).

#include "defs.h"
#include "debug/lockrank.h"
#include "proc.h"

// name is for reports, and gives the lock its rank in debug builds.
void
initlock(struct spinlock *lk, const char *name)
{
  *lk = (struct spinlock)SPINLOCK(name);
}

// Interrupts off, until as many pop_off have come. Does not sleep.
void
push_off(void)
{
  uint64 before = csr_fetch_clear(sstatus, SSTATUS_SIE);
  struct proc *p = myproc();
  if (p->noff++ == 0)
    p->intena = before & SSTATUS_SIE;
}

void
pop_off(void)
{
  struct proc *p = myproc();
  assert(!intr_get() && p->noff > 0);
  if (--p->noff == 0 && p->intena)
    intr_on();
}

// Whether the running process holds lk. In debug builds; for asserts.
int
holding(struct spinlock *lk)
{
  return lk->holder == myproc() && __atomic_load_n(&lk->locked, __ATOMIC_RELAXED);
}

static inline void
took(struct spinlock *lk)
{
  if (DEBUGGING)
    lk->holder = myproc();
  lockrank_took(lk, lk->name);
}

// Wait for lk and take it. Holds interrupts off until release. The caller holds only locks of lower
// rank (docs/locks.md).
void
acquire(struct spinlock *lk)
{
  push_off();
  assert(lk->name && !holding(lk));
  lockrank_want(lk, lk->name);
  if (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED) ||
           __atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE))
      ;
    lk->contended++;
    vm_count(contended, 1);
  }
  took(lk);
}

// Take lk if it is free: 1, else 0. Never waits, so any order is fine.
int
try_acquire(struct spinlock *lk)
{
  push_off();
  if (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE)) {
    pop_off();
    return 0;
  }
  took(lk);
  return 1;
}

// lk, which `from` holds and cannot release itself, becomes the running process's. For sched.c.
void
lock_inherit(struct spinlock *lk, struct proc *from)
{
  lockrank_inherit(lk, lk->name, from);
  lk->holder = myproc();
}

void
release(struct spinlock *lk)
{
  assert(holding(lk));
  lockrank_gave(lk);
  if (DEBUGGING)
    lk->holder = 0;
  __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
  pop_off();
}
