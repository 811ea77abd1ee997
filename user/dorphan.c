// SPDX-License-Identifier: MIT
// dorphan: stand in a directory that is removed, so that a power cut leaves an orphan.
//
// The directory is on the disk and no other names it; only that it is this process's current
// directory keeps it. When the machine is switched off now, the next boot must find and free it.
#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/quire.h"

#define NAME "dorphan.dir"

static void __attribute__((noreturn)) give_up(const char *what)
{
  fprintf(2, "dorphan: %s: %s\n", what, strerror(errno));
  exit(1);
}

int
main(void)
{
  struct stat st;
  if (mkdir(NAME) < 0 || stat(NAME, &st) < 0 || chdir(NAME) < 0)
    give_up(NAME);
  if (unlink("../" NAME) < 0 || sync() < 0)
    give_up("unlink");
  printf("dorphan: inode %u is a directory without a name. Cut the power now (Ctrl-A X) and boot\n"
         "dorphan: again: the kernel must say that it freed this inode.\n",
         st.ino);
  for (;;)
    pause(1000);
}
