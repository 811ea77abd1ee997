// SPDX-License-Identifier: MIT
// Files in memory: a page of a file is a frame of the page cache, and a program maps that frame.
//
//   v->start                       v->fend   v->end
//   | pages of the file from v->off | zeros   |          (less than a page of them)
//
// Private (all there is here): a read maps the cache's own frame, read-only, so that all who run a
// program share it; a write copies it. The page that fend cuts is a copy with zeros behind.
//
// Lock: mm->lock. It is released while the disk is read, as that takes the inode's lock.
//
// 1. A frame of the cache is never mapped writable.
// 2. A vma counts in its inode as part of a program that runs: the file can not be written.
// 3. Code that comes into memory is announced before its first leaf is executable.

#include "../bio.h"
#include "../defs.h"
#include "../file.h"
#include "../riscv/hart.h"
#include "mm.h"

static void
file_open(struct vma *v)
{
  idup(v->ip);
  text_get(v->ip);
}

static void
file_close(struct vma *v)
{
  text_put(v->ip);
  iput(v->ip);
}

// Map the file's page under f->va into the cache, with the mm unlocked meanwhile.
static enum outcome
read_page(struct fault *f, uint index)
{
  struct inode *ip = idup(f->vma->ip);
  struct page *pg;
  releasesleep(&f->mm->lock);
  int err = page_cache_get(ip, index, &pg);
  if (err == 0)
    page_put(pg);
  iput(ip);
  acquiresleep(&f->mm->lock);
  return err == 0 ? FAULT_RETRY : err == -ENOMEM ? FAULT_NOMEM : FAULT_IO;
}

// A copy of cache frame pg with zeros from byte n on, for this address space alone.
static enum outcome
map_copy(struct fault *f, struct page *pg, uint64 n)
{
  struct page *own = page_alloc(PG_ANON);
  if (own == 0)
    return FAULT_NOMEM;
  if (n >= PGSIZE) {
    page_copy(page_va(own), page_va(pg));
  } else {
    memmove(page_va(own), page_va(pg), n);
    memset((char *)page_va(own) + n, 0, PGSIZE - n);
  }
  return fault_map(f, own);
}

static enum outcome
file_fault(struct fault *f)
{
  struct vma *v = f->vma;
  uint index = (v->off + (f->va - v->start)) / PGSIZE;
  struct page *pg = page_cache_find(v->ip->inum, index);
  if (pg == 0)
    return read_page(f, index);
  if ((v->prot & PROT_EXEC) && !__atomic_load_n(&pg->exec, __ATOMIC_ACQUIRE)) {
    code_written();
    __atomic_store_n(&pg->exec, 1, __ATOMIC_RELEASE);
  }
  if (f->access != ACCESS_WRITE && v->fend - f->va >= PGSIZE)
    return fault_map(f, pg);
  enum outcome result = map_copy(f, pg, v->fend - f->va);
  page_put(pg);
  return result;
}

const struct vma_ops file_ops = {
  .name = "file", .fault = file_fault, .fork = cow_fork, .open = file_open, .close = file_close
};

// Add a private range of a file: bytes from off (page-aligned) on, zeros from address fend on. The
// vma takes references of its own. Holds mm->lock. 0: no memory.
struct vma *
file_map(struct mm *mm, uint64 start, uint64 end, int prot, struct inode *ip, uint64 off,
         uint64 fend)
{
  struct vma *v = vma_add(mm, start, end, prot, &file_ops);
  if (v == 0)
    return 0;
  v->ip = ip;
  v->off = off;
  v->fend = fend;
  file_open(v);
  return v;
}
