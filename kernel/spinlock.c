// SPDX-License-Identifier: MIT
// Spinlocks: mutual exclusion between harts, and against interrupts of this one.
//
// Interface: initlock, acquire, try_acquire, release, holding; push_off and pop_off. What all of the
// kernel does all the time is in proc.h, a few instructions each.
//
// 1. While a hart holds a spinlock its interrupts are off, so no handler can want the same lock.
// 2. noff and intena belong to the running process, not to the hart: a process with noff > 0 cannot
//    move, and one that moves has noff == 0.
// 3. In debug builds holder is the process that acquired, or the one that inherited it over a switch
//    (sched.c).

#include "proc.h"

// name is for reports, and gives the lock its rank in debug builds.
void
initlock(struct spinlock *lk, const char *name)
{
  *lk = (struct spinlock)SPINLOCK(name);
}

// Whether the running process holds lk. In debug builds; for asserts.
int
holding(struct spinlock *lk)
{
  return lk->holder == myproc() && __atomic_load_n(&lk->locked, __ATOMIC_RELAXED);
}
