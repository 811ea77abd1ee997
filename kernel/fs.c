// SPDX-License-Identifier: MIT
// Inodes in memory: what the kernel knows of a file, directory or device.
//
// Interface: iget, ialloc, idup, iput for references; ilock, iunlock, ibegin, iend; iupdate;
// iread; text_get, text_put; inodes_start at boot, inodes_free, inodes_shrink.
//
// An inode in memory is found by its number and is one struct, however many use it:
//
//   edge                       who
//   -> ref 1, d 0              iget: nothing is read yet
//   d 0 -> d                   ilock, the first time
//   ref 1 -> 0                 iput: it stays, unused, until another one joins its chain
//   ref 0 -> 1                 iget
//   d -> 0                     iput of the last reference when no name is left: the file is freed
//   ref 0 -> gone              drop_unused
//
//   inode.d --> dinode, in its block, in the cache: there is no other copy of a file's fields
//
// Locks: itable.lock for the hash chains, and ref where it is 0 or 1; inode.lock, which sleeps, for
// its fields and those of its dinode; dinode.type becomes 0 or not 0 with the block's page locked
// too. Order: an operation begins (begin_op), then a directory is locked, then a file or directory
// that it names, then pages. "." and ".." are never followed with a lock held.
//
// 1. While d is set its page has a reference, so that iupdate cannot fail.
// 2. iput is called with no lock and outside of operations: to free a file it opens its own.
// 3. An inode with ref 1, a dinode and nlink 0 cannot be found by anybody else. iput looks at all
//    three and drops the reference under one hold of itable.lock, so every orphan is seen by its
//    last user.
// 4. ialloc takes its reference while it has the dinode's block, before anybody can think it free.

#include "file.h"
#include "mm/slab.h"
#include "stat.h"

#define NHASH 128

static struct {
  struct spinlock lock;
  struct inode *hash[NHASH];
  uint hint; // no dinode below is free, most likely
} itable = { .lock = SPINLOCK("itable"), .hint = ROOTINO };

uint inodes_free; // atomic

static struct slab slab = SLAB(slab, inode);

// ---- references ----

// Forget the inodes of a chain that nobody uses. Holds itable.lock.
static void
drop_unused(struct inode **link)
{
  struct inode *ip;
  while ((ip = *link) != 0) {
    if (ip->ref > 0) {
      link = &ip->hnext;
      continue;
    }
    *link = ip->hnext;
    if (ip->d)
      page_put(va_page(ip->d));
    slab_free(&slab, ip);
  }
}

// Forget all inodes that nobody uses. Does not sleep.
void
inodes_shrink(void)
{
  acquire(&itable.lock);
  for (int i = 0; i < NHASH; i++)
    drop_unused(&itable.hash[i]);
  release(&itable.lock);
}

// The inode in memory, with a reference. If it is not there, `fresh` becomes it; without fresh the
// result is 0.
static INLINE struct inode *
find(uint inum, struct inode *fresh)
{
  struct inode **chain = &itable.hash[inum % NHASH];
  acquire(&itable.lock);
  struct inode *ip = *chain;
  while (ip && ip->inum != inum)
    ip = ip->hnext;
  if (ip == 0 && fresh) {
    drop_unused(chain);
    ip = fresh;
    ip->hnext = *chain;
    *chain = ip;
  }
  if (ip)
    idup(ip);
  release(&itable.lock);
  return ip;
}

// Inode inum with a reference, not read yet perhaps: 0, -ENOMEM, or -EIO: there is no such number.
// Does not sleep.
int
iget(uint inum, struct inode **out)
{
  if (inum == 0 || inum >= sb.ninodes)
    return -EIO;
  if ((*out = find(inum, 0)) != 0)
    return 0;
  struct inode *fresh = slab_alloc(&slab);
  if (fresh == 0)
    return -ENOMEM;
  fresh->inum = inum;
  initsleeplock(&fresh->lock, "inode");
  *out = find(inum, fresh);
  if (*out != fresh) // somebody was faster
    slab_free(&slab, fresh);
  return 0;
}

// Another reference for somebody who has one. Does not sleep.
struct inode *
idup(struct inode *ip)
{
  __atomic_fetch_add(&ip->ref, 1, __ATOMIC_RELAXED);
  return ip;
}

// Free the file and its dinode. Holds itable.lock, but not meanwhile.
static NOINLINE int
free_file(struct inode *ip)
{
  release(&itable.lock);
  int err = itruncate(ip, 0);
  if (err == 0 && (err = ibegin(ip)) == 0) {
    struct page *pg = va_page(ip->d);
    page_lock(pg);
    ip->d->type = 0;
    log_write(pg);
    ip->d = 0;
    brelse(pg);
    __atomic_fetch_add(&inodes_free, 1, __ATOMIC_RELAXED);
    if (ip->inum < itable.hint)
      itable.hint = ip->inum;
    iend(ip);
  }
  acquire(&itable.lock);
  return err;
}

// Give up a reference, if ip is not 0. If it is the last one and no name is left, the file is freed; if
// that fails it stays on the disk without a name, for the next boot to free. The caller holds no lock
// and has no operation open. Sleeps.
void
iput(struct inode *ip)
{
  if (ip == 0)
    return;
  acquire(&itable.lock);
  while (ip->ref == 1 && ip->d && ip->d->nlink == 0 && free_file(ip) == 0)
    ;
  assert(ip->ref > 0);
  __atomic_fetch_sub(&ip->ref, 1, __ATOMIC_RELEASE);
  release(&itable.lock);
}

// ---- contents ----

static struct dinode *
dinode_in(struct page *pg, uint inum)
{
  return (struct dinode *)page_va(pg) + inum % IPB;
}

// Find the dinode of ip, which is locked: as ilock.
int
iload(struct inode *ip)
{
  struct page *pg;
  int err = bread(IBLOCK(ip->inum, sb), &pg);
  if (err == 0) {
    struct dinode *d = dinode_in(pg, ip->inum);
    page_unlock(pg);
    if (d->type >= T_DIR && d->type <= T_DEVICE && d->size <= MAXSIZE && d->nlink >= 0) {
      __atomic_store_n(&ip->d, d, __ATOMIC_RELEASE);
      return 0;
    }
    page_put(pg); // the disk is damaged
    err = -EIO;
  }
  releasesleep(&ip->lock);
  return err;
}

// Begin an operation and lock ip: as begin_op and as ilock. When it fails, neither is so.
int
ibegin(struct inode *ip)
{
  int err = begin_op();
  if (err == 0 && (err = ilock(ip)) < 0)
    end_op();
  return err;
}

void
iend(struct inode *ip)
{
  iunlock(ip);
  end_op();
}

// The caller, who has ip locked, in an operation, has changed a field of *ip->d. Cannot fail; logs
// one block.
void
iupdate(struct inode *ip)
{
  log_write(va_page(ip->d));
}

// A new inode of this type, with a reference, no names, and size 0. In an operation; logs one
// block. 0, -ENOSPC: all are used, -EIO or -ENOMEM. Sleeps.
int
ialloc(int type, struct inode **out)
{
  uint nblocks = (sb.ninodes + IPB - 1) / IPB, first = itable.hint / IPB;
  for (uint k = 0; k < nblocks && inodes_free > 0; k++) {
    struct page *pg;
    uint i = (first + k) % nblocks * IPB, end = i + IPB < sb.ninodes ? i + IPB : sb.ninodes;
    int err = bread(IBLOCK(i, sb), &pg);
    if (err < 0)
      return err;
    while (i < end && (i == 0 || dinode_in(pg, i)->type != 0))
      i++;
    if (i < end && (err = iget(i, out)) == 0) {
      *dinode_in(pg, i) = (struct dinode){ .type = type };
      log_write(pg);
      itable.hint = i;
      __atomic_fetch_sub(&inodes_free, 1, __ATOMIC_RELAXED);
    }
    brelse(pg);
    if (i < end)
      return err;
  }
  return -ENOSPC;
}

// Read ip's dinode if that has not been done: 0, or as ilock. Until the reference is given up its
// type, major and minor are what they are, and can be looked at without the lock. Sleeps.
int
iread(struct inode *ip)
{
  if (__atomic_load_n(&ip->d, __ATOMIC_ACQUIRE))
    return 0;
  int err = ilock(ip);
  if (err == 0)
    iunlock(ip);
  return err;
}

// Somebody uses ip as a program that runs (by 1) or maps it to store into it (by -1): 0, or -ETXTBSY
// while somebody does the other. As long as programs run from it, writing and truncating are
// -ETXTBSY too. text_put ends it.
int
text_get(struct inode *ip, int by)
{
  int text = __atomic_load_n(&ip->text, __ATOMIC_RELAXED);
  do {
    if (text * by < 0)
      return -ETXTBSY;
  } while (!__atomic_compare_exchange_n(&ip->text, &text, text + by, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED));
  return 0;
}

void
text_put(struct inode *ip, int by)
{
  __atomic_fetch_sub(&ip->text, by, __ATOMIC_ACQ_REL);
}

// Free inode inum, which has a type and no name: 1, or 0 when that has to wait for the next boot.
static int
free_orphan(uint inum)
{
  struct inode *ip;
  if (iget(inum, &ip) < 0)
    return 0;
  int err = iread(ip); // so that iput sees what it is
  iput(ip);
  return err == 0;
}

// Called at boot: count the free inodes, and free those that have a type and no name: how many, -EIO
// or -ENOMEM.
int
inodes_start(void)
{
  int freed = 0;
  for (uint i = 0; i < sb.ninodes;) {
    uint b = IBLOCK(i, sb), left = sb.bmapstart - b;
    struct page *pg = page_cache_find(0, b);
    if (pg == 0) {
      int err = cache_fill(0, b, b, left < DISK_RUN ? left : DISK_RUN, &pg);
      if (err < 0)
        return err;
    }
    do {
      const struct dinode *d = dinode_in(pg, i);
      inodes_free += d->type == 0 && i > 0;
      if (d->type != 0 && d->nlink == 0)
        freed += free_orphan(i);
    } while (++i % IPB != 0 && i < sb.ninodes);
    page_put(pg);
  }
  return freed;
}
