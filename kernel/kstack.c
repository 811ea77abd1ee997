// SPDX-License-Identifier: MIT
// Kernel stacks: slots of the address space, which are mapped when they are first used.
//
// Interface: slot_get, slot_put; stack_frames for those who count.
//
// A slot is used again by the next thread and never unmapped: harts would have to forget it. What is
// new a hart may still remember as empty, so it fences before its first switch after stackgen has
// moved (switch_to in sched.c).
//
// Lock: "kstack".
//
// 1. A slot is used by one thread at a time, and its frames stay mapped for good.

#include "proc.h"

static struct spinlock lock = SPINLOCK("kstack"); // this group:
static ushort freeslots[NPROC + NCPU];            //   slots mapped and unused
static int nfreeslots, nslots;
uint64 stackgen; //   counts slots; harts fence for new ones

// A stack slot, or -ENOMEM.
int
slot_get(void)
{
  int slot = -ENOMEM;
  acquire(&lock);
  if (nfreeslots > 0) {
    slot = freeslots[--nfreeslots];
  } else if (nslots < NPROC + NCPU && kvmstack(nslots) == 0) {
    slot = nslots++;
    __atomic_store_n(&stackgen, stackgen + 1, __ATOMIC_RELEASE);
    tlb_kernel(); // this hart uses it at once, others when they switch
  }
  release(&lock);
  return slot;
}

// Nobody runs on this one any more.
void
slot_put(int slot)
{
  acquire(&lock);
  freeslots[nfreeslots++] = slot;
  release(&lock);
}

// Frames of kernel stacks, used or not, and of the level-0 tables that map them.
uint64
stack_frames(void)
{
  return nslots * (KSTACK_SIZE / PGSIZE) +
         (nslots + LVLSIZE(1) / KSTACK_SLOT - 1) / (LVLSIZE(1) / KSTACK_SLOT);
}
