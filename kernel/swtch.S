# SPDX-License-Identifier: MIT
# void swtch(struct context *from, struct context *to)
#
# Leaves one kernel thread and enters another. As this is a call, the registers that callers save
# are dead; what is left is kept in the context (proc.h), with tp, which says whose thread it is.

        .macro  regs op, at
        \op     ra, 0(\at)
        \op     sp, 8(\at)
        \op     tp, 16(\at)
        \op     s0, 24(\at)
        \op     s1, 32(\at)
        \op     s2, 40(\at)
        \op     s3, 48(\at)
        \op     s4, 56(\at)
        \op     s5, 64(\at)
        \op     s6, 72(\at)
        \op     s7, 80(\at)
        \op     s8, 88(\at)
        \op     s9, 96(\at)
        \op     s10, 104(\at)
        \op     s11, 112(\at)
        .endm

        .text
        .globl  swtch
swtch:
        regs    sd, a0
        regs    ld, a1
        ret
