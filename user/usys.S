// SPDX-License-Identifier: MIT
// The stubs of the system calls, made from the kernel's list of them.
//
// The number goes in a7, the arguments are in a0 to a5 already. The result comes back in a0; when
// it is -1, a1 says why, and the stub leaves that in errno, where tp points to: each thread has its
// own (struct self in quire.h; start.c, thread.c).

.macro stub nr, name
  .globl \name
  .type \name, @function
\name:
  li a7, \nr
  ecall
  li t0, -1
  beq a0, t0, failed
  ret
  .size \name, . - \name
.endm

#define SYSCALL(nr, name, call) stub nr, call

  .text
#include "kernel/syscall.tbl"

failed:
  sw a1, 0(tp)
  ret

  .globl thread_self
  .type thread_self, @function
thread_self:
  mv a0, tp
  ret
  .size thread_self, . - thread_self
