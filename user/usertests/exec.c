// SPDX-License-Identifier: MIT
// exec: arguments, what a new program finds, and what is no program.
#include "test.h"

// Makes "@args", "arg 1", ... of n arguments.
static char **
numbered(int n)
{
  static char text[MAXARG + 8][16];
  static char *argv[MAXARG + 9];
  for (int i = 0; i < n; i++) {
    snprintf(text[i], sizeof(text[i]), "arg %d", i);
    argv[i] = i ? text[i] : "@args";
  }
  argv[n] = 0;
  return argv;
}

void
exec_passes_arguments(void)
{
  CHECK(rerun(numbered(1)) == 1);
  CHECK(rerun(numbered(5)) == 5);
  CHECK(rerun(numbered(MAXARG - 1)) == MAXARG - 1);
  CHECK(rerun(numbered(MAXARG)) == MAXARG);
}

void
exec_too_many_arguments(void)
{
  FAILS(exec(SELF, numbered(MAXARG + 1)), E2BIG);
  FAILS(exec(SELF, numbered(MAXARG + 5)), E2BIG);
}

void
exec_long_arguments(void)
{
  static char text[MAXARG][101];
  char *argv[MAXARG + 1];
  argv[0] = "@long";
  for (int i = 1; i < MAXARG; i++) {
    memset(text[i], 'a' + i % 26, 100);
    argv[i] = text[i];
  }
  argv[MAXARG] = 0;
  CHECK(rerun(argv) == MAXARG - 1);
}

// One argument of ever more bytes arrives whole, or exec says that it is too long.
void
exec_ever_longer_argument(void)
{
  char digits[16];
  for (int n = 1000; n < 3 << 20; n = n * 2 + 1) {
    char *text = sbrk(n + 1);
    CHECK(text != SBRK_ERROR);
    memset(text, 'z', n);
    snprintf(digits, sizeof(digits), "%d", n);
    char *argv[] = { "@total", digits, text, 0 };
    int pid = fork();
    if (pid == 0) {
      FAILS(exec(SELF, argv), E2BIG);
      exit(n > 3900);
    }
    CHECK(reap(pid) == 1); // from the helper, or after E2BIG
    CHECK(sbrk(-(n + 1)) != SBRK_ERROR);
  }
}

void
exec_starts_with_fresh_data(void)
{
  char *argv[] = { "@data", 0 };
  memset(buf, 1, BUFSZ);
  CHECK(rerun(argv) == 0);
  CHECK(rerun(argv) == 0);
}

static void
data_helper(uint64 unused)
{
  char *argv[] = { "@data", 0 };
  (void)unused;
  CHECK(rerun(argv) == 0);
}

// Several at once: each has data of its own.
void
exec_data_is_private(void)
{
  crowd(6, data_helper);
}

void
main_may_return(void)
{
  char *argv[] = { "@return", "3", 0 };
  CHECK(rerun(argv) == 3);
  argv[1] = "0";
  CHECK(rerun(argv) == 0);
  argv[1] = "1000";
  CHECK(rerun(argv) == 1000);
}

void
exec_keeps_descriptors(void)
{
  char digit[2] = "0", *argv[] = { "@inherit", digit, 0 };
  make("f", 4, 100);
  make("here", 1, 1);
  int fd = open("f", O_RDONLY), fds = open_fds();
  CHECK(fd > 0 && fd < 10);
  digit[0] += fd;
  CHECK(lseek(fd, 10, SEEK_SET) == 10);
  CHECK(rerun(argv) == fds);
  CHECK(lseek(fd, 0, SEEK_CUR) == 100);
}

void
exec_of_what_is_no_program(void)
{
  char *argv[] = { "x", 0 };
  make("text", 1, 3000);
  make("empty", 1, 0);
  make("short", 1, 40);
  CHECK(mkdir("dir") == 0 && mknod("dev", CONSOLE, 0) == 0);
  FAILS(exec("text", argv), ENOEXEC);
  FAILS(exec("empty", argv), ENOEXEC);
  FAILS(exec("short", argv), ENOEXEC);
  FAILS(exec("dir", argv), EACCES);
  FAILS(exec("/", argv), EACCES);
  FAILS(exec("dev", argv), EACCES);
  FAILS(exec("missing", argv), ENOENT);
  FAILS(exec("missing/x", argv), ENOENT);
  FAILS(exec("text/x", argv), ENOTDIR);
  FAILS(exec("", argv), ENOENT);
  memset(buf, 'a', 200);
  FAILS(exec(buf, argv), ENAMETOOLONG);
  memset(buf, '/', 200);
  FAILS(exec(buf, argv), ENAMETOOLONG);
}

// A failed exec leaves everything as it was.
void
exec_that_fails_changes_nothing(void)
{
  char *argv[] = { "x", 0 };
  char *p = sbrk(10 * PGSIZE), *brk = sbrk(0);
  fill(p, 10 * PGSIZE, 3, 0);
  int fds = open_fds();
  for (int i = 0; i < 50; i++) {
    FAILS(exec("missing", argv), ENOENT);
    FAILS(exec("/README.md/x", argv), ENOENT);
    FAILS(exec(SELF, (char **)USERTOP), EFAULT);
  }
  CHECK(same(p, 10 * PGSIZE, 3, 0) && sbrk(0) == brk && open_fds() == fds);
}

// A program on its way through exec again and again: nothing of the old memory stays.
void
exec_frees_the_old_memory(void)
{
  char *argv[] = { "@return", "0", 0 };
  uint64 was = spare_frames();
  for (int i = 0; i < 40; i++) {
    int pid = fork();
    if (pid == 0) {
      memset(sbrk(100 * PGSIZE), 1, 100 * PGSIZE);
      exec(SELF, argv);
      exit(1);
    }
    CHECK(reap(pid) == 0);
  }
  CHECK(spare_frames() + 500 > was);
}

// The same file many times at once, with the cache dropped underneath.
static void
numbered_run(uint64 n)
{
  for (int i = 0; i < 5; i++) {
    CHECK(rerun(numbered((int)n + 1)) == (int)n + 1);
    if (n == 0)
      counts(SI_DROP);
  }
}

void
exec_by_several(void)
{
  crowd(4, numbered_run);
}
