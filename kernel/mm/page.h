// SPDX-License-Identifier: MIT
// A frame: 4 KiB of physical memory, described by its struct page. Facts about a frame live here.
//
//   kind       who has it                             what ref counts
//   RESERVED   nobody: image, frame table             nothing
//   FREE       kalloc.c                               nothing (0)
//   KERNEL     slabs, kernel stacks, pipes            its one owner (1)
//              upage.c: the time; a pid               mappings + pins, of the time 1 more
//   TABLE      a page table                           its one owner (1); used: entries that are not empty
//   ANON       user memory of no file                 mappings + pins; in a 2 MiB page: 1 + pins
//   CACHE      bio.c: a block of the disk             1 for the cache + mappings + pins + holders
//   ZERO       the shared frame of zeros              nothing: it is exempt
//
// Edges: FREE -> any by kalloc; any -> FREE by page_retire, when ref has fallen to 0; nothing else.
#pragma once

#include "../list.h"
#include "../riscv.h"
#include "../vmstat.h"

struct page {
  uint8 kind; // enum page_kind; changed by the frame's only owner
  uint8 exec; // announced to all harts as code, and not written since (mm/filemap.c)
  union {
    ushort logslot; // CACHE: its place in the running transaction, when PF_LOGGED
    ushort age;     // ANON: for mm/policy
  };
  uint flags; // CACHE: PF_*, see bio.h; ANON: AF_*, see mm.h; changed atomically
  int ref;    // changed atomically
  union {
    uint inum; // CACHE: the file, 0 for the disk itself (metadata)
    uint maps; // ANON, first frame of a 2 MiB page (AF_HUGE): leaves that map it; mm/page.c's lock
  };
  union {
    struct page *next;    // FREE: in a chain of kalloc.c, or on the way there
    uint used;            // TABLE: under its mm's lock
    struct {              // CACHE: bio.c; inum and index never change while ref > 0
      uint index;         // page of the file, or block of the disk
      uint blockno;       // home on the disk; 0: a hole, no home yet
      struct page *hnext; // hash chain
    };
    struct {             // ANON: mm/rmap.c
      uint family;       // who may map it: slab address, see family_of(); 0: not mapped yet
      uint vpn;          // at which page; both for good
      uint older, newer; // frame numbers: its neighbours in policy/queue.c's queue, under its lock
    };
  };
};

_Static_assert(sizeof(struct page) == 32, "the frame table has a power of two for each frame");

// Frames one behind the other, by next.
struct chain {
  struct page *first;
  struct page *last; // of one that was only pushed to
  uint n;
};

extern struct page *frames; // the frame table: frames[0] describes the frame at RAMBASE

static inline uint64
page_pa(const struct page *pg)
{
  return 0x80000000UL + ((uint64)(pg - frames) << PGSHIFT);
}

static inline struct page *
pa_page(uint64 pa)
{
  return frames + ((pa - 0x80000000UL) >> PGSHIFT);
}

// Where the kernel sees the frame's bytes.
static inline void *
page_va(const struct page *pg)
{
  return (void *)(page_pa(pg) + 0xffffffc000000000UL);
}

// The frame behind an address in the direct map.
static inline struct page *
va_page(const void *va)
{
  return pa_page((uint64)va - 0xffffffc000000000UL);
}

static inline void
page_get(struct page *pg)
{
  if (pg->kind != PG_ZERO)
    __atomic_fetch_add(&pg->ref, 1, __ATOMIC_RELAXED);
}

// Whether somebody has it besides the caller.
static inline int
page_shared(const struct page *pg)
{
  return __atomic_load_n(&pg->ref, __ATOMIC_ACQUIRE) > 1;
}

// Drop a reference: whether it was the last.
static inline int
page_drop(struct page *pg)
{
  return pg->kind != PG_ZERO && __atomic_fetch_sub(&pg->ref, 1, __ATOMIC_ACQ_REL) == 1;
}

static inline void
chain_push(struct chain *c, struct page *pg)
{
  pg->next = c->first;
  if (c->first == 0)
    c->last = pg;
  c->first = pg;
  c->n++;
}

void page_free(struct page *); // kalloc.c
void frames_free(const struct chain *gone, const struct chain *tables);

// Drop a reference; with the last one the frame is free. Does not sleep.
static inline void
page_put(struct page *pg)
{
  if (page_drop(pg))
    page_free(pg);
}
