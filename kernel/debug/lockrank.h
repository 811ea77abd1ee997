// SPDX-License-Identifier: MIT
// Debug builds check that locks are taken in the order of docs/locks.md. See lockrank.c.
#pragma once

struct proc;

#ifdef DEBUG
#define NHELD 48
struct held { // locks of a process
  struct {
    const void *lock;
    int rank;
  } at[NHELD];
  int n;
};
void lockrank_want(const void *lock, const char *name); // about to wait for it
void lockrank_took(const void *lock, const char *name);
void lockrank_gave(const void *lock);
void lockrank_inherit(const void *lock, const char *name, struct proc *from);
#else
struct held {
};
static inline void
lockrank_want(const void *lock, const char *name)
{
  (void)lock, (void)name;
}
#define lockrank_took lockrank_want
static inline void
lockrank_gave(const void *lock)
{
  (void)lock;
}
static inline void
lockrank_inherit(const void *lock, const char *name, struct proc *from)
{
  (void)lock, (void)name, (void)from;
}
#endif
