// SPDX-License-Identifier: MIT
// A and D, for processors that do not set them: those fault instead (privileged spec 4.3.1), and
// then this is what the hardware would have done.

#include "../mm/mm.h"
#include "hart.h"

// The leaf allows the access but has A, or for a write D, clear. Holds mm->lock.
enum outcome
ad_fixup(struct fault *f)
{
  __atomic_fetch_or(f->pte, PTE_A | (f->access == ACCESS_WRITE ? PTE_D : 0), __ATOMIC_RELAXED);
  tlb_flush_page(f->mm, f->va);
  return FAULT_DONE;
}
