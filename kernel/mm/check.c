// SPDX-License-Identifier: MIT
// Whether what the heads of these files claim is so. mm_check() walks every address space and every
// frame, and says on the console which invariant does not hold.
//
//   1  ranges are sorted, do not overlap, are not empty, end at USERTOP; the tree is a heap by prio
//   2  mapped, nvmas, resident and swapped are what ranges and entries add up to
//   3  no entry lies outside a range, no huge page across its edge
//   4  a leaf is for user mode, not global, not writable and executable, and allows no more than
//      its range; a frame is a program's, a file's, the kernel's for it, or the zero frame
//   5  the zero frame is nowhere writable; a writable leaf of private memory has its frame alone
//   6  a table is a TABLE frame, counts its entries right, and is not empty
//   7  a frame has a reference for each leaf, and one if it is cached; a huge page counts its leaves
//   8  all references that no leaf and no cache explains are pins
//   9  free frames and used frames are all frames
//  10  a frame is free exactly while it is in a chain of kalloc.c, in one, or on the way there, and
//      without a reference
//  11  a slot of swap counts the entries that name it, and one more while its frame waits
//  12  while there is swap, each mapped frame of a family is in the queue of who may be evicted,
//      between two neighbours that know it; and the queue is as long as there are such frames
//
// Nothing stands still for this. Each mm is locked while it is walked; if anything that changes the
// sums happened meanwhile, by the counts that everybody keeps, all is done again.
//
// In a debug build one invariant can be broken first, so that a test sees it found.

#include "policy/queue.h"
#include "../proc.h"

#define CHUNK    (PGSIZE / sizeof(uint16)) // frames that one frame of counts tells of
#define NCHUNK   1024                      // enough for 8 GiB
#define SURE     10                        // looks, TICKS_HZ of them in a second
#define PATIENCE 30

static struct sleeplock lock = SLEEPLOCK("check"); // this group:
static uint16 *counts[NCHUNK];                     //   leaves by frame
static struct page *last;                          //   behind those that are counted
static uint64 pages, swapped;                      //   of the mm at hand, by its entries
static uint64 slots;                               //   of all entries: the sum of squares
static uint64 free, extra, queued;                 //   sums over all frames
static struct vmstat now;
static int bad, loud;

static void
verify(int nr, int holds, const char *what, uint64 where)
{
  if (holds)
    return;
  bad++;
  if (loud)
    printk("mm_check: invariant %d does not hold at 0x%lx: %s\n", nr, where, what);
}

// Of a frame that was set up only meanwhile nobody asks.
static uint16 *
count_of(struct page *pg)
{
  static uint16 unasked;
  uint64 i = pg - frames;
  return pg < last ? &counts[i / CHUNK][i % CHUNK] : &unasked;
}

// ---- address spaces ----

static void
check_leaf(struct mm *mm, pte_t pte, int level, uint64 va)
{
  struct vma *v = vma_find(mm, va);
  struct page *pg = pa_page(PTE2PA(pte));
  uint allowed = v ? prot_bits(v->prot) | (v->prot ? PTE_R : 0) : 0;
  verify(3, v && va + LVLSIZE(level) <= v->end, "a leaf outside its range", va);
  verify(4, (pte & PTE_U) && !(pte & PTE_G), "a leaf not for user mode", va);
  verify(4, (pte & (PTE_W | PTE_X)) != (PTE_W | PTE_X), "writable and executable", va);
  verify(4, !(pte & (PTE_R | PTE_W | PTE_X) & ~allowed), "a leaf allows more than its range", va);
  verify(4, pg->kind >= PG_KERNEL && pg->kind != PG_TABLE, "a frame that is nobody's", va);
  if (pte & PTE_W) {
    int alone = pg->kind == PG_ANON && !leaf_shared(pte, level);
    verify(5, pg->kind != PG_ZERO && ((v && v->flags & VM_SHARED) || alone || pins_out() != 0),
           "a writable leaf of a shared frame", va);
  }
  pages += LVLSIZE(level) / PGSIZE;
  for (int i = 0; i < (level > 0 && !(pg->flags & AF_HUGE) ? PTES : 1); i++)
    ++*count_of(pg + i);
}

// A table whose first entry is for va. Only the root may be empty, and has entries of the kernel.
static void
check_table(struct mm *mm, pagetable_t table, int level, uint64 va)
{
  int root = level == LEVELS - 1, n = 0;
  struct page *pg = va_page(table);
  verify(6, pg->kind == PG_TABLE && pg->ref == 1, "a table's frame", va);
  for (int i = 0; i < (root ? PTES / 2 : PTES); i++, va += LVLSIZE(level)) {
    pte_t pte = table[i];
    n += pte != 0;
    if (PTE_TABLE(pte))
      check_table(mm, (pagetable_t)KVA(PTE2PA(pte)), level - 1, va);
    else if (pte_mapped(pte))
      check_leaf(mm, pte, level, va);
    else if (pte != 0) {
      swapped++;
      slots += (PTE2PA(pte) >> PGSHIFT) * (PTE2PA(pte) >> PGSHIFT);
      verify(3, vma_find(mm, va) != 0, "a swapped page outside a range", va);
    }
  }
  verify(6, pg->used == (uint)n && (root || n > 0), "a table counts its entries", va);
}

static void
check_mm(struct mm *mm)
{
  uint64 end = 0, mapped = 0, n = 0;
  pages = swapped = 0;
  for (struct vma *v = vma_next(mm, 0); v && n <= mm->nvmas; v = vma_next(mm, v->end), n++) {
    verify(1, v->start >= end && v->start < v->end && v->end <= USERTOP, "a range", v->start);
    verify(1, (!v->left || v->left->prio <= v->prio) && (!v->right || v->right->prio <= v->prio),
           "the tree of ranges", v->start);
    mapped += v->end - v->start;
    end = v->end;
  }
  check_table(mm, mm->pagetable, LEVELS - 1, 0);
  verify(2, mapped == mm->mapped && n == mm->nvmas, "the sum of ranges", mapped);
  verify(2, (long)pages == mm->resident, "pages that are resident", pages);
  verify(2, (long)swapped == mm->swapped, "pages in swap", swapped);
}

// ---- frames ----

// A frame that is in a chain counts like one that is mapped, once.
static void
check_free(struct page *pg)
{
  verify(10, pg->kind == PG_FREE && pg->ref == 0, "a frame in a chain is not free", page_pa(pg));
  ++*count_of(pg);
}

static void
check_frame(struct page *pg)
{
  uint n = *count_of(pg), anon = pg->kind == PG_ANON, cached = pg->kind == PG_CACHE;
  if (pg->kind == PG_FREE)
    verify(10, n == 1, "a free frame is in one chain", page_pa(pg));
  else if (anon && pg->flags & AF_HUGE)
    verify(7, n == pg->maps, "a huge page counts its leaves", page_pa(pg));
  else if (anon || cached)
    verify(7, pg->ref >= (int)(n + (cached && pg->flags & PF_CACHED)), "a frame counts its leaves",
           page_pa(pg));
  free += pg->kind == PG_FREE;
  if (!anon)
    return;
  if (pg->family && !(pg->flags & AF_HUGE))
    extra += pg->ref - n;
  uint must = n > 0 && pg->family && queue.on;
  acquire(&queue.lock);
  uint in = (pg->flags & AF_QUEUED) != 0;
  int right =
      in ? frames + frames[pg->older].newer == pg && frames + frames[pg->newer].older == pg : !must;
  release(&queue.lock);
  verify(12, right, "a frame's place in the queue", page_pa(pg));
  queued += in;
}

static void
check_frames(void)
{
  uint64 before = kfree_frames();
  free = nframes - (last - frames);
  extra = queued = 0;
  free_each(check_free);
  for (struct page *pg = frames; pg < last; pg++)
    check_frame(pg);
  if (last == frames_end()) { // else a block was set up that the sums do not know
    verify(9, free == kfree_frames() || kfree_frames() != before, "free frames", free);
    verify(12, queued == queue.n, "frames that are queued", queued);
  }
  if (DEBUGGING)
    verify(8, extra <= (uint64)pins_out(), "references that nobody explains", extra);
}

// ---- the whole ----

// What changes when anything happens that the sums depend on.
static uint64
changes(void)
{
  struct vmcounts *c = &now.all;
  memset(&now, 0, sizeof(now));
  mm_totals(&now);
  return c->faults + c->frames_allocated + c->frames_freed + c->tables_made + c->tables_freed;
}

// One look at everything: 1, or 0 when something happened meanwhile.
static int
look(void)
{
  uint64 before = changes(), must = swap_squares();
  struct mm *mm;
  bad = 0;
  slots = 0;
  for (uint i = 0; i < (last - frames + CHUNK - 1) / CHUNK; i++)
    memset(counts[i], 0, PGSIZE);
  for (uint64 born = 0; (mm = mm_after(&born)) != 0; mm_put(mm)) {
    acquiresleep(&mm->lock);
    if (mm->tree) // else it is going down
      check_mm(mm);
    releasesleep(&mm->lock);
  }
  check_frames();
  verify(11, slots == must || swap_squares() != must, "slots count their entries", slots);
  return changes() == before;
}

// Looks that agree for a second that something is wrong, while nothing was seen to change, are believed. It is
// a second since a hart may stand still between two steps that belong together, when the host lets
// another one run.
static int
check(void)
{
  int sure = 0;
  loud = 0;
  for (int i = 0; i < PATIENCE; i++) {
    int stable = look();
    if (stable && bad == 0)
      return 0;
    if (loud && stable)
      return bad;
    sure += stable;
    loud = sure >= SURE;
    if (stable)
      timer_pause(1);
    else
      yield();
  }
  return -EAGAIN;
}

// Check all invariants: how many do not hold; each is said on the console. In a debug build invariant
// `breakit` is broken before and mended behind; 0: none. -EINVAL, -EPERM, -ENOMEM; -EAGAIN: so much goes on
// that nothing can be counted. Sleeps.
int
mm_check(uint64 breakit)
{
  int result = -ENOMEM;
  if (breakit > 12)
    return -EINVAL;
  if (breakit > 0 && !DEBUGGING)
    return -EPERM;
  acquiresleep(&lock);
  last = frames_end();
  uint n = 0, need = (last - frames + CHUNK - 1) / CHUNK;
  while (n < need && (counts[n] = kalloc()) != 0)
    n++;
  if (n == need) {
    if (DEBUGGING)
      wound(breakit);
    result = check();
    if (DEBUGGING)
      wound_mend();
  }
  while (n > 0)
    kfree(counts[--n]);
  releasesleep(&lock);
  return result;
}
