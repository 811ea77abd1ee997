// SPDX-License-Identifier: MIT
// Machine mode, once per hart: hand everything to supervisor mode and leave.
//
// This file is linked where it lies in RAM and runs without translation. It must not call anything
// outside itself, and it is compiled without jump tables, whose addresses would be high ones.

#include "riscv.h"

#define MSTATUS_MPP   (3UL << 11) // mode before the trap
#define MSTATUS_MPP_S (1UL << 11)
#define MSTATUS_FS    (3UL << 13)
#define MIE_MSIE      (1UL << 3)
#define ENVCFG_STCE   (1UL << 63) // Sstc: supervisor timer compare
#define ENVCFG_ADUE   (1UL << 61) // Svadu: hardware sets A and D

void
start(uint64 kentry, uint64 pagetable)
{
  // mret shall go to kentry in supervisor mode, with interrupts off and floating point off.
  uint64 s = csr_read(mstatus);
  csr_write(mstatus, (s & ~(MSTATUS_MPP | MSTATUS_FS)) | MSTATUS_MPP_S);
  csr_write(mepc, kentry);

  // Machine, 3.1.8: all traps go to supervisor mode, but for the software interrupt that mtrap turns.
  csr_write(medeleg, 0xffff);
  csr_write(mideleg, SI_SSIP | SI_STIP | SI_SEIP);
  csr_write(mie, MIE_MSIE);

  // 3.7: supervisor mode may use all of physical memory.
  csr_write(pmpaddr0, ~0UL >> 10);
  csr_write(pmpcfg0, 0xf);

  // 3.1.11, 3.1.18: time, cycle and instret for all; stimecmp; hardware A and D where there is such a thing.
  csr_write(mcounteren, 7);
  asm volatile("csrs %0, %1" ::"i"(CSR_MENVCFG), "r"(ENVCFG_STCE | ENVCFG_ADUE));

  // 4.2.1: no translation was cached before; a fence orders the table, which is part of the image.
  asm volatile("sfence.vma" ::: "memory");
  csr_write(satp, MAKE_SATP(pagetable, 0));
  asm volatile("sfence.vma" ::: "memory");
}
