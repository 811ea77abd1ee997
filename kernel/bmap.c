// SPDX-License-Identifier: MIT
// The map from pages of a file to blocks of the disk, and how a file gets shorter.
//
// Interface: bmap, bmap_alloc; itrunc inside an operation, itruncate outside.
//
//   inode.addrs: | 0 | 1 | ... | 10 | 11 | 12 |
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
// 2. bmap_alloc changes nothing unless it can do everything.
// 3. A file that is truncated in several operations loses its end first, and its size goes along:
//    after a crash in between it is a shorter file, never one with blocks beyond its size.

#include "bio.h"
#include "defs.h"
#include "file.h"
#include "mm/mm.h"

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

// The block of page `index` < MAXFILE; 0: a hole. 0, -EIO (also a damaged map) or -ENOMEM. The
// caller has ip locked. Sleeps.
int
bmap(struct inode *ip, uint index, uint *blockno)
{
  uint path[3];
  int depth = find_path(index, path);
  uint b = ip->addrs[path[0]];
  for (int l = 1; l <= depth && b; l++) {
    struct page *pg;
    int err = is_data(b) ? bread(b, &pg) : -EIO;
    if (err < 0)
      return err;
    b = entries(pg)[path[l]];
    brelse(pg);
  }
  *blockno = b;
  return b == 0 || is_data(b) ? 0 : -EIO;
}

// Take n blocks, all but the last ones of block numbers, empty and locked in pages[]. All or
// nothing.
static int
take_blocks(uint n, uint blocks[3], struct page *pages[2])
{
  uint i;
  int err = 0;
  for (i = 0; i < n; i++) {
    if ((err = balloc(&blocks[i])) < 0)
      break;
    if (i < n - 1 && (err = bnew(blocks[i], &pages[i])) < 0) {
      bfree(blocks[i]);
      break;
    }
  }
  if (err < 0)
    while (i-- > 0) {
      cache_remove(0, blocks[i], blocks[i] + 1);
      brelse(pages[i]);
      bfree(blocks[i]);
    }
  return err;
}

// Fill the hole at page `index`, where bmap has said 0: *blockno is a new block, whose contents the
// caller writes. Logs up to 7 blocks, and leaves the inode to be logged (ip->changed). 0, -ENOSPC,
// -EIO or -ENOMEM. The caller has ip locked, in an operation. Sleeps.
int
bmap_alloc(struct inode *ip, uint index, uint *blockno)
{
  uint path[3], blocks[3];
  struct page *above = 0, *pages[2];
  int depth = find_path(index, path), l = 0, err;
  for (uint b = ip->addrs[path[0]]; b; l++) { // down to the first entry that is missing, in `above`
    if (above)
      brelse(above);
    if (l == depth || !is_data(b))
      return -EIO;
    if ((err = bread(b, &above)) < 0)
      return err;
    b = entries(above)[path[l + 1]];
  }
  int n = depth - l + 1;
  if ((err = take_blocks(n, blocks, pages)) < 0) {
    if (above)
      brelse(above);
    return err;
  }
  for (int i = 0; i < n - 1; i++) {
    entries(pages[i])[path[l + i + 1]] = blocks[i + 1];
    log_write(pages[i]);
    brelse(pages[i]);
  }
  if (above) {
    entries(above)[path[l]] = blocks[0];
    log_write(above);
    brelse(above);
  } else {
    ip->addrs[path[0]] = blocks[0];
    ip->changed = 1;
  }
  *blockno = blocks[n - 1];
  return 0;
}

// ---- getting shorter ----

struct prune {
  uint keep;    // pages that stay
  uint reached; // from here on all are gone
};

static int prune(struct prune *, uint *slot, int depth, uint base);

// Free what the block of block numbers in pg has to lose. 0: all that should go is gone; 1: the
// operation is full; or an error.
static int
prune_entries(struct prune *p, struct page *pg, int depth, uint base)
{
  uint span = depth == 2 ? NINDIRECT : 1;
  int r = 0;
  for (uint i = NINDIRECT; i-- > 0 && base + (i + 1) * span > p->keep && r == 0;)
    r = prune(p, &entries(pg)[i], depth - 1, base + i * span);
  return r;
}

// Free what hangs on *slot, a tree of this depth whose first page is base, as far as it lies beyond
// p->keep. The same results.
static int
prune(struct prune *p, uint *slot, int depth, uint base)
{
  struct page *pg = 0;
  int r = 0;
  if (*slot == 0)
    return 0;
  if (depth > 0 && is_data(*slot)) {
    if ((r = bread(*slot, &pg)) < 0)
      return r;
    r = prune_entries(p, pg, depth, base);
  }
  if (r == 0 && base >= p->keep) {
    r = log_room() < PRUNE_ROOM;
    if (r == 0 && is_data(*slot))
      r = bfree(*slot);
    if (r == 0) {
      if (pg)
        cache_remove(0, *slot, *slot + 1);
      *slot = 0;
      p->reached = base;
    }
  }
  if (pg) {
    if (*slot)
      log_write(pg);
    brelse(pg);
  }
  return r;
}

// Free what lies beyond p->keep: the same results.
static int
prune_all(struct inode *ip, struct prune *p)
{
  int r = prune(p, &ip->addrs[NDIRECT + 1], 2, NDIRECT + NINDIRECT);
  if (r == 0)
    r = prune(p, &ip->addrs[NDIRECT], 1, NDIRECT);
  for (uint i = NDIRECT; i-- > p->keep && r == 0;)
    r = prune(p, &ip->addrs[i], 0, i);
  return r;
}

static int
shorten(struct inode *ip, uint size)
{
  uint old = (ip->size + BSIZE - 1ul) / BSIZE;
  struct prune p = { .keep = (size + BSIZE - 1ul) / BSIZE, .reached = old };
  struct page *tail = 0;
  int r = size % BSIZE ? ipage(ip, size / BSIZE, &tail) : 0;
  if (r < 0)
    return r;
  r = prune_all(ip, &p);
  if (r == 0)
    p.reached = p.keep;
  if (p.reached < old)
    cache_remove(ip->inum, p.reached, old);
  if (r == 0 && tail && tail->blockno) { // what comes behind the end reads as zeros
    log_write(tail);
    memset((char *)page_va(tail) + size % BSIZE, 0, BSIZE - size % BSIZE);
  }
  if (tail)
    page_put(tail);
  if (r == 0)
    ip->size = size;
  else if (p.reached < old)
    ip->size = p.reached * BSIZE;
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
  if (size < ip->size)
    return shorten(ip, size);
  if (size > ip->size) {
    ip->size = size;
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
    if ((err = begin_op()) < 0)
      return err;
    if ((err = ilock(ip)) == 0) {
      err = itrunc(ip, size);
      iunlock(ip);
    }
    end_op();
  } while (err > 0);
  if (err == 0)
    file_unmap(ip, size); // the frames are not the file's any more: nobody finds them again
  return err;
}
