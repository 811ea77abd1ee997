// SPDX-License-Identifier: MIT
// What this program does when a test runs it again, under a name that begins with @: it looks at
// what exec has given it.
#include "test.h"

#define INITIAL 0x1234567

static int initialised = INITIAL;
static int untouched[20000];

// Each argument tells its number; the end is a null; the stack is aligned. Exits with argc.
static int
h_args(int argc, char **argv)
{
  char want[16];
  uint64 sp;
  asm volatile("mv %0, sp" : "=r"(sp));
  CHECK(sp % 16 == 0);
  CHECK(argv[argc] == 0);
  for (int i = 1; i < argc; i++) {
    snprintf(want, sizeof(want), "arg %d", i);
    CHECK(strcmp(argv[i], want) == 0);
  }
  return argc;
}

// Data as the file has it, zeros where the file has none.
static int
h_data(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  CHECK(initialised == INITIAL);
  for (int i = 0; i < COUNT(untouched); i++)
    CHECK(untouched[i] == 0);
  CHECK(zeros(buf, BUFSZ));
  initialised = getpid();
  untouched[19999] = getpid();
  return 0;
}

// Comes to the end of main.
static int
h_return(int argc, char **argv)
{
  return argc > 1 ? atoi(argv[1]) : 0;
}

// Descriptors and the current directory are those of before.
static int
h_inherit(int argc, char **argv)
{
  CHECK(argc == 2);
  get(atoi(argv[1]), buf, 90);
  CHECK(same(buf, 90, 4, 10));
  CHECK(exists("here"));
  return open_fds();
}

// Exits with how many arguments are 100 times the same letter.
static int
h_long(int argc, char **argv)
{
  int good = 0;
  for (int i = 1; i < argc; i++) {
    uint n = 0;
    while (argv[i][n] == 'a' + i % 26)
      n++;
    good += n == 100 && argv[i][n] == 0;
  }
  return good;
}

// All arguments together are as long as the first one says.
static int
h_total(int argc, char **argv)
{
  uint n = 0;
  for (int i = 2; i < argc; i++)
    n += strlen(argv[i]);
  return n == (uint)atoi(argv[1]);
}

static int
h_sleep(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  loiter(0);
  return 0;
}

// Exits with 3 if this is still process argv[1], and its only thread.
static int
h_same(int argc, char **argv)
{
  CHECK(argc == 2 && getpid() == atoi(argv[1]) && gettid() == getpid());
  FAILS(wait(0), ECHILD);
  return 3;
}

// Exits with the status of the child that the program before has made.
static int
h_waits(int argc, char **argv)
{
  int status;
  (void)argc;
  (void)argv;
  CHECK(wait(&status) > 0);
  return status;
}

static const struct {
  const char *name;
  int (*main)(int, char **);
} helpers[] = {
  { "@args", h_args },
  { "@data", h_data },
  { "@return", h_return },
  { "@inherit", h_inherit },
  { "@long", h_long },
  { "@total", h_total },
  { "@sleep", h_sleep },
  { "@same", h_same },
  { "@waits", h_waits },
  { "@readonly", on_readonly_disk },
  { "@failing", on_failing_disk },
};

int
helper(int argc, char **argv)
{
  for (int i = 0; i < COUNT(helpers); i++)
    if (strcmp(argv[0], helpers[i].name) == 0)
      return helpers[i].main(argc, argv);
  return 111;
}

// Runs this program as the helper argv[0]; its status.
int
rerun(char **argv)
{
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    exec(SELF, argv);
    broken(__FILE__, __LINE__, "exec of " SELF);
  }
  return reap(pid);
}
