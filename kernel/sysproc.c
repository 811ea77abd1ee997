// SPDX-License-Identifier: MIT
// System calls about processes, memory and the machine: decode the arguments, call who does it.

#include "file.h"
#include "proc.h"
#include "sysinfo.h"

// Wait for one of the caller's children or threads, l (pid 0: any), and give the caller len bytes of
// what is known of its end, from byte `from` on. Their place is pinned first, so that nothing is lost
// for a bad address.
static int64
wait_for(struct list *l, int pid, uint64 va, uint from, uint len)
{
  struct mm *mm = myproc()->mm;
  struct waitinfo info;
  struct span s;
  int err = user_range(mm, va, len, 1);
  if (err == 0)
    err = span_pin(&s, mm, va, len, 1);
  if (err < 0)
    return err;
  pid = await_death(l, pid, &info);
  if (pid >= 0)
    span_put(&s, 0, (char *)&info + from, s.len);
  span_unpin(&s);
  return pid;
}

// wait(int *status): status may be 0.
int64
sys_wait(void)
{
  return wait_for(&myproc()->leader->children, 0, arg(0), offsetof(struct waitinfo, status),
                  arg(0) ? sizeof(int) : 0);
}

int64
sys_waitinfo(void)
{
  return wait_for(&myproc()->leader->children, 0, arg(0), 0, sizeof(struct waitinfo));
}

// join(int tid, int *status): wait for a thread of the calling process to end; status may be 0.
// -EDEADLK: it is the caller; -EINVAL: it is the leader, which ends last; -ESRCH: there is no such
// thread, or somebody else joins it; -EINTR: killed.
int64
sys_join(void)
{
  struct proc *p = myproc();
  int tid = argint(0);
  if (tid == p->pid)
    return -EDEADLK;
  if (tid <= 0 || tid == p->leader->pid)
    return -EINVAL;
  int err = wait_for(&p->leader->threads, tid, arg(1), offsetof(struct waitinfo, status),
                     arg(1) ? sizeof(int) : 0);
  return err == -ECHILD ? -ESRCH : err < 0 ? err : 0;
}

int64
sys_gettid(void)
{
  return myproc()->pid;
}

int64
sys_kill(void)
{
  return kill(argint(0));
}

int64
sys_getpid(void)
{
  return myproc()->leader->pid;
}

// pause(ticks of 1/TICKS_HZ seconds)
int64
sys_pause(void)
{
  int n = argint(0);
  return timer_pause(n < 0 ? 0 : n);
}

int64
sys_uptime(void)
{
  return timer_ticks() & 0x7fffffff;
}

// procs(struct procinfo *, int max): a frame full at a time.
int64
sys_procs(void)
{
  struct mm *mm = myproc()->mm;
  int max = argint(1), done = 0, n;
  uint64 born = 0;
  if (max < 0)
    return -EINVAL;
  if (max > NPROC)
    max = NPROC;
  struct procinfo *buf = kalloc();
  if (buf == 0)
    return -ENOMEM;
  do {
    int room = PGSIZE / sizeof(*buf);
    n = procs_read(buf, max - done < room ? max - done : room, &born);
    int err = copyout(mm, arg(0) + done * sizeof(*buf), buf, n * sizeof(*buf));
    done = err < 0 ? err : done + n;
  } while (done >= 0 && done < max && n > 0);
  kfree(buf);
  return done;
}

// sysinfo(struct sysinfo *, flags)
int64
sys_sysinfo(void)
{
  if (argint(1) & ~SI_DROP)
    return -EINVAL;
  if (argint(1) & SI_DROP)
    fs_drop();
  struct sysinfo si = {
    .frames = nframes,
    .boot = boot_frames,
    .free = kfree_frames(),
    .stacks = stack_frames(),
    .cache = cache_frames,
    .dirty = log_dirty(),
    .blocks = sb.nblocks,
    .bfree = blocks_free,
    .inodes = sb.ninodes - 1,
    .ifree = inodes_free,
    .procs = nprocs,
    .harts = machine.harts,
    .uptime = r_time() / (machine.timebase / 1000000),
    .dreads = drives[0].nread,
    .dwrites = drives[0].nwritten,
  };
  return copyout(myproc()->mm, arg(0), &si, sizeof(si));
}

// poweroff(status): 0 ends QEMU with success, anything else becomes its exit status.
int64
sys_poweroff(void)
{
  int status = argint(0) & 0xff;
  file_writeback(0, 0, 0); // what cannot be written is lost either way
  log_sync();
  // The machine's test device ends QEMU: 0x5555 is success, 0x3333 a failure with this status.
  mmio_write32(KVA(VIRT_TEST), status ? (uint)status << 16 | 0x3333 : 0x5555);
  panic("the machine does not go off");
}
