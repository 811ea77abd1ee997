// SPDX-License-Identifier: MIT
// Acts of grind on names, on bytes in files, and on pipes.
#include "grind.h"

// ---- names: few of them, so that acts meet ----

static const char *
any_name(void)
{
  static const char *const names[] = { "a",
                                       "b",
                                       "c",
                                       "d",
                                       "a/x",
                                       "b/x",
                                       "c/d",
                                       "./a",
                                       "../grind.shared/p",
                                       "../grind.shared/q",
                                       "../grind.shared/d",
                                       "../grind.shared/d/x",
                                       "d/../d/y",
                                       "no/such/place",
                                       "." };
  return names[rnd(sizeof(names) / sizeof(names[0]))];
}

// ---- acts on names ----

void
act_create(void)
{
  int fd = open(any_name(), O_CREATE | O_RDWR | (rnd(3) ? 0 : O_TRUNC));
  if (fd >= 0 && rnd(2))
    write(fd, page, (int)rnd(sizeof(page)));
  if (fd >= 0 && rnd(4))
    close(fd);
}

void
act_unlink(void)
{
  unlink(any_name());
}
void
act_link(void)
{
  link(any_name(), any_name());
}
void
act_mkdir(void)
{
  mkdir(any_name());
}
void
act_sync(void)
{
  sync();
}

void
act_look(void)
{
  struct stat st;
  if (stat(any_name(), &st) == 0 && (st.type < T_DIR || st.type > T_DEVICE))
    broken("a file of no known type");
}

void
act_list(void)
{
  struct dirent de;
  int fd = open(any_name(), O_RDONLY);
  while (fd >= 0 && read(fd, &de, sizeof(de)) == sizeof(de))
    ;
  if (fd >= 0)
    close(fd);
}

// Into a directory that may vanish meanwhile, and back by a path from the top.
void
act_step_in(void)
{
  int pid = fork();
  if (pid == 0) {
    if (chdir(any_name()) == 0) {
      close(open("x", O_CREATE | O_RDWR));
      mkdir("y");
      unlink("../x");
      unlink("y");
    }
    exit(0);
  }
  if (pid > 0)
    wait(0);
}

// ---- acts on bytes ----

void
act_descriptor(void)
{
  int fd = 3 + (int)rnd(NOFILE - 3);
  switch (rnd(7)) {
  case 0: write(fd, page, (int)rnd(sizeof(page))); break;
  case 1: lseek(fd, rnd(100000), (int)rnd(3)); break;
  case 2: ftruncate(fd, rnd(60000)); break;
  case 3: fsync(fd); break;
  case 4: close(dup(fd)); break;
  case 5: close(fd); break;
  case 6: lseek(fd, -(int64)rnd(5000), SEEK_END); break;
  }
}

// A file that nobody else knows keeps what was written, even without its name.
void
act_private_file(void)
{
  char name[DIRSIZ];
  uchar mark = (uchar)(rnd(255) + 1);
  int n = (int)rnd(sizeof(page)) + 1;
  snprintf(name, sizeof(name), "p%d", getpid());
  int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);
  if (fd < 0)
    return;
  int early = (int)rnd(2);
  if (early)
    unlink(name);
  memset(page, mark, sizeof(page));
  lseek(fd, rnd(50000), SEEK_SET);
  int put = write(fd, page, n);
  if (put > 0 && lseek(fd, -put, SEEK_CUR) >= 0) {
    memset(page, 0, sizeof(page));
    if (read(fd, page, put) != put)
      broken("a file lost its end");
    for (int i = 0; i < put; i++)
      if ((uchar)page[i] != mark)
        broken("a file has bytes that nobody wrote");
  }
  close(fd);
  if (!early)
    unlink(name);
}

void
act_pipe(void)
{
  int ends[2], n = (int)rnd(400) + 1;
  if (pipe(ends) < 0)
    return;
  int pid = fork();
  if (pid == 0) {
    close(ends[0]);
    memset(page, n & 127, (uint)n);
    exit(write(ends[1], page, n) == n ? 0 : 1);
  }
  close(ends[1]);
  int got, sum = 0;
  while ((got = read(ends[0], page, (int)rnd(300) + 1)) > 0)
    for (int i = 0; i < got; i++, sum++)
      if (page[i] != (n & 127))
        broken("a pipe changed a byte");
  if (pid > 0 && sum != n)
    broken("a pipe lost bytes");
  close(ends[0]);
  if (pid > 0)
    wait(0);
}
