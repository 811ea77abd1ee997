// SPDX-License-Identifier: MIT
// The two pages that the kernel shows every program: the time, one frame for all, and the pid, a
// frame for each address space that looks. Neither costs anything until it is read.
//
// Lock: mm->lock for a program's side; the time is one aligned store.
//
// 1. A child has none of its parent's: it faults its own in.

#include "../proc.h"
#include "../upage.h"

static struct page *ticks_page;

// Called once, at boot.
void
upage_init(void)
{
  ticks_page = page_alloc(PG_KERNEL);
  page_zero(page_va(ticks_page));
}

// The time goes on.
void
upage_ticks(uint64 ticks)
{
  struct uticks *u = page_va(ticks_page);
  __atomic_store_n(&u->ticks, ticks, __ATOMIC_RELAXED);
}

static enum outcome
upage_fault(struct fault *f)
{
  struct page *pg = ticks_page;
  if (f->va == UTICKS) {
    page_get(pg);
  } else {
    if ((pg = page_alloc(PG_KERNEL)) == 0)
      return FAULT_NOMEM;
    page_zero(page_va(pg));
    ((struct upid *)page_va(pg))->pid = myproc()->leader->pid;
  }
  vm_count(shm, 1);
  return fault_map(f, pg);
}

const struct vma_ops upage_ops = { .kind = VMA_KERNEL, .fault = upage_fault };
