// SPDX-License-Identifier: MIT
// Address-space numbers, so that a hart can change tables without forgetting translations
// (privileged spec 4.1.11). There are fewer numbers than address spaces come and go; when they are
// used up, a new generation starts with 1, and each hart forgets everything before it uses the first
// number of a generation that it has not seen (tlb_enter).
//
//   generation      1                     2                                3
//   given out       1:sh 2:ls 3:wc        1:sh 2:cat 3:sh' ...             1: ...
//   hart 0          sh --- ls -----------------------> F cat               F: forgets everything
//   hart 1          sh - wc - F sh - cat - sh'
//
// A hart that goes on with a number of an old generation may: what it remembers under that number
// is its own, and every hart's numbers are its own business (hart 0 runs ls as 2, hart 1 cat as 2).
//
// Lock: "asid", for the counters and every change of an mm->asid, which is read without it.
//
// 1. Two mms with the same generation have different numbers.
// 2. Number 0 is the kernel's own table's; and everybody's on a processor without ASIDs, where a
//    generation has one mm, so that a hart forgets everything whenever it changes tables.
// 3. What a hart remembers under numbers was remembered in the one generation c->asidgen. A hart
//    never sees the generation go back: it reads one word, and that only grows.

#include "../proc.h"

static struct spinlock lock = SPINLOCK("asid");
static uint64 generation = 1, next = 1, most; // 48 bits of generation: it does not come round

// Find out how many numbers there are. 4.1.11: write one to every bit of the ASID field, "then
// reading back the value in satp to see which bit positions in the ASID field hold a one". Called
// once, by hart 0, for all: the harts are alike.
void
asid_init(void)
{
  uint64 satp = satp_read();
  satp_write(satp | ASID_MAX << 44);
  most = SATP_ASID(satp_read());
  satp_write(satp);
  fence_all(); // 4.2.1: forget what was fetched under the trial number, which will be given out
}

// The generation and number of mm, a new one when its own has gone by.
uint64
asid_of(struct mm *mm)
{
  uint64 asid = __atomic_load_n(&mm->asid, __ATOMIC_RELAXED);
  if (GEN_OF(asid) == __atomic_load_n(&generation, __ATOMIC_ACQUIRE))
    return asid;
  acquire(&lock);
  asid = mm->asid;
  if (GEN_OF(asid) != generation) {
    if (next > most) {
      __atomic_store_n(&generation, generation + 1, __ATOMIC_RELEASE);
      next = 1;
    }
    asid = generation << 16 | (most ? next++ : 0);
    __atomic_store_n(&mm->asid, asid, __ATOMIC_RELAXED);
  }
  release(&lock);
  return asid;
}
