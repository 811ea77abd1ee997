// SPDX-License-Identifier: MIT
// mmap() and its relatives: ranges made, removed and changed at a program's wish.
//
// Each call decodes first: everything that can be wrong is found, and everything that is needed is
// there, before anything changes. Then it performs, and cannot fail any more, but for frames that are
// wanted at once (MAP_POPULATE, MAP_HUGETLB): without them the range goes again. What a range is made
// of is somebody else's business (anon.c, filemap.c, shm.c, huge.c).
//
//   heap -->        <-- hint   | mapped | hole | mapped |   MMAPTOP
//                              new ranges go below hint; when there is no room left, into holes
//
// Lock: mm->lock.
//
// 1. Nothing a program asks for touches what lies below PGSIZE or from UPIDPAGE on.
// 2. A range of a file that was not opened for writing never becomes writable when it is shared.

#include "../file.h"
#include "../proc.h"
#include "../stat.h"

// The pages that [addr, addr+len) touches: 0, or -EINVAL when addr is not a page's or the range leaves
// the space for programs.
static int
range_of(uint64 addr, uint64 len, uint64 *end)
{
  *end = PGROUNDUP(addr + len);
  return addr % PGSIZE || len > UPIDPAGE || addr > UPIDPAGE - PGROUNDUP(len) ? -EINVAL : 0;
}

// Whether ranges cover all of [start, end): 0 or -ENOMEM.
static int
covered(struct mm *mm, uint64 start, uint64 end)
{
  while (start < end) {
    struct vma *v = vma_find(mm, start);
    if (v == 0)
      return -ENOMEM;
    start = v->end;
  }
  return 0;
}

// ---- mmap ----

// Room for len bytes below *at: its start, or 0. *at moves down to where it was found.
static uint64
room_below(struct mm *mm, uint64 *at, uint64 len, uint64 align)
{
  while (*at > len && *at - len >= mm->brk + PGSIZE) {
    uint64 start = (*at - len) & ~(align - 1);
    struct vma *v = vma_next(mm, start);
    if (v == 0 || v->start >= start + len)
      return start;
    *at = v->start;
  }
  return 0;
}

// Where a new range of len bytes goes: its start, or -ENOMEM.
static int64
place(struct mm *mm, uint64 addr, uint64 len, int flags)
{
  uint64 align = (flags & MAP_ANON) && len >= HUGESIZE ? HUGESIZE : PGSIZE, top = MMAPTOP;
  if (flags & MAP_FIXED)
    return addr;
  if (addr >= mm->brk + PGSIZE && len <= MMAPTOP && addr <= MMAPTOP - len) { // a wish
    struct vma *v = vma_next(mm, addr);
    if (v == 0 || v->start >= addr + len)
      return addr;
  }
  uint64 start = room_below(mm, &mm->hint, len, align);
  if (start == 0 && (start = room_below(mm, &top, len, align)) == 0)
    return -ENOMEM;
  return start;
}

struct request {
  uint64 addr, len;
  int prot, flags;
  struct file *f; // 0: anonymous
  uint64 off;
};

static int
prot_ok(int prot)
{
  if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
    return -EINVAL;
  return (prot & PROT_WRITE) && (prot & PROT_EXEC) ? -EACCES : 0;
}

static int
flags_ok(struct request *r)
{
  int kind = r->flags & (MAP_SHARED | MAP_PRIVATE);
  int known = MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANON | MAP_POPULATE | MAP_HUGETLB;
  if (r->flags & ~known || (kind != MAP_SHARED && kind != MAP_PRIVATE))
    return -EINVAL;
  int hugeok = (r->flags & MAP_ANON) && kind == MAP_PRIVATE && (r->len | r->addr) % HUGESIZE == 0;
  return (r->flags & MAP_HUGETLB) && !hugeok ? -EINVAL : 0;
}

// Whether the file may be mapped like this.
static int
file_ok(struct request *r)
{
  if (r->f->type != FD_INODE)
    return -ENODEV;
  if (r->off % PGSIZE)
    return -EINVAL;
  if (r->off > MAXSIZE || r->len > PGROUNDUP(MAXSIZE - r->off))
    return -EOVERFLOW;
  if (!r->f->readable || ((r->flags & MAP_SHARED) && (r->prot & PROT_WRITE) && !r->f->writable))
    return -EACCES;
  return r->f->ip->d->type == T_FILE ? 0 : -ENODEV;
}

static int
request_ok(struct request *r)
{
  uint64 end;
  int err = flags_ok(r);
  if (err == 0)
    err = prot_ok(r->prot);
  if (err < 0 || r->len == 0)
    return err < 0 ? err : -EINVAL;
  if (r->len > UPIDPAGE)
    return -ENOMEM;
  if ((r->flags & MAP_FIXED) && (range_of(r->addr, r->len, &end) < 0 || r->addr < PGSIZE))
    return -EINVAL;
  r->len = PGROUNDUP(r->len);
  r->addr = PGROUNDDOWN(r->addr);
  return r->f ? file_ok(r) : 0;
}

// A range as asked for, not yet in mm. -ENOMEM, -ETXTBSY.
static int
make_vma(struct mm *mm, struct request *r, uint64 start, struct vma **out)
{
  int shared = r->flags & MAP_SHARED ? VM_SHARED : 0, err = 0;
  int prot = r->prot & PROT_WRITE ? r->prot | PROT_READ : r->prot;
  const struct vma_ops *ops = r->f ? &file_ops : shared ? &shm_ops : &anon_ops;
  struct vma *v = *out = vma_new(mm, start, start + r->len, prot, ops);
  if (v == 0)
    return -ENOMEM;
  if (r->f)
    err = file_attach(v, r->f->ip, shared | (shared && r->f->writable ? VM_MAYWRITE : 0), r->off,
                      v->end);
  else if (shared)
    err = shm_attach(v);
  else
    v->flags = r->flags & MAP_HUGETLB ? VM_HUGETLB | VM_HUGEPAGE : 0;
  if (err < 0)
    vma_drop(v);
  return err;
}

// Make the range: its start, -ENOMEM, -ETXTBSY.
static int64
map(struct mm *mm, struct request *r)
{
  struct vma *v = 0;
  int now = (r->flags & (MAP_POPULATE | MAP_HUGETLB)) && r->prot != PROT_NONE;
  if (now && r->len / PGSIZE > kfree_frames() + cache_frames)
    return -ENOMEM; // before anything is replaced
  int64 start = place(mm, r->addr, r->len, r->flags);
  int err = start < 0 ? start : make_vma(mm, r, start, &v);
  if (err < 0)
    return err;
  if ((r->flags & MAP_FIXED) && (err = vma_clear(mm, start, v->end)) < 0) {
    v->left = mm->dead; // mm_unlock closes it
    mm->dead = v;
    return err;
  }
  vma_insert(mm, v);
  if (now)
    err = mm_populate(mm, start, start + r->len,
                      v->prot & PROT_WRITE  ? ACCESS_WRITE
                      : v->prot & PROT_READ ? ACCESS_READ
                                            : ACCESS_EXEC);
  if (err == -ENOMEM || (err < 0 && r->flags & MAP_HUGETLB)) {
    vma_clear(mm, start, start + r->len);
    return -ENOMEM;
  }
  return start;
}

// mmap(addr, len, prot, flags, fd, off): where it is. -EINVAL, -EACCES, -EBADF, -ENODEV, -EOVERFLOW,
// -ENOMEM, -ETXTBSY. May sleep.
int64
sys_mmap(void)
{
  struct mm *mm = myproc()->mm;
  struct request r = {
    .addr = arg(0), .len = arg(1), .prot = argint(2), .flags = argint(3), .off = arg(5)
  };
  if (!(r.flags & MAP_ANON) && (r.f = fd_get(argint(4))) == 0)
    return -EBADF;
  int64 result = request_ok(&r);
  if (result == 0) {
    acquiresleep(&mm->lock);
    result = map(mm, &r);
    mm_unlock(mm);
  }
  fileclose(r.f);
  return result;
}

// munmap(addr, len): -EINVAL, or -ENOMEM when a hole needs one more range than there may be.
int64
sys_munmap(void)
{
  struct mm *mm = myproc()->mm;
  uint64 end, start = arg(0);
  if (arg(1) == 0 || range_of(start, arg(1), &end) < 0)
    return -EINVAL;
  acquiresleep(&mm->lock);
  int err = vma_clear(mm, start, end);
  if (err == 0 && end > mm->hint && end <= MMAPTOP)
    mm->hint = end;
  mm_unlock(mm);
  return err;
}

// ---- mprotect ----

static int
protect_ok(struct mm *mm, uint64 start, uint64 end, int prot)
{
  int err = covered(mm, start, end);
  for (struct vma *v; err == 0 && start < end; start = v->end) {
    v = vma_find(mm, start);
    if ((prot & PROT_WRITE) && v->ops == &file_ops && (v->flags & VM_SHARED) &&
        !(v->flags & VM_MAYWRITE))
      err = -EACCES;
  }
  return err;
}

// mprotect(addr, len, prot): -EINVAL, -EACCES for a file or for W with X, -ENOMEM for a hole.
int64
sys_mprotect(void)
{
  struct mm *mm = myproc()->mm;
  uint64 end, start = arg(0);
  int prot = argint(2), err = prot_ok(prot);
  if (err == 0)
    err = range_of(start, arg(1), &end);
  if (err < 0 || start == end)
    return err;
  if (prot & PROT_WRITE)
    prot |= PROT_READ;
  acquiresleep(&mm->lock);
  err = protect_ok(mm, start, end, prot);
  if (err == 0)
    err = vma_isolate(mm, start, end);
  if (err == 0) {
    for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(mm, v->end))
      v->prot = prot;
    if (prot & PROT_EXEC)
      code_written(); // by a program, perhaps
    uvmprotect(mm, start, end, prot);
    vma_merge(mm, start, end);
  }
  releasesleep(&mm->lock);
  return err;
}

// ---- msync, mincore ----

// The first shared file range at or behind *va, before end: its inode with a reference, the pages
// of the file in [*from, *to), and *va behind it. 0: no more; -ENOMEM: a hole before.
static int
next_shared(struct mm *mm, uint64 *va, uint64 end, struct inode **ip, uint *from, uint *to)
{
  while (*va < end) {
    struct vma *v = vma_find(mm, *va);
    if (v == 0)
      return -ENOMEM;
    uint64 first = *va, last = v->end < end ? v->end : end;
    *va = last;
    if (v->ops == &file_ops && v->flags & VM_SHARED) {
      *ip = idup(v->ip);
      *from = (v->off + (first - v->start)) / PGSIZE;
      *to = (v->off + (last - v->start)) / PGSIZE;
      return 1;
    }
  }
  return 0;
}

// msync(addr, len, flags): -EINVAL, -ENOMEM for a hole, -EIO, -EROFS. Sleeps.
int64
sys_msync(void)
{
  struct mm *mm = myproc()->mm;
  uint64 end, va = arg(0);
  int flags = argint(2), mode = flags & (MS_ASYNC | MS_SYNC), err = range_of(va, arg(1), &end),
      more;
  if (err < 0 || flags & ~(MS_ASYNC | MS_SYNC | MS_INVALIDATE) ||
      (mode != MS_ASYNC && mode != MS_SYNC))
    return -EINVAL;
  do {
    struct inode *ip;
    uint from, to;
    acquiresleep(&mm->lock);
    more = next_shared(mm, &va, end, &ip, &from, &to);
    releasesleep(&mm->lock);
    if (more > 0) {
      int e = file_writeback(ip->inum, from, to);
      err = err < 0 ? err : e;
      iput(ip);
    }
  } while (more > 0);
  if (more == 0 && err == 0 && mode == MS_SYNC)
    err = log_sync();
  return more < 0 ? more : err;
}

static int
in_core(struct mm *mm, uint64 va)
{
  struct vma *v = vma_find(mm, va);
  int level = 0;
  if (pte_mapped(*walk(mm->pagetable, va, 0, &level)))
    return 1;
  struct page *pg =
      v->ops == &file_ops ? page_cache_find(v->ip->inum, (v->off + (va - v->start)) / PGSIZE) : 0;
  if (pg)
    page_put(pg);
  return pg != 0;
}

// mincore(addr, len, vec): a byte for each page. -EINVAL, -ENOMEM for a hole, -EFAULT.
int64
sys_mincore(void)
{
  struct mm *mm = myproc()->mm;
  uchar vec[128];
  uint64 end, va = arg(0), to = arg(2);
  int err = range_of(va, arg(1), &end);
  while (err == 0 && va < end) {
    uint n = 0;
    acquiresleep(&mm->lock);
    err = covered(mm, va, end);
    for (; err == 0 && va < end && n < sizeof(vec); va += PGSIZE)
      vec[n++] = in_core(mm, va);
    releasesleep(&mm->lock);
    if (err == 0)
      err = copyout(mm, to, vec, n);
    to += n;
  }
  return err;
}

// ---- madvise ----

static int
set_flags(struct mm *mm, uint64 start, uint64 end, int on, int off)
{
  int err = vma_isolate(mm, start, end);
  for (struct vma *v = vma_find(mm, start); err == 0 && v && v->start < end;
       v = vma_next(mm, v->end))
    v->flags = (v->flags | on) & ~off;
  return err;
}

static int
forget(struct mm *mm, uint64 start, uint64 end)
{
  int err = uvmsplit(mm, start);
  if (err == 0)
    err = uvmsplit(mm, end);
  if (err == 0)
    uvmunmap(mm, start, end);
  return err;
}

// Bring in what is in a file or in swap; that it fails is no error.
static int
bring_in(struct mm *mm, uint64 start, uint64 end)
{
  for (uint64 va = start; va < end; va += PGSIZE) {
    struct vma *v = vma_find(mm, va);
    int level = 0;
    if (v && v->prot & PROT_READ &&
        (v->ops == &file_ops || *walk(mm->pagetable, va, 0, &level) & PTE_SWAP))
      mm_populate(mm, va, va + PGSIZE, ACCESS_READ);
  }
  return 0;
}

// madvise(addr, len, advice): -EINVAL, -ENOMEM for a hole or for no memory to split with. Sleeps.
int64
sys_madvise(void)
{
  struct mm *mm = myproc()->mm;
  uint64 end, start = arg(0);
  int err = range_of(start, arg(1), &end);
  if (err < 0)
    return err;
  acquiresleep(&mm->lock);
  err = covered(mm, start, end);
  if (err == 0 && start < end)
    switch (argint(2)) {
    case MADV_NORMAL: break;
    case MADV_WILLNEED: err = bring_in(mm, start, end); break;
    case MADV_DONTNEED: err = forget(mm, start, end); break;
    case MADV_HUGEPAGE: err = set_flags(mm, start, end, VM_HUGEPAGE, VM_NOHUGE); break;
    case MADV_NOHUGEPAGE: err = set_flags(mm, start, end, VM_NOHUGE, VM_HUGEPAGE); break;
    case MADV_PAGEOUT: err = reclaim_range(mm, start, end); break;
    case MADV_COLLAPSE:
      bring_in(mm, start, end);
      err = huge_collapse(mm, start, end);
      break;
    default: err = -EINVAL;
    }
  mm_unlock(mm);
  return err;
}
