// SPDX-License-Identifier: MIT
// Sizes of files: large ones, holes, and ftruncate.
#include "test.h"

// The largest file there can be, nearly all of it a hole.
void
file_of_the_largest_size(void)
{
  int fd = create("f");
  int64 end = (int64)MAXFILE * BSIZE;
  CHECK(lseek(fd, end - 10, SEEK_SET) == end - 10);
  put(fd, "0123456789", 10);
  CHECK((int64)look("f").size == end);
  FAILS(write(fd, "x", 1), EFBIG);
  CHECK(lseek(fd, -12, SEEK_END) == end - 12);
  CHECK(read(fd, buf, 100) == 12);
  CHECK(memcmp(buf,
               "\0\0"
               "0123456789",
               12) == 0);
  CHECK(lseek(fd, 1L << 31, SEEK_SET) == 1L << 31);
  get(fd, buf, 5000);
  CHECK(zeros(buf, 5000));
  put(fd, "x", 1);
  CHECK((int64)look("f").size == end);
}

void
file_with_holes(void)
{
  int fd = create("f");
  uint64 was = counts(SI_DROP).bfree;
  put(fd, "start", 5);
  CHECK(lseek(fd, 100 * PGSIZE + 7, SEEK_SET) > 0);
  put(fd, "end", 3);
  CHECK(look("f").size == 100 * PGSIZE + 10);
  CHECK(was - counts(SI_DROP).bfree < 10);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  get(fd, buf, 5);
  for (int left = 100 * PGSIZE + 2; left > 0; left -= PGSIZE) {
    int n = left < PGSIZE ? left : PGSIZE;
    get(fd, buf, n);
    CHECK(zeros(buf, n));
  }
  get(fd, buf, 3);
  CHECK(memcmp(buf, "end", 3) == 0);
}

// Blocks that are reached directly, by one block of numbers, and by two; and those at the borders.
void
file_blocks_of_all_levels(void)
{
  static const uint at[] = { 0,
                             NDIRECT - 1,
                             NDIRECT,
                             NDIRECT + 1,
                             NDIRECT + NINDIRECT - 1,
                             NDIRECT + NINDIRECT,
                             NDIRECT + NINDIRECT + 1,
                             NDIRECT + 2 * NINDIRECT - 1,
                             NDIRECT + 2 * NINDIRECT,
                             NDIRECT + 7 * NINDIRECT + 5,
                             100000 };
  int fd = create("f");
  for (int i = 0; i < COUNT(at); i++) {
    stamp(buf, 9, at[i]);
    CHECK(lseek(fd, (int64)at[i] * PGSIZE, SEEK_SET) >= 0);
    put(fd, buf, PGSIZE);
  }
  counts(SI_DROP);
  for (int i = COUNT(at) - 1; i >= 0; i--) {
    CHECK(lseek(fd, (int64)at[i] * PGSIZE, SEEK_SET) >= 0);
    get(fd, buf, PGSIZE);
    CHECK(stamped(buf, 9, at[i]));
  }
  CHECK(ftruncate(fd, (NDIRECT + NINDIRECT + 1) * PGSIZE) == 0);
  CHECK(lseek(fd, (NDIRECT + NINDIRECT) * PGSIZE, SEEK_SET) >= 0);
  get(fd, buf, PGSIZE);
  CHECK(stamped(buf, 9, NDIRECT + NINDIRECT) && read(fd, buf, 1) == 0);
}

void
file_of_five_mebibytes(void)
{
  write_blocks("f", 4, 1280);
  counts(SI_DROP);
  check_blocks("f", 4, 1280);
}

void
file_of_twelve_mebibytes(void)
{
  for (uint round = 0; round < 2; round++) {
    write_blocks("f", round, 3072);
    counts(SI_DROP);
    check_blocks("f", round, 3072);
  }
}

// Half of the disk in one file, larger than the cache of a small machine.
void
file_of_half_the_disk(void)
{
  uint blocks = (uint)(counts(0).bfree / 2);
  write_blocks("f", 6, blocks);
  check_blocks("f", 6, blocks);
}

// ---- ftruncate ----

void
ftruncate_down(void)
{
  make("f", 1, 50000);
  int fd = open("f", O_RDWR);
  static const uint sizes[] = { 49999, 45056, 40960, 5000, 4096, 1, 0 };
  for (int i = 0; i < COUNT(sizes); i++) {
    CHECK(ftruncate(fd, sizes[i]) == 0);
    CHECK(look("f").size == sizes[i]);
    holds("f", 1, sizes[i]);
  }
}

void
ftruncate_up_gives_zeros(void)
{
  make("f", 1, 10);
  int fd = open("f", O_RDWR);
  CHECK(ftruncate(fd, 3 * PGSIZE + 5) == 0);
  CHECK(look("f").size == 3 * PGSIZE + 5);
  get(fd, buf, 3 * PGSIZE + 5);
  CHECK(same(buf, 10, 1, 0) && zeros(buf + 10, 3 * PGSIZE - 5));
  CHECK(read(fd, buf, 1) == 0);
}

// What was cut off does not come back.
void
ftruncate_down_and_up(void)
{
  make("f", 1, 3 * PGSIZE);
  int fd = open("f", O_RDWR);
  CHECK(ftruncate(fd, 100) == 0 && ftruncate(fd, 3 * PGSIZE) == 0);
  get(fd, buf, 3 * PGSIZE);
  CHECK(same(buf, 100, 1, 0) && zeros(buf + 100, 3 * PGSIZE - 100));
  make("g", 2, PGSIZE);
  fd = open("g", O_RDWR);
  CHECK(ftruncate(fd, 5) == 0 && lseek(fd, 50, SEEK_SET) == 50);
  put(fd, "z", 1);
  CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, buf, 100) == 51);
  CHECK(same(buf, 5, 2, 0) && zeros(buf + 5, 45) && buf[50] == 'z');
}

void
ftruncate_frees_blocks(void)
{
  uint64 was = counts(SI_DROP).bfree;
  write_blocks("f", 1, 1200);
  CHECK(counts(SI_DROP).bfree <= was - 1200);
  int fd = open("f", O_RDWR);
  CHECK(ftruncate(fd, 0) == 0);
  CHECK(counts(SI_DROP).bfree + 1 >= was);
  close(fd);
}

void
ftruncate_bad_arguments(void)
{
  make("f", 1, 100);
  int fd = open("f", O_RDWR);
  FAILS(ftruncate(fd, (uint64)MAXFILE * BSIZE + 1), EFBIG);
  FAILS(ftruncate(fd, -1UL), EFBIG);
  FAILS(ftruncate(fd, 1UL << 63), EFBIG);
  holds("f", 1, 100);
  CHECK(ftruncate(fd, (uint64)MAXFILE * BSIZE) == 0);
  CHECK(ftruncate(fd, 10) == 0);
  holds("f", 1, 10);
}
