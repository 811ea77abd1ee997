// SPDX-License-Identifier: MIT
// Programs that change their page tables on the model of harts (tlb_model.c) and flush by the
// kernel's own riscv/tlb.c, asid.c and ad.c. Run by test_tlb.py: tlb_test SEED RUNS.
//
// Checked before every step, for every hart in user mode and everything that it might remember:
//
// 1. A translation that it could use is what the page table says, or said before a flush that has
//    not returned yet; or less than that.
// 2. It was not read for another address space.
// And for every hart, whatever it does:
// 3. No walk goes through a table that was freed, and no freed root is in satp. (tlb_model.c)
// 4. Who runs on a kernel stack sees it. (tlb_model.c)
// And of flushes:
// 5. Only harts that run the mm are called, once each; none when it runs on the flushing hart only.
// 6. Each one returns.
// 7. After a spurious fault, or when A or D was set, the same access cannot fault again.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlb_model.h"

#define NMM    16
#define ROUNDS 60
#define NWAS   4

// An address space, and what its entries said before the flush that is under way.
struct space {
  struct mm mm;
  int serial; // 0: unused
  int nwas[NPAGES];
  pte_t was[NPAGES][NWAS];
};

static struct space spaces[NMM];
static int serials;
static long spurious;

static struct space *
space_of(struct mm *mm)
{
  return (struct space *)mm;
}

static struct task *
self(void)
{
  return (struct task *)myproc();
}

// ---- page tables ----

static pte_t *
lookup(struct mm *mm, uint64 va, int alloc)
{
  pagetable_t table = mm->pagetable;
  for (int level = LEVELS - 1; level > 0; level--) {
    pte_t *pte = &table[PX(level, va)];
    if (*pte == 0 && !alloc)
      return 0;
    if (*pte == 0) {
      pagetable_t next = frame_new(TABLE, space_of(mm)->serial);
      step();
      *pte = PA2PTE(KPA(next)) | PTE_V;
      touched();
    }
    table = (pagetable_t)KVA(PTE2PA(*pte));
  }
  return &table[PX(0, va)];
}

static pte_t
entry(struct mm *mm, int page)
{
  pte_t *pte = lookup(mm, pages[page], 0);
  return pte ? *pte : 0;
}

static void
was(struct mm *mm, int page, pte_t old)
{
  struct space *s = space_of(mm);
  if (s->nwas[page] == NWAS)
    fail("the test forgets what an entry was");
  s->was[page][s->nwas[page]++] = old;
}

// Change an entry that is there; a flush must follow.
static pte_t
change(struct mm *mm, int page, pte_t off, pte_t on)
{
  pte_t *pte = lookup(mm, pages[page], 0);
  step();
  pte_t old = *pte;
  was(mm, page, old);
  *pte = (old & ~off) | on;
  touched();
  return old;
}

// Rights that an entry gives, D among them: to write without telling the page table.
static pte_t
rights(pte_t pte)
{
  return pte & PTE_V ? pte & (PTE_R | PTE_W | PTE_D) : 0;
}

static int
within(pte_t less, pte_t more)
{
  return rights(less) == 0 || (PTE2PA(less) == PTE2PA(more) && !(rights(less) & ~rights(more)));
}

void
check_hart(int hart)
{
  struct task *t = task_of(hart);
  struct found all[64];
  if (t == 0 || !t->user)
    return;
  struct mm *mm = t->proc.mm;
  struct space *s = space_of(mm);
  for (int page = 0; page < NPAGES; page++) {
    int n = walks(hart, pages[page], all, 64);
    for (int i = 0; i < n; i++) {
      if (all[i].foreign)
        fail("hart %d may use another mm's translation of 0x%lx", hart, pages[page]);
      int good = within(all[i].pte, entry(mm, page));
      for (int k = 0; k < s->nwas[page]; k++)
        good |= within(all[i].pte, s->was[page][k]);
      if (!good)
        fail("hart %d may use a translation of 0x%lx that was taken away", hart, pages[page]);
    }
  }
}

// ---- flushes ----

static void
flush_begins(struct mm *mm)
{
  struct task *t = self();
  t->flushing = mm;
  t->ran = mm->running;
  t->called = 0;
  t->since = 0;
}

static void
flush_ends(void)
{
  struct task *t = self();
  struct space *s = space_of(t->flushing);
  t->flushing = 0;
  memset(s->nwas, 0, sizeof(s->nwas));
}

static void
flush_page(struct mm *mm, int page)
{
  flush_begins(mm);
  tlb_flush_page(mm, pages[page]);
  flush_ends();
}

static void
flush_range(struct mm *mm, int first, int last)
{
  flush_begins(mm);
  tlb_flush_range(mm, pages[first], pages[last] + PGSIZE);
  flush_ends();
}

static void
flush_all(struct mm *mm)
{
  flush_begins(mm);
  tlb_flush_all(mm);
  flush_ends();
}

// ---- address spaces ----

static struct mm *
mm_make(void)
{
  struct space *s = spaces;
  while (s->serial != 0)
    if (++s == spaces + NMM)
      fail("too few spaces in the test");
  memset(s, 0, sizeof(*s));
  s->serial = ++serials;
  s->mm.users = s->mm.refs = 1;
  s->mm.pagetable = frame_new(TABLE, s->serial);
  memcpy(s->mm.pagetable + PTES / 2, kernel_pagetable + PTES / 2, PGSIZE / 2);
  return &s->mm;
}

void
mm_get(struct mm *mm)
{
  mm->refs++;
}

void
mm_put(struct mm *mm)
{
  step();
  if (--mm->refs > 0)
    return;
  frame_free(mm->pagetable);
  space_of(mm)->serial = 0;
}

// Unmap all and give back the tables, as uvmunmap does: entries, flush, frames.
static void
unmap_all(struct mm *mm)
{
  void *gone[64];
  int n = 0;
  for (int page = 0; page < NPAGES; page++)
    if (entry(mm, page))
      gone[n++] = (void *)KVA(PTE2PA(change(mm, page, ~0UL, 0)));
  for (int i = 0; i < PTES / 2; i++) {
    pte_t up = mm->pagetable[i];
    if (up == 0)
      continue;
    pagetable_t table = (pagetable_t)KVA(PTE2PA(up));
    for (int k = 0; k < PTES; k++) {
      if (table[k] != 0) {
        step();
        gone[n++] = (void *)KVA(PTE2PA(table[k]));
        table[k] = 0;
        touched();
      }
    }
    step();
    gone[n++] = table;
    mm->pagetable[i] = 0;
    touched();
  }
  flush_all(mm);
  while (n > 0)
    frame_free(gone[--n]);
}

static void
leave(struct mm *mm)
{
  if (--mm->users > 0)
    return;
  acquiresleep(&mm->lock);
  unmap_all(mm);
  releasesleep(&mm->lock);
  mm_put(mm);
}

// ---- faults ----

// All that this hart may come to allows the access; leaves: except that it finds no leaf at all.
static void
must_see(int page, int write, int leaves)
{
  struct found all[64];
  pte_t need = PTE_R | (write ? PTE_W : 0) | (hardware_ad ? 0 : PTE_A | (write ? PTE_D : 0));
  int n = walks(here(), pages[page], all, 64);
  for (int i = 0; i < n; i++)
    if ((all[i].pte & need) != need && !(leaves && !(all[i].pte & PTE_V)))
      fail("the fault at 0x%lx was mended, and comes again", pages[page]);
}

static void
map(struct mm *mm, int page, int write)
{
  pte_t *pte = lookup(mm, pages[page], 1);
  pte_t bits = PTE_V | PTE_R | PTE_U | (write || rnd(2) ? PTE_W : 0);
  pagetable_t frame = frame_new(DATA, 0);
  if (rnd(2))
    bits |= PTE_A | (write ? PTE_D : 0);
  step();
  *pte = PA2PTE(KPA(frame)) | bits;
  touched();
}

// A write to a page that is not writable: in place, or by a copy.
static void
unshare(struct mm *mm, int page)
{
  if (rnd(2)) {
    pte_t *pte = lookup(mm, pages[page], 0);
    step();
    *pte |= PTE_W | PTE_A | PTE_D;
    touched();
    tlb_gained(mm, pages[page]);
    return;
  }
  pagetable_t copy = frame_new(DATA, 0);
  pte_t old = change(mm, page, ~0UL, PA2PTE(KPA(copy)) | PTE_V | PTE_R | PTE_W | PTE_U);
  flush_page(mm, page);
  frame_free((void *)KVA(PTE2PA(old)));
}

// What vmfault does, by the same rows.
static void
fault(struct mm *mm, int page, int write)
{
  acquiresleep(&mm->lock);
  pte_t pte = entry(mm, page);
  int switches = self()->switches, same;
  if (pte == 0) {
    map(mm, page, write);
  } else if (write && !(pte & PTE_W)) {
    unshare(mm, page);
  } else if (!hardware_ad && (!(pte & PTE_A) || (write && !(pte & PTE_D)))) {
    struct fault f = { .mm = mm,
                       .va = pages[page],
                       .access = write ? ACCESS_WRITE : ACCESS_READ,
                       .pte = lookup(mm, pages[page], 0) };
    ad_fixup(&f);
    touched();
    same = self()->switches == switches;
    if (same)
      must_see(page, write, 1);
  } else {
    spurious++;
    tlb_spurious(mm);
    same = self()->switches == switches;
    if (same)
      must_see(page, write, 0);
  }
  releasesleep(&mm->lock);
}

// A load or store of a program, by any of the ways that the hart may go.
static void
touch(int page, int write)
{
  struct found all[64];
  struct task *t = self();
  for (;;) {
    t->user = 1;
    step();
    int n = walks(here(), pages[page], all, 64);
    struct found f = all[rnd(n)];
    pte_t need = PTE_A | (write ? PTE_D : 0), allow = PTE_V | PTE_R | (write ? PTE_W : 0);
    if ((f.pte & allow) == allow && (f.pte & need) == need)
      return;
    if ((f.pte & allow) == allow && hardware_ad) {
      if (*f.at == f.pte) { // 4.3.1: atomically, after a look whether the entry is still that
        *f.at |= need;
        touched();
        return;
      }
      continue; // the walk begins again
    }
    t->user = 0;
    fault(t->proc.mm, page, write);
  }
}

// ---- programs ----

static void
go_over(struct mm *mm)
{
  struct proc *p = myproc();
  struct mm *old = p->mm;
  p->mm = mm;
  push_off();
  tlb_enter(mycpu(), mm);
  pop_off();
  if (old)
    leave(old);
}

static struct mm *
somebody(void)
{
  struct mm *mm = tasks[rnd(NTASK)].proc.mm;
  return mm && mm->users > 0 ? mm : 0;
}

// Take a page away: of this program's memory, or, as reclaim does, of another's.
static void
unmap_page(struct mm *mm, int page)
{
  if (entry(mm, page) == 0)
    return;
  pte_t old = change(mm, page, ~0UL, 0);
  flush_page(mm, page);
  frame_free((void *)KVA(PTE2PA(old)));
}

static void
unmap_range(struct mm *mm, int first, int last)
{
  void *gone[NPAGES];
  int n = 0;
  for (int page = first; page <= last; page++)
    if (entry(mm, page))
      gone[n++] = (void *)KVA(PTE2PA(change(mm, page, ~0UL, 0)));
  flush_range(mm, first, last);
  while (n > 0)
    frame_free(gone[--n]);
}

// Take bits from pages: W as fork does, D as write-back does.
static void
weaken(struct mm *mm, pte_t bits)
{
  int n = 0, last = 0;
  for (int page = 0; page < NPAGES; page++) {
    if (entry(mm, page) && rnd(2)) {
      change(mm, page, bits, 0);
      n++;
      last = page;
    }
  }
  if (n == 1)
    flush_page(mm, last);
  else
    flush_all(mm);
}

static void
foreign_work(void)
{
  struct mm *mm = somebody();
  if (mm == 0)
    return;
  mm_get(mm);
  acquiresleep(&mm->lock);
  if (mm->users > 0)
    unmap_page(mm, rnd(NPAGES));
  releasesleep(&mm->lock);
  mm_put(mm);
}

static void
kernel_work(struct mm *mm)
{
  int what = rnd(12), first = rnd(4);
  struct mm *other = somebody();
  if (what == 0) {
    go_over(mm_make());
  } else if (what == 1 && other) {
    other->users++;
    go_over(other);
  } else if (what == 2) {
    foreign_work();
  } else {
    acquiresleep(&mm->lock);
    if (what == 3)
      unmap_all(mm);
    else if (what == 4)
      unmap_range(mm, first, first + 1 + rnd(4 - first));
    else if (what <= 6)
      weaken(mm, what == 5 ? PTE_W : PTE_D);
    else if (what <= 8)
      unmap_page(mm, rnd(NPAGES));
    releasesleep(&mm->lock);
  }
}

static void
program(int i)
{
  struct task *t = self();
  if (i > 0)
    go_over(mm_make());
  for (int round = 0; round < ROUNDS; round++) {
    if (i == 0) { // a kernel thread, which works on others' memory
      foreign_work();
      continue;
    }
    for (int n = rnd(6); n >= 0; n--)
      touch(rnd(NPAGES), rnd(2));
    t->user = 0;
    kernel_work(t->proc.mm);
  }
  struct mm *mm = t->proc.mm;
  t->proc.mm = 0;
  if (mm)
    leave(mm);
}

// Flushes as many as a narrower counter can count, while a hart is away.
static void
wrap_around(int i)
{
  static struct mm *mm;
  static int turn;
  struct task *t = self();
  if (i == 0) {
    go_over(mm = mm_make());
    acquiresleep(&mm->lock);
    for (int page = 0; page < NPAGES; page++)
      map(mm, page, 1);
    releasesleep(&mm->lock);
    for (int n = 0; n < 300; n++)
      touch(rnd(NPAGES), 0); // on several harts, so that they remember
    t->user = 0;
    turn = 1;
  } else if (i == 1) {
    go_over(mm_make());
    while (turn == 0 || mm->running != 0) // until all that ran mm run something else
      step();
    acquiresleep(&mm->lock);
    unmap_page(mm, 0);
    mm->gen += (1UL << 32) - 1;
    releasesleep(&mm->lock);
    turn = 2;
  } else if (i < 2 + harts) {
    go_over(mm_make());
    while (turn < 2)
      step();
    mm->users++;
    go_over(mm);
    touch(1, 0);
    t->user = 0;
  }
}

int
main(int argc, char **argv)
{
  uint64 seed = argc > 1 ? strtoul(argv[1], 0, 0) : 1;
  setvbuf(stdout, 0, _IOLBF, 0);
  harts = argc > 2 ? atoi(argv[2]) : 3;
  asid_bits = argc > 3 ? atoi(argv[3]) : 2;
  hardware_ad = argc > 4 ? atoi(argv[4]) : 0;
  int wrap = argc > 5 && strcmp(argv[5], "wrap") == 0;
  model_boot(seed);
  model_run(wrap ? wrap_around : program, 1000000);
  printf("%ld %ld %ld %ld %ld %ld %d\n", steps, counted.flush_page, counted.flush_range,
         counted.flush_all, counted.shootdowns, spurious, serials);
  return 0;
}
