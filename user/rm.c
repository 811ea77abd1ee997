// SPDX-License-Identifier: MIT
// rm [-rf] file...: remove names; with -r, directories and all that is in them; with -f, what is
// not there is no mistake.
//
// No directory is open while what is in it is removed, so that a tree may be deeper than a process
// has descriptors.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"

static int deep, force; // -r -f

static int remove(const char *path);

// The name of the next entry from *at on, other than "." and "..", which keeps its place while
// others go; *at moves behind it. 1, 0: there is none, or -1.
static int
next_name(const char *dir, int64 *at, char name[DIRSIZ + 1])
{
  struct dirent e = { 0 };
  int n = -1, found = 0, fd = open(dir, O_RDONLY);

  if (fd >= 0 && lseek(fd, *at, SEEK_SET) >= 0) {
    while (!found && (n = read(fd, &e, sizeof(e))) == sizeof(e)) {
      *at += n;
      memcpy(name, e.name, DIRSIZ);
      name[DIRSIZ] = 0;
      found = e.inum && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    }
  }
  if (fd >= 0)
    close(fd);
  return n < 0 ? -1 : found;
}

// Remove what is in a directory: 1 after it has said what went wrong.
static int
empty(const char *dir)
{
  char path[MAXPATH], name[DIRSIZ + 1];
  int64 at = 0;
  int bad = 0, more;

  while ((more = next_name(dir, &at, name)) > 0) {
    errno = ENAMETOOLONG;
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path)) {
      bad |= remove(path);
    } else {
      complain(path);
      bad = 1;
    }
  }
  if (more < 0)
    complain(dir);
  return bad || more < 0;
}

// Returns 1 after it has said what went wrong.
static int
remove(const char *path)
{
  if (unlink(path) == 0)
    return 0;
  if (deep && errno == ENOTEMPTY) {
    if (empty(path))
      return 1;
    if (unlink(path) == 0)
      return 0;
  }
  if (force && errno == ENOENT)
    return 0;
  complain(path);
  return 1;
}

static int
option(const char *o)
{
  for (o++; *o; o++) {
    switch (*o) {
    case 'r': deep = 1; break;
    case 'f': force = 1; break;
    default: return -1;
    }
  }
  return 0;
}

int
main(int argc, char *argv[])
{
  int i = 1, status = 0;

  for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++)
    if (option(argv[i]) < 0)
      i = argc;
  if (i >= argc) {
    fprintf(2, "usage: rm [-rf] file...\n");
    exit(1);
  }
  for (; i < argc; i++)
    status |= remove(argv[i]);
  exit(status);
}
