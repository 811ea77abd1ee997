// SPDX-License-Identifier: MIT
// How a program of tests runs them. Each runs in a child, so that what kills it kills only it, and
// in an empty directory. A clock runs beside it. When it has ended, its directory is emptied, the
// system is set as before (swap, policy, huge pages), and it must have as many processes, blocks,
// inodes and frames as before, and none of the kernel's invariants broken.
//
// 1. Blocks, inodes and processes are compared exactly.
// 2. Frames too, but the kernel may keep some for its next use: kernel stacks, and slabs that are
//    partly full. What it keeps it does not need again, so a test that left fewer frames is run
//    again; it fails when each of TRIES runs costs some. And an idle hart may still stand on the
//    page table of a process that has ended: with one hart not a single frame may be missing, with
//    n harts n - 1.
#include "harness.h"

#define TRIES 4

static const struct test *tests;
static int ntests;

// Removes everything in the current directory. Its entries vanish in place while it is read.
static void
scrub(void)
{
  struct dirent de[32];
  char name[DIRSIZ + 1];
  int n, fd = open(".", O_RDONLY);
  while ((n = read(fd, de, sizeof(de))) > 0) {
    for (int i = 0; i < n / (int)sizeof(de[0]); i++) {
      memmove(name, de[i].name, DIRSIZ);
      name[DIRSIZ] = 0;
      if (de[i].inum == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        continue;
      if (unlink(name) == 0 || chdir(name) < 0)
        continue;
      scrub();
      chdir("..");
      unlink(name);
    }
  }
  close(fd);
}

// In a child, so that the caller stays where it is.
static int
remove_scratch(void)
{
  int pid = fork();
  if (pid == 0) {
    if (chdir(SCRATCH) == 0)
      scrub();
    exit(0);
  }
  if (pid < 0 || wait(0) != pid)
    return -1;
  return unlink(SCRATCH);
}

// ---- processes that a test leaves behind ----

static struct procinfo before[NPROC + 8], now[NPROC + 8];
static int nbefore;

static void
remember_processes(void)
{
  nbefore = procs(before, COUNT(before));
}

static int
was_there(int pid)
{
  for (int i = 0; i < nbefore; i++)
    if (before[i].pid == pid)
      return 1;
  return pid == getpid();
}

// Kills what was started since remember_processes(), a few times over: it may be forking. How many
// do not go away.
static int
kill_strangers(void)
{
  int left = 0;
  for (int round = 0; round < 30; round++) {
    int n = procs(now, COUNT(now));
    left = 0;
    for (int i = 0; i < n; i++)
      if (!was_there(now[i].pid) && now[i].pid > 1) {
        kill(now[i].pid);
        left++;
      }
    if (left == 0)
      return 0;
    pause(1);
  }
  return left;
}

// Processes that ended a moment ago may still be on their way out: give them a second.
static uint64
settled_processes(uint64 wanted)
{
  struct sysinfo si;
  for (int i = 0; i < 10; i++) {
    if (sysinfo(&si, 0) < 0 || si.procs <= wanted)
      break;
    pause(1);
  }
  return si.procs;
}

// ---- what a test sets for the whole system ----

static struct vmstat settings;

static void
restore_settings(void)
{
  struct vmstat is;
  if (vmstat(&is) < 0)
    return;
  if (settings.slots == 0 && is.slots != 0)
    vmctl(VMCTL_SWAP, 0);
  vmctl(VMCTL_POLICY, settings.policy);
  vmctl(VMCTL_HUGE, settings.huge);
}

// ---- what there is ----

// What there is once nothing is on its way to the disk any more.
static int
measure(struct sysinfo *si)
{
  do
    if (sysinfo(si, SI_DROP) < 0)
      return -1;
  while (si->dirty > 0);
  return sysinfo(si, SI_DROP);
}

// Invariants of the kernel that do not hold; -1: that cannot be told.
static int
invariants(void)
{
  int n, tries = 0;
  while ((n = vmctl(VMCTL_CHECK, 0)) < 0 && errno == EAGAIN && ++tries < 20)
    ;
  return n;
}

// ---- one test ----

enum verdict { GOOD, BAD, LOSES_FRAMES };

static char reason[160];

static void
in_child(const struct test *t)
{
  if (chdir(SCRATCH) < 0) {
    complain(SCRATCH);
    exit(1);
  }
  t->run();
  CHECK(vmctl(VMCTL_CHECK, 0) <=
        0); // while what it has mapped is there; perhaps too much goes on, though
  exit(0);
}

static int
start_clock(int seconds)
{
  int pid = fork();
  if (pid == 0) {
    pause(seconds * TICKS_HZ);
    exit(0);
  }
  return pid;
}

// Runs the test against the clock; its wait status, or 2 when the clock won.
static int
against_clock(const struct test *t)
{
  int status, got, over = 0;
  int pid = fork();
  if (pid == 0)
    in_child(t);
  if (pid < 0)
    return 3;
  int clock = start_clock(t->slow ? 900 : 180);
  while ((got = wait(&status)) != pid && got > 0) {
    if (got == clock) {
      over = 1;
      kill_strangers();
    }
  }
  if (!over && clock > 0) {
    kill(clock);
    while (wait(0) != clock)
      ;
  }
  return over ? 2 : status;
}

static enum verdict
judge_counts(const struct sysinfo *was, const struct sysinfo *is)
{
  int64 frames = (int64)(was->free + was->cache) - (int64)(is->free + is->cache);
  int64 blocks = (int64)was->bfree - (int64)is->bfree;
  int64 inodes = (int64)was->ifree - (int64)is->ifree;
  int64 extra = (int64)is->procs - (int64)was->procs;
  if (blocks || inodes || extra) {
    snprintf(reason, sizeof(reason), "lost %ld blocks and %ld inodes, left %ld processes", blocks,
             inodes, extra);
    return BAD;
  }
  snprintf(reason, sizeof(reason), "every run loses frames; the last one lost %ld", frames);
  return frames >= (int64)is->harts ? LOSES_FRAMES : GOOD;
}

static enum verdict
judge_status(int status)
{
  if (status == 0)
    return GOOD;
  if (status == 1)
    snprintf(reason, sizeof(reason), "see above");
  else if (status == 2)
    snprintf(reason, sizeof(reason), "it did not end");
  else if (status == 3)
    snprintf(reason, sizeof(reason), "cannot fork: %s", strerror(errno));
  else if (status == KILLED)
    snprintf(reason, sizeof(reason), "it was killed");
  else
    snprintf(reason, sizeof(reason), "exit status %d", status);
  return BAD;
}

static enum verdict
try(const struct test *t)
{
  struct sysinfo was, is;
  remember_processes();
  vmstat(&settings);
  if (measure(&was) < 0 || mkdir(SCRATCH) < 0) {
    snprintf(reason, sizeof(reason), "cannot make %s: %s", SCRATCH, strerror(errno));
    return BAD;
  }
  enum verdict v = judge_status(against_clock(t));
  settled_processes(was.procs);
  int left = kill_strangers();
  restore_settings();
  if (remove_scratch() < 0 && v == GOOD) {
    snprintf(reason, sizeof(reason), "cannot remove %s: %s", SCRATCH, strerror(errno));
    v = BAD;
  }
  if (left && v == GOOD) {
    snprintf(reason, sizeof(reason), "%d processes cannot be killed", left);
    v = BAD;
  }
  int broken = invariants();
  if (broken != 0 && v == GOOD) {
    snprintf(reason, sizeof(reason), "%d invariants of the kernel are broken", broken);
    v = BAD;
  }
  if (v != GOOD || measure(&is) < 0)
    return v;
  return judge_counts(&was, &is);
}

// Says how the test went, in one line: the kernel's own sentences may stand between the name at the
// start and this. Returns 1 if it failed.
static int
run_test(const struct test *t)
{
  char line[300];
  uint64 start = micros();
  int tries = 0;
  enum verdict v;
  snprintf(line, sizeof(line), "test %s: ...", t->name);
  write(1, line, strlen(line));
  do
    v = try(t);
  while (v == LOSES_FRAMES && ++tries < TRIES);
  uint64 took = (micros() - start) / 10000;
  if (v == GOOD)
    snprintf(line, sizeof(line), "\rtest %s: OK (%lu.%02lu s)\n", t->name, took / 100, took % 100);
  else
    snprintf(line, sizeof(line), "\rtest %s: FAILED: %s\n", t->name, reason);
  write(1, line, strlen(line));
  return v != GOOD;
}

// The kernel keeps the stacks of processes that have ended, and some room for its own tables: have
// it get these now, so that the first tests need not be run twice for it.
static void
warm_up(void)
{
  int pid[40], n = 0;
  while (n < COUNT(pid) && (pid[n] = fork()) > 0)
    n++;
  if (n < COUNT(pid) && pid[n] == 0)
    for (;;)
      pause(100);
  for (int i = 0; i < n; i++)
    kill(pid[i]);
  while (wait(0) > 0)
    ;
}

// ---- which tests ----

static const struct test *
find_test(const char *name)
{
  for (int i = 0; i < ntests; i++)
    if (strcmp(tests[i].name, name) == 0)
      return &tests[i];
  return 0;
}

static int
list_tests(void)
{
  for (int i = 0; i < ntests; i++)
    printf("%s  %s  %s\n", tests[i].slow ? "slow " : "quick", tests[i].name, tests[i].about);
  return 0;
}

static int
run_class(int slow_too)
{
  int failed = 0;
  for (int i = 0; i < ntests; i++)
    if (slow_too || !tests[i].slow)
      failed += run_test(&tests[i]);
  return failed;
}

// All names are looked up before the first test runs. -1: a name is unknown.
static int
run_named(int n, char **names)
{
  int failed = 0;
  for (int i = 0; i < n; i++)
    if (find_test(names[i]) == 0) {
      fprintf(2, "%s: no test is called %s; -l lists them all\n", progname, names[i]);
      return -1;
    }
  for (int i = 0; i < n; i++)
    failed += run_test(find_test(names[i]));
  return failed;
}

static int
report(int failed, int start)
{
  int took = uptime() - start;
  if (failed)
    printf("%d failed, %d.%d s\nSOME TESTS FAILED\n", failed, took / 10, took % 10);
  else
    printf("%d.%d s\nALL TESTS PASSED\n", took / 10, took % 10);
  return failed != 0;
}

// The program: its arguments choose among its n tests. Its exit status.
int
harness(int argc, char **argv, const struct test *all, int n)
{
  tests = all;
  ntests = n;
  if (argc == 2 && strcmp(argv[1], "-l") == 0)
    return list_tests();
  int start = uptime(), failed;
  remove_scratch(); // of a run that was interrupted
  warm_up();
  if (argc == 1)
    failed = run_class(1);
  else if (argc == 2 && strcmp(argv[1], "-q") == 0)
    failed = run_class(0);
  else
    failed = run_named(argc - 1, argv + 1);
  return failed < 0 ? 1 : report(failed, start);
}
