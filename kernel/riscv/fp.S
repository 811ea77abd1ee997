# SPDX-License-Identifier: MIT
# User floating point: the kernel does not compute with it, so its registers stay a program's until
# another program needs them. sstatus.FS must not be off.

        .macro  fregs op, at
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        \op     f\n, (8*\n)(\at)
        .endr
        .endm

        .text
        .globl  fp_save                 # a0: struct fpstate
fp_save:
        fregs   fsd, a0
        csrr    t0, fcsr
        sd      t0, 256(a0)
        ret

        .globl  fp_load
fp_load:
        fregs   fld, a0
        ld      t0, 256(a0)
        csrw    fcsr, t0
        ret
