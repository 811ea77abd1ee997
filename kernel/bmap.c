// SPDX-License-Identifier: MIT
// The map from pages of a file to blocks of the disk, and how a file gets shorter.
//
// Interface: bmap; itrunc inside an operation, itruncate outside.
//
//   dinode.addrs: | 0 | 1 | ... | 10 | 11 | 12 |
//                  |   |          |    |    +--> block --> 1024 blocks --> 1024 * 1024 data blocks
//                 data blocks          +--> block --> 1024 data blocks
//
// 0 anywhere is a hole: everything below reads as zeros. The path to a page is which of addrs, then
// which entry of each block on the way; its length is the depth: 0, 1 or 2.
//
// Locks: the inode's, held by the caller; of indirect blocks the page lock, outer before inner, and
// the bitmap's last.
//
// 1. A block number from the disk is looked at only after is_data has approved of it.
// 2. A block of block numbers that has none is a hole too: on a full disk a file may get one and no
//    data, and loses it when it is truncated.
// 3. A file that is truncated in several operations loses its end first, and its size goes along:
//    after a crash in between it is a shorter file, never one with blocks beyond its size.

#include "bio.h"
#include "defs.h"
#include "file.h"

#define PRUNE_ROOM 6 // blocks that freeing one more can log: bitmap, two indirect, inode, last page

// The path to a page: its depth. path[0] is which of addrs.
static int
find_path(uint index, uint path[3])
{
  path[0] = index;
  if (index < NDIRECT)
    return 0;
  index -= NDIRECT;
  path[0] = NDIRECT;
  path[1] = index;
  if (index < NINDIRECT)
    return 1;
  index -= NINDIRECT;
  path[0] = NDIRECT + 1;
  path[1] = index / NINDIRECT;
  path[2] = index % NINDIRECT;
  return 2;
}

static uint *
entries(struct page *pg)
{
  return page_va(pg);
}

// Let *slot, a number in an inode or in a block of numbers, be a new block: one of numbers, empty, or
// else of data, with what it held before.
static int
grow(uint *slot, int numbers)
{
  struct page *pg, *map = 0;
  uint b;
  int err = balloc(&b);
  if (err < 0)
    return err;
  if (numbers) {
    if ((err = bnew(b, &pg)) < 0) {
      if (bfree(b, &map) == 0)
        brelse(map);
      return err;
    }
    log_write(pg);
    brelse(pg);
  }
  *slot = b;
  log_write(va_page(slot));
  return 0;
}

// The block of page `index` < MAXFILE of ip; 0: a hole. With alloc holes are filled, which logs up to
// 7 blocks, and what the new block holds is the caller's to write. 0, -EIO (also a damaged map),
// -ENOMEM, -ENOSPC. The caller has ip locked, and with alloc is in an operation. Sleeps.
int
bmap(struct inode *ip, uint index, int alloc, uint *blockno)
{
  uint path[3], *slot;
  struct page *pg = 0;
  int depth = find_path(index, path), err = 0;
  slot = &ip->d->addrs[path[0]];
  for (int l = 0;; l++) {
    if (*slot == 0 && alloc)
      err = grow(slot, l < depth);
    *blockno = *slot;
    if (pg)
      brelse(pg);
    if (err == 0 && *blockno && !is_data(*blockno))
      err = -EIO;
    if (err < 0 || *blockno == 0 || l == depth || (err = bread(*blockno, &pg)) < 0)
      return err;
    slot = &entries(pg)[path[l + 1]];
  }
}

// ---- getting shorter ----

struct prune {
  uint keep;        // pages that stay
  uint reached;     // from here on all are gone
  struct page *map; // see bfree
};

// Free *slot itself. 0; 1: the operation is full; or an error.
static int
prune_slot(struct prune *p, uint *slot)
{
  if (log_room() < PRUNE_ROOM)
    return 1;
  int err = is_data(*slot) ? bfree(*slot, &p->map) : 0;
  if (err == 0)
    *slot = 0;
  return err;
}

static void
drop_map(struct prune *p)
{
  if (p->map)
    brelse(p->map);
  p->map = 0;
}

// Free what hangs on *slot, a tree of this depth whose first page is base, as far as it lies beyond
// p->keep: as prune_slot.
static int
prune(struct prune *p, uint *slot, int depth, uint base)
{
  uint b = *slot, span = depth == 2 ? NINDIRECT : 1;
  struct page *pg = 0;
  int r = 0;
  if (b == 0)
    return 0;
  if (depth > 0 && is_data(b) && b != va_page(slot)->blockno) { // else the disk is damaged
    drop_map(p);
    if ((r = bread(b, &pg)) < 0)
      return r;
    for (uint i = NINDIRECT; i-- > 0 && base + (i + 1) * span > p->keep && r == 0;)
      r = prune(p, &entries(pg)[i], depth - 1, base + i * span);
  }
  if (r == 0 && base >= p->keep && (r = prune_slot(p, slot)) == 0)
    p->reached = base;
  if (pg) {
    if (*slot)
      log_write(pg);
    else
      cache_remove(0, b, b + 1);
    brelse(pg);
  }
  return r;
}

// Free what lies beyond p->keep: the same results.
static int
prune_all(struct inode *ip, struct prune *p)
{
  int r = prune(p, &ip->d->addrs[NDIRECT + 1], 2, NDIRECT + NINDIRECT);
  if (r == 0)
    r = prune(p, &ip->d->addrs[NDIRECT], 1, NDIRECT);
  for (uint i = NDIRECT; i-- > p->keep && r == 0;)
    r = prune(p, &ip->d->addrs[i], 0, i);
  drop_map(p);
  return r;
}

// itrunc, of what becomes shorter.
static int
shorten(struct inode *ip, uint size)
{
  uint old = (ip->d->size + BSIZE - 1ul) / BSIZE;
  struct prune p = { .keep = (size + BSIZE - 1ul) / BSIZE, .reached = old };
  struct page *tail = 0;
  int r = size % BSIZE ? ipage(ip, size / BSIZE, &tail) : 0;
  if (r < 0)
    return r;
  if ((r = prune_all(ip, &p)) == 0)
    p.reached = p.keep;
  if (p.reached < old) {
    cache_remove(ip->inum, p.reached, old);
    ip->d->size = p.reached * BSIZE;
  }
  if (r == 0)
    ip->d->size = size;
  if (r == 0 && tail && tail->blockno) { // what comes behind the end reads as zeros
    log_write(tail);
    memset((char *)page_va(tail) + size % BSIZE, 0, BSIZE - size % BSIZE);
  }
  if (tail)
    page_put(tail);
  iupdate(ip);
  return r;
}

// Make ip `size` bytes long; what is new reads as zeros. The caller has it locked, in an operation
// that has logged nothing yet. 0; 1: the operation is full, ip is shorter than before, do it again
// in another; -ETXTBSY, -EFBIG, -EIO, -ENOMEM. Sleeps.
int
itrunc(struct inode *ip, uint64 size)
{
  if (ip->text > 0)
    return -ETXTBSY;
  if (size > MAXSIZE)
    return -EFBIG;
  if (size < ip->d->size)
    return shorten(ip, size);
  if (size > ip->d->size) {
    ip->d->size = size;
    iupdate(ip);
  }
  return 0;
}

// The same in as many operations as it takes, for a caller that holds no lock and has no operation
// open; also -EROFS.
int
itruncate(struct inode *ip, uint64 size)
{
  int err;
  do {
    if ((err = ibegin(ip)) < 0)
      return err;
    err = itrunc(ip, size);
    iend(ip);
  } while (err > 0);
  return err;
}
