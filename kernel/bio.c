// SPDX-License-Identifier: MIT
// The cache of disk blocks, which is the page cache: every cached block is one frame, and memory
// that nobody else wants is cache.
//
// Interface: bread, brelse for metadata; page_cache_find, cache_lock, cache_fill,
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
//   -> CACHED|LOCKED          lookup, of a new page: its contents are not there yet
//   -> VALID                  page_ready, after whoever locked it has filled it
//   LOCKED on, off            page_lock, page_unlock; WAITERS tells the unlocker to wake
//   LOGGED on, off            log.c: it is in the running transaction, which holds a reference
//   CACHED off                purge: nobody has it (cache_shrink), or its block is freed
//                             (cache_remove)
//
// Who may change the bytes: of metadata, whoever has it LOCKED; of a file's page, whoever has the
// inode locked. Valid pages of files are read without the page lock.
//
// Locks: a spinlock for TOGETHER buckets, and for those NLOCKS * TOGETHER further on, for the chains. A
// leaf: nothing else is taken while one is held, except that sleepers for a page go to sleep under
// the lock of its bucket.
//
// 1. A page with CACHED is in exactly one chain, and the cache has one reference of its ref.
// 2. Only the cache itself has a page with ref 1 under its bucket's lock, and nobody can get it:
//    such a page may be dropped, unless it is shared memory's, which is nowhere else. A page that is
//    locked, logged, mapped or pinned has more references.
// 3. inum and index do not change while ref > 0.

#include "proc.h"
#include "fs.h"

#define NLOCKS   64
#define TOGETHER 8

uint64 cache_frames; // atomic

static struct page **buckets;
static uint nbuckets; // a power of two; 0: too early for a cache
static struct spinlock locks[NLOCKS] = { [0 ... NLOCKS - 1] = SPINLOCK("bio") };
static uint hand; // the bucket where cache_shrink goes on

// Called by kinit: use the memory at `at` for the buckets of a machine with nframes frames. Returns
// the bytes taken.
uint64
bio_tables(void *at, uint64 nframes)
{
  for (nbuckets = NLOCKS * TOGETHER; nbuckets < nframes / 4; nbuckets *= 2)
    ;
  buckets = at;
  memset(buckets, 0, nbuckets * sizeof(*buckets));
  return nbuckets * sizeof(*buckets);
}

static uint
hash(uint inum, uint index)
{
  return (inum * 0x9e3779b1u + index) & (nbuckets - 1);
}

static struct spinlock *
lock_of(uint bucket)
{
  return &locks[bucket / TOGETHER % NLOCKS];
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

static int
has(struct page *pg, uint flag)
{
  return (__atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) & flag) != 0;
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
  for (;;) {
    page_set(pg, PF_WAITERS); // first: who has it when try_lock fails then unlocks after this
    if (try_lock(pg))
      break;
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

// The page with a reference, valid or not. If it is not cached, `fresh`, a frame of its own, becomes
// it and is locked; without fresh the result is 0. Does not sleep.
static INLINE struct page *
lookup(uint inum, uint index, struct page *fresh)
{
  uint b = hash(inum, index);
  acquire(lock_of(b));
  struct page *pg = buckets[b];
  while (pg && (pg->index != index || pg->inum != inum))
    pg = pg->hnext;
  if (pg == 0 && fresh) {
    pg = fresh;
    pg->inum = inum;
    pg->index = index;
    pg->blockno = 0;
    pg->flags = PF_CACHED | PF_LOCKED;
    pg->hnext = buckets[b];
    buckets[b] = pg;
    __atomic_fetch_add(&cache_frames, 1, __ATOMIC_RELAXED);
  }
  if (pg)
    __atomic_fetch_add(&pg->ref, 1, __ATOMIC_RELAXED);
  release(lock_of(b));
  return pg;
}

// A page of a file, or with inum 0 of the disk, if it is cached and valid, with a reference; else 0.
// Does not sleep.
struct page *
page_cache_find(uint inum, uint index)
{
  struct page *pg = lookup(inum, index, 0);
  uint flags = pg ? __atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) : PF_VALID | PF_REFERENCED;
  if (!(flags & PF_VALID)) {
    page_put(pg);
    return 0;
  }
  if (!(flags & PF_REFERENCED))
    page_set(pg, PF_REFERENCED);
  return pg;
}

// Add a page that is not cached yet: locked, with a reference, its contents undefined. 0: it is
// cached, or there is no memory. Does not sleep.
static struct page *
add(uint inum, uint index)
{
  struct page *fresh = page_alloc(PG_CACHE);
  struct page *pg = fresh ? lookup(inum, index, fresh) : 0;
  if (pg == fresh)
    return pg;
  page_put(fresh);
  page_put(pg);
  return 0;
}

// The page, which most likely is not cached, locked and with a reference: 0 or -ENOMEM. It may not be VALID: then
// the caller fills it. Sleeps; the caller has no spinlock.
int
cache_lock(uint inum, uint index, struct page **out)
{
  for (;;) {
    struct page *fresh = page_alloc(PG_CACHE), *pg = lookup(inum, index, fresh);
    if (pg == 0)
      return -ENOMEM;
    *out = pg;
    if (pg == fresh)
      return 0;
    if (fresh)
      page_put(fresh); // it is there
    page_lock(pg);
    if (has(pg, PF_CACHED))
      return 0;
    brelse(pg); // its block was freed while we waited
  }
}

// Read n blocks of the disk from blockno on as pages of inum from index on, in one request. It ends
// before the first one that is cached or for which there is no memory, but *first, with a
// reference, is there when the result is 0; else -EIO or -ENOMEM. Sleeps.
int
cache_fill(uint inum, uint index, uint blockno, uint n, struct page **first)
{
  struct diskreq req = { .op = DISK_READ, .blockno = blockno };
  int err = cache_lock(inum, index, first);
  if (err < 0)
    return err;
  if (has(*first, PF_VALID)) { // somebody was faster
    page_unlock(*first);
    return 0;
  }
  for (struct page *pg = *first; pg; pg = req.n < n ? add(inum, index + req.n) : 0) {
    pg->blockno = blockno + req.n;
    req.pages[req.n++] = pg;
  }
  err = disk_io(&req);
  for (uint i = 0; i < req.n; i++) {
    if (err == 0)
      page_set(req.pages[i], PF_VALID);
    page_unlock(req.pages[i]);
    if (i > 0 || err < 0)
      page_put(req.pages[i]);
  }
  return err;
}

// ---- metadata ----

// Block blockno of the disk, locked: 0, -EIO or -ENOMEM. brelse ends it. Sleeps.
int
bread(uint blockno, struct page **out)
{
  *out = page_cache_find(0, blockno);
  int err = *out ? 0 : cache_fill(0, blockno, blockno, 1, out);
  if (err == 0)
    page_lock(*out);
  return err;
}

// ---- dropping ----

struct range {
  uint inum, from, to;
};

// Whether pg shall go: it is in r; or, without r, nobody has it, it is on the disk, too, and nobody used
// it lately.
static int
doomed(struct page *pg, const struct range *r)
{
  if (r)
    return pg->inum == r->inum && pg->index >= r->from && pg->index < r->to;
  if (__atomic_load_n(&pg->ref, __ATOMIC_ACQUIRE) > 1 || pg->inum >= NO_FILE)
    return 0;
  if (!has(pg, PF_REFERENCED))
    return 1;
  page_clear(pg, PF_REFERENCED);
  return 0;
}

// Move the pages of bucket b that shall go to the chain `gone`: how many. Holds the bucket's lock.
static inline int
purge(uint b, const struct range *r, struct page **gone)
{
  struct page *pg;
  int n = 0;
  for (struct page **link = &buckets[b]; (pg = *link) != 0;) {
    if (!doomed(pg, r)) {
      link = &pg->hnext;
      continue;
    }
    *link = pg->hnext;
    page_clear(pg, PF_CACHED);
    pg->hnext = *gone;
    *gone = pg;
    n++;
  }
  return n;
}

// Give up the cache's references to a chain of pages that are gone from it.
static void
give_up(struct page *pg)
{
  struct chain gone = { 0 }, none = { 0 };
  struct page *next;
  uint all = 0;
  for (; pg; pg = next, all++) {
    next = pg->hnext;
    if (__atomic_load_n(&pg->flags, __ATOMIC_RELAXED) & (PF_LOGGED | PF_WRITABLE)) {
      log_forget(pg);
      file_disown(pg);
    }
    if (page_drop(pg))
      page_retire(pg, &gone);
    if (gone.n == DISK_RUN || next == 0) {
      vm_count(frames_freed, gone.n);
      frames_free(&gone, &none);
      gone = none;
    }
  }
  __atomic_fetch_sub(&cache_frames, all, __ATOMIC_RELAXED);
}

// Forget pages from..to-1 of inum, whose blocks are being freed in an operation: they are not found
// any more, and the running transaction does not write them. Who still has a reference keeps a
// frame that means nothing. The caller has the inode locked, or the page when it is metadata.
void
cache_remove(uint inum, uint from, uint to)
{
  struct range r = { inum, from, to };
  struct page *gone = 0;
  uint n = to - from < nbuckets ? to - from : nbuckets; // a longer range meets every bucket
  for (uint b = hash(inum, from); n > 0;) {
    struct spinlock *lk = lock_of(b);
    acquire(lk);
    do {
      purge(b, &r, &gone);
      b = (b + 1) & (nbuckets - 1);
    } while (--n > 0 && b % TOGETHER != 0);
    release(lk);
  }
  give_up(gone);
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
    while (pg && (!has(pg, PF_WRITABLE) ||
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

// Free up to about n frames of clean pages that nobody uses: how many. Does not sleep and does not
// allocate; any spinlock may be held, since busy buckets are passed over.
int
cache_shrink(int n)
{
  struct page *gone = 0;
  int freed = 0;
  for (uint64 left = 2ul * nbuckets; left > 0 && freed < n && cache_frames > 0; left--) {
    uint b = __atomic_fetch_add(&hand, 1, __ATOMIC_RELAXED) & (nbuckets - 1);
    if (buckets[b] && try_acquire(lock_of(b))) {
      freed += purge(b, 0, &gone);
      release(lock_of(b));
    }
  }
  give_up(gone);
  return freed;
}
