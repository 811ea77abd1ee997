# SPDX-License-Identifier: MIT
# Reset to C, for every hart.
#
#   _entry   machine mode, no translation, linked where it lies (.boot)
#     start()  start.c: hands the machine over to supervisor mode
#   kentry   supervisor mode, high half, on the early page table below
#     main(hart, fdt)  main.c; does not return
#
# mtrap is all that is left in machine mode: it turns the software interrupt that a supervisor
# raised by writing CLINT's MSIP into a supervisor software interrupt.

#include "memlayout.h"
#include "param.h"

#define MSAVE  32

        .section .boot, "ax"
        .globl _entry
_entry:                                 # a0: hart id, a1: device tree
        li      t0, NCPU
        bgeu    a0, t0, park
        ld      sp, stacks_at
        addi    t0, a0, 1
        slli    t0, t0, 12
        add     sp, sp, t0
        la      t0, msave               # mtrap's corner of this hart
        slli    t1, a0, 5
        add     t0, t0, t1
        li      t1, CLINT
        slli    t2, a0, 2
        add     t1, t1, t2
        sd      t1, 8(t0)               # address of this hart's MSIP
        csrw    mscratch, t0
        la      t0, mtrap
        csrw    mtvec, t0
        mv      s0, a0
        mv      s1, a1
        ld      a0, kentry_at
        la      a1, early_pagetable
        call    start
        mv      a0, s0
        mv      a1, s1
        mret

park:   wfi                             # more harts than the kernel can use
        j       park

        .balign 4
mtrap:
        csrrw   t0, mscratch, t0
        sd      t1, 0(t0)
        csrr    t1, mcause
        bgez    t1, mfatal              # an exception: the machine is not what it should be
        ld      t1, 8(t0)
        sw      zero, 0(t1)             # taken: MSIP off
        li      t1, 2
        csrs    mip, t1                 # SSIP on
        ld      t1, 0(t0)
        csrrw   t0, mscratch, t0
        mret

mfatal: la      t1, mfatal_text         # say so on the UART, which needs nothing for that
        li      t0, UART0
1:      lbu     t2, 0(t1)
        beqz    t2, 2f
        sb      t2, 0(t0)
        addi    t1, t1, 1
        j       1b
2:      wfi
        j       2b

        .balign 8
kentry_at:
        .dword  kentry
stacks_at:
        .dword  boot_stacks - KERNBASE

mfatal_text:
        .asciz  "quire: this machine lacks something the kernel needs (QEMU older than 7.2?)\n"

        .section .bootdata, "aw"
        .balign 4096
        # KERNBASE + pa for the first 16 GiB, in 1 GiB leaves that allow everything:
        # what the kernel runs on until it has made its own.
early_pagetable:
        .fill   256, 8, 0
        .set    gib, 0
        .rept   16
        .dword  (gib << 28) | 0xef      # D A G X W R V
        .set    gib, gib + 1
        .endr
        .fill   240, 8, 0
msave:
        .fill   NCPU * MSAVE, 1, 0

        .section .text
kentry:
        li      t0, KERNBASE
        add     sp, sp, t0
        li      s0, 0                   # a backtrace ends here
        call    main
