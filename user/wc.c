// SPDX-License-Identifier: MIT
// wc [file...]: count lines, words and bytes.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/quire.h"

static char buf[4096];

static int
wc(int fd, const char *name)
{
  uint64 lines = 0, words = 0, bytes = 0;
  int n, inside = 0;

  while ((n = read(fd, buf, sizeof(buf))) > 0) {
    bytes += n;
    for (int i = 0; i < n; i++) {
      char c = buf[i];
      int blank = c == ' ' || (c >= '\t' && c <= '\r') || c == 0;
      lines += c == '\n';
      words += !blank && !inside;
      inside = !blank;
    }
  }
  if (n < 0) {
    complain(*name ? name : "input");
    return 1;
  }
  printf("%lu %lu %lu %s\n", lines, words, bytes, name);
  return 0;
}

int
main(int argc, char *argv[])
{
  int status = 0;

  if (argc < 2)
    exit(wc(0, ""));
  if (argv[1][0] == '-') {
    fprintf(2, "usage: wc [file...]\n");
    exit(1);
  }
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);
    if (fd < 0) {
      complain(argv[i]);
      status = 1;
      continue;
    }
    status |= wc(fd, argv[i]);
    close(fd);
  }
  exit(status);
}
