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

// The first touch of a page: zeros.
enum outcome
anon_fault(struct fault *f)
{
  if (f->access != ACCESS_WRITE) {
    vm_count(zero_page, 1);
    return fault_map(f, zero_page);
  }
  struct page *pg = page_alloc(PG_ANON);
  if (pg == 0)
    return FAULT_NOMEM;
  page_zero(page_va(pg));
  vm_count(frames_zeroed, 1);
  vm_count(zero_fill, 1);
  return fault_map(f, pg);
}

const struct vma_ops anon_ops = { .kind = VMA_ANON, .fault = anon_fault, .fork = cow_fork };
