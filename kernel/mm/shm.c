// SPDX-License-Identifier: MIT
// Shared memory that is no file: what mmap(MAP_SHARED | MAP_ANON) gives, and fork passes on. All who
// map it have the same frames, which are never copied.
//
// Such memory is like a file that has pages in the cache and nowhere else: the object has a number
// of its own above all inodes', and finds its frames by (number, index) as files do.
//
//   vma --shm--> struct shm { id }        (id, index) --> page cache --> frame
//
// Lock: none of its own: mm->lock for a range, the page lock while a frame is filled.
//
// 1. Its frames are in the cache, which drops them only when the last range goes.

#include "../proc.h"
#include "slab.h"

struct shm {
  int ref;      // ranges; atomic
  uint id;      // in the place of an inode number
  uint64 pages; // its size
};

static struct slab shms = SLAB(shms, shm);
static uint made; // atomic

// An object for v, which is not in its mm yet. -ENOMEM.
int
shm_attach(struct vma *v)
{
  struct shm *s = slab_alloc(&shms);
  if (s == 0)
    return -ENOMEM;
  s->ref = 1;
  s->id = NO_FILE | __atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
  s->pages = (v->end - v->start) / PGSIZE;
  v->shm = s;
  v->flags |= VM_SHARED;
  return 0;
}

static void
shm_open(struct vma *v)
{
  __atomic_fetch_add(&v->shm->ref, 1, __ATOMIC_RELAXED);
}

static void
shm_close(struct vma *v)
{
  struct shm *s = v->shm;
  if (__atomic_sub_fetch(&s->ref, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  cache_remove(s->id, 0, s->pages);
  slab_free(&shms, s);
}

// The frame at index, with a reference. -ENOMEM. May sleep.
static int
frame_of(struct shm *s, uint index, struct page **out)
{
  if ((*out = page_cache_find(s->id, index)) != 0)
    return 0;
  int err = cache_lock(s->id, index, out);
  if (err < 0)
    return err;
  if ((*out)->flags & PF_VALID) {
    page_unlock(*out);
    return 0;
  }
  page_zero(page_va(*out));
  vm_count(frames_zeroed, 1);
  page_ready(*out);
  return 0;
}

static enum outcome
shm_fault(struct fault *f)
{
  struct page *pg;
  struct vma *v = f->vma;
  if (frame_of(v->shm, (v->off + (f->va - v->start)) / PGSIZE, &pg) < 0)
    return FAULT_NOMEM;
  vm_count(shm, 1);
  if (v->prot & PROT_WRITE)
    f->access = ACCESS_WRITE; // nothing is to be learned from a first store
  return fault_map(f, pg);
}

// No fork: the child faults the same frames in.
const struct vma_ops shm_ops = {
  .kind = VMA_SHM, .fault = shm_fault, .open = shm_open, .close = shm_close
};
