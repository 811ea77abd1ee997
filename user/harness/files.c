// SPDX-License-Identifier: MIT
// Bytes that can be recognised, and files full of them.
#include "harness.h"

char buf[BUFSZ] __attribute__((aligned(PGSIZE)));

static char
pattern(uint seed, uint64 at)
{
  return (char)(seed * 59 + at + (at >> 8) * 3 + (at >> 16) * 7);
}

// Bytes at, at+1, ... of the pattern called seed.
void
fill(void *p, uint n, uint seed, uint64 at)
{
  for (uint i = 0; i < n; i++)
    ((char *)p)[i] = pattern(seed, at + i);
}

int
same(const void *p, uint n, uint seed, uint64 at)
{
  for (uint i = 0; i < n; i++)
    if (((const char *)p)[i] != pattern(seed, at + i))
      return 0;
  return 1;
}

int
zeros(const void *p, uint n)
{
  for (uint i = 0; i < n; i++)
    if (((const char *)p)[i] != 0)
      return 0;
  return 1;
}

// Marks a page quickly as number n of a series: three of its words.
void
stamp(void *page, uint seed, uint n)
{
  uint64 *word = page, mark = (uint64)seed << 40 | n;
  word[0] = mark;
  word[200] = mark ^ 0x5a5a;
  word[511] = ~mark;
}

int
stamped(const void *page, uint seed, uint n)
{
  const uint64 *word = page;
  uint64 mark = (uint64)seed << 40 | n;
  return word[0] == mark && word[200] == (mark ^ 0x5a5a) && word[511] == ~mark;
}

// A new or emptied file, open for both.
int
create(const char *name)
{
  int fd = open(name, O_CREATE | O_RDWR | O_TRUNC);
  CHECK(fd >= 0);
  return fd;
}

void
put(int fd, const void *p, int n)
{
  CHECK(write(fd, p, n) == n);
}

// Exactly n bytes, in as many pieces as it takes.
void
get(int fd, void *p, int n)
{
  for (int done = 0; done < n;) {
    int got = read(fd, (char *)p + done, n - done);
    CHECK(got > 0);
    done += got;
  }
}

// A file of n bytes of the pattern.
void
make(const char *name, uint seed, uint n)
{
  int fd = create(name);
  for (uint at = 0; at < n; at += PGSIZE) {
    uint k = n - at < PGSIZE ? n - at : PGSIZE;
    fill(buf, k, seed, at);
    put(fd, buf, k);
  }
  CHECK(close(fd) == 0);
}

// The file has these n bytes and no more.
void
holds(const char *name, uint seed, uint n)
{
  int fd = open(name, O_RDONLY);
  CHECK(fd >= 0);
  for (uint at = 0; at < n; at += PGSIZE) {
    uint k = n - at < PGSIZE ? n - at : PGSIZE;
    get(fd, buf, k);
    CHECK(same(buf, k, seed, at));
  }
  CHECK(read(fd, buf, 1) == 0);
  close(fd);
}

// A file of whole blocks, each marked with its number.
void
write_blocks(const char *name, uint seed, uint blocks)
{
  int fd = create(name);
  for (uint i = 0; i < blocks; i++) {
    stamp(buf, seed, i);
    put(fd, buf, PGSIZE);
  }
  CHECK(close(fd) == 0);
}

void
check_blocks(const char *name, uint seed, uint blocks)
{
  int fd = open(name, O_RDONLY);
  for (uint i = 0; i < blocks; i++) {
    get(fd, buf, PGSIZE);
    CHECK(stamped(buf, seed, i));
  }
  CHECK(read(fd, buf, 1) == 0);
  close(fd);
}

struct stat
look(const char *name)
{
  struct stat st;
  CHECK(stat(name, &st) == 0);
  return st;
}

int
exists(const char *name)
{
  struct stat st;
  return stat(name, &st) == 0;
}

void
copy(const char *from, const char *to)
{
  int n, in = open(from, O_RDONLY), out = create(to);
  CHECK(in >= 0);
  while ((n = read(in, buf, BUFSZ)) > 0)
    put(out, buf, n);
  CHECK(n == 0);
  close(in);
  close(out);
}

// How many descriptors this process has.
int
open_fds(void)
{
  int n = 0;
  struct stat st;
  for (int fd = 0; fd < NOFILE; fd++)
    n += fstat(fd, &st) == 0 || errno != EBADF;
  return n;
}
