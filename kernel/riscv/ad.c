// SPDX-License-Identifier: MIT
// A and D, for processors that do not set them: those fault instead, and then this is what the
// hardware would have done. Privileged spec 4.3.1 allows both: "when a virtual page is accessed and
// the A bit is clear, or is written and the D bit is clear, a page-fault exception is raised", or
// the processor sets the bit itself, by an atomic update.

#include "../proc.h"

// The leaf allows the access but has A, or for a write D, clear. Holds mm->lock. Calls no hart:
// others that remember the old bits fault, too, and find the leaf as it should be.
enum outcome
ad_fixup(struct fault *f)
{
  __atomic_fetch_or(f->pte, PTE_A | (f->access == ACCESS_WRITE ? PTE_D : 0), __ATOMIC_RELAXED);
  tlb_gained(f->mm, f->va);
  vm_count(ad, 1);
  return FAULT_DONE;
}
