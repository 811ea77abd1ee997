// SPDX-License-Identifier: MIT
// What a leaf counts for in the frames it maps: one reference each, or, for a huge page that is
// still one block, one in the block.
//
// Interface: leaf_page and leaf_shared, which are in mm.h; leaf_split; block_share, block_leave and
// block_shared for huge leaves.
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
// Lock: "huge" guards AF_HUGE and maps. A leaf: nothing else but policy/queue.c's queue and frames
// is taken under it.
//
// 1. maps > 0 exactly while AF_HUGE is set.
// 2. A reference is added only by who has a leaf or a pin, under the mm->lock of that leaf. So what
//    only this leaf and nobody else has, nobody else can get.

#include "../proc.h"

static struct spinlock lock = SPINLOCK("huge");

static void
add_refs(struct page *pg, int n)
{
  for (int i = 0; i < PTES; i++)
    __atomic_fetch_add(&pg[i].ref, n, __ATOMIC_RELAXED);
}

// One huge leaf more that maps the block of pg.
void
block_share(struct page *pg)
{
  acquire(&lock);
  if (pg->flags & AF_HUGE)
    pg->maps++;
  else
    add_refs(pg, 1);
  release(&lock);
}

// One less. Does not sleep.
void
block_leave(struct page *pg)
{
  int last = 1;
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
  struct page *pg = pa_page(PTE2PA(pte));
  acquire(&lock);
  if (pg->flags & AF_HUGE) {
    add_refs(pg, pg->maps - 1);
    rmap_split(pg);
  }
  release(&lock);
}

// Whether somebody else has a frame of the block of pg. As leaf_shared.
int
block_shared(struct page *pg)
{
  acquire(&lock);
  int shared = (pg->flags & AF_HUGE) && pg->maps > 1;
  for (int i = 0; i < PTES && !shared; i++)
    shared = page_shared(&pg[i]);
  release(&lock);
  return shared;
}
