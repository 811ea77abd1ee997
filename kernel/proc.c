// SPDX-License-Identifier: MIT
// Processes: their making and end, their groups, and the table that finds them by pid. A process
// has one thread or more: see thread.c, which builds upon this file.
//
// Interface: procinit, userinit, kthread at boot; kill; the calls fork, exit, setpgid and getpgid;
// procs_read and procdump for those who look; proc.h has what thread.c needs.
//
// A process is told to end (doom), and that is when its parent's answer is decided. Its threads end
// when each next would go to user mode and holds nothing; the leader waits for the others, and is a
// zombie then.
//
// Locks, in the order they are taken: wait_lock (who is whose child), pid_lock (the table), then
// those of sched.c.
//
// 1. A live process has a pid above 0 that no other process, thread, or group of others has.
// 2. p->parent, children and sibling change under wait_lock, p->mm and pgid under pid_lock, the
//    list of a process's threads under both: either is enough to look.
// 3. Of a process that has been told to end, or to become another program, all threads are killed,
//    and a killed thread starts nothing: neither threads nor processes come after.

#include "file.h"
#include "mm/slab.h"
#include "sysinfo.h"
#include "proc.h"

#define PIDMAX 32768
#define NHASH  64

struct proc *initproc;

static struct slab procs = SLAB(procs, proc);

struct spinlock wait_lock = SPINLOCK("wait"); // parents, children, threads

struct spinlock pid_lock = SPINLOCK("pid"); // this group:
static struct list all = LIST_INIT(all);    //   processes, oldest first
static struct list pidhash[NHASH];
static int lastpid;
static uint64 births;
int nprocs; //   processes and further threads alive

_Static_assert(offsetof(struct proc, tf) == 120 && offsetof(struct proc, scratch) == 128 &&
                   offsetof(struct proc, cpu) == 136 && offsetof(struct cpu, id) == 0 &&
                   sizeof(struct trapframe) == 272,
               "trapvec.S and swtch.S know these");

// ---- the table of processes ----

// The process or thread with this pid, or 0. Holds pid_lock.
static struct proc *
pid_find(int pid)
{
  list_each (l, &pidhash[(uint)pid % NHASH]) {
    struct proc *p = list_entry(l, struct proc, pidhash);
    if (p->pid == pid)
      return p;
  }
  return 0;
}

// The process with this pid (0: the caller's), or 0. Holds pid_lock.
static struct proc *
process_find(int pid)
{
  struct proc *p = pid == 0 ? myproc()->leader : pid_find(pid);
  return p && p == p->leader ? p : 0;
}

static int
group_exists(int pgid)
{
  list_each (l, &all)
    if (list_entry(l, struct proc, all)->pgid == pgid)
      return 1;
  return 0;
}

// Put p into the table with a pid that nobody has, and into its parent's list. Holds wait_lock.
// -EAGAIN: too many processes; -EINTR: the caller has been killed, and what is killed shall not grow.
static int
pid_enter(struct proc *p)
{
  struct proc *me = myproc(), *head = me->leader;
  int kept = me->mm == 0 || head == initproc || head->parent == initproc ? 0 : NPROC_KEPT;
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
    p->pgid = p->parent ? p->parent->pgid : p->pid;
    list_before(&pidhash[p->pid % NHASH], &p->pidhash);
    if (p == p->leader)
      list_before(&all, &p->all);
    if (p->parent)
      list_before(p == p->leader ? &p->parent->children : &p->parent->threads, &p->sibling);
    nprocs++;
    err = 0;
  }
  release(&pid_lock);
  return err;
}

// Where every new thread comes from its first switch.
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

// A process in state EMBRYO with one thread and its kernel stack, that will start in forkret; 0: no
// memory.
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
  p->leader = p;
  list_init(&p->all);
  list_init(&p->children);
  list_init(&p->threads);
  list_init(&p->sibling);
  list_init(&p->waitq);
  list_init(&p->runq);
  p->counts = &vm_total;
  p->kstack = KSTACK_TOP(p->slot);
  p->tf = (struct trapframe *)p->kstack - 1;
  p->context.ra = (uint64)forkret;
  p->context.sp = (uint64)p->tf;
  p->context.tp = (uint64)p;
  p->noff = 1; // forkret releases the lock of who ran before
  return p;
}

// Give up a process or thread that nobody can find any more.
void
proc_free(struct proc *p)
{
  slot_put(p->slot);
  slab_free(&procs, p);
}

// ---- birth ----

// One that begins with fn, in the kernel. Panics without memory: boot only.
static struct proc *
proc_new(void (*fn)(void), const char *name)
{
  struct proc *p = proc_alloc();
  if (p == 0)
    panic("no memory for %s", name);
  p->entry = fn;
  memset(p->tf, 0, sizeof(*p->tf));
  safestrcpy(p->name, name, sizeof(p->name));
  return p;
}

static void
start(struct proc *p)
{
  acquire(&p->lock);
  make_ready(p);
  release(&p->lock);
}

// A thread that runs fn in the kernel for ever; it has no pid. Panics without memory: boot only.
void
kthread(void (*fn)(void), const char *name)
{
  start(proc_new(fn, name));
}

// A process or thread to be that goes on in user mode as the caller would; 0: no memory.
struct proc *
proc_twin(void)
{
  struct proc *me = myproc(), *p = proc_alloc();
  if (p == 0)
    return 0;
  push_off();
  fp_keep(me);
  pop_off();
  *p->tf = *me->tf;
  p->fp = me->fp;
  p->hart = me->hart;
  safestrcpy(p->name, me->name, sizeof(p->name));
  return p;
}

// Let p, whose parent is set, be found and run: its pid, or -EAGAIN or -EINTR and nothing is done.
int
proc_start(struct proc *p)
{
  if (p->mm)
    p->counts = &p->mm->counts;
  acquire(&wait_lock);
  int err = pid_enter(p), pid = p->pid;
  release(&wait_lock);
  if (err < 0)
    return err;
  start(p);
  return pid;
}

// Give up p, which did not start. May sleep.
void
proc_discard(struct proc *p)
{
  if (p->files)
    files_drop(p->files);
  if (p->mm)
    mm_leave(p->mm);
  proc_free(p);
}

// fork(): the calling process's copy, with one thread: its pid for the caller, 0 for the child; -ENOMEM,
// -EAGAIN: too many processes, -EINTR: killed.
int64
sys_fork(void)
{
  struct proc *p = myproc(), *child = proc_twin();
  int pid = -ENOMEM;
  if (child == 0)
    return -ENOMEM;
  child->parent = p->leader;
  child->tf->a0 = 0;
  if ((child->mm = mm_fork(p->mm)) && (child->files = files_copy(p->files)))
    pid = proc_start(child);
  if (pid < 0)
    proc_discard(child);
  return pid;
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
  struct proc *p = process_find(pid);
  struct mm *mm = p && p->mm ? mm_join(p->mm) : 0;
  release(&pid_lock);
  return mm;
}

// The end of the calling thread, which holds nothing: a leader is alone by then. Does not return.
void
die(struct proc *p)
{
  assert(list_empty(&p->threads));
  if (p == initproc)
    panic("init exits with status %d", p->died.status);
  files_drop(p->files);
  p->files = 0;
  mm_leave(proc_set_mm(p, 0)); // the root table stays while this hart is on it

  acquire(&wait_lock);
  orphan_children(p);
  wakeup(p->parent); // who then wants wait_lock, and finds a zombie
  acquire(&p->lock);
  assert(p->state == RUNNING);
  p->state = ZOMBIE;
  release(&wait_lock);
  sched(p);
  panic("a zombie runs");
}

// Of the children or threads in l, one that is dead (pid 0: any), taken out of all lists, or 0; *any
// says whether there are such. Holds wait_lock.
struct proc *
reap(struct list *l, int pid, int *any)
{
  *any = 0;
  list_each (at, l) {
    struct proc *p = list_entry(at, struct proc, sibling);
    if (pid && p->pid != pid)
      continue;
    *any = 1;
    if (__atomic_load_n(&p->state, __ATOMIC_ACQUIRE) != ZOMBIE)
      continue;
    acquire(&p->lock); // until it has left its stack
    release(&p->lock);
    acquire(&pid_lock);
    list_del(&p->pidhash);
    list_del(&p->all);
    list_del(&p->sibling);
    nprocs--;
    release(&pid_lock);
    return p;
  }
  return 0;
}

// Wait for one of the caller's children or threads, l, to die (pid 0: any): its pid, and in *died
// how; -ECHILD: there is no such; -EINTR: killed.
int
await_death(struct list *l, int pid, struct waitinfo *died)
{
  struct proc *me = myproc(), *p;
  int any;
  acquire(&wait_lock);
  while ((p = reap(l, pid, &any)) == 0 && any && !killed(me))
    sleep(me->leader, &wait_lock);
  release(&wait_lock);
  if (p == 0)
    return any ? -EINTR : -ECHILD;
  pid = p->pid;
  *died = p->died;
  proc_free(p);
  return pid;
}

static void
stop(struct proc *p)
{
  __atomic_store_n(&p->killed, 1, __ATOMIC_SEQ_CST);
  wake_process(p);
}

// No thread of process p shall go to user mode again; what they sleep in is interrupted. Holds
// pid_lock.
void
halt(struct proc *p)
{
  stop(p);
  list_each (l, &p->threads)
    stop(list_entry(l, struct proc, sibling));
}

// Process p dies like this: 1, or 0 when that was decided before. Holds pid_lock.
static int
doom(struct proc *p, const struct waitinfo *how)
{
  if (p->died.pid)
    return 0;
  p->died = *how;
  p->died.pid = p->pid;
  halt(p);
  return 1;
}

// The caller has done what its process dies of: 1, or 0 when its threads have been told to stop
// before. It returns; the end comes on the way to user mode.
int
proc_doom(const struct waitinfo *how)
{
  struct proc *me = myproc();
  acquire(&pid_lock);
  int first = !killed(me) && doom(me->leader, how);
  release(&pid_lock);
  return first;
}

// exit(status): the calling process ends.
int64
sys_exit(void)
{
  proc_doom(&(struct waitinfo){ .how = DIED_EXIT, .status = argint(0) });
  return 0;
}

// Tell a process to die, or with a pid below -1 the group -pid: 0, -ESRCH, or -EPERM for init. It
// dies when it next would go to user mode; what it sleeps in is interrupted.
int
kill(int pid)
{
  static const struct waitinfo how = { .how = DIED_KILL, .status = -1 };
  int err = -ESRCH;
  acquire(&pid_lock);
  list_each (l, &all) {
    struct proc *p = list_entry(l, struct proc, all);
    if (pid < -1 ? p->pgid != -pid : p->pid != pid)
      continue;
    if (p != initproc) {
      doom(p, &how);
      err = 0;
    } else if (pid > 0) {
      err = -EPERM;
    }
  }
  release(&pid_lock);
  return err;
}

// ---- groups ----

// setpgid(pid, pgid): put process pid (0: the caller), who must be the caller or a child, into group
// pgid (0: its own): 0, -ESRCH, -EINVAL, -EPERM when there is no such group, or it is init's.
int64
sys_setpgid(void)
{
  struct proc *me = myproc()->leader, *p;
  int pid = argint(0), pgid = argint(1), err = -ESRCH;
  acquire(&wait_lock);
  acquire(&pid_lock);
  p = process_find(pid);
  if (pid < 0 || pgid < 0)
    err = -EINVAL;
  else if (p && (p == me || p->parent == me)) {
    if (pgid == 0)
      pgid = p->pid;
    err = pgid == p->pid || (pgid != initproc->pgid && group_exists(pgid)) ? 0 : -EPERM;
    if (err == 0)
      p->pgid = pgid;
  }
  release(&pid_lock);
  release(&wait_lock);
  return err;
}

// getpgid(pid): the group of process pid (0: the caller), or -ESRCH.
int64
sys_getpgid(void)
{
  acquire(&pid_lock);
  struct proc *p = process_find(argint(0));
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
      .killed = p->died.pid != 0,
      .mem = p->mm ? p->mm->mapped : 0,
      .rss = p->mm ? p->mm->resident * PGSIZE : 0,
      .swap = p->mm ? p->mm->swapped * PGSIZE : 0,
      .ticks = p->runticks,
    };
    safestrcpy(out[n++].name, p->name, sizeof(p->name));
  }
  release(&pid_lock);
  return n;
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
  initproc = proc_new(first, "init");
  if (proc_start(initproc) != 1)
    panic("init is not the first process");
}
