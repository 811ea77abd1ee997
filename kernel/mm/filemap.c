// SPDX-License-Identifier: MIT
// Files in memory: a page of a file is a frame of the page cache, and a program maps that frame. So
// read(), exec and all mappings see the same bytes.
//
//   v->start                       v->fend   v->end
//   | pages of the file from v->off | zeros   |          (less than a page of them)
//
// Private: a read maps the cache's own frame, read-only, so that all who run a program share it; a
// write copies it. The page that fend cuts is a copy with zeros behind.
//
// Shared: a write lets the program store into the cache's frame. How such stores come to the disk:
//
//   a page that mappings have      leaves     what moves it on
//   clean                          no W       a store faults: file_mkwrite gives it a block, marks
//                                             it WRITABLE and lets this leaf have W
//   WRITABLE, one reference more   W, maybe D write_back: WRITABLE off first, then W and D off
//                                             everywhere, and if there was a D (or DIRTY, what a
//                                             leaf that went has left) the page is logged
//
// write_back is done by msync, fsync, sync and, once a second, by the thread writeback.
//
// Locks: mm->lock. It is released while the disk is read or an operation is open, as that takes the
// inode's lock.
//
// 1. A frame of the cache is mapped writable only in a shared range, and while it is WRITABLE or
//    write_back is looking for it.
// 2. A vma of a program that runs counts in its inode, one that may store into the file too, and
//    the two exclude each other.
// 3. Code that comes into memory is announced before its first leaf is executable.

#include "../proc.h"
#include "../file.h"

static uint nwritable;                               // pages that are WRITABLE; atomic
static struct spinlock lock = SPINLOCK("writeback"); // this group:
static uint64 passes, since;                         //   of the thread, and when the last one ended

// What a range is to its inode: see text_get.
static int
use_of(struct vma *v)
{
  return v->flags & VM_TEXT ? 1 : v->flags & VM_MAYWRITE ? -1 : 0;
}

static void
file_open(struct vma *v)
{
  idup(v->ip);
  text_get(v->ip, use_of(v)); // cannot fail: another range does the same
  rmap_file(v);
}

static void
file_close(struct vma *v)
{
  rmap_unfile(v);
  text_put(v->ip, use_of(v));
  iput(v->ip);
}

static uint
index_of(struct vma *v, uint64 va)
{
  return (v->off + (va - v->start)) / PGSIZE;
}

// Bring the file's page under f->va into the cache, and with own make it ready for stores, with the
// mm unlocked meanwhile.
static enum outcome
fetch(struct fault *f, int own)
{
  struct inode *ip = idup(f->vma->ip);
  uint index = index_of(f->vma, f->va);
  struct page *pg;
  releasesleep(&f->mm->lock);
  int err = own ? page_cache_own(ip, index) : page_cache_get(ip, index, &pg);
  if (err == 0 && !own)
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
    vm_count(frames_copied, 1);
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
  uint index = index_of(v, f->va);
  struct page *pg = page_cache_find(v->ip->inum, index);
  if (pg == 0)
    return fetch(f, 0);
  uint changing = __atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) & (PF_LOGGED | PF_WRITABLE);
  if ((v->prot & PROT_EXEC) && (changing || !__atomic_load_n(&pg->exec, __ATOMIC_ACQUIRE))) {
    code_written();
    __atomic_store_n(&pg->exec, 1, __ATOMIC_RELEASE);
  }
  if (f->access == ACCESS_WRITE && (v->flags & VM_SHARED)) {
    f->access = ACCESS_READ; // file_mkwrite sees to the rest
    enum outcome result = fault_map(f, pg);
    f->access = ACCESS_WRITE;
    return result == FAULT_DONE ? FAULT_RETRY : result;
  }
  vm_count(file, 1);
  if (f->access != ACCESS_WRITE && v->fend - f->va >= PGSIZE)
    return fault_map(f, pg);
  enum outcome result = map_copy(f, pg, v->fend - f->va);
  page_put(pg);
  return result;
}

// A store to a leaf of a shared range that is not writable: the page is clean, or write_back has
// just taken W away.
enum outcome
file_mkwrite(struct fault *f)
{
  uint flags = __atomic_load_n(&pa_page(PTE2PA(*f->pte))->flags, __ATOMIC_ACQUIRE);
  if (!(flags & PF_CACHED)) { // cut off, and then the disk failed: nobody unmapped it
    uvmunmap(f->mm, f->va, f->va + PGSIZE);
    return FAULT_RETRY;
  }
  if (f->vma->ops == &file_ops && !(flags & PF_WRITABLE))
    return fetch(f, 1);
  __atomic_fetch_or(f->pte, PTE_W | PTE_A | PTE_D, __ATOMIC_RELAXED);
  tlb_gained(f->mm, f->va);
  vm_count(mkwrite, 1);
  return FAULT_DONE;
}

const struct vma_ops file_ops = {
  .kind = VMA_FILE, .fault = file_fault, .fork = cow_fork, .open = file_open, .close = file_close
};

// Make v, which is not in its mm yet, a range of file ip: bytes from off (page-aligned) on, zeros
// from address fend on. It takes references of its own. 0, or -ETXTBSY.
int
file_attach(struct vma *v, struct inode *ip, int flags, uint64 off, uint64 fend)
{
  v->flags = flags;
  v->ip = ip;
  v->off = off;
  v->fend = fend;
  int err = text_get(ip, use_of(v));
  if (err == 0) {
    idup(ip);
    rmap_file(v);
  }
  return err;
}

// ---- stores on their way to the disk ----

// pg is not in the cache any more: nothing of it will be written back.
void
file_disown(struct page *pg)
{
  if (__atomic_fetch_and(&pg->flags, ~PF_WRITABLE, __ATOMIC_ACQ_REL) & PF_WRITABLE) {
    __atomic_fetch_sub(&nwritable, 1, __ATOMIC_RELAXED);
    page_put(pg);
  }
}

// pg has its block, and somebody wants to store into it. The caller has its inode locked.
void
file_own(struct page *pg)
{
  if (__atomic_fetch_or(&pg->flags, PF_WRITABLE, __ATOMIC_ACQ_REL) & PF_WRITABLE)
    return;
  page_get(pg);
  __atomic_fetch_add(&nwritable, 1, __ATOMIC_RELAXED);
  if (!(__atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) & PF_CACHED))
    file_disown(pg); // it has just left, as by a truncation
}

// The kernel has stored into pg, a pinned page of a shared range, for a program.
void
file_wrote(struct page *pg)
{
  if (pg->inum >= NO_FILE)
    return;
  page_set(pg, PF_DIRTY);
  file_own(pg);
}

// Take W and D off the page with index arg of v's file.
static void
protect(struct vma *v, uint64 arg)
{
  uint64 at = arg * PGSIZE;
  int level = 0;
  if (!(v->flags & VM_SHARED) || at < v->off || at - v->off >= v->end - v->start)
    return;
  uint64 va = v->start + (at - v->off);
  pte_t *pte = walk(v->mm->pagetable, va, 0, &level);
  if (!pte_mapped(*pte) || !(*pte & (PTE_W | PTE_D)))
    return;
  pte_t old = __atomic_fetch_and(pte, ~(PTE_W | PTE_D), __ATOMIC_ACQ_REL);
  tlb_flush_page(v->mm, va);
  old |= __atomic_fetch_and(pte, ~PTE_D, __ATOMIC_ACQ_REL); // until the flush it could be set again
  if (old & PTE_D)
    page_set(pa_page(PTE2PA(old)), PF_DIRTY);
}

// Log pg, which is dirty, unless it is no page of its file any more.
static int
log_page(struct page *pg)
{
  struct inode *ip;
  int err = iget(pg->inum, &ip);
  if (err < 0)
    return err;
  if ((err = ibegin(ip)) == 0) {
    uint64 at = (uint64)pg->index * PGSIZE, size = ip->d->size;
    if ((__atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) & PF_CACHED) && at < size) {
      if (size - at < PGSIZE)
        memset((char *)page_va(pg) + (size - at), 0, PGSIZE - (size - at));
      page_clear(pg, PF_DIRTY);
      log_write(pg);
    }
    iend(ip);
  }
  iput(ip);
  return err;
}

static int
write_back(struct page *pg)
{
  file_disown(pg);
  rmap_each(pg->inum, protect, pg->index);
  int err = __atomic_load_n(&pg->flags, __ATOMIC_ACQUIRE) & PF_DIRTY ? log_page(pg) : 0;
  if (err == -ENOMEM)
    file_wrote(pg); // another time
  return err;
}

// Give the log what programs have stored into pages from <= index < to of file inum through
// mappings; with inum 0, of all files. 0, -EIO, -EROFS. The caller holds nothing. Sleeps.
int
file_writeback(uint inum, uint from, uint to)
{
  struct page *pg;
  int err = 0;
  uint left = nwritable; // and not those that become writable meanwhile
  for (uint i = 0; left-- > 0 && (pg = cache_writable(inum, from, to, &i)) != 0; page_put(pg)) {
    int e = write_back(pg);
    err = err < 0 ? err : e;
  }
  return err;
}

// The thread writeback.
static void
writeback(void)
{
  for (;;) {
    acquire(&lock);
    since = r_time();
    passes++;
    wakeup(&passes);
    sleep(&since, &lock);
    release(&lock);
    file_writeback(0, 0, 0);
    log_sync();
  }
}

// Called once, when there are processes.
void
file_start(void)
{
  kthread(writeback, "writeback");
}

// Called by the timer interrupt: what was stored is on its way after a second.
void
file_tick(void)
{
  if (nwritable > 0 && r_time() - since > machine.timebase)
    wakeup(&since);
}

// Memory is short: have pages written, so that they can be dropped. 0: there are none. The caller
// holds nothing. Sleeps.
int
file_urge(void)
{
  if (nwritable == 0 && log_dirty() == 0)
    return 0;
  acquire(&lock);
  for (uint64 was = passes; passes == was && !killed(myproc());) {
    wakeup(&since);
    sleep(&passes, &lock);
  }
  release(&lock);
  return 1;
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

// ip has become shorter, and the pages beyond size are not in the cache any more: unmap them
// everywhere, private copies too. The caller holds nothing. Sleeps.
void
file_unmap(struct inode *ip, uint64 size)
{
  rmap_each(ip->inum, unmap_beyond, size);
}
