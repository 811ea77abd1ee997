// SPDX-License-Identifier: MIT
// What the kernel says on the console, and its last words.
//
// Interface: printk, panic, panic_at, backtrace.
//
// Lock: "printk", so that lines of different harts do not mix; not taken any more once there is a panic.
//
// printk polls the port, so that it works from anywhere: with any lock held, in interrupts, before
// anything else is set up.

#include "proc.h"

// The kernel's own symbols, by address, for backtraces. The build makes the table (tools/ksyms).
extern const struct ksym {
  uint64 addr;
  const char *name;
} ksyms[];
extern const uint nksyms;

volatile int panicked; // 1 + the hart that panics

static struct spinlock lock = SPINLOCK("printk");

static void
puts(const char *s, int width, char pad)
{
  for (int n = strlen(s); n < width; n++)
    uartputc_sync(pad);
  while (*s)
    uartputc_sync(*s++);
}

static void
number(uint64 v, uint base, int negative, int width, char pad)
{
  char digits[24], *at = digits + sizeof(digits);
  *--at = 0;
  do
    *--at = "0123456789abcdef"[v % base];
  while ((v /= base) != 0);
  if (negative)
    *--at = '-';
  puts(at, width, pad);
}

// One conversion behind a %; returns where it ends.
static const char *
convert(const char *f, va_list *ap)
{
  int width = 0, wide = 0;
  char pad = *f == '0' ? '0' : ' ';
  int64 v;
  for (; *f >= '0' && *f <= '9'; f++)
    width = width * 10 + *f - '0';
  for (; *f == 'l'; f++)
    wide = 1;
  switch (*f) {
  case 'd':
    v = wide ? va_arg(*ap, int64) : va_arg(*ap, int);
    number(v < 0 ? -(uint64)v : (uint64)v, 10, v < 0, width, pad);
    break;
  case 'u':
  case 'x':
    number(wide ? va_arg(*ap, uint64) : va_arg(*ap, uint), *f == 'x' ? 16 : 10, 0, width, pad);
    break;
  case 'p':
    puts("0x", 0, 0);
    number(va_arg(*ap, uint64), 16, 0, 16, '0');
    break;
  case 's': puts(va_arg(*ap, const char *), width, ' '); break;
  case 'c': uartputc_sync(va_arg(*ap, int)); break;
  case 0: return f;
  default: uartputc_sync(*f);
  }
  return f + 1;
}

static void
format(const char *f, va_list *ap)
{
  while (*f) {
    if (*f == '%')
      f = convert(f + 1, ap);
    else
      uartputc_sync(*f++);
  }
}

// Print to the console: %d %u %x with l, a width and zeros before it; %p %s %c %%.
void
printk(const char *fmt, ...)
{
  int last = panicked != 0;
  va_list ap;
  va_start(ap, fmt);
  if (!last)
    acquire(&lock);
  format(fmt, &ap);
  if (!last)
    release(&lock);
  va_end(ap);
}

// ---- the end ----

// The calls that led to pc, following the frame pointers: a frame's caller is at fp - 8, the caller's
// frame pointer at fp - 16.
static void
backtrace(uint64 pc, uint64 fp)
{
  for (int depth = 0; depth < 24; depth++) {
    uint i = nksyms;
    while (i > 0 && ksyms[i - 1].addr > pc - (depth > 0)) // a call may be the last of its function
      i--;
    printk("  #%d 0x%lx %s+0x%lx\n", depth, pc, i ? ksyms[i - 1].name : "?",
           i ? pc - ksyms[i - 1].addr : 0);
    if (fp < KERNBASE || fp % 8 || PGROUNDDOWN(fp - 1) != PGROUNDDOWN(fp - 16))
      return;
    pc = *(uint64 *)(fp - 8);
    uint64 up = *(uint64 *)(fp - 16);
    if (up <= fp || up - fp > KSTACK_SIZE) // 0: the first of its stack, whom nobody has called
      return;
    fp = up;
  }
}

static void
registers(const struct trapframe *tf)
{
  static const char *const names[] = { "ra", "sp",  "gp",  "tp", "t0", "t1", "t2", "s0",
                                       "s1", "a0",  "a1",  "a2", "a3", "a4", "a5", "a6",
                                       "a7", "s2",  "s3",  "s4", "s5", "s6", "s7", "s8",
                                       "s9", "s10", "s11", "t3", "t4", "t5", "t6", "pc" };
  const uint64 *r = (const uint64 *)tf;
  for (int i = 0; i < 32; i++)
    printk("  %3s %p%s", names[i], (void *)r[i], i % 4 == 3 ? "\n" : "");
}

// This hart stops for good: no interrupt ends its sleep.
void
panic_stop(void)
{
  csr_write(sie, 0);
  for (;;)
    asm volatile("wfi");
}

// First to panic: stop all other harts, and speak. Later ones: stop. Interrupts are off.
static _Noreturn void
last_words(const struct trapframe *tf, const char *fmt, va_list *ap)
{
  struct proc *p = myproc();
  int nobody = 0, me = p->cpu->id + 1;
  if (!__atomic_compare_exchange_n(&panicked, &nobody, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    if (nobody == me)
      printk("panic in panic\n");
    panic_stop();
  }
  for (int h = 0; h < machine.harts; h++)
    if (h != me - 1)
      ipi(h);
  printk("\nPANIC on hart %d, in %s[%d]: ", me - 1, p->name, p->pid);
  format(fmt, ap);
  printk("\n");
  registers(tf);
  backtrace(tf->epc, tf->s0);
  printk("The machine has stopped. Leave QEMU with Ctrl-A X.\n");
  panic_stop();
}

// The kernel's own state is broken: say so, where and in which words, and stop all harts.
void
panic(const char *fmt, ...)
{
  struct trapframe tf;
  va_list ap;
  va_start(ap, fmt);
  intr_off();
  regs_here(&tf);
  last_words(&tf, fmt, &ap);
}

// The same for a trap: tf has the registers at that moment. Interrupts are off.
void
panic_at(const struct trapframe *tf, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  last_words(tf, fmt, &ap);
}
