// SPDX-License-Identifier: MIT
// The bytes of files: reading and writing them through the page cache.
//
// Interface: readi, writei for system calls and directories; page_cache_get for mappings; ipage.
//
// A page of a file is in the cache under (inum, index). Its block is in page.blockno; 0 while it is
// a hole, which reads as zeros and gets a block when it is written.
//
// Locks: the inode's, held by the caller (page_cache_get takes it when it has to). Whoever reads
// copies from valid pages without locking them; whoever writes has the inode locked, in an
// operation.
//
// 1. A page becomes VALID only when all its bytes are right, since a mapping may look at once.
// 2. A block is allocated only when its page is at hand, and goes to the disk by the same
//    transaction as the page: nobody ever reads what a block held before.
// 3. Bytes of the last page beyond the file's end are zero.
// 4. User memory is opened before the inode is locked: no copy here can fault. One that is cut short
//    ends the call with what was done; if that is nothing, a hole is still a hole.

#include "file.h"

#define WRITE_ROOM 9 // blocks that writing one more page can log: the page, bmap's, the inode

// How many pages from `index` on to read at once, as far as reading ahead makes sense.
static uint
window(struct inode *ip, uint index)
{
  uint left = (ip->d->size + BSIZE - 1ul) / BSIZE - index;
  ip->window = index != ip->nextread ? 1 : ip->window < 4 ? 4 : ip->window * 2;
  if (ip->window > DISK_RUN)
    ip->window = DISK_RUN;
  return ip->window < left ? ip->window : left;
}

// Make a page that is not cached: from its block and, when it is read in sequence, the ones behind
// it; or, where there is a hole, of zeros.
static int
fill_page(struct inode *ip, uint index, struct page **out)
{
  uint b, n = window(ip, index);
  int err = bmap(ip, index, 0, &b, &n);
  ip->nextread = index + n;
  if (err < 0)
    return err;
  if (b)
    return cache_fill(ip->inum, index, b, n, out);
  if ((err = cache_lock(ip->inum, index, out)) < 0)
    return err;
  page_zero(page_va(*out));
  page_ready(*out);
  return 0;
}

// Page `index` < MAXFILE of ip, valid, with a reference. 0, -EIO or -ENOMEM. The caller has ip
// locked. Sleeps.
int
ipage(struct inode *ip, uint index, struct page **out)
{
  *out = page_cache_find(ip->inum, index);
  return *out ? 0 : fill_page(ip, index, out);
}

// The same for a mapping, by a caller that holds no spinlock and no inode: also -EIO for a page
// wholly beyond the end of the file.
int
page_cache_get(struct inode *ip, uint index, struct page **out)
{
  if ((*out = page_cache_find(ip->inum, index)) != 0)
    return 0;
  int err = ilock(ip);
  if (err < 0)
    return err;
  err = (uint64)index * BSIZE < ip->d->size ? ipage(ip, index, out) : -EIO;
  iunlock(ip);
  return err;
}

// Copy up to n bytes from off on to the front of dst: how many, less at the end of the file or when
// a later page fails; -EIO or -ENOMEM when the first does. The caller has ip locked. Sleeps.
int
readi(struct inode *ip, struct span *dst, uint64 off, uint n)
{
  if (off >= ip->d->size)
    return 0;
  if (n > ip->d->size - off)
    n = ip->d->size - off;
  uint64 done = 0;
  while (done < n) {
    struct page *pg;
    uint64 at = off % BSIZE, m = BSIZE - at < n - done ? BSIZE - at : n - done;
    int err = ipage(ip, off / BSIZE, &pg);
    if (err < 0)
      return done ? (int)done : err;
    uint64 got = span_put(dst, done, (char *)page_va(pg) + at, m);
    page_put(pg);
    done += got;
    off += got;
    if (got < m)
      break;
  }
  return done;
}

// ip is about to grow: what programs have stored behind its end through a mapping is not the file's.
// The caller has ip locked. Does not sleep.
void
tail_zero(struct inode *ip)
{
  uint used = ip->d->size % BSIZE;
  struct page *pg = used ? page_cache_find(ip->inum, ip->d->size / BSIZE) : 0;
  if (pg) {
    memset((char *)page_va(pg) + used, 0, BSIZE - used);
    page_put(pg);
  }
}

// See to it that pg, page `index` of ip, has a block: 0 or as bmap.
static int
have_block(struct inode *ip, uint index, struct page *pg)
{
  uint b;
  if (pg->blockno)
    return 0;
  int err = bmap(ip, index, 1, &b, 0);
  if (err == 0)
    pg->blockno = b;
  return err;
}

// How many of n bytes, which lie in one page, were written; or an error. A page that is written whole is
// not read before.
static int
write_page(struct inode *ip, struct span *src, uint from, uint64 off, uint n)
{
  uint index = off / BSIZE;
  struct page *pg = page_cache_find(ip->inum, index);
  int err = pg ? 0 : n == BSIZE ? cache_lock(ip->inum, index, &pg) : fill_page(ip, index, &pg);
  if (err < 0)
    return err;
  int valid = pg->flags & PF_VALID;
  char *to = (char *)page_va(pg) + off % BSIZE;
  uint got = span_take(src, from, to, n);
  if (got > 0 && (valid || got == n) && (err = have_block(ip, index, pg)) == 0) {
    log_write(pg);
    if (!valid)
      page_ready(pg);
    err = got;
  } else if (!valid) {
    page_unlock(pg);
  } else if (pg->blockno == 0) {
    memset(to, 0, got); // it stays a hole
  }
  page_put(pg);
  return err;
}

// Copy up to n bytes of src, from its byte `from` on, to off: how many; less when the operation is
// full (do the rest in another), or at the largest size, on a full disk, or when a later page
// fails. If nothing was written: -EFBIG, -ENOSPC, -EIO, -ENOMEM, or -ETXTBSY. The caller has ip
// locked, in an operation. Sleeps.
int
writei(struct inode *ip, struct span *src, uint from, uint64 off, uint n)
{
  uint done = 0;
  int err = 0;
  if (ip->text > 0)
    return -ETXTBSY;
  if (off >= MAXSIZE)
    return n ? -EFBIG : 0;
  if (n > MAXSIZE - off)
    n = MAXSIZE - off;
  if (off + n > ip->d->size)
    tail_zero(ip);
  while (done < n && myproc()->opleft > WRITE_ROOM) {
    uint m = BSIZE - off % BSIZE;
    if (m > n - done)
      m = n - done;
    if ((err = write_page(ip, src, from + done, off, m)) <= 0)
      break;
    done += err;
    off += err;
    if (off > ip->d->size) {
      ip->d->size = off;
      iupdate(ip);
    }
  }
  return done ? (int)done : err;
}

// Make page `index` of ip ready for stores through a mapping: its block is there, and mm/filemap.c
// knows of it. 0, -EIO beyond the end, -ENOSPC, -ENOMEM, -EROFS. The caller holds nothing. Sleeps.
int
page_cache_own(struct inode *ip, uint index)
{
  struct page *pg;
  int err = ibegin(ip);
  if (err < 0)
    return err;
  err = (uint64)index * BSIZE < ip->d->size ? ipage(ip, index, &pg) : -EIO;
  if (err == 0) {
    if ((err = have_block(ip, index, pg)) == 0) {
      log_write(pg);
      file_own(pg);
    }
    page_put(pg);
  }
  iend(ip);
  return err;
}
