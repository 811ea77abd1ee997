// SPDX-License-Identifier: MIT
// Translations that harts remember: when they must forget, and who runs which table.
//
// Interface: tlb_enter (a hart takes a table); tlb_flush_page, tlb_flush_range, tlb_flush_all (an mm
// lost rights somewhere); tlb_gained, tlb_spurious (it did not, but this hart may not know yet);
// tlb_answer (a call came); tlb_kernel (the kernel half changed, or first use); code_written and
// code_see (fence.i).
//
// mm->running is the set of harts whose satp holds its table now. mm->gen counts the times that
// rights were taken away, and mm->seen[h] is the count that hart h has flushed up to.
//
//   who takes rights away                        who is about to run the mm
//   1. change the ptes                           1. set my bit in running
//   2. gen + 1                                   2. if seen[me] is behind gen: g = gen, flush,
//   3. flush here                                   seen[me] = g (also on every call)
//   4. call those in running, wait until         3. write satp
//      they have seen it or left
//
// Both sides store first and look second, with a full fence in between, so one of them sees the
// other. Rights that were only given need nothing: who remembers less takes a spurious fault.
//
// Locks: mm->lock, held by who takes rights away: one at a time for an mm. tlb_flush_* may wait for
// other harts: interrupts on, no spinlock held. A hart changes its own seen[], with interrupts off.
//
// 1. A hart whose satp holds mm's table has its bit in mm->running and a reference on mm.
// 2. While nobody flushes mm, seen[h] == gen for every hart h in running. So a hart that flushes,
//    and has the mm in use, is behind by its own flush alone.
// 3. A hart that is not in running may remember anything under mm's number and walks by none of
//    it: the number is not in its satp, and what is behind is forgotten before it is again.

#include "../proc.h"

#define FEW 16 // pages; more are forgotten with the whole address space

uint64 codegen = 1; // counts code that came into memory

// The kernel half has changed, or this hart runs on the early table: use what holds now.
// 4.2.1: a fence with rs2 = x0, since the kernel's mappings are global; 4.1.11: writing satp orders
// nothing by itself, hence one on both sides.
void
tlb_kernel(void)
{
  fence_all();
  if (mycpu()->mm == 0)
    satp_write(MAKE_SATP(KPA(kernel_pagetable), 0));
  fence_all();
}

// Forget what mm's ptes said before, if this hart is behind. asid: mm's number here.
static void
catch_up(struct cpu *c, struct mm *mm, uint64 asid)
{
  uint64 gen = __atomic_load_n(&mm->gen, __ATOMIC_SEQ_CST);
  if (mm->seen[c->id] == gen)
    return;
  vm_count(fences, 1);
  fence_asid(asid); // 4.2.1: tables may have gone, too, and that takes rs1 = x0
  __atomic_store_n(&mm->seen[c->id], gen, __ATOMIC_RELEASE);
}

// satp has old's table no more.
static void
left(struct cpu *c, struct mm *old)
{
  __atomic_fetch_and(&old->running, ~(1u << c->id), __ATOMIC_SEQ_CST);
  mm_put(old);
}

// This hart goes over to mm's table. Interrupts are off. The table it leaves loses a reference.
//
// What is behind is forgotten before satp is written, or a walk ahead of time could follow it into
// a table that is gone, and set A there. A recycled number needs a fence after it, too. 4.2.1: "it
// should first change satp to point to the new page table using the recycled ASID, then execute
// SFENCE.VMA": until then this hart remembers new things under what may be the same number.
void
tlb_enter(struct cpu *c, struct mm *mm)
{
  struct mm *old = c->mm;
  if (old == mm)
    return;
  vm_count(satp_writes, 1);
  mm_get(mm);
  __atomic_fetch_or(&mm->running, 1u << c->id, __ATOMIC_SEQ_CST);
  uint64 asid = asid_of(mm);
  int recycled = c->asidgen != GEN_OF(asid);
  if (recycled)
    fence_all();
  catch_up(c, mm, ASID_OF(asid));
  satp_write(MAKE_SATP(KPA(mm->pagetable), ASID_OF(asid)));
  if (recycled)
    fence_all();
  c->asidgen = GEN_OF(asid);
  c->mm = mm;
  if (old)
    left(c, old);
}

// A call came: answer for the table in use. A hart with nobody to run leaves a table that it would have
// to flush for, and is not called for it again; but not without ASIDs, when the kernel's table has
// the same number. Interrupts are off.
void
tlb_answer(void)
{
  struct cpu *c = mycpu();
  struct mm *mm = c->mm;
  uint64 asid = SATP_ASID(satp_read());
  if (mm == 0)
    return;
  if (c->proc != c->idle || asid == 0) {
    catch_up(c, mm, asid);
  } else if (mm->seen[c->id] != __atomic_load_n(&mm->gen, __ATOMIC_SEQ_CST)) {
    satp_write(MAKE_SATP(KPA(kernel_pagetable), 0));
    vm_count(satp_writes, 1);
    c->mm = 0;
    left(c, mm);
  }
}

// Forget [start, end) of mm on this hart, if mm is in use here. The number is satp's: mm->asid may be
// of a later generation already. Interrupts are off.
static void
forget(struct mm *mm, uint64 start, uint64 end)
{
  uint64 pages = (end - start) / PGSIZE, asid = SATP_ASID(satp_read());
  if (mycpu()->mm != mm)
    return;
  vm_count(fences, pages > FEW ? 1 : pages);
  if (pages > FEW)
    fence_asid(asid);
  else
    for (uint64 va = start; va < end; va += PGSIZE)
      fence_page(va, asid);
}

static int
answered(struct mm *mm, int h, uint64 gen)
{
  return __atomic_load_n(&mm->seen[h], __ATOMIC_ACQUIRE) >= gen ||
         !(__atomic_load_n(&mm->running, __ATOMIC_SEQ_CST) & (1u << h));
}

// Leaves in [start, end) lost rights or map other frames; if the range has more than a FEW pages,
// tables may have gone, too. Steps 2 to 4 of the drawing. Holds mm->lock; waits for other harts.
void
tlb_flush_range(struct mm *mm, uint64 start, uint64 end)
{
  assert(holdingsleep(&mm->lock));
  uint64 pages = (end - start) / PGSIZE;
  if (pages == 1)
    vm_count(flush_page, 1);
  else if (pages <= FEW)
    vm_count(flush_range, 1);
  else
    vm_count(flush_all, 1);
  push_off();
  struct cpu *c = mycpu();
  assert(c->mm != mm || mm->seen[c->id] == mm->gen);
  uint64 gen = __atomic_add_fetch(&mm->gen, 1, __ATOMIC_SEQ_CST);
  forget(mm, start, end);
  if (c->mm == mm)
    mm->seen[c->id] = gen;
  uint others = __atomic_load_n(&mm->running, __ATOMIC_SEQ_CST) & ~(1u << c->id);
  pop_off();
  for (int h = 0; others >> h; h++)
    if (others & (1u << h)) {
      vm_count(shootdowns, 1);
      ipi(h);
    }
  for (int h = 0; others >> h; h++)
    while ((others & (1u << h)) && !answered(mm, h, gen))
      assert(intr_get()); // so that this hart answers calls, too
}

// The same for one page.
void
tlb_flush_page(struct mm *mm, uint64 va)
{
  tlb_flush_range(mm, va, va + PGSIZE);
}

// The same for all of mm: many leaves, or tables went.
void
tlb_flush_all(struct mm *mm)
{
  tlb_flush_range(mm, 0, MAXVA);
}

// The leaf at va gained rights, A or D: make this hart see them. Other harts need not: they take a
// spurious fault. 4.2.1: for more permissions the fence may come as late as that. So interrupts may be
// on: if the caller is moved in the middle, another hart forgets, which does no harm.
void
tlb_gained(struct mm *mm, uint64 va)
{
  if (mycpu()->mm != mm)
    return;
  vm_count(fences, 1);
  fence_page(va, SATP_ASID(satp_read()));
}

// A fault, and the leaf was good: this hart remembers an older one, or that there was none. 4.2.1:
// rs1 = x0, since it may remember an empty entry of an upper level, which is no leaf.
void
tlb_spurious(struct mm *mm)
{
  push_off();
  forget(mm, 0, MAXVA);
  pop_off();
}

// Code has been put into memory: every hart fetches afresh before it next goes to user mode.
void
code_written(void)
{
  __atomic_fetch_add(&codegen, 1, __ATOMIC_RELEASE);
}

// This hart is behind with codegen, and on the way to user mode. Interrupts are off.
void
code_see(struct cpu *c)
{
  c->codegen = __atomic_load_n(&codegen, __ATOMIC_ACQUIRE);
  fence_code();
}
