// SPDX-License-Identifier: MIT
// The library: strings, memory, and what a program says when a call failed.
//
// user.h declares what xv6's programs know, with xv6's meaning; quire.h declares the rest. Memory
// is moved by words of 8 bytes where both ends allow it.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "kernel/vm.h"
#include "user/user.h"
#include "user/quire.h"

// ---- memory ----

typedef uint64 __attribute__((may_alias)) word;

#define WORD      sizeof(word)
#define OFFSET(p) ((uint64)(p) % WORD)

static void
copy_up(char *to, const char *from, uint64 n)
{
  if (OFFSET(to) == OFFSET(from)) {
    for (; n > 0 && OFFSET(to) != 0; n--)
      *to++ = *from++;
    for (; n >= WORD; n -= WORD, to += WORD, from += WORD)
      *(word *)to = *(const word *)from;
  }
  while (n-- > 0)
    *to++ = *from++;
}

// The same from the end, for a target that overlaps the rest of its source.
static void
copy_down(char *to, const char *from, uint64 n)
{
  to += n;
  from += n;
  if (OFFSET(to) == OFFSET(from)) {
    for (; n > 0 && OFFSET(to) != 0; n--)
      *--to = *--from;
    for (; n >= WORD; n -= WORD) {
      to -= WORD;
      from -= WORD;
      *(word *)to = *(const word *)from;
    }
  }
  while (n-- > 0)
    *--to = *--from;
}

// The difference is huge when to lies below from: then, too, upwards is right.
static void *
copy(void *to, const void *from, uint64 n)
{
  if ((uint64)to - (uint64)from < n)
    copy_down(to, from, n);
  else
    copy_up(to, from, n);
  return to;
}

void *
memmove(void *to, const void *from, int n)
{
  return n > 0 ? copy(to, from, n) : to;
}

void *
memcpy(void *to, const void *from, uint n)
{
  return copy(to, from, n);
}

void *
memset(void *start, int byte, uint n)
{
  uchar *p = start;
  word pattern = (uchar)byte * 0x0101010101010101UL;

  for (; n > 0 && OFFSET(p) != 0; n--)
    *p++ = byte;
  for (; n >= WORD; n -= WORD, p += WORD)
    *(word *)p = pattern;
  while (n-- > 0)
    *p++ = byte;
  return start;
}

int
memcmp(const void *a, const void *b, uint n)
{
  const uchar *x = a, *y = b;

  for (uint i = 0; i < n; i++)
    if (x[i] != y[i])
      return x[i] - y[i];
  return 0;
}

// ---- strings ----

uint
strlen(const char *s)
{
  uint n = 0;

  while (s[n])
    n++;
  return n;
}

char *
strcpy(char *to, const char *from)
{
  for (uint i = 0; (to[i] = from[i]) != 0; i++)
    ;
  return to;
}

// Copy at most n bytes; what is left of them is filled with zeros.
char *
strncpy(char *to, const char *from, uint n)
{
  uint i = 0;

  for (; i < n && from[i]; i++)
    to[i] = from[i];
  for (; i < n; i++)
    to[i] = 0;
  return to;
}

int
strcmp(const char *a, const char *b)
{
  for (; *a && *a == *b; a++)
    b++;
  return (uchar)*a - (uchar)*b;
}

int
strncmp(const char *a, const char *b, uint n)
{
  for (uint i = 0; i < n; i++)
    if (a[i] != b[i] || !a[i])
      return (uchar)a[i] - (uchar)b[i];
  return 0;
}

char *
strchr(const char *s, char c)
{
  for (; *s; s++)
    if (*s == c)
      return (char *)s;
  return 0;
}

char *
strrchr(const char *s, char c)
{
  const char *found = 0;

  for (; *s; s++)
    if (*s == c)
      found = s;
  return (char *)found;
}

// The number that s begins with. As in xv6 there is no sign and there are no blanks: number() is
// stricter, and tells whether it was one.
int
atoi(const char *s)
{
  uint n = 0;

  while (*s >= '0' && *s <= '9')
    n = n * 10 + (*s++ - '0');
  return n;
}

int
number(const char *s, int *n)
{
  int minus = *s == '-';
  int64 v = 0;

  s += minus;
  if (!*s)
    return 0;
  for (; *s; s++) {
    if (*s < '0' || *s > '9' || v > 0x7fffffff)
      return 0;
    v = v * 10 + (*s - '0');
  }
  v = minus ? -v : v;
  if (v != (int)v)
    return 0;
  *n = v;
  return 1;
}

// ---- files ----

// Read a line of fewer than max bytes from fd 0, its end included. At the end of the input, the
// string is empty. Byte by byte, so that what follows the line stays for the next reader.
char *
gets(char *line, int max)
{
  int n = 0;

  while (n + 1 < max && read(0, line + n, 1) == 1) {
    char c = line[n++];
    if (c == '\n' || c == '\r')
      break;
  }
  if (max > 0)
    line[n] = 0;
  return line;
}

int
stat(const char *path, struct stat *st)
{
  int fd = open(path, O_RDONLY);

  if (fd < 0)
    return -1;
  int r = fstat(fd, st);
  close(fd);
  return r;
}

// ---- other names of system calls ----

char *
sbrk(int n)
{
  return sys_sbrk(n, SBRK_EAGER);
}

char *
sbrklazy(int n)
{
  return sys_sbrk(n, SBRK_LAZY);
}

int
sleep(int n)
{
  return pause(n);
}

// ---- errors ----

static const char *const reasons[] = {
  [0] = "no error",
  [EPERM] = "operation not permitted",
  [ENOENT] = "no such file or directory",
  [ESRCH] = "no such process",
  [EINTR] = "interrupted",
  [EIO] = "input/output error",
  [E2BIG] = "argument list too long",
  [ENOEXEC] = "not a program this machine runs",
  [EBADF] = "no such open file, or not open for this",
  [ECHILD] = "no child processes",
  [EAGAIN] = "too many processes",
  [ENOMEM] = "out of memory",
  [EACCES] = "access denied",
  [EFAULT] = "bad address",
  [EBUSY] = "in use",
  [EEXIST] = "exists already",
  [ENODEV] = "no such device",
  [ENOTDIR] = "not a directory",
  [EISDIR] = "is a directory",
  [EINVAL] = "invalid argument",
  [ENFILE] = "too many open files in the system",
  [EMFILE] = "too many open files",
  [ETXTBSY] = "the program is running",
  [EFBIG] = "file too large",
  [ENOSPC] = "no space left on the disk",
  [ESPIPE] = "pipes and devices have no position",
  [EROFS] = "the file system is read-only",
  [EMLINK] = "too many links",
  [EPIPE] = "nobody reads this pipe",
  [EDEADLK] = "would wait for itself",
  [ENAMETOOLONG] = "name too long",
  [ENOSYS] = "no such system call",
  [ENOTEMPTY] = "directory not empty",
  [EOVERFLOW] = "too large",
};

const char *
strerror(int e)
{
  if (e < 0 || e >= (int)(sizeof(reasons) / sizeof(reasons[0])) || !reasons[e])
    return "unknown error";
  return reasons[e];
}

void
perror(const char *what)
{
  fprintf(2, "%s: %s\n", what, strerror(errno));
}

void
complain(const char *what)
{
  fprintf(2, "%s: %s: %s\n", progname, what, strerror(errno));
}

int
pageinfo(const void *va, int n, struct pageinfo *out)
{
  return pageinfo_of(0, va, n, out);
}
