// SPDX-License-Identifier: MIT
// Threads and conditions: see thread.h.
//
// In user mode tp points to what a thread has for itself: its errno comes first (usys.S, start.c). A
// thread that was made here has a struct thread, which lies on top of its stack.
//
//   malloc's result                             tp
//   | stack grows down    <- sp                 | struct thread |

#include "kernel/types.h"
#include "user/user.h"
#include "user/thread.h"

struct thread {
  int error; // errno
  int tid;
  int (*fn)(void *);
  void *arg;
  char *stack;
};

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
  char *stack = malloc(THREAD_STACK + sizeof(struct thread));
  if (!stack)
    return 0;
  struct thread *t = (struct thread *)(stack + THREAD_STACK);
  *t = (struct thread){ .fn = fn, .arg = arg, .stack = stack };
  t->tid = clone(begin, t, t);
  if (t->tid > 0)
    return t;
  free(stack);
  return 0;
}

int
thread_join(struct thread *t, int *status)
{
  if (join(t->tid, status) < 0)
    return -1;
  free(t->stack);
  return 0;
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
