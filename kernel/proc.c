// SPDX-License-Identifier: MIT
// Processes: their making and end, their groups, and the table that finds them by pid.
//
// Interface: procinit, userinit, kthread at boot; fork, exit, wait, kill; setpgid, getpgid;
// procs_read and procdump for those who look.
//
// Locks, in the order they are taken: wait_lock (who is whose child), pid_lock (the table), then
// those of sched.c; stack_lock alone.
//
// 1. A live process has a pid above 0 that no other process and no group of others has.
// 2. p->parent, children and sibling change under wait_lock, p->mm and pgid under pid_lock too.
// 3. A kernel stack slot is used by one process at a time, and its frames stay mapped for good.

#include "defs.h"
#include "file.h"
#include "mm/slab.h"
#include "sysinfo.h"
#include "proc.h"
#include "riscv/fdt.h"
#include "riscv/hart.h"

#define PIDMAX 32768
#define NHASH  64

struct proc *initproc;

static struct slab procs = SLAB(procs, proc);

static struct spinlock wait_lock = SPINLOCK("wait"); // parents, children

static struct spinlock pid_lock = SPINLOCK("pid"); // this group:
static struct list all = LIST_INIT(all);           //   processes, oldest first
static struct list pidhash[NHASH];
static int lastpid, nprocs;
static uint64 births;

static struct spinlock stack_lock = SPINLOCK("kstack"); // this group:
static ushort freeslots[NPROC + NCPU];                  //   slots mapped and unused
static int nfreeslots, nslots;
uint64 stackgen; //   counts slots; harts fence for new ones

_Static_assert(offsetof(struct proc, tf) == 120 && offsetof(struct proc, scratch) == 128 &&
                   offsetof(struct proc, cpu) == 136 && offsetof(struct cpu, id) == 0 &&
                   sizeof(struct trapframe) == 272,
               "trapvec.S and swtch.S know these");

// ---- kernel stacks ----

// A stack slot, or -ENOMEM.
static int
slot_get(void)
{
  int slot = -ENOMEM;
  acquire(&stack_lock);
  if (nfreeslots > 0) {
    slot = freeslots[--nfreeslots];
  } else if (nslots < NPROC + NCPU && kvmstack(nslots) == 0) {
    slot = nslots++;
    __atomic_store_n(&stackgen, stackgen + 1, __ATOMIC_RELEASE);
    tlb_kernel(); // this hart uses it at once, others when they switch
  }
  release(&stack_lock);
  return slot;
}

static void
slot_put(int slot)
{
  acquire(&stack_lock);
  freeslots[nfreeslots++] = slot;
  release(&stack_lock);
}

// ---- the table of processes ----

static struct list *
pid_bucket(uint pid)
{
  return &pidhash[pid % NHASH];
}

// The process with this pid, or 0. Holds pid_lock.
static struct proc *
pid_find(int pid)
{
  list_each (l, pid_bucket(pid)) {
    struct proc *p = list_entry(l, struct proc, pidhash);
    if (p->pid == pid)
      return p;
  }
  return 0;
}

static int
group_exists(int pgid)
{
  list_each (l, &all)
    if (list_entry(l, struct proc, all)->pgid == pgid)
      return 1;
  return 0;
}

// Put p into the table with a pid that no process and no group has. -EAGAIN: too many processes;
// -EINTR: the caller has been killed, and a group that is killed shall not grow.
static int
pid_enter(struct proc *p)
{
  struct proc *me = myproc();
  int kept = me->mm == 0 || me == initproc || me->parent == initproc ? 0 : NPROC_KEPT;
  int err = -EAGAIN;
  acquire(&pid_lock);
  if (killed(me)) {
    err = -EINTR;
  } else if (nprocs < NPROC - kept) {
    do
      lastpid = lastpid < PIDMAX ? lastpid + 1 : 2;
    while (pid_find(lastpid) || (births > PIDMAX && group_exists(lastpid)));
    p->pid = lastpid;
    p->born = ++births;
    list_before(pid_bucket(p->pid), &p->pidhash);
    list_before(&all, &p->all);
    nprocs++;
    err = 0;
  }
  release(&pid_lock);
  return err;
}

static void
pid_leave(struct proc *p)
{
  acquire(&pid_lock);
  list_del(&p->pidhash);
  list_del(&p->all);
  nprocs--;
  release(&pid_lock);
}

static void forkret(void);

// A process in state EMBRYO with a kernel stack, that will start in forkret; 0: no memory.
static struct proc *
proc_alloc(void)
{
  struct proc *p = slab_alloc(&procs);
  if (p == 0)
    return 0;
  if ((p->slot = slot_get()) < 0) {
    slab_free(&procs, p);
    return 0;
  }
  initlock(&p->lock, "proc");
  p->state = EMBRYO;
  list_init(&p->children);
  list_init(&p->sibling);
  list_init(&p->waitq);
  list_init(&p->runq);
  p->counts = &vm_total;
  p->kstack = KSTACK_TOP(p->slot);
  p->tf = (struct trapframe *)p->kstack - 1;
  p->context.ra = (uint64)forkret;
  p->context.sp = (uint64)p->tf;
  p->context.tp = (uint64)p;
  memset(p->tf, 0, sizeof(*p->tf));
  p->noff = 1; // forkret releases the lock of who ran before
  return p;
}

// Give up a process that nobody can find any more.
static void
proc_free(struct proc *p)
{
  slot_put(p->slot);
  slab_free(&procs, p);
}

// ---- birth ----

// Where every new process comes from its first switch.
static void
forkret(void)
{
  struct proc *p = myproc();
  arrive();
  if (p->entry) {
    intr_on();
    p->entry();
  }
  user_return(p->tf);
}

// A process that runs fn in the kernel for ever; it has no pid. Panics without memory: boot only.
struct proc *
kthread(void (*fn)(void), const char *name)
{
  struct proc *p = proc_alloc();
  if (p == 0)
    panic("no memory for the kernel thread %s", name);
  p->entry = fn;
  safestrcpy(p->name, name, sizeof(p->name));
  acquire(&p->lock);
  make_ready(p);
  release(&p->lock);
  return p;
}

// The calling process's copy: its pid for the parent, 0 for the child, -ENOMEM or -EAGAIN.
int
fork(void)
{
  struct proc *p = myproc(), *child = proc_alloc();
  if (child == 0)
    return -ENOMEM;
  int err = -ENOMEM;
  if ((child->mm = mm_fork(p->mm)) == 0)
    goto free_proc;
  child->counts = &child->mm->counts;
  if ((child->files = files_copy(p->files)) == 0)
    goto free_mm;
  push_off();
  fp_keep(p);
  pop_off();
  *child->tf = *p->tf;
  child->tf->a0 = 0;
  child->fp = p->fp;
  child->hart = p->hart;
  safestrcpy(child->name, p->name, sizeof(child->name));

  acquire(&wait_lock);
  child->pgid = p->pgid;
  if ((err = pid_enter(child)) < 0) {
    release(&wait_lock);
    goto free_files;
  }
  child->parent = p;
  list_before(&p->children, &child->sibling);
  release(&wait_lock);
  int pid = child->pid;
  acquire(&child->lock);
  make_ready(child);
  release(&child->lock);
  return pid;

free_files:
  files_drop(child->files);
free_mm:
  mm_leave(child->mm);
free_proc:
  proc_free(child);
  return err;
}

// ---- death ----

// Give p's children to init. Holds wait_lock.
static void
orphan_children(struct proc *p)
{
  list_each_safe (l, &p->children) {
    struct proc *child = list_entry(l, struct proc, sibling);
    list_del(&child->sibling);
    list_before(&initproc->children, &child->sibling);
    child->parent = initproc;
    wakeup(initproc);
  }
}

// Give p another address space; the old one.
struct mm *
proc_set_mm(struct proc *p, struct mm *mm)
{
  acquire(&pid_lock); // who looks at p->mm of others holds it
  struct mm *old = p->mm;
  p->mm = mm;
  p->counts = mm ? &mm->counts : &vm_total;
  release(&pid_lock);
  return old;
}

// The address space of process pid (0: the caller), as one more user of it, which mm_leave ends; 0: no
// such process, or it has none any more.
struct mm *
proc_mm(int pid)
{
  acquire(&pid_lock);
  struct proc *p = pid == 0 ? myproc() : pid_find(pid);
  struct mm *mm = p && p->mm ? mm_join(p->mm) : 0;
  release(&pid_lock);
  return mm;
}

// End the calling process, which leaves status unless its death has been decided already. Does not
// return.
void
exit(int status)
{
  struct proc *p = myproc();
  proc_doom(&(struct waitinfo){ .how = DIED_EXIT, .status = status });
  if (p == initproc)
    panic("init exits with status %d", p->died.status);
  files_drop(p->files);
  p->files = 0;
  mm_leave(proc_set_mm(p, 0)); // the root table stays while this hart is on it

  acquire(&wait_lock);
  orphan_children(p);
  wakeup(p->parent); // who then wants wait_lock, and finds a zombie
  acquire(&p->lock);
  p->state = ZOMBIE;
  release(&wait_lock);
  sched(p);
  panic("a zombie runs");
}

// A child of p that is dead, taken out of all lists, or 0; *any says whether there are children.
// Holds wait_lock.
static struct proc *
reap(struct proc *p, int *any)
{
  *any = !list_empty(&p->children);
  list_each (l, &p->children) {
    struct proc *child = list_entry(l, struct proc, sibling);
    if (__atomic_load_n(&child->state, __ATOMIC_ACQUIRE) != ZOMBIE)
      continue;
    acquire(&child->lock); // until it has left its stack
    release(&child->lock);
    list_del(&child->sibling);
    pid_leave(child);
    return child;
  }
  return 0;
}

// Wait for a child to die: its pid, and in *died how it did; -ECHILD: there are none; -EINTR: killed.
int
wait(struct waitinfo *died)
{
  struct proc *p = myproc(), *child;
  int any;
  acquire(&wait_lock);
  while ((child = reap(p, &any)) == 0 && any && !killed(p))
    sleep(p, &wait_lock);
  release(&wait_lock);
  if (child == 0)
    return any ? -EINTR : -ECHILD;
  *died = child->died;
  proc_free(child);
  return died->pid;
}

// Whether p has been told to die.
int
killed(struct proc *p)
{
  return __atomic_load_n(&p->killed, __ATOMIC_ACQUIRE);
}

// p dies like this: 1, or 0 when that was decided before. What it sleeps in is interrupted; it goes
// when it next would be in user mode. Holds pid_lock.
static int
doom(struct proc *p, const struct waitinfo *how)
{
  if (killed(p))
    return 0;
  p->died = *how;
  p->died.pid = p->pid;
  __atomic_store_n(&p->killed, 1, __ATOMIC_SEQ_CST);
  wake_process(p);
  return 1;
}

// The same for the caller.
int
proc_doom(const struct waitinfo *how)
{
  acquire(&pid_lock);
  int first = doom(myproc(), how);
  release(&pid_lock);
  return first;
}

// Tell a process to die, or with a pid below -1 the group -pid: 0, -ESRCH, or -EPERM for init. It
// dies when it next would go to user mode; what it sleeps in is interrupted.
int
kill(int pid)
{
  static const struct waitinfo how = { .how = DIED_KILL, .status = -1 };
  int err = -ESRCH;
  acquire(&pid_lock);
  if (pid > 0) {
    struct proc *p = pid_find(pid);
    if (p == initproc)
      err = -EPERM;
    else if (p) {
      doom(p, &how);
      err = 0;
    }
  }
  if (pid < -1)
    list_each (l, &all) {
      struct proc *p = list_entry(l, struct proc, all);
      if (p->pgid == -pid && p != initproc) {
        doom(p, &how);
        err = 0;
      }
    }
  release(&pid_lock);
  return err;
}

// ---- groups ----

// Put process pid (0: the caller), who must be the caller or a child, into group pgid (0: its own):
// 0, -ESRCH, -EINVAL, -EPERM when there is no such group.
int
setpgid(int pid, int pgid)
{
  struct proc *me = myproc(), *p;
  int err = -ESRCH;
  acquire(&wait_lock);
  acquire(&pid_lock);
  p = pid == 0 ? me : pid_find(pid);
  if (pid < 0 || pgid < 0)
    err = -EINVAL;
  else if (p && (p == me || p->parent == me)) {
    if (pgid == 0)
      pgid = p->pid;
    err = pgid == p->pid || group_exists(pgid) ? 0 : -EPERM;
    if (err == 0)
      p->pgid = pgid;
  }
  release(&pid_lock);
  release(&wait_lock);
  return err;
}

// The group of process pid (0: the caller), or -ESRCH.
int
getpgid(int pid)
{
  acquire(&pid_lock);
  struct proc *p = pid == 0 ? myproc() : pid_find(pid);
  int pgid = p ? p->pgid : -ESRCH;
  release(&pid_lock);
  return pgid;
}

// ---- looking ----

// Describe up to max processes that were born after *born, oldest first; how many. *born becomes
// that of the last one.
int
procs_read(struct procinfo *out, int max, uint64 *born)
{
  int n = 0;
  acquire(&pid_lock);
  list_each (l, &all) {
    struct proc *p = list_entry(l, struct proc, all);
    if (p->born <= *born || n == max)
      continue;
    *born = p->born;
    out[n] = (struct procinfo){
      .pid = p->pid,
      .ppid = p->parent ? p->parent->pid : 0,
      .pgid = p->pgid,
      .state = p->state,
      .hart = p->hart,
      .killed = p->killed,
      .mem = p->mm ? p->mm->mapped : 0,
      .rss = p->mm ? p->mm->resident * PGSIZE : 0,
      .ticks = p->runticks,
    };
    safestrcpy(out[n++].name, p->name, sizeof(p->name));
  }
  release(&pid_lock);
  return n;
}

// Frames of kernel stacks, used or not, and of the level-0 tables that map them.
uint64
stack_frames(void)
{
  return nslots * (KSTACK_SIZE / PGSIZE) +
         (nslots + LVLSIZE(1) / KSTACK_SLOT - 1) / (LVLSIZE(1) / KSTACK_SLOT);
}

// Processes alive.
int
procs_count(void)
{
  return nprocs;
}

// List the processes on the console, without locks: for ^P, when something hangs.
void
procdump(void)
{
  static const char *const states[] = PS_NAMES;
  printk("\n");
  list_each (l, &all) {
    struct proc *p = list_entry(l, struct proc, all);
    printk("%d %s %s\n", p->pid, states[p->state], p->name);
  }
}

// ---- boot ----

// Set up the tables and an idle process for every hart. Called once, by hart 0.
void
procinit(void)
{
  for (int i = 0; i < NHASH; i++)
    list_init(&pidhash[i]);
  for (int h = 0; h < machine.harts; h++)
    if (slot_get() != h)
      panic("no memory for the stack of hart %d", h);
}

// The first process: mount the disk, become /init.
static void
first(void)
{
  struct proc *p = myproc();
  struct inode *root;
  fsinit();
  p->entry = 0;
  if (namei("/", &root) < 0 || (p->files = files_new(root)) == 0)
    panic("no root directory");
  int err = exec("/init", 0);
  if (err < 0)
    panic("cannot run /init: error %d", -err);
}

// Make init. Called once, by hart 0.
void
userinit(void)
{
  struct proc *p = proc_alloc();
  if (p == 0 || pid_enter(p) < 0)
    panic("no memory for init");
  initproc = p;
  p->pgid = p->pid;
  p->entry = first;
  safestrcpy(p->name, "init", sizeof(p->name));
  acquire(&p->lock);
  make_ready(p);
  release(&p->lock);
}
