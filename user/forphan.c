// SPDX-License-Identifier: MIT
// forphan: keep a file that has no name any more, so that a power cut leaves an orphan.
//
// The file is on the disk, with blocks of its own, and no directory names it; only this process's
// descriptor keeps it. When the machine is switched off now, the next boot must find and free it.
#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/quire.h"

#define NAME "forphan.file"

static void __attribute__((noreturn)) give_up(const char *what)
{
  fprintf(2, "forphan: %s: %s\n", what, strerror(errno));
  exit(1);
}

int
main(void)
{
  static char block[4096];
  struct stat st;
  int fd = open(NAME, O_CREATE | O_RDWR);
  if (fd < 0)
    give_up(NAME);
  for (int i = 0; i < 20; i++)
    if (write(fd, block, sizeof(block)) != sizeof(block))
      give_up("write");
  if (unlink(NAME) < 0 || fstat(fd, &st) < 0 || sync() < 0)
    give_up("unlink");
  printf("forphan: inode %u is a file of 20 blocks and has no name. Cut the power (Ctrl-A X) and\n"
         "forphan: boot again: the kernel must say that it freed this inode.\n",
         st.ino);
  for (;;)
    pause(1000);
}
