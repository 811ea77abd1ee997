// SPDX-License-Identifier: MIT
// Stacks: anonymous memory that starts with one page and grows down when it is touched below.
//
//   STACKBASE                                   v->start        STACKTOP
//   | a touch here extends v down to it         | v             |
//   below STACKBASE: a gap that nobody maps, so that an endless recursion dies there
//
// Lock: mm->lock.
//
// 1. No vma of a stack starts below STACKBASE or ends above STACKTOP. At first it is one that ends
//    there; munmap and mprotect cut it like any other, and the lowest part grows.

#include "../proc.h"

// Make va part of the stack. -EFAULT: it lies outside what the stack may become, or there is no stack.
int
stack_extend(struct mm *mm, uint64 va)
{
  struct vma *v = vma_next(mm, va);
  if (v == 0 || v->ops != &stack_ops || va < STACKBASE || va >= v->start)
    return -EFAULT;
  va = PGROUNDDOWN(va);
  mm->mapped += v->start - va;
  v->start = va;
  return 0;
}

// A fault outside all vmas: perhaps the stack wants to grow.
enum outcome
stack_grow(struct fault *f)
{
  if (stack_extend(f->mm, f->va) < 0)
    return FAULT_BAD;
  vm_count(stack, 1);
  return FAULT_RETRY;
}

const struct vma_ops stack_ops = { .kind = VMA_STACK, .fault = anon_fault, .fork = cow_fork };
