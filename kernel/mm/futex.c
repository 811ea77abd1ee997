// SPDX-License-Identifier: MIT
// Sleeping for a word of user memory: what locks between threads are made of (user/thread.c). The
// word is the program's alone; the kernel only knows who sleeps for it.
//
//   who waits                                       who wakes
//   1. note how often the bucket was woken          1. change the word (in user mode)
//   2. read the word; not the value: EAGAIN         2. lock the bucket, count it as woken,
//   3. lock the bucket; woken since 1: again           wake some of the waiters for this word
//   4. join the waiters, sleep
//
// The word is read without a lock, since that may fault. No wake is missed: one that comes before 1
// finds its word changed in 2, one before 3 is counted, one after 4 finds the waiter.
//
// Shared memory is known by its frame, which stays pinned while somebody waits; private memory by the
// address space and the address, since its frame changes when it is copied.
//
// Lock: "futex", a bucket's.
//
// 1. A waiter is in its bucket from 4 until it is woken, or gives up, under the lock.

#include "../proc.h"

#define NBUCKET 64

enum { FUTEX_WAIT, FUTEX_WAKE }; // as in user/quire.h

// Who waits, or wakes, and for which word.
struct user {
  const void *space; // its mm or frame
  uint64 at;         // its address or place in the frame
  int value;         // what it was at the last look
  int woken;
  struct span pin;  // of the frame, if that is its space
  struct list link; // in its bucket, until it is woken
};

static struct bucket {
  struct spinlock lock; // this group:
  struct list waiters;  //   first come, first woken
  uint64 wakes;         //   counts calls to wake
} buckets[NBUCKET] = { [0 ... NBUCKET - 1] = { .lock = SPINLOCK("futex") } };

// Look at the word at va: what it is, and what its memory is now. -EINVAL: unaligned; -EFAULT, -EIO,
// -ENOMEM. May sleep.
static int
look(uint64 va, struct user *u)
{
  struct mm *mm = myproc()->mm;
  int n = va % sizeof(int) ? -EINVAL : span_pin(&u->pin, mm, va, sizeof(int), 0);
  if (n < 0)
    return n;
  struct page *frame = u->pin.pin[0];
  u->value = __atomic_load_n((int *)((char *)page_va(frame) + va % PGSIZE), __ATOMIC_RELAXED);
  acquiresleep(&mm->lock);
  struct vma *v = vma_find(mm, va);
  int shared = v && (v->flags & VM_SHARED);
  releasesleep(&mm->lock);
  u->space = shared ? (void *)frame : mm;
  u->at = shared ? va % PGSIZE : va;
  if (!shared)
    span_unpin(&u->pin);
  return 0;
}

static void
lock_bucket(struct bucket *b)
{
  acquire(&b->lock);
  if (b->waiters.next == 0)
    list_init(&b->waiters);
}

// Sleep for u's word if it has this value: 0: woken; -EAGAIN: it has another; -EINTR: killed.
static int
futex_wait(struct bucket *b, uint64 va, int value, struct user *u)
{
  uint64 wakes;
  lock_bucket(b);
  do {
    wakes = b->wakes;
    release(&b->lock);
    span_unpin(&u->pin);
    int err = look(va, u);
    if (err < 0 || u->value != value)
      return err < 0 ? err : -EAGAIN;
    acquire(&b->lock);
  } while (b->wakes != wakes && !killed(myproc()));
  list_before(&b->waiters, &u->link);
  while (!u->woken && !killed(myproc()))
    sleep(u, &b->lock);
  list_del(&u->link);
  release(&b->lock);
  return u->woken ? 0 : -EINTR;
}

// Wake up to n who sleep for u's word, the longest sleeper first: how many.
static int
futex_wake(struct bucket *b, int n, const struct user *u)
{
  int woken = 0;
  lock_bucket(b);
  b->wakes++;
  list_each_safe (l, &b->waiters) {
    struct user *w = list_entry(l, struct user, link);
    if (w->space != u->space || w->at != u->at || woken == n)
      continue;
    list_del(&w->link);
    w->woken = 1;
    wakeup(w);
    woken++;
  }
  release(&b->lock);
  return woken;
}

// futex(addr, op, value)
int64
sys_futex(void)
{
  uint64 va = arg(0);
  int op = argint(1), value = argint(2), result;
  struct bucket *b = &buckets[va / sizeof(int) % NBUCKET]; // the same for all who share the word
  struct user u = { .woken = 0 };
  if (op == FUTEX_WAIT)
    result = futex_wait(b, va, value, &u);
  else if (op != FUTEX_WAKE || value < 0)
    result = -EINVAL;
  else if ((result = look(va, &u)) == 0)
    result = futex_wake(b, value, &u);
  span_unpin(&u.pin);
  return result;
}
