// SPDX-License-Identifier: MIT
// Reclaim: frames for who found none.
//
// Interface: reclaim; reclaim_evict and reclaim_range for programs that ask for it; reclaim_policy,
// reclaim_info; reclaiming for kalloc.c.
//
//   1. pages of the cache that nobody has          bio.c drops them; they can be read again
//   2. clean pages of files, mapped, not used      a clock over all address spaces unmaps them, and
//      since it last came by                       then they are of the first kind
//   3. anonymous frames, while swap is on          the policy chooses, swap.c writes them
//   4. clean pages of files that are in use        as 2
//   5. dirty pages of files                        their thread writes them, we wait a little
//
// What is left then is locked, pinned, or the kernel's, and oom.c ends somebody.
//
// Nobody has more than a wish: who reclaims waits for no address space. One that is locked is passed
// over, and a page that cannot be evicted now goes to the queue's tail.
//
// Locks: "reclaim", for one at a time. It comes behind the caller's mm->lock (reclaim_range); those
// of others are only tried.
//
// 1. Reclaim opens no operation of the file system and allocates nothing but page tables, when a huge
//    page is to be cut; for these it may have the last frames.

#include "../proc.h"
#include "rmap.h"

#define PATIENCE 20 // times that the disk is waited for

// So many frames of files stay mapped: programs that have no text left get nowhere.
#define FLOOR (nframes / 64)

static struct sleeplock lock = SLEEPLOCK("reclaim");
static uint64 freed; // frames, by all callers

static const struct policy *const policies[NVMPOLICY] = {
  [VMPOLICY_FIFO] = &fifo,
  [VMPOLICY_CLOCK] = &clock,
  [VMPOLICY_AGING] = &aging,
  [VMPOLICY_WSCLOCK] = &wsclock,
};

// Whether the running process is at it.
int
reclaiming(void)
{
  return holdingsleep(&lock);
}

// ---- pages of files ----

// Unmap clean pages of files in [*va, end) of mm, which is locked, up to n of them; those that were
// used since the last look only when `all`. How many; *va is where it stopped.
static int
unmap_clean(struct mm *mm, uint64 *va, uint64 end, int n, int all)
{
  struct leaves it = { .pagetable = mm->pagetable, .va = *va, .end = end };
  int got = 0, spared = 0;
  while (got < n && uvmnext(&it)) {
    struct page *pg = pa_page(PTE2PA(*it.pte));
    if (!pte_mapped(*it.pte) || pg->kind != PG_CACHE || pg->flags & (PF_WRITABLE | PF_DIRTY))
      continue;
    if (*it.pte & PTE_A && !all) {
      __atomic_fetch_and(it.pte, ~PTE_A, __ATOMIC_RELAXED);
      spared = 1;
      continue;
    }
    page_clear(pg, PF_REFERENCED); // it has had its second chance
    uvmunmap(mm, it.va, it.va + PGSIZE);
    it.pte = 0; // its table may be gone
    got++;
  }
  if (spared)
    tlb_flush_range(mm, *va, end); // 4.3.1: else the hardware may not set A again
  *va = got < n ? end : it.va;
  vm_count(reclaimed, got);
  return got;
}

// The clock in one address space.
static int
sweep_mm(struct mm *mm, int n)
{
  int got = 0;
  struct vma *v = vma_next(mm, mm->hand);
  for (; v && got < n; v = vma_next(mm, mm->hand)) {
    if (mm->hand < v->start)
      mm->hand = v->start;
    if (v->ops == &file_ops)
      got += unmap_clean(mm, &mm->hand, v->end, n - got, 0);
    else
      mm->hand = v->end;
  }
  if (v == 0)
    mm->hand = 0;
  return got;
}

// Once around all address spaces, or until n pages are unmapped: how many. Holds lock.
static int
sweep(int n)
{
  static uint64 hand; // the last one that was looked at
  uint64 start = hand;
  struct mm *mm;
  int got = 0, wrapped = 0;
  while (got < n && cache_frames > FLOOR && !(wrapped && hand >= start)) {
    if ((mm = mm_after(&hand)) == 0) {
      if (wrapped++)
        break;
      hand = 0;
      continue;
    }
    if (try_acquiresleep(&mm->lock)) {
      got += sweep_mm(mm, n - got);
      releasesleep(&mm->lock);
    }
    mm_put(mm);
  }
  return got;
}

// ---- anonymous frames ----

// Evict m->pg: 1, or 0 when that cannot be now. Holds lock.
static int
evict_page(struct mappers *m)
{
  rmap_lock(m);
  int all = m->n > 0 && rmap_cut(m) == 0 && __atomic_load_n(&m->pg->ref, __ATOMIC_ACQUIRE) == m->n;
  int waiting = all ? swap_out(m) : 0;
  if (waiting > 0)
    queue_forget(m->pg); // before anybody can map it again
  rmap_unlock(m);
  if (waiting == DISK_RUN)
    swap_write();
  vm_count(reclaimed, waiting > 0);
  return waiting > 0;
}

// Evict up to n frames that the policy chooses: how many. Holds lock.
static int
evict(int n)
{
  struct mappers m;
  int got = 0;
  for (uint failed = 0; got < n && failed <= queue.n && swap_room() && queue_victim(&m);) {
    int done = evict_page(&m);
    queue_settle(&m, done);
    failed = done ? 0 : failed + 1;
    got += done;
  }
  swap_write();
  return got;
}

// ---- what others ask for ----

static int
make_free(int n)
{
  int got = cache_shrink(n);
  if (got < n && sweep(n - got) > 0)
    got += cache_shrink(n - got);
  if (got < n)
    got += evict(n - got);
  if (got == 0 && sweep(n) > 0)
    got = cache_shrink(n);
  return got;
}

// See to it that about n frames can be had: how many became free, by somebody else perhaps. The caller
// holds nothing. Sleeps.
int
reclaim(int n)
{
  int got, tries = 0;
  do {
    uint64 before = __atomic_load_n(&freed, __ATOMIC_RELAXED);
    acquiresleep(&lock);
    got = 1; // somebody has made some free while we waited
    if (freed == before)
      __atomic_store_n(&freed, freed + (got = make_free(n)), __ATOMIC_RELAXED);
    releasesleep(&lock);
  } while (got == 0 && tries++ < PATIENCE && !killed(myproc()) && file_urge());
  return got;
}

// Evict up to n anonymous frames by the policy: how many. Sleeps.
int
reclaim_evict(int n)
{
  acquiresleep(&lock);
  int got = evict(n);
  releasesleep(&lock);
  return got;
}

// Evict what can be of [start, end): 0. Holds mm->lock. Sleeps.
int
reclaim_range(struct mm *mm, uint64 start, uint64 end)
{
  struct leaves it = { .pagetable = mm->pagetable, .va = start, .end = end };
  struct mappers m;
  acquiresleep(&lock);
  while (start < end)
    unmap_clean(mm, &start, end, PTES, 1);
  while (swap_room() && uvmnext(&it)) {
    if (!pte_mapped(*it.pte) || pa_page(PTE2PA(*it.pte))->kind != PG_ANON)
      continue;
    if (it.level == 0) {
      rmap_note(&m, pa_page(PTE2PA(*it.pte)));
      m.held = mm;
      evict_page(&m);
    } else if (uvmsplit(mm, it.va | PGSIZE) == 0) {
      it.pte = 0; // once more, page by page
    }
  }
  swap_write();
  releasesleep(&lock);
  return 0;
}

// Evict by this policy, VMPOLICY_*, from now on: 0. Sleeps.
int
reclaim_policy(int policy)
{
  acquiresleep(&lock);
  queue_policy(policies[policy]);
  releasesleep(&lock);
  return 0;
}

// The fields of *vs that are about reclaim and swap.
void
reclaim_info(struct vmstat *vs)
{
  swap_info(vs);
  while (policies[vs->policy] != queue.policy)
    vs->policy++;
}
