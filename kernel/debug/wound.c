// SPDX-License-Identifier: MIT
// Debug builds: an invariant of virtual memory is broken on purpose, so that a test sees mm_check
// (mm/check.c) find it.
//
// Interface: wound, wound_mend. Lock: that of check.c, held by the caller.

#include "../proc.h"

// A word of the caller's memory's description, and what is wrong for it.
static struct wound {
  void *at;
  uint size;
  uint64 value;
} open;

// The first entry that is in swap; 0: none.
static pte_t *
swapped(struct mm *mm)
{
  struct leaves it = { .pagetable = mm->pagetable, .end = USERTOP };
  while (uvmnext(&it))
    if (*it.pte & PTE_SWAP)
      return it.pte;
  return 0;
}

// How invariant nr can be broken: at the top page of the caller's stack, where it is about one page
// that is mapped; a free frame that will not be used soon; its first page that is in swap.
static struct wound
wound_of(struct mm *mm, int nr)
{
  struct vma *v = vma_find(mm, STACKTOP - 1);
  int level = 0;
  pte_t *pte = walk(mm->pagetable, STACKTOP - PGSIZE, 0, &level), *out = swapped(mm);
  struct page *pg = pa_page(PTE2PA(*pte)), *table = va_page((void *)PGROUNDDOWN((uint64)pte));
  struct page *free = frames_end() - 1;
  while (free->kind != PG_FREE)
    free--;
  struct wound all[] = {
    { &mm->tree->prio, 4, 0 },
    { &mm->resident, 8, mm->resident + 1 },
    { &v->end, 8, v->end - PGSIZE },
    { pte, 8, *pte | PTE_X },
    { pte, 8, PTE_FLAGS(*pte) | PA2PTE(page_pa(zero_page)) },
    { &table->used, 4, table->used + 1 },
    { &pg->ref, 4, 0 },
    { &pg->ref, 4, 1000 },
    { &pg->kind, 1, PG_FREE },
    { &free->ref, 4, 1 },
    { out, out ? 8 : 0, out ? *out + PA2PTE(PGSIZE) : 0 },
    { &pg->flags, 4, pg->flags & ~AF_QUEUED },
  };
  return all[nr - 1];
}

// Mend what was broken; the other way round, break it.
void
wound_mend(void)
{
  uint64 was = 0;
  memmove(&was, open.at, open.size);
  memmove(open.at, &open.value, open.size);
  open.value = was;
}

// Break invariant nr of mm/check.c, 1 to 12, in the caller's memory, of which a page is in
// swap; 0: none. wound_mend follows.
void
wound(uint64 nr)
{
  open = nr ? wound_of(myproc()->mm, nr) : (struct wound){ .at = &open };
  wound_mend();
}
