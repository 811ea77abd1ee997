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
//   A writable leaf whose frame has more than one reference is pinned: a call of another thread
//   stores into it, for the parent. It stays the parent's, and the child gets a copy at once.
//   A page in swap is shared by its slot. A huge page is shared whole; the first write makes small
//   pages of it on the writer's side.
//
// 1. A writable leaf of private memory: its anonymous frame has no other mapping.

#include "../proc.h"
#include "rmap.h"

// The writer gets a frame of his own. Apart from cow_fault, which is short that way.
static NOINLINE enum outcome
copy(struct fault *f, struct page *old)
{
  struct page *new = page_alloc(PG_ANON);
  if (new == 0)
    return FAULT_NOMEM;
  if (old == zero_page) {
    page_zero(page_va(new));
    vm_count(frames_zeroed, 1);
    vm_count(zero_fill, 1);
  } else {
    page_copy(page_va(new), page_va(old));
    vm_count(frames_copied, 1);
    vm_count(cow_copy, 1);
  }
  // Away first, or one thread could read the old frame after another wrote the new.
  pte_t bits = PTE_FLAGS(__atomic_exchange_n(f->pte, 0, __ATOMIC_ACQ_REL)) | PTE_W | PTE_A | PTE_D;
  tlb_flush_page(f->mm, f->va);
  __atomic_store_n(f->pte, PA2PTE(page_pa(new)) | bits, __ATOMIC_RELEASE);
  page_put(old);
  rmap_born(new, f->mm, f->va);
  return FAULT_DONE;
}

// A write to a leaf that is not writable, in a private vma that is. Does not sleep but for other
// harts' answers.
enum outcome
cow_fault(struct fault *f)
{
  struct page *pg = pa_page(PTE2PA(*f->pte));
  if (!leaf_shared(*f->pte, f->level)) {
    __atomic_fetch_or(f->pte, PTE_W | PTE_A | PTE_D, __ATOMIC_RELAXED);
    tlb_gained(f->mm, f->va);
    vm_count(cow_reuse, 1);
    return FAULT_DONE;
  }
  if (f->level == 0)
    return copy(f, pg);
  return uvmsplit(f->mm, f->va | PGSIZE) < 0 ? FAULT_NOMEM : FAULT_RETRY; // then one small page
}

// Copy the page of a small leaf for `to`: the leaf for the copy, or 0: no memory.
static pte_t
give_copy(pte_t pte, struct mm *to, uint64 va)
{
  struct page *new = page_alloc(PG_ANON);
  if (new == 0)
    return 0;
  page_copy(page_va(new), page_va(pa_page(PTE2PA(pte))));
  vm_count(frames_copied, 1);
  rmap_born(new, to, va);
  return PA2PTE(page_pa(new)) | PTE_FLAGS(pte);
}

// The entry for `to` at va, of which `from` has this small one; 0: no memory.
static inline pte_t
share(pte_t *from, struct mm *to, uint64 va)
{
  pte_t pte = *from;
  struct page *pg = pa_page(PTE2PA(pte));
  if (pte & PTE_SWAP) {
    swap_get(pte);
    return pte;
  }
  if ((pte & PTE_W) && page_shared(pg))
    return give_copy(pte, to, va);
  page_get(pg);
  return pte & PTE_W ? __atomic_fetch_and(from, ~PTE_W, __ATOMIC_RELAXED) & ~PTE_W : pte;
}

// Share the entries from *pte on, which is not empty, for [va, end) in one table. -ENOMEM.
static int
share_table(pte_t *pte, struct mm *to, uint64 va, uint64 end)
{
  int level = 0, n = 0, swapped = 0, err = 0;
  pte_t *table = walk(to->pagetable, va, 1, &level);
  if (table == 0)
    return -ENOMEM;
  for (pte_t *at = table; va < end && err == 0; va += PGSIZE, pte++, at++) {
    if (*pte == 0)
      continue;
    if ((*at = share(pte, to, va)) == 0) {
      err = -ENOMEM;
    } else {
      n++;
      swapped += (*at & PTE_SWAP) != 0;
    }
  }
  table_of(table)->used += n;
  to->resident += n - swapped;
  to->swapped += swapped;
  return err;
}

// Share a huge page: 0, -ENOMEM. 1: it is pinned, and was made small ones, to be looked at again.
static int
share_huge(pte_t *pte, struct mm *from, struct mm *to, uint64 va)
{
  int level = 1;
  if ((*pte & PTE_W) && leaf_shared(*pte, 1))
    return uvmsplit(from, va | PGSIZE) < 0 ? -ENOMEM : 1;
  pte_t *at = walk(to->pagetable, va, 1, &level);
  if (at == 0)
    return -ENOMEM;
  block_share(pa_page(PTE2PA(*pte)));
  pte_fill(at, __atomic_fetch_and(pte, ~PTE_W, __ATOMIC_RELAXED) & ~PTE_W);
  to->resident += PTES;
  return 0;
}

// Share what v maps in `from` with `to`, which has no leaves there. Holds the locks of both. The
// caller flushes `from`. -ENOMEM: only some pages are shared.
int
cow_fork(struct mm *from, struct mm *to, struct vma *v)
{
  struct leaves it = { .pagetable = from->pagetable, .va = v->start, .end = v->end };
  while (uvmnext(&it)) {
    uint64 end = (it.va | (HUGESIZE - 1)) + 1;
    int err = it.level > 0 ? share_huge(it.pte, from, to, it.va)
                           : share_table(it.pte, to, it.va, end < v->end ? end : v->end);
    if (err < 0)
      return err;
    it.pte = 0; // go on from it.va
    it.va = err > 0 ? it.va : end;
  }
  return 0;
}
