// SPDX-License-Identifier: MIT
// What each door offers to the others, in reading order. The contracts stand at the definitions. What
// only assembler calls (main, usertrap, kerneltrap, stack_overflow) needs no declaration.
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "errno.h"
#include "memlayout.h"
#include "param.h"
#include "riscv.h"

struct context;
struct image;
struct mm;
struct page;
struct proc;
struct procinfo;
struct sleeplock;
struct slab;
struct spinlock;
struct trapframe;
struct waitinfo;

// ---- traps and system calls ----

// trapvec.S
void user_return(struct trapframe *) __attribute__((noreturn));
void regs_here(struct trapframe *);

// trap.c
void trapinithart(void);
void leave_kernel(void);

// syscall.c
void syscall(void);

// ---- processes ----

// swtch.S
void swtch(struct context *from, struct context *to);

// sched.c
void hart_init(int hart);
void sched_init(void);
void idle_start(void) __attribute__((noreturn));
void sched(struct proc *);
void arrive(void);
void yield(void);
void make_ready(struct proc *);
void sleep(const void *chan, struct spinlock *);
void wakeup(const void *chan);
void wake_process(struct proc *);
void fp_keep(struct proc *);

// kstack.c
extern uint64 stackgen;
int slot_get(void);
void slot_put(int slot);
uint64 stack_frames(void);

// proc.c
void procinit(void);
void userinit(void);
void kthread(void (*fn)(void), const char *name);
int proc_doom(const struct waitinfo *);
int kill(int pid);
struct mm *proc_set_mm(struct proc *, struct mm *);
struct mm *proc_mm(int pid);
int procs_read(struct procinfo *, int max, uint64 *born);
extern int nprocs;
void procdump(void);

// thread.c
int proc_next(const struct image *);
void obey(void);

// exec.c
int exec(const char *path, uint64 argv);
void become(struct proc *, const struct image *);

// ---- locks ----

// spinlock.c; the rest is in proc.h
void initlock(struct spinlock *, const char *name);
int holding(struct spinlock *);

// sleeplock.c
void initsleeplock(struct sleeplock *, const char *name);
void sleeplock_wait(struct sleeplock *);
void sleeplock_wake(struct sleeplock *);
int holdingsleep(struct sleeplock *);

// ---- memory ----

// kalloc.c
extern uint64 nframes, boot_frames;
void kinit(uint64 ramend);
void *kalloc(void); // a frame, contents undefined; 0: none
void kfree(void *);
struct page *page_alloc(int kind);
pagetable_t table_alloc(void);
struct page *block_alloc(int kind);
void block_put(struct page *);
uint64 kfree_frames(void);
struct page *frames_end(void);
void free_each(void (*fn)(struct page *));

// vm.c; the rest is in mm/mm.h
void kvminit(void);

// mm/slab.c
void *slab_take(struct slab *);
void *slab_alloc(struct slab *); // zeroed
void slab_free(struct slab *, void *);

// ---- storage: file.h and bio.h ----

// virtio_disk.c
void virtio_disk_init(void);
void virtio_disk_intr(int transport);

// ---- console ----

// printk.c
extern volatile int panicked;
void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void panic_at(const struct trapframe *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));
void panic_stop(void) __attribute__((noreturn));

#ifdef DEBUG
#define DEBUGGING 1
#define assert(c) ((c) ? (void)0 : panic("%s:%d: not true: %s", __FILE__, __LINE__, #c))
#else
#define DEBUGGING 0
#define assert(c) ((void)0)
#endif

// uart.c
void uartinit(void);
void uartintr(void);
void uartwrite(const char *, int n);
void uartputc_sync(int c);

// console.c
void consoleinit(void);
void consoleintr(int c);

// ---- the machine ----

// plic.c
void plicinithart(void);
int plic_claim(void);
void plic_complete(int irq);

// string.c
void *memset(void *, int, size_t);
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
void page_zero(void *frame);
void page_copy(void *to, const void *from);
size_t strlen(const char *);
int strcmp(const char *, const char *);
size_t strcopy(char *, const char *, size_t);
char *safestrcpy(char *, const char *, size_t); // always ends with a zero
