// SPDX-License-Identifier: MIT
// The file of a program that runs: it cannot be changed, but it can lose its name.
#include "test.h"

// Starts the sleeping program; returns when it sleeps.
static int
start_sleeper(const char *name)
{
  char *argv[] = { "sleeper", 0 };
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    exec(name, argv);
    broken(__FILE__, __LINE__, "exec of a small program");
  }
  await_program(pid, name);
  return pid;
}

static void
stop(int pid)
{
  CHECK(kill(pid) == 0);
  CHECK(reap(pid) == KILLED);
}

// Opens the program for writing, or not: then nothing can be written through that descriptor.
static void
cannot_write(const char *name, int mode)
{
  int fd = open(name, mode);
  if (fd < 0) {
    CHECK(errno == ETXTBSY);
    return;
  }
  FAILS(write(fd, "x", 1), ETXTBSY);
  FAILS(ftruncate(fd, 0), ETXTBSY);
  CHECK(lseek(fd, 0, SEEK_END) == IMAGE_SIZE);
  FAILS(write(fd, "x", 1), ETXTBSY);
  close(fd);
}

// The file of a running program cannot be changed, in whatever way.
void
running_program_cannot_be_written(void)
{
  image_sleeper("prog");
  int pid = start_sleeper("prog");
  cannot_write("prog", O_WRONLY);
  cannot_write("prog", O_RDWR);
  cannot_write("prog", O_RDWR | O_CREATE);
  FAILS(open("prog", O_WRONLY | O_TRUNC), ETXTBSY);
  FAILS(open("prog", O_RDONLY | O_TRUNC), ETXTBSY);
  int fd = open("prog", O_RDONLY);
  CHECK(fd >= 0);
  get(fd, buf, IMAGE_SIZE);
  CHECK(memcmp(buf, image, IMAGE_SIZE) == 0 && read(fd, buf, 1) == 0);
  stop(pid);
  fd = open("prog", O_RDWR | O_TRUNC);
  CHECK(fd >= 0 && look("prog").size == 0);
}

// A descriptor that was open for writing before: it writes nothing while the program runs.
void
program_open_for_writing(void)
{
  image_sleeper("prog");
  int fd = open("prog", O_RDWR);
  CHECK(fd >= 0);
  int pid = start_sleeper("prog");
  FAILS(write(fd, "x", 1), ETXTBSY);
  FAILS(ftruncate(fd, 0), ETXTBSY);
  CHECK(look("prog").size == IMAGE_SIZE);
  stop(pid);
  put(fd, "x", 1);
}

// A fork of the running program counts, too.
static void
keep_running(uint64 unused)
{
  char *argv[] = { "sleeper", 0 };
  (void)unused;
  exec("prog", argv);
  exit(1);
}

void
running_program_twice(void)
{
  image_sleeper("prog");
  int a = start_sleeper("prog"), b = spawn(keep_running, 0);
  await_program(b, "prog");
  stop(a);
  cannot_write("prog", O_RDWR);
  stop(b);
  int fd = open("prog", O_RDWR);
  put(fd, "x", 1);
}

// A program that has lost its name goes on running, and its pages still come from the file.
void
running_program_unlinked(void)
{
  int ends[2];
  char digit[2] = "0", *argv[] = { "@inherit", digit, 0 };
  copy(SELF, "self");
  CHECK(pipe(ends) == 0);
  digit[0] += ends[0];
  int pid = fork();
  if (pid == 0) {
    close(ends[1]);
    exec("self", argv);
    exit(1);
  }
  close(ends[0]);
  await_program(pid, "self");
  CHECK(unlink("self") == 0);
  counts(SI_DROP);
  make("here", 1, 1);
  fill(buf, 90, 4, 10);
  put(ends[1], buf, 90);
  CHECK(reap(pid) > 0);
}
