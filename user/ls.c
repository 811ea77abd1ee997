// SPDX-License-Identifier: MIT
// ls [path...]: list directories and files: name, type (1 directory, 2 file, 3 device), inode
// number, size. The columns are those of xv6, which scripts know.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/quire.h"

static int status;

static void
trouble(const char *name)
{
  complain(name);
  status = 1;
}

static void
print(const char *name, const struct stat *st)
{
  printf("%-*s %d %u %lu\n", DIRSIZ, name, st->type, st->ino, st->size);
}

static const char *
basename(const char *path)
{
  const char *slash = strrchr(path, '/');

  return slash && slash[1] ? slash + 1 : path;
}

static void
list_entry(const char *dir, const struct dirent *e)
{
  char name[DIRSIZ + 1], path[MAXPATH];
  struct stat st;

  memcpy(name, e->name, DIRSIZ);
  name[DIRSIZ] = 0;
  errno = ENAMETOOLONG;
  if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) || stat(path, &st) < 0)
    trouble(path);
  else
    print(name, &st);
}

static void
list_dir(int fd, const char *path)
{
  static struct dirent entries[64];
  int n;

  while ((n = read(fd, entries, sizeof(entries))) > 0)
    for (int i = 0; i < n / (int)sizeof(entries[0]); i++)
      if (entries[i].inum)
        list_entry(path, &entries[i]);
  if (n < 0)
    trouble(path);
}

static void
list(const char *path)
{
  struct stat st;
  int fd = open(path, O_RDONLY);

  if (fd < 0 || fstat(fd, &st) < 0)
    trouble(path);
  else if (st.type == T_DIR)
    list_dir(fd, path);
  else
    print(basename(path), &st);
  if (fd >= 0)
    close(fd);
}

int
main(int argc, char *argv[])
{
  if (argc < 2)
    list(".");
  else if (argv[1][0] == '-') {
    fprintf(2, "usage: ls [path...]\n");
    exit(1);
  }
  for (int i = 1; i < argc; i++)
    list(argv[i]);
  exit(status);
}
