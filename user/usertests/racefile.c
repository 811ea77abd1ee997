// SPDX-License-Identifier: MIT
// Several processes use the same file at the same time, through one position or through several.
#include "test.h"

#define LINES 60

struct line {
  uint who, nr;
  char text[56];
};

static int shared, sums;

static void
write_lines(uint64 who)
{
  struct line l = { .who = (uint)who };
  for (l.nr = 0; l.nr < LINES; l.nr++) {
    memset(l.text, 'A' + (int)(who + l.nr) % 26, sizeof(l.text));
    put(shared, &l, sizeof(l));
  }
}

// One open file, one position: no line is lost or torn, and each writer's come in order.
void
race_shared_position(void)
{
  uint next[5] = { 0 };
  struct line l;
  shared = create("log");
  crowd(5, write_lines);
  CHECK(look("log").size == 5 * LINES * sizeof(l));
  CHECK(lseek(shared, 0, SEEK_SET) == 0);
  for (int i = 0; i < 5 * LINES; i++) {
    get(shared, &l, sizeof(l));
    CHECK(l.who < 5 && l.nr == next[l.who]++);
    for (uint k = 0; k < sizeof(l.text); k++)
      CHECK(l.text[k] == 'A' + (char)((l.who + l.nr) % 26));
  }
}

static void
take_lines(uint64 who)
{
  uint n = 0;
  struct line l;
  (void)who;
  while (read(shared, &l, sizeof(l)) == sizeof(l))
    n += l.nr + 1;
  put(sums, &n, sizeof(n));
}

// Read through one position, each line goes to exactly one.
void
race_shared_position_of_readers(void)
{
  struct line l = { 0 };
  uint n[4], want = 0;
  shared = create("log");
  sums = create("sums");
  for (l.nr = 0; l.nr < 400; l.nr++) {
    put(shared, &l, sizeof(l));
    want += l.nr + 1;
  }
  CHECK(lseek(shared, 0, SEEK_SET) == 0);
  crowd(4, take_lines);
  CHECK(lseek(sums, 0, SEEK_SET) == 0);
  get(sums, n, sizeof(n));
  CHECK(n[0] + n[1] + n[2] + n[3] == want);
}

// Each has its own descriptor and its own part of the file; the parts share blocks.
static void
write_my_part(uint64 who)
{
  int fd = open("parts", O_RDWR);
  for (uint i = 0; i < 40; i++) {
    int64 at = (int64)(i * 5 + who) * 1000;
    fill(buf, 1000, 50 + (uint)who, at);
    CHECK(lseek(fd, at, SEEK_SET) == at);
    put(fd, buf, 1000);
  }
}

void
race_parts_of_one_file(void)
{
  close(create("parts"));
  crowd(5, write_my_part);
  int fd = open("parts", O_RDONLY);
  for (uint i = 0; i < 200; i++) {
    get(fd, buf, 1000);
    CHECK(same(buf, 1000, 50 + i % 5, i * 1000));
  }
}

// One cuts the file off again and again, others read and write it: old bytes never show.
static void
cut_or_use(uint64 who)
{
  int fd = open("cut", O_RDWR);
  for (int i = 0; i < 60; i++) {
    if (who == 0) {
      CHECK(ftruncate(fd, 0) == 0);
    } else if (who == 1) {
      CHECK(lseek(fd, 0, SEEK_SET) == 0);
      memset(buf, 'w', 20000);
      put(fd, buf, 20000);
    } else {
      CHECK(lseek(fd, 0, SEEK_SET) == 0);
      int n = read(fd, buf, 20000);
      CHECK(n >= 0 && n <= 20000);
      for (int k = 0; k < n; k++)
        CHECK(buf[k] == 'w' || buf[k] == 0);
    }
  }
}

void
race_cutting_a_file(void)
{
  close(create("cut"));
  crowd(4, cut_or_use);
}

// Everybody wants everything on the disk now.
static void
write_and_sync(uint64 who)
{
  char name[DIRSIZ];
  snprintf(name, sizeof(name), "s%d", (int)who);
  int fd = create(name);
  for (int i = 0; i < 15; i++) {
    fill(buf, 3000, (uint)who, i * 3000);
    put(fd, buf, 3000);
    CHECK((i % 3 ? fsync(fd) : sync()) == 0);
  }
  close(fd);
  holds(name, (uint)who, 45000);
}

void
race_syncing(void)
{
  crowd(4, write_and_sync);
}

// Files are read while the cache is dropped.
static void
read_or_drop(uint64 who)
{
  for (int i = 0; i < 20; i++) {
    if (who == 0)
      counts(SI_DROP);
    else
      holds("f", 1, 200000);
  }
}

void
race_dropping_the_cache(void)
{
  make("f", 1, 200000);
  crowd(4, read_or_drop);
}
