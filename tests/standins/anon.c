// SPDX-License-Identifier: MIT
// Stand-in for mm/anon.c: no shared frame of zeros. Every first touch, a read too, costs a frame.

#include "../defs.h"
#include "../proc.h"
#include "mm.h"

// The first touch of a page: a frame of zeros of its own.
enum outcome
anon_fault(struct fault *f)
{
  struct page *pg = page_alloc(PG_ANON);
  if (pg == 0)
    return FAULT_NOMEM;
  page_zero(page_va(pg));
  vm_count(frames_zeroed, 1);
  vm_count(zero_fill, 1);
  return fault_map(f, pg);
}

const struct vma_ops anon_ops = { .kind = VMA_ANON, .fault = anon_fault, .fork = cow_fork };
