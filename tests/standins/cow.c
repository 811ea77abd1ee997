// SPDX-License-Identifier: MIT
// Stand-in for mm/cow.c: fork copies every private page at once. No frame is shared, so a write
// finds a leaf it may not write only for the zero frame, a file's frame, and what mprotect has
// closed in between.
//
// What is lost: fork costs a copy of all memory, and fails when there is not that much. Pages in swap
// stay there, and each side reads its own copy back in.

#include "../defs.h"
#include "../proc.h"
#include "../riscv/hart.h"
#include "mm.h"
#include "rmap.h"

// A frame with the bytes of old, which is the zero frame or has any; 0: no memory.
static struct page *
copy_of(const struct page *old)
{
  struct page *new = page_alloc(PG_ANON);
  if (new == 0)
    return 0;
  page_copy(page_va(new), page_va(old));
  if (old == zero_page)
    vm_count(frames_zeroed, 1);
  else
    vm_count(frames_copied, 1);
  return new;
}

// A write to a leaf that is not writable, in a private vma that is.
enum outcome
cow_fault(struct fault *f)
{
  struct page *old = pa_page(PTE2PA(*f->pte));
  if (old->kind == PG_ANON) {
    __atomic_fetch_or(f->pte, PTE_W | PTE_A | PTE_D, __ATOMIC_RELAXED);
    tlb_gained(f->mm, f->va);
    vm_count(cow_reuse, 1);
    return FAULT_DONE;
  }
  struct page *new = copy_of(old);
  if (new == 0)
    return FAULT_NOMEM;
  if (old == zero_page)
    vm_count(zero_fill, 1);
  else
    vm_count(cow_copy, 1);
  pte_t was = __atomic_exchange_n(f->pte, 0, __ATOMIC_ACQ_REL);
  tlb_flush_page(f->mm, f->va);
  pte_t bits = PTE_FLAGS(was) | PTE_W | PTE_A | PTE_D;
  __atomic_store_n(f->pte, PA2PTE(page_pa(new)) | bits, __ATOMIC_RELEASE);
  page_put(leaf_page(was));
  rmap_born(new, f->mm, f->va);
  return FAULT_DONE;
}

// Give `to` a page like the one at va of `from`, whose entry is pte: a file's frame and the zero frame
// are shared, as nobody can write them.
static int
give(struct mm *to, uint64 va, pte_t pte, struct page *old)
{
  int level = 0;
  struct page *new = old->kind == PG_ANON ? copy_of(old) : old;
  pte_t *at = new ? walk(to->pagetable, va, 1, &level) : 0;
  if (new == old)
    page_get(old);
  if (at == 0) {
    if (new)
      page_put(new);
    return -ENOMEM;
  }
  pte_fill(at, PA2PTE(page_pa(new)) | PTE_FLAGS(pte));
  to->resident++;
  if (new->kind == PG_ANON)
    rmap_born(new, to, va);
  return 0;
}

// Copy what v maps in `from` to `to`. -ENOMEM: only some pages are there.
int
cow_fork(struct mm *from, struct mm *to, struct vma *v)
{
  struct leaves it = { .pagetable = from->pagetable, .va = v->start, .end = v->end };
  int err = 0;
  while (err == 0 && uvmnext(&it)) {
    pte_t pte = *it.pte;
    int level = 0;
    if (pte & PTE_SWAP) {
      pte_t *at = walk(to->pagetable, it.va, 1, &level);
      if (at == 0)
        return -ENOMEM;
      swap_get(pte);
      pte_fill(at, pte);
      to->swapped++;
      continue;
    }
    for (uint64 i = 0; err == 0 && i < LVLSIZE(it.level) / PGSIZE; i++)
      err = give(to, it.va + i * PGSIZE, pte, pa_page(PTE2PA(pte)) + i);
  }
  return err;
}
