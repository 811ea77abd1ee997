// SPDX-License-Identifier: MIT
// Huge pages: a leaf at level 1 maps 2 MiB, the 512 frames of one block, at once. One fault and one
// entry of the TLB instead of 512, and no table of level 0.
//
// Interface: huge_fault, huge_collapse, huge_mode. Cutting a huge page into small ones is
// uvmsplit's; what its frames count is page.c's; sharing it after fork is cow.c's.
//
//   level 1                  level 0
//   +--------+               +------+
//   |  leaf  |-> 512 frames  |      |-> frame      huge_fault: empty -> leaf
//   +--------+               | 512  |-> frame      uvmsplit: leaf -> table
//   |  table |-------------->|      |-> frame      huge_collapse: table -> leaf
//   +--------+               +------+
//
// Who gets huge pages: an aligned 2 MiB that lies wholly in one range of anonymous memory, when it
// is written and there was nothing in it yet. A read maps the zero frame, as everywhere, and has a
// table made; that 2 MiB stays small until it is collapsed. By huge_mode (vmctl):
//
//   never    none
//   madvise  ranges with MADV_HUGEPAGE
//   always   all but those with MADV_NOHUGEPAGE
//
// Without a free block pages are small, and nobody is told. MAP_HUGETLB and MADV_COLLAPSE ask by
// name: clean cache is dropped for them, whatever the mode is.
//
// Lock: mm->lock. 2 MiB are zeroed and copied with no other.
//
// 1. A leaf at level 1 maps a whole block of kalloc.c, lies in one private anonymous range, and its
//    frames are of kind ANON.
// 2. In a huge_only() range nothing but such leaves is mapped, unless one was split.

#include "../proc.h"
#include "rmap.h"

int huge_mode = VMHUGE_MADVISE;

// Whether the 2 MiB at base may be one page.
static int
fits(const struct vma *v, uint64 base)
{
  return v && v->ops == &anon_ops && v->start <= base && base + HUGESIZE <= v->end &&
         (!(v->flags & VM_NOHUGE) || huge_only(v));
}

static int
wanted(const struct fault *f)
{
  if (huge_only(f->vma))
    return 1;
  return f->access == ACCESS_WRITE &&
         (huge_mode == VMHUGE_ALWAYS ||
          (huge_mode == VMHUGE_MADVISE && (f->vma->flags & VM_HUGEPAGE)));
}

// A block; who insists gets one at the price of clean cache. 0: there is none.
static struct page *
get_block(int insist)
{
  struct page *pg;
  do
    pg = block_alloc(PG_ANON);
  while (pg == 0 && insist && cache_shrink(PTES) > 0);
  return pg;
}

// Map block pg by *pte, which is empty, at base in v; more: W and D, if they are to be set.
static void
map_block(struct vma *v, uint64 base, pte_t *pte, struct page *pg, pte_t more)
{
  pg->maps = 1;
  pg->flags = AF_HUGE;
  rmap_born(pg, v->mm, base);
  pte_fill(pte, PA2PTE(page_pa(pg)) | prot_bits(v->prot & ~PROT_WRITE) | more | PTE_R | PTE_A |
                    PTE_U | PTE_V);
  v->mm->resident += PTES;
}

// A touch where no table of level 0 is: 1, and 2 MiB of zeros are mapped; or 0, and it is for
// somebody else. Holds mm->lock; does not sleep.
int
huge_fault(struct fault *f)
{
  uint64 base = f->va & ~(HUGESIZE - 1);
  if (!fits(f->vma, base) || !wanted(f))
    return 0;
  struct page *pg = get_block(huge_only(f->vma));
  if (pg == 0)
    return 0;
  int level = 1;
  pte_t *pte = walk(f->mm->pagetable, base, 1, &level);
  if (pte == 0) {
    block_put(pg);
    return 0;
  }
  memset(page_va(pg), 0, HUGESIZE);
  vm_count(frames_zeroed, PTES);
  vm_count(huge, 1);
  map_block(f->vma, base, pte, pg, f->access == ACCESS_WRITE ? PTE_W | PTE_D : 0);
  return 1;
}

// ---- collapse ----

// Whether a page of the table cannot move: it is in swap, or a system call may be storing into it.
static int
stuck(pagetable_t table)
{
  for (int i = 0; i < PTES; i++)
    if ((table[i] & PTE_SWAP) || ((table[i] & PTE_W) && leaf_shared(table[i], 0)))
      return 1;
  return 0;
}

// Move what the table maps to block pg, zeros for the rest, and give the table back. No hart uses it
// any more.
static void
move_pages(pagetable_t table, struct page *pg)
{
  for (int i = 0; i < PTES; i++, pg++) {
    pte_t old = pte_mapped(table[i]) ? pte_take(&table[i]) : PA2PTE(page_pa(zero_page));
    if (pa_page(PTE2PA(old)) == zero_page) {
      page_zero(page_va(pg));
      vm_count(frames_zeroed, 1);
    } else {
      page_copy(page_va(pg), (void *)KVA(PTE2PA(old)));
      vm_count(frames_copied, 1);
    }
    page_put(leaf_page(old));
  }
  uvmfree(table);
}

// Make one page of the 2 MiB at base in v. -ENOMEM, -EBUSY.
static int
collapse(struct vma *v, uint64 base)
{
  struct mm *mm = v->mm;
  int level = 0;
  pte_t *pte = walk(mm->pagetable, base, 0, &level);
  if (level > 0 && pte_mapped(*pte))
    return 0;
  if (level == 0 && stuck(pte))
    return -EBUSY;
  struct page *pg = get_block(1);
  level = 0;
  pagetable_t table = pg ? walk(mm->pagetable, base, 1, &level) : 0;
  if (table == 0) {
    if (pg)
      block_put(pg);
    return -ENOMEM;
  }
  level = 1;
  pte = walk(mm->pagetable, base, 0, &level);
  pte_take(pte);
  tlb_flush_range(mm, base, base + HUGESIZE); // from here on who touches it waits for mm->lock
  mm->resident -= va_page(table)->used;
  move_pages(table, pg);
  if (v->prot & PROT_EXEC)
    code_written();
  map_block(v, base, pte, pg, PTE_D | (v->prot & PROT_WRITE ? PTE_W : 0));
  return 0;
}

// Make huge pages of all that may be huge in [start, end), whatever is in it but swapped pages. Holds
// mm->lock. -EINVAL: there is no such 2 MiB; -ENOMEM: no block for one; -EBUSY: a page is in swap, or
// a system call of another thread may be storing into it. Some may be huge then.
int
huge_collapse(struct mm *mm, uint64 start, uint64 end)
{
  uint64 base = (start + HUGESIZE - 1) & ~(HUGESIZE - 1);
  int found = 0, err = 0;
  for (; base + HUGESIZE <= end && err == 0; base += HUGESIZE) {
    struct vma *v = vma_find(mm, base);
    if (fits(v, base) && v->prot & PROT_READ) {
      found = 1;
      err = collapse(v, base);
    }
  }
  return found ? err : -EINVAL;
}
