// SPDX-License-Identifier: MIT
// Families: all address spaces that come by fork from one exec. See rmap.c.
#pragma once

#include "mm.h"

struct family {
  int refs; // members, and frames born here; atomic
  struct spinlock lock;
  struct list members; // mm->kin; under the lock
};

// A family as a struct page keeps it: its distance from the start of RAM in words of 8 bytes fits
// in 32 bits, for families are in frames. 0: none.
static inline uint
family_id(const struct family *f)
{
  return ((uint64)f - KVA(RAMBASE)) / 8;
}

static inline struct family *
family_of(const struct page *pg)
{
  return (struct family *)(KVA(RAMBASE) + (uint64)pg->family * 8);
}
