// SPDX-License-Identifier: MIT
// Stand-in for mm/filemap.c: the first touch of a file's range reads all of it, into frames of its
// own. Two programs share nothing, and MAP_SHARED is refused (ENODEV).

#include "../bio.h"
#include "../defs.h"
#include "../file.h"
#include "../proc.h"
#include "../riscv/hart.h"
#include "mm.h"

static void
file_open(struct vma *v)
{
  idup(v->ip);
  text_get(v->ip, v->flags & VM_TEXT ? 1 : 0);
  rmap_file(v);
}

static void
file_close(struct vma *v)
{
  rmap_unfile(v);
  text_put(v->ip, v->flags & VM_TEXT ? 1 : 0);
  iput(v->ip);
}

// Bring a page of v's file into the cache, with the mm unlocked meanwhile.
static enum outcome
fetch(struct fault *f, uint index)
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

// Map a copy of pg at va, with zeros from byte n on.
static int
map_copy(struct fault *f, uint64 va, struct page *pg, uint64 n)
{
  struct page *own = page_alloc(PG_ANON);
  if (own == 0)
    return -ENOMEM;
  memmove(page_va(own), page_va(pg), n);
  memset((char *)page_va(own) + n, 0, PGSIZE - n);
  struct fault here = { .mm = f->mm,
                        .vma = f->vma,
                        .va = va,
                        .access = f->vma->prot & PROT_WRITE ? ACCESS_WRITE : ACCESS_READ };
  here.pte = walk(f->mm->pagetable, va, 0, &here.level);
  return fault_map(&here, own) == FAULT_DONE ? 0 : -ENOMEM;
}

static enum outcome
file_fault(struct fault *f)
{
  struct vma *v = f->vma;
  for (uint64 va = v->start; va < v->end; va += PGSIZE) {
    int level = 0;
    if (*walk(f->mm->pagetable, va, 0, &level) != 0)
      continue;
    uint index = (v->off + (va - v->start)) / PGSIZE;
    struct page *pg = page_cache_find(v->ip->inum, index);
    if (pg == 0) {
      enum outcome o = fetch(f, index);
      if (o == FAULT_IO && va > f->va)
        break; // the file ends before the range does
      return o;
    }
    uint64 n = v->fend - va < PGSIZE ? v->fend - va : PGSIZE;
    int err = map_copy(f, va, pg, n);
    page_put(pg);
    if (err < 0)
      return FAULT_NOMEM;
  }
  vm_count(file, 1);
  if (v->prot & PROT_EXEC)
    code_written();
  return FAULT_DONE;
}

const struct vma_ops file_ops = {
  .kind = VMA_FILE, .fault = file_fault, .fork = cow_fork, .open = file_open, .close = file_close
};

// Make v a private range of file ip. -ETXTBSY; -ENODEV for a shared one.
int
file_attach(struct vma *v, struct inode *ip, int flags, uint64 off, uint64 fend)
{
  int use = flags & VM_TEXT ? 1 : 0, err = flags & VM_SHARED ? -ENODEV : text_get(ip, use);
  if (err < 0)
    return err;
  v->flags = flags;
  v->ip = ip;
  v->off = off;
  v->fend = fend;
  file_open(v);
  text_put(ip, use);
  return 0;
}

static void
unmap_beyond(struct vma *v, uint64 size)
{
  uint64 from = PGROUNDUP(size);
  if (from < v->off)
    from = v->off;
  if (from - v->off < v->end - v->start)
    uvmunmap(v->mm, v->start + (from - v->off), v->end);
}

// ip has become shorter.
void
file_unmap(struct inode *ip, uint64 size)
{
  rmap_each(ip->inum, unmap_beyond, size);
}

// Nothing below is ever asked for without shared ranges.

enum outcome
file_mkwrite(struct fault *f)
{
  (void)f;
  return FAULT_BAD;
}

void
file_own(struct page *pg)
{
  (void)pg;
}

void
file_disown(struct page *pg)
{
  (void)pg;
}

void
file_wrote(struct page *pg)
{
  (void)pg;
}

int
file_writeback(uint inum, uint from, uint to)
{
  (void)inum, (void)from, (void)to;
  return 0;
}

void
file_start(void)
{
}

void
file_tick(void)
{
}

int
file_urge(void)
{
  return 0;
}
