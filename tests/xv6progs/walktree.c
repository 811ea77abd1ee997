// SPDX-License-Identifier: MIT
// walktree DIR NAME: every path below DIR that ends in NAME. Reads directories as files.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fs.h"
#include "kernel/fcntl.h"
#include "user/user.h"

char path[256];

void
look(int len, char *name)
{
  struct dirent de;
  struct stat st;
  int fd = open(path, O_RDONLY);

  if (fd < 0 || fstat(fd, &st) < 0) {
    fprintf(2, "walktree: %s\n", path);
    exit(1);
  }
  while (st.type == T_DIR && read(fd, &de, sizeof(de)) == sizeof(de)) {
    if (de.inum == 0 || !strcmp(de.name, ".") || !strcmp(de.name, ".."))
      continue;
    path[len] = '/';
    memmove(path + len + 1, de.name, DIRSIZ);
    path[len + 1 + DIRSIZ] = 0;
    if (!strcmp(path + len + 1, name))
      printf("%s\n", path);
    look(strlen(path), name);
  }
  path[len] = 0;
  close(fd);
}

int
main(int argc, char *argv[])
{
  if (argc != 3) {
    fprintf(2, "usage: walktree dir name\n");
    exit(1);
  }
  strcpy(path, argv[1]);
  look(strlen(path), argv[2]);
  exit(0);
}
