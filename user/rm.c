// SPDX-License-Identifier: MIT
// rm [-r] file...: remove names; with -r, directories and all that is in them.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/quire.h"

static int remove(const char *path, int deep);

// Remove what is in the directory that fd is open for. Entries keep their places while others go.
static int
empty(int fd, const char *dir)
{
  char path[MAXPATH], name[DIRSIZ + 1];
  struct dirent e;
  int bad = 0;

  while (read(fd, &e, sizeof(e)) == sizeof(e)) {
    memcpy(name, e.name, DIRSIZ);
    name[DIRSIZ] = 0;
    if (e.inum == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
      continue;
    errno = ENAMETOOLONG;
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path)) {
      bad |= remove(path, 1);
    } else {
      complain(path);
      bad = 1;
    }
  }
  return bad;
}

// Returns 1 after it has said what went wrong.
static int
remove(const char *path, int deep)
{
  struct stat st;
  int bad = 0, fd = deep ? open(path, O_RDONLY) : -1;

  if (fd >= 0) {
    if (fstat(fd, &st) == 0 && st.type == T_DIR)
      bad = empty(fd, path);
    close(fd);
  }
  if (bad || unlink(path) == 0)
    return bad;
  complain(path);
  return 1;
}

int
main(int argc, char *argv[])
{
  int deep = argc > 1 && strcmp(argv[1], "-r") == 0, status = 0;

  if (argc < 2 + deep) {
    fprintf(2, "usage: rm [-r] file...\n");
    exit(1);
  }
  for (int i = 1 + deep; i < argc; i++)
    status |= remove(argv[i], deep);
  exit(status);
}
