# SPDX-License-Identifier: MIT
# Where every trap of supervisor mode comes in, and where it goes back.
#
# sscratch is the struct proc of the hart while a user program runs, and 0 in the kernel. So one
# exchange with tp tells where the trap came from, and gives the kernel its process.
#
#   from user    registers go to p->tf, on top of the kernel stack; usertrap(); back by trapret
#   from kernel  registers go on the stack in use; kerneltrap(); back
#   from kernel, stack used up: an emergency stack of the hart; stack_overflow(), no way back

#include "memlayout.h"

#define P_TF      120                   // struct proc
#define P_SCRATCH 128
#define P_CPU     136                   // whose first field is its number
#define TF_SIZE   272                   // struct trapframe
#define TF_SP     8
#define TF_TP     24
#define TF_EPC    248
#define TF_STATUS 256

        .macro  most op                 # all registers but sp and tp, which are x2 and x4
        .irp    n, 1,3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        \op     x\n, 8*(\n-1)(sp)
        .endr
        .endm

        .macro  save_pc
        csrr    t0, sepc
        csrr    t1, sstatus
        sd      t0, TF_EPC(sp)
        sd      t1, TF_STATUS(sp)
        .endm

        .macro  restore_pc
        ld      t0, TF_EPC(sp)
        ld      t1, TF_STATUS(sp)
        csrw    sepc, t0
        csrw    sstatus, t1
        .endm

        .text
        .balign 4
        .globl  trapvec
trapvec:
        csrrw   tp, sscratch, tp
        beqz    tp, from_kernel

        sd      sp, P_SCRATCH(tp)
        ld      sp, P_TF(tp)
        most    sd
        save_pc
        ld      t0, P_SCRATCH(tp)
        csrrw   t1, sscratch, zero
        sd      t0, TF_SP(sp)
        sd      t1, TF_TP(sp)
        mv      a0, sp
        li      s0, 0                   # a backtrace ends here
        call    usertrap

        # Back to user mode, with interrupts off and sp at the process's trapframe.
        .globl  trapret
trapret:
        restore_pc
        csrw    sscratch, tp
        ld      tp, TF_TP(sp)
        most    ld
        ld      sp, TF_SP(sp)
        sret

        # void user_return(struct trapframe *): there for the first time.
        .globl  user_return
user_return:
        mv      sp, a0
        call    leave_kernel
        j       trapret

from_kernel:
        addi    tp, sp, -TF_SIZE        # tp is free here: sscratch has it
        srli    tp, tp, 13
        andi    tp, tp, 1
        beqz    tp, overflow            # memlayout.h: bit 13 is set inside a kernel stack
        csrrw   tp, sscratch, zero
        sd      sp, TF_SP-TF_SIZE(sp)
        addi    sp, sp, -TF_SIZE
        sd      tp, TF_TP(sp)
        most    sd
        save_pc
        mv      a0, sp
        call    kerneltrap
        restore_pc
        most    ld
        addi    sp, sp, TF_SIZE         # tp stays: it is the thread's, wherever it runs now
        sret

overflow:
        csrrw   tp, sscratch, zero
        mv      a0, sp
        csrr    a1, sepc
        mv      a2, s0
        ld      t0, P_CPU(tp)           # the boot stack of this hart is free since boot
        lw      t0, 0(t0)
        addi    t0, t0, 1
        slli    t0, t0, 12
        la      sp, boot_stacks
        add     sp, sp, t0
        li      s0, 0
        call    stack_overflow

# void regs_here(struct trapframe *): the registers of the caller. Interrupts are off.
        .globl  regs_here
regs_here:
        sd      sp, TF_SP(a0)
        sd      tp, TF_TP(a0)
        sd      ra, TF_EPC(a0)
        mv      sp, a0
        most    sd
        ld      sp, TF_SP(sp)
        ret
