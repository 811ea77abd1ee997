// SPDX-License-Identifier: MIT
// Address spaces and the ranges in them.
//
// Interface: mm_new, mm_fork, mm_leave; mm_get, mm_put for harts; vma_find, vma_next, vma_add;
// mm_cover; mm_sbrk.
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
// Lock: mm->lock, held by the caller of vma_* and mm_cover unless nobody else knows the mm yet;
// mm_fork, mm_leave and mm_sbrk take it themselves; mm_get and mm_put need none.
//
// 1. vmas do not overlap, are not empty, are page-aligned and end at USERTOP at the latest.
// 2. A vma's prio is not less than its children's.
// 3. Nothing is mapped outside a vma.

#include "../defs.h"
#include "../proc.h"
#include "../riscv/hart.h"
#include "mm.h"
#include "slab.h"

static struct slab mms = SLAB(mms, mm);
static struct slab vmas = SLAB(vmas, vma);

// ---- the tree ----

static uint
prio_of(uint64 start)
{
  return (start >> PGSHIFT) * 2654435761u;
}

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
tree_insert(struct vma **at, struct vma *v)
{
  while (*at && (*at)->prio >= v->prio)
    at = v->start < (*at)->start ? &(*at)->left : &(*at)->right;
  cut(*at, v->start, &v->left, &v->right);
  *at = v;
}

static void
tree_remove(struct vma **at, struct vma *v)
{
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

// The vma around va; 0: none.
struct vma *
vma_find(struct mm *mm, uint64 va)
{
  struct vma *v = vma_next(mm, va);
  return v && v->start <= va ? v : 0;
}

// Add a range, which must be free; the caller fills in a file when there is one. 0: no memory.
struct vma *
vma_add(struct mm *mm, uint64 start, uint64 end, int prot, const struct vma_ops *ops)
{
  struct vma *v = slab_alloc(&vmas);
  if (v == 0)
    return 0;
  assert(start < end && end <= USERTOP && (start | end) % PGSIZE == 0);
  assert(vma_next(mm, start) == 0 || vma_next(mm, start)->start >= end);
  v->start = start;
  v->end = end;
  v->prot = prot;
  v->ops = ops;
  v->prio = prio_of(start);
  tree_insert(&mm->tree, v);
  mm->mapped += end - start;
  return v;
}

static void
vma_free(struct vma *v)
{
  if (v->ops->close)
    v->ops->close(v);
  slab_free(&vmas, v);
}

static void
vma_remove(struct mm *mm, struct vma *v)
{
  uvmunmap(mm, v->start, v->end);
  tree_remove(&mm->tree, v);
  mm->mapped -= v->end - v->start;
  vma_free(v);
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
  struct vma *v = slab_alloc(&vmas);
  if (v == 0)
    return -ENOMEM;
  *v = *t;
  v->left = v->right = 0;
  *made = v;
  if (v->ops->open)
    v->ops->open(v);
  if (tree_fork(from, to, t->left, &v->left) < 0 || v->ops->fork(from, to, t) < 0)
    return -ENOMEM;
  return tree_fork(from, to, t->right, &v->right);
}

// ---- address spaces ----

// An empty address space with one user and one reference; 0: no memory.
struct mm *
mm_new(void)
{
  struct mm *mm = slab_alloc(&mms);
  if (mm == 0)
    return 0;
  mm->users = mm->refs = 1;
  initsleeplock(&mm->lock, "mm");
  mm->pagetable = uvmcreate();
  if (mm->pagetable)
    return mm;
  slab_free(&mms, mm);
  return 0;
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
  page_put(va_page(mm->pagetable));
  slab_free(&mms, mm);
}

// A user is through with mm. The last one takes the memory down. May sleep.
void
mm_leave(struct mm *mm)
{
  if (__atomic_sub_fetch(&mm->users, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  acquiresleep(&mm->lock);
  uvmunmap(mm, 0, USERTOP);
  releasesleep(&mm->lock);
  tree_free(mm->tree); // nobody else knows mm any more; this may free files
  mm_put(mm);
}

// A copy of mm for a child, sharing frames until they are written. 0: no memory. May sleep.
struct mm *
mm_fork(struct mm *mm)
{
  struct mm *child = mm_new();
  if (child == 0)
    return 0;
  acquiresleep(&mm->lock);
  int failed = tree_fork(mm, child, mm->tree, &child->tree);
  child->heap = mm->heap;
  child->brk = mm->brk;
  child->mapped = mm->mapped;
  tlb_flush_all(mm); // private pages became read-only
  releasesleep(&mm->lock);
  if (failed == 0)
    return child;
  mm_leave(child);
  return 0;
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
heap_grow(struct mm *mm, uint64 end)
{
  struct vma *heap = vma_find(mm, mm->heap), *next = vma_next(mm, heap ? heap->end : mm->heap);
  if (end > (next ? next->start : STACKBASE) || end > STACKBASE)
    return -ENOMEM;
  if (heap == 0)
    return vma_add(mm, mm->heap, end, PROT_READ | PROT_WRITE, &anon_ops) ? 0 : -ENOMEM;
  mm->mapped += end - heap->end;
  heap->end = end;
  return 0;
}

static void
heap_shrink(struct mm *mm, uint64 end)
{
  struct vma *heap = vma_find(mm, mm->heap);
  if (end == heap->start) {
    vma_remove(mm, heap);
    return;
  }
  uvmunmap(mm, end, heap->end);
  mm->mapped -= heap->end - end;
  heap->end = end;
}

// Move the end of the heap by n bytes: where it was, or -ENOMEM, or -EINVAL for an end before its
// start. Not lazy: the new pages have their frames when this returns. May sleep.
int64
mm_sbrk(struct mm *mm, int64 n, int lazy)
{
  acquiresleep(&mm->lock);
  int64 old = mm->brk, result = old;
  uint64 oldend = PGROUNDUP(mm->brk), newend = PGROUNDUP(mm->brk + n);
  if (n < 0 && (uint64)-n > mm->brk - mm->heap) {
    result = -EINVAL;
  } else if (newend > oldend) {
    if (heap_grow(mm, newend) < 0)
      result = -ENOMEM;
    else if (!lazy && anon_populate(mm, vma_find(mm, mm->heap), oldend, newend) < 0) {
      heap_shrink(mm, oldend);
      result = -ENOMEM;
    }
  } else if (newend < oldend) {
    heap_shrink(mm, newend);
  }
  if (result >= 0)
    mm->brk += n;
  releasesleep(&mm->lock);
  return result;
}
