// SPDX-License-Identifier: MIT
// The proof interface itself: what it says is so, and it refuses nonsense.
#include "kernel/upage.h"
#include "test.h"

static struct vmainfo list[64];

static const struct vmainfo *
range_of(const void *va)
{
  int n = vmas(0, list, COUNT(list));
  CHECK(n > 0 && n <= COUNT(list));
  for (int i = 0; i < n; i++)
    if (list[i].start <= (uint64)va && (uint64)va < list[i].end)
      return &list[i];
  broken(__FILE__, __LINE__, "vmas() has the range");
}

void
pageinfo_of_each_page(void)
{
  static struct pageinfo pi[6];
  char *p = map_at(DESERT, 4, 0);
  memset(nth(p, 1), 1, PGSIZE);
  (void)*(volatile char *)nth(p, 2);
  EQUALS(pageinfo(p, 6, pi), 6);
  for (int i = 0; i < 6; i++) {
    EQUALS(pi[i].va, nth(p, i));
    EQUALS(pi[i].vma, i < 4 ? VMA_ANON : VMA_NONE);
    EQUALS(pi[i].prot, i < 4 ? RW : PROT_NONE);
    EQUALS(pi[i].frame != 0, i == 1 || i == 2);
  }
  CHECK(pi[1].kind == PG_ANON && pi[1].refs == 1 && allows(pi[1], PTE_R | PTE_W));
  CHECK((pi[1].flags & (PTE_U | PTE_G | PTE_A | PTE_D)) == (PTE_U | PTE_A | PTE_D));
  CHECK(pi[2].kind == PG_ZERO && allows(pi[2], PTE_R) && !(pi[2].flags & PTE_D));
}

// In the middle of a page is the page, too.
void
pageinfo_rounds_down(void)
{
  char *p = map(1, 0);
  *p = 1;
  struct pageinfo a = page(p), b = page(p + 1234);
  CHECK(a.va == b.va && a.frame == b.frame);
}

void
pageinfo_bad_arguments(void)
{
  static struct pageinfo pi[4];
  EQUALS(pageinfo(DESERT, 0, pi), 0);
  FAILS(pageinfo(DESERT, -1, pi), EINVAL);
  FAILS(pageinfo(DESERT, 1, (struct pageinfo *)KERNBASE), EFAULT);
  FAILS(pageinfo(DESERT, 1, (struct pageinfo *)0), EFAULT);
  FAILS(pageinfo_of(31999, DESERT, 1, pi), ESRCH);
  FAILS(pageinfo_of(-1, DESERT, 1, pi), ESRCH);
  CHECK(pageinfo((void *)MAXVA, 4, pi) <= 0);
  CHECK(pageinfo((void *)KERNBASE, 4, pi) <= 0);
  CHECK(pageinfo((void *)-4096UL, 4, pi) <= 0);
}

// Ranges come in order, do not overlap, and are what a program is made of.
void
vmas_of_a_program(void)
{
  int n = vmas(0, list, COUNT(list));
  CHECK(n >= 5 && n <= COUNT(list));
  for (int i = 0; i < n; i++) {
    CHECK(list[i].start < list[i].end && (list[i].start | list[i].end) % PGSIZE == 0);
    CHECK(i == 0 || list[i - 1].end <= list[i].start);
  }
  const struct vmainfo *text = range_of((void *)vmas_of_a_program);
  CHECK(text->kind == VMA_FILE && text->prot == (PROT_READ | PROT_EXEC));
  CHECK(text->inum == look(SELF).ino && text->flags & VM_TEXT && !(text->flags & VM_SHARED));
  const struct vmainfo *data = range_of(list);
  CHECK(data->prot == RW && !(data->flags & VM_SHARED));
  const struct vmainfo *stack = range_of(&n);
  CHECK(stack->kind == VMA_STACK && stack->prot == RW && stack->end == STACKTOP);
  const struct vmainfo *kernel = range_of((void *)UPIDPAGE);
  CHECK(kernel->kind == VMA_KERNEL && kernel->prot == PROT_READ);
}

void
vmas_count_pages(void)
{
  char *p = map_at(DESERT, 10, 0);
  stamp_all(p, 1, 4);
  const struct vmainfo *v = range_of(p);
  CHECK(v->kind == VMA_ANON && v->end - v->start == 10 * PGSIZE && v->inum == 0);
  CHECK(v->resident == 4 && v->dirty == 4 && v->shared == 0 && v->huge == 0 && v->swapped == 0);
  int pid = post(nothing, 0);
  EQUALS(range_of(p)->shared, 4);
  dismiss(pid);
  EQUALS(range_of(p)->shared, 0);
}

// The return value is how many there are, whatever the room.
void
vmas_bad_arguments(void)
{
  int n = ranges();
  memset(list, 0x55, sizeof(list));
  EQUALS(vmas(0, list, 1), n);
  CHECK(list[0].start < list[0].end && list[1].start == 0x5555555555555555);
  FAILS(vmas(0, list, -1), EINVAL);
  FAILS(vmas(31999, list, 1), ESRCH);
  FAILS(vmas(0, (struct vmainfo *)KERNBASE, 1), EFAULT);
  FAILS(vmas(0, (struct vmainfo *)PGROUNDDOWN((uint64)vmas_bad_arguments), 1), EFAULT);
}

void
vmstat_bad_arguments(void)
{
  FAILS(vmstat(0), EFAULT);
  FAILS(vmstat((struct vmstat *)KERNBASE), EFAULT);
  FAILS(vmstat((struct vmstat *)PGROUNDDOWN((uint64)vmstat_bad_arguments)), EFAULT);
}

uint64
kinds_of_faults(const struct vmcounts *c)
{
  return c->zero_fill + c->zero_page + c->cow_copy + c->cow_reuse + c->file + c->mkwrite + c->shm +
         c->swap_in + c->huge + c->failed + c->protection + c->spurious + c->ad;
}

static void
some_faults(uint64 unused)
{
  (void)unused;
  make("f", 1, 4 * PGSIZE);
  int fd = open("f", O_RDWR);
  char *anon = map(4, 0), *file = map_file(fd, 0, 4, RW, MAP_SHARED), *shared = map(4, MAP_SHARED);
  for (int i = 0; i < 4; i++) {
    (void)*(volatile char *)nth(anon, i);
    (void)*(volatile char *)nth(file, i);
    *nth(anon, i) = *nth(file, i) = *nth(shared, i) = 1;
  }
  warm();
}

void
vmstat_faults_add_up(void)
{
  some_faults(0);
  LIVES(some_faults, 0);
  DIES(touch, DESERT);
  struct vmstat is = vm();
  CHECK(is.self.faults > 20 && is.all.faults > is.self.faults);
  EQUALS(kinds_of_faults(&is.self), is.self.faults);
  EQUALS(kinds_of_faults(&is.all), is.all.faults);
}

// A fork starts to count anew, and so does exec.
static void
counts_are_small(uint64 parent)
{
  CHECK(vm().self.faults < parent);
}

void
vmstat_starts_with_the_process(void)
{
  char *p = map(500, 0);
  for (int i = 0; i < 500; i++)
    *nth(p, i) = 1;
  CHECK(vm().self.faults >= 500);
  LIVES(counts_are_small, 100);
  EQUALS(rerun("@counts"), 0);
}

void
vmstat_counts_what_is_resident(void)
{
  warm();
  struct vmstat was = vm();
  char *p = map(20, 0);
  EQUALS(vm().resident, was.resident);
  stamp_all(p, 1, 12);
  EQUALS(vm().resident, was.resident + 12);
  unmap(p, 6);
  EQUALS(vm().resident, was.resident + 6);
  unmap(nth(p, 6), 14);
  EQUALS(vm().resident, was.resident);
  EQUALS(vm().swapped, 0);
}

// In the whole system, too, each frame that was taken is given back.
static void
take_frames(uint64 n)
{
  char *p = map(n, 0);
  stamp_all(p, 1, n);
}

void
vmstat_frames_come_and_go(void)
{
  LIVES(take_frames, 300);
  mark();
  LIVES(take_frames, 300);
  const struct vmcounts *all = since_all();
  CHECK(all->frames_zeroed >= 300 && all->frames_allocated >= 300);
  CHECK(all->frames_freed >= 300);
  CHECK(all->frames_freed + 8 >=
        all->frames_allocated); // the kernel keeps some for the next process
}

void
vmctl_bad_arguments(void)
{
  FAILS(vmctl(0, 0), EINVAL);
  FAILS(vmctl(99, 0), EINVAL);
  FAILS(vmctl(-1, 0), EINVAL);
  FAILS(vmctl(VMCTL_SWAP, 2), EINVAL);
  FAILS(vmctl(VMCTL_POLICY, NVMPOLICY), EINVAL);
  FAILS(vmctl(VMCTL_POLICY, -1UL), EINVAL);
  FAILS(vmctl(VMCTL_HUGE, VMHUGE_ALWAYS + 1), EINVAL);
}

void
vmctl_sets_what_vmstat_says(void)
{
  for (int i = 0; i < NVMPOLICY; i++) {
    CHECK(vmctl(VMCTL_POLICY, i) == 0);
    EQUALS(vm().policy, i);
  }
  for (int i = VMHUGE_NEVER; i <= VMHUGE_ALWAYS; i++) {
    CHECK(vmctl(VMCTL_HUGE, i) == 0);
    EQUALS(vm().huge, i);
  }
}

// ---- how a child died ----

static void
illegal(uint64 unused)
{
  (void)unused;
  asm volatile(".word 0");
}

void
waitinfo_tells_how(void)
{
  struct waitinfo wi = fate(exit_with, 7);
  CHECK(wi.how == DIED_EXIT && wi.status == 7);
  int pid = spawn(loiter, 0);
  kill(pid);
  wi = ending(pid);
  CHECK(wi.how == DIED_KILL && wi.status == -1);
  wi = fate(illegal, 0);
  CHECK(wi.how == DIED_ILLEGAL && wi.status == -1);
  CHECK(wi.pc >= (uint64)illegal && wi.pc < (uint64)illegal + 64);
}

void
waitinfo_tells_the_address(void)
{
  static const uint64 at[] = { 0, 8, 0x1000000123, USERTOP, KERNBASE + RAMBASE };
  for (int i = 0; i < COUNT(at); i++) {
    FAULTS(peek, at[i], PROT_READ);
    FAULTS(touch, at[i], PROT_WRITE);
    FAULTS(jump, at[i] & ~1UL, PROT_EXEC);
  }
  struct waitinfo wi = fate(touch, 0);
  CHECK(wi.pc >= (uint64)touch && wi.pc < (uint64)touch + 64);
}

// A bad address costs no child.
void
waitinfo_bad_address(void)
{
  struct waitinfo wi;
  FAILS(waitinfo(&wi), ECHILD);
  int pid = spawn(exit_with, 3);
  FAILS(waitinfo((struct waitinfo *)KERNBASE), EFAULT);
  FAILS(waitinfo((struct waitinfo *)PGROUNDDOWN((uint64)illegal)), EFAULT);
  EQUALS(waitinfo(&wi), pid);
  EQUALS(wi.status, 3);
}

// ---- anything at all ----

// The calls of this interface with senseless arguments. Memory is taken away far from the program, so
// that it goes on, but for a length that reaches to the stack. Neither swap nor the kernel's own
// structures are to be changed.
#define FAR 6 // of the odd arguments, those that are far away as addresses

static void
throw_anything(uint64 seed)
{
  static const uint64 odd[] = { -1UL, 1UL << 63, KERNBASE + RAMBASE, MAXVA,      USERTOP, 1UL << 37,
                                0,    77,        0x7fffffff,         0x80000000, 5,       PGSIZE };
  for (uint64 i = 0; i < seed * 7; i++)
    rnd();
  map_at(DESERT, 64, 0);
  for (int i = 0; i < 2000; i++) {
    uint64 nr = SYS_mmap + rnd() % (SYS_waitinfo + 1 - SYS_mmap), arg[3];
    for (int k = 0; k < 3; k++)
      arg[k] = rnd() % 4 ? odd[rnd() % COUNT(odd)] : (uint64)buf + rnd() % BUFSZ;
    if (nr <= SYS_mincore)
      arg[0] = rnd() % 4 ? (uint64)DESERT + rnd() % 64 * (PGSIZE / 2) : odd[rnd() % FAR];
    if (nr != SYS_vmctl || arg[0] == VMCTL_POLICY || arg[0] == VMCTL_HUGE)
      raw(nr, arg[0], arg[1], arg[2], 0);
  }
}

void
vm_calls_with_any_arguments(void)
{
  for (int seed = 1; seed <= 20; seed++) {
    run(throw_anything, seed);
    EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  }
}

// ---- the kernel's own check ----

// Others take memory that nobody has had since the boot, of which the check has not heard yet.
void
check_while_others_take_memory(void)
{
  uint64 half = counts(0).free / 2;
  int pid = spawn(take_frames, half < 20000 ? half : 20000);
  for (int i = 0; i < 40; i++)
    CHECK(vmctl(VMCTL_CHECK, 0) == 0 || errno == EAGAIN);
  EQUALS(reap(pid), 0);
}

// While all kinds of memory are there, shared with a child.
void
check_finds_nothing_wrong(void)
{
  EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  some_faults(0);
  EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  int pid = post(some_faults, 0);
  EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  dismiss(pid);
  EQUALS(vmctl(VMCTL_CHECK, 0), 0);
}
