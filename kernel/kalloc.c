// SPDX-License-Identifier: MIT
// Frames: who has which 4 KiB of memory.
//
// Interface: kinit; kalloc, kfree (by address); page_alloc, page_put (by struct page).
//
// RAM is cut into blocks of 2 MiB. A block is untouched, split into 512 frames, or whole again:
//
//   image | frame table | blocks below `virgin`: split or whole | untouched blocks ........ | ramend
//
//   state    on list     nfree
//   virgin   none        not set up yet; neither are its struct pages, so that boot costs the same
//                        whatever the memory size
//   split    partial     1 to 511, its free frames on block.frames
//   split    none        0
//   whole    whole       512
//
// Edges: virgin -> split by take_block; split -> whole by give, when its last frame comes home;
// whole -> split by take_block. Each hart has a small stock of frames of its own; those count as
// out of their block.
//
// Locks: a hart's stock has one (rank "stock"), the blocks have one ("frames"). Neither is held
// while the cache is asked to shrink.
//
// 1. A frame is FREE exactly while it is on one block.frames or in one stock; its ref is 0 then.
// 2. nfree of a block is the length of its list; free + stocks = all that is not handed out.
// 3. The last KEPT frames go to init, its children, kernel threads and who makes room for others
//    (mm/reclaim.c) only, so that a shell can still kill what ate the rest.

#include "bio.h"
#include "defs.h"
#include "mm/mm.h"
#include "proc.h"

#define BLOCK 512 // frames of a block
#define BATCH 32  // frames that move between a stock and the blocks at a time
#define KEPT  64

struct block {
  struct list link;   // in partial or whole
  struct list frames; // free frames
  uint nfree;
};

struct stock {
  struct spinlock lock;
  struct list frames;
  uint n;
};

extern char end[]; // kernel.ld

struct page *frames;
struct page *zero_page; // all zeros, shared, not counted
uint64 nframes;         // of RAM, from RAMBASE on
uint64 boot_frames;     // of these, image and frame table

static struct spinlock lock = SPINLOCK("frames");
static struct block *blocks;
static uint64 nblocks, virgin; // blocks from virgin on are untouched
static uint64 nfree;           // frames in blocks, virgin ones included
static struct list partial = LIST_INIT(partial), whole = LIST_INIT(whole);
static struct stock stocks[NCPU];

static struct block *
block_of(const struct page *pg)
{
  return &blocks[(pg - frames) / BLOCK];
}

// Set up block b: its frames from `from` on are free, the ones before are the kernel's for good.
static void
split(struct block *b, uint from)
{
  struct page *pg = frames + (b - blocks) * BLOCK;
  list_init(&b->frames);
  for (uint i = 0; i < BLOCK; i++, pg++) {
    pg->kind = i < from ? PG_RESERVED : PG_FREE;
    pg->ref = 0;
    if (i >= from)
      list_before(&b->frames, &pg->free);
  }
  b->nfree = BLOCK - from;
  list_init(&b->link);
  list_before(&partial, &b->link);
}

// Called once, by hart 0: lay the frame table behind the image and open the rest for use.
void
kinit(uint64 ramend)
{
  uint64 at = PGROUNDUP((uint64)end);
  nframes = (ramend - RAMBASE) / PGSIZE;
  nblocks = nframes / BLOCK;
  nframes = nblocks * BLOCK;
  frames = (struct page *)at;
  at = PGROUNDUP(at + nframes * sizeof(struct page));
  blocks = (struct block *)at;
  at = PGROUNDUP(at + nblocks * sizeof(struct block));
  at += bio_tables((void *)at, nframes);
  boot_frames = PGROUNDUP(KPA(at) - RAMBASE) / PGSIZE;

  for (int h = 0; h < NCPU; h++) {
    initlock(&stocks[h].lock, "stock");
    list_init(&stocks[h].frames);
  }
  virgin = boot_frames / BLOCK;
  nfree = nframes - boot_frames;
  if (boot_frames % BLOCK)
    split(&blocks[virgin++], boot_frames % BLOCK);
  zero_page = page_alloc(PG_ZERO);
  page_zero(page_va(zero_page));
}

// A block with free frames, or 0. Holds lock.
static struct block *
take_block(void)
{
  if (!list_empty(&partial))
    return list_first(&partial, struct block, link);
  if (!list_empty(&whole)) {
    struct block *b = list_first(&whole, struct block, link);
    list_del(&b->link);
    list_before(&partial, &b->link);
    return b;
  }
  if (virgin == nblocks)
    return 0;
  split(&blocks[virgin], 0);
  return &blocks[virgin++];
}

// Whether the caller may take the last frames.
static int
privileged(void)
{
  struct proc *p = myproc();
  return p->mm == 0 || p == initproc || p->parent == initproc || reclaiming();
}

// Move up to BATCH frames from the blocks to s, whose lock is held: how many came.
static uint
refill(struct stock *s)
{
  uint n = 0;
  acquire(&lock);
  if (nfree > KEPT + BATCH || privileged()) {
    struct block *b;
    while (n < BATCH && (b = take_block()) != 0) {
      for (; n < BATCH && b->nfree > 0; n++, b->nfree--) {
        struct list *l = b->frames.next;
        list_del(l);
        list_after(&s->frames, l);
      }
      if (b->nfree == 0)
        list_del(&b->link);
    }
    nfree -= n;
    s->n += n;
  }
  release(&lock);
  return n;
}

// Give n frames of s, whose lock is held, back to their blocks.
static void
give(struct stock *s, uint n)
{
  acquire(&lock);
  s->n -= n;
  nfree += n;
  for (; n > 0; n--) {
    struct page *pg = list_entry(s->frames.prev, struct page, free);
    struct block *b = block_of(pg);
    list_del(&pg->free);
    list_after(&b->frames, &pg->free);
    if (b->nfree++ == 0)
      list_before(&partial, &b->link);
    if (b->nfree == BLOCK) {
      list_del(&b->link);
      list_before(&whole, &b->link);
    }
  }
  release(&lock);
}

// Everything in the stocks of all harts goes back to the blocks.
static void
empty_stocks(void)
{
  for (int h = 0; h < NCPU; h++) {
    acquire(&stocks[h].lock);
    give(&stocks[h], stocks[h].n);
    release(&stocks[h].lock);
  }
}

static struct page *
take(void)
{
  struct page *pg = 0;
  push_off();
  struct stock *s = &stocks[mycpu()->id];
  acquire(&s->lock);
  if (s->n > 0 || refill(s) > 0) {
    pg = list_first(&s->frames, struct page, free);
    list_del(&pg->free);
    s->n--;
  }
  release(&s->lock);
  pop_off();
  return pg;
}

// A frame of this kind with one reference, contents undefined; 0 when there is none, even after
// clean cache has been dropped and all stocks were emptied. Does not sleep.
struct page *
page_alloc(int kind)
{
  struct page *pg = take();
  while (pg == 0 && cache_shrink(2 * BATCH) > 0)
    pg = take();
  if (pg == 0) {
    empty_stocks();
    if ((pg = take()) == 0) {
      myproc()->starved = 1;
      return 0;
    }
  }
  assert(pg->kind == PG_FREE && pg->ref == 0);
  pg->kind = kind;
  pg->exec = 0;
  pg->flags = 0;
  pg->ref = 1;
  pg->family = 0;
  vm_count(frames_allocated, 1);
  return pg;
}

static void
page_free(struct page *pg)
{
  assert(pg->kind != PG_FREE && pg->kind != PG_RESERVED && pg->ref == 0);
  if (DEBUGGING)
    memset(page_va(pg), 0x5a, PGSIZE);
  if (pg->kind == PG_ANON)
    rmap_gone(pg);
  vm_count(frames_freed, 1);
  pg->kind = PG_FREE;
  push_off();
  struct stock *s = &stocks[mycpu()->id];
  acquire(&s->lock);
  list_after(&s->frames, &pg->free);
  if (++s->n > 2 * BATCH)
    give(s, BATCH);
  release(&s->lock);
  pop_off();
}

// Drop a reference; with the last one the frame is free. Does not sleep.
void
page_put(struct page *pg)
{
  if (pg->kind == PG_ZERO)
    return;
  int left = __atomic_sub_fetch(&pg->ref, 1, __ATOMIC_ACQ_REL);
  assert(left >= 0);
  if (left == 0)
    page_free(pg);
}

// A frame for the kernel itself, by its address; contents undefined; 0: no memory.
void *
kalloc(void)
{
  struct page *pg = page_alloc(PG_KERNEL);
  return pg ? page_va(pg) : 0;
}

// Give back what kalloc gave.
void
kfree(void *va)
{
  struct page *pg = va_page(va);
  assert((uint64)va % PGSIZE == 0 && pg->ref == 1);
  page_put(pg);
}

// Frames that are free, for reports.
uint64
kfree_frames(void)
{
  uint64 n = nfree;
  for (int h = 0; h < NCPU; h++)
    n += stocks[h].n;
  return n;
}
