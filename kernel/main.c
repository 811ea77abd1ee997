// SPDX-License-Identifier: MIT
// From the first C line in supervisor mode to the first process. Hart 0 builds everything and then
// calls the others.

#include "file.h"
#include "proc.h"

char boot_stacks[NCPU][4096] __attribute__((aligned(16)));

static int ready; // hart 0 is through: the others may come

static _Noreturn void
hart0(uint64 fdt)
{
  consoleinit();
  fdt_read(fdt);
  if (machine.ramend == 0)
    panic("the device tree does not tell the memory size");
  kinit(machine.ramend);
  kvminit();
  tlb_kernel();
  asid_init();
  sched_init();
  procinit();
  upage_init();
  trapinithart();
  plicinithart();
  virtio_disk_init();
  printk("quire: %lu MiB, %d hart%s, kernel mapped by %u page-table pages\n",
         (machine.ramend - RAMBASE) >> 20, machine.harts, machine.harts == 1 ? "" : "s",
         tables_in(kernel_pagetable, LEVELS - 1, PTES / 2, PTES));
  userinit();

  __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
  for (int h = 1; h < machine.harts; h++)
    ipi(h);
  idle_start();
}

// A hart that is not the first sleeps until it is called; an interrupt that is pending ends wfi
// even when it is not enabled (Machine, 3.3.3).
static _Noreturn void
hartn(void)
{
  csr_write(sie, SI_SSIP);
  while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
    asm volatile("wfi");
  csr_clear(sip, SI_SSIP);
  tlb_kernel();
  trapinithart();
  plicinithart();
  idle_start();
}

// entry.S comes here: no interrupts, the early page table, the hart's boot stack.
_Noreturn void
main(uint64 hart, uint64 fdt)
{
  hart_init(hart);
  if (hart == 0)
    hart0(fdt);
  hartn();
}
