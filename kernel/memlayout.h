// SPDX-License-Identifier: MIT
// Where things are: physical addresses of QEMU's virt machine, and the map of an address space.
//
//   user half                                      kernel half, the same in every page table
//   0x0000000000  nothing: null faults             0xffffffc000000000  KERNBASE: physical memory,
//   0x0000001000  text, rodata, data, bss                              va = KERNBASE + pa
//                 heap, grows up with sbrk           + 0x02000000 CLINT   + 0x0c000000 PLIC
//                 ...                                + 0x10000000 UART    + 0x10001000 virtio
//                 mmap area, grows down              + 0x80000000 kernel, then RAM up to its end
//                 stack, grows down                0xffffffe000000000  KSTACKS: kernel stacks
//   0x3fbfffe000  pid page, ticks page: USYSCALL
//   0x3fc0000000  USERTOP: the last GiB stays unmapped
//   0x4000000000  MAXVA
#pragma once

// ---- physical: the virt machine ----
#define VIRT_TEST 0x00100000L // writing here ends QEMU
#define CLINT     0x02000000L // MSIP words: software interrupts
#define PLIC      0x0c000000L
#define UART0     0x10000000L
#define VIRTIO0   0x10001000L // eight transports, 0x1000 apart
#define RAMBASE   0x80000000L

#define UART0_IRQ   10
#define VIRTIO0_IRQ 1 // of the first transport; the others follow

// ---- virtual ----
#define KERNBASE 0xffffffc000000000UL
#define KSTACKS  0xffffffe000000000UL

#define KVA(pa) ((uint64)(pa) + KERNBASE) // where the kernel sees a physical address
#define KPA(va) ((uint64)(va)-KERNBASE)   // and back, for the direct map only

// A kernel stack is the upper half of an aligned slot of 16 KiB, so that bit 13 of a stack pointer
// is set while it is inside; the lower half is never mapped.
#define KSTACK_SIZE   8192
#define KSTACK_SLOT   16384
#define KSTACK_TOP(i) (KSTACKS + ((uint64)(i) + 1) * KSTACK_SLOT)

#define USERTOP   0x3fc0000000UL
#define UTICKS    (USERTOP - 1 * PGSIZE) // read-only: struct uticks
#define UPIDPAGE  (USERTOP - 2 * PGSIZE) // read-only: struct upid
#define STACKTOP  (USERTOP - 4 * PGSIZE) // two pages below those stay unmapped
#define STACKBASE (STACKTOP - (uint64)USERSTACK * PGSIZE)
#define MMAPTOP   (STACKBASE - 16 * PGSIZE) // the gap below the stack's limit

// ---- named by programs of xv6; nothing here is built on these ----
#define PHYSTOP    (KERNBASE + 128 * 1024 * 1024) // some take PHYSTOP - KERNBASE for the memory size
#define TRAMPOLINE (MAXVA - PGSIZE)               // never mapped here
#define TRAPFRAME  (TRAMPOLINE - PGSIZE)
