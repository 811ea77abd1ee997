// SPDX-License-Identifier: MIT
// An address space, its ranges, and what happens to them: the types of the room mm/.
#pragma once

#include "../list.h"
#include "../param.h"
#include "../sleeplock.h"
#include "../spinlock.h"
#include "page.h"
#include "uaccess.h"

struct inode;
struct fault;
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

#define PROT_NONE  0
#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4

// A kind of memory is one of these tables. mm->lock is held; fault may drop and retake it if it
// returns FAULT_RETRY.
struct vma_ops {
  const char *name;
  enum outcome (*fault)(struct fault *);                     // the pte is empty: fill it
  int (*fork)(struct mm *from, struct mm *to, struct vma *); // share the pages; -ENOMEM
  void (*open)(struct vma *);                                // 0, or: v was copied
  void (*close)(struct vma *);                               // 0, or: v goes
};

extern const struct vma_ops anon_ops, stack_ops, file_ops, upage_ops;

// One range of an address space with one rule. All under mm->lock.
struct vma {
  uint64 start, end;         // page-aligned, end exclusive
  int prot;                  // PROT_*; PROT_WRITE has PROT_READ with it
  int flags;                 // VM_*
  const struct vma_ops *ops; // the kind of memory
  struct inode *ip;          // file memory: a reference of its own
  uint64 off;                // file memory: the byte of the file at start, page-aligned
  uint64 fend;              // file memory: from this address on there are zeros instead of the file
  struct vma *left, *right; // the tree, see vma.c
  uint prio;
};

// An address space.
//   users: processes whose memory this is; when the last goes, so do the vmas, frames and tables.
//   refs:  1 for all users together, and 1 per hart whose satp holds the table; when the last goes,
//          so do the root table and this struct.
struct mm {
  int users, refs;       // atomic
  pagetable_t pagetable; // its root, in the direct map; for good
  struct sleeplock lock; // the fields of this group, the vmas, and every user pte:
  struct vma *tree;      //   the vmas by address
  uint64 heap, brk;      //   the heap's start and end; brk needs no alignment
  uint64 mapped;         //   bytes in vmas
  long resident;         //   leaves that map a frame
  uint64 asid;           // riscv/asid.c: generation above, number below
  uint running;          // atomic; bit h: satp of hart h holds this table
  uint gen, seen[NCPU];  // riscv/tlb.c: flushes, and how far each hart has come
};

struct fault {
  struct mm *mm;
  struct vma *vma; // the range around va, 0 when there is none
  uint64 va;       // page-aligned
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

// vm.c; a breakpoint on these three means what it says
#define NOINLINE __attribute__((noinline))
extern pagetable_t kernel_pagetable;
pte_t *walk(pagetable_t, uint64 va, int alloc, int *level) NOINLINE;
int mappages(pagetable_t, uint64 va, uint64 size, uint64 pa, uint64 perm) NOINLINE;
void pte_fill(pte_t *, pte_t);
pte_t pte_take(pte_t *);
int pte_allows(pte_t, enum access);
int kvmstack(int slot);
pagetable_t uvmcreate(void);
int uvmmap(struct mm *, uint64 va, struct page *, uint64 perm);
void uvmunmap(struct mm *, uint64 start, uint64 end);
int uvmnext(struct leaves *);
enum outcome vmfault(struct mm *, uint64 va, enum access) NOINLINE;
enum outcome fault_map(struct fault *, struct page *);

// vma.c
struct mm *mm_new(void);
void mm_get(struct mm *); // a reference for a hart
void mm_put(struct mm *);
void mm_leave(struct mm *); // a user goes
struct mm *mm_fork(struct mm *);
struct vma *vma_find(struct mm *, uint64 va);
struct vma *vma_next(struct mm *, uint64 va);
struct vma *vma_add(struct mm *, uint64 start, uint64 end, int prot, const struct vma_ops *);
int mm_cover(struct mm *, uint64 va, uint64 end, enum access);
int64 mm_sbrk(struct mm *, int64 n, int lazy);

// anon.c
enum outcome anon_fault(struct fault *);
int anon_populate(struct mm *, struct vma *, uint64 start, uint64 end);

// cow.c
enum outcome cow_fault(struct fault *);
int cow_fork(struct mm *from, struct mm *to, struct vma *);

// filemap.c
struct vma *file_map(struct mm *, uint64 start, uint64 end, int prot, struct inode *, uint64 off,
                     uint64 fend);

// upage.c
void upage_init(void);
void upage_ticks(uint64 ticks);
int upage_map(struct mm *);

// stack.c
enum outcome stack_grow(struct fault *);
int stack_extend(struct mm *, uint64 va);

// riscv/ad.c
enum outcome ad_fixup(struct fault *);

// The leaf bits that a vma's rule gives.
static inline uint64
prot_bits(int prot)
{
  return (prot & (PROT_READ | PROT_WRITE) ? PTE_R : 0) | (prot & PROT_WRITE ? PTE_W : 0) |
         (prot & PROT_EXEC ? PTE_X : 0);
}
