// SPDX-License-Identifier: MIT
// cat [file...]: print files, or the input, one after the other.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/quire.h"

static char buf[4096];

static int
write_all(const char *p, int n)
{
  while (n > 0) {
    int w = write(1, p, n);
    if (w <= 0)
      return -1;
    p += w;
    n -= w;
  }
  return 0;
}

// Returns the exit status this file deserves.
static int
cat(int fd, const char *name)
{
  int n;

  while ((n = read(fd, buf, sizeof(buf))) > 0) {
    if (write_all(buf, n) < 0) {
      complain("output");
      exit(1);
    }
  }
  if (n < 0)
    complain(name);
  return n < 0;
}

int
main(int argc, char *argv[])
{
  int status = 0;

  if (argc < 2)
    exit(cat(0, "input"));
  if (argv[1][0] == '-') {
    fprintf(2, "usage: cat [file...]\n");
    exit(1);
  }
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);
    if (fd < 0) {
      complain(argv[i]);
      status = 1;
      continue;
    }
    status |= cat(fd, argv[i]);
    close(fd);
  }
  exit(status);
}
