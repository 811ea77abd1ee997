// SPDX-License-Identifier: MIT
// From a frame to the entries that map it, without a list for each frame.
//
// Interface: family_get, family_put, family_join, family_enter, family_leave; rmap_born, rmap_split
// for anonymous frames; rmap_note, rmap_lock, rmap_used, rmap_cut, rmap_unlock for who evicts one,
// rmap_share for who brings one back; rmap_file, rmap_unfile, rmap_each for files.
//
// An anonymous frame is born at one page of one address space and is never mapped at another page;
// but the children of that address space, and theirs, may map it too. All who descend from one exec
// are a family. So a frame's entries are at its page, in the address spaces of its family.
//
//   struct page  --family-->  struct family --> mm --> mm --> mm
//        vpn   ------------------------------------ the same page in each
//
// A frame of a file is looked for in the ranges that map the file: they are in a hash table by inode
// number, and the page's index and the range's offset give the address.
//
// Locks: "family" for a family's members; "filemap" for the ranges of files. The way back goes
// against the usual order (an mm's lock comes first), so it takes an mm by a reference and then
// waits for its lock with no spinlock held, or only tries it.
//
// 1. refs of a family: its address spaces, its frames in policy/queue.c's queue, and those who look
//    at one.
// 2. Whoever has the locks of as many members as a frame has references has all that map it, and
//    nobody has it pinned: a mapping or a pin more needs the lock of one that has the frame.

#include "../file.h"
#include "../proc.h"
#include "rmap.h"
#include "slab.h"

static struct slab families = SLAB(families, family);

#define NHASH 64
static struct list filemaps[NHASH];
static struct spinlock lock = SPINLOCK("filemap");

// ---- families ----

struct family *
family_get(struct family *f)
{
  __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
  return f;
}

void
family_put(struct family *f)
{
  if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) == 0)
    slab_free(&families, f);
}

// mm, which nobody knows yet, is of its parent's family, or with parent 0 makes one. -ENOMEM.
int
family_join(struct mm *mm, struct mm *parent)
{
  struct family *f = parent ? parent->family : slab_alloc(&families);
  if (f == 0)
    return -ENOMEM;
  if (parent == 0) {
    initlock(&f->lock, "family");
    list_init(&f->members);
  }
  mm->family = family_get(f);
  list_init(&mm->kin);
  return 0;
}

// From now on mm is found by way of its frames.
void
family_enter(struct mm *mm)
{
  acquire(&mm->family->lock);
  list_before(&mm->family->members, &mm->kin);
  release(&mm->family->lock);
}

// mm, which maps nothing any more, leaves. Holds mm->lock.
void
family_leave(struct mm *mm)
{
  acquire(&mm->family->lock);
  list_del(&mm->kin);
  release(&mm->family->lock);
  family_put(mm->family);
}

// The frames of a huge page, whose first is pg, count one by one from now on. Each knows its family
// before AF_HUGE goes, since queue_enrol looks at that from another mm.
void
rmap_split(struct page *pg)
{
  for (int i = 1; i < PTES; i++) {
    pg[i].family = pg->family;
    pg[i].vpn = pg->vpn + i;
  }
  __atomic_fetch_and(&pg->flags, ~AF_HUGE, __ATOMIC_SEQ_CST);
  for (int i = 1; i < PTES; i++)
    queue_admit(&pg[i]);
}

// ---- all who map a frame ----

static pte_t *
entry(struct mm *mm, uint64 va, int *level)
{
  *level = 0;
  return walk(mm->pagetable, va, 0, level);
}

static int
maps(struct mm *mm, uint64 va, struct page *pg)
{
  int level;
  pte_t pte = *entry(mm, va, &level);
  return pte_mapped(pte) && pa_page(PTE2PA(pte)) + va % LVLSIZE(level) / PGSIZE == pg;
}

// m becomes the question who maps pg, which stays for as long as this takes. rmap_lock answers it.
void
rmap_note(struct mappers *m, struct page *pg)
{
  m->pg = pg;
  m->family = family_get(family_of(pg));
  m->va = (uint64)pg->vpn << PGSHIFT;
  m->held = 0;
}

// Lock those who map m->pg: as many as can be had without waiting, up to MAPPERS. If it is another's
// frame by now, that is nobody. rmap_unlock ends it.
void
rmap_lock(struct mappers *m)
{
  m->n = 0;
  acquire(&m->family->lock);
  list_each (l, &m->family->members) {
    struct mm *mm = list_entry(l, struct mm, kin);
    if (mm != m->held && !try_acquiresleep(&mm->lock))
      continue;
    if (m->n < MAPPERS && maps(mm, m->va, m->pg)) {
      mm_get(mm);
      m->mm[m->n++] = mm;
    } else if (mm != m->held) {
      releasesleep(&mm->lock);
    }
  }
  release(&m->family->lock);
}

void
rmap_unlock(struct mappers *m)
{
  for (int i = 0; i < m->n; i++) {
    if (m->mm[i] != m->held)
      releasesleep(&m->mm[i]->lock);
    mm_put(m->mm[i]);
  }
  family_put(m->family);
}

// Whether one of them has used the page since this was last asked. Sleeps.
int
rmap_used(struct mappers *m)
{
  int used = 0, level;
  for (int i = 0; i < m->n; i++) {
    pte_t *pte = entry(m->mm[i], m->va, &level);
    if (*pte & PTE_A) { // 4.3.1: clear it, and flush, or the hardware may not set it again
      __atomic_fetch_and(pte, ~PTE_A, __ATOMIC_RELAXED);
      tlb_flush_page(m->mm[i], m->va);
      used = 1;
    }
  }
  return used;
}

// See to it that they map the page by small leaves. Sleeps. -ENOMEM: not all do.
int
rmap_cut(struct mappers *m)
{
  int err = 0;
  for (int i = 0; i < m->n && err == 0; i++)
    err = uvmsplit(m->mm[i], m->va | PGSIZE); // the start of a huge page would need no cut
  return err;
}

// pg has come back for `first`, which is locked: who else of the family has the same swap entry at va
// gets the same frame, if his lock can be had; nobody may write to it.
void
rmap_share(struct page *pg, struct mm *first, uint64 va, pte_t swapped)
{
  struct family *f = first->family;
  int level;
  acquire(&f->lock);
  list_each (l, &f->members) {
    struct mm *mm = list_entry(l, struct mm, kin);
    if (mm == first || !try_acquiresleep(&mm->lock))
      continue;
    pte_t *pte = entry(mm, va, &level);
    if (*pte == swapped) {
      page_get(pg);
      __atomic_store_n(pte, leaf_for(PA2PTE(page_pa(pg)) | PTE_U, vma_find(mm, va)->prot),
                       __ATOMIC_RELEASE);
      mm->swapped--;
      mm->resident++;
      swap_put(swapped);
    }
    releasesleep(&mm->lock);
  }
  release(&f->lock);
}

// ---- files ----

static struct list *
maps_of(uint inum)
{
  struct list *l = &filemaps[inum % NHASH];
  if (l->next == 0)
    list_init(l);
  return l;
}

// v, a range of file v->ip, has come. From now on rmap_each finds v->mm, published or not: the
// caller holds its lock, or like exec runs the file (text_get), so that nobody shortens it or
// stores into it, which is when its mappings are asked for.
void
rmap_file(struct vma *v)
{
  acquire(&lock);
  list_before(maps_of(v->ip->inum), &v->maps);
  release(&lock);
}

// v goes. Nothing of it is mapped.
void
rmap_unfile(struct vma *v)
{
  acquire(&lock);
  list_del(&v->maps);
  release(&lock);
}

// The next mm behind `last`, by address, that maps file inum, with a reference; 0: no more.
static struct mm *
next_mm(uint inum, struct mm *last)
{
  struct mm *best = 0;
  acquire(&lock);
  list_each (l, maps_of(inum)) {
    struct vma *v = list_entry(l, struct vma, maps);
    if (v->ip->inum == inum && v->mm > last && (best == 0 || v->mm < best))
      best = v->mm;
  }
  if (best)
    mm_get(best);
  release(&lock);
  return best;
}

// Call fn for every range that maps file inum, with its mm locked. The caller holds no spinlock, no
// inode and no mm. Sleeps.
void
rmap_each(uint inum, void (*fn)(struct vma *, uint64 arg), uint64 arg)
{
  for (struct mm *mm = 0; (mm = next_mm(inum, mm)) != 0; mm_put(mm)) {
    acquiresleep(&mm->lock);
    for (struct vma *v = vma_next(mm, 0); v; v = vma_next(mm, v->end))
      if (v->ops == &file_ops && v->ip->inum == inum)
        fn(v, arg);
    releasesleep(&mm->lock);
  }
}
