// SPDX-License-Identifier: MIT
// From a frame to the entries that map it, without a list for each frame.
//
// Interface: family_join, family_leave, rmap_born, rmap_split, rmap_gone for anonymous
// frames; rmap_file, rmap_unfile, rmap_each for files.
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
// 1. refs of a family: its members and the frames born in it.

#include "../defs.h"
#include "../file.h"
#include "mm.h"
#include "rmap.h"
#include "slab.h"

static struct slab families = SLAB(families, family);

#define NHASH 64
static struct list filemaps[NHASH];
static struct spinlock lock = SPINLOCK("filemap");

// ---- families ----

static struct family *
family_new(void)
{
  struct family *f = slab_alloc(&families);
  if (f == 0)
    return 0;
  initlock(&f->lock, "family");
  list_init(&f->members);
  return f;
}

static void
family_put(struct family *f)
{
  if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) == 0)
    slab_free(&families, f);
}

// mm, which nobody knows yet, joins its parent's family, or with parent 0 makes one. -ENOMEM.
int
family_join(struct mm *mm, struct mm *parent)
{
  struct family *f = parent ? parent->family : family_new();
  if (f == 0)
    return -ENOMEM;
  acquire(&f->lock);
  __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
  mm->family = f;
  list_before(&f->members, &mm->kin);
  release(&f->lock);
  return 0;
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

// A new anonymous frame is mapped at va in mm, whose lock is held.
void
rmap_born(struct page *pg, struct mm *mm, uint64 va)
{
  pg->family = family_id(mm->family);
  pg->vpn = va >> PGSHIFT;
  __atomic_fetch_add(&mm->family->refs, 1, __ATOMIC_RELAXED);
}

// The frames of a huge page, whose first is pg, count one by one from now on.
void
rmap_split(struct page *pg)
{
  __atomic_fetch_add(&family_of(pg)->refs, PTES - 1, __ATOMIC_RELAXED);
  for (int i = 1; i < PTES; i++) {
    pg[i].family = pg->family;
    pg[i].vpn = pg->vpn + i;
  }
}

// An anonymous frame is about to be free.
void
rmap_gone(struct page *pg)
{
  if (pg->family)
    family_put(family_of(pg));
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

// v, a range of file v->ip, has come. Holds v->mm->lock, or nobody knows that mm.
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
