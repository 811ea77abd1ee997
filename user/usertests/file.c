// SPDX-License-Identifier: MIT
// Files: how they are opened, positions, sizes, holes, descriptors that share.
#include "test.h"

void
file_keeps_what_is_written(void)
{
  static const uint sizes[] = { 0, 1, 100, 4095, 4096, 4097, 20000, 45056, 45057 };
  char name[] = "f0";
  for (int i = 0; i < COUNT(sizes); i++) {
    name[1] = (char)('0' + i);
    make(name, i, sizes[i]);
    CHECK(look(name).size == sizes[i]);
  }
  counts(SI_DROP); // now from the disk
  for (int i = 0; i < COUNT(sizes); i++) {
    name[1] = (char)('0' + i);
    holds(name, i, sizes[i]);
  }
}

// Writes that begin and end anywhere in blocks.
void
file_pieces_of_all_sizes(void)
{
  int fd = create("f");
  uint at = 0;
  for (uint n = 1; at < 200000; n = n * 7 % 9973 + 1) {
    fill(buf, n, 2, at);
    put(fd, buf, n);
    at += n;
  }
  close(fd);
  holds("f", 2, at);
  fd = open("f", O_RDONLY);
  for (uint k = 0, n = 3; k < at; k += n, n = n * 5 % 8191 + 1) {
    int got = read(fd, buf, n);
    CHECK(got == (int)(at - k < n ? at - k : n));
    CHECK(same(buf, got, 2, k));
  }
}

void
open_modes(void)
{
  make("f", 1, 100);
  int r = open("f", O_RDONLY), w = open("f", O_WRONLY), rw = open("f", O_RDWR);
  CHECK(r >= 0 && w >= 0 && rw >= 0);
  FAILS(write(r, "x", 1), EBADF);
  FAILS(read(w, buf, 1), EBADF);
  FAILS(ftruncate(r, 0), EBADF);
  CHECK(read(r, buf, 10) == 10 && read(rw, buf, 10) == 10);
  put(w, "y", 1);
  CHECK(look("f").size == 100);
}

void
open_what_is_missing(void)
{
  make("f", 1, 10);
  FAILS(open("missing", O_RDONLY), ENOENT);
  FAILS(open("missing", O_RDWR), ENOENT);
  FAILS(open("missing", O_TRUNC | O_RDWR), ENOENT);
  FAILS(open("no/where", O_CREATE | O_RDWR), ENOENT);
  FAILS(open("f/x", O_RDONLY), ENOTDIR);
  FAILS(open("f/x", O_CREATE | O_RDWR), ENOTDIR);
  FAILS(open("f/..", O_RDONLY), ENOTDIR);
  CHECK(!exists("missing"));
}

// O_CREATE takes the file that is there; only O_TRUNC empties it.
void
open_create_and_trunc(void)
{
  make("f", 1, 5000);
  int fd = open("f", O_CREATE | O_RDWR);
  CHECK(fd >= 0 && look("f").size == 5000);
  put(fd, buf, 10);
  CHECK(look("f").size == 5000);
  int second = open("f", O_RDWR | O_TRUNC);
  CHECK(second >= 0 && look("f").size == 0);
  CHECK(read(fd, buf, 10) == 0);
  put(second, "ab", 2);
  put(fd, "cd", 2); // at 10: a hole before it
  CHECK(look("f").size == 12);
  CHECK(lseek(second, 0, SEEK_SET) == 0);
  get(second, buf, 12);
  CHECK(memcmp(buf, "ab\0\0\0\0\0\0\0\0cd", 12) == 0);
}

void
open_gives_the_lowest_descriptor(void)
{
  make("f", 1, 1);
  int a = open("f", O_RDONLY), b = open("f", O_RDONLY), c = open("f", O_RDONLY);
  CHECK(a >= 0 && b == a + 1 && c == b + 1);
  close(b);
  close(a);
  CHECK(open("f", O_RDONLY) == a);
  CHECK(dup(c) == b);
}

void
open_as_many_as_there_may_be(void)
{
  make("f", 1, 1);
  int fds = open_fds(), n = 0, fd, last = -1;
  while ((fd = open("f", O_RDONLY)) >= 0) {
    last = fd;
    n++;
  }
  CHECK(errno == EMFILE && n == NOFILE - fds && last == NOFILE - 1);
  FAILS(dup(1), EMFILE);
  FAILS(open("new", O_CREATE | O_RDWR), EMFILE);
  CHECK(close(last) == 0);
  CHECK(dup(1) == last);
}

void
close_twice(void)
{
  int fd = create("f");
  CHECK(close(fd) == 0);
  FAILS(close(fd), EBADF);
  FAILS(write(fd, "x", 1), EBADF);
}

// dup and fork share a position, open does not.
static void
read_ten(uint64 fd)
{
  get((int)fd, buf, 10);
}

void
position_is_shared(void)
{
  make("f", 1, 100);
  int fd = open("f", O_RDONLY), other = open("f", O_RDONLY), twin = dup(fd);
  get(fd, buf, 10);
  get(twin, buf, 10);
  CHECK(same(buf, 10, 1, 10));
  LIVES(read_ten, fd);
  CHECK(lseek(twin, 0, SEEK_CUR) == 30);
  CHECK(lseek(other, 0, SEEK_CUR) == 0);
  CHECK(lseek(twin, 5, SEEK_SET) == 5 && lseek(fd, 0, SEEK_CUR) == 5);
}

void
lseek_in_all_ways(void)
{
  make("f", 1, 1000);
  int fd = open("f", O_RDWR);
  CHECK(lseek(fd, 100, SEEK_SET) == 100);
  CHECK(lseek(fd, 50, SEEK_CUR) == 150 && lseek(fd, -100, SEEK_CUR) == 50);
  get(fd, buf, 10);
  CHECK(same(buf, 10, 1, 50));
  CHECK(lseek(fd, -10, SEEK_END) == 990);
  CHECK(read(fd, buf, 100) == 10 && same(buf, 10, 1, 990));
  CHECK(lseek(fd, 500, SEEK_END) == 1500);
  CHECK(read(fd, buf, 10) == 0);
  CHECK(look("f").size == 1000);
  CHECK(lseek(fd, 0, SEEK_END) == 1000);
}

void
lseek_bad_arguments(void)
{
  make("f", 1, 1000);
  int fd = open("f", O_RDWR);
  CHECK(lseek(fd, 70, SEEK_SET) == 70);
  FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
  FAILS(lseek(fd, -71, SEEK_CUR), EINVAL);
  FAILS(lseek(fd, -1001, SEEK_END), EINVAL);
  FAILS(lseek(fd, 0, 3), EINVAL);
  FAILS(lseek(fd, 0, -1), EINVAL);
  FAILS(lseek(fd, 0x7fffffffffffffff, SEEK_CUR), EINVAL);
  FAILS(lseek(fd, 0x7fffffffffffffff, SEEK_END), EINVAL);
  FAILS(lseek(fd, (int64)(1UL << 63), SEEK_SET), EINVAL);
  CHECK(lseek(fd, 0, SEEK_CUR) == 70);
}

// A position beyond what a file can have: nothing is there, and nothing can be put there.
void
lseek_very_far(void)
{
  static const int64 far[] = { (int64)MAXFILE * BSIZE, 1L << 32, 1L << 33, 1L << 40, 1L << 62 };
  make("f", 1, 10);
  int fd = open("f", O_RDWR);
  for (int i = 0; i < COUNT(far); i++) {
    int64 got = lseek(fd, far[i], SEEK_SET);
    if (got == -1) {
      CHECK(errno == EINVAL || errno == EFBIG);
      continue;
    }
    CHECK(got == far[i] && read(fd, buf, 10) == 0);
    FAILS(write(fd, buf, 10), EFBIG);
  }
  holds("f", 1, 10);
}

// ---- files without a name ----

void
unlinked_file_stays_usable(void)
{
  struct stat st;
  int fd = create("f");
  put(fd, "before", 6);
  CHECK(unlink("f") == 0);
  FAILS(open("f", O_RDONLY), ENOENT);
  CHECK(fstat(fd, &st) == 0 && st.nlink == 0 && st.size == 6);
  for (int i = 0; i < 100; i++)
    put(fd, buf, PGSIZE);
  counts(SI_DROP);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  get(fd, buf, 6);
  CHECK(memcmp(buf, "before", 6) == 0);
  make("f", 3, 20); // another file of this name
  CHECK(fstat(fd, &st) == 0 && st.size == 6 + 100 * PGSIZE);
  holds("f", 3, 20);
}

// Its blocks are free when the last descriptor is closed, and not before.
void
unlinked_file_is_freed_at_close(void)
{
  struct sysinfo was = counts(SI_DROP), is;
  write_blocks("f", 1, 50);
  int fd = open("f", O_RDONLY), twin = dup(fd);
  CHECK(unlink("f") == 0);
  close(fd);
  is = counts(SI_DROP);
  CHECK(is.bfree <= was.bfree - 50 && is.ifree == was.ifree - 1);
  close(twin);
  is = counts(SI_DROP);
  CHECK(is.bfree == was.bfree && is.ifree == was.ifree);
}

// ---- what a file says about itself ----

void
fstat_tells_the_truth(void)
{
  make("f", 1, 777);
  CHECK(mkdir("d") == 0);
  struct stat f = look("f"), d = look("d"), c = look(".");
  CHECK(f.type == T_FILE && f.size == 777 && f.nlink == 1);
  CHECK(d.type == T_DIR && c.type == T_DIR);
  CHECK(f.dev == d.dev && f.ino != d.ino && f.ino != c.ino && f.ino != 0);
  CHECK(link("f", "d/g") == 0);
  struct stat g = look("d/g");
  CHECK(g.ino == f.ino && g.nlink == 2 && g.size == 777);
  CHECK(look("d/..").ino == c.ino && look("d/.").ino == d.ino);
  CHECK(look("/").ino == ROOTINO && look("/..").ino == ROOTINO);
}

// ---- on the disk ----

void
sync_writes_everything(void)
{
  CHECK(sync() == 0);
  uint64 was = counts(0).dwrites;
  make("f", 1, 20 * PGSIZE);
  CHECK(sync() == 0);
  CHECK(counts(0).dwrites >= was + 20);
}

// fsync has written at least the file when it returns.
void
fsync_writes_the_file(void)
{
  CHECK(sync() == 0);
  int fd = create("f");
  uint64 was = counts(0).dwrites;
  for (int i = 0; i < 20; i++)
    put(fd, buf, PGSIZE);
  CHECK(fsync(fd) == 0);
  CHECK(counts(0).dwrites >= was + 20);
  CHECK(fsync(fd) == 0);
  fd = open(".", O_RDONLY);
  CHECK(fsync(fd) == 0);
}

// Blocks in the cache are not read again.
void
cache_saves_reads(void)
{
  write_blocks("f", 2, 200);
  check_blocks("f", 2, 200);
  uint64 was = counts(0).dreads;
  check_blocks("f", 2, 200);
  CHECK(counts(0).dreads <= was + 5);
  counts(SI_DROP);
  was = counts(0).dreads;
  check_blocks("f", 2, 200);
  CHECK(counts(0).dreads >= was + 200);
}
