// SPDX-License-Identifier: MIT
// Translations that harts remember: when they must forget, and who runs which table.
//
// Interface: tlb_enter (a hart takes a table), tlb_flush_page, tlb_flush_all (an mm lost rights
// somewhere), tlb_kernel (the kernel half changed, or first use), code_written and code_see (fence.i).
//
// mm->running is the set of harts whose satp holds its table now. mm->gen counts the times that
// rights were taken away, and mm->seen[h] is the count that hart h has flushed up to.
//
//   who takes rights away                        who runs, or is about to run, the mm
//   1. change the ptes                           1. set my bit in running, write satp
//   2. gen + 1                                   2. if seen[me] is behind gen: g = gen, flush,
//   3. flush here                                   seen[me] = g (also on every call)
//   4. call those in running, wait until
//      they have seen it or left
//
// Both sides store first and look second, with a full fence in between, so one of them sees the
// other. Rights that were only given need nothing: who remembers less takes a spurious fault.
//
// Locks: none. tlb_flush_* may wait for other harts: interrupts on, no spinlock held.

#include "../defs.h"
#include "../proc.h"
#include "fdt.h"
#include "hart.h"

static uint64 codegen = 1; // counts code that came into memory

// Forget everything, the kernel half too. 4.2.1: with rs1 = rs2 = x0 the fence orders and
// invalidates all levels of all address spaces.
static void
fence_all(void)
{
  asm volatile("sfence.vma" ::: "memory");
}

// 4.2.1: rs1 = x0, rs2 = asid: all of one address space but global mappings.
static void
fence_asid(uint64 asid)
{
  asm volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}

// 4.2.1: rs1 = va, rs2 = asid: the leaf for va, of one address space.
static void
fence_page(uint64 va, uint64 asid)
{
  asm volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}

// 4.1.11: the ASID is in bits 44 to 59 of satp.
static uint64
current_asid(void)
{
  return (csr_read(satp) >> 44) & 0xffff;
}

// The kernel half has changed, or this hart runs on the early table: use what holds now.
// 4.1.11: writing satp orders nothing by itself, hence the fence on both sides.
void
tlb_kernel(void)
{
  struct mm *mm = mycpu()->mm;
  fence_all();
  if (mm == 0)
    csr_write(satp, MAKE_SATP(KPA(kernel_pagetable), 0));
  fence_all();
}

static void
catch_up(struct cpu *c, struct mm *mm)
{
  uint gen = __atomic_load_n(&mm->gen, __ATOMIC_SEQ_CST);
  if (mm->seen[c->id] == gen)
    return;
  fence_asid(current_asid());
  __atomic_store_n(&mm->seen[c->id], gen, __ATOMIC_RELEASE);
}

// This hart goes over to mm's table. Interrupts are off. The table it leaves loses a reference.
void
tlb_enter(struct cpu *c, struct mm *mm)
{
  struct mm *old = c->mm;
  if (old == mm)
    return;
  mm_get(mm);
  __atomic_fetch_or(&mm->running, 1u << c->id, __ATOMIC_SEQ_CST);
  uint64 asid = asid_of(mm);
  csr_write(satp, MAKE_SATP(KPA(mm->pagetable), asid & 0xffff));
  c->mm = mm;
  if (c->asidgen != asid >> 16) { // the number may have been another's here
    c->asidgen = asid >> 16;
    fence_all();
  }
  catch_up(c, mm);
  if (old) {
    __atomic_fetch_and(&old->running, ~(1u << c->id), __ATOMIC_SEQ_CST);
    mm_put(old);
  }
}

// A call came: answer for the table in use. Interrupts are off.
void
tlb_answer(void)
{
  struct cpu *c = mycpu();
  if (c->mm)
    catch_up(c, c->mm);
}

// Flush on this hart, if mm is in use here, with one fence; then see to the others.
static void
flush(struct mm *mm, int whole, uint64 va)
{
  assert(holdingsleep(&mm->lock));
  push_off();
  struct cpu *c = mycpu();
  uint gen = __atomic_add_fetch(&mm->gen, 1, __ATOMIC_SEQ_CST);
  if (c->mm == mm) {
    if (whole)
      fence_asid(current_asid());
    else
      fence_page(va, current_asid());
    if (mm->seen[c->id] == gen - 1)
      mm->seen[c->id] = gen;
  }
  uint others = __atomic_load_n(&mm->running, __ATOMIC_SEQ_CST) & ~(1u << c->id);
  pop_off();
  for (int h = 0; h < machine.harts && others != 0; h++)
    if (others & (1u << h))
      ipi(h);
  for (int h = 0; h < machine.harts && others != 0; h++)
    while ((others & (1u << h)) &&
           (int)(__atomic_load_n(&mm->seen[h], __ATOMIC_ACQUIRE) - gen) < 0 &&
           (__atomic_load_n(&mm->running, __ATOMIC_SEQ_CST) & (1u << h)))
      assert(intr_get()); // so that this hart answers calls, too
}

// The leaf at va lost rights or maps another frame. Holds mm->lock; waits for other harts.
void
tlb_flush_page(struct mm *mm, uint64 va)
{
  flush(mm, 0, va);
}

// Many leaves of mm did, or tables went. Holds mm->lock; waits for other harts.
void
tlb_flush_all(struct mm *mm)
{
  flush(mm, 1, 0);
}

// Code has been put into memory: every hart fetches afresh before it next goes to user mode.
void
code_written(void)
{
  __atomic_fetch_add(&codegen, 1, __ATOMIC_RELEASE);
}

// On the way to user mode, interrupts off. Unprivileged spec, Zifencei: fence.i makes this hart's
// fetches see its earlier stores, and those it has observed.
void
code_see(struct cpu *c)
{
  uint64 gen = __atomic_load_n(&codegen, __ATOMIC_ACQUIRE);
  if (c->codegen == gen)
    return;
  c->codegen = gen;
  asm volatile("fence.i" ::: "memory");
}

// The leaves of [start, end) did.
void
tlb_flush_range(struct mm *mm, uint64 start, uint64 end)
{
  if (end - start == PGSIZE)
    flush(mm, 0, start);
  else
    flush(mm, 1, 0);
}
