// SPDX-License-Identifier: MIT
// The map from pages of a file to blocks of the disk, and how a file gets shorter.
//
// Interface: bmap; itruncate.
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

#include "file.h"

// How many blocks of the bitmap one operation may change for data that it frees. It also logs the
// inode, the last page, and three blocks of block numbers or their bits.
#define MAPS (MAXOPBLOCKS - 8)

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
    if ((err = cache_lock(0, b, &pg)) < 0) {
      if (bfree(b, 1, &map) == 0)
        brelse(map);
      return err;
    }
    pg->blockno = b;
    page_zero(page_va(pg));
    log_write(pg);
    page_ready(pg);
    page_put(pg);
  }
  *slot = b;
  log_write(va_page(slot));
  return 0;
}

// How many of n slots have blocks that follow each other, all of data and of one bitmap block; 0: not
// even the first one has such a block.
static uint
run_of(const uint *slot, uint n)
{
  uint b = slot[0], k = 0, end = b / BPB * BPB + BPB;
  uint most = (end < sb.size ? end : sb.size) - b;
  if (is_data(b))
    while (k < n && slot[k] == b + k && k < most)
      k++;
  return k;
}

// The block of page `index` < MAXFILE of ip; 0: a hole. With alloc holes are filled, which logs up to
// 7 blocks, and what the new block holds is the caller's to write. If run is not 0, *run pages from
// `index` on are looked at, and it becomes how many of them, at least 1, surely have blocks that
// follow each other. 0, -EIO (also a damaged map), -ENOMEM, -ENOSPC. The caller has ip locked, and
// with alloc is in an operation. Sleeps.
int
bmap(struct inode *ip, uint index, int alloc, uint *blockno, uint *run)
{
  uint path[3], *slot;
  struct page *pg = 0;
  int depth = find_path(index, path), err = 0;
  slot = &ip->d->addrs[path[0]];
  for (int l = 0;; l++) {
    if (*slot == 0 && alloc)
      err = grow(slot, l < depth);
    *blockno = *slot;
    if (run && l == depth) {
      uint left = (l ? NINDIRECT : NDIRECT) - path[l], n = run_of(slot, *run < left ? *run : left);
      *run = n ? n : 1;
    }
    if (pg)
      brelse(pg);
    if (err == 0 && *blockno && !is_data(*blockno))
      err = -EIO;
    if (err < 0 || *blockno == 0 || l == depth || (err = bread(*blockno, &pg)) < 0)
      return err;
    slot = (uint *)page_va(pg) + path[l + 1];
  }
}

// ---- getting shorter ----

struct prune {
  uint keep, had;   // pages that stay, and that there were
  struct page *map; // see bfree
};

static void
drop_map(struct prune *p)
{
  if (p->map)
    brelse(p->map);
  p->map = 0;
}

// Free the blocks in n slots: 0 or an error, and the rest still is in use. What a damaged disk says
// there is only forgotten.
static int
free_slots(struct prune *p, uint *slot, uint n)
{
  int err = 0;
  for (uint k; n > 0 && err == 0; slot += k, n -= k) {
    k = run_of(slot, n);
    if (k > 0)
      err = bfree(*slot, k, &p->map);
    else
      k = 1;
    if (err == 0)
      memset(slot, 0, k * sizeof(*slot));
  }
  return err;
}

// Free what hangs on *slot, a tree of this depth, at least 1, whose first page is base, as far as it
// lies beyond p->keep: 0 or an error.
static int
prune(struct prune *p, uint *slot, int depth, uint base)
{
  uint b = *slot, span = depth == 2 ? NINDIRECT : 1;
  struct page *pg;
  if (b == 0)
    return 0;
  if (!is_data(b) || b == va_page(slot)->blockno)
    return base >= p->keep ? free_slots(p, slot, 1) : 0;
  drop_map(p);
  int err = bread(b, &pg);
  if (err < 0)
    return err;
  uint *e = page_va(pg), i = base < p->keep ? (p->keep - base) / span : 0;
  uint end = base + NINDIRECT <= p->had ? NINDIRECT : base < p->had ? p->had - base : 0;
  if (depth == 1 && i < end) // no block of data lies behind what there was
    err = free_slots(p, &e[i], end - i);
  for (; depth == 2 && i < NINDIRECT && err == 0; i++)
    if (e[i] != 0)
      err = prune(p, &e[i], 1, base + i * span);
  if (err == 0 && base >= p->keep)
    err = free_slots(p, slot, 1);
  if (*slot)
    log_write(pg);
  else
    cache_remove(0, b, b + 1);
  brelse(pg);
  return err;
}

// Make ip shorter, in one operation. When a block cannot be freed the size stays: 0 or an error.
static int
shorten(struct inode *ip, uint size)
{
  uint *addrs = ip->d->addrs, pages = (ip->d->size + BSIZE - 1ul) / BSIZE;
  struct prune p = { .keep = (size + BSIZE - 1ul) / BSIZE, .had = pages };
  struct page *tail = 0;
  int err = size % BSIZE ? ipage(ip, size / BSIZE, &tail) : 0;
  if (err < 0)
    return err;
  err = prune(&p, &addrs[NDIRECT + 1], 2, NDIRECT + NINDIRECT);
  if (err == 0)
    err = prune(&p, &addrs[NDIRECT], 1, NDIRECT);
  if (err == 0 && p.keep < NDIRECT)
    err = free_slots(&p, &addrs[p.keep], NDIRECT - p.keep);
  drop_map(&p);
  for (uint i = p.keep, b; err < 0 && i < pages; i++) // only what has no block any more
    if (bmap(ip, i, 0, &b, 0) == 0 && b == 0)
      cache_remove(ip->inum, i, i + 1);
  if (err == 0) {
    cache_remove(ip->inum, p.keep, pages);
    ip->d->size = size;
    if (tail && tail->blockno) { // what comes behind the end reads as zeros
      log_write(tail);
      memset((char *)page_va(tail) + size % BSIZE, 0, BSIZE - size % BSIZE);
    }
  }
  iupdate(ip);
  if (tail)
    page_put(tail);
  return err;
}

// The size to which one operation can shorten ip: all the way, unless the blocks may lie all over a
// bitmap that is too long.
static uint64
reach(struct inode *ip, uint64 size)
{
  uint64 end = (ip->d->size + BSIZE - 1ul) / BSIZE * BSIZE;
  return sb.size / BPB < MAPS || end <= size + MAPS * BSIZE ? size : end - MAPS * BSIZE;
}

// Make ip `size` bytes long; what is new reads as zeros. The caller holds no lock and has no operation
// open. 0, -ETXTBSY, -EFBIG, -EROFS, -EIO, -ENOMEM. Sleeps.
int
itruncate(struct inode *ip, uint64 size)
{
  uint64 now, reached = MAXSIZE;
  int err;
  do {
    if ((err = ibegin(ip)) < 0)
      break;
    now = size;
    if (ip->text > 0) {
      err = -ETXTBSY;
    } else if (size > MAXSIZE) {
      err = -EFBIG;
    } else if (size <= ip->d->size) { // when equal, there may be a block of numbers behind the end
      now = reach(ip, size);
      err = shorten(ip, now);
    } else {
      tail_zero(ip);
      ip->d->size = size;
      iupdate(ip);
    }
    iend(ip);
    if (err == 0)
      reached = now;
  } while (err == 0 && now > size);
  file_unmap(ip, reached); // the frames are not the file's any more: nobody finds them again
  return err;
}
