// SPDX-License-Identifier: MIT
// Frames: who has which 4 KiB of memory.
//
// Interface: kinit; kalloc, kfree (by address); page_alloc, page_put (by struct page); frames_free
// (many, that mm.h's page_retire has chained); table_alloc; block_alloc, block_put (512 frames that
// are one 2 MiB block).
//
// RAM is cut into blocks of 2 MiB. A block is untouched, split into 512 frames, or whole again:
//
//   image | frame table | blocks below `virgin`: split or whole | untouched blocks ........ | ramend
//
//   state    on list     free.n
//   virgin   none        not set up yet; neither are its struct pages, so that boot costs the same
//                        whatever the memory size
//   split    partial     1 to 511, its free frames in block.free
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
// 1. A frame is FREE exactly while it is in the chain of one block or stock, or on the way to it in
//    a chain of who has put it; its ref is 0 then.
// 2. nfree is what the blocks have, untouched ones too; nfree + stocks = all that is not handed out.
// 3. The last KEPT frames go to init, its children, kernel threads and who makes room for others
//    (mm/reclaim.c) only, so that a shell can still kill what ate the rest.
// 4. A frame of kind TABLE is all zeros when its last reference is dropped, and so is one of
//    stock.tables.

#include "mm/policy/queue.h"
#include "proc.h"
#include "debug/failing.h"

#define BLOCK 512 // frames of a block
#define BATCH 32  // frames that move between a stock and the blocks at a time
#define STOCK 256 // frames of a stock at the most
#define KEPT  64

struct block {
  struct list link; // in partial or whole
  struct chain free;
};

struct stock {
  struct spinlock lock;
  struct chain free;
  struct chain tables;          // of these, those that are all zeros
} __attribute__((aligned(64))); // harts do not share a line

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
static struct stock stocks[NCPU] = { [0 ... NCPU - 1] = { .lock = SPINLOCK("stock") } };

static inline struct page *
pop(struct chain *c)
{
  struct page *pg = c->first;
  assert(pg->kind == PG_FREE && pg->ref == 0);
  c->first = pg->next;
  c->n--;
  return pg;
}

// Make the frames of b from `from` on free; the ones before are the kernel's for good.
static void
lay_out(struct block *b, uint from)
{
  struct page *first = frames + (b - blocks) * BLOCK;
  b->free = (struct chain){ 0 };
  for (uint i = BLOCK; i-- > 0;) {
    struct page *pg = first + i;
    pg->kind = i < from ? PG_RESERVED : PG_FREE;
    pg->ref = 0;
    if (i >= from)
      chain_push(&b->free, pg);
  }
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

  virgin = boot_frames / BLOCK;
  nfree = nframes - boot_frames;
  if (boot_frames % BLOCK) {
    lay_out(&blocks[virgin], boot_frames % BLOCK);
    list_before(&partial, &blocks[virgin++].link);
  }
  zero_page = page_alloc(PG_ZERO);
  page_zero(page_va(zero_page));
}

// A block of which no frame is out, on no list any more; 0: there is none. A virgin one has an empty
// chain. Holds lock.
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
  if (b->free.n == 0)
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
  uint n = s->free.n;
  acquire(&lock);
  if (nfree > KEPT + BATCH || privileged()) {
    struct block *b;
    while (s->free.n < BATCH && (b = take_block()) != 0) {
      while (s->free.n < BATCH && b->free.n > 0)
        chain_push(&s->free, pop(&b->free));
      if (b->free.n == 0)
        list_del(&b->link);
    }
    nfree -= s->free.n - n;
  }
  release(&lock);
  return s->free.n - n;
}

// Give n frames of a chain back to their blocks.
static void
give(struct chain *from, uint n)
{
  acquire(&lock);
  nfree += n;
  for (; n > 0; n--) {
    struct page *pg = pop(from);
    struct block *b = &blocks[(pg - frames) / BLOCK];
    chain_push(&b->free, pg);
    if (b->free.n == 1)
      list_before(&partial, &b->link);
    if (b->free.n == BLOCK) {
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
    give(&s->free, s->free.n);
    give(&s->tables, s->tables.n);
    release(&s->lock);
  }
}

// The stock of this hart; the caller may be on another one by the next line, and no harm is done.
static struct stock *
my_stock(void)
{
  return &stocks[myproc()->hart];
}

// pg, which is free and on no list, is now of this kind and has one reference.
static inline struct page *
hand_out(struct page *pg, int kind)
{
  pg->kind = kind;
  pg->exec = 0;
  pg->flags = 0;
  pg->ref = 1;
  pg->family = 0;
  if (kind == PG_ANON || kind == PG_CACHE)
    vm_count(frames_allocated, 1);
  return pg;
}

// A frame of this hart's stock, or of the blocks; 0: there is none.
static struct page *
take(void)
{
  struct stock *s = my_stock();
  acquire(&s->lock);
  struct page *pg = s->free.n > 0 || refill(s) > 0 ? pop(&s->free) : 0;
  release(&s->lock);
  return pg;
}

// As page_alloc, when the stock has none, or somebody has it: clean cache is dropped for it, and all stocks are emptied.
static NOINLINE struct page *
search(int kind)
{
  struct page *pg = take();
  while (pg == 0 && cache_shrink(2 * BATCH) > 0)
    pg = take();
  if (pg == 0) {
    empty_stocks();
    pg = take();
  }
  myproc()->starved |= pg == 0;
  return pg ? hand_out(pg, kind) : 0;
}

// A frame of this kind with one reference, contents undefined; 0 when there is none, even after
// clean cache has been dropped and all stocks were emptied. Does not sleep.
struct page *
page_alloc(int kind)
{
  struct stock *s = my_stock();
  struct page *pg = 0;
  if (failing())
    return 0;
  lockrank_want(&s->lock, s->lock.name);
  if (try_acquire(&s->lock)) {
    if (s->free.n > 0)
      pg = pop(&s->free);
    release(&s->lock);
  }
  return pg ? hand_out(pg, kind) : search(kind);
}

// A page table with no entries, its frame with one reference; 0 as page_alloc. Does not sleep.
pagetable_t
table_alloc(void)
{
  struct stock *s = my_stock();
  if (failing())
    return 0;
  acquire(&s->lock);
  struct page *pg = s->tables.n > 0 ? pop(&s->tables) : 0;
  release(&s->lock);
  if (pg)
    hand_out(pg, PG_TABLE);
  else if ((pg = page_alloc(PG_TABLE)) != 0)
    page_zero(page_va(pg));
  else
    return 0;
  vm_count(tables_made, 1);
  return page_va(pg);
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
  if ((nfree >= KEPT + BLOCK || privileged()) && !failing() && (b = take_whole()) != 0) {
    b->free = (struct chain){ 0 };
    nfree -= BLOCK;
  }
  release(&lock);
  if (b == 0)
    return 0;
  struct page *pg = frames + (b - blocks) * BLOCK;
  for (int i = 0; i < BLOCK; i++)
    hand_out(&pg[i], kind);
  return pg;
}

static inline void
splice(struct chain *to, const struct chain *from)
{
  from->last->next = to->first;
  to->first = from->first;
  to->n += from->n;
}

// Retired frames are to be had again, and of these, `tables` as page tables. Does not sleep.
void
frames_free(const struct chain *gone, const struct chain *tables)
{
  struct stock *s = my_stock();
  acquire(&s->lock);
  if (gone->n > 0)
    splice(&s->free, gone);
  if (tables->n > 0)
    splice(s->tables.n + tables->n <= BATCH ? &s->tables : &s->free, tables);
  if (s->free.n > STOCK)
    give(&s->free, s->free.n - STOCK + BATCH);
  release(&s->lock);
}

// pg's last reference is gone. For page_put.
void
page_free(struct page *pg)
{
  struct chain gone = { 0 }, tables = { 0 };
  int kind = pg->kind;
  page_retire(pg, kind == PG_TABLE ? &tables : &gone);
  frames_free(&gone, &tables);
  vm_count(tables_freed, kind == PG_TABLE);
  vm_count(frames_freed, kind == PG_ANON || kind == PG_CACHE);
}

// Drop a reference to each frame of the block that begins with pg. Those that are free then, mostly
// all, go home together. Does not sleep.
void
block_put(struct page *pg)
{
  struct chain home = { 0 };
  for (struct page *stop = pg + BLOCK; pg < stop; pg++)
    if (page_drop(pg))
      page_retire(pg, &home);
  vm_count(frames_freed, home.n);
  give(&home, home.n);
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
    n += stocks[h].free.n + stocks[h].tables.n;
  return n;
}

static void
chain_each(const struct chain *c, void (*fn)(struct page *))
{
  struct page *pg = c->first;
  for (uint n = c->n; n > 0 && pg; n--, pg = pg->next)
    fn(pg);
}

// Call fn with every frame that is in a chain, under the chain's lock: for mm/check.c. What goes
// from one to another meanwhile is seen twice, or not at all.
void
free_each(void (*fn)(struct page *))
{
  for (struct stock *s = stocks; s < &stocks[NCPU]; s++) {
    acquire(&s->lock);
    chain_each(&s->free, fn);
    chain_each(&s->tables, fn);
    release(&s->lock);
  }
  for (struct block *b = blocks; b < &blocks[virgin]; b++) {
    acquire(&lock);
    chain_each(&b->free, fn);
    release(&lock);
  }
}
