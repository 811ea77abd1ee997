# SPDX-License-Identifier: MIT
# void swtch(struct context *from, struct context *to)
#
# Leaves one kernel thread and enters another. As this is a call, the registers that callers save
# are dead; what is left is kept in the context (proc.h), with tp, which says whose thread it is.

        .macro  regs op, at
        \op     ra, 0(\at)
        \op     sp, 8(\at)
        \op     tp, 16(\at)
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
        \op     s\n, 24+8*\n(\at)
        .endr
        .endm

        .text
        .globl  swtch
swtch:
        regs    sd, a0
        regs    ld, a1
        ret
