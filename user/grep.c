// SPDX-License-Identifier: MIT
// grep [-vinc] pattern [file...]: print the lines that match.
//
// A pattern is made of characters, '.' for any character, 'x*' for any number of x, '^' in front
// for the start of the line and '$' at the end for its end. It is matched without going back: all
// places of the pattern that the characters read so far can have led to are kept as a set, so that
// no pattern takes longer than its length times the line's.
// Exit status: 0 something matched, 1 nothing did, 2 trouble.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/quire.h"

#define MAXPART 256

// One part of the pattern: a character or any, once or any number of times.
struct part {
  char c;
  char any, star;
};

static struct part parts[MAXPART];
static int nparts;
static int at_start, at_end;                       // ^ and $
static int invert, fold, number_lines, only_count; // -v -i -n -c
static int matched;

static char
folded(char c)
{
  return fold && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static void
compile(const char *p)
{
  if ((at_start = *p == '^'))
    p++;
  while (*p) {
    if (p[0] == '$' && p[1] == 0) {
      at_end = 1;
      break;
    }
    if (nparts == MAXPART) {
      fprintf(2, "grep: the pattern is longer than %d characters\n", MAXPART);
      exit(2);
    }
    struct part *t = &parts[nparts++];
    t->any = *p == '.';
    t->c = folded(*p++);
    if ((t->star = *p == '*'))
      p++;
  }
}

// Add place i to the set, and the places after it that can be reached without a character.
static void
reach(char *set, int i)
{
  set[i] = 1;
  while (i < nparts && parts[i].star)
    set[++i] = 1;
}

static int
matches(const char *line, int len)
{
  char a[MAXPART + 1], b[MAXPART + 1], *now = a, *then = b;

  memset(now, 0, nparts + 1);
  reach(now, 0);
  for (int k = 0; k < len && (at_end || !now[nparts]); k++) {
    memset(then, 0, nparts + 1);
    if (!at_start)
      reach(then, 0);
    for (int i = 0; i < nparts; i++)
      if (now[i] && (parts[i].any || parts[i].c == folded(line[k])))
        reach(then, parts[i].star ? i : i + 1);
    char *t = now;
    now = then;
    then = t;
  }
  return now[nparts];
}

// The lines read and not searched yet. The buffer grows to the longest line.
static struct {
  char *at;
  uint size, have;
} buf;

static int
make_room(void)
{
  if (buf.have < buf.size)
    return 0;
  uint size = buf.size ? buf.size * 2 : 4096;
  char *more = realloc(buf.at, size);
  if (!more)
    return -1;
  buf.at = more;
  buf.size = size;
  return 0;
}

// The line has its '\n' behind it.
static void
print_line(const char *line, int len, int lineno)
{
  if (number_lines)
    printf("%d:", lineno);
  if (write(1, line, len + 1) != len + 1) {
    complain("output");
    exit(2);
  }
}

// Search the whole lines in the buffer, of which the first scanned bytes hold no '\n', and leave
// what is behind them. Returns how many matched.
static int
search(uint scanned, int *lineno)
{
  uint start = 0;
  int found = 0;

  for (uint i = scanned; i < buf.have; i++) {
    if (buf.at[i] != '\n')
      continue;
    ++*lineno;
    if (matches(buf.at + start, i - start) != invert) {
      found++;
      if (!only_count)
        print_line(buf.at + start, i - start, *lineno);
    }
    start = i + 1;
  }
  buf.have -= start;
  memmove(buf.at, buf.at + start, buf.have);
  return found;
}

// Search fd to its end. -1: trouble, which has been told.
static int
grep(int fd, const char *name)
{
  int n, lineno = 0, found = 0;

  buf.have = 0;
  do {
    uint scanned = buf.have;
    if (make_room() < 0 || (n = read(fd, buf.at + scanned, buf.size - scanned)) < 0) {
      complain(name);
      return -1;
    }
    buf.have += n;
    if (n == 0 && buf.have > 0)
      buf.at[buf.have++] = '\n'; // a last line without its end
    found += search(scanned, &lineno);
  } while (n > 0);
  if (only_count)
    printf("%d\n", found);
  matched |= found > 0;
  return 0;
}

static int
option(const char *o)
{
  for (o++; *o; o++) {
    switch (*o) {
    case 'v': invert = 1; break;
    case 'i': fold = 1; break;
    case 'n': number_lines = 1; break;
    case 'c': only_count = 1; break;
    default: return -1;
    }
  }
  return 0;
}

int
main(int argc, char *argv[])
{
  int i = 1, trouble = 0;

  for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++)
    if (option(argv[i]) < 0)
      i = argc;
  if (i >= argc) {
    fprintf(2, "usage: grep [-vinc] pattern [file...]\n");
    exit(2);
  }
  compile(argv[i++]);
  if (i == argc)
    trouble = grep(0, "input");
  for (; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);
    if (fd < 0) {
      complain(argv[i]);
      trouble = -1;
      continue;
    }
    trouble |= grep(fd, argv[i]);
    close(fd);
  }
  exit(trouble ? 2 : !matched);
}
