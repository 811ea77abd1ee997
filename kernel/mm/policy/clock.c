// SPDX-License-Identifier: MIT
// Clock, or second chance: first in, first out, but who was used since the hand last came by is
// spared until it comes again. The head of the queue is where the hand is.

#include "queue.h"

// Two rounds at the most: what others use all the time must not keep the hand turning for ever.
static struct page *
victim(void)
{
  struct page *pg = queue_oldest();
  for (uint looks = 2 * queue.n; looks > 0 && pg && queue_used(pg); looks--) {
    queue_renew(pg);
    pg = queue_oldest();
  }
  return pg;
}

const struct policy clock = { .victim = victim };
