// SPDX-License-Identifier: MIT
// What the room riscv/ offers: the parts of the processor that need more than an accessor.
// Section numbers are those of the privileged architecture, version 20211203.
#pragma once

#include "../riscv.h"

struct cpu;
struct fpstate;
struct mm;

// ---- what a hart remembers: all that tlb.c and asid.c ask of the processor ----
// tests/host/ has a model of a hart in the place of these functions.

#define ASID_MAX     0xffffUL
#define ASID_OF(who) ((who)&ASID_MAX) // the number in mm->asid; above it is the generation
#define GEN_OF(who)  ((who) >> 16)
#define SATP_ASID(s) ((s) >> 44 & ASID_MAX) // 4.1.11: bits 44 to 59

static inline uint64
satp_read(void)
{
  return csr_read(satp);
}

// 4.1.11: "Writing satp does not imply any ordering constraints between page-table updates and
// subsequent address translations", and forgets nothing: fences are the caller's.
static inline void
satp_write(uint64 satp)
{
  csr_write(satp, satp);
}

// 4.2.1: rs1 = rs2 = x0: all levels of the tables of all address spaces, global mappings too.
static inline void
fence_all(void)
{
  asm volatile("sfence.vma" ::: "memory");
}

// 4.2.1: rs1 = x0, rs2 = asid: all levels of one address space's tables, but no global mapping.
static inline void
fence_asid(uint64 asid)
{
  asm volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}

// 4.2.1: rs1 = va, rs2 = asid: only the leaf entries for va in one address space, no global ones.
static inline void
fence_page(uint64 va, uint64 asid)
{
  asm volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}

// Unprivileged spec, Zifencei: this hart's fetches see its earlier stores, and those it observed.
static inline void
fence_code(void)
{
  asm volatile("fence.i" ::: "memory");
}

// tlb.c
extern uint64 codegen;
void tlb_kernel(void);
void tlb_enter(struct cpu *, struct mm *);
void tlb_answer(void);
void tlb_flush_page(struct mm *, uint64 va);
void tlb_flush_range(struct mm *, uint64 start, uint64 end);
void tlb_flush_all(struct mm *);
void tlb_gained(struct mm *, uint64 va);
void tlb_spurious(struct mm *);
void code_written(void);
void code_see(struct cpu *);

// asid.c
void asid_init(void);
uint64 asid_of(struct mm *);

// timer.c
void timer_plan(int slice);
void timer_tick(void);
int timer_pause(uint64 n);
uint64 timer_ticks(void);

// ipi.c
void ipi(int hart);
void ipi_taken(void);

// fp.S
void fp_save(struct fpstate *);
void fp_load(const struct fpstate *);
