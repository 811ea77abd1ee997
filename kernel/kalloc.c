// SPDX-License-Identifier: MIT
// Frames: who has which 4 KiB of memory.
//
// Interface: kinit; kalloc, kfree (by address); page_alloc, page_put (by struct page); table_alloc;
// block_alloc, block_put (512 frames that are one 2 MiB block).
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
// Each hart has a small stock of frames of its own; those count as out of their block. A page table
// that is given up is all zeros, as the next one has to be: a stock keeps some of these apart.
//
// Locks: a hart's stock has one (rank "stock"), the blocks have one ("frames"). Neither is held
// while the cache is asked to shrink.
//
// 1. A frame is FREE exactly while it is on one block.frames or in one stock; its ref is 0 then.
// 2. nfree of a block is the length of its list; free + stocks = all that is not handed out.
// 3. The last KEPT frames go to init, its children, kernel threads and who makes room for others
//    (mm/reclaim.c) only, so that a shell can still kill what ate the rest.
// 4. A frame of kind TABLE is all zeros when its last reference is dropped, and so is one of
//    stock.tables.

#include "bio.h"
#include "defs.h"
#include "mm/mm.h"
#include "mm/policy/queue.h"
#include "proc.h"

#define BLOCK 512 // frames of a block
#define BATCH 32  // frames that move between a stock and the blocks at a time
#define KEPT  64

struct block {
  struct list link;  // in partial or whole
  struct page *free; // its free frames
  uint nfree;
};

struct stock {
  struct spinlock lock;
  uint n, ntables;
  struct page *frames[2 * BATCH];
  struct page *tables[BATCH]; // all zeros
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
  struct page *first = frames + (b - blocks) * BLOCK;
  b->free = 0;
  for (uint i = BLOCK; i-- > 0;) {
    struct page *pg = first + i;
    pg->kind = i < from ? PG_RESERVED : PG_FREE;
    pg->ref = 0;
    if (i >= from) {
      pg->next = b->free;
      b->free = pg;
    }
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

// Move up to BATCH frames from the blocks to s, whose lock is held: how many came. Apart from take,
// which is short that way.
static NOINLINE uint
refill(struct stock *s)
{
  uint n = 0;
  acquire(&lock);
  if (nfree > KEPT + BATCH || privileged()) {
    struct block *b;
    while (n < BATCH && (b = take_block()) != 0) {
      for (; n < BATCH && b->nfree > 0; b->nfree--) {
        s->frames[n++] = b->free;
        b->free = b->free->next;
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
    (*from)->next = b->free;
    b->free = *from;
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
    give(s->tables, s->ntables);
    s->n = s->ntables = 0;
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

// A frame for a page table, all zeros, with one reference; 0 as page_alloc. Does not sleep.
struct page *
table_alloc(void)
{
  struct stock *s = my_stock();
  acquire(&s->lock);
  struct page *pg = s->ntables > 0 ? s->tables[--s->ntables] : 0;
  release(&s->lock);
  if (pg)
    hand_out(pg, PG_TABLE);
  else if ((pg = page_alloc(PG_TABLE)) != 0)
    page_zero(page_va(pg));
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
    b->free = 0;
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

// pg, whose last reference is gone, becomes FREE: what it was.
static inline int
retire(struct page *pg)
{
  int kind = pg->kind;
  assert(pg->ref == 0 && kind != PG_FREE && kind != PG_RESERVED);
  if (DEBUGGING && kind != PG_TABLE)
    memset(page_va(pg), 0x5a, PGSIZE);
  pg->kind = PG_FREE;
  return kind;
}

// Free n frames whose last references are gone. Does not sleep.
void
pages_free(struct page **pg, uint n)
{
  uint users = 0;
  struct stock *s = my_stock();
  if (n == 0)
    return;
  if (__atomic_load_n(&queue.n, __ATOMIC_RELAXED) > 0) // else none of them is in it
    for (uint i = 0; i < n; i++)
      queue_forget(pg[i]);
  acquire(&s->lock);
  for (; n > 0; n--, pg++) {
    int kind = retire(*pg);
    users += kind == PG_ANON || kind == PG_CACHE;
    if (kind == PG_TABLE && s->ntables < BATCH) {
      s->tables[s->ntables++] = *pg;
      continue;
    }
    if (s->n == 2 * BATCH) {
      s->n = BATCH;
      give(&s->frames[BATCH], BATCH);
    }
    s->frames[s->n++] = *pg;
  }
  release(&s->lock);
  if (users > 0)
    vm_count(frames_freed, users);
}

// Drop a reference; with the last one the frame is free. Does not sleep.
void
page_put(struct page *pg)
{
  if (page_drop(pg))
    pages_free(&pg, 1);
}

// Drop a reference to each frame of the block that begins with pg. Those that are free then, mostly
// all, go home together. Does not sleep.
void
block_put(struct page *pg)
{
  struct page *home[2 * BATCH];
  uint n = 0;
  for (struct page *stop = pg + BLOCK; pg < stop; pg++) {
    if (page_drop(pg)) {
      queue_forget(pg);
      retire(pg);
      home[n++] = pg;
    }
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
    n += stocks[h].n + stocks[h].ntables;
  return n;
}
