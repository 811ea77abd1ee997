// SPDX-License-Identifier: MIT
// Anonymous memory: pages that come from no file and start as zeros (heap, bss, stack).
//
// A page has no frame until it is touched. A read maps the one frame of zeros, read-only; a write
// then is a copy-on-write like any other. A first write gets a zeroed frame at once.
//
// Lock: mm->lock.
//
// 1. The zero frame is never mapped writable, and nobody counts its mappings.

#include "../proc.h"

// Whether the page behind is wanted, too, and empty, in the same range and table. f is for it then.
static inline int
next_too(struct fault *f)
{
  uint64 va = f->va + PGSIZE;
  if (va >= f->end || va >= f->vma->end || PX(0, va) == 0 || f->pte[1] != 0)
    return 0;
  f->va = va;
  f->pte++;
  return 1;
}

// The first touch of a page: zeros.
enum outcome
anon_fault(struct fault *f)
{
  if (f->access != ACCESS_WRITE) {
    vm_count(zero_page, 1);
    return fault_map(f, zero_page);
  }
  uint64 n = 0;
  enum outcome result;
  do {
    struct page *pg = page_alloc(PG_ANON);
    if (pg)
      page_zero(page_va(pg));
    result = pg ? fault_map(f, pg) : FAULT_NOMEM;
    n += result == FAULT_DONE;
  } while (result == FAULT_DONE && next_too(f));
  vm_count(faults, n - (result == FAULT_DONE)); // settle has counted one
  vm_count(frames_zeroed, n);
  vm_count(zero_fill, n);
  return result;
}

const struct vma_ops anon_ops = { .kind = VMA_ANON, .fault = anon_fault, .fork = cow_fork };
