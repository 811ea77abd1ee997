// SPDX-License-Identifier: MIT
// Stand-in for mm/huge.c: there are no huge pages. Advice is taken and nothing follows from it;
// MAP_HUGETLB finds no memory.

#include "../defs.h"
#include "mm.h"

int huge_mode = VMHUGE_NEVER;

// Whether a huge page was mapped.
int
huge_fault(struct fault *f)
{
  (void)f;
  return 0;
}

// MADV_COLLAPSE.
int
huge_collapse(struct mm *mm, uint64 start, uint64 end)
{
  (void)mm, (void)start, (void)end;
  return -EINVAL;
}
