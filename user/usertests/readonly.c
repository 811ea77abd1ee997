// SPDX-License-Identifier: MIT
// The errors of a disk that cannot be written. Scripts that have such a disk run this program as
// @readonly, where it is write-protected, and as @failing, where the log cannot be written, once
// for each call that can be the first to hear of it: the file "old" and the directory "dir" are
// there.
#include "test.h"

static char *mapping; // of "old"

static char *
map_old(int fd)
{
  char *p = mmap(0, PGSIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(p != MAP_FAILED);
  return p;
}

// Every call that would change something says EROFS and changes nothing.
static void
nothing_can_be_changed(int fd)
{
  struct stat was = look("old");
  FAILS(write(fd, "x", 1), EROFS);
  FAILS(ftruncate(fd, 0), EROFS);
  FAILS(ftruncate(fd, 100000), EROFS);
  FAILS(open("old", O_RDWR | O_TRUNC), EROFS);
  FAILS(open("new", O_CREATE | O_RDWR), EROFS);
  FAILS(mkdir("new"), EROFS);
  FAILS(mknod("new", CONSOLE, 0), EROFS);
  FAILS(link("old", "new"), EROFS);
  FAILS(unlink("old"), EROFS);
  FAILS(unlink("dir"), EROFS);
  CHECK(!exists("new") && look("dir").type == T_DIR);
  CHECK(look("old").size == was.size && look("old").nlink == was.nlink);
  struct waitinfo info = death(touch, (uint64)mapping); // a store
  CHECK(info.how == DIED_IO && info.va == (uint64)mapping);
  CHECK(msync(mapping, PGSIZE, MS_SYNC) == 0 && fsync(fd) == 0); // it did not happen
}

int
on_readonly_disk(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  int fd = open("old", O_RDWR);
  mapping = map_old(fd);
  nothing_can_be_changed(fd);
  CHECK(sync() == 0);
  return 0;
}

// What was done before the log fails is not on the disk, and who syncs hears so: EIO. What is stored
// afterwards gets no further than to the next sync: EROFS. The write-back thread may be that, as it
// comes once a second, and then nothing can be stored any more.
int
on_failing_disk(int argc, char **argv)
{
  (void)argv;
  int fd = open("old", O_RDWR), other = open("README", O_RDONLY);
  mapping = map_old(fd);
  *mapping = 'x';
  if (argc > 1)
    FAILS(msync(mapping, PGSIZE, MS_SYNC), EIO);
  FAILS(fsync(other), EIO);
  struct waitinfo info = death(touch, (uint64)mapping);
  CHECK(info.how == DIED_EXIT || info.how == DIED_IO);
  if (info.how == DIED_EXIT)
    FAILS(fsync(fd), EROFS);
  FAILS(fsync(fd), EIO);
  FAILS(sync(), EIO);
  FAILS(msync(mapping, PGSIZE, MS_SYNC), EIO);
  FAILS(write(fd, "x", 1), EROFS);
  return 0;
}
