// SPDX-License-Identifier: MIT
#include "../bio.h"
#include "../defs.h"
#include "mm.h"
int
reclaim(int n)
{
  return cache_shrink(n);
}
int
reclaim_evict(int n)
{
  (void)n;
  return 0;
}
int
reclaim_range(struct mm *mm, uint64 start, uint64 end)
{
  (void)mm, (void)start, (void)end;
  return 0;
}
int
reclaim_policy(int policy)
{
  (void)policy;
  return 0;
}
void
reclaim_info(struct vmstat *vs)
{
  (void)vs;
}
