// SPDX-License-Identifier: MIT
// No blocks, no inodes, no descriptors left: the call that wanted one fails, all else stays. Slow.
#include "test.h"

static void
number_name(char *name, const char *base, int i)
{
  snprintf(name, DIRSIZ, "%s%d", base, i);
}

// Writes files of at most 1000 blocks until the disk is full; how many files. The last block that
// fits may be part of a short write.
static int
fill_the_disk(void)
{
  char name[DIRSIZ];
  for (int i = 0;; i++) {
    number_name(name, "big", i);
    int fd = open(name, O_CREATE | O_RDWR);
    if (fd < 0) {
      CHECK(errno == ENOSPC);
      return i;
    }
    for (uint k = 0; k < 1000; k++) {
      stamp(buf, i, k);
      int n = write(fd, buf, PGSIZE);
      if (n != PGSIZE) {
        CHECK(n == -1 ? errno == ENOSPC : n >= 0);
        close(fd);
        return i + 1;
      }
    }
    close(fd);
  }
}

// Every whole block that was written is there.
static uint64
check_the_files(int n)
{
  char name[DIRSIZ];
  uint64 blocks = 0;
  for (int i = 0; i < n; i++) {
    number_name(name, "big", i);
    uint mine = (uint)(look(name).size / PGSIZE);
    int fd = open(name, O_RDONLY);
    for (uint k = 0; k < mine; k++) {
      get(fd, buf, PGSIZE);
      CHECK(stamped(buf, i, k));
    }
    close(fd);
    blocks += mine;
  }
  return blocks;
}

// A full disk: nobody gets a block, everybody keeps his, and removing helps.
void
disk_full(void)
{
  make("early", 8, 10000);
  uint64 room = counts(SI_DROP).bfree;
  int n = fill_the_disk();
  CHECK(counts(SI_DROP).bfree <= 2);
  int fd = create("late");
  for (int i = 0; i < 5; i++) {
    int got = write(fd, buf, 3 * PGSIZE);
    CHECK(got == -1 ? errno == ENOSPC : got < 3 * PGSIZE);
  }
  for (int i = 0; i < 5 && mkdir("dir") == 0; i++)
    CHECK(unlink("dir") == 0);
  CHECK(unlink("early") == 0 && counts(SI_DROP).bfree >= 3);
  make("early", 8, 2 * PGSIZE);
  while (counts(SI_DROP).bfree > 1)
    CHECK(write(fd, buf, PGSIZE) > 0);
  int far = create("far"); // the last block becomes one of block numbers, and none is left for data
  CHECK(lseek(far, 20 * PGSIZE, SEEK_SET) == 20 * PGSIZE);
  FAILS(write(far, buf, 100), ENOSPC);
  CHECK(close(far) == 0 && unlink("far") == 0);
  CHECK(counts(SI_DROP).bfree == 1);
  uint64 blocks = check_the_files(n);
  CHECK(blocks < room && blocks > room - room / 50 - 40);
  holds("early", 8, 2 * PGSIZE);
  counts(SI_DROP);
  CHECK(check_the_files(n) == blocks);
  CHECK(unlink("big0") == 0);
  make("again", 9, 1000000);
  holds("again", 9, 1000000);
}

static void
hog(uint64 who)
{
  char name[DIRSIZ];
  number_name(name, "hog", (int)who);
  int n, fd = create(name);
  uint k = 0;
  do {
    stamp(buf, (uint)who, k++);
    n = write(fd, buf, PGSIZE);
  } while (n == PGSIZE);
  CHECK(n == -1 ? errno == ENOSPC : n >= 0);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  for (uint i = 0; i + 1 < k; i++) {
    get(fd, buf, PGSIZE);
    CHECK(stamped(buf, (uint)who, i));
  }
}

void
disk_filled_by_several(void)
{
  crowd(4, hog);
}

// All inodes in use: files, directories and devices are refused, what exists can still be written.
void
inodes_all_used(void)
{
  char name[DIRSIZ];
  int fd = -1, n = 0;
  make("early", 1, 10);
  for (;; n++) {
    if (n % 200 == 0) {
      if (n > 0)
        CHECK(chdir("..") == 0);
      number_name(name, "dir", n / 200);
      if (mkdir(name) < 0)
        break;
      CHECK(chdir(name) == 0);
    }
    number_name(name, "i", n);
    fd = open(name, O_CREATE | O_RDWR);
    if (fd < 0)
      break;
    close(fd);
  }
  CHECK(errno == ENOSPC);
  CHECK(counts(0).ifree == 0);
  FAILS(open("more", O_CREATE | O_RDWR), ENOSPC);
  FAILS(mkdir("more"), ENOSPC);
  FAILS(mknod("more", CONSOLE, 0), ENOSPC);
  CHECK(!exists("more"));
  CHECK(chdir("/") == 0 && chdir(SCRATCH) == 0);
  holds("early", 1, 10);
  make("early", 2, 20000);
  holds("early", 2, 20000);
  CHECK(link("early", "late") == 0);
}

// As many names for one file as its link count can hold.
void
links_as_many_as_there_may_be(void)
{
  char name[DIRSIZ];
  int n = 1;
  make("f", 1, 3);
  for (int d = 0;; d++) {
    number_name(name, "dir", d);
    CHECK(mkdir(name) == 0 && chdir(name) == 0);
    for (int i = 0; i < 250 && n > 0; i++) {
      number_name(name, "l", i);
      if (link("../f", name) == 0)
        n++;
      else
        n = -n;
    }
    CHECK(chdir("..") == 0);
    if (n < 0)
      break;
    CHECK(n < 40000);
  }
  CHECK(errno == EMLINK && look("f").nlink == -n && -n >= 32000);
  FAILS(link("f", "g"), EMLINK);
  holds("f", 1, 3);
}

static int gate[2];

static void
open_all(uint64 unused)
{
  char c;
  (void)unused;
  close(gate[1]);
  while (open("f", O_RDONLY) >= 0)
    ;
  CHECK(errno == EMFILE || errno == ENFILE || errno == ENOMEM);
  read(gate[0], &c, 1);
}

// All open files of the system in use.
void
open_files_all_used(void)
{
  int p[2], n = 0;
  make("f", 1, 10);
  CHECK(pipe(gate) == 0);
  for (n = 0; n < NFILE / (NOFILE - 4) + 2; n++)
    await(spawn(open_all, 0), ASLEEP);
  FAILS(open("f", O_RDONLY), ENFILE);
  FAILS(open("new", O_CREATE | O_RDWR), ENFILE);
  FAILS(pipe(p), ENFILE);
  int twin = dup(1);
  CHECK(twin >= 0); // needs no new open file
  close(twin);
  close(gate[1]);
  reap_all(n);
  holds("f", 1, 10);
}
