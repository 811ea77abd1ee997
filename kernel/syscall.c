// SPDX-License-Identifier: MIT
// System calls: from the number in a7 to the function, and its result back.
//
// Interface: syscall, for trap.c; arg, argint and argstr, for the sys_ functions, are in proc.h.
//
// A sys_ function takes no arguments, and returns its result or a negative error number. The program
// gets the result in a0, or -1 there and the error number in a1.

#include "proc.h"
#include "syscall.h"

#define SYSCALL(nr, name, stub) int64 sys_##name(void);
#include "syscall.tbl"
#undef SYSCALL

#define SYSCALL(nr, name, stub) [nr] = sys_##name,
static int64 (*const calls[NSYSCALL])(void) = {
#include "syscall.tbl"
};
#undef SYSCALL

// A call that ended for want of frames has left all as it was; here nothing is held, so frames can
// be made free, and then it is tried again.
static NOINLINE int64
again(uint64 nr)
{
  struct proc *p = myproc();
  int64 result = -ENOMEM;
  for (int n = RECLAIM_BATCH; result == -ENOMEM && p->starved && !killed(p) && n < 1 << 20;
       n *= 2) {
    if (reclaim(n) == 0)
      break;
    p->starved = 0;
    result = calls[nr]();
  }
  return result;
}

// Do what the running process asks for. Interrupts are on.
void
syscall(void)
{
  struct trapframe *tf = myproc()->tf;
  uint64 nr = tf->a7;
  int64 result = nr < NSYSCALL && calls[nr] ? calls[nr]() : -ENOSYS;
  if (result == -ENOMEM)
    result = again(tf->a7);
  if (result < 0) {
    tf->a0 = -1;
    tf->a1 = -result;
  } else {
    tf->a0 = result;
  }
}
