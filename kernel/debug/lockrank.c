// SPDX-License-Identifier: MIT
// Debug builds: every lock has a rank by its name, and a process waits only for locks that rank
// behind all it holds. Then no two can wait for each other.
//
// The list is the order, and docs/locks.md explains it. Locks of one name never nest, unless
// their line says so. try_acquire never waits, so it may take any; what it took counts as held.

#include "../proc.h"

// Outermost first. A star: two of these may be held at once, in an order of their own.
static const char *const order[] = {
#include "lockorder.h"
};

#define NORDER (int)(sizeof(order) / sizeof(order[0]))

static int
rank_of(const char *name, int *nests)
{
  for (int i = 0; i < NORDER; i++) {
    *nests = order[i][0] == '*';
    if (strcmp(order[i] + *nests, name) == 0)
      return i;
  }
  panic("the lock \"%s\" has no rank", name);
}

// The running process is about to wait for lock.
void
lockrank_want(const void *lock, const char *name)
{
  struct proc *p = myproc();
  int nests, rank = rank_of(name, &nests);
  if (panicked)
    return;
  for (int i = 0; i < p->held.n; i++)
    if (p->held.at[i].rank > rank || (p->held.at[i].rank == rank && !nests))
      panic("lock order: \"%s\" wanted with \"%s\" held%s", name, order[p->held.at[i].rank],
            p->held.at[i].lock == lock ? ", the same" : "");
}

// It has it. Interrupts are off meanwhile: a handler's locks are entered in the same list.
void
lockrank_took(const void *lock, const char *name)
{
  struct proc *p = myproc();
  uint64 before = csr_fetch_clear(sstatus, SSTATUS_SIE);
  int nests;
  if (p->held.n == NHELD)
    panic("%d locks held, and then \"%s\"", NHELD, name);
  p->held.at[p->held.n].lock = lock;
  p->held.at[p->held.n++].rank = rank_of(name, &nests);
  csr_set(sstatus, before & SSTATUS_SIE);
}

static void
forget(struct proc *p, const void *lock)
{
  uint64 before = csr_fetch_clear(sstatus, SSTATUS_SIE);
  int i = p->held.n - 1;
  while (i >= 0 && p->held.at[i].lock != lock)
    i--;
  if (i < 0)
    panic("a lock given back that was not held");
  p->held.at[i] = p->held.at[--p->held.n];
  csr_set(sstatus, before & SSTATUS_SIE);
}

// It gives it back, in whatever order.
void
lockrank_gave(const void *lock)
{
  forget(myproc(), lock);
}

// A switch hands the lock of who left to who came.
void
lockrank_inherit(const void *lock, const char *name, struct proc *from)
{
  forget(from, lock);
  lockrank_took(lock, name);
}
