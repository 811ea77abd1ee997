// SPDX-License-Identifier: MIT
// scenes NAME: sets up some memory, and says after each step what its pages are. tools/vmpicture
// boots this and draws what it says, for docs/vm.
//
//   stage TEXT                                     what has just happened
//   page WHO N RANGE PROT FLAGS FRAME KIND REFS LEVEL
//                                                  page N of WHO; RANGE: where its range starts, 0:
//                                                  none; PROT of the range, FLAGS of the entry,
//                                                  which is at LEVEL. In swap: FRAME is the slot
//   pin WHO FRAME                                  WHO has a reference and no page
#include "user/harness/probe.c" // such programs are linked with the library alone
#include "kernel/fcntl.h"
#include "kernel/param.h"

#define PAGES 4
#define STAND "@stand" // argv[0] of this program when it is only to be looked at

static const char *const kinds[] = {
  "reserved", "free", "kernel", "table", "anon", "cache", "zero"
};

static char said[16384]; // not printed before the end: that would take time between the steps
static uint used;

static void
stage(const char *text)
{
  used += snprintf(said + used, sizeof(said) - used, "stage %s\n", text);
}

static uint64
range_of(int pid, uint64 va)
{
  static struct vmainfo list[32];
  int n = vmas(pid, list, 32);
  must(n, "vmas");
  for (int i = 0; i < n && i < 32; i++)
    if (list[i].start <= va && va < list[i].end)
      return list[i].start;
  return 0;
}

static void
tell_page(const char *who, int n, uint64 range, const struct pageinfo *pi)
{
  int out = pi->flags & PI_SWAP;
  used += snprintf(said + used, sizeof(said) - used, "page %s %d 0x%lx %d 0x%x 0x%lx %s %u %d\n",
                   who, n, range, pi->prot, pi->flags, out ? pi->slot : pi->frame,
                   out ? "slot" : kinds[pi->kind], pi->refs, pi->level);
}

// The first n pages from p on; of another process, or with pid 0 of this one.
static void
tell(const char *who, int pid, const void *p, int n)
{
  for (int i = 0; i < n; i++) {
    struct pageinfo pi = page_of(pid, nth(p, i));
    tell_page(who, i, range_of(pid, pi.va), &pi);
  }
}

static int ready[2];

static void
stay(int fd)
{
  write(fd, "x", 1);
  for (;;)
    pause(1000);
}

// A child that does its work and then stands still, until it is killed.
static int
stand(void (*work)(void))
{
  int pid;
  char c;
  must(pipe(ready), "pipe");
  must(pid = fork(), "fork");
  if (pid == 0) {
    work();
    stay(ready[1]);
  }
  close(ready[1]);
  if (read(ready[0], &c, 1) != 1)
    exit(1);
  close(ready[0]);
  return pid;
}

static void
dismiss(int pid)
{
  must(kill(pid), "kill");
  wait(0);
}

static void
nothing(void)
{
}

static char *area;

// ---- the scenes ----

static void
touch_three(void)
{
  char *at[] = { DESERT, DESERT + PGSIZE, DESERT + 100 * GIB };
  for (int i = 0; i < 3; i++)
    *map_at(at[i], 1, 0) = 1;
}

static void
scene_tables(void)
{
  char number[8], *argv[] = { "ptdump", number, 0 };
  int pid = stand(touch_three);
  snprintf(number, sizeof(number), "%d", pid);
  if (fork() == 0) {
    exec("/ptdump", argv);
    must(-1, "/ptdump");
  }
  wait(0);
  dismiss(pid);
}

static void
scene_lazy(void)
{
  area = map(GIB / PGSIZE, 0);
  stage("1 GiB asked for; these are its first pages");
  tell("program", 0, area, PAGES);
  (void)*(volatile char *)nth(area, 1);
  (void)*(volatile char *)nth(area, 2);
  stage("pages 1 and 2 read");
  tell("program", 0, area, PAGES);
  *nth(area, 2) = *nth(area, 3) = 1;
  stage("pages 2 and 3 written");
  tell("program", 0, area, PAGES);
}

static void
push_at(char *sp)
{
  asm volatile("mv t0, sp\n mv sp, %0\n sd zero, 0(sp)\n mv sp, t0" : : "r"(sp) : "t0", "memory");
}

static void
scene_stack(void)
{
  char here, *low = (char *)PGROUNDDOWN((uint64)&here) - 100 * PGSIZE;
  push_at(nth(low, 4));
  stage("the stack ends with page 4");
  tell("program", 0, low, 5);
  push_at(nth(low, 3));
  stage("a push on page 3, below its end");
  tell("program", 0, low, 5);
  push_at(nth(low, 1));
  stage("a push on page 1: page 2 is skipped");
  tell("program", 0, low, 5);
}

static void
write_one(void)
{
  *nth(area, 1) = 2;
}

static void
scene_cow(void)
{
  area = map(3, 0);
  memset(area, 1, 3 * PGSIZE);
  stage("before fork");
  tell("parent", 0, area, 3);
  int pid = stand(nothing);
  stage("after fork");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  dismiss(pid);
  pid = stand(write_one);
  stage("the child has written page 1");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  dismiss(pid);
  memset(area, 3, 2 * PGSIZE);
  stage("the child has ended, the parent has written pages 0 and 1");
  tell("parent", 0, area, 3);
}

// This program once more, which then stands still.
static void
run_again(void)
{
  char *argv[] = { STAND, 0 };
  close(1);
  dup(ready[1]);
  exec("/scenes", argv);
  must(-1, "/scenes");
}

static void
scene_files(void)
{
  char *text = (char *)PGROUNDDOWN((uint64)stay);
  warm();
  int pid = stand(run_again);
  stage("two processes run one program: a page of text");
  tell("one", 0, text, 1);
  tell("other", pid, text, 1);
  dismiss(pid);

  int fd = open("scene.tmp", O_CREATE | O_RDWR | O_TRUNC);
  must(fd, "scene.tmp");
  must(ftruncate(fd, 2 * PGSIZE), "scene.tmp");
  for (int i = 0; i < 2; i++)
    must(write(fd, "a page of a file", 16) == 16 && lseek(fd, PGSIZE, SEEK_SET) >= 0 ? 0 : -1,
         "write");
  must(fsync(fd), "fsync");
  char *all = map_file(fd, 0, 2, RW, MAP_SHARED), *mine = map_file(fd, 0, 2, RW, MAP_PRIVATE);
  for (int i = 0; i < 2; i++)
    (void)(*(volatile char *)nth(all, i) + *(volatile char *)nth(mine, i));
  stage("a file mapped twice, and read");
  tell("MAP_SHARED", 0, all, 2);
  tell("MAP_PRIVATE", 0, mine, 2);
  *all = 1;
  stage("a store to page 0 through MAP_SHARED");
  tell("MAP_SHARED", 0, all, 2);
  tell("MAP_PRIVATE", 0, mine, 2);
  *mine = 2;
  stage("a store to page 0 through MAP_PRIVATE");
  tell("MAP_SHARED", 0, all, 2);
  tell("MAP_PRIVATE", 0, mine, 2);
  must(msync(all, 2 * PGSIZE, MS_SYNC), "msync");
  stage("msync: written back, and clean again");
  tell("MAP_SHARED", 0, all, 2);
  tell("MAP_PRIVATE", 0, mine, 2);
  unlink("scene.tmp");
}

static void
scene_mmap(void)
{
  area = map_at(DESERT, 8, 0);
  memset(area, 1, 8 * PGSIZE);
  stage("8 pages mapped and written: one range");
  tell("program", 0, area, 8);
  unmap(nth(area, 3), 2);
  stage("munmap of pages 3 and 4: two ranges");
  tell("program", 0, area, 8);
  must(mprotect(nth(area, 1), PGSIZE, PROT_READ), "mprotect");
  must(mprotect(nth(area, 6), 2 * PGSIZE, PROT_NONE), "mprotect");
  stage("mprotect of page 1 to r--, of pages 6 and 7 to nothing: five ranges");
  tell("program", 0, area, 8);
}

static void
scene_shm(void)
{
  area = map(3, MAP_SHARED);
  *area = 1;
  int pid = stand(nothing);
  stage("the parent has written page 0, and forked");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  dismiss(pid);
  pid = stand(write_one);
  (void)*(volatile char *)nth(area, 1);
  stage("the child has written page 1, and the parent has read it");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  dismiss(pid);
}

// A page of a process that waits in wait() for the number that goes there.
static void
scene_uaccess(void)
{
  int ends[2], pid;
  area = map(2, 0);
  stage("a buffer that nobody has touched");
  tell("program", 0, area, 2);
  must(pipe(ends), "pipe");
  must(pid = fork(), "fork");
  if (pid == 0) {
    char c;
    if (fork() == 0) {
      read(ends[0], &c, 1);
      exit(0);
    }
    wait((int *)area);
    for (;;)
      pause(1000);
  }
  while (page_of(pid, area).frame == 0)
    pause(1);
  stage("wait(page 0) waits for the end of a child");
  tell("program", pid, area, 2);
  if (page_of(pid, area).refs == 2)
    used +=
        snprintf(said + used, sizeof(said) - used, "pin wait() 0x%lx\n", page_of(pid, area).frame);
  write(ends[1], "x", 1);
  while (page_of(pid, area).refs == 2)
    pause(1);
  stage("it has returned");
  tell("program", pid, area, 2);
  dismiss(pid);
}

// The first pages of 2 MiB, and the last.
static void
tell_block(const char *who, int pid)
{
  static const int pages[] = { 0, 1, 2, HUGEPTES - 1 };
  for (int i = 0; i < 4; i++) {
    struct pageinfo pi = page_of(pid, nth(area, pages[i]));
    tell_page(who, pages[i], (uint64)area, &pi);
  }
}

static void
scene_huge(void)
{
  area = map_at(DESERT, HUGEPTES, 0);
  must(madvise(area, HUGESIZE, MADV_HUGEPAGE), "madvise");
  *area = 1;
  stage("2 MiB with MADV_HUGEPAGE: one byte written, one leaf of level 1");
  tell_block("program", 0);
  int pid = stand(nothing);
  stage("after fork: two leaves, one block");
  tell_block("parent", 0);
  tell_block("child", pid);
  dismiss(pid);
  pid = stand(write_one);
  stage("the child has written page 1: its leaf is cut, the parent's is not");
  tell_block("parent", 0);
  tell_block("child", pid);
  dismiss(pid);
  must(mprotect(nth(area, 1), PGSIZE, PROT_READ), "mprotect");
  stage("the child has ended, and page 1 is made r--");
  tell_block("parent", 0);
}

static int go[2];

// Does not end: what it has written is looked at.
static void
write_when_told(void)
{
  char c;
  write(ready[1], "x", 1);
  read(go[0], &c, 1);
  write_one();
  for (;;)
    pause(1000);
}

static void
scene_swap(void)
{
  area = map(3, 0);
  memset(area, 1, 3 * PGSIZE);
  must(vmctl(VMCTL_SWAP, 1), "swap");
  must(pipe(go), "pipe");
  int pid = stand(write_when_told);
  stage("after fork");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  must(madvise(area, 3 * PGSIZE, MADV_PAGEOUT), "madvise");
  stage("MADV_PAGEOUT by the parent: three slots, named by both");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  (void)*(volatile char *)area;
  stage("the parent has read page 0: shared again, and no slot");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  write(go[1], "x", 1);
  while (page_of(pid, nth(area, 1)).frame == 0)
    pause(1);
  stage("the child has written page 1: the slot is the parent's alone");
  tell("parent", 0, area, 3);
  tell("child", pid, area, 3);
  dismiss(pid);
}

#define QUEUED 5

// How many pages of the area are in swap.
static int
out(void)
{
  int n = 0;
  for (int i = 0; i < QUEUED; i++)
    n += (page_of(0, nth(area, i)).flags & PI_SWAP) != 0;
  return n;
}

// Evict until n more of them are, whoever else goes.
static void
evict(int n)
{
  for (n += out(); out() < n;)
    must(vmctl(VMCTL_RECLAIM, 1), "reclaim");
}

static struct pageinfo seen[4][2][QUEUED]; // by step and policy

static void
note(int step, int who)
{
  for (int i = 0; i < QUEUED; i++)
    seen[step][who][i] = page_of(0, nth(area, i));
}

static void
play_trace(int who, int policy)
{
  area = map(QUEUED, 0);
  must(vmctl(VMCTL_POLICY, VMPOLICY_FIFO), "policy");
  must(vmctl(VMCTL_RECLAIM, 10000), "reclaim"); // who sleeps does not come back
  must(vmctl(VMCTL_POLICY, policy), "policy");
  for (int i = 0; i < QUEUED; i++)
    *nth(area, i) = 1;
  note(0, who);
  evict(1);
  note(1, who);
  (void)(*(volatile char *)nth(area, 1) + *(volatile char *)nth(area, 3));
  note(2, who);
  evict(2);
  note(3, who);
}

static void
scene_reclaim(void)
{
  static const char *const steps[] = { "5 pages written, from page 0 on", "one page has to go",
                                       "pages 1 and 3 read",
                                       "two more have to go: fifo takes 1, which is in use" };
  must(vmctl(VMCTL_SWAP, 1), "swap");
  play_trace(0, VMPOLICY_FIFO);
  play_trace(1, VMPOLICY_CLOCK);
  for (int step = 0; step < 4; step++) {
    stage(steps[step]);
    for (int who = 0; who < 2; who++)
      for (int i = 0; i < QUEUED; i++)
        tell_page(who ? "clock" : "fifo", i, (uint64)area, &seen[step][who][i]);
  }
}

static volatile int wish; // of the leader: what its thread does, which then sets it to 0

enum { TELL = 1, WRITE };

static void
serve(void *unused)
{
  (void)unused;
  for (;; wish = 0) {
    while (wish == 0)
      pause(1);
    if (wish == TELL)
      tell("thread", 0, area, 2);
    else
      write_one();
  }
}

static void
have_thread(int what)
{
  wish = what;
  while (wish != 0)
    pause(1);
}

static void
scene_threads(void)
{
  static char stack[4 * PGSIZE] __attribute__((aligned(16)));
  area = map(2, 0);
  memset(area, 1, 2 * PGSIZE);
  must(clone(serve, 0, stack + sizeof(stack)), "clone");
  stage("clone: the thread has the same table, so nothing counts for it");
  tell("leader", 0, area, 2);
  have_thread(TELL);
  int pid = stand(nothing);
  stage("fork: the child has a table of its own");
  have_thread(TELL);
  tell("child", pid, area, 2);
  have_thread(WRITE);
  stage("the thread has written page 1");
  have_thread(TELL);
  tell("child", pid, area, 2);
  stage("its copy is the leader's as well");
  tell("leader", 0, area, 2);
  have_thread(TELL);
  dismiss(pid);
}

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
  { "tables", scene_tables }, { "lazy", scene_lazy },       { "stack", scene_stack },
  { "cow", scene_cow },       { "files", scene_files },     { "mmap", scene_mmap },
  { "shm", scene_shm },       { "uaccess", scene_uaccess }, { "huge", scene_huge },
  { "swap", scene_swap },     { "reclaim", scene_reclaim }, { "threads", scene_threads },
};

int
main(int argc, char **argv)
{
  if (strcmp(argv[0], STAND) == 0)
    stay(1);
  for (uint i = 0; argc == 2 && i < sizeof(scenes) / sizeof(scenes[0]); i++)
    if (strcmp(scenes[i].name, argv[1]) == 0) {
      scenes[i].play();
      printf("%s", said);
      return 0;
    }
  fprintf(2, "usage: scenes NAME\n");
  return 1;
}
