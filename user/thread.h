// SPDX-License-Identifier: MIT
// Threads: functions of one program that run at the same time, in one memory, with the same files.
// And what they wait for each other with: a mutex, a condition.
//
// malloc, free and printf may be used by all threads. Of a thread that forks, the child has a copy
// of this thread alone: a mutex that another one had locked, malloc's too, stays locked there, so it
// should do no more than exec.
//
// The two calls of a mutex are inline: the library's own locks stay these, whatever functions a
// program has.
#pragma once

#include "user/quire.h"

struct thread;

// A thread that runs fn(arg), with a stack of THREAD_STACK bytes at the most; what is beyond ends the
// process. 0: errno says why.
struct thread *thread_create(int (*fn)(void *), void *arg);
// Wait for its end and give up what it had; status may be 0: what fn returned. -1: errno says why.
int thread_join(struct thread *, int *status);

#define THREAD_STACK (256 * 1024)

// Unlocked when all zero. state is 0: unlocked, 1: locked, 2: locked, and somebody may wait.
struct mutex {
  int state;
};

static inline void
mutex_lock(struct mutex *m)
{
  int unlocked = 0;
  if (__atomic_compare_exchange_n(&m->state, &unlocked, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  while (__atomic_exchange_n(&m->state, 2, __ATOMIC_ACQUIRE) != 0)
    futex(&m->state, FUTEX_WAIT, 2);
}

static inline void
mutex_unlock(struct mutex *m)
{
  if (__atomic_exchange_n(&m->state, 0, __ATOMIC_RELEASE) == 2)
    futex(&m->state, FUTEX_WAKE, 1);
}

// Something that becomes true under a mutex: change it with the mutex held, then tell one waiter or
// all. Who waits holds the mutex, and looks again afterwards: it may be woken for nothing.
struct cond {
  int told; // how often
};

void cond_wait(struct cond *, struct mutex *);
void cond_signal(struct cond *);
void cond_broadcast(struct cond *);
