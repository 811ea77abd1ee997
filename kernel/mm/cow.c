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

#include "../defs.h"
#include "../proc.h"
#include "../riscv/hart.h"
#include "mm.h"

static enum outcome
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
  pte_t was = __atomic_exchange_n(f->pte, 0, __ATOMIC_ACQ_REL);
  tlb_flush_page(f->mm,
                 f->va); // else one thread could read the old frame after another wrote the new
  pte_t bits = PTE_FLAGS(was) | PTE_W | PTE_A | PTE_D;
  __atomic_store_n(f->pte, PA2PTE(page_pa(new)) | bits, __ATOMIC_RELEASE);
  leaf_put(was, 0);
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

// Share an entry of `from`, at level, with the same place in *table of `to`.
static void
share(pte_t *from, pte_t *to, int level)
{
  pte_t pte = *from;
  if (pte & PTE_W)
    pte = __atomic_fetch_and(from, ~PTE_W, __ATOMIC_RELAXED) & ~PTE_W;
  if (pte_mapped(pte))
    leaf_get(pte, level);
  else
    swap_get(pte);
  pte_fill(to, pte);
}

// Copy the page of a small leaf for `to`. -ENOMEM.
static int
give_copy(pte_t pte, struct mm *to, uint64 va, pte_t *at)
{
  struct page *new = page_alloc(PG_ANON);
  if (new == 0)
    return -ENOMEM;
  page_copy(page_va(new), page_va(pa_page(PTE2PA(pte))));
  vm_count(frames_copied, 1);
  pte_fill(at, PA2PTE(page_pa(new)) | PTE_FLAGS(pte));
  rmap_born(new, to, va);
  return 0;
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
    int pinned = (*it.pte & PTE_W) && leaf_shared(*it.pte, it.level);
    if (pinned && it.level > 0) {
      if (uvmsplit(from, it.va | PGSIZE) < 0)
        return -ENOMEM;
      it.pte = 0; // once more, page by page
      continue;
    }
    if (it.level > 0 || it.va >> PXSHIFT(1) != region) {
      int level = it.level;
      region = it.va >> PXSHIFT(1);
      if ((table = walk(to->pagetable, it.va, 1, &level)) == 0)
        return -ENOMEM;
      table -= PX(level, it.va);
    }
    pte_t *at = &table[PX(it.level, it.va)];
    if (!pinned)
      share(it.pte, at, it.level);
    else if (give_copy(*it.pte, to, it.va, at) < 0)
      return -ENOMEM;
    *(pte_mapped(*it.pte) ? &to->resident : &to->swapped) += LVLSIZE(it.level) / PGSIZE;
  }
  return 0;
}
