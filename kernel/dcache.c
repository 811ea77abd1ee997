// SPDX-License-Identifier: MIT
// The cache of names: what was found in directories last, so that a path is walked without looking at
// the directories, and a large one is not searched each time.
//
// Interface: dcache_find between dcache_begin and dcache_same, which are in file.h; dcache_put,
// dcache_drop.
//
//   set, by directory and name --> | found last | the one before | ... |
//
// An entry says which inode a name in a directory leads to, and where the directory has it. It is
// true: whoever changes a directory tells. It is not complete, has no names that do not exist, and
// holds no references: an inode it tells of may not be in memory.
//
// Locks: lock, for who changes something, and has the directory locked. Who looks takes none: dcache_seq is
// odd during a change and different after it. So what was found, be it a whole path, was true at one
// moment if seq was even before and is the same afterwards; else it means nothing.
//
// 1. There is an entry only for a name that is in a directory that has a name itself. "." and ".." have
//    none, since nobody would tell when they go.

#include "file.h"

#define SETBITS 12
#define WAYS    4

static struct name {
  union entry e; // with inum 0: none
  uint dir;      // the directory's inum
  uint off;      // where it has e
} sets[1 << SETBITS][WAYS];

static struct spinlock lock = SPINLOCK("dcache");
uint dcache_seq; // changed under lock

static struct name *
set_of(uint dir, const union entry *key)
{
  uint64 h = ((key->w[0] & NAMEBITS) ^ key->w[1] * 31 ^ dir) * 0x9e3779b97f4a7c15;
  return sets[h >> (64 - SETBITS)];
}

// Of set n, which is key's, the entry for it; 0: there is none.
static struct name *
find(struct name *n, uint dir, const union entry *key)
{
  for (struct name *end = n + WAYS; n < end; n++)
    if (n->dir == dir && entry_matches(&n->e, key))
      return n;
  return 0;
}

// What key's name in directory dir leads to, and where it is: 1, or 0: not known. Does not sleep.
int
dcache_find(uint dir, const union entry *key, uint *inum, uint *off)
{
  const struct name *n = find(set_of(dir, key), dir, key);
  if (n == 0)
    return 0;
  *inum = n->e.d.inum;
  *off = n->off;
  return 1;
}

static void
change(void)
{
  acquire(&lock);
  __atomic_store_n(&dcache_seq, dcache_seq + 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void
changed(void)
{
  __atomic_store_n(&dcache_seq, dcache_seq + 1, __ATOMIC_RELEASE);
  release(&lock);
}

// Directory dir, which the caller has locked, has entry e at off. Does not sleep.
void
dcache_put(uint dir, const union entry *e, uint off)
{
  struct name *set = set_of(dir, e);
  if (is_dots(e))
    return;
  change();
  struct name *n = find(set, dir, e);
  if (n == 0) {
    memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
    n = set;
  }
  *n = (struct name){ *e, dir, off };
  changed();
}

// Directory dir, which the caller has locked, does not have key's name any more. Does not sleep.
void
dcache_drop(uint dir, const union entry *key)
{
  change();
  struct name *n = find(set_of(dir, key), dir, key);
  if (n)
    n->e.d.inum = 0;
  changed();
}
