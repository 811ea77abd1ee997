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
// So sharing a huge page and dropping it costs one count while nobody needs its parts. A leaf of
// another mm may still map the whole of a block that was split; then it has a reference to each
// frame. Pins take one frame each and know nothing of all this.
//
// Lock: "huge" guards AF_HUGE and maps. A leaf: nothing else but the queue of reclaim.c and frames
// is taken under it.
//
// 1. maps > 0 exactly while AF_HUGE is set.
// 2. A reference is added only by who has a leaf or a pin, under the mm->lock of that leaf. So what
//    only this leaf and nobody else has, nobody else can get.

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

// The frame of a small leaf that was unmapped and flushed, whose reference goes to the caller. The
// leaf's D says whether the frame, when it is a file's, has been written.
struct page *
leaf_page(pte_t pte)
{
  struct page *pg = page_of(pte);
  if ((pte & PTE_D) && pg->kind == PG_CACHE)
    page_set(pg, PF_DIRTY);
  return pg;
}

// A leaf that was unmapped and flushed counts no more. Does not sleep.
void
leaf_put(pte_t pte, int level)
{
  struct page *pg = page_of(pte);
  int last = 1;
  if (level == 0) {
    page_put(leaf_page(pte));
    return;
  }
  acquire(&lock);
  if (pg->flags & AF_HUGE)
    last = --pg->maps == 0;
  if (last)
    __atomic_fetch_and(&pg->flags, ~AF_HUGE, __ATOMIC_RELAXED);
  release(&lock);
  if (last)
    block_put(pg);
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

static int
any_more(struct page *pg, int n)
{
  for (; n > 0; pg++, n--)
    if (__atomic_load_n(&pg->ref, __ATOMIC_ACQUIRE) > 1)
      return 1;
  return 0;
}

// Whether somebody else has a frame of a leaf, by another leaf or a pin, or it belongs to a file.
// Holds the lock of an mm that has the leaf, so the answer "no" stays true.
int
leaf_shared(pte_t pte, int level)
{
  struct page *pg = page_of(pte);
  if (pg->kind != PG_ANON)
    return 1;
  if (level == 0)
    return any_more(pg, 1);
  acquire(&lock);
  int shared = ((pg->flags & AF_HUGE) && pg->maps > 1) || any_more(pg, PTES);
  release(&lock);
  return shared;
}
