// SPDX-License-Identifier: MIT
// Traps: what brought a hart into the kernel, and the way back to user mode.
//
// Interface: trapinithart; usertrap and kerneltrap for trapvec.S; user_return for a new process.
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

#include "defs.h"
#include "file.h"
#include "proc.h"
#include "riscv/hart.h"

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

static void
device(void)
{
  int irq = plic_claim();
  if (irq == UART0_IRQ)
    uartintr();
  else if (irq >= VIRTIO0_IRQ && irq < VIRTIO0_IRQ + 8)
    virtio_disk_intr(irq - VIRTIO0_IRQ);
  else if (irq)
    printk("interrupt %d from nobody we know\n", irq);
  if (irq)
    plic_complete(irq);
}

// An interrupt, from wherever. 1 if it was one.
static int
interrupt(uint64 cause)
{
  if (cause == CAUSE_STI)
    timer_tick();
  else if (cause == CAUSE_SSI)
    ipi_taken();
  else if (cause == CAUSE_SEI)
    device();
  else
    return 0;
  return 1;
}

static enum access
access_of(uint64 cause)
{
  return cause == CAUSE_STORE_PF   ? ACCESS_WRITE
         : cause == CAUSE_FETCH_PF ? ACCESS_EXEC
                                   : ACCESS_READ;
}

// Tell the console what ends the running process. what: "reads" and the like; why: one clause.
static void
obituary(const char *what, uint64 va, const char *why)
{
  struct proc *p = myproc();
  printk("%s[%d]: killed: %s 0x%lx at pc 0x%lx: %s\n", p->name, p->pid, what, va, p->tf->epc, why);
  __atomic_store_n(&p->killed, 1, __ATOMIC_RELAXED);
}

static const char *
why_bad(struct mm *mm, uint64 va, enum access access)
{
  const char *why = "no mapping there";
  acquiresleep(&mm->lock);
  struct vma *v = va < USERTOP ? vma_find(mm, va) : 0;
  if (v)
    why = access == ACCESS_WRITE  ? "not writable"
          : access == ACCESS_EXEC ? "not executable"
                                  : "not readable";
  else if (va >= MAXVA)
    why = "not a user address";
  else if (va < STACKBASE && va >= MMAPTOP)
    why = "the stack is as large as it may get";
  releasesleep(&mm->lock);
  return why;
}

static void
page_fault(uint64 cause, uint64 va)
{
  struct proc *p = myproc();
  enum access access = access_of(cause);
  const char *verb = access == ACCESS_WRITE  ? "writes"
                     : access == ACCESS_EXEC ? "executes"
                                             : "reads";
  enum outcome o = vmfault(p->mm, va, access);
  if (o == FAULT_BAD)
    obituary(verb, va, why_bad(p->mm, va, access));
  else if (o == FAULT_IO)
    obituary(verb, va, "the disk failed, or the file ends before");
  else if (o == FAULT_NOMEM && !killed(p)) // else oom.c has said it
    obituary(verb, va, "out of memory");
}

// An illegal instruction may be the first one of floating point: it is off until then, so that
// programs without it never have those registers saved.
static void
illegal(struct proc *p, uint64 insn)
{
  if ((p->tf->status & SSTATUS_FS) == FS_OFF) {
    push_off();
    csr_set(sstatus, SSTATUS_FS);
    fp_load(&p->fp);
    p->tf->status |= FS_CLEAN;
    pop_off();
    return;
  }
  obituary("executes instruction", insn, "illegal");
}

static void
exception(struct proc *p, uint64 cause, uint64 value)
{
  if (cause == CAUSE_FETCH_PF || cause == CAUSE_LOAD_PF || cause == CAUSE_STORE_PF)
    page_fault(cause, value);
  else if (cause == CAUSE_ILLEGAL)
    illegal(p, value);
  else if (cause == CAUSE_BREAK)
    obituary("runs into ebreak", value, "no debugger here");
  else if (cause < 8)
    obituary("accesses", value, "misaligned, or no such memory");
  else
    obituary("causes exception", cause, "nobody handles that");
}

// The last thing before user mode: nothing is left to do in the kernel, and interrupts are off.
static void
leave(struct proc *p)
{
  for (;;) {
    intr_off();
    if (killed(p)) {
      intr_on();
      exit(-1);
    }
    if (!p->cpu->resched)
      break;
    yield();
  }
  code_see(p->cpu);
}

// A new process, or one that exec made new, goes to user mode for the first time.
void
user_return(struct trapframe *tf)
{
  leave(myproc());
  enter_user(tf);
}

// trapvec.S: a trap from user mode, registers in tf, interrupts off. On return they are loaded.
void
usertrap(struct trapframe *tf)
{
  struct proc *p = myproc();
  uint64 cause = csr_read(scause), value = csr_read(stval);
  assert(p->tf == tf && p->noff == 0);
  if (cause == CAUSE_ECALL) {
    tf->epc += 4;
    intr_on();
    syscall();
  } else if (!interrupt(cause)) {
    intr_on();
    exception(p, cause, value);
  }
  leave(p);
}

static const char *
cause_name(uint64 cause)
{
  return cause == CAUSE_FETCH_PF   ? "fetch page fault"
         : cause == CAUSE_LOAD_PF  ? "load page fault"
         : cause == CAUSE_STORE_PF ? "store page fault"
         : cause == CAUSE_ILLEGAL  ? "illegal instruction"
         : cause == CAUSE_BREAK    ? "breakpoint"
                                   : "exception";
}

// trapvec.S: a trap in the kernel. Interrupts are off, and were on unless it is an exception.
void
kerneltrap(struct trapframe *tf)
{
  uint64 cause = csr_read(scause);
  if (!interrupt(cause))
    panic_at(tf, "%s (scause %ld, stval 0x%lx) in the kernel", cause_name(cause), cause,
             csr_read(stval));
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
  if (sp < KSTACKS)
    panic_at(&tf, "scause %ld, stval 0x%lx before there are kernel stacks", csr_read(scause),
             csr_read(stval));
  panic_at(&tf, "the kernel stack of %s[%d] overflows", myproc()->name, myproc()->pid);
}
