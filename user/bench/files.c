// SPDX-License-Identifier: MIT
// Rows about files. What is written is on the disk when the count ends: by one sync for the round, or
// by fsync for each operation.
#include "bench.h"

#define DATA "bench.data"

static int fd;
static char buf[4 * KIB];

// ---- a file of 1 MiB ----

static void
fill(int n)
{
  while (n-- > 0)
    need(write(fd, buf, sizeof(buf)) == sizeof(buf), "write to a file");
}

static void
make_file(int n)
{
  (void)n;
  need((fd = open(DATA, O_CREATE | O_RDWR | O_TRUNC)) >= 0, DATA);
  fill(256);
  sync();
  lseek(fd, 0, SEEK_SET);
}

static void
make_cold(int n)
{
  make_file(n);
  drop_cache();
}

static void
drop_file(int n)
{
  (void)n;
  close(fd);
  unlink(DATA);
  sync();
}

static void
read_pages(int n)
{
  while (n-- > 0)
    need(read(fd, buf, sizeof(buf)) == sizeof(buf), "read");
}

static void
read_bytes(int n)
{
  while (n-- > 0)
    read(fd, buf, 1);
}

static void
overwrite(int n)
{
  while (n-- > 0)
    write(fd, buf, 128);
}

static void
overwrite_sync(int n)
{
  overwrite(n);
  sync();
}

static void
make_empty(int n)
{
  (void)n;
  need((fd = open(DATA, O_CREATE | O_RDWR | O_TRUNC)) >= 0, DATA);
  sync();
}

static void
fill_fsync(int n)
{
  fill(n);
  fsync(fd);
}

// ---- names ----

static void
create_unlink(int n)
{
  while (n-- > 0) {
    close(open("bench.tmp", O_CREATE | O_RDWR));
    unlink("bench.tmp");
  }
  sync();
}

static void
create_fsync(int n)
{
  while (n-- > 0) {
    int f = open("bench.tmp", O_CREATE | O_RDWR), dir = open(".", O_RDONLY);
    fsync(f);
    close(f);
    unlink("bench.tmp");
    fsync(dir);
    close(dir);
  }
}

static void
make_256k(int n)
{
  (void)n;
  need((fd = open(DATA, O_CREATE | O_RDWR | O_TRUNC)) >= 0, DATA);
  fill(64);
  close(fd);
  sync();
}

static void
unlink_256k(int n)
{
  (void)n;
  unlink(DATA);
  sync();
}

static void
make_tree(int n)
{
  (void)n;
  char name[] = "bench.d/name000.";
  mkdir("bench.d");
  mkdir("bench.d/a");
  mkdir("bench.d/a/b");
  mkdir("bench.d/a/b/c");
  close(open("bench.d/a/b/c/f", O_CREATE | O_RDWR));
  close(open("bench.one", O_CREATE | O_RDWR));
  for (int i = 0; i < 60; i++)
    close(open(numbered(name, i), O_CREATE | O_RDWR));
  sync();
}

static void
drop_tree(int n)
{
  (void)n;
  char name[] = "bench.d/name000.";
  for (int i = 0; i < 60; i++)
    unlink(numbered(name, i));
  unlink("bench.one");
  unlink("bench.d/a/b/c/f");
  remove_dir("bench.d/a/b/c");
  remove_dir("bench.d/a/b");
  remove_dir("bench.d/a");
  remove_dir("bench.d");
  sync();
}

static void
open_name(int n, const char *name)
{
  while (n-- > 0)
    close(open(name, O_RDONLY));
}

static void
open_one(int n)
{
  open_name(n, "bench.one");
}

static void
open_deep(int n)
{
  open_name(n, "bench.d/a/b/c/f");
}

static void
open_many(int n)
{
  open_name(n, "bench.d/name059.");
}

// ---- the console ----

static void
to_console(int n)
{
  memset(buf, '.', KIB);
  for (int i = 127; i < KIB; i += 128)
    buf[i] = '\n';
  while (n-- > 0)
    write(1, buf, KIB);
}

const struct row file_rows[] = {
  { "read4k", "read of a cached file in 4 KiB, per KiB", make_file, read_pages, drop_file, 256, 4 },
  { "read1", "read one byte", make_file, read_bytes, drop_file, 1000, 1 },
  { "overwrite", "overwrite 128 bytes, one sync for 1000", make_file, overwrite_sync, drop_file,
    1000, 1 },
  { "overwrite0", "overwrite 128 bytes, no sync", make_file, overwrite, drop_file, 1000, 1 },
  { "seqwrite", "sequential write, 1 MiB in 4 KiB and fsync, per KiB", make_empty, fill_fsync,
    drop_file, 256, 4 },
  { "seqwrite0", "sequential write, 1 MiB in 4 KiB, no fsync, per KiB", make_empty, fill, drop_file,
    256, 4 },
  { "seqread", "sequential read from the disk, 1 MiB in 4 KiB, per KiB", make_cold, read_pages,
    drop_file, 256, 4 },
  { "create", "create + unlink, one sync for 64", 0, create_unlink, 0, 64, 1 },
  { "createsync", "create + fsync + unlink + fsync", 0, create_fsync, 0, 16, 1 },
  { "unlink256k", "unlink a 256 KiB file and sync", make_256k, unlink_256k, 0, 1, 1 },
  { "open", "open + close", make_tree, open_one, drop_tree, 200, 1 },
  { "opendeep", "open + close, four directories deep", make_tree, open_deep, drop_tree, 200, 1 },
  { "open60", "open + close, in a directory of 60", make_tree, open_many, drop_tree, 200, 1 },
  { "console", "console write, per byte in writes of 1 KiB", 0, to_console, 0, 4, 1024 },
  { 0 },
};
