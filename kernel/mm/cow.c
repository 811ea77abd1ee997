// SPDX-License-Identifier: MIT
// Copy-on-write: after fork both sides map the same frames, read-only; the first to write a page
// gets a copy, the last one that has the old frame keeps it.
//
//   fork      W off on both sides, one reference more
//   write     ref 1 and anonymous: W on again, in place
//             else (shared, a file's frame, the zero frame): copy, map the copy, drop the old one
//
// There is no bit for it in the pte: a private vma that allows writing, and a leaf that does not.
//
// Lock: mm->lock of the side at work; of a frame that is shared only the count changes.
//
// 1. A writable leaf's anonymous frame has no other mapping.

#include "../defs.h"
#include "../riscv/hart.h"
#include "mm.h"

static enum outcome
copy(struct fault *f, struct page *old)
{
  struct page *new = page_alloc(PG_ANON);
  if (new == 0)
    return FAULT_NOMEM;
  if (old == zero_page)
    page_zero(page_va(new));
  else
    page_copy(page_va(new), page_va(old));
  pte_t bits = PTE_FLAGS(*f->pte) | PTE_W | PTE_A | PTE_D;
  __atomic_exchange_n(f->pte, PA2PTE(page_pa(new)) | bits, __ATOMIC_ACQ_REL);
  tlb_flush_page(f->mm, f->va); // the old frame may still be cached, and be somebody else's next
  page_put(old);
  return FAULT_DONE;
}

// A write to a leaf that is not writable, in a vma that is. Does not sleep but for other harts' answers.
enum outcome
cow_fault(struct fault *f)
{
  struct page *pg = pa_page(PTE2PA(*f->pte));
  if (pg->kind != PG_ANON || __atomic_load_n(&pg->ref, __ATOMIC_ACQUIRE) > 1)
    return copy(f, pg);
  __atomic_fetch_or(f->pte, PTE_W | PTE_A | PTE_D, __ATOMIC_RELAXED);
  tlb_gained(f->mm, f->va);
  return FAULT_DONE;
}

// Share what v maps in `from` with `to`. Holds from->lock; nobody else knows `to` yet. The caller
// flushes `from`. -ENOMEM: only some pages are shared.
int
cow_fork(struct mm *from, struct mm *to, struct vma *v)
{
  struct leaves it = { .pagetable = from->pagetable, .va = v->start, .end = v->end };
  uint64 region = ~0UL; // what table maps
  pte_t *table = 0;
  while (uvmnext(&it)) {
    if (it.va >> PXSHIFT(1) != region) {
      int level = 0;
      region = it.va >> PXSHIFT(1);
      if ((table = walk(to->pagetable, region << PXSHIFT(1), 1, &level)) == 0)
        return -ENOMEM;
    }
    pte_t pte = *it.pte;
    if (pte & PTE_W)
      pte = __atomic_fetch_and(it.pte, ~PTE_W, __ATOMIC_RELAXED) & ~PTE_W;
    page_get(pa_page(PTE2PA(pte)));
    pte_fill(&table[PX(0, it.va)], pte);
    to->resident++;
  }
  return 0;
}
