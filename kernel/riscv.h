// SPDX-License-Identifier: MIT
// The processor as C sees it: control registers, fences, and the layout of a page-table entry.
// Section numbers are those of the RISC-V privileged architecture, version 20211203.
#pragma once

#include "types.h"

#define PGSIZE  4096 // bytes of a page, and of a frame
#define PGSHIFT 12

#define PGROUNDUP(sz)  (((sz) + PGSIZE - 1) & ~(uint64)(PGSIZE - 1))
#define PGROUNDDOWN(a) ((a) & ~(uint64)(PGSIZE - 1))

// ---- Sv39 (4.4): 39-bit addresses, three levels of 9 bits, 4 KiB pages ----

#define LEVELS 3 // of a page table
#define PTES   512

// The part of va that indexes a table of this level; level 0 has the 4 KiB leaves.
#define PXSHIFT(level) (PGSHIFT + 9 * (level))
#define PX(level, va)  (((uint64)(va) >> PXSHIFT(level)) & (PTES - 1))
#define LVLSIZE(level) (1UL << PXSHIFT(level)) // bytes one entry of this level maps

#define MAXVA (1UL << 38) // one beyond the highest user address

typedef uint64 pte_t;
typedef uint64 *pagetable_t; // 512 entries

// Entry bits (4.3.1).
#define PTE_V (1UL << 0) // valid
#define PTE_R (1UL << 1)
#define PTE_W (1UL << 2)
#define PTE_X (1UL << 3)
#define PTE_U (1UL << 4) // for user mode
#define PTE_G (1UL << 5) // the same in every address space
#define PTE_A (1UL << 6) // has been used
#define PTE_D (1UL << 7) // has been written

#define PTE_SWAP (1UL << 8) // for software, with V = 0: in swap
#define PTE_NONE (1UL << 9) // for software, with V = 0: PROT_NONE, a frame nobody may touch

#define PTE_LEAF(pte)  (((pte) & (PTE_R | PTE_W | PTE_X)) != 0)
#define PTE_TABLE(pte) (((pte) & (PTE_V | PTE_R | PTE_W | PTE_X)) == PTE_V)
#define PTE_FLAGS(pte) ((pte)&0x3ffUL)
#define PTE2PA(pte)    ((((pte) >> 10) & ((1UL << 44) - 1)) << PGSHIFT)
#define PA2PTE(pa)     (((uint64)(pa) >> PGSHIFT) << 10)

#define SATP_SV39 (8UL << 60)
#define MAKE_SATP(pt, asid) \
  (SATP_SV39 | (uint64)(asid) << 44 | ((uint64)(pt) >> PGSHIFT)) // pt: physical

// ---- control registers ----

#define csr_read(csr)                                    \
  ({                                                     \
    uint64 v_;                                           \
    asm volatile("csrr %0, " #csr : "=r"(v_)::"memory"); \
    v_;                                                  \
  })
#define csr_write(csr, v) asm volatile("csrw " #csr ", %0" ::"rK"((uint64)(v)) : "memory")
#define csr_set(csr, v)   asm volatile("csrs " #csr ", %0" ::"rK"((uint64)(v)) : "memory")
#define csr_clear(csr, v) asm volatile("csrc " #csr ", %0" ::"rK"((uint64)(v)) : "memory")
#define csr_fetch_clear(csr, v)                                                       \
  ({                                                                                  \
    uint64 v_;                                                                        \
    asm volatile("csrrc %0, " #csr ", %1" : "=r"(v_) : "rK"((uint64)(v)) : "memory"); \
    v_;                                                                               \
  })

// By number, for assemblers that do not know the names yet.
#define CSR_STIMECMP 0x14d // Sstc
#define CSR_MENVCFG  0x30a

// sstatus (4.1.1)
#define SSTATUS_SIE  (1UL << 1)  // interrupts on
#define SSTATUS_SPIE (1UL << 5)  // interrupts on before the trap
#define SSTATUS_SPP  (1UL << 8)  // the trap came from supervisor mode
#define SSTATUS_FS   (3UL << 13) // floating point: 0 off, 1 initial, 2 clean, 3 dirty
#define FS_OFF       (0UL << 13)
#define FS_CLEAN     (2UL << 13)
#define FS_DIRTY     (3UL << 13)

// sie, sip (4.1.3)
#define SI_SSIP (1UL << 1) // software: another hart calls
#define SI_STIP (1UL << 5) // timer
#define SI_SEIP (1UL << 9) // external: a device, by the PLIC

// scause (4.1.8)
#define CAUSE_INTERRUPT (1UL << 63)
#define CAUSE_SSI       (CAUSE_INTERRUPT | 1)
#define CAUSE_STI       (CAUSE_INTERRUPT | 5)
#define CAUSE_SEI       (CAUSE_INTERRUPT | 9)
#define CAUSE_ILLEGAL   2
#define CAUSE_BREAK     3
#define CAUSE_ECALL     8
#define CAUSE_FETCH_PF  12
#define CAUSE_LOAD_PF   13
#define CAUSE_STORE_PF  15

// Ticks of the platform's clock since power on; readable in user mode too.
#define r_time() csr_read(time)

// ---- interrupts of this hart ----

static inline void
intr_on(void)
{
  csr_set(sstatus, SSTATUS_SIE);
}

static inline void
intr_off(void)
{
  csr_clear(sstatus, SSTATUS_SIE);
}

static inline int
intr_get(void)
{
  return (csr_read(sstatus) & SSTATUS_SIE) != 0;
}

// ---- devices: single accesses of exactly this width, in program order with each other ----

// What was done to a device comes before any later access to memory, and the other way round.
static inline void
io_fence(void)
{
  asm volatile("fence iorw, iorw" ::: "memory");
}

static inline uint32
mmio_read32(uint64 va)
{
  uint32 v = *(volatile uint32 *)va;
  asm volatile("fence i, ir" ::: "memory");
  return v;
}

static inline void
mmio_write32(uint64 va, uint32 v)
{
  asm volatile("fence w, o" ::: "memory");
  *(volatile uint32 *)va = v;
}

static inline uint8
mmio_read8(uint64 va)
{
  uint8 v = *(volatile uint8 *)va;
  asm volatile("fence i, ir" ::: "memory");
  return v;
}

static inline void
mmio_write8(uint64 va, uint8 v)
{
  asm volatile("fence w, o" ::: "memory");
  *(volatile uint8 *)va = v;
}
