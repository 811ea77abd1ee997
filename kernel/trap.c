// SPDX-License-Identifier: MIT
// Traps: what brought a hart into the kernel, and the way back to user mode.
//
// Interface: trapinithart; usertrap, kerneltrap, leave_kernel and stack_overflow for trapvec.S.
//
//   user    system call   -> syscall()
//           page fault    -> vmfault(); what it cannot help ends the process, and the console says why
//           illegal       -> the first use of floating point, else the end of the process
//   both    timer         -> timer_tick(): the slice is over, somebody's time has come
//           call          -> ipi_taken()
//           device        -> the PLIC tells which
//   kernel  anything else -> panic
//
// A process is killed, and gives way to others, only where it holds nothing: on its way to user
// mode; and when an interrupt came while the kernel had interrupts on, it gives way too.

#include "file.h"
#include "proc.h"

extern char trapvec[];

// Traps of this hart go to trapvec.S; all three kinds of interrupts are let in.
void
trapinithart(void)
{
  csr_write(sscratch, 0);
  csr_write(stvec, trapvec);
  csr_write(scounteren, 7);
  csr_write(sie, SI_SSIP | SI_STIP | SI_SEIP);
}

// An interrupt, from wherever.
static void
interrupt(uint64 cause)
{
  int irq = cause == CAUSE_SEI ? plic_claim() : 0;
  if (cause == CAUSE_STI)
    timer_tick();
  else if (cause == CAUSE_SSI)
    ipi_taken();
  else if (irq == UART0_IRQ)
    uartintr();
  else if (irq) // no others were let in (plic.c)
    virtio_disk_intr(irq - VIRTIO0_IRQ);
  if (irq)
    plic_complete(irq);
}

// What exceptions are, by cause: what was done to the address in stval, and why that is not allowed.
static const struct deed {
  const char *does, *why;
  enum access access; // of a page fault
} deeds[] = {
  [CAUSE_ILLEGAL] = { "executes instruction", "illegal", 0 },
  [CAUSE_BREAK] = { "runs into ebreak", "no debugger here", 0 },
  [CAUSE_FETCH_PF] = { "executes", "not executable", ACCESS_EXEC },
  [CAUSE_LOAD_PF] = { "reads", "not readable", ACCESS_READ },
  [CAUSE_STORE_PF] = { "writes", "not writable", ACCESS_WRITE },
};
static const struct deed other = { "accesses", "misaligned, or no such memory", 0 };

static const struct deed *
deed_of(uint64 cause)
{
  return cause < sizeof(deeds) / sizeof(deeds[0]) && deeds[cause].does ? &deeds[cause] : &other;
}

// Why an access to va is bad; refused: what to say when there is memory.
static const char *
why_bad(struct mm *mm, uint64 va, const char *refused)
{
  acquiresleep(&mm->lock);
  int there = va < USERTOP && vma_find(mm, va) != 0;
  releasesleep(&mm->lock);
  return there                             ? refused
         : va >= MAXVA                     ? "not a user address"
         : va < STACKBASE && va >= MMAPTOP ? "the stack is as large as it may get"
                                           : "no mapping there";
}

// What nobody can help ends the running process, and the console says why.
static NOINLINE void
obituary(const struct deed *deed, uint64 va, enum outcome o)
{
  struct proc *p = myproc();
  const char *why = deed->access == 0  ? deed->why
                    : o == FAULT_IO    ? "the disk failed, or the file ends before"
                    : o == FAULT_NOMEM ? "out of memory"
                                       : why_bad(p->mm, va, deed->why);
  struct waitinfo died = { .how = deed->access == 0  ? DIED_ILLEGAL
                                  : o == FAULT_IO    ? DIED_IO
                                  : o == FAULT_NOMEM ? DIED_NOMEM
                                                     : DIED_FAULT,
                           .status = -1,
                           .access = deed->access,
                           .va = va,
                           .pc = p->tf->epc };
  if (proc_doom(&died))
    printk("%s[%d]: killed: %s 0x%lx at pc 0x%lx: %s\n", p->name, p->leader->pid, deed->does, va,
           died.pc, why);
}

// An exception that is no page fault, or one that had this outcome. It may be the first use of floating
// point, which is off until then, so that programs without it never have those registers saved.
static NOINLINE void
trouble(uint64 cause, uint64 va, enum outcome o)
{
  struct proc *p = myproc();
  if (cause != CAUSE_ILLEGAL || (p->tf->status & SSTATUS_FS) != FS_OFF) {
    obituary(deed_of(cause), va, o);
    return;
  }
  push_off();
  csr_set(sstatus, SSTATUS_FS);
  fp_load(&p->fp);
  p->tf->status |= FS_CLEAN;
  pop_off();
}

static inline void
exception(uint64 cause, uint64 va)
{
  enum access access = cause <= CAUSE_STORE_PF ? deeds[cause].access : 0;
  enum outcome o = access ? vmfault(myproc()->mm, va, access) : FAULT_BAD;
  if (o != FAULT_DONE)
    trouble(cause, va, o);
}

// Whether something keeps p in the kernel: it is to end, or somebody else is to run.
static inline int
wanted(const struct proc *p)
{
  return __atomic_load_n(&p->killed, __ATOMIC_RELAXED) || p->cpu->resched;
}

// Do what keeps p. Interrupts are off when it is called and when it returns.
static NOINLINE void
stay(struct proc *p)
{
  do {
    if (__atomic_load_n(&p->killed, __ATOMIC_RELAXED)) {
      intr_on();
      obey();
    } else {
      yield();
    }
    intr_off();
  } while (wanted(p));
}

// The last thing before user mode: nothing is left to do in the kernel, and interrupts are off.
void
leave_kernel(void)
{
  intr_off();
  if (wanted(myproc()))
    stay(myproc());
  if (mycpu()->codegen != __atomic_load_n(&codegen, __ATOMIC_ACQUIRE))
    code_see(mycpu());
}

// trapvec.S: a trap from user mode, registers in tf, interrupts off. On return they are loaded.
void
usertrap(struct trapframe *tf)
{
  uint64 cause = csr_read(scause), value = csr_read(stval);
  assert(myproc()->tf == tf && myproc()->noff == 0);
  if (cause == CAUSE_ECALL) {
    tf->epc += 4;
    intr_on();
    syscall();
  } else if (cause & CAUSE_INTERRUPT) {
    interrupt(cause);
  } else {
    intr_on();
    exception(cause, value);
  }
  leave_kernel();
}

static _Noreturn void
broken(const struct trapframe *tf)
{
  uint64 cause = csr_read(scause);
  panic_at(tf, "the kernel %s 0x%lx (scause %ld)", deed_of(cause)->does, csr_read(stval), cause);
}

// trapvec.S: a trap in the kernel. Interrupts are off, and were on unless it is an exception.
void
kerneltrap(struct trapframe *tf)
{
  uint64 cause = csr_read(scause);
  if (!(cause & CAUSE_INTERRUPT))
    broken(tf);
  interrupt(cause);
  struct proc *p = myproc();
  assert(p->noff == 0);
  if (p->cpu->resched && p != p->cpu->idle)
    yield();
}

// trapvec.S: a trap came and the kernel stack was used up.
void
stack_overflow(uint64 sp, uint64 pc, uint64 fp)
{
  struct trapframe tf = { .sp = sp, .epc = pc, .s0 = fp, .ra = pc };
  if (sp < KSTACKS) // there are none yet
    broken(&tf);
  panic_at(&tf, "the kernel stack of %s[%d] overflows", myproc()->name, myproc()->pid);
}
