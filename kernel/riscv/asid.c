// SPDX-License-Identifier: MIT
// Address-space numbers, so that a hart can change tables without forgetting translations
// (privileged spec 4.1.11). There are fewer numbers than address spaces come and go; when they are
// used up, a new generation starts with 1, and each hart forgets everything before it uses the first
// number of a generation that it has not seen (tlb_enter).
//
// Lock: "asid", for the counters and every mm->asid.
//
// 1. Two mms with the same generation have different numbers.
// 2. Number 0 is the kernel's own table's, and everybody's on a processor without ASIDs, where
//    each entry is a generation of its own.

#include "../defs.h"
#include "../proc.h"
#include "hart.h"

static struct spinlock lock = SPINLOCK("asid");
static uint64 generation = 1, next = 1, most;

// Find out how many numbers there are: bits of satp.ASID that are not there read as 0.
void
asid_init(void)
{
  uint64 satp = csr_read(satp);
  csr_write(satp, satp | 0xffffUL << 44);
  most = (csr_read(satp) >> 44) & 0xffff;
  csr_write(satp, satp);
  asm volatile("sfence.vma" ::: "memory"); // 4.1.11: for what was fetched under the trial numbers
}

// The generation (above bit 16) and number of mm, a new one when its own has gone by.
uint64
asid_of(struct mm *mm)
{
  if (most > 0 && mm->asid >> 16 == __atomic_load_n(&generation, __ATOMIC_ACQUIRE))
    return mm->asid;
  acquire(&lock);
  if (mm->asid >> 16 != generation || most == 0) {
    if (next > most) {
      __atomic_store_n(&generation, generation + 1, __ATOMIC_RELEASE);
      next = 1;
    }
    mm->asid = generation << 16 | (most ? next++ : 0);
  }
  uint64 asid = mm->asid;
  release(&lock);
  return asid;
}
