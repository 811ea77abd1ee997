// SPDX-License-Identifier: MIT
// Threads: several struct procs that share an address space and a table of files.
//
// Interface: the calls clone and texit (join is in sysproc.c); proc_next for exec; obey for those who are killed.
//
//   leader (pid 7) <-- parent of process 9, and of whatever a thread forks
//     | threads             | children
//   thread 8 -- thread 12   process 9
//
// The first thread of a process is its leader for as long as the process lives. It has what a process
// has once: the pid, parent and children, the group, how it died, what it becomes. getpid tells the
// leader's pid, gettid the thread's own; they come from one table, and no call takes a thread's
// number for a process. A thread has what it runs with: kernel stack, registers, a reference of its
// own to mm and files.
//
// A thread ends, or becomes another program, in one place: obey(), on its way to user mode, because
// it is killed. Who kills it is
//   texit            that thread alone; its status is kept until it is joined
//   exit, a fault,   all of the process; the leader becomes a zombie when it is the last
//   kill
//   exec             all of the process; when the leader is the last, it becomes the new program,
//                    whoever called exec
// A leader that called texit waits for the others too, and with nothing else decided it then exits.
//
// What is decided first counts, under pid_lock: a thread that is killed decides nothing any more. But
// kill comes before an exec that has not happened yet.
//
// Locks: those of proc.c.
//
// 1. leader->threads are the live threads but the leader, and those dead that nobody has joined.
// 2. A zombie thread has neither mm nor files; a zombie leader has no threads.
// 3. Who waits for a child or a thread sleeps for the leader, and every end of one wakes it.

#include "file.h"
#include "proc.h"

// clone(fn, value, stack): a thread of the calling process that runs fn(value) on this stack; its
// registers are the caller's otherwise. Its number, -EINVAL: the stack is not a multiple of 16,
// -ENOMEM, -EAGAIN: too many processes, -EINTR: killed.
int64
sys_clone(void)
{
  struct proc *p = myproc(), *t;
  if (arg(2) % 16 != 0)
    return -EINVAL;
  if ((t = proc_twin()) == 0)
    return -ENOMEM;
  t->leader = t->parent = p->leader;
  t->mm = mm_join(p->mm);
  t->files = p->files;
  __atomic_fetch_add(&t->files->ref, 1, __ATOMIC_RELAXED);
  t->tf->epc = arg(0);
  t->tf->a0 = arg(1);
  t->tf->sp = arg(2);
  t->tf->ra = t->tf->s0 = 0;
  int tid = proc_start(t);
  if (tid < 0)
    proc_discard(t);
  return tid;
}

// texit(status): the calling thread ends when it next would go to user mode, unless its process
// does.
int64
sys_texit(void)
{
  struct proc *p = myproc();
  acquire(&pid_lock);
  if (!killed(p)) {
    p->died.status = argint(0);
    __atomic_store_n(&p->killed, 1, __ATOMIC_RELEASE);
  }
  release(&pid_lock);
  return 0;
}

// The calling process shall become this program; the caller goes on to user mode for that. -EINTR:
// it has been told otherwise before.
int
proc_next(const struct image *next)
{
  struct proc *p = myproc();
  acquire(&pid_lock);
  int err = killed(p) ? -EINTR : 0;
  if (err == 0) {
    p->leader->next = *next;
    halt(p->leader);
  }
  release(&pid_lock);
  return err;
}

static int
others_live(struct proc *p)
{
  list_each (l, &p->threads)
    if (list_entry(l, struct proc, sibling)->state != ZOMBIE)
      return 1;
  return 0;
}

// Wait until the leader p, the caller, is the last of its threads; then bury the others. Not before:
// they may join each other.
static void
outlive(struct proc *p)
{
  struct proc *t;
  int any;
  acquire(&wait_lock);
  while (others_live(p))
    sleep(p, &wait_lock);
  while ((t = reap(&p->threads, 0, &any)) != 0)
    proc_free(t);
  release(&wait_lock);
}

// What the leader p, the last of its threads, does next. 1: *next; 0: it dies.
static int
decide(struct proc *p, struct image *next)
{
  acquire(&pid_lock);
  *next = p->next;
  p->next.mm = 0;
  int lives = next->mm && p->died.pid == 0;
  if (lives)
    __atomic_store_n(&p->killed, 0, __ATOMIC_RELEASE);
  else if (p->died.pid == 0)
    p->died.pid = p->pid; // by texit; DIED_EXIT is 0
  release(&pid_lock);
  return lives;
}

// The caller is killed. It holds nothing and is about to go to user mode. Returns if it is to go on,
// as another program.
void
obey(void)
{
  struct proc *p = myproc();
  struct image next;
  if (p != p->leader)
    die(p);
  outlive(p);
  if (decide(p, &next)) {
    become(p, &next);
    return;
  }
  if (next.mm)
    mm_leave(next.mm);
  die(p);
}
