// SPDX-License-Identifier: MIT
// Threads and conditions: see thread.h.
//
// In user mode tp points to what a thread has for itself, a struct self (usys.S, start.c). A thread
// that was made here has a struct thread, which begins with it and which lies on top of its stack.
//
//   stack                                             tp
//   | guard, no access |        stack, grows down <- sp | struct thread |

#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/user.h"
#include "user/thread.h"

struct thread {
  struct self self;
  int tid;
  int (*fn)(void *);
  void *arg;
  char *stack;
};

#define ROOM (PGSIZE + THREAD_STACK)

static void
begin(void *thread)
{
  struct thread *t = thread;
  asm volatile("mv tp, %0" ::"r"(t) : "memory");
  texit(t->fn(t->arg));
}

struct thread *
thread_create(int (*fn)(void *), void *arg)
{
  char *stack = mmap(0, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (stack == MAP_FAILED)
    return 0;
  if (mprotect(stack, PGSIZE, PROT_NONE) == 0) {
    struct thread *t = (struct thread *)(stack + ROOM) - 1;
    *t = (struct thread){ .self = { .program = progname }, .fn = fn, .arg = arg, .stack = stack };
    if ((t->tid = clone(begin, t, t)) > 0)
      return t;
  }
  int why = errno;
  munmap(stack, ROOM);
  errno = why;
  return 0;
}

int
thread_join(struct thread *t, int *status)
{
  if (join(t->tid, status) < 0)
    return -1;
  return munmap(t->stack, ROOM);
}

// Who tells after the mutex was unlocked changes the number, and then the wait does not begin.
void
cond_wait(struct cond *c, struct mutex *m)
{
  int told = __atomic_load_n(&c->told, __ATOMIC_RELAXED);
  mutex_unlock(m);
  futex(&c->told, FUTEX_WAIT, told);
  mutex_lock(m);
}

static void
tell(struct cond *c, int n)
{
  __atomic_fetch_add(&c->told, 1, __ATOMIC_RELEASE);
  futex(&c->told, FUTEX_WAKE, n);
}

void
cond_signal(struct cond *c)
{
  tell(c, 1);
}

void
cond_broadcast(struct cond *c)
{
  tell(c, 0x7fffffff);
}
