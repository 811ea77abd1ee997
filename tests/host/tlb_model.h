// SPDX-License-Identifier: MIT
// Included before everything else (cc -include) when kernel/riscv/tlb.c, asid.c and ad.c are
// compiled for the host: what they ask of the processor goes to the model of harts in tlb_model.c.
//
// The kernel's headers come first, with those of their functions renamed that are a few instructions;
// nobody calls these, so the compiler never meets the instructions. Then each atomic operation gets
// a step of the model before it: there, another hart may go on.
#pragma once

#define main         riscv_main
#define myproc       riscv_myproc
#define mycpu        riscv_mycpu
#define intr_get     riscv_intr_get
#define push_off     riscv_push_off
#define pop_off      riscv_pop_off
#define acquire      riscv_acquire
#define release      riscv_release
#define acquiresleep riscv_acquiresleep
#define releasesleep riscv_releasesleep
#define satp_read    riscv_satp_read
#define satp_write   riscv_satp_write
#define fence_all    riscv_fence_all
#define fence_asid   riscv_fence_asid
#define fence_page   riscv_fence_page
#define fence_code   riscv_fence_code
#include "kernel/defs.h"
#include "kernel/proc.h"
#include "kernel/riscv/fdt.h"
#include "kernel/riscv/hart.h"
#undef main
#undef myproc
#undef mycpu
#undef intr_get
#undef push_off
#undef pop_off
#undef acquire
#undef release
#undef acquiresleep
#undef releasesleep
#undef satp_read
#undef satp_write
#undef fence_all
#undef fence_asid
#undef fence_page
#undef fence_code

struct proc *myproc(void);
struct cpu *mycpu(void);
int intr_get(void);
void push_off(void);
void pop_off(void);
void acquire(struct spinlock *);
void release(struct spinlock *);
void acquiresleep(struct sleeplock *);
void releasesleep(struct sleeplock *);
uint64 satp_read(void);
void satp_write(uint64);
void fence_all(void);
void fence_asid(uint64 asid);
void fence_page(uint64 va, uint64 asid);
void fence_code(void);

void step(void);
void flush_is_here(void);
#define __atomic_load_n(p, order)       (step(), __atomic_load_n(p, order))
#define __atomic_store_n(p, v, order)   (step(), __atomic_store_n(p, v, order))
#define __atomic_fetch_or(p, v, order)  (step(), touched(), __atomic_fetch_or(p, v, order))
#define __atomic_fetch_and(p, v, order) (step(), touched(), __atomic_fetch_and(p, v, order))
#define __atomic_add_fetch(p, v, order) (step(), flush_is_here(), __atomic_add_fetch(p, v, order))

extern struct counted {
  long flush_page, flush_range, flush_all, shootdowns, fences, satp_writes, ad;
} counted;
#undef vm_count
#define vm_count(name, n) (counted.name += (n))

// ---- what tlb_model.c offers tlb_test.c ----

#define NTASK  7
#define NSLOT  3 // of kernel stacks
#define NPAGES 7 // user pages that the programs use

enum { FREE, TABLE, DATA };

// A frame of the model's memory: what it is, for a table whose, how often it was freed.
struct frame {
  int kind, owner, life;
};

// A process: in user mode, or in the kernel. What it waits for while it flushes.
struct task {
  struct proc proc;
  int user, switches, done;
  struct mm *flushing;
  int at;           // the hart that flushes by a fence of its own
  uint ran, called; // harts that ran the mm since the flush began, and those that were called
  long since;       // the step when that was noticed; 0: not yet
};

// One thing that a walk may come to: an entry, where it was read, whether another mm's was used.
struct found {
  pte_t pte, *at;
  int level, foreign;
};

extern struct task tasks[NTASK];
extern const uint64 pages[NPAGES];
extern int harts, asid_bits, hardware_ad, slots_made;
extern long steps;

void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
uint rnd(uint below);
int here(void);
void touched(void);
pagetable_t frame_new(int kind, int owner);
void frame_free(void *);
struct frame *frame_of(uint64 pa);
int owner_of(pagetable_t);
struct task *task_of(int hart);
int walks(int hart, uint64 va, struct found *out, int max);
void model_boot(uint64 seed);
void model_run(void (*program)(int task), long max);

// tlb_test.c
void check_hart(int hart);
void mm_gone(struct mm *);
