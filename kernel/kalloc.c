// SPDX-License-Identifier: MIT
// Frames: who has which 4 KiB of memory.
//
// Interface: kinit; kalloc, kfree (by address); page_alloc, page_put (by struct page); block_alloc,
// block_put (512 frames that are one 2 MiB block).
//
// RAM is cut into blocks of 2 MiB. A block is untouched, split into 512 frames, or whole again:
//
//   image | frame table | blocks below `virgin`: split or whole | untouched blocks ........ | ramend
//
//   state    on list     nfree
//   virgin   none        not set up yet; neither are its struct pages, so that boot costs the same
//                        whatever the memory size
//   split    partial     1 to 511, its free frames on block.frames
//   split    none        0: all its frames are out, one by one or at once
//   whole    whole       512
//
//   edge                 by
//   virgin -> split      take_block, for single frames; block_alloc, for all at once
//   whole  -> split      the same
//   split  -> whole      give, when its last frame comes home
//
// Each hart has a small stock of frames of its own; those count as out of their block.
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
  uint n;
  struct page *frames[2 * BATCH];
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

// Make the frames of b from `from` on free; the ones before are the kernel's for good.
static void
lay_out(struct block *b, uint from)
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
  memset(blocks, 0, nblocks * sizeof(struct block));
  at = PGROUNDUP(at + nblocks * sizeof(struct block));
  at += bio_tables((void *)at, nframes);
  boot_frames = PGROUNDUP(KPA(at) - RAMBASE) / PGSIZE;

  for (int h = 0; h < NCPU; h++)
    initlock(&stocks[h].lock, "stock");
  virgin = boot_frames / BLOCK;
  nfree = nframes - boot_frames;
  if (boot_frames % BLOCK) {
    lay_out(&blocks[virgin], boot_frames % BLOCK);
    list_before(&partial, &blocks[virgin++].link);
  }
  zero_page = page_alloc(PG_ZERO);
  page_zero(page_va(zero_page));
}

// A block of which no frame is out, on no list any more; 0: there is none. A virgin one has nfree 0.
// Holds lock.
static struct block *
take_whole(void)
{
  if (list_empty(&whole))
    return virgin < nblocks ? &blocks[virgin++] : 0;
  struct block *b = list_first(&whole, struct block, link);
  list_del(&b->link);
  return b;
}

// A block with free frames, or 0. Holds lock.
static struct block *
take_block(void)
{
  if (!list_empty(&partial))
    return list_first(&partial, struct block, link);
  struct block *b = take_whole();
  if (b == 0)
    return 0;
  if (b->nfree == 0)
    lay_out(b, 0);
  list_before(&partial, &b->link);
  return b;
}

// Whether the caller may take the last frames.
static int
privileged(void)
{
  struct proc *p = myproc();
  return p->mm == 0 || p == initproc || p->leader->parent == initproc || reclaiming();
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
      for (; n < BATCH && b->nfree > 0; b->nfree--) {
        struct page *pg = list_first(&b->frames, struct page, free);
        list_del(&pg->free);
        s->frames[n++] = pg;
      }
      if (b->nfree == 0)
        list_del(&b->link);
    }
    nfree -= n;
    s->n = n;
  }
  release(&lock);
  return n;
}

// Give n frames back to their blocks.
static void
give(struct page **from, uint n)
{
  acquire(&lock);
  nfree += n;
  for (; n > 0; n--, from++) {
    struct block *b = block_of(*from);
    list_after(&b->frames, &(*from)->free);
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
  for (struct stock *s = stocks; s < &stocks[NCPU]; s++) {
    acquire(&s->lock);
    give(s->frames, s->n);
    s->n = 0;
    release(&s->lock);
  }
}

// The stock of this hart; the caller may be on another one by the next line, and no harm is done.
static struct stock *
my_stock(void)
{
  return &stocks[myproc()->hart];
}

static struct page *
take(void)
{
  struct stock *s = my_stock();
  acquire(&s->lock);
  struct page *pg = s->n > 0 || refill(s) > 0 ? s->frames[--s->n] : 0;
  release(&s->lock);
  return pg;
}

// pg, which is free and on no list, is now of this kind and has one reference.
static inline void
hand_out(struct page *pg, int kind)
{
  pg->kind = kind;
  pg->exec = 0;
  pg->flags = 0;
  pg->ref = 1;
  pg->family = 0;
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
  hand_out(pg, kind);
  if (kind == PG_ANON || kind == PG_CACHE)
    vm_count(frames_allocated, 1);
  return pg;
}

// The first of 512 frames that are one block, each of this kind with one reference, contents
// undefined; 0 when no block is free as a whole. Does not sleep, and drops no cache for it.
struct page *
block_alloc(int kind)
{
  struct block *b = 0;
  if (list_empty(&whole) && virgin == nblocks)
    empty_stocks(); // a frame there may be the last that a block misses
  acquire(&lock);
  if ((nfree >= KEPT + BLOCK || privileged()) && (b = take_whole()) != 0) {
    list_init(&b->frames);
    b->nfree = 0;
    nfree -= BLOCK;
  }
  release(&lock);
  if (b == 0)
    return 0;
  struct page *pg = frames + (b - blocks) * BLOCK;
  for (int i = 0; i < BLOCK; i++)
    hand_out(&pg[i], kind);
  vm_count(frames_allocated, BLOCK);
  return pg;
}

// Drop a reference: whether it was the last, and pg is FREE and on no list yet.
static inline int
drop(struct page *pg)
{
  if (pg->kind == PG_ZERO)
    return 0;
  int left = __atomic_sub_fetch(&pg->ref, 1, __ATOMIC_ACQ_REL);
  assert(left >= 0);
  if (left > 0)
    return 0;
  assert(pg->kind != PG_FREE && pg->kind != PG_RESERVED);
  if (DEBUGGING)
    memset(page_va(pg), 0x5a, PGSIZE);
  if (pg->kind == PG_ANON)
    rmap_gone(pg);
  pg->kind = PG_FREE;
  return 1;
}

// Drop a reference to each of n frames; those of which it was the last are free. The array is lost.
// Does not sleep.
void
pages_put(struct page **pg, uint n)
{
  uint free = 0, users = 0;
  for (uint i = 0; i < n; i++) {
    int user = pg[i]->kind == PG_ANON || pg[i]->kind == PG_CACHE;
    if (drop(pg[i])) {
      users += user;
      pg[free++] = pg[i];
    }
  }
  if (free == 0)
    return;
  if (users > 0)
    vm_count(frames_freed, users);
  struct stock *s = my_stock();
  acquire(&s->lock);
  for (uint i = 0; i < free; i++) {
    if (s->n == 2 * BATCH) {
      s->n = BATCH;
      give(&s->frames[BATCH], BATCH);
    }
    s->frames[s->n++] = pg[i];
  }
  release(&s->lock);
}

// Drop a reference; with the last one the frame is free. Does not sleep.
void
page_put(struct page *pg)
{
  int ref = __atomic_load_n(&pg->ref, __ATOMIC_RELAXED);
  while (ref > 1)
    if (__atomic_compare_exchange_n(&pg->ref, &ref, ref - 1, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
      return;
  pages_put(&pg, 1);
}

// Drop a reference to each frame of the block that begins with pg. Those that are free then, mostly
// all, go home together. Does not sleep.
void
block_put(struct page *pg)
{
  struct page *home[2 * BATCH];
  uint n = 0;
  for (struct page *stop = pg + BLOCK; pg < stop; pg++) {
    if (drop(pg))
      home[n++] = pg;
    if (n == 2 * BATCH || (n > 0 && pg + 1 == stop)) {
      vm_count(frames_freed, n);
      give(home, n);
      n = 0;
    }
  }
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

// Behind the last frame whose struct page has been set up; all others are free.
struct page *
frames_end(void)
{
  return frames + virgin * BLOCK;
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
