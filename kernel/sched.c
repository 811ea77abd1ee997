// SPDX-License-Identifier: MIT
// Who runs next, and who sleeps for what.
//
// Interface: hart_init, sched_init, idle_start at boot; sleep, wakeup, yield; sched for a process that ends;
// make_ready and wake_process for proc.c.
//
//   a hart                       run queue of the hart              sleep queues, by address
//   +--------+   pick, steal     +-------+-------+                  +--------+
//   | proc   |<------------------| READY | READY |<------ wakeup ---|SLEEPING|
//   +--------+--- yield -------->+-------+-------+        kill      +--------+
//        |                                                              ^
//        +------------------------- sleep ------------------------------+
//
// A switch goes from one process straight to the next; a hart with nobody to run runs its idle
// process. Who leaves holds its own p->lock across the switch, and who comes releases it: then the
// context is saved, and only then can another hart run it.
//
// Locks, in the order they are taken: the caller's, a sleep queue's, p->lock, a run queue's.
//
// 1. A process on a run queue is READY, and its context is saved.
// 2. A process is on the sleep queue of p->chan exactly while it sleeps.
// 3. While a process runs or is on a run queue, nobody but its hart changes its state.

#include "proc.h"

#define NQUEUE 64

struct cpu cpus[NCPU] = { [0 ... NCPU - 1] = { .rqlock = SPINLOCK("runq") } };
struct proc idles[NCPU] = { [0 ... NCPU - 1] = { .counts = &vm_total } };

static struct sleepq {
  struct spinlock lock;
  struct list waiting;
} sleepqs[NQUEUE] = { [0 ... NQUEUE - 1] = { .lock = SPINLOCK("sleepq") } };

static uint idle_harts; // atomic; bit h: hart h found nothing to run

// ---- run queues ----

// Which hart should run p: one that has nothing to do, best this one, which is awake; else the one
// that p ran on. p's lock is held.
static int
best_hart(struct proc *p)
{
  uint idle = __atomic_load_n(&idle_harts, __ATOMIC_RELAXED);
  for (int i = -2; idle && i < machine.harts; i++) {
    int h = i == -2 ? mycpu()->id : i == -1 ? p->hart : i;
    if ((idle & (1u << h)) && __atomic_load_n(&cpus[h].nready, __ATOMIC_RELAXED) == 0)
      return h;
  }
  return p->hart;
}

// Put p, whose lock is held and whose state is about to be READY, on a run queue.
void
make_ready(struct proc *p)
{
  struct cpu *c = &cpus[best_hart(p)];
  assert(p->state == EMBRYO || p->state == SLEEPING || p->state == READY); // READY: by yield
  p->state = READY;
  acquire(&c->rqlock);
  list_before(&c->runq, &p->runq);
  c->nready++;
  release(&c->rqlock);
  __atomic_thread_fence(__ATOMIC_SEQ_CST); // the queue first, then the look: see idle()
  if (c != mycpu() && (__atomic_load_n(&idle_harts, __ATOMIC_RELAXED) & (1u << c->id)))
    ipi(c->id);
}

// Take the first process off hart c's queue: RUNNING, or 0.
static INLINE struct proc *
pick(struct cpu *c)
{
  struct proc *p = 0;
  if (__atomic_load_n(&c->nready, __ATOMIC_RELAXED) == 0)
    return 0;
  acquire(&c->rqlock);
  if (!list_empty(&c->runq)) {
    p = list_first(&c->runq, struct proc, runq);
    list_del(&p->runq);
    c->nready--;
    assert(p->state == READY);
    p->state = RUNNING;
  }
  release(&c->rqlock);
  return p;
}

// ---- the switch ----

// First thing after a switch, on the stack of who came: let go of who left.
void
arrive(void)
{
  struct proc *prev = mycpu()->prev;
  lock_inherit(&prev->lock, prev);
  if (prev->state == READY && prev != &idles[prev->hart])
    make_ready(prev); // it may run elsewhere from now on, but not end before it gets its lock
  release(&prev->lock);
}

// Registers of user floating point that p has changed become p->fp. It is off again: the next use loads
// them, wherever that is (trap.c).
void
fp_keep(struct proc *p)
{
  if (p->mm == 0)
    return;
  if ((p->tf->status & SSTATUS_FS) == FS_DIRTY) {
    csr_set(sstatus, SSTATUS_FS);
    fp_save(&p->fp);
  }
  p->tf->status &= ~SSTATUS_FS;
}

// Leave p, which is running with only its own lock held, for next.
static INLINE void
switch_to(struct proc *p, struct proc *next)
{
  struct cpu *c = mycpu();
  uint64 gen = __atomic_load_n(&stackgen, __ATOMIC_ACQUIRE);
  if (c->stackgen != gen) { // next's stack may be new: forget that there was nothing
    c->stackgen = gen;
    tlb_kernel();
  }
  if (next->mm)
    tlb_enter(c, next->mm);
  vm_count(switches, 1);
  fp_keep(p);
  next->cpu = c;
  next->hart = c->id;
  c->resched = 0;
  c->prev = p;
  c->proc = next;
  swtch(&p->context, &next->context);
  arrive();
}

// Give up the hart. Holds p->lock and nothing else; p's state says why: with READY, p goes on at once when
// there is nobody else. The lock is released when this returns.
void
sched(struct proc *p)
{
  struct cpu *c = mycpu();
  struct proc *next = pick(c);
  assert(holding(&p->lock) && p->noff == 1 && p->state != RUNNING);
  if (next == 0 && p->state == READY) {
    c->resched = 0;
    p->state = RUNNING;
    release(&p->lock);
  } else {
    switch_to(p, next ? next : c->idle);
  }
}

// Let somebody else run, if there is somebody. The caller holds no spinlock.
void
yield(void)
{
  struct proc *p = myproc();
  acquire(&p->lock);
  assert(p->state == RUNNING);
  p->state = READY;
  sched(p);
}

// Wait until there may be something to do. wfi ends when an interrupt is pending, though interrupts
// are off (Machine, 3.3.3); so one that comes between the last look and the wfi is not lost. The look
// at the clock that ends it is counted as time of rest, too; what a device wants is work.
static void
rest(struct cpu *c)
{
  uint64 since = csr_read(instret);
  if (idle_harts == (1u << machine.harts) - 1)
    log_nudge(0);
  timer_plan(0);
  if (c->nready == 0)
    asm volatile("wfi" ::: "memory");
  if (!(csr_read(sip) & SI_SEIP)) {
    intr_on();
    intr_off();
  }
  vm_count(idle, csr_read(instret) - since);
}

// What a hart does when there is nothing to do. Who makes a process ready after the last look sees
// the bit and calls.
static _Noreturn void
idle(void)
{
  struct proc *me = myproc();
  struct cpu *c = me->cpu;
  for (;;) {
    intr_off();
    __atomic_fetch_or(&idle_harts, 1u << c->id, __ATOMIC_SEQ_CST);
    struct proc *next = 0;
    for (int i = 0; i < machine.harts && next == 0; i++) // its own queue first, then it steals
      next = pick(&cpus[(c->id + i) % machine.harts]);
    if (next == 0)
      rest(c);
    __atomic_fetch_and(&idle_harts, ~(1u << c->id), __ATOMIC_SEQ_CST);
    if (next) {
      timer_plan(1);
      acquire(&me->lock);
      me->state = READY;
      switch_to(me, next);
      me->state = RUNNING;
    }
    intr_on(); // let in what is pending
  }
}

// ---- sleep and wakeup ----

static struct sleepq *
queue_of(const void *chan)
{
  return &sleepqs[((uint64)chan >> 4 ^ (uint64)chan >> 12) % NQUEUE];
}

// Sleep for chan. The caller holds lk and no other spinlock; it is released while the process
// sleeps, and no wakeup after its release is missed. Wakes without reason too: look again. Who was
// killed since it last slept does not fall asleep, as it may have looked just before.
void
sleep(const void *chan, struct spinlock *lk)
{
  struct proc *p = myproc();
  struct sleepq *q = queue_of(chan);
  acquire(&q->lock);
  __atomic_store_n(&p->chan, chan, __ATOMIC_SEQ_CST);
  if (__atomic_exchange_n(&p->poked, 0, __ATOMIC_SEQ_CST)) {
    p->chan = 0;
    release(&q->lock);
    return;
  }
  acquire(&p->lock);
  assert(p->state == RUNNING);
  p->state = SLEEPING;
  list_before(&q->waiting, &p->waitq);
  release(&q->lock);
  release(lk);
  sched(p);
  acquire(lk);
}

// Take p off its sleep queue, whose lock is held.
static void
rouse(struct proc *p)
{
  list_del(&p->waitq);
  acquire(&p->lock);
  p->chan = 0;
  make_ready(p);
  release(&p->lock);
}

static NOINLINE void
wake_in(struct sleepq *q, const void *chan)
{
  acquire(&q->lock);
  list_each_safe (l, &q->waiting) {
    struct proc *p = list_entry(l, struct proc, waitq);
    if (p->chan == chan)
      rouse(p);
  }
  release(&q->lock);
}

// Wake all who sleep for chan. Usually called with the lock that they gave to sleep.
void
wakeup(const void *chan)
{
  struct sleepq *q = queue_of(chan);
  if (!list_empty(&q->waiting)) // a sleeper enters it before it releases the caller's lock
    wake_in(q, chan);
}

// Wake p if it sleeps or is about to, whatever for. Holds pid_lock, so that p stays.
void
wake_process(struct proc *p)
{
  __atomic_store_n(&p->poked, 1, __ATOMIC_SEQ_CST); // either p sees this, or we see its chan
  const void *chan;
  int woken = 0;
  while (!woken && (chan = __atomic_load_n(&p->chan, __ATOMIC_SEQ_CST)) != 0) {
    struct sleepq *q = queue_of(chan);
    acquire(&q->lock);
    woken = p->chan == chan;
    if (woken)
      rouse(p);
    release(&q->lock);
  }
}

// ---- boot ----

// Set up the sleep queues. Called once, by hart 0.
void
sched_init(void)
{
  for (int i = 0; i < NQUEUE; i++)
    list_init(&sleepqs[i].waiting);
}

// This hart gets its number and its idle process, which runs from here on.
void
hart_init(int hart)
{
  struct cpu *c = &cpus[hart];
  struct proc *p = &idles[hart];
  asm volatile("mv tp, %0" ::"r"(p) : "memory");
  c->id = p->hart = p->slot = hart;
  c->proc = c->idle = p->leader = p;
  list_init(&c->runq);
  initlock(&p->lock, "proc");
  p->cpu = c;
  p->state = RUNNING;
  safestrcpy(p->name, "idle", sizeof(p->name));
}

// From the boot stack over to the idle process's own. Interrupts are off.
void
idle_start(void)
{
  struct proc *p = myproc();
  tlb_kernel();
  p->kstack = KSTACK_TOP(p->slot);
  p->tf = (struct trapframe *)p->kstack - 1;
  asm volatile("mv sp, %0; li s0, 0; jr %1" ::"r"(p->tf), "r"(idle));
  __builtin_unreachable();
}
