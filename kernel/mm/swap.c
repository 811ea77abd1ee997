// SPDX-License-Identifier: MIT
// Swap: anonymous pages on the second drive. A page of the drive is a slot.
//
// Interface: swap_on, swap_off; swap_fault for a page that is out; swap_get and swap_put for who
// copies or drops an entry; swap_room, swap_out and swap_write for reclaim.c.
//
//   swap_out          the entries that map a frame become entries with its slot; the frame waits
//   swap_write        the frames that wait go to the drive together, then they are free
//   swap_fault        the frame, if it still waits, else a new one that is read
//
//   entry                frame                  slot
//   leaf                 mapped                 none
//   SWAP slot            waiting[] has it       counts its entries, and one more
//   SWAP slot            none                   counts its entries
//
// Nothing is kept in both places: a page that is mapped again has no slot.
//
// Locks: mm->lock for entries; "slots" for counts and waiting[]; waiting[] grows and is written
// under reclaim.c's lock only. "swap" for who turns swap on or off.
//
// 1. A slot's count is its entries, and 1 while waiting[] has it; slot 0 is never used.
// 2. A frame in waiting[] has a reference for it, so whoever maps it again cannot write to it.
// 3. If a write fails, the frames stay where they wait, and nothing is evicted any more.

#include "../proc.h"
#include "rmap.h"

#define PER_FRAME (PGSIZE / sizeof(ushort)) // counts
#define MAXSLOTS  (1u << 20)
#define DRIVE     1

static struct sleeplock control = SLEEPLOCK("swap");
static struct spinlock lock = SPINLOCK("slots"); // this group:
static ushort *counts[MAXSLOTS / PER_FRAME];     //   frames of them
static uint nslots, nfree, last;                 //   of the drive; of these free; given out last
static int closed;                               //   nothing more goes out
static int broken;                               //   a write has failed
static uint nwaiting;
static struct waiting {
  uint slot;
  struct page *pg;
} waiting[DISK_RUN];

static ushort *
count_of(uint slot)
{
  return &counts[slot / PER_FRAME][slot % PER_FRAME];
}

static uint
slot_of(pte_t entry)
{
  return PTE2PA(entry) >> PGSHIFT;
}

// ---- slots: all with lock held ----

static void
drop(uint slot)
{
  assert(*count_of(slot) > 0);
  if (--*count_of(slot) == 0)
    nfree++;
}

// A free slot, behind the last one if possible, counted n times; 0: none.
static uint
take(int n)
{
  if (closed || nfree == 0)
    return 0;
  do
    last = last + 1 < nslots ? last + 1 : 1;
  while (*count_of(last) > 0);
  nfree--;
  *count_of(last) = n;
  return last;
}

static struct waiting *
find(uint slot)
{
  for (uint i = 0; i < nwaiting; i++)
    if (waiting[i].slot == slot)
      return &waiting[i];
  return 0;
}

// Take w out of waiting[].
static void
dismiss(struct waiting *w)
{
  drop(w->slot);
  page_put(w->pg);
  *w = waiting[--nwaiting];
}

// One more entry like this one. Holds the lock of an mm that has it.
void
swap_get(pte_t entry)
{
  acquire(&lock);
  ++*count_of(slot_of(entry));
  release(&lock);
}

// An entry that is not in any table any more. Does not sleep.
void
swap_put(pte_t entry)
{
  uint slot = slot_of(entry);
  acquire(&lock);
  drop(slot);
  struct waiting *w = broken && *count_of(slot) == 1 ? find(slot) : 0;
  if (w)
    dismiss(w);
  release(&lock);
}

// ---- out ----

// Whether something can be evicted.
int
swap_room(void)
{
  return queue.on && !closed && nfree > 0;
}

// m->pg waits to be written: all who map it, which m is, get an entry with its slot for their leaf.
// Holds reclaim.c's lock. How many frames wait; at DISK_RUN they must be written. 0: there is no slot,
// and nothing changed. Sleeps until other harts have flushed.
int
swap_out(struct mappers *m)
{
  acquire(&lock);
  uint slot = take(m->n + 1);
  if (slot)
    waiting[nwaiting++] = (struct waiting){ slot, m->pg };
  release(&lock);
  if (slot == 0)
    return 0;
  for (int i = 0; i < m->n; i++) {
    int level = 0;
    pte_t *pte = walk(m->mm[i]->pagetable, m->va, 0, &level);
    __atomic_store_n(pte, PA2PTE((uint64)slot << PGSHIFT) | PTE_SWAP, __ATOMIC_RELEASE);
    m->mm[i]->resident--;
    m->mm[i]->swapped++;
    tlb_flush_page(m->mm[i], m->va);
    if (i > 0)
      page_put(m->pg); // the first one's reference is waiting's now
  }
  return nwaiting;
}

// Write the frames from *i on whose slots follow each other, in one request. 0 or -EIO.
static int
write_run(uint *i)
{
  struct diskreq req = { .op = DISK_WRITE, .drive = DRIVE, .blockno = waiting[*i].slot };
  for (; *i < nwaiting && waiting[*i].slot == req.blockno + req.n; ++*i)
    req.pages[req.n++] = waiting[*i].pg;
  return disk_io(&req);
}

// Write what waits. Holds reclaim.c's lock. How many frames that made free. Sleeps.
int
swap_write(void)
{
  int err = 0, n = 0;
  if (broken)
    return 0;
  for (uint i = 0; i < nwaiting && err == 0;)
    err = write_run(&i);
  if (err < 0)
    printk("swap: the drive cannot be written: nothing is evicted any more\n");
  acquire(&lock);
  closed |= broken = err < 0;
  for (uint i = nwaiting; i-- > 0;)
    if (err == 0 || *count_of(waiting[i].slot) == 1) { // 1: it is back already
      dismiss(&waiting[i]);
      n++;
    }
  release(&lock);
  vm_count(swap_outs, n);
  return n;
}

// ---- and in ----

// The page in a slot: the frame that waits, if it shall only be read, or a new one. FAULT_NOMEM,
// FAULT_IO. Sleeps.
static enum outcome
fetch(uint slot, int writes, struct page **out)
{
  acquire(&lock);
  struct waiting *w = find(slot);
  struct page *old = w ? w->pg : 0;
  if (old)
    page_get(old);
  release(&lock);
  if ((*out = old) != 0 && !writes)
    return FAULT_DONE;

  struct diskreq req = { .op = DISK_READ, .drive = DRIVE, .blockno = slot, .n = 1 };
  enum outcome result = FAULT_DONE;
  *out = req.pages[0] = page_alloc(PG_ANON);
  if (*out == 0) {
    result = FAULT_NOMEM;
  } else if (old) {
    page_copy(page_va(*out), page_va(old));
  } else if (disk_io(&req) < 0) {
    page_put(*out);
    result = FAULT_IO;
  }
  if (old)
    page_put(old);
  return result;
}

// The page is in swap. Holds mm->lock. FAULT_DONE, FAULT_NOMEM, FAULT_IO. Sleeps.
enum outcome
swap_fault(struct fault *f)
{
  pte_t entry = *f->pte;
  struct page *pg;
  int writes = f->access == ACCESS_WRITE, prot = f->vma->prot;
  enum outcome result = fetch(slot_of(entry), writes, &pg);
  if (result != FAULT_DONE)
    return result;
  if (prot & PROT_EXEC)
    code_written();
  pte_t leaf = leaf_for(PA2PTE(page_pa(pg)) | PTE_U | PTE_A | (writes ? PTE_W | PTE_D : 0), prot);
  __atomic_store_n(f->pte, leaf, __ATOMIC_RELEASE);
  f->mm->swapped--;
  f->mm->resident++;
  rmap_born(pg, f->mm, f->va);
  if (!writes)
    rmap_share(pg, f->mm, f->va, entry);
  swap_put(entry);
  vm_count(swap_in, 1);
  return FAULT_DONE;
}

// ---- on and off: all with control held ----

static void
counts_free(void)
{
  for (uint i = 0; i < MAXSLOTS / PER_FRAME && counts[i]; i++) {
    kfree(counts[i]);
    counts[i] = 0;
  }
}

static int
counts_make(uint n)
{
  for (uint i = 0; i * PER_FRAME < n; i++) {
    if ((counts[i] = kalloc()) == 0) {
      counts_free();
      return -ENOMEM;
    }
    page_zero(counts[i]);
  }
  return 0;
}

// Use the second drive, up to 4 GiB of it. 0; -ENODEV: there is none to write to; -EIO: it is in use
// and has failed; -ENOMEM. Sleeps.
int
swap_on(void)
{
  uint64 n = drives[DRIVE].readonly ? 0 : drives[DRIVE].blocks;
  n = n < MAXSLOTS ? n : MAXSLOTS;
  if (n < 2)
    return -ENODEV;
  acquiresleep(&control);
  int err = broken ? -EIO : nslots ? 0 : counts_make(n);
  if (err == 0 && nslots == 0) {
    nfree = n - 1;
    nslots = n;
    closed = 0;
    queue_start();
  }
  releasesleep(&control);
  return err;
}

// Bring back what mm has in swap. -EIO; -ENOMEM; -EINTR: killed.
static int
bring_back(struct mm *mm)
{
  struct leaves it = { .pagetable = mm->pagetable, .end = USERTOP };
  enum outcome result = FAULT_DONE;
  acquiresleep(&mm->lock);
  while ((result == FAULT_DONE || result == FAULT_RETRY) && !killed(myproc()) && uvmnext(&it)) {
    if (!(*it.pte & PTE_SWAP))
      continue;
    struct fault f = {
      .mm = mm, .vma = vma_find(mm, it.va), .va = it.va, .access = ACCESS_READ, .pte = it.pte
    };
    result = swap_fault(&f);
    vm_count(faults, result == FAULT_DONE);
    if (result == FAULT_NOMEM) {
      result = relieve(mm, 0);
      it.pte = 0; // look again from here on
    }
  }
  releasesleep(&mm->lock);
  return killed(myproc())        ? -EINTR
         : result == FAULT_NOMEM ? -ENOMEM
         : result == FAULT_IO    ? -EIO
                                 : 0;
}

// Bring all back and use the drive no more: 0, or -EIO, -ENOMEM, -EINTR, and swap stays on. Sleeps.
int
swap_off(void)
{
  struct mm *mm;
  int err = 0;
  acquiresleep(&control);
  closed = 1;
  reclaim_evict(0); // what goes out at this moment is out then
  for (uint64 born = 0; err == 0 && nslots && (mm = mm_after(&born)) != 0; mm_put(mm))
    err = bring_back(mm);
  if (err == 0 && nslots) {
    assert(nfree == nslots - 1 && nwaiting == 0);
    queue_stop();
    counts_free();
    nslots = nfree = broken = 0;
  }
  closed = err < 0 && broken;
  releasesleep(&control);
  return err;
}

// The fields of *vs that are about swap.
void
swap_info(struct vmstat *vs)
{
  vs->slots = nslots ? nslots - 1 : 0;
  vs->slots_free = nfree;
}

// The slots of all entries that there must be, by the counts: the sum of their squares, which other
// slots hardly have. True if nothing changes meanwhile. Sleeps while swap is turned on or off.
uint64
swap_squares(void)
{
  uint64 sum = 0;
  acquiresleep(&control);
  for (uint64 i = 1; i < nslots; i++)
    sum += __atomic_load_n(count_of(i), __ATOMIC_RELAXED) * i * i;
  for (uint i = 0; i < __atomic_load_n(&nwaiting, __ATOMIC_RELAXED); i++)
    sum -= (uint64)waiting[i].slot * waiting[i].slot;
  releasesleep(&control);
  return sum;
}
