// SPDX-License-Identifier: MIT
// Inodes in memory: what the kernel knows of a file, directory or device.
//
// Interface: iget, ialloc, idup, iput for references; ilock, iunlock; iupdate; istat; text_get,
// text_put; inodes_scan at boot, inodes_free, inodes_shrink.
//
// An inode in memory is found by its number and is one struct, however many use it:
//
//   edge                       who
//   -> ref 1, home 0           iget: nothing is read yet
//   home 0 -> home             ilock, the first time: its fields are those of the dinode
//   ref 1 -> 0                 iput: it stays, unused, until UNUSED others came after it
//   ref 0 -> 1                 iget
//   type -> 0, home -> 0       iput of the last reference when no name is left: the file is freed
//   ref 0 -> gone              inodes_shrink
//
// Locks: itable.lock for the hash chains, the list of unused ones, and ref where it is 0 or 1;
// inode.lock, which sleeps, for an inode's fields. Order: an operation begins (begin_op), then a
// directory is locked, then a file or directory that it names, then pages. "." and ".." are never
// followed with a lock held.
//
// 1. While home is set it has a reference, so that iupdate cannot fail: an operation that has
//    changed something in memory can always say so to the log.
// 2. iput is called with no lock and outside of operations: to free a file it opens its own.
// 3. An inode with ref 1, a type and nlink 0 cannot be found by anybody else. iput looks at all
//    three and drops the reference under one hold of itable.lock, so every orphan is seen by its
//    last user.
// 4. ialloc takes its reference while it has the dinode's block, before anybody can think it free.

#include "file.h"
#include "bio.h"
#include "defs.h"
#include "mm/slab.h"
#include "stat.h"

#define NHASH  128
#define UNUSED 64 // inodes kept that nobody uses

static struct {
  struct spinlock lock;
  struct inode *hash[NHASH];
  struct list unused; // the longest unused first
  uint nunused;
  uint nfree; // dinodes that are free; atomic
  uint hint;  // none below is free, most likely
} itable = { .lock = SPINLOCK("itable"), .unused = LIST_INIT(itable.unused), .hint = ROOTINO };

static struct slab slab = SLAB(slab, inode);

// ---- references ----

static struct inode **
chain(uint inum)
{
  return &itable.hash[inum % NHASH];
}

// The inode with a reference, if it is in memory. Holds itable.lock.
static struct inode *
find(uint inum)
{
  struct inode *ip = *chain(inum);
  while (ip && ip->inum != inum)
    ip = ip->hnext;
  if (ip && __atomic_fetch_add(&ip->ref, 1, __ATOMIC_RELAXED) == 0) {
    list_del(&ip->lru);
    itable.nunused--;
  }
  return ip;
}

// Inode inum with a reference, not read yet perhaps: 0, -ENOMEM, or -EIO: there is no such number.
// Does not sleep.
int
iget(uint inum, struct inode **out)
{
  if (inum == 0 || inum >= sb.ninodes)
    return -EIO;
  acquire(&itable.lock);
  struct inode *ip = find(inum), *fresh = 0;
  release(&itable.lock);
  if (ip == 0) {
    if ((fresh = slab_alloc(&slab)) == 0)
      return -ENOMEM;
    fresh->inum = inum;
    fresh->ref = 1;
    initsleeplock(&fresh->lock, "inode");
    list_init(&fresh->lru);
    acquire(&itable.lock);
    if ((ip = find(inum)) == 0) { // nobody was faster
      ip = fresh;
      fresh = 0;
      ip->hnext = *chain(inum);
      *chain(inum) = ip;
    }
    release(&itable.lock);
    if (fresh)
      slab_free(&slab, fresh);
  }
  *out = ip;
  return 0;
}

// Another reference for somebody who has one. Does not sleep.
struct inode *
idup(struct inode *ip)
{
  __atomic_fetch_add(&ip->ref, 1, __ATOMIC_RELAXED);
  return ip;
}

// Take the longest unused inodes out of the table until `keep` are left, and give up their memory.
// The caller holds no spinlock.
void
inodes_shrink(uint keep)
{
  acquire(&itable.lock);
  while (itable.nunused > keep) {
    struct inode *ip = list_first(&itable.unused, struct inode, lru);
    struct inode **link = chain(ip->inum);
    while (*link != ip)
      link = &(*link)->hnext;
    *link = ip->hnext;
    list_del(&ip->lru);
    itable.nunused--;
    release(&itable.lock);
    if (ip->home)
      page_put(ip->home);
    slab_free(&slab, ip);
    acquire(&itable.lock);
  }
  release(&itable.lock);
}

static int
is_orphan(struct inode *ip)
{
  return ip->ref == 1 && ip->home && ip->type != 0 && ip->nlink == 0;
}

static int
free_file(struct inode *ip)
{
  int err;
  do {
    if ((err = begin_op()) < 0)
      return err;
    if ((err = ilock(ip)) == 0) {
      if ((err = itrunc(ip, 0)) == 0) {
        ip->type = 0;
        iupdate(ip);
        page_put(ip->home);
        ip->home = 0;
        __atomic_fetch_add(&itable.nfree, 1, __ATOMIC_RELAXED);
        if (ip->inum < itable.hint)
          itable.hint = ip->inum;
      }
      iunlock(ip);
    }
    end_op();
  } while (err > 0);
  return err;
}

// Give up a reference. If it is the last one and no name is left, the file is freed; if that fails
// it stays on the disk without a name, for the next boot to free. The caller holds no lock and has
// no operation open. Sleeps.
void
iput(struct inode *ip)
{
  int ref = __atomic_load_n(&ip->ref, __ATOMIC_RELAXED);
  while (ref > 1)
    if (__atomic_compare_exchange_n(&ip->ref, &ref, ref - 1, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
      return;
  acquire(&itable.lock);
  int err = 0;
  while (err == 0 && is_orphan(ip)) {
    release(&itable.lock);
    err = free_file(ip);
    acquire(&itable.lock);
  }
  assert(ip->ref > 0);
  if (__atomic_sub_fetch(&ip->ref, 1, __ATOMIC_ACQ_REL) == 0) {
    list_before(&itable.unused, &ip->lru);
    itable.nunused++;
  }
  int many = itable.nunused > UNUSED;
  release(&itable.lock);
  if (many)
    inodes_shrink(UNUSED);
}

// ---- contents ----

static struct dinode *
dinode_in(struct page *pg, uint inum)
{
  return (struct dinode *)page_va(pg) + inum % IPB;
}

// Read the dinode. -EIO also when it makes no sense.
static int
load(struct inode *ip)
{
  struct page *pg;
  int err = bread(IBLOCK(ip->inum, sb), &pg);
  if (err < 0)
    return err;
  const struct dinode *d = dinode_in(pg, ip->inum);
  if (d->type < T_DIR || d->type > T_DEVICE || d->size > MAXSIZE || d->nlink < 0) {
    brelse(pg);
    return -EIO;
  }
  ip->type = d->type;
  ip->major = d->major;
  ip->minor = d->minor;
  ip->nlink = d->nlink;
  ip->size = d->size;
  memmove(ip->addrs, d->addrs, sizeof(ip->addrs));
  ip->changed = 0;
  ip->nextread = ip->window = 0;
  page_unlock(pg);
  ip->home = pg;
  return 0;
}

// Have ip alone, and its fields read. 0; else ip is not locked: -EIO (cannot be read, or the disk
// is damaged), -ENOMEM. Sleeps. The caller has a reference and holds, if any, the inode of the
// directory that names it.
int
ilock(struct inode *ip)
{
  acquiresleep(&ip->lock);
  if (ip->home)
    return 0;
  int err = load(ip);
  if (err < 0)
    releasesleep(&ip->lock);
  return err;
}

void
iunlock(struct inode *ip)
{
  releasesleep(&ip->lock);
}

// Log the fields of ip. The caller has it locked, in an operation. Cannot fail; logs one block.
// Sleeps.
void
iupdate(struct inode *ip)
{
  struct dinode d = {
    .type = ip->type, .major = ip->major, .minor = ip->minor, .nlink = ip->nlink, .size = ip->size
  };
  memmove(d.addrs, ip->addrs, sizeof(d.addrs));
  page_lock(ip->home);
  *dinode_in(ip->home, ip->inum) = d;
  log_write(ip->home);
  page_unlock(ip->home);
  ip->changed = 0;
}

// Take a free dinode in the block of inum, if there is one: its number, 0 if not, or an error.
static int
take_dinode(uint inum, int type, struct inode **out)
{
  struct page *pg;
  int err = bread(IBLOCK(inum, sb), &pg);
  if (err < 0)
    return err;
  uint i = inum - inum % IPB, end = i + IPB < sb.ninodes ? i + IPB : sb.ninodes;
  while (i < end && (i == 0 || dinode_in(pg, i)->type != 0))
    i++;
  if (i == end || (err = iget(i, out)) < 0) {
    brelse(pg);
    return err;
  }
  *dinode_in(pg, i) = (struct dinode){ .type = type };
  log_write(pg);
  brelse(pg);
  return i;
}

// A new inode of this type, with a reference, no names, and size 0. In an operation; logs one
// block.
// 0, -ENOSPC: all are used, -EIO or -ENOMEM. Sleeps.
int
ialloc(int type, struct inode **out)
{
  uint nblocks = (sb.ninodes + IPB - 1) / IPB, first = itable.hint / IPB;
  for (uint k = 0; k < nblocks && itable.nfree > 0; k++) {
    int inum = take_dinode((first + k) % nblocks * IPB, type, out);
    if (inum < 0)
      return inum;
    if (inum > 0) {
      itable.hint = inum;
      __atomic_fetch_sub(&itable.nfree, 1, __ATOMIC_RELAXED);
      return 0;
    }
  }
  return -ENOSPC;
}

// What fstat tells. The caller has ip locked.
void
istat(struct inode *ip, struct stat *st)
{
  *st = (struct stat){
    .dev = ROOTDEV, .ino = ip->inum, .type = ip->type, .nlink = ip->nlink, .size = ip->size
  };
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

// Inodes that are free, for reports.
uint
inodes_free(void)
{
  return itable.nfree;
}

// Called at boot for each block of inodes: count the free ones, and give those back that have a
// type and no name: how many, -EIO or -ENOMEM.
int
inodes_scan(uint block)
{
  struct page *pg;
  uint first = block * IPB, orphans[IPB], n = 0;
  int freed = 0, err = bread(sb.inodestart + block, &pg);
  if (err < 0)
    return err;
  for (uint i = first; i < first + IPB && i < sb.ninodes; i++) {
    const struct dinode *d = dinode_in(pg, i);
    if (d->type == 0)
      itable.nfree += i > 0;
    else if (d->nlink == 0)
      orphans[n++] = i;
  }
  brelse(pg);
  while (n-- > 0) {
    struct inode *ip;
    if (iget(orphans[n], &ip) < 0)
      continue;
    if (ilock(ip) == 0) {
      iunlock(ip);
      freed++;
    }
    iput(ip);
  }
  return freed;
}
