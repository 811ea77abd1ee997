// SPDX-License-Identifier: MIT
// What the room riscv/ offers: the parts of the processor that need more than an accessor.
#pragma once

#include "../riscv.h"

struct cpu;
struct fpstate;
struct mm;

// tlb.c
void tlb_kernel(void);
void tlb_enter(struct cpu *, struct mm *);
void tlb_answer(void);
void tlb_flush_page(struct mm *, uint64 va);
void tlb_flush_range(struct mm *, uint64 start, uint64 end);
void tlb_flush_all(struct mm *);
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
uint64 timer_us(void);

// ipi.c
void ipi(int hart);
void ipi_taken(void);

// fp.S
void fp_save(struct fpstate *);
void fp_load(const struct fpstate *);
