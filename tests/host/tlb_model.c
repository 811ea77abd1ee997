// SPDX-License-Identifier: MIT
// A model of harts that remember as much as the specification allows, and of processes on them.
//
// What a hart remembers (privileged spec 4.3.2, 4.2.1) is a set of entries that were read from page
// tables: leaves, pointers and empty ones, with the number that satp had. Before every step of any
// hart each of them has read all that it could, ahead of time, and it forgets nothing unless a fence
// tells it to; a fence does no more than the specification promises. A walk may use, at each level,
// what is in memory or any entry that fits: by the place where it was read, or by the address it was
// read for, under the same number, or under any when it is global. So walks() does not say what a
// hart does but all that some processor could do, and one bad way among them is a mistake found.
//
// Harts and processes are coroutines of one thread. Each atomic operation, fence, write of satp and
// change of an entry is a step: before it, any hart may go on, and calls may come in where interrupts
// are on. Which one goes on is random, from a seed, so that a run can be had again.
//
// Not modelled: memory that different harts see change in different order. A step is seen by all.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tlb_model.h"

#undef __atomic_load_n
#undef __atomic_store_n
#undef __atomic_fetch_or
#undef __atomic_fetch_and
#undef __atomic_add_fetch

#define NFRAME 160
#define NENTRY 4000
#define STACK  (64 << 10)

// What a hart remembers: an entry, and where and for what it was read.
struct entry {
  pte_t value, *at;
  uint64 asid, prefix; // prefix: the part of the address that led here
  int level, owner;    // owner: whose table it was in
  int life;            // of the table it points to, so that one used again is not taken for it
};

static struct hart {
  uint64 satp;
  int called, stale; // stale: something changed since it read ahead
  struct task *task; // 0: the hart's own code runs: idle, or between two processes
  ucontext_t own;
  int n;
  struct entry tlb[NENTRY];
} model[NCPU];

struct cpu cpus[NCPU];
struct proc idles[NCPU];
struct machine machine;
struct task tasks[NTASK];
struct counted counted;
pagetable_t kernel_pagetable;
uint64 stackgen;
int harts, asid_bits, hardware_ad, slots_made;
long steps;

// Four neighbours and one far off in one table, one in the next table, one in another branch.
const uint64 pages[NPAGES] = { 0x1000, 0x2000, 0x3000, 0x4000, 0x64000, 0x200000, 0x40000000 };

static char memory[NFRAME][PGSIZE] __attribute__((aligned(PGSIZE)));
static struct frame kinds[NFRAME];
static char stacks[NTASK + NCPU][STACK];
static ucontext_t contexts[NTASK], outside;
static int now, running; // which hart; whether the model runs yet
static uint64 seed_state;
static uint burst; // about how many steps a hart takes before another goes on
static int slots_seen[NCPU];

uint
rnd(uint below)
{
  seed_state ^= seed_state << 13;
  seed_state ^= seed_state >> 7;
  seed_state ^= seed_state << 17;
  return (seed_state >> 11) % below;
}

void
fail(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  printf("step %ld, hart %d: ", steps, now);
  vprintf(fmt, ap);
  printf("\n");
  exit(1);
}

void
panic(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  printf("step %ld, hart %d: panic: ", steps, now);
  vprintf(fmt, ap);
  printf("\n");
  exit(1);
}

// ---- memory ----

// Something that a walk could read has changed: before the next step all harts read again.
void
touched(void)
{
  for (int h = 0; h < harts; h++)
    model[h].stale = 1;
}

struct frame *
frame_of(uint64 pa)
{
  uint64 n = (KVA(pa) - (uint64)memory) / PGSIZE;
  return n < NFRAME ? &kinds[n] : 0;
}

int
owner_of(pagetable_t table)
{
  return frame_of(KPA(table))->owner;
}

// A frame, all zero. Those freed last are often the first to be used again.
pagetable_t
frame_new(int kind, int owner)
{
  int n = rnd(2) ? 0 : rnd(NFRAME);
  for (int i = 0; i < NFRAME; i++, n = (n + 1) % NFRAME) {
    if (kinds[n].kind == FREE) {
      kinds[n].kind = kind;
      kinds[n].owner = owner;
      memset(memory[n], 0, PGSIZE);
      touched();
      return (pagetable_t)memory[n];
    }
  }
  fail("the model is out of memory");
}

static pagetable_t
root_of(struct hart *m)
{
  return (pagetable_t)KVA((m->satp & ((1UL << 44) - 1)) << PGSHIFT);
}

// Its contents stay until it is used again, as in the kernel.
void
frame_free(void *p)
{
  frame_of(KPA(p))->kind = FREE;
  frame_of(KPA(p))->life++;
  for (int h = 0; h < harts; h++)
    if (root_of(&model[h]) == p)
      fail("a root table is freed that is in hart %d's satp", h);
  touched();
}

// ---- what a hart remembers ----

static uint64
number(uint64 asid)
{
  return asid & ((1UL << asid_bits) - 1); // 4.1.11: bits that are not there
}

static void
remember(struct hart *m, struct entry e)
{
  for (int i = 0; i < m->n; i++) {
    struct entry *o = &m->tlb[i];
    if (o->at == e.at && o->value == e.value && o->asid == e.asid && o->prefix == e.prefix &&
        o->level == e.level && o->owner == e.owner)
      return;
  }
  if (m->n == NENTRY)
    fail("the model of hart %d is too small", (int)(m - model));
  m->tlb[m->n++] = e;
}

static void
found(struct found *out, int *n, int max, struct found f)
{
  for (int i = 0; i < *n; i++)
    if (out[i].pte == f.pte && out[i].at == f.at && out[i].level == f.level &&
        out[i].foreign == f.foreign)
      return;
  if (*n == max)
    fail("a walk may end in too many ways");
  out[(*n)++] = f;
}

// The table that an entry points to; 0: it does not.
static pagetable_t
table_below(pte_t pte)
{
  return (pte & PTE_V) && !PTE_LEAF(pte) ? (pagetable_t)KVA(PTE2PA(pte)) : 0;
}

static int
life_of(pagetable_t table)
{
  struct frame *f = table ? frame_of(KPA(table)) : 0;
  return f ? f->life : 0;
}

// All ways to go on with a walk for va at this level of this table.
static void
descend(struct hart *m, uint64 va, int level, pagetable_t table, int foreign, struct found *out,
        int *n, int max)
{
  uint64 asid = SATP_ASID(m->satp), prefix = va >> PXSHIFT(level);
  pte_t *at = &table[PX(level, va)];
  remember(m, (struct entry){ *at, at, asid, prefix, level, owner_of(table),
                              life_of(table_below(*at)) });
  for (int i = 0; i < m->n; i++) {
    struct entry e = m->tlb[i];
    if (e.level != level || (e.asid != asid && !(e.value & PTE_G)) ||
        (e.at != at && e.prefix != prefix))
      continue;
    int other = foreign || (va < MAXVA && e.owner != owner_of(root_of(m)));
    pagetable_t next = level > 0 ? table_below(e.value) : 0;
    if (next == 0)
      found(out, n, max, (struct found){ e.value, e.at, level, other });
    else if (frame_of(KPA(next))->kind == TABLE && life_of(next) == e.life)
      descend(m, va, level - 1, next, other, out, n, max);
    else
      fail("hart %d may walk for 0x%lx through a table that was freed", (int)(m - model), va);
  }
}

// All that a walk for va on this hart may come to: how many.
int
walks(int hart, uint64 va, struct found *out, int max)
{
  struct hart *m = &model[hart];
  int n = 0;
  descend(m, va, LEVELS - 1, root_of(m), 0, out, &n, max);
  return n;
}

// The process that runs on a hart; 0: the hart is idle, or between two.
struct task *
task_of(int hart)
{
  return model[hart].task;
}

static uint64
slot_va(int i)
{
  return KSTACKS + (uint64)i * PGSIZE;
}

// A hart reads all that it can, ahead of time.
static void
read_ahead(int h)
{
  struct found all[64];
  model[h].stale = 0;
  for (int i = 0; i < NPAGES; i++) {
    int n = walks(h, pages[i], all, 64);
    for (int k = 0; k < n;
         k++) // 4.3.1: A may be set ahead of time, by an atomic check of the entry
      if (hardware_ad && (all[k].pte & PTE_V) && !(all[k].pte & PTE_A) &&
          *all[k].at == all[k].pte && rnd(4) == 0)
        *all[k].at |= PTE_A;
  }
  for (int i = 0; i < NSLOT; i++) {
    int n = walks(h, slot_va(i), all, 64);
    for (int k = 0; k < n; k++)
      if (i < slots_seen[h] && !(all[k].pte & PTE_V))
        fail("hart %d does not see kernel stack %d", h, i);
  }
}

// ---- what the kernel asks of a hart ----

struct proc *
myproc(void)
{
  return model[now].task ? &model[now].task->proc : &idles[now];
}

struct cpu *
mycpu(void)
{
  return myproc()->cpu;
}

int
intr_get(void)
{
  return myproc()->noff == 0;
}

int
here(void)
{
  return now;
}

uint64
satp_read(void)
{
  return model[now].satp;
}

void
satp_write(uint64 satp)
{
  step();
  model[now].satp = (satp & ~(ASID_MAX << 44)) | number(SATP_ASID(satp)) << 44;
  model[now].stale = 1;
}

// Forget the entries of the hart for which this is true of e.
#define FORGET(which)              \
  step();                          \
  struct hart *m = &model[now];    \
  int kept = 0;                    \
  for (int i = 0; i < m->n; i++) { \
    struct entry *e = &m->tlb[i];  \
    if (!(which))                  \
      m->tlb[kept++] = *e;         \
  }                                \
  m->n = kept;                     \
  m->stale = 1

void
fence_all(void)
{
  FORGET(e != 0);
}

void
fence_asid(uint64 asid)
{
  FORGET(e->asid == number(asid) && !(e->value & PTE_G));
}

// Only leaf entries: a remembered empty entry of an upper level is none.
void
fence_page(uint64 va, uint64 asid)
{
  FORGET(e->asid == number(asid) && !(e->value & PTE_G) && e->prefix == va >> PXSHIFT(e->level) &&
         (e->level == 0 || PTE_LEAF(e->value)));
}

void
fence_code(void)
{
}

// tlb.c counts a flush, which is the only sum it makes of this kind.
void
flush_is_here(void)
{
  model[now].task->at = now;
}

void
ipi(int hart)
{
  step();
  struct task *t = model[now].task;
  if (t == 0 || t->flushing == 0)
    fail("a call out of the blue");
  if (t->called & (1u << hart))
    fail("hart %d is called twice for one flush", hart);
  if (!(t->ran & (1u << hart)))
    fail("hart %d is called and does not run the mm", hart);
  if (t->at == hart)
    fail("hart %d is called, and is the one that flushes", hart);
  t->called |= 1u << hart;
  model[hart].called = 1;
}

// ---- locks ----

void
push_off(void)
{
  myproc()->noff++;
}

void
pop_off(void)
{
  myproc()->noff--;
  step();
}

void
acquire(struct spinlock *lk)
{
  push_off();
  step();
  while (lk->locked)
    step();
  lk->locked = 1;
  lk->holder = myproc();
}

void
release(struct spinlock *lk)
{
  step();
  lk->locked = 0;
  pop_off();
}

void
acquiresleep(struct sleeplock *lk)
{
  step();
  while (lk->owner)
    step();
  lk->owner = (uint64)myproc();
}

void
releasesleep(struct sleeplock *lk)
{
  lk->owner = 0;
  step();
}

int
holdingsleep(struct sleeplock *lk)
{
  return lk->owner == (uint64)myproc();
}

// ---- who runs ----

static void
watch(struct task *t)
{
  if (t->flushing == 0)
    return;
  t->ran |= t->flushing->running;
  if (t->since == 0)
    t->since = steps;
  if (steps - t->since > 100000)
    fail("a flush is not answered");
}

// Let others run; then take a call if one is there and interrupts are on.
void
step(void)
{
  if (!running)
    return;
  struct task *t = model[now].task;
  if (t && t->proc.noff == 0 && rnd(12) == 0) { // the slice is over
    model[now].task = 0;
    t->switches++;
  }
  swapcontext(t ? &contexts[t - tasks] : &model[now].own, &outside);
  if (t && t->proc.noff == 0 && model[now].called && rnd(3) == 0) {
    model[now].called = 0;
    t->proc.noff++;
    tlb_answer();
    t->proc.noff--;
  }
}

static struct task *
pick(void)
{
  int first = rnd(NTASK);
  for (int i = 0; i < NTASK; i++) {
    struct task *t = &tasks[(first + i) % NTASK];
    int taken = t->done;
    for (int h = 0; h < harts; h++)
      taken |= model[h].task == t || cpus[h].proc == &t->proc;
    if (!taken)
      return t;
  }
  return 0;
}

// What sched.c does: idle, or over to a process. Interrupts are off, but for calls while it idles.
static void
hart_code(void)
{
  for (;;) {
    struct cpu *c = &cpus[now];
    step();
    if (model[now].called && rnd(2)) {
      model[now].called = 0;
      tlb_answer();
    }
    struct task *t = rnd(3) ? pick() : 0;
    if (t == 0)
      continue;
    c->proc = &t->proc; // nobody else picks it
    uint64 gen = stackgen;
    if (c->stackgen != gen) {
      c->stackgen = gen;
      tlb_kernel();
      slots_seen[now] = gen;
    }
    if (t->proc.mm)
      tlb_enter(c, t->proc.mm);
    t->proc.cpu = c;
    model[now].task = t;
    swapcontext(&model[now].own, &outside); // until its slice is over
    c->proc = &idles[now];
  }
}

// A stack for a new process, as in proc.c.
static void
new_slot(void)
{
  static struct spinlock lock;
  acquire(&lock);
  if (slots_made < NSLOT) {
    int level = 0;
    pagetable_t t1 = (pagetable_t)KVA(PTE2PA(kernel_pagetable[PX(2, KSTACKS)]));
    pagetable_t t0 = (pagetable_t)KVA(PTE2PA(t1[PX(1, KSTACKS)]));
    step();
    t0[PX(level, slot_va(slots_made))] = PTE_V | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D;
    touched();
    slots_made++;
    step();
    stackgen++;
    tlb_kernel();
    slots_seen[now] = slots_made;
  }
  release(&lock);
}

static void (*the_program)(int);

static void
task_code(int i)
{
  if (i < 2)
    new_slot();
  the_program(i);
  tasks[i].done = 1;
  tasks[i].proc.noff = 0;
  for (;;)
    step();
}

static void
coroutine(ucontext_t *c, void (*code)(int), int arg, char *stack)
{
  getcontext(c);
  c->uc_stack.ss_sp = stack;
  c->uc_stack.ss_size = STACK;
  c->uc_link = 0;
  makecontext(c, (void (*)(void))code, 1, arg);
}

// The kernel half: pointers down to the table of stacks, which every root shares.
static void
kernel_half(void)
{
  kernel_pagetable = frame_new(TABLE, 0);
  pagetable_t t1 = frame_new(TABLE, 0), t0 = frame_new(TABLE, 0);
  kernel_pagetable[PX(2, KSTACKS)] = PA2PTE(KPA(t1)) | PTE_V;
  t1[PX(1, KSTACKS)] = PA2PTE(KPA(t0)) | PTE_V;
}

// Run the program in every task on all harts until all are through.
void
model_run(void (*program)(int), long max)
{
  the_program = program;
  machine.harts = harts;
  for (int h = 0; h < harts; h++) {
    coroutine(&model[h].own, (void (*)(int))hart_code, 0, stacks[NTASK + h]);
  }
  for (int i = 0; i < NTASK; i++)
    coroutine(&contexts[i], task_code, i, stacks[i]);
  for (int done = 0; !done; steps++) {
    if (steps == max)
      fail("it does not end");
    for (int h = 0; h < harts; h++) {
      if (model[h].stale)
        read_ahead(h);
      if (running)
        check_hart(h);
    }
    running = done = 1;
    for (int i = 0; i < NTASK; i++) {
      watch(&tasks[i]);
      done &= tasks[i].done;
    }
    if (rnd(burst) == 0)
      now = rnd(harts);
    swapcontext(&outside, model[now].task ? &contexts[model[now].task - tasks] : &model[now].own);
  }
  running = 0;
}

// Boot: every hart on the kernel's own table.
void
model_boot(uint64 seed)
{
  seed_state = seed * 0x9e3779b97f4a7c15UL + 1;
  burst = 1 << seed % 4;
  kernel_half();
  for (now = 0; now < harts; now++) {
    cpus[now].id = now;
    cpus[now].proc = cpus[now].idle = &idles[now];
    idles[now].cpu = &cpus[now];
    idles[now].noff = 1;
    tlb_kernel();
    if (now == 0)
      asid_init();
  }
  now = 0;
}
