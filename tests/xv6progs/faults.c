// SPDX-License-Identifier: MIT
// faults: does one forbidden thing after the other, each in a child, and says how the child ended.

#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/user.h"

char data[] = "\x13\0\0\0\x67\x80\0";

void
null_write(void)
{
  *(volatile char *)0 = 1;
}

void
far_read(void)
{
  printf("%d", *(volatile char *)(1L << 37));
}

void
text_write(void)
{
  *(volatile char *)text_write = 1;
}

void
data_exec(void)
{
  ((void (*)(void))data)();
}

void
heap_exec(void)
{
  char *p = sbrk(PGSIZE);
  memmove(p, data, sizeof(data));
  ((void (*)(void))p)();
}

void
kernel_read(void)
{
  printf("%d", *(volatile char *)0xffffffc080000000L);
}

void
kernel_write(void)
{
  *(volatile char *)0xffffffc080000000L = 1;
}

void
beyond(void)
{
  *(volatile char *)MAXVA = 1;
}

void
noncanonical(void)
{
  *(volatile char *)0x8000000000000000L = 1;
}

void
illegal(void)
{
  asm volatile(".word 0xffffffff");
}

void
breakpoint(void)
{
  asm volatile("ebreak");
}

void
csr(void)
{
  asm volatile("csrr a0, sstatus");
}

int
below(int n)
{
  volatile char big[PGSIZE];
  big[0] = n;
  return n == 0 ? 0 : below(n - 1) + big[0];
}

void
deep(void)
{
  below(1 << 20);
}

struct {
  char *name;
  void (*run)(void);
} all[] = {
  { "null_write", null_write },
  { "far_read", far_read },
  { "text_write", text_write },
  { "data_exec", data_exec },
  { "heap_exec", heap_exec },
  { "kernel_read", kernel_read },
  { "kernel_write", kernel_write },
  { "beyond", beyond },
  { "noncanonical", noncanonical },
  { "illegal", illegal },
  { "breakpoint", breakpoint },
  { "csr", csr },
  { "deep", deep },
};

int
main(int argc, char *argv[])
{
  for (int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    int status = 0;
    if (fork() == 0) {
      all[i].run();
      exit(0);
    }
    wait(&status);
    printf("%s: %d\n", all[i].name, status);
  }
  exit(0);
}
