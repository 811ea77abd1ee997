// SPDX-License-Identifier: MIT
// Processes and harts. Includes what nearly everybody needs: defs.h, the headers of memory, the
// processor.
#pragma once

#include "debug/lockrank.h"
#include "defs.h"
#include "mm/mm.h"
#include "riscv/fdt.h"
#include "riscv/hart.h"

// What swtch.S keeps of a process that does not run: its return address, its stack, the registers
// a C function must preserve, and tp, which in the kernel is the struct proc.
struct context {
  uint64 ra, sp, tp;
  uint64 s[12];
};

// The registers of what was interrupted, on top of its kernel stack. trapvec.S knows the order.
struct trapframe {
  uint64 ra, sp, gp, tp;                           //   0   8  16  24
  uint64 t0, t1, t2;                               //  32  40  48
  uint64 s0, s1;                                   //  56  64
  uint64 a0, a1, a2, a3, a4, a5, a6, a7;           //  72 .. 128
  uint64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11; // 136 .. 208
  uint64 t3, t4, t5, t6;                           // 216 .. 240
  uint64 epc, status;                              // 248 256
  uint64 pad;                                      // 264: keeps sp a multiple of 16
};

struct fpstate {
  uint64 f[32];
  uint64 fcsr;
};

// A thread's states, and who changes them (p->lock held unless said otherwise):
//   UNUSED   -> EMBRYO    proc_alloc
//   EMBRYO   -> READY     start
//   READY    -> RUNNING   pick, under the run queue's lock; sched, when nobody else is ready
//   RUNNING  -> READY     yield
//   RUNNING  -> SLEEPING  sleep
//   SLEEPING -> READY     wakeup, kill
//   RUNNING  -> ZOMBIE    die
//   ZOMBIE   -> gone      reap
enum procstate { UNUSED, EMBRYO, SLEEPING, READY, RUNNING, ZOMBIE };

// A program that exec has loaded, for the process that is to become it.
struct image {
  struct mm *mm; // 0: there is none
  uint64 entry, sp;
  int argc;
  char name[16];
};

// A thread. The first one of a process, its leader, stands for the process (thread.c): what is said
// of a process is in the leader's fields.
struct proc {
  // trapvec.S and swtch.S know these by their offsets
  struct context context; //   0: while it does not run
  struct trapframe *tf;   // 120: on top of the kernel stack; the user's registers
  uint64 scratch;         // 128: for trapvec.S, while it finds the stack

  struct cpu *cpu;  // the hart it runs on; stable while interrupts are off
  int noff, intena; // push_off depth, and whether interrupts were on before; its own

  struct spinlock lock; // this group:
  enum procstate state;
  const void *chan;  // what it sleeps for, under that sleep queue's lock
  struct list waitq; //   in the queue
  int poked;         // killed since it last fell asleep; atomic
  int killed;        // it must not go to user mode; changed under pid_lock

  uint failing; // which of its next allocations fails; 0: none (debug/failing.h)

  struct list runq; // in a run queue, under that queue's lock
  int hart;         // where it ran last

  // under wait_lock
  struct proc *leader;  //   of its process; for good
  struct proc *parent;  //   a process's; of any other thread: its leader
  struct list children; //   a process's
  struct list threads;  //   a process's other ones; under pid_lock too
  struct list sibling;  //   in one of the parent's two lists

  // under pid_lock
  int pid;              //   or the thread's number; 0: a kernel thread
  int pgid;             //   a process's
  struct waitinfo died; //   how; of a process: decided when died.pid is set
  struct image next;    //   a process's: what it becomes when its other threads have ended
  uint64 born;          //   counts processes and threads
  struct list pidhash;
  struct list all; //   processes

  // its own
  int slot;                // which kernel stack
  uint64 kstack;           // top of it
  struct mm *mm;           // 0: a kernel thread
  struct vmcounts *counts; // mm's, or those of the system
  struct files *files;     // 0: a kernel thread
  void (*entry)(void);     // kernel threads: what to run
  int starved;             // kalloc.c had no frame for it
  int opleft;              // log.c: 1 + blocks its operation may still log; 0: none is open
  struct fpstate fp;       // user floating point, while FS is off or clean
  uint64 runticks;         // timer ticks that found the process running; atomic
  char name[16];
  struct held held; // debug/lockrank.c: the locks it holds
};

// A hart.
struct cpu {
  int id;            // its number, 0 to NCPU-1 (hart id of the machine)
  struct proc *proc; // what runs now
  struct proc *idle; // runs when nothing else can
  struct proc *prev; // during a switch: who ran before
  int resched;       // the slice is over, or somebody better came
  struct mm *mm;     // whose table is in satp: a reference; 0: the kernel's own
  uint64 asidgen;    // riscv/asid.c
  uint64 stackgen;   // kernel stack slots this hart has seen
  uint64 codegen;    // fence.i: code this hart has seen
  struct list runq;  // READY processes, under rqlock
  int nready;
  struct spinlock rqlock;
};

extern struct cpu cpus[NCPU];
extern struct proc idles[NCPU];
extern struct proc *initproc;

// proc.c, for thread.c
extern struct spinlock wait_lock, pid_lock;
struct proc *proc_twin(void);
int proc_start(struct proc *);
void proc_discard(struct proc *);
void proc_free(struct proc *);
void halt(struct proc *);
int await_death(struct list *, int pid, struct waitinfo *);
struct proc *reap(struct list *, int pid, int *any);
void die(struct proc *) __attribute__((noreturn));

// The running process is a register, so that it stays true however often the process moves.
static inline struct proc *
myproc(void)
{
  struct proc *p;
  asm("mv %0, tp" : "=r"(p));
  return p;
}

// Whether p has been told to die, or not to go on with its program.
static inline int
killed(const struct proc *p)
{
  return __atomic_load_n(&p->killed, __ATOMIC_ACQUIRE);
}

// This hart. Interrupts must be off, or the caller may be on another one by the next line.
static inline struct cpu *
mycpu(void)
{
  return myproc()->cpu;
}

// ---- spinlocks: see spinlock.c ----

// Interrupts off, until as many pop_off have come. Does not sleep.
static inline void
push_off(void)
{
  uint64 before = csr_fetch_clear(sstatus, SSTATUS_SIE);
  struct proc *p = myproc();
  if (p->noff++ == 0)
    p->intena = before & SSTATUS_SIE;
}

static inline void
pop_off(void)
{
  struct proc *p = myproc();
  assert(!intr_get() && p->noff > 0);
  if (--p->noff == 0 && p->intena)
    intr_on();
}

static inline void
lock_took(struct spinlock *lk)
{
  if (DEBUGGING)
    lk->holder = myproc();
  lockrank_took(lk, lk->name);
}

// lk, which `from` holds and cannot release itself, becomes the running process's. For sched.c.
static inline void
lock_inherit(struct spinlock *lk, struct proc *from)
{
  if (DEBUGGING)
    lk->holder = myproc();
  lockrank_inherit(lk, lk->name, from);
}

// Take lk, which somebody has. For acquire, and not a call, for which its callers would
// keep their registers.
static inline void
lock_wait(struct spinlock *lk)
{
  while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED) ||
         __atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE))
    ;
  lk->contended++;
  vm_count(contended, 1);
}

// Wait for lk and take it. Holds interrupts off until release. The caller holds only locks of lower
// rank (docs/locks.md).
static inline void
acquire(struct spinlock *lk)
{
  push_off();
  assert(lk->name && !holding(lk));
  lockrank_want(lk, lk->name);
  if (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE))
    lock_wait(lk);
  lock_took(lk);
}

// Take lk if it is free: 1, else 0. Never waits, so any order is fine.
static inline int
try_acquire(struct spinlock *lk)
{
  push_off();
  if (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE)) {
    pop_off();
    return 0;
  }
  lock_took(lk);
  return 1;
}

static inline void
release(struct spinlock *lk)
{
  assert(holding(lk));
  lockrank_gave(lk);
  if (DEBUGGING)
    lk->holder = 0;
  __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
  pop_off();
}

// ---- sleeping locks: see sleeplock.c ----

// Take lk if it is free: 1, else 0. Does not sleep.
static inline int
try_acquiresleep(struct sleeplock *lk)
{
  uint64 nobody = 0;
  if (!__atomic_compare_exchange_n(&lk->owner, &nobody, (uint64)myproc(), 0, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return 0;
  lockrank_took(lk, lk->name);
  return 1;
}

// Take lk; sleeps while somebody else has it. The caller holds no spinlock.
static inline void
acquiresleep(struct sleeplock *lk)
{
  assert(lk->name && myproc()->noff == 0 && !holdingsleep(lk));
  lockrank_want(lk, lk->name);
  if (!try_acquiresleep(lk))
    sleeplock_wait(lk);
}

static inline void
releasesleep(struct sleeplock *lk)
{
  uint64 me = (uint64)myproc();
  assert(holdingsleep(lk));
  lockrank_gave(lk);
  if (!__atomic_compare_exchange_n(&lk->owner, &me, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
    sleeplock_wake(lk);
}

// The nth argument of a system call as the program gave it, n from 0 to 5.
static inline uint64
arg(int n)
{
  return (&myproc()->tf->a0)[n];
}

// The nth argument as a C int.
static inline int
argint(int n)
{
  return arg(n);
}

// Copy the string at the address that is the nth argument into buf, which has room for max bytes:
// 0, -EFAULT, -ENAMETOOLONG. May sleep.
static inline int
argstr(int n, char *buf, int max)
{
  int len = copyinstr(myproc()->mm, buf, arg(n), max);
  return len < 0 ? len : 0;
}
