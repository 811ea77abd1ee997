// SPDX-License-Identifier: MIT
// What this program does when a test runs it again, under a name that begins with @. Scripts run
// some of them, too: by ln vmtests @msync; @msync
#include "test.h"

#define BSS_PAGES 64

// Not static, or a compiler could leave out stores that nobody reads.
char bss[BSS_PAGES * PGSIZE] __attribute__((aligned(PGSIZE)));

static int report_to; // descriptor, for @sleep

// How many page-table pages a program starts with.
static int
h_tables(void)
{
  return (int)vm().tables;
}

static int
h_nothing(void)
{
  return 0;
}

static int
h_bss(void)
{
  mark();
  since();
  mark();
  for (int i = 0; i < BSS_PAGES; i++)
    *nth(bss, i) = 1;
  uint64 faults = since()->faults, filled = since()->zero_fill;
  EQUALS(faults, BSS_PAGES);
  EQUALS(filled, BSS_PAGES);
  return 0;
}

static int
h_counts(void)
{
  CHECK(vm().self.faults < 100);
  return 0;
}

// Less than half of this program's text has come in.
static int
h_resident(void)
{
  static struct vmainfo list[32];
  int n = vmas(0, list, COUNT(list));
  for (int i = 0; i < n; i++)
    if (list[i].prot & PROT_EXEC) {
      CHECK(list[i].resident > 0);
      CHECK(list[i].resident < (list[i].end - list[i].start) / PGSIZE / 2);
    }
  return 0;
}

// Says on the descriptor that it is there, and stays.
static int
h_sleep(void)
{
  put(report_to, "x", 1);
  loiter(0);
  return 0;
}

// Stores through a mapping, waits until it is on the disk, and says so: then the plug is pulled.
static int
h_msync(void)
{
  make("synced", 0, 3 * PGSIZE);
  int fd = open("synced", O_RDWR);
  char *p = map_file(fd, 0, 3, RW, MAP_SHARED);
  memmove(p + PGSIZE, "\nthrough the mapping\n", 21);
  CHECK(msync(p, 3 * PGSIZE, MS_SYNC) == 0);
  memmove(p + PGSIZE + 100, "after", 5); // may be there or not
  printf("synced\n");
  loiter(0);
  return 0;
}

// Stores through a mapping and switches the machine off at once.
static int
h_off(void)
{
  make("stored", 0, 3 * PGSIZE);
  int fd = open("stored", O_RDWR);
  char *p = map_file(fd, 0, 3, RW, MAP_SHARED);
  p[PGSIZE] = 1;
  CHECK(fsync(create("other")) == 0); // what follows is in no transaction yet
  memmove(p + PGSIZE, "\nthrough the mapping\n", 21);
  return poweroff(0);
}

// Breaks each invariant that a debug build can break; how many there are. Some are about swap.
static int
h_breaks(void)
{
  int n = 0;
  swap_on();
  char *p = map(1, 0);
  *p = 1;
  page_out(p, 1);
  while (vmctl(VMCTL_CHECK, n + 1) > 0) {
    printf("that was invariant %d\n", ++n);
    EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  }
  printf("%d invariants broken and caught; then: %s\n", n, strerror(errno));
  swap_off();
  return 0;
}

// Uses more and more memory, until it is ended for it.
static int
h_hog(void)
{
  for (;;) {
    char *p = mmap(0, MIB, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (p != MAP_FAILED)
      stamp_all(p, 1, MIB / PGSIZE);
  }
  return 0;
}

// Whether the allocation that was to fail in exec is still to come.
static int
h_fired(void)
{
  return vmctl(VMCTL_FAIL, 0) > 0 ? NEVER : 0;
}

static const struct {
  const char *name;
  int (*main)(void);
} helpers[] = {
  { "@nothing", h_nothing }, { "@tables", h_tables },     { "@bss", h_bss },
  { "@counts", h_counts },   { "@resident", h_resident }, { "@sleep", h_sleep },
  { "@msync", h_msync },     { "@breaks", h_breaks },     { "@hog", h_hog },
  { "@fired", h_fired },     { "@off", h_off },
};

int
helper(int argc, char **argv)
{
  if (argc > 1)
    report_to = atoi(argv[1]);
  for (int i = 0; i < COUNT(helpers); i++)
    if (strcmp(argv[0], helpers[i].name) == 0)
      return helpers[i].main();
  return 111;
}

// Runs this program as that helper; its status.
int
rerun(const char *name)
{
  char *argv[] = { (char *)name, 0 };
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    exec(SELF, argv);
    broken(__FILE__, __LINE__, "exec of " SELF);
  }
  return reap(pid);
}

static void
sleep_again(uint64 fd)
{
  char number[4];
  char *argv[] = { "@sleep", number, 0 };
  snprintf(number, sizeof(number), "%d", (int)fd);
  exec(SELF, argv);
  broken(__FILE__, __LINE__, "exec of " SELF);
}

// Starts this program once more, which then does nothing; returns when it is there.
int
start_again(void)
{
  int ready[2];
  char c;
  CHECK(pipe(ready) == 0);
  int pid = spawn(sleep_again, ready[1]);
  close(ready[1]);
  get(ready[0], &c, 1);
  close(ready[0]);
  return pid;
}
