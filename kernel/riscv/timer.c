// SPDX-License-Identifier: MIT
// Time: the slice of the running process, and those who wait for a time. Each hart has a compare
// register (Sstc: stimecmp) that interrupts when the time register has reached it. A hart that
// idles does not tick.
//
// Lock: "timer", for the list of waiters.
//
// 1. The list is sorted by time. A waiter is on it from before it sleeps until it is woken.
// 2. The compare register of some hart is at or before the first waiter's time.

#include "../proc.h"

// A hart that idles looks up now and then. It need not; but QEMU stands still with -icount sleep=off
// when a hart waits for a device and no timer is near.
#define IDLE_S 1

struct waiter {
  struct list link;
  uint64 when;
};

static struct spinlock lock = SPINLOCK("timer");
static struct list waiters = LIST_INIT(waiters);

// Time since boot in ticks of 1/TICKS_HZ seconds.
uint64
timer_ticks(void)
{
  return r_time() / (machine.timebase / TICKS_HZ);
}

// Set this hart's compare register to what comes first: the end of a slice, when a process runs, or
// the first waiter. Interrupts are off.
void
timer_plan(int slice)
{
  uint64 when = r_time() + (slice ? machine.timebase / SLICE_HZ : machine.timebase * IDLE_S);
  acquire(&lock);
  if (!list_empty(&waiters) && list_first(&waiters, struct waiter, link)->when < when)
    when = list_first(&waiters, struct waiter, link)->when;
  asm volatile("csrw %0, %1" ::"i"(CSR_STIMECMP), "r"(when));
  release(&lock);
}

// The timer interrupt.
void
timer_tick(void)
{
  struct cpu *c = mycpu();
  uint64 now = r_time();
  upage_ticks(timer_ticks());
  acquire(&lock);
  while (!list_empty(&waiters) && list_first(&waiters, struct waiter, link)->when <= now) {
    struct waiter *w = list_first(&waiters, struct waiter, link);
    list_del(&w->link);
    wakeup(w);
  }
  release(&lock);
  log_nudge(machine.timebase); // nothing waits longer than a second
  file_tick();
  __atomic_fetch_add(&c->proc->leader->runticks, 1, __ATOMIC_RELAXED);
  c->resched = 1;
  timer_plan(c->proc != c->idle);
}

// Sleep for n ticks of 1/TICKS_HZ seconds: 0, or -EINTR when killed. The caller holds no spinlock.
int
timer_pause(uint64 n)
{
  struct waiter w = { .when = r_time() + n * (machine.timebase / TICKS_HZ) };
  struct proc *p = myproc();
  list_init(&w.link);
  acquire(&lock);
  struct list *at = waiters.next;
  while (at != &waiters && list_entry(at, struct waiter, link)->when <= w.when)
    at = at->next;
  list_before(at, &w.link);
  while (r_time() < w.when && !killed(p))
    sleep(&w, &lock);
  list_del(&w.link);
  release(&lock);
  return r_time() < w.when ? -EINTR : 0;
}
