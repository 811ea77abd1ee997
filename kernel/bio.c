// SPDX-License-Identifier: MIT
// The cache of disk blocks, which is the page cache: every cached block is one frame, and memory
// that nobody else wants is cache.
//
// Interface: bread, bnew, brelse for metadata; page_cache_find, cache_lock, cache_fill,
// page_ready for whoever fills pages of files; cache_remove; cache_shrink.
//
// A block is found by (inum, index): page `index` of file `inum`; or, with inum 0, block `index` of
// the disk, for metadata (superblock, inodes, bitmap, indirect blocks). So a block of a file is
// never cached as a block of the disk, and its cached copy is what read, exec and a mapping all
// see.
//
//   bucket --> page --> page --> 0          hnext; consecutive pages are in consecutive buckets
//
// A page, by its flags:
//   edge                      who
//   -> CACHED|LOCKED          cache_add: its contents are not there yet
//   -> VALID                  page_ready, after whoever locked it has filled it
//   LOCKED on, off            page_lock, page_unlock; WAITERS tells the unlocker to wake
//   LOGGED on, off            log.c: it is in the running transaction, which holds a reference
//   CACHED off                cache_shrink (nobody has it) or cache_remove (its block is freed)
//
// Who may change the bytes: of metadata, whoever has it LOCKED; of a file's page, whoever has the
// inode locked. Valid pages of files are read without the page lock.
//
// Locks: a spinlock for every NLOCKS-th bucket, for the chains. A leaf: nothing else is taken while
// one is held, except that sleepers for a page go to sleep under the lock of its bucket.
//
// 1. A page with CACHED is in exactly one chain, and the cache has one reference of its ref.
// 2. Only the cache itself has a page with ref 1 under its bucket's lock, and nobody can get it:
//    such a page may be dropped. A page that is locked, logged, mapped or pinned has more
//    references.
// 3. inum and index do not change while ref > 0.

#include "bio.h"
#include "defs.h"
#include "fs.h"
#include "spinlock.h"

#define NLOCKS 64

static struct page **buckets;
static uint nbuckets; // a power of two, at least NLOCKS; 0: too early for a cache
static struct spinlock locks[NLOCKS];
static uint64 ncached;
static uint hand; // the bucket where cache_shrink goes on

// Called by kinit: use the memory at `at` for the buckets of a machine with nframes frames. Returns
// the bytes taken.
uint64
bio_tables(void *at, uint64 nframes)
{
  for (nbuckets = NLOCKS; nbuckets < nframes / 4; nbuckets *= 2)
    ;
  for (int i = 0; i < NLOCKS; i++)
    initlock(&locks[i], "bio");
  buckets = at;
  memset(buckets, 0, nbuckets * sizeof(*buckets));
  return nbuckets * sizeof(*buckets);
}

uint64
cache_frames(void)
{
  return ncached;
}

static uint
hash(uint inum, uint index)
{
  return (inum * 0x9e3779b1u + index) & (nbuckets - 1);
}

static struct spinlock *
lock_of(uint bucket)
{
  return &locks[bucket % NLOCKS];
}

void
page_set(struct page *pg, uint flags)
{
  __atomic_fetch_or(&pg->flags, flags, __ATOMIC_RELEASE);
}

void
page_clear(struct page *pg, uint flags)
{
  __atomic_fetch_and(&pg->flags, ~flags, __ATOMIC_RELEASE);
}

static uint
flags_of(struct page *pg)
{
  return __atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE);
}

// ---- the page lock ----

static int
try_lock(struct page *pg)
{
  return (__atomic_fetch_or(&pg->flags, PF_LOCKED, __ATOMIC_ACQUIRE) & PF_LOCKED) == 0;
}

// Have pg alone; sleeps while somebody else does. The caller has a reference and no spinlock.
void
page_lock(struct page *pg)
{
  if (try_lock(pg))
    return;
  struct spinlock *lk = lock_of(hash(pg->inum, pg->index));
  acquire(lk);
  // WAITERS goes in while the lock is seen taken, or not at all: else nobody would wake us.
  while (!try_lock(pg)) {
    uint f = flags_of(pg);
    if ((f & PF_LOCKED) && __atomic_compare_exchange_n(&pg->flags, &f, f | PF_WAITERS, 0,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      sleep(pg, lk);
  }
  release(lk);
}

void
page_unlock(struct page *pg)
{
  uint was = __atomic_fetch_and(&pg->flags, ~(PF_LOCKED | PF_WAITERS), __ATOMIC_RELEASE);
  assert(was & PF_LOCKED);
  if (was & PF_WAITERS) {
    struct spinlock *lk = lock_of(hash(pg->inum, pg->index));
    acquire(lk);
    wakeup(pg);
    release(lk);
  }
}

// Unlock pg and give up the reference.
void
brelse(struct page *pg)
{
  page_unlock(pg);
  page_put(pg);
}

// pg, which the caller has filled and locked, now is what it should be: others may read it.
void
page_ready(struct page *pg)
{
  page_set(pg, PF_VALID);
  page_unlock(pg);
}

// ---- finding ----

// The link that points to the page, or to 0 at the end of its chain. Holds the bucket's lock.
static struct page **
find(uint inum, uint index)
{
  struct page **link = &buckets[hash(inum, index)];
  while (*link && ((*link)->index != index || (*link)->inum != inum))
    link = &(*link)->hnext;
  return link;
}

// The page with a reference, valid or not; 0: not cached.
static struct page *
get(uint inum, uint index)
{
  struct spinlock *lk = lock_of(hash(inum, index));
  acquire(lk);
  struct page *pg = *find(inum, index);
  if (pg)
    page_get(pg);
  release(lk);
  return pg;
}

// A page of a file if it is cached and valid, with a reference; else 0. Does not sleep.
struct page *
page_cache_find(uint inum, uint index)
{
  struct page *pg = get(inum, index);
  if (pg == 0)
    return 0;
  uint f = flags_of(pg);
  if ((f & PF_VALID) == 0) {
    page_put(pg);
    return 0;
  }
  if ((f & PF_REFERENCED) == 0)
    page_set(pg, PF_REFERENCED);
  return pg;
}

// Make a page that is not cached yet: locked, with a reference, its contents undefined. -EEXIST: it
// is cached; -ENOMEM. Does not sleep.
static int
cache_add(uint inum, uint index, struct page **out)
{
  struct page *pg = page_alloc(PG_CACHE);
  if (pg == 0)
    return -ENOMEM;
  pg->inum = inum;
  pg->index = index;
  pg->blockno = 0;
  pg->hnext = 0;
  pg->flags = PF_CACHED | PF_LOCKED;
  pg->ref = 2;
  struct spinlock *lk = lock_of(hash(inum, index));
  acquire(lk);
  struct page **link = find(inum, index);
  int exists = *link != 0;
  if (!exists)
    *link = pg;
  release(lk);
  if (exists) {
    pg->flags = 0;
    pg->ref = 1;
    page_put(pg);
    return -EEXIST;
  }
  __atomic_fetch_add(&ncached, 1, __ATOMIC_RELAXED);
  *out = pg;
  return 0;
}

// The page, made if need be, locked and with a reference: 0 or -ENOMEM. It may not be VALID: then
// the caller fills it. Sleeps; the caller has no spinlock.
int
cache_lock(uint inum, uint index, struct page **out)
{
  for (;;) {
    struct page *pg = get(inum, index);
    if (pg == 0) {
      int err = cache_add(inum, index, out);
      if (err == -EEXIST)
        continue;
      return err;
    }
    page_lock(pg);
    if (flags_of(pg) & PF_CACHED) {
      *out = pg;
      return 0;
    }
    brelse(pg); // its block was freed while we waited
  }
}

// Fill n locked pages, whose blocks follow each other on the disk: all are VALID, or -EIO. They
// stay locked. Sleeps.
static int
cache_read(struct page **pages, int n)
{
  struct diskreq req = { .op = DISK_READ, .blockno = pages[0]->blockno, .n = n };
  for (int i = 0; i < n; i++)
    req.pages[i] = pages[i];
  disk_submit(&req);
  int err = disk_wait(&req);
  for (int i = 0; i < n && err == 0; i++)
    page_set(pages[i], PF_VALID);
  return err;
}

// Read n blocks of the disk from blockno on as pages of inum from index on, in one request. It ends
// before the first one that is cached or for which there is no memory, but *first, with a
// reference, is there when the result is 0; else -EIO or -ENOMEM. Sleeps.
int
cache_fill(uint inum, uint index, uint blockno, uint n, struct page **first)
{
  struct page *run[DISK_RUN];
  int err = cache_lock(inum, index, &run[0]);
  if (err < 0)
    return err;
  uint k = 0;
  if ((flags_of(run[0]) & PF_VALID) == 0) {
    do
      run[k]->blockno = blockno + k;
    while (++k < n && cache_add(inum, index + k, &run[k]) == 0);
    err = cache_read(run, k);
  }
  for (uint i = 1; i < k; i++)
    brelse(run[i]);
  page_unlock(run[0]);
  if (err < 0)
    page_put(run[0]);
  else
    *first = run[0];
  return err;
}

// ---- metadata ----

// Block blockno of the disk, locked: 0, -EIO or -ENOMEM. brelse ends it. Sleeps.
int
bread(uint blockno, struct page **out)
{
  struct page *pg;
  int err = cache_lock(0, blockno, &pg);
  if (err < 0)
    return err;
  if (flags_of(pg) & PF_VALID) {
    page_set(pg, PF_REFERENCED);
  } else {
    pg->blockno = blockno;
    if ((err = cache_read(&pg, 1)) < 0) {
      brelse(pg);
      return err;
    }
  }
  *out = pg;
  return 0;
}

// The same for a block whose old contents do not matter: it is all zero, and nothing is read.
int
bnew(uint blockno, struct page **out)
{
  int err = cache_lock(0, blockno, out);
  if (err < 0)
    return err;
  (*out)->blockno = blockno;
  page_zero(page_va(*out));
  page_set(*out, PF_VALID);
  return 0;
}

// ---- dropping ----

// Take the page at *link out of its chain; its reference goes to the caller. Holds the bucket's
// lock.
static struct page *
unchain(struct page **link)
{
  struct page *pg = *link;
  *link = pg->hnext;
  page_clear(pg, PF_CACHED);
  __atomic_fetch_sub(&ncached, 1, __ATOMIC_RELAXED);
  return pg;
}

// Take the pages of inum with from <= index < to out of bucket b, as a chain.
static struct page *
unchain_range(uint b, uint inum, uint from, uint to)
{
  struct page *out = 0;
  acquire(lock_of(b));
  for (struct page **link = &buckets[b]; *link;) {
    struct page *pg = *link;
    if (pg->inum != inum || pg->index < from || pg->index >= to) {
      link = &pg->hnext;
      continue;
    }
    unchain(link);
    pg->hnext = out;
    out = pg;
  }
  release(lock_of(b));
  return out;
}

// Forget pages from..to-1 of inum, whose blocks are being freed in an operation: they are not found
// any more, and the running transaction does not write them. Who still has a reference keeps a
// frame that means nothing. The caller has the inode locked, or the page when it is metadata.
void
cache_remove(uint inum, uint from, uint to)
{
  uint n = to - from < nbuckets ? to - from : nbuckets; // a longer range meets every bucket
  for (uint i = 0; i < n; i++) {
    uint b = hash(inum, from + i);
    struct page *pg = buckets[b] ? unchain_range(b, inum, from, to) : 0;
    while (pg) {
      struct page *next = pg->hnext;
      log_forget(pg);
      page_put(pg);
      pg = next;
    }
  }
}

// A page of file inum (0: of any) with from <= index < to that mappings may store into, with a
// reference; 0: no more. *i starts with 0 and says how far the search has come. Does not sleep.
struct page *
cache_writable(uint inum, uint from, uint to, uint *i)
{
  uint n = inum && to - from < nbuckets ? to - from : nbuckets;
  for (; *i < n; ++*i) {
    uint b = hash(inum, from + *i);
    if (buckets[b] == 0)
      continue;
    acquire(lock_of(b));
    struct page *pg = buckets[b];
    while (pg && ((flags_of(pg) & PF_WRITABLE) == 0 ||
                  (inum && (pg->inum != inum || pg->index < from || pg->index >= to))))
      pg = pg->hnext;
    if (pg)
      page_get(pg);
    release(lock_of(b));
    if (pg)
      return pg;
  }
  return 0;
}

// The clock's hand is at bucket b: drop what nobody has and nobody used lately.
static int
sweep(uint b)
{
  struct page *victims = 0;
  int n = 0;
  if (buckets[b] == 0 || !try_acquire(lock_of(b)))
    return 0;
  for (struct page **link = &buckets[b]; *link;) {
    struct page *pg = *link;
    int idle = __atomic_load_n(&pg->ref, __ATOMIC_ACQUIRE) == 1;
    if (idle && (pg->flags & PF_REFERENCED) == 0) {
      unchain(link);
      pg->hnext = victims;
      victims = pg;
      n++;
      continue;
    }
    if (idle)
      page_clear(pg, PF_REFERENCED);
    link = &pg->hnext;
  }
  release(lock_of(b));
  while (victims) {
    struct page *pg = victims;
    victims = pg->hnext;
    page_put(pg);
  }
  return n;
}

// Free up to about n frames of clean pages that nobody uses: how many. Does not sleep and does not
// allocate; any spinlock may be held, since busy buckets are passed over.
int
cache_shrink(int n)
{
  int freed = 0;
  for (uint64 left = 2ul * nbuckets; left > 0 && freed < n && ncached > 0; left--)
    freed += sweep(__atomic_fetch_add(&hand, 1, __ATOMIC_RELAXED) & (nbuckets - 1));
  return freed;
}
