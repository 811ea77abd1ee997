// SPDX-License-Identifier: MIT
// Page tables, and the decision what a page fault means.
//
// Interface: walk, mappages; kvm* for the kernel's half; uvm* for a program's; vmfault.
//
// A table is one frame of 512 entries (privileged spec 4.4):
//
//   root (level 2)            level 1                 level 0
//   +-----------+ va 38..30   +-----------+ 29..21    +-----------+ 20..12
//   |   0       |------------>|           |---------->|   leaf    |---> frame, byte va 11..0
//   |   1       |             | 2 MiB leaf|--> block  |           |
//   |  ...      |             +-----------+           +-----------+
//   | 256..511  |---> the kernel half, filled once at boot, the same in every root
//   +-----------+     (a leaf at level 2 maps 1 GiB)
//
// What an entry of a program's half can be:
//   0                       empty: the vma knows what belongs there
//   V, no R W X             points to the table below
//   V U and R, maybe W X    a leaf. Read-only in a private vma that allows writing: copy-on-write
//
// Locks: the kernel half changes only at boot and, for new stacks, under proc.c's stack lock. A
// program's half changes under its mm->lock; hardware sets A and D in it at any time, so live
// leaves change by atomic operations.
//
// 1. struct page.used of a table counts its entries that are not 0; a program's table with none
//    is given back, but for the root.
// 2. A frame or table is freed only after the flush that makes all harts forget it.
// 3. No leaf is both writable and executable, and no user leaf lies in the kernel half.

#include "defs.h"
#include "mm/mm.h"
#include "proc.h"
#include "riscv/fdt.h"
#include "riscv/hart.h"

pagetable_t kernel_pagetable;

extern char text_start[], text_end[], rodata_end[]; // kernel.ld

static struct page *
table_of(pte_t *pte)
{
  return va_page((void *)PGROUNDDOWN((uint64)pte));
}

static pagetable_t
below(pte_t pte)
{
  return (pagetable_t)KVA(PTE2PA(pte));
}

// Store into an entry that is empty.
void
pte_fill(pte_t *pte, pte_t value)
{
  assert(*pte == 0 && value != 0);
  table_of(pte)->used++;
  __atomic_store_n(pte, value, __ATOMIC_RELEASE);
}

// Empty an entry; what it was, with the A and D that hardware set until now.
pte_t
pte_take(pte_t *pte)
{
  table_of(pte)->used--;
  return __atomic_exchange_n(pte, 0, __ATOMIC_ACQ_REL);
}

static pagetable_t
table_new(void)
{
  struct page *pg = page_alloc(PG_TABLE);
  if (pg == 0)
    return 0;
  pg->used = 0;
  page_zero(page_va(pg));
  return page_va(pg);
}

// The entry for va, and in *level where it was found. On the way in *level is the lowest level to
// go to. The walk ends earlier at a leaf, whose size is then LVLSIZE(*level); without alloc also at
// an empty entry. With alloc missing tables are made, and 0 means that there was no memory.
// The caller holds what guards the table. Does not sleep.
pte_t *
walk(pagetable_t pagetable, uint64 va, int alloc, int *level)
{
  for (int l = LEVELS - 1;; l--) {
    pte_t *pte = &pagetable[PX(l, va)];
    if (l == *level || PTE_LEAF(*pte) || (*pte == 0 && !alloc)) {
      *level = l;
      return pte;
    }
    if (*pte == 0) {
      pagetable_t next = table_new();
      if (next == 0)
        return 0;
      pte_fill(pte, PA2PTE(KPA(next)) | PTE_V);
    }
    pagetable = below(*pte);
  }
}

static int
largest_level(uint64 va, uint64 pa, uint64 size)
{
  int level = LEVELS - 1;
  while (level > 0 && ((va | pa) % LVLSIZE(level) || size < LVLSIZE(level)))
    level--;
  return level;
}

// Map size bytes from va to pa with these PTE_ bits, in leaves as large as fit. All three are
// page-aligned and nothing is mapped there. -ENOMEM leaves everything as it was.
int
mappages(pagetable_t pagetable, uint64 va, uint64 size, uint64 pa, uint64 perm)
{
  uint64 at = va;
  assert((va | size | pa) % PGSIZE == 0 && (perm & (PTE_W | PTE_X)) != (PTE_W | PTE_X));
  while (at < va + size) {
    int level = largest_level(at, pa, va + size - at);
    pte_t *pte = walk(pagetable, at, 1, &level);
    if (pte == 0)
      goto undo;
    pte_fill(pte, PA2PTE(pa) | perm | PTE_V);
    at += LVLSIZE(level);
    pa += LVLSIZE(level);
  }
  return 0;

undo:
  while (at > va) {
    int level = 0;
    pte_t *pte = walk(pagetable, at - PGSIZE, 0, &level);
    pte_take(pte);
    at -= LVLSIZE(level);
  }
  return -ENOMEM;
}

// ---- the kernel half ----

static void
kvmmap(uint64 pa, uint64 end, uint64 perm)
{
  if (mappages(kernel_pagetable, KVA(pa), end - pa, pa, perm | PTE_G | PTE_A | PTE_D) < 0)
    panic("no memory for the kernel's page table");
}

// Make the kernel's page table. Called once, by hart 0.
void
kvminit(void)
{
  uint64 text = KPA(text_start), rodata = KPA(text_end), data = KPA(rodata_end);
  kernel_pagetable = table_new();
  kvmmap(VIRT_TEST, VIRT_TEST + PGSIZE, PTE_R | PTE_W);
  kvmmap(CLINT, CLINT + 0x10000, PTE_R | PTE_W);
  kvmmap(PLIC, PLIC + 0x400000, PTE_R | PTE_W);
  kvmmap(UART0, UART0 + 9 * PGSIZE, PTE_R | PTE_W); // and the virtio transports behind it
  kvmmap(RAMBASE, text, PTE_R);
  kvmmap(text, rodata, PTE_R | PTE_X);
  kvmmap(rodata, data, PTE_R);
  kvmmap(data, RAMBASE + nframes * PGSIZE, PTE_R | PTE_W);

  int level = 1; // so that every root can share the stacks that are still to come
  if (walk(kernel_pagetable, KSTACKS, 1, &level) == 0)
    panic("no memory for the table of kernel stacks");
}

// This hart leaves the early page table for the kernel's own.
void
kvminithart(void)
{
  tlb_kernel();
}

static uint
tables_in(pagetable_t table, int level, int first)
{
  uint n = 1;
  for (int i = first; i < PTES && level > 0; i++)
    if (table[i] != 0 && !PTE_LEAF(table[i]))
      n += tables_in(below(table[i]), level - 1, 0);
  return n;
}

// Page-table pages of the kernel half, its root included.
uint
kvm_tables(void)
{
  return tables_in(kernel_pagetable, LEVELS - 1, PTES / 2);
}

// Map the two frames of kernel stack slot i. Holds proc.c's stack lock. -ENOMEM: nothing changed.
int
kvmstack(int i)
{
  uint64 va = KSTACK_TOP(i) - KSTACK_SIZE;
  for (int k = 0; k < KSTACK_SIZE / PGSIZE; k++) {
    struct page *pg = page_alloc(PG_KERNEL);
    int level = 0;
    pte_t *pte = pg ? walk(kernel_pagetable, va + k * PGSIZE, 1, &level) : 0;
    if (pte == 0 || *pte != 0) { // not 0: mapped by an earlier try that failed half-way
      if (pg)
        page_put(pg);
      if (pte == 0)
        return -ENOMEM;
      continue;
    }
    pte_fill(pte, PA2PTE(page_pa(pg)) | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D | PTE_V);
  }
  return 0;
}

// ---- a program's half ----

// A root table with the kernel half and nothing else; 0: no memory.
pagetable_t
uvmcreate(void)
{
  pagetable_t pt = table_new();
  if (pt)
    memcpy(pt + PTES / 2, kernel_pagetable + PTES / 2, PGSIZE / 2);
  return pt;
}

// Map frame pg at va, which is empty, with these PTE_ bits; the caller's reference becomes the
// mapping's. Holds mm->lock. -ENOMEM: it is not mapped.
int
uvmmap(struct mm *mm, uint64 va, struct page *pg, uint64 perm)
{
  int level = 0;
  pte_t *pte = walk(mm->pagetable, va, 1, &level);
  if (pte == 0)
    return -ENOMEM;
  assert(va < USERTOP && (perm & (PTE_W | PTE_X)) != (PTE_W | PTE_X));
  pte_fill(pte, PA2PTE(page_pa(pg)) | perm | PTE_U | PTE_V);
  mm->resident++;
  return 0;
}

// What was unmapped waits here for the flush.
#define GATHER 128
struct gather {
  struct mm *mm;
  uint64 va; // of the last leaf
  uint n, leaves;
  struct page *pages[GATHER];
};

static void
gather_free(struct gather *g)
{
  if (g->leaves == 1 && g->n == 1)
    tlb_flush_page(g->mm, g->va);
  else if (g->n > 0)
    tlb_flush_all(g->mm);
  g->mm->resident -= g->leaves;
  while (g->n > 0)
    page_put(g->pages[--g->n]);
  g->leaves = 0;
}

static void
gather_add(struct gather *g, pte_t pte)
{
  g->pages[g->n++] = pa_page(PTE2PA(pte));
  if (g->n == GATHER)
    gather_free(g);
}

static void
unmap_table(struct gather *g, pagetable_t table, int level, uint64 va, uint64 end)
{
  for (pte_t *pte = &table[PX(level, va)]; va < end; pte++) {
    uint64 next = (va | (LVLSIZE(level) - 1)) + 1;
    if (next > end)
      next = end;
    if (PTE_LEAF(*pte)) {
      g->leaves++;
      g->va = va;
      gather_add(g, pte_take(pte));
    } else if (*pte != 0) {
      pte_t old = *pte;
      unmap_table(g, below(old), level - 1, va, next);
      if (va_page(below(old))->used == 0) {
        pte_take(pte);
        gather_add(g, old);
      }
    }
    va = next;
  }
}

// Unmap [start, end), free what nobody else has, give back empty tables. Holds mm->lock. Sleeps
// while other harts answer.
void
uvmunmap(struct mm *mm, uint64 start, uint64 end)
{
  struct gather g = { .mm = mm };
  unmap_table(&g, mm->pagetable, LEVELS - 1, start, end);
  gather_free(&g);
}

// Go on to the next leaf at or behind it->va: 1, or 0 when there is none before it->end. Start with
// it->pte = 0. Leaf after leaf of one table costs a step each, not a walk.
int
uvmnext(struct leaves *it)
{
  if (it->pte != 0)
    it->va = (it->va | (LVLSIZE(it->level) - 1)) + 1;
  while (it->va < it->end) {
    if (it->pte != 0 && it->level == 0 && PX(0, it->va) != 0) {
      it->pte++;
    } else {
      it->level = 0;
      it->pte = walk(it->pagetable, it->va, 0, &it->level);
    }
    if (*it->pte != 0)
      return 1;
    it->va = (it->va | (LVLSIZE(it->level) - 1)) + 1;
    if (it->level > 0)
      it->pte = 0;
  }
  return 0;
}

// ---- page faults ----

// Whether a leaf allows the access, A and D aside.
int
pte_allows(pte_t pte, enum access access)
{
  pte_t need = access == ACCESS_WRITE ? PTE_W : access == ACCESS_EXEC ? PTE_X : PTE_R;
  return (pte & PTE_V) && (pte & PTE_U) && (pte & need);
}

// Map pg, whose reference is given away, where the fault was; writable only if this access writes.
enum outcome
fault_map(struct fault *f, struct page *pg)
{
  uint64 bits = prot_bits(f->vma->prot & ~PROT_WRITE) | PTE_R | PTE_A;
  if (f->access == ACCESS_WRITE)
    bits |= PTE_W | PTE_D;
  if (uvmmap(f->mm, f->va, pg, bits) == 0)
    return FAULT_DONE;
  page_put(pg);
  return FAULT_NOMEM;
}

// The table of docs/vm.md, in its order.
static enum outcome
decide(struct fault *f)
{
  pte_t pte = *f->pte;
  if (f->vma == 0)
    return stack_grow(f);
  if (!(f->vma->prot & f->access))
    return FAULT_BAD;
  if (pte_allows(pte, f->access) && !(pte & PTE_A && (pte & PTE_D || f->access != ACCESS_WRITE)))
    return ad_fixup(f);
  if (pte_allows(pte, f->access)) {
    tlb_spurious(f->mm);
    return FAULT_DONE;
  }
  if (PTE_LEAF(pte) && f->access == ACCESS_WRITE)
    return cow_fault(f);
  return f->vma->ops->fault(f);
}

// Make an access to va in mm possible. The caller holds no lock and may sleep; mm->lock is taken.
enum outcome
vmfault(struct mm *mm, uint64 va, enum access access)
{
  struct fault f = { .mm = mm, .va = PGROUNDDOWN(va), .access = access };
  enum outcome result;
  if (va >= USERTOP)
    return FAULT_BAD;
  acquiresleep(&mm->lock);
  do {
    f.vma = vma_find(mm, f.va);
    f.level = 0;
    f.pte = walk(mm->pagetable, f.va, 0, &f.level);
    result = decide(&f);
  } while (result == FAULT_RETRY);
  releasesleep(&mm->lock);
  return result;
}
