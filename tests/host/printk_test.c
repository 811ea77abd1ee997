// SPDX-License-Identifier: MIT
// kernel/printk.c, compiled for the host: what printk makes of its conversions. Prints "ok", or what
// is wrong and exits with 1.
//
// What the headers do with one instruction is renamed, and nobody calls it; what printk.c does with
// one is left out.

#define main     riscv_main
#define myproc   riscv_myproc
#define mycpu    riscv_mycpu
#define acquire  riscv_acquire
#define release  riscv_release
#define intr_off riscv_intr_off
#include "kernel/defs.h"
#include "kernel/proc.h"
#include "kernel/riscv/fdt.h"
#include "kernel/riscv/hart.h"
#undef main
#undef myproc
#undef mycpu
#undef acquire
#undef release
#undef intr_off
#undef csr_write

static int locked; // how often "printk" is held

#define myproc()               ((struct proc *)0)
#define acquire(lock)          ((void)(lock), locked++)
#define release(lock)          ((void)(lock), locked--)
#define intr_off()             ((void)0)
#define csr_write(name, value) ((void)(value))
#define asm
#define volatile(instruction)

#include "kernel/printk.c"

int printf(const char *, ...);

struct machine machine;
const struct ksym ksyms[1];
const uint nksyms;

static char said[256];
static uint nsaid, unlocked;

void
uartputc_sync(int c)
{
  said[nsaid++ % sizeof(said)] = c;
  unlocked += locked != 1;
}

void
ipi(int hart)
{
  (void)hart;
}

void
regs_here(struct trapframe *tf)
{
  (void)tf;
}

#define SAYS(wanted, ...)                                                                      \
  do {                                                                                         \
    nsaid = unlocked = 0;                                                                      \
    printk(__VA_ARGS__);                                                                       \
    said[nsaid] = 0;                                                                           \
    if (strcmp(said, wanted) != 0 || unlocked != 0 || locked != 0) {                           \
      printf("printk(%s) says '%s', not '%s', lock %d\n", #__VA_ARGS__, said, wanted, locked); \
      return 1;                                                                                \
    }                                                                                          \
  } while (0)

int
main(void)
{
  SAYS("plain\n", "plain\n");
  SAYS("0 7 -7 2147483647 -2147483648", "%d %d %d %d %d", 0, 7, -7, 0x7fffffff, -0x7fffffff - 1);
  SAYS("9223372036854775807 -9223372036854775808", "%ld %ld", 0x7fffffffffffffffL,
       -0x7fffffffffffffffL - 1);
  SAYS("-1", "%d", 0xffffffff); // no more than 32 bits of it
  SAYS("4294967295 18446744073709551615", "%u %lu", -1, -1L);
  SAYS("0 ff ffffffff deadbeefcafe", "%x %x %x %lx", 0, 255, -1, 0xdeadbeefcafeUL);
  SAYS("0x0000000000000000 0xffffffc080000000", "%p %p", (void *)0, (void *)0xffffffc080000000);
  SAYS("[    7][ -7][00042][000000ff][12345]", "[%5d][%3d][%05u][%08lx][%2d]", 7, -7, 42, 255L,
       12345);
  SAYS("[][text][  text][text]", "[%s][%s][%6s][%2s]", "", "text", "text", "text");
  SAYS("a%b 100%", "%c%%%c 100%%", 'a', 'b');
  SAYS("1 two 3 4", "%d %s %lx %c", 1, "two", 3L, '4');
  SAYS("q", "%q");
  SAYS("50", "50%"); // nothing behind it: the end
  printf("ok\n");
  return 0;
}
