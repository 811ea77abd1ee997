// SPDX-License-Identifier: MIT
// What a leaf counts for in the frames it maps: one reference each, or, for a huge page that is
// still one block, one in the block.
//
// Interface: leaf_get, leaf_put, leaf_split, leaf_shared.
//
//   a huge page                 ref of each frame     maps of the first
//   one block (AF_HUGE)         1 + pins              leaves that map it
//   split, by the first mm      leaves + pins         nothing
//   that needs small pages
//
// A leaf of another mm may still map the whole of a block that was split; then it has a reference
// to each frame.
//
// Lock: "huge" guards AF_HUGE and maps. A leaf: nothing else but the queue of reclaim.c and frames
// is taken under it.
//
// 1. maps > 0 exactly while AF_HUGE is set.

#include "../bio.h"
#include "../defs.h"
#include "../spinlock.h"
#include "mm.h"

static struct spinlock lock = SPINLOCK("huge");

static struct page *
page_of(pte_t pte)
{
  return pa_page(PTE2PA(pte));
}

static void
add_refs(struct page *pg, int n)
{
  for (int i = 0; i < PTES; i++)
    __atomic_fetch_add(&pg[i].ref, n, __ATOMIC_RELAXED);
}

// One leaf more like this one. Holds the lock of an mm that has it.
void
leaf_get(pte_t pte, int level)
{
  struct page *pg = page_of(pte);
  if (level == 0) {
    page_get(pg);
    return;
  }
  acquire(&lock);
  if (pg->flags & AF_HUGE)
    pg->maps++;
  else
    add_refs(pg, 1);
  release(&lock);
}

// A leaf that was unmapped and flushed. Its D says whether its frame, when it is a file's, has been
// written. Does not sleep.
void
leaf_put(pte_t pte, int level)
{
  struct page *pg = page_of(pte);
  int last = 1;
  if (level == 0) {
    if ((pte & PTE_D) && pg->kind == PG_CACHE)
      page_set(pg, PF_DIRTY);
    page_put(pg);
    return;
  }
  acquire(&lock);
  if (pg->flags & AF_HUGE)
    last = --pg->maps == 0;
  if (last)
    __atomic_fetch_and(&pg->flags, ~AF_HUGE, __ATOMIC_RELAXED);
  release(&lock);
  for (int i = 0; i < PTES && last; i++)
    page_put(&pg[i]);
}

// A huge leaf becomes 512 small ones, which all will have pte's frames: they count one by one from
// now on. Holds the mm's lock.
void
leaf_split(pte_t pte)
{
  struct page *pg = page_of(pte);
  acquire(&lock);
  if (pg->flags & AF_HUGE) {
    add_refs(pg, pg->maps - 1);
    __atomic_fetch_and(&pg->flags, ~AF_HUGE, __ATOMIC_RELAXED);
    rmap_split(pg);
  }
  release(&lock);
}

// Whether somebody else has frames of a leaf, or they belong to a file, or a huge leaf's are counted
// one by one.
int
leaf_shared(pte_t pte, int level)
{
  struct page *pg = page_of(pte);
  if (pg->kind != PG_ANON)
    return 1;
  if (level == 0)
    return __atomic_load_n(&pg->ref, __ATOMIC_ACQUIRE) > 1;
  return !(__atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) & AF_HUGE) ||
         __atomic_load_n(&pg->maps, __ATOMIC_ACQUIRE) > 1;
}
