// SPDX-License-Identifier: MIT
// Families: all address spaces that come by fork from one exec. See rmap.c.
#pragma once

#include "../memlayout.h"
#include "policy/queue.h"

struct family {
  int refs; // address spaces, frames in the queue, and who looks; atomic
  struct spinlock lock;
  struct list members; // mm->kin; under the lock
};

#define MAPPERS 32

// An anonymous frame and the address spaces that map it, locked and with a reference each.
struct mappers {
  struct page *pg;
  struct family *family; // a reference
  uint64 va;
  struct mm *held; // one that the caller has locked, or 0
  int n;
  struct mm *mm[MAPPERS];
};

struct family *family_get(struct family *);
void family_put(struct family *);
void rmap_note(struct mappers *, struct page *);
void rmap_lock(struct mappers *);
void rmap_unlock(struct mappers *);
int rmap_used(struct mappers *);
int rmap_cut(struct mappers *);
void rmap_share(struct page *, struct mm *, uint64 va, pte_t entry);

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

// An anonymous frame, new or back from swap, has been mapped at va in mm, whose lock is held.
static inline void
rmap_born(struct page *pg, struct mm *mm, uint64 va)
{
  pg->family = family_id(mm->family);
  pg->vpn = va >> PGSHIFT;
  queue_admit(pg);
}
