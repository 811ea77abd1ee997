// SPDX-License-Identifier: MIT
// Address spaces and the ranges in them.
//
// Interface: mm_new, mm_publish, mm_fork, mm_join, mm_leave; mm_get, mm_put for harts; mm_after for
// who wants to see them all; mm_totals; vma_find,
// vma_next, vma_add, vma_isolate, vma_clear; mm_unlock; mm_cover; sys_sbrk.
//
// The vmas of an mm are a treap: a search tree by address that is also a heap by a number made from
// the start address, which keeps it flat whatever the order of insertions. Looking one up costs
// about log n steps.
//
//            heap  (prio 9)
//           /              .
//      data (7)          stack (5)          left: lower addresses, right: higher ones
//      /      .
//   text (2)  bss (4)
//
// Locks: mm->lock, held by the caller of vma_* and mm_cover unless nobody else knows the mm yet
// (a range of a file makes it known: rmap_file);
// mm_fork, mm_leave and sys_sbrk take it themselves; mm_get and mm_put need none. "mms" guards the
// list of all address spaces and the counts of those that are gone.
//
// 1. vmas do not overlap, are not empty, are page-aligned and end at USERTOP at the latest.
// 2. A vma's prio is not less than its children's.
// 3. Nothing is mapped outside a vma, and no huge page lies across the edge of one.
// 4. Closing a vma may wait for the disk, so one that is taken out while mm->lock is held waits on
//    mm->dead until mm_unlock.

#include "../proc.h"
#include "../vm.h"
#include "slab.h"

static struct slab mms = SLAB(mms, mm);
static struct slab vmas = SLAB(vmas, vma);

static struct spinlock lock = SPINLOCK("mms"); // this group:
static struct list all = LIST_INIT(all);       //   address spaces with users, oldest first
static uint64 nmms, births;                    //   how many, and how many ever

struct vmcounts vm_total; // of kernel threads, and of address spaces that are gone; atomic

// ---- the tree ----

// Cut tree t at va: *below gets what starts before va, *above the rest.
static void
cut(struct vma *t, uint64 va, struct vma **below, struct vma **above)
{
  if (t == 0) {
    *below = *above = 0;
  } else if (t->start < va) {
    *below = t;
    cut(t->right, va, &t->right, above);
  } else {
    *above = t;
    cut(t->left, va, below, &t->left);
  }
}

static struct vma *
join(struct vma *low, struct vma *high)
{
  if (low == 0 || high == 0)
    return low ? low : high;
  if (low->prio > high->prio) {
    low->right = join(low->right, high);
    return low;
  }
  high->left = join(low, high->left);
  return high;
}

static void
tree_remove(struct mm *mm, struct vma *v)
{
  struct vma **at = &mm->tree;
  mm->found = 0;
  while (*at != v)
    at = v->start < (*at)->start ? &(*at)->left : &(*at)->right;
  *at = join(v->left, v->right);
}

// The first vma that ends behind va; 0: none.
struct vma *
vma_next(struct mm *mm, uint64 va)
{
  struct vma *best = 0;
  for (struct vma *v = mm->tree; v != 0;) {
    if (v->end > va) {
      best = v;
      v = v->left;
    } else {
      v = v->right;
    }
  }
  return best;
}

// The vma around va, found from now on without a search; 0: none. For vma_find.
struct vma *
vma_search(struct mm *mm, uint64 va)
{
  struct vma *v = vma_next(mm, va);
  if (v == 0 || va < v->start)
    return 0;
  mm->found = v;
  return v;
}

// A range that is not in mm yet; the caller fills in the rest. 0: no memory, or too many ranges.
struct vma *
vma_new(struct mm *mm, uint64 start, uint64 end, int prot, const struct vma_ops *ops)
{
  struct vma *v = mm->nvmas < MAXVMAS ? slab_take(&vmas) : 0;
  assert(start < end && end <= USERTOP && (start | end) % PGSIZE == 0);
  if (v)
    *v = (struct vma){ .start = start, .end = end, .prot = prot, .ops = ops, .mm = mm };
  return v;
}

// Forget a range that never was anything.
void
vma_drop(struct vma *v)
{
  slab_free(&vmas, v);
}

// Put a range where none is.
void
vma_insert(struct mm *mm, struct vma *v)
{
  struct vma **at = &mm->tree;
  assert(vma_next(mm, v->start) == 0 || vma_next(mm, v->start)->start >= v->end);
  v->prio = (v->start >> PGSHIFT) * 2654435761u;
  while (*at && (*at)->prio >= v->prio)
    at = v->start < (*at)->start ? &(*at)->left : &(*at)->right;
  cut(*at, v->start, &v->left, &v->right);
  mm->found = *at = v;
  mm->mapped += v->end - v->start;
  mm->nvmas++;
}

// Add a range that needs nothing filled in. 0: no memory, or too many ranges.
struct vma *
vma_add(struct mm *mm, uint64 start, uint64 end, int prot, const struct vma_ops *ops)
{
  struct vma *v = vma_new(mm, start, end, prot, ops);
  if (v)
    vma_insert(mm, v);
  return v;
}

static void
vma_free(struct vma *v)
{
  if (v->ops->close)
    v->ops->close(v);
  slab_free(&vmas, v);
}

// Cut v in two at va, which lies inside. -ENOMEM: nothing changed.
static int
vma_split(struct vma *v, uint64 va)
{
  struct vma *w = v->mm->nvmas < MAXVMAS ? slab_take(&vmas) : 0;
  if (w == 0)
    return -ENOMEM;
  *w = *v;
  w->start = va;
  w->off += va - v->start;
  v->mm->mapped -= v->end - va;
  v->end = va;
  vma_insert(v->mm, w);
  if (w->ops->open)
    w->ops->open(w);
  return 0;
}

// See to it that no range and no huge page lies across va.
static int
split_at(struct mm *mm, uint64 va)
{
  struct vma *v = vma_find(mm, va);
  if (v == 0 || v->start == va)
    return 0;
  int err = uvmsplit(mm, va);
  return err < 0 ? err : vma_split(v, va);
}

// Make one of two anonymous ranges that touch at va and are alike.
static void
merge_at(struct mm *mm, uint64 va)
{
  struct vma *low = vma_find(mm, va - 1), *high = vma_find(mm, va);
  if (low && high && low != high && low->ops == &anon_ops && high->ops == &anon_ops &&
      low->prot == high->prot && low->flags == high->flags) {
    tree_remove(mm, high);
    low->end = high->end;
    mm->nvmas--;
    vma_free(high);
  }
}

// See to it that ranges and huge pages end where [start, end) does: whoever changes its rule changes
// whole ranges. 0 or -ENOMEM; nothing that can be seen has changed either way.
int
vma_isolate(struct mm *mm, uint64 start, uint64 end)
{
  int err = split_at(mm, start);
  if (err == 0 && (err = split_at(mm, end)) < 0)
    merge_at(mm, start);
  return err;
}

// The ranges from start to end have changed: make one of those that are alike.
void
vma_merge(struct mm *mm, uint64 start, uint64 end)
{
  struct vma *v;
  for (uint64 va = start; va <= end; va = v ? v->end : end + 1) {
    merge_at(mm, va);
    v = vma_find(mm, va);
  }
}

// Unmap [start, end) and take the ranges there away, wholly or in part. 0, or -ENOMEM with nothing
// changed, which only cutting a hole into a range or a huge page can give. mm_unlock has to follow.
// Sleeps while other harts answer.
int
vma_clear(struct mm *mm, uint64 start, uint64 end)
{
  struct vma *v = vma_find(mm, start), *w = v && v->end >= end ? v : vma_find(mm, end);
  int low = v && v->start < start, high = w && w->start < end && w->end > end;
  int err = low ? uvmsplit(mm, start) : 0;
  if (err == 0 && high)
    err = uvmsplit(mm, end);
  if (err == 0 && low && high && v == w)
    err = vma_split(v, end);
  if (err < 0)
    return err;
  uvmunmap(mm, start, end);
  for (uint64 va = start; va < end && (v = vma_next(mm, va)) != 0 && v->start < end;) {
    va = v->end;
    if (v->start >= start && v->end <= end) {
      tree_remove(mm, v);
      mm->mapped -= v->end - v->start;
      mm->nvmas--;
      v->left = mm->dead;
      mm->dead = v;
    } else if (v->start < start) {
      mm->mapped -= v->end - start;
      v->end = start;
    } else {
      mm->mapped -= end - v->start;
      v->off += end - v->start;
      v->start = end;
    }
  }
  return 0;
}

// Let go of mm->lock, and then of the ranges that were taken out meanwhile. May sleep.
void
mm_unlock(struct mm *mm)
{
  struct vma *v = mm->dead;
  mm->dead = 0;
  releasesleep(&mm->lock);
  while (v) {
    struct vma *next = v->left;
    vma_free(v);
    v = next;
  }
}

static void
tree_free(struct vma *t)
{
  if (t == 0)
    return;
  tree_free(t->left);
  tree_free(t->right);
  vma_free(t);
}

// Copy tree t to *made, a tree of mm `to`, and share the pages. -ENOMEM: part of it is there.
static int
tree_fork(struct mm *from, struct mm *to, struct vma *t, struct vma **made)
{
  if (t == 0)
    return 0;
  struct vma *v = slab_take(&vmas);
  if (v == 0)
    return -ENOMEM;
  *v = *t;
  v->left = v->right = 0;
  v->mm = to;
  *made = v;
  if (v->ops->open)
    v->ops->open(v);
  int private = !(v->flags & VM_SHARED); // of shared memory the child faults the same frames in
  if (tree_fork(from, to, t->left, &v->left) < 0 ||
      (private && v->ops->fork && v->ops->fork(from, to, t) < 0))
    return -ENOMEM;
  return tree_fork(from, to, t->right, &v->right);
}

// ---- address spaces ----

// An empty address space with one user and one reference, of the parent's family or, with parent 0,
// of a new one; 0: no memory. Nobody finds it until it is published.
struct mm *
mm_new(struct mm *parent)
{
  struct mm *mm = slab_alloc(&mms);
  if (mm == 0)
    return 0;
  mm->users = mm->refs = 1;
  initsleeplock(&mm->lock, "mm");
  mm->pagetable = uvmcreate();
  if (mm->pagetable == 0 || family_join(mm, parent) < 0) {
    if (mm->pagetable)
      uvmfree(mm->pagetable);
    slab_free(&mms, mm);
    return 0;
  }
  mm->hint = MMAPTOP;
  list_init(&mm->all);
  return mm;
}

// mm is complete: from now on whoever looks for memory finds it, and changes it under its lock.
void
mm_publish(struct mm *mm)
{
  acquire(&lock);
  mm->born = ++births;
  list_before(&all, &mm->all);
  nmms++;
  release(&lock);
  family_enter(mm);
}

// The oldest address space that was published after number *born, with a reference, and its own
// number in *born; 0: no more.
struct mm *
mm_after(uint64 *born)
{
  struct mm *found = 0;
  acquire(&lock);
  list_each (l, &all) {
    struct mm *mm = list_entry(l, struct mm, all);
    if (mm->born > *born) {
      mm_get(found = mm);
      *born = mm->born;
      break;
    }
  }
  release(&lock);
  return found;
}

void
mm_get(struct mm *mm)
{
  __atomic_fetch_add(&mm->refs, 1, __ATOMIC_RELAXED);
}

// Drop a reference. The last one frees the root table: no hart has it in satp any more.
void
mm_put(struct mm *mm)
{
  if (__atomic_sub_fetch(&mm->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  uvmfree(mm->pagetable);
  slab_free(&mms, mm);
}

// Add the counts of `from` to those of `to`.
static void
add_counts(struct vmcounts *to, const struct vmcounts *from)
{
  uint64 *sum = (uint64 *)to;
  const uint64 *each = (const uint64 *)from;
  for (uint i = 0; i < sizeof(*to) / sizeof(*sum); i++)
    __atomic_fetch_add(&sum[i], __atomic_load_n(&each[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

// Count what the whole system did, into vs->all.
void
mm_totals(struct vmstat *vs)
{
  acquire(&lock);
  add_counts(&vs->all, &vm_total);
  list_each (l, &all)
    add_counts(&vs->all, &list_entry(l, struct mm, all)->counts);
  vs->mms = nmms;
  release(&lock);
}

// One more user of mm, which has users already or may be losing its last: mm, or 0 in that case.
struct mm *
mm_join(struct mm *mm)
{
  int users = __atomic_load_n(&mm->users, __ATOMIC_RELAXED);
  while (users > 0 && !__atomic_compare_exchange_n(&mm->users, &users, users + 1, 0,
                                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    ;
  return users > 0 ? mm : 0;
}

// A user is through with mm, and counts for it no more. The last one takes the memory down. May
// sleep.
void
mm_leave(struct mm *mm)
{
  if (__atomic_sub_fetch(&mm->users, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  acquiresleep(&mm->lock);
  uvmclear(mm);
  struct vma *tree = mm->tree;
  mm->tree = mm->found = 0; // who came by way of a file finds nothing more
  family_leave(mm);
  releasesleep(&mm->lock);
  tree_free(tree); // this may free files
  acquire(&lock);
  list_del(&mm->all);
  nmms -= mm->born > 0;
  add_counts(&vm_total, &mm->counts);
  release(&lock);
  mm_put(mm);
}

// A copy of mm for a child, sharing frames until they are written. 0: no memory. May sleep.
struct mm *
mm_fork(struct mm *mm)
{
  struct mm *child = mm_new(mm);
  if (child == 0)
    return 0;
  acquiresleep(&mm->lock);
  acquiresleep(&child->lock); // by way of a file it is found before it is published
  int failed = tree_fork(mm, child, mm->tree, &child->tree);
  child->heap = mm->heap;
  child->brk = mm->brk;
  child->mapped = mm->mapped;
  child->nvmas = mm->nvmas;
  child->hint = mm->hint;
  tlb_flush_all(mm); // private pages became read-only
  if (failed == 0)
    mm_publish(child); // before the parent's lock is free: reclaim finds all leaves or none
  else
    uvmclear(child); // before swap may end
  releasesleep(&child->lock);
  releasesleep(&mm->lock);
  if (failed)
    mm_leave(child);
  return failed ? 0 : child;
}

// Whether vmas that allow this access cover [va, end), growing the stack down when that helps:
// 0, else -EFAULT, or -ENOMEM.
int
mm_cover(struct mm *mm, uint64 va, uint64 end, enum access access)
{
  while (va < end) {
    struct vma *v = vma_find(mm, va);
    if (v == 0) {
      int err = stack_extend(mm, va);
      if (err < 0)
        return err;
      v = vma_find(mm, va);
    }
    if (!(v->prot & access))
      return -EFAULT;
    va = v->end;
  }
  return 0;
}

// ---- the heap ----

static int
heap_grow(struct mm *mm, uint64 old, uint64 end)
{
  struct vma *heap = vma_find(mm, old - 1), *next = vma_next(mm, old);
  if (end > STACKBASE || (next && end > next->start))
    return -ENOMEM;
  if (heap == 0 || heap->start < mm->heap || heap->ops != &anon_ops || heap->flags ||
      heap->prot != (PROT_READ | PROT_WRITE))
    return vma_add(mm, old, end, PROT_READ | PROT_WRITE, &anon_ops) ? 0 : -ENOMEM;
  mm->mapped += end - heap->end;
  heap->end = end;
  return 0;
}

// sbrk(n, kind): move the end of the heap by n bytes: where it was, or -ENOMEM, or -EINVAL for an
// end before its start. SBRK_EAGER: the new pages have their frames when this returns. May sleep.
int64
sys_sbrk(void)
{
  struct mm *mm = myproc()->mm;
  int64 n = argint(0), kind = argint(1);
  if (kind != SBRK_EAGER && kind != SBRK_LAZY)
    return -EINVAL;
  acquiresleep(&mm->lock);
  int64 old = mm->brk, err = 0;
  uint64 oldend = PGROUNDUP(mm->brk), newend = PGROUNDUP(mm->brk + n);
  if (n < 0 && (uint64)-n > mm->brk - mm->heap)
    err = -EINVAL;
  else if (newend < oldend)
    err = vma_clear(mm, newend, oldend);
  else if (newend > oldend)
    err = heap_grow(mm, oldend, newend);
  if (err == 0)
    mm->brk += n;
  if (err == 0 && newend > oldend && kind == SBRK_EAGER &&
      mm_populate(mm, oldend, newend, ACCESS_WRITE) < 0) {
    uint64 from = (oldend + HUGESIZE - 1) & ~(HUGESIZE - 1), to = newend & ~(HUGESIZE - 1);
    if (from < to)
      uvmunmap(mm, from, to); // so that there is a frame to cut what may lie across oldend
    if ((int64)mm->brk == old + n &&
        vma_clear(mm, oldend, newend) == 0) { // else another thread goes on
      mm->brk = old;
      err = -ENOMEM;
    }
  }
  mm_unlock(mm);
  return err < 0 ? err : old;
}
