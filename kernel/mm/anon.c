// SPDX-License-Identifier: MIT
// Anonymous memory: pages that come from no file and start as zeros (heap, bss, stack).
//
// A page has no frame until it is touched. A read maps the one frame of zeros, read-only; a write
// then is a copy-on-write like any other. A first write gets a zeroed frame at once.
//
// Lock: mm->lock.
//
// 1. The zero frame is never mapped writable, and nobody counts its mappings.

#include "../defs.h"
#include "mm.h"

// The first touch of a page: zeros.
enum outcome
anon_fault(struct fault *f)
{
  if (f->access != ACCESS_WRITE)
    return fault_map(f, zero_page);
  struct page *pg = page_alloc(PG_ANON);
  if (pg == 0)
    return FAULT_NOMEM;
  page_zero(page_va(pg));
  return fault_map(f, pg);
}

const struct vma_ops anon_ops = { .name = "anon", .fault = anon_fault, .fork = cow_fork };

// Give every page of [start, end) in v, which has none yet, a writable frame. -ENOMEM: some have one.
// Does not sleep.
int
anon_populate(struct mm *mm, struct vma *v, uint64 start, uint64 end)
{
  struct fault f = { .mm = mm, .vma = v, .access = ACCESS_WRITE };
  for (f.va = start; f.va < end; f.va += PGSIZE)
    if (anon_fault(&f) != FAULT_DONE)
      return -ENOMEM;
  return 0;
}
