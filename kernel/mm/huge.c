// SPDX-License-Identifier: MIT
#include "../defs.h"
#include "mm.h"
int huge_mode = VMHUGE_MADVISE;
int
huge_fault(struct fault *f)
{
  (void)f;
  return 0;
}
int
huge_collapse(struct mm *mm, uint64 start, uint64 end)
{
  (void)mm, (void)start, (void)end;
  return -EINVAL;
}
