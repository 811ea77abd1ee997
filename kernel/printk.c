// SPDX-License-Identifier: MIT
// What the kernel says on the console, and its last words.
//
// Interface: printk, panic, panic_at, backtrace.
//
// Lock: "printk", so that lines of different harts do not mix; panic does without once it started.
//
// printk polls the port, so that it works from anywhere: with any lock held, in interrupts, before
// anything else is set up.

#include "defs.h"
#include "ksyms.h"
#include "proc.h"
#include "riscv/fdt.h"
#include "riscv/hart.h"

volatile int panicked; // 1 + the hart that panics

static struct spinlock lock = SPINLOCK("printk");

static void
putc(char c)
{
  uartputc_sync(c);
}

static void
puts(const char *s, int width)
{
  for (; *s; s++, width--)
    putc(*s);
  for (; width > 0; width--)
    putc(' ');
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
  for (int n = digits + sizeof(digits) - 1 - at; n < width; n++)
    putc(pad);
  puts(at, 0);
}

// One conversion behind a %; returns where it ends.
static const char *
convert(const char *f, va_list *ap)
{
  int width = 0, wide = 0;
  char pad = *f == '0' ? '0' : ' ';
  for (; *f >= '0' && *f <= '9'; f++)
    width = width * 10 + *f - '0';
  for (; *f == 'l'; f++)
    wide = 1;
  int64 v = 0;
  if (*f == 'd')
    v = wide ? va_arg(*ap, int64) : va_arg(*ap, int);
  else if (*f == 'u' || *f == 'x')
    v = wide ? va_arg(*ap, uint64) : va_arg(*ap, uint);
  switch (*f) {
  case 'd': number(v < 0 ? -(uint64)v : (uint64)v, 10, v < 0, width, pad); break;
  case 'u': number(v, 10, 0, width, pad); break;
  case 'x': number(v, 16, 0, width, pad); break;
  case 'p':
    puts("0x", 0);
    number(va_arg(*ap, uint64), 16, 0, 16, '0');
    break;
  case 's': puts(va_arg(*ap, const char *), width); break;
  case 'c': putc(va_arg(*ap, int)); break;
  case 0: return f;
  default: putc(*f);
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
      putc(*f++);
  }
}

// Print to the console: %d %u %x with l and a width, %p %s %c %%.
void
printk(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  acquire(&lock);
  format(fmt, &ap);
  release(&lock);
  va_end(ap);
}

// ---- the end ----

static const char *
symbol(uint64 pc, uint64 *off)
{
  uint lo = 0, hi = nksyms;
  while (hi - lo > 1) {
    uint mid = (lo + hi) / 2;
    if (ksyms[mid].addr <= pc)
      lo = mid;
    else
      hi = mid;
  }
  if (nksyms == 0 || pc < ksyms[lo].addr)
    return "?";
  *off = pc - ksyms[lo].addr;
  return ksyms[lo].name;
}

static void
say(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  format(fmt, &ap);
  va_end(ap);
}

// The calls that led to pc, following the frame pointers: a frame's caller is at fp - 8, the caller's
// frame pointer at fp - 16.
static void
backtrace(uint64 pc, uint64 fp)
{
  for (int depth = 0; depth < 24; depth++) {
    uint64 off = 0;
    const char *name = symbol(pc - (depth > 0), &off); // a call may be the last of its function
    say("  #%d 0x%lx %s+0x%lx\n", depth, pc, name, off);
    if (fp < KERNBASE || fp % 8 || PGROUNDDOWN(fp - 1) != PGROUNDDOWN(fp - 16))
      return;
    pc = *(uint64 *)(fp - 8);
    uint64 up = *(uint64 *)(fp - 16);
    if (up != 0 && (up <= fp || up - fp > KSTACK_SIZE))
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
    say("  %3s %p%s", names[i], (void *)r[i], i % 4 == 3 ? "\n" : "");
}

// This hart stops for good: no interrupt ends its sleep.
void
panic_stop(void)
{
  csr_write(sie, 0);
  for (;;)
    asm volatile("wfi");
}

// First to panic: stop all other harts and speak without the lock. Later ones: stop.
static void
begin_end(void)
{
  intr_off();
  int nobody = 0, me = myproc()->cpu->id + 1;
  if (!__atomic_compare_exchange_n(&panicked, &nobody, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    if (nobody == me)
      say("panic in panic\n");
    panic_stop();
  }
  for (int h = 0; h < machine.harts; h++)
    if (h != me - 1)
      ipi(h);
  struct proc *p = myproc();
  say("\nPANIC on hart %d, in %s[%d]: ", me - 1, p->name, p->pid);
}

static _Noreturn void
finish(const struct trapframe *tf, uint64 pc, uint64 fp)
{
  say("\n");
  if (tf)
    registers(tf);
  backtrace(pc, fp);
  say("The machine has stopped. Leave QEMU with Ctrl-A X.\n");
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
  begin_end();
  format(fmt, &ap);
  va_end(ap);
  finish(&tf, (uint64)__builtin_return_address(0), r_fp());
}

// The same for a trap: tf has the registers at that moment.
void
panic_at(const struct trapframe *tf, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  begin_end();
  format(fmt, &ap);
  va_end(ap);
  finish(tf, tf->epc, tf->s0);
}
