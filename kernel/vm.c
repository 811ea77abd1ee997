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
//   V U and R, maybe W X    a leaf. Read-only in a private vma that allows writing: copy-on-write;
//                           in a shared one: a clean page of its file
//   NONE U, maybe A D       V = 0: a leaf that PROT_NONE hides; its frame is kept
//   SWAP, slot for frame    V = 0: the page is in swap (only at level 0)
//
//   What happens to it by   read fault        write fault            fork          reclaim
//   NONE                    bad address       bad address            shared        like a leaf
//   SWAP                    read back in      read back in, private  slot shared   nothing
//
// Locks: the kernel half changes only at boot and, for new stacks, under kstack.c's lock. A
// program's half changes under its mm->lock; hardware sets A and D in it at any time, so live
// leaves change by atomic operations.
//
// 1. struct page.used of a table counts its entries that are not 0; a program's table with none
//    is given back, but for the root.
// 2. A frame or table is freed only after the flush that makes all harts forget it.
// 3. No leaf is both writable and executable, and no user leaf lies in the kernel half.

#include "mm/rmap.h"
#include "proc.h"

pagetable_t kernel_pagetable;
static ushort kernel_entries[PTES / 2]; // those of its root that are in use; all others are empty
static int nkernel;

extern char text_start[], text_end[], rodata_end[]; // kernel.ld

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

// Hang the missing tables below pte, the empty entry for va of a table of this level: the entry in
// the lowest one; 0: no memory, and nothing changed. The lowest comes first, so that they become part
// of the tree all at once. Apart from walk, which is short that way.
static NOINLINE pte_t *
grow(pte_t *pte, uint64 va, int level, int lowest)
{
  pagetable_t table = table_alloc();
  if (table == 0)
    return 0;
  pte_t *leaf = &table[PX(--level, va)];
  if (level > lowest && (leaf = grow(leaf, va, level, lowest)) == 0)
    page_put(va_page(table));
  else
    pte_fill(pte, PA2PTE(KPA(table)) | PTE_V);
  return leaf;
}

// The entry for va, and in *level where it was found. On the way in *level is the lowest level to
// go to. The walk ends earlier at an entry that has a frame, whose size is then LVLSIZE(*level);
// without alloc also at an empty entry. With alloc missing tables are made: all, or none and 0 when
// there is no memory. The caller holds what guards the table. Does not sleep.
pte_t *
walk(pagetable_t pagetable, uint64 va, int alloc, int *level)
{
  int l = LEVELS - 1;
  pte_t *pte = &pagetable[PX(l, va)];
  while (l > *level && PTE_TABLE(*pte)) {
    pagetable = (pagetable_t)KVA(PTE2PA(*pte)); // not by a function: it is stepped through
    pte = &pagetable[PX(--l, va)];
  }
  if (alloc && *pte == 0 && l > *level)
    return grow(pte, va, l, *level);
  *level = l;
  return pte;
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
// page-aligned and nothing is mapped there. -ENOMEM: only a part is mapped.
int
mappages(pagetable_t pagetable, uint64 va, uint64 size, uint64 pa, uint64 perm)
{
  uint64 end = va + size;
  assert((va | size | pa) % PGSIZE == 0 && (perm & (PTE_W | PTE_X)) != (PTE_W | PTE_X));
  for (int level; va < end; va += LVLSIZE(level), pa += LVLSIZE(level)) {
    level = largest_level(va, pa, end - va);
    pte_t *pte = walk(pagetable, va, 1, &level);
    if (pte == 0)
      return -ENOMEM;
    pte_fill(pte, PA2PTE(pa) | perm | PTE_V);
  }
  return 0;
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
  kernel_pagetable = table_alloc();
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
  for (int i = PTES / 2; i < PTES; i++)
    if (kernel_pagetable[i] != 0)
      kernel_entries[nkernel++] = i;
}

// Page-table pages of the tree below a table of this level, by way of its entries first to end - 1,
// itself included. The caller holds what guards them.
uint
tables_in(pagetable_t table, int level, int first, int end)
{
  uint n = 1;
  for (int i = first; i < end && level > 0; i++)
    if (PTE_TABLE(table[i]))
      n += tables_in(below(table[i]), level - 1, 0, PTES);
  return n;
}

// Map the two frames of kernel stack slot i. Holds kstack.c's lock. -ENOMEM: nothing changed.
int
kvmstack(int i)
{
  uint64 va = KSTACK_TOP(i) - KSTACK_SIZE;
  for (int k = 0; k < KSTACK_SIZE / PGSIZE; k++) {
    int level = 0;
    pte_t *pte = walk(kernel_pagetable, va + k * PGSIZE, 1, &level);
    if (pte && *pte != 0) // by an earlier try that failed half-way
      continue;
    struct page *pg = pte ? page_alloc(PG_KERNEL) : 0;
    if (pg == 0)
      return -ENOMEM;
    pte_fill(pte, PA2PTE(page_pa(pg)) | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D | PTE_V);
  }
  return 0;
}

// ---- a program's half ----

// A root table with the kernel half and nothing else; 0: no memory.
pagetable_t
uvmcreate(void)
{
  pagetable_t pt = table_alloc();
  for (int i = 0; i < nkernel && pt; i++)
    pt[kernel_entries[i]] = kernel_pagetable[kernel_entries[i]];
  return pt;
}

// Give back a root table with nothing in the user half, or an empty table that is in no tree.
void
uvmfree(pagetable_t pt)
{
  for (int i = 0; i < nkernel; i++)
    pt[kernel_entries[i]] = 0;
  page_put(va_page(pt));
}

// What was unmapped waits here for the flush: leaves, with their level in bits that no entry uses,
// and tables.
#define GATHER      128
#define RUN         (GATHER / 2 * PGSIZE) // is gone through at once
#define AT_LEVEL(l) ((uint64)(l) << 60)
#define NEAR        (16 * PGSIZE)
struct gather {
  struct mm *mm;
  int detached;      // the flush has been
  uint64 n;          // leaves
  uint64 start, end; // where they were
  pte_t *at;         // room for GATHER of them
  struct chain tables;
};

// Put the frame of a leaf that no hart uses any more.
static inline void
gather_put(struct chain *gone, pte_t old)
{
  struct page *pg = leaf_page(old);
  if (old >> 60)
    block_leave(pg);
  else if (pg->kind == PG_KERNEL)
    page_put(pg);
  else if (page_drop(pg))
    page_retire(pg, gone);
}

static NOINLINE void
gather_free(struct gather *g)
{
  struct chain gone = { 0 };
  if (!g->detached && g->tables.n > 0)
    tlb_flush_all(g->mm);
  else if (!g->detached && g->n > 0)
    tlb_flush_range(g->mm, g->start, g->end);
  for (pte_t *old = g->at, *stop = old + g->n; old < stop; old++)
    gather_put(&gone, *old);
  vm_count(frames_freed, gone.n);
  vm_count(tables_freed, g->tables.n);
  frames_free(&gone, &g->tables);
  g->n = 0;
  g->tables = (struct chain){ 0 };
}

// Up to n leaves of [va, end) are to wait: where.
static inline pte_t *
gather_room(struct gather *g, uint n, uint64 va, uint64 end)
{
  if (g->n + n > GATHER)
    gather_free(g);
  if (g->n == 0)
    g->start = va;
  g->end = end;
  return g->at + g->n;
}

// Empty the entries from *pte on, for [va, end), in one table of level 0.
static NOINLINE void
unmap_leaves(struct gather *g, pte_t *pte, uint64 va, uint64 end)
{
  struct page *table = table_of(pte);
  uint left = table->used, slots = 0;
  for (; va < end && *pte == 0; va += PGSIZE)
    pte++;
  pte_t *at = gather_room(g, (end - va) / PGSIZE, va, end);
  for (; va < end && left > 0; pte++, va += PGSIZE) {
    if (*pte == 0)
      continue;
    pte_t old = __atomic_exchange_n(pte, 0, __ATOMIC_RELAXED);
    left--;
    if (old & PTE_SWAP) {
      swap_put(old);
      slots++;
    } else {
      *at++ = old;
    }
  }
  g->n = at - g->at;
  g->end = va; // often the last leaf's
  g->mm->resident -= table->used - left - slots;
  g->mm->swapped -= slots;
  table->used = left;
}

// The huge page at va.
static NOINLINE void
unmap_huge(struct gather *g, pte_t *pte, uint64 va)
{
  *gather_room(g, 1, va, va + HUGESIZE) = pte_take(pte) | AT_LEVEL(1);
  g->n++;
  g->mm->resident -= PTES;
}

// Unmap [va, end), which cuts no huge page, and give back the tables that are empty then.
// What is a table can be seen without V, which uvmclear has taken away.
static void
unmap(struct gather *g, uint64 va, uint64 end)
{
  pte_t *path[LEVELS];
  for (uint64 next; va < end; va = next) {
    int l = LEVELS - 1;
    path[l] = &g->mm->pagetable[PX(l, va)];
    for (; l > 0 && *path[l] != 0 && !PTE_LEAF(*path[l]) && !(*path[l] & PTE_NONE); l--)
      path[l - 1] = &below(*path[l])[PX(l - 1, va)];
    next = (va | ((l > 0 ? LVLSIZE(l) : RUN) - 1)) + 1;
    if (l == 0)
      unmap_leaves(g, path[0], va, next < end ? next : end);
    else if (*path[l] != 0)
      unmap_huge(g, path[l], va);
    else
      for (; next < end && PX(l, next) != 0 && *++path[l] == 0; next += LVLSIZE(l))
        ;
    for (; l < LEVELS - 1 && table_of(path[l])->used == 0; l++) {
      pte_take(path[l + 1]);
      table_of(path[l])->ref = 0;
      page_retire(table_of(path[l]), &g->tables);
    }
  }
}

// Unmap [start, end), which cuts no huge page, free what nobody else has, give back empty tables.
// Holds mm->lock. Sleeps while other harts answer.
void
uvmunmap(struct mm *mm, uint64 start, uint64 end)
{
  pte_t at[GATHER];
  struct gather g = { .mm = mm, .at = at };
  unmap(&g, start, end);
  gather_free(&g);
}

// Unmap everything: the processor is made to forget all tables but the root first, so one flush is
// enough. Ranges with little between them are one walk. Nobody runs in mm any more. Holds mm->lock.
// Sleeps while other harts answer.
void
uvmclear(struct mm *mm)
{
  pte_t at[GATHER];
  struct gather g = { .mm = mm, .at = at, .detached = 1 };
  struct vma *v;
  for (uint64 va = 0; (v = vma_next(mm, va)) != 0;)
    for (va = v->start; va < v->end; va = (va | (LVLSIZE(LEVELS - 1) - 1)) + 1)
      mm->pagetable[PX(LEVELS - 1, va)] &= ~PTE_V;
  tlb_flush_all(mm);
  for (v = vma_next(mm, 0); v;) {
    uint64 start = v->start, end = v->end;
    while ((v = vma_next(mm, end)) != 0 && v->start - end < NEAR)
      end = v->end;
    unmap(&g, start, end);
  }
  gather_free(&g);
}

// What a leaf becomes under another rule. Never writable unless it was: a fault finds out whether it
// may be.
pte_t
leaf_for(pte_t old, int prot)
{
  pte_t frame = old & ~(PTE_V | PTE_R | PTE_W | PTE_X | PTE_NONE);
  if (prot == PROT_NONE)
    return frame | PTE_NONE;
  return frame | prot_bits(prot & ~PROT_WRITE) | PTE_R | PTE_V |
         (prot & PROT_WRITE ? old & PTE_W : 0);
}

// Put the pages of [start, end), which cuts no huge page, under another rule. Holds mm->lock. Sleeps
// while other harts answer.
void
uvmprotect(struct mm *mm, uint64 start, uint64 end, int prot)
{
  struct leaves it = { .pagetable = mm->pagetable, .va = start, .end = end };
  pte_t lost = 0;
  while (uvmnext(&it))
    if (pte_mapped(*it.pte)) { // away first: the hardware may set D until then
      pte_t old = __atomic_exchange_n(it.pte, 0, __ATOMIC_ACQ_REL), new = leaf_for(old, prot);
      __atomic_store_n(it.pte, new, __ATOMIC_RELEASE);
      lost |= old & ~new &(PTE_R | PTE_W | PTE_X);
    }
  if (lost)
    tlb_flush_range(mm, start, end);
}

// Make small pages of the huge page around va, unless it starts there. Holds mm->lock. Sleeps while
// other harts answer. -ENOMEM: nothing changed.
int
uvmsplit(struct mm *mm, uint64 va)
{
  int level = 0;
  pte_t *pte = va < USERTOP ? walk(mm->pagetable, va, 0, &level) : 0;
  if (level == 0 || va % HUGESIZE == 0 || !pte_mapped(*pte))
    return 0;
  pagetable_t table = table_alloc();
  if (table == 0)
    return -ENOMEM;
  pte_t old = __atomic_exchange_n(pte, 0, __ATOMIC_ACQ_REL);
  leaf_split(old);
  for (int i = 0; i < PTES; i++)
    pte_fill(&table[i], old + i * PA2PTE(PGSIZE));
  __atomic_store_n(pte, PA2PTE(KPA(table)) | PTE_V, __ATOMIC_RELEASE);
  tlb_flush_all(mm); // 4.2.1: a hart may still use the leaf that was
  vm_count(huge_splits, 1);
  return 0;
}

// Go on to the next leaf at or behind it->va: 1, or 0 when there is none before it->end. Start with
// it->pte = 0. Leaf after leaf of one table costs a step each, not a walk.
int
uvmnext(struct leaves *it)
{
  if (it->pte != 0)
    it->va = (it->va | (LVLSIZE(it->level) - 1)) + 1;
  while (it->va < it->end) {
    if (it->pte != 0 && it->level == 0 && PX(0, it->va) != 0) { // the same table
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

// Print the entries of a table whose first is for va, and of the tables below; of the root, a program's half.
static void
print_entries(pagetable_t table, int level, uint64 va)
{
  int n = level == LEVELS - 1 ? PTES / 2 : PTES;
  for (int i = 0; i < n; i++, va += LVLSIZE(level)) {
    if (table[i] == 0)
      continue;
    for (int depth = level; depth < LEVELS; depth++)
      printk(" ..");
    printk("%d: va 0x%lx pte 0x%lx pa 0x%lx\n", i, va, table[i], PTE2PA(table[i]));
    if (PTE_TABLE(table[i]))
      print_entries((pagetable_t)KVA(PTE2PA(table[i])), level - 1, va);
  }
}

// Print a program's half of a page table on the console: for a debugger's call, or a line that you
// put somewhere. Whoever could change the table must stand still.
void
vmprint(pagetable_t pagetable)
{
  printk("page table 0x%lx\n", KPA(pagetable));
  print_entries(pagetable, LEVELS - 1, 0);
}

// ---- page faults ----

// Whether a leaf allows the access, A and D aside.
int
pte_allows(pte_t pte, enum access access)
{
  pte_t need = access == ACCESS_WRITE ? PTE_W : access == ACCESS_EXEC ? PTE_X : PTE_R;
  return (pte & PTE_V) && (pte & PTE_U) && (pte & need);
}

// As fault_map, where tables are missing.
static NOINLINE enum outcome
map_below(struct fault *f, struct page *pg)
{
  pte_t *pte = grow(f->pte, f->va, f->level, 0);
  if (pte) {
    f->pte = pte;
    f->level = 0;
    return fault_map(f, pg);
  }
  page_put(pg);
  return FAULT_NOMEM;
}

// Map pg, whose reference is given away, where the fault was; writable only if this access writes.
// f->pte is its leaf then.
enum outcome
fault_map(struct fault *f, struct page *pg)
{
  if (f->level > 0)
    return map_below(f, pg);
  uint64 bits = prot_bits(f->vma->prot & ~PROT_WRITE) | PTE_R | PTE_A;
  if (f->access == ACCESS_WRITE)
    bits |= PTE_W | PTE_D;
  pte_fill(f->pte, PA2PTE(page_pa(pg)) | bits | PTE_U | PTE_V);
  f->mm->resident++;
  if (pg->kind == PG_ANON)
    rmap_born(pg, f->mm, f->va);
  return FAULT_DONE;
}

static enum outcome
spurious(struct fault *f)
{
  vm_count(spurious, 1);
  tlb_spurious(f->mm);
  return FAULT_DONE;
}

static enum outcome
refuse(void)
{
  vm_count(protection, 1);
  return FAULT_BAD;
}

// The table of docs/vm.md, in its order.
static INLINE enum outcome
decide(struct fault *f)
{
  pte_t pte = *f->pte;
  int writes = f->access == ACCESS_WRITE;
  if (f->vma == 0)
    return stack_grow(f) == FAULT_RETRY ? FAULT_RETRY : refuse();
  if (!(f->vma->prot & f->access))
    return refuse();
  if (pte_allows(pte, f->access) && !(pte & PTE_A && (pte & PTE_D || !writes)))
    return ad_fixup(f);
  if (pte_allows(pte, f->access))
    return spurious(f);
  if (pte_mapped(pte) && !(f->vma->flags & VM_SHARED))
    return cow_fault(f);
  if (pte_mapped(pte))
    return file_mkwrite(f);
  if (pte & PTE_SWAP)
    return swap_fault(f);
  if (f->level > 0 && huge_fault(f))
    return FAULT_DONE;
  if (f->level > 0 && huge_only(f->vma))
    return FAULT_IO;
  return f->vma->ops->fault(f);
}

// No frame was to be had: find some, or if patient a victim, with mm, which is locked, unlocked
// meanwhile. FAULT_RETRY, or FAULT_NOMEM.
enum outcome
relieve(struct mm *mm, int patient)
{
  releasesleep(&mm->lock);
  int again = reclaim(RECLAIM_BATCH) > 0 || (patient && oom());
  if (!again)
    myproc()->starved = 0; // so that the system call is not tried again
  acquiresleep(&mm->lock);
  return again ? FAULT_RETRY : FAULT_NOMEM;
}

// Find what there is at f->va: its range, and where the walk to it ends. Holds mm->lock.
static inline void
look(struct fault *f)
{
  f->vma = vma_find(f->mm, f->va);
  f->level = 0;
  f->pte = walk(f->mm->pagetable, f->va, 0, &f->level);
}

// The first try had this outcome. As settle, which is short that way.
static NOINLINE enum outcome
settle_again(struct fault *f, enum outcome result, int patient)
{
  while (result == FAULT_RETRY ||
         (result == FAULT_NOMEM && relieve(f->mm, patient) == FAULT_RETRY)) {
    look(f);
    result = decide(f);
  }
  if (result == FAULT_IO || result == FAULT_NOMEM)
    vm_count(failed, 1);
  return result;
}

// Make the access possible, at any price if patient. Holds mm->lock, and may drop and retake it.
static INLINE enum outcome
settle(struct fault *f, int patient)
{
  vm_count(faults, 1);
  enum outcome result = decide(f);
  return result == FAULT_DONE ? result : settle_again(f, result, patient);
}

// Make an access to va in mm possible. The caller holds no lock and may sleep; mm->lock is taken.
// FAULT_NOMEM: this process has been chosen to end.
enum outcome
vmfault(struct mm *mm, uint64 va, enum access access)
{
  acquiresleep(&mm->lock);
  struct fault f = { .mm = mm, .va = PGROUNDDOWN(va), .access = access };
  look(&f);
  enum outcome result = settle(&f, 1);
  releasesleep(&mm->lock);
  return result;
}

// Give every page of [start, end) that has no frame one, as an access would. Nobody is ended for it.
// Holds mm->lock, and drops and retakes it. 0, -ENOMEM, -EIO, or -EFAULT for a page where the access
// is not allowed; some pages have frames then.
int
mm_populate(struct mm *mm, uint64 start, uint64 end, enum access access)
{
  struct fault f = { .mm = mm, .va = start, .end = end, .access = access };
  for (; f.va < end; f.va += PGSIZE) {
    look(&f);
    if (pte_allows(*f.pte, access)) {
      f.va |= (LVLSIZE(f.level) - 1) & ~(PGSIZE - 1UL); // the last page of it
      continue;
    }
    enum outcome o = settle(&f, 0);
    if (o != FAULT_DONE)
      return o == FAULT_NOMEM ? -ENOMEM : o == FAULT_IO ? -EIO : -EFAULT;
  }
  return 0;
}
