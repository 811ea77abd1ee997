// SPDX-License-Identifier: MIT
// An address space, its ranges, and what happens to them: the types of the room mm/.
#pragma once

#include "../bio.h"
#include "../defs.h"
#include "../mman.h"
#include "../param.h"
#include "../sleeplock.h"
#include "uaccess.h"

struct family;
struct fault;
struct inode;
struct shm;
struct vma;

// What a fault came to.
enum outcome {
  FAULT_DONE,  // the access can be tried again and will get further
  FAULT_RETRY, // slept with the mm unlocked: nothing that was looked up holds any more
  FAULT_BAD,   // no such memory, or not for this access
  FAULT_IO,    // the disk failed, or a touch beyond the end of a file
  FAULT_NOMEM, // no frame to be had
};

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_EXEC = 4 }; // the same bits as PROT_*

// A kind of memory is one of these tables. mm->lock is held; fault may drop and retake it if it
// returns FAULT_RETRY.
struct vma_ops {
  enum vma_kind kind;
  enum outcome (*fault)(struct fault *);                     // the pte is empty: fill it
  int (*fork)(struct mm *from, struct mm *to, struct vma *); // 0, or: share private pages; -ENOMEM
  void (*open)(struct vma *);                                // 0, or: v is new, or a copy
  void (*close)(struct vma *);                               // 0, or: v goes
};

extern const struct vma_ops anon_ops, stack_ops, file_ops, shm_ops, upage_ops;

// One range of an address space with one rule. All under mm->lock.
struct vma {
  uint64 start, end;         // page-aligned, end exclusive
  int prot;                  // PROT_*; PROT_WRITE has PROT_READ with it
  int flags;                 // VM_*
  const struct vma_ops *ops; // the kind of memory
  struct mm *mm;             // for good
  union {
    struct inode *ip; // file memory: a reference of its own
    struct shm *shm;  // shared memory: the same
  };
  uint64 off;               // file and shared memory: the byte at start, page-aligned
  uint64 fend;              // file memory: from this address on there are zeros instead of the file
  struct list maps;         // file memory: the inode's mappings, under rmap.c's lock
  struct vma *left, *right; // the tree, see vma.c
  uint prio;
};

// An address space.
//   users: processes whose memory this is; when the last goes, so do the vmas, frames and tables.
//   refs:  1 for all users together, and 1 per hart whose satp holds the table; when the last goes,
//          so do the root table and this struct.
struct mm {
  int users, refs;        // atomic
  pagetable_t pagetable;  // its root, in the direct map; for good
  struct sleeplock lock;  // the fields of this group, the vmas, and every user pte:
  struct vma *tree;       //   the vmas by address
  struct vma *found;      //   the one that was looked for last, or 0
  uint64 heap, brk;       //   the heap's start and end; brk needs no alignment
  uint64 mapped;          //   bytes in vmas
  long resident;          //   pages that have a frame
  long swapped;           //   pages that are in swap
  uint nvmas;             //   bounded by MAXVMAS
  struct vma *dead;       //   taken out, to be closed by mm_unlock
  uint64 hint;            //   mmap.c: where to look for room, downwards
  uint64 hand;            //   reclaim.c: how far its clock has come
  uint64 asid;            // riscv/asid.c: generation above, number below
  uint running;           // atomic; bit h: satp of hart h holds this table
  uint64 gen;             // riscv/tlb.c: flushes,
  uint64 seen[NCPU];      //   and how far each hart has come
  struct vmcounts counts; // changed atomically
  uint64 born;            // vma.c: counts address spaces, in their order; 0: not to be found yet
  struct list all;        // vma.c: those that have users, under its lock
  struct family *family;  // rmap.c: those forked from one exec; for good
  struct list kin;        //   in it, under its lock
};

#define MAXVMAS 65536

// page.flags of an ANON frame
#define AF_HUGE   0x100 // the first of 512 that are one 2 MiB page: see huge.c
#define AF_QUEUED 0x200 // in policy/queue.c's queue

struct fault {
  struct mm *mm;
  struct vma *vma; // the range around va, 0 when there is none
  uint64 va;       // page-aligned
  uint64 end;      // pages behind it that are empty are wanted, too, up to here; 0: just this one
  enum access access;
  pte_t *pte; // where the walk to va ended
  int level;  // of pte
};

// The leaves of a range, one after the other.
struct leaves {
  pagetable_t pagetable;
  uint64 va, end; // where it is, where it ends
  pte_t *pte;     // the leaf at va
  int level;      // its level
};

extern struct page *zero_page; // all zeros, mapped read-only wherever nothing was written yet

extern struct vmcounts vm_total;

// Count n events of a kind (a name in vmstat.h) for the running process's address space.
#define vm_count(name, n) ((void)__atomic_fetch_add(&myproc()->counts->name, (n), __ATOMIC_RELAXED))

#define HUGESIZE LVLSIZE(1) // bytes of a huge page

// vm.c; a breakpoint on walk, mappages and vmfault means what it says
#define NOINLINE __attribute__((noinline))
#define INLINE   inline __attribute__((always_inline)) // where the compiler would rather not
extern pagetable_t kernel_pagetable;
pte_t *walk(pagetable_t, uint64 va, int alloc, int *level) NOINLINE;
int mappages(pagetable_t, uint64 va, uint64 size, uint64 pa, uint64 perm) NOINLINE;
void pte_fill(pte_t *, pte_t);
pte_t pte_take(pte_t *);
int pte_allows(pte_t, enum access);
int kvmstack(int slot);
pagetable_t uvmcreate(void);
void uvmfree(pagetable_t);
uint tables_in(pagetable_t, int level, int first, int end);
void uvmunmap(struct mm *, uint64 start, uint64 end);
void uvmclear(struct mm *);
void uvmprotect(struct mm *, uint64 start, uint64 end, int prot);
int uvmsplit(struct mm *, uint64 va);
int uvmnext(struct leaves *);
pte_t leaf_for(pte_t, int prot);
void vmprint(pagetable_t);
enum outcome vmfault(struct mm *, uint64 va, enum access) NOINLINE;
enum outcome fault_map(struct fault *, struct page *);
enum outcome relieve(struct mm *, int patient);

// vma.c
struct mm *mm_new(struct mm *parent);
void mm_publish(struct mm *);
struct mm *mm_after(uint64 *born);
void mm_get(struct mm *); // a reference for a hart
void mm_put(struct mm *);
struct mm *mm_join(struct mm *); // a user comes
void mm_leave(struct mm *);      // a user goes
struct mm *mm_fork(struct mm *);
void mm_totals(struct vmstat *);
struct vma *vma_search(struct mm *, uint64 va);
struct vma *vma_next(struct mm *, uint64 va);
struct vma *vma_new(struct mm *, uint64 start, uint64 end, int prot, const struct vma_ops *);
void vma_drop(struct vma *);
void vma_insert(struct mm *, struct vma *);
struct vma *vma_add(struct mm *, uint64 start, uint64 end, int prot, const struct vma_ops *);
void mm_unlock(struct mm *);
void vma_merge(struct mm *, uint64 start, uint64 end);
int vma_isolate(struct mm *, uint64 start, uint64 end);
int vma_clear(struct mm *, uint64 start, uint64 end);
int mm_cover(struct mm *, uint64 va, uint64 end, enum access);
int mm_populate(struct mm *, uint64 start, uint64 end, enum access);

// page.c
void leaf_split(pte_t);
void block_share(struct page *);
void block_leave(struct page *);
int block_shared(struct page *);

// anon.c
enum outcome anon_fault(struct fault *);

// cow.c
enum outcome cow_fault(struct fault *);
int cow_fork(struct mm *from, struct mm *to, struct vma *);

// filemap.c
int file_attach(struct vma *, struct inode *, int flags, uint64 off, uint64 fend);
enum outcome file_mkwrite(struct fault *);
void file_own(struct page *);
void file_disown(struct page *);
void file_wrote(struct page *);
int file_writeback(uint inum, uint from, uint to);
int file_urge(void);
void file_tick(void);
void file_start(void);
void file_unmap(struct inode *, uint64 size);

// shm.c
int shm_attach(struct vma *);

// huge.c
int huge_fault(struct fault *);
int huge_collapse(struct mm *, uint64 start, uint64 end);
extern int huge_mode;

// rmap.c; the rest is in rmap.h
int family_join(struct mm *, struct mm *parent);
void family_enter(struct mm *);
void family_leave(struct mm *);
void rmap_split(struct page *);
void rmap_file(struct vma *);
void rmap_unfile(struct vma *);
void rmap_each(uint inum, void (*fn)(struct vma *, uint64 arg), uint64 arg);

// swap.c
struct mappers;
enum outcome swap_fault(struct fault *);
void swap_get(pte_t);
void swap_put(pte_t);
int swap_on(void);
int swap_off(void);
int swap_room(void);
int swap_out(struct mappers *);
int swap_write(void);
void swap_info(struct vmstat *);
uint64 swap_squares(void);

// policy/queue.c; the rest is in policy/queue.h
void queue_forget(struct page *);
void queue_enrol(struct mm *);

// reclaim.c
#define RECLAIM_BATCH 32
int reclaim(int n);
int reclaiming(void);
int reclaim_evict(int n);
int reclaim_range(struct mm *, uint64 start, uint64 end);
int reclaim_policy(int policy);
void reclaim_info(struct vmstat *);

// check.c
int mm_check(uint64 breakit);
void wound(uint64 nr); // debug/wound.c
void wound_mend(void);

// oom.c
int oom(void);

// upage.c
void upage_init(void);
void upage_ticks(uint64 ticks);

// stack.c
enum outcome stack_grow(struct fault *);
int stack_extend(struct mm *, uint64 va);

// riscv/ad.c
enum outcome ad_fixup(struct fault *);

// Whether a range has 2 MiB pages or none: MAP_HUGETLB, and never cut inside one.
static inline int
huge_only(const struct vma *v)
{
  return (v->flags & VM_HUGETLB) && (v->start | v->end) % HUGESIZE == 0;
}

// The vma around va; 0: none. Holds mm->lock.
static inline struct vma *
vma_find(struct mm *mm, uint64 va)
{
  struct vma *v = mm->found;
  return v && v->start <= va && va < v->end ? v : vma_search(mm, va);
}

// The leaf bits that a vma's rule gives.
static inline uint64
prot_bits(int prot)
{
  return prot * (PTE_R / PROT_READ); // the same bits in the same order; PROT_WRITE has PROT_READ
}
_Static_assert(PTE_R / PROT_READ == PTE_W / PROT_WRITE && PTE_R / PROT_READ == PTE_X / PROT_EXEC,
               "prot_bits");

// The frame of the table that pte is in.
static inline struct page *
table_of(pte_t *pte)
{
  return va_page((void *)PGROUNDDOWN((uint64)pte));
}

// Whether an entry has a frame: a leaf, or one that PROT_NONE hides.
static inline int
pte_mapped(pte_t pte)
{
  return (pte & PTE_NONE) || ((pte & PTE_V) && PTE_LEAF(pte));
}

// The frame of a small leaf that was unmapped and flushed, whose reference goes to the caller. The
// leaf's D says whether the frame, when it is a file's, has been written.
static inline struct page *
leaf_page(pte_t pte)
{
  struct page *pg = pa_page(PTE2PA(pte));
  if (pg->kind == PG_CACHE && (pte & PTE_D))
    page_set(pg, PF_DIRTY);
  return pg;
}

// pg, whose last reference is gone, goes to a chain of free frames.
static inline void
page_retire(struct page *pg, struct chain *gone)
{
  assert(pg->ref == 0 && pg->kind != PG_FREE && pg->kind != PG_RESERVED);
  if (pg->flags & AF_QUEUED)
    queue_forget(pg);
  if (DEBUGGING && pg->kind != PG_TABLE)
    memset(page_va(pg), 0x5a, PGSIZE);
  pg->kind = PG_FREE;
  chain_push(gone, pg);
}

// Whether somebody else has a frame of a leaf, by another leaf or a pin, or it belongs to a file.
// Holds the lock of an mm that has the leaf, so the answer "no" stays true.
static inline int
leaf_shared(pte_t pte, int level)
{
  struct page *pg = pa_page(PTE2PA(pte));
  return pg->kind != PG_ANON || (level == 0 ? page_shared(pg) : block_shared(pg));
}
