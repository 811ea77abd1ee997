// SPDX-License-Identifier: MIT
// Directories and names.
#include "test.h"

void
names_up_to_dirsiz(void)
{
  make("12345678901234", 1, 5); // 14 bytes
  CHECK(exists("12345678901234"));
  FAILS(open("123456789012345", O_RDONLY), ENAMETOOLONG);
  FAILS(open("123456789012345", O_CREATE | O_RDWR), ENAMETOOLONG);
  FAILS(mkdir("123456789012345"), ENAMETOOLONG);
  FAILS(mknod("123456789012345", CONSOLE, 0), ENAMETOOLONG);
  FAILS(link("12345678901234", "123456789012345"), ENAMETOOLONG);
  FAILS(link("123456789012345", "x"), ENAMETOOLONG);
  FAILS(unlink("123456789012345"), ENAMETOOLONG);
  FAILS(chdir("123456789012345"), ENAMETOOLONG);
  FAILS(open("123456789012345/x", O_RDONLY), ENAMETOOLONG);
  CHECK(unlink("12345678901234") == 0);
}

// Names that share all but their last byte are different names.
void
names_alike(void)
{
  make("1234567890123a", 1, 1);
  make("1234567890123b", 2, 2);
  make("1234567890123", 3, 3);
  holds("1234567890123a", 1, 1);
  holds("1234567890123b", 2, 2);
  holds("1234567890123", 3, 3);
}

// Any byte but / and 0 can be in a name.
void
names_of_any_bytes(void)
{
  char name[] = "x?y";
  for (int c = 1; c < 256; c++) {
    if (c == '/')
      continue;
    name[1] = (char)c;
    make(name, c, 3);
    holds(name, c, 3);
    CHECK(unlink(name) == 0);
  }
}

void
paths_up_to_maxpath(void)
{
  make("f", 1, 9);
  for (int i = 0; i < 200; i += 2)
    memmove(buf + i, "./", 2);
  memmove(buf + MAXPATH - 2, "f", 2); // 127 bytes and the zero
  CHECK(look(buf).size == 9);
  memmove(buf + MAXPATH - 2, "/f", 3);
  FAILS(open(buf, O_RDONLY), ENAMETOOLONG);
  FAILS(mkdir(buf), ENAMETOOLONG);
}

void
paths_too_long(void)
{
  make("f", 1, 9);
  memset(buf, '/', MAXPATH - 1);
  buf[MAXPATH - 1] = 0;
  CHECK(look(buf).ino == ROOTINO);
  memset(buf, 'a', 5000);
  buf[5000] = 0;
  FAILS(open(buf, O_RDONLY), ENAMETOOLONG);
  FAILS(unlink(buf), ENAMETOOLONG);
  FAILS(chdir(buf), ENAMETOOLONG);
  FAILS(mkdir(buf), ENAMETOOLONG);
  FAILS(link(buf, "x"), ENAMETOOLONG);
  FAILS(link("f", buf), ENAMETOOLONG);
  FAILS(mknod(buf, 1, 0), ENAMETOOLONG);
}

void
paths_odd_but_right(void)
{
  CHECK(mkdir("d") == 0 && mkdir("d/e") == 0);
  make("d/e/f", 1, 4);
  holds("d//e///f", 1, 4);
  holds("./d/./e/../e/f", 1, 4);
  holds("d/../d/e/f", 1, 4);
  CHECK(look("d/").ino == look("d").ino);
  CHECK(look("d/e/").ino == look("d/e/.").ino);
  CHECK(chdir("d/e") == 0);
  holds("f", 1, 4);
  holds("../e/f", 1, 4);
  holds("../../d/e/f", 1, 4);
  CHECK(chdir("/") == 0 && look("..").ino == ROOTINO && look("../../..").ino == ROOTINO);
}

// An empty name names nothing, and a try leaves nothing behind. Many tries, each in a deeper
// directory.
void
empty_names(void)
{
  make("f", 1, 1);
  for (int i = 0; i < 40; i++) {
    CHECK(mkdir("deeper") == 0 && chdir("deeper") == 0);
    FAILS(mkdir(""), ENOENT);
    FAILS(link("/usertests", ""), ENOENT);
    FAILS(link("", "x"), ENOENT);
    FAILS(unlink(""), ENOENT);
    FAILS(open("", O_CREATE | O_RDWR), ENOENT);
    FAILS(mknod("", CONSOLE, 0), ENOENT);
    make("xx", 1, 1);
    CHECK(unlink("xx") == 0);
  }
  for (int i = 0; i < 40; i++)
    CHECK(chdir("..") == 0 && unlink("deeper") == 0);
  holds("f", 1, 1);
}

void
link_and_unlink(void)
{
  make("a", 1, 100);
  CHECK(link("a", "b") == 0);
  CHECK(look("a").nlink == 2 && look("a").ino == look("b").ino);
  CHECK(unlink("a") == 0);
  FAILS(open("a", O_RDONLY), ENOENT);
  holds("b", 1, 100);
  CHECK(look("b").nlink == 1);
  FAILS(link("b", "b"), EEXIST);
  CHECK(look("b").nlink == 1);
  CHECK(unlink("b") == 0);
  FAILS(link("b", "a"), ENOENT);
  FAILS(unlink("b"), ENOENT);
}

void
link_what_cannot_be(void)
{
  make("f", 1, 1);
  CHECK(mkdir("d") == 0);
  FAILS(link("d", "e"), EPERM);
  FAILS(link(".", "e"), EPERM);
  FAILS(link("f", "d"), EEXIST);
  FAILS(link("f", "."), EEXIST);
  FAILS(link("f", "no/e"), ENOENT);
  FAILS(link("f", "f/e"), ENOTDIR);
  FAILS(link("f/x", "e"), ENOTDIR);
  CHECK(look("f").nlink == 1 && !exists("e"));
}

void
unlink_what_cannot_be(void)
{
  CHECK(mkdir("d") == 0 && mkdir("d/e") == 0);
  FAILS(unlink("d"), ENOTEMPTY);
  FAILS(unlink("."), EINVAL);
  FAILS(unlink(".."), EINVAL);
  FAILS(unlink("d/."), EINVAL);
  FAILS(unlink("d/e/.."), EINVAL);
  FAILS(unlink("/"), EINVAL);
  FAILS(unlink("d/x"), ENOENT);
  CHECK(unlink("d/e") == 0 && unlink("d") == 0);
  FAILS(chdir("d"), ENOENT);
}

void
mkdir_what_cannot_be(void)
{
  make("f", 1, 1);
  CHECK(mkdir("d") == 0);
  FAILS(mkdir("d"), EEXIST);
  FAILS(mkdir("f"), EEXIST);
  FAILS(mkdir("."), EEXIST);
  FAILS(mkdir("d/.."), EEXIST);
  FAILS(mkdir("/"), EINVAL);
  FAILS(mkdir("f/x"), ENOTDIR);
  FAILS(mkdir("no/x"), ENOENT);
  FAILS(chdir("f"), ENOTDIR);
}

// Directories are read, not written.
void
directory_is_not_a_file(void)
{
  struct dirent de;
  CHECK(mkdir("d") == 0);
  FAILS(open("d", O_WRONLY), EISDIR);
  FAILS(open("d", O_RDWR), EISDIR);
  FAILS(open("d", O_CREATE | O_RDWR), EISDIR);
  FAILS(open("d", O_CREATE | O_RDONLY), EISDIR);
  FAILS(open("d", O_RDWR | O_TRUNC), EISDIR);
  FAILS(open("d", O_RDONLY | O_TRUNC), EISDIR);
  FAILS(open("/", O_RDONLY | O_TRUNC), EISDIR);
  int fd = open("d", O_RDONLY);
  CHECK(fd >= 0);
  FAILS(write(fd, "x", 1), EBADF);
  get(fd, &de, sizeof(de));
  CHECK(strcmp(de.name, ".") == 0 && de.inum == look("d").ino);
  get(fd, &de, sizeof(de));
  CHECK(strcmp(de.name, "..") == 0 && de.inum == look(".").ino);
}

void
directories_nested(void)
{
  for (int i = 0; i < 30; i++)
    CHECK(mkdir("n") == 0 && chdir("n") == 0);
  make("bottom", 1, 3);
  holds("../n/bottom", 1, 3);
  CHECK(unlink("bottom") == 0);
  for (int i = 0; i < 30; i++)
    CHECK(chdir("..") == 0 && unlink("n") == 0);
}

// Names made, found, and removed in another order; the directory uses its space again.
static void
many_names(int n, int step)
{
  char name[DIRSIZ];
  make("f", 1, 1);
  for (int i = 0; i < n; i++) {
    snprintf(name, sizeof(name), "name%d", i);
    CHECK(link("f", name) == 0);
  }
  uint64 size = look(".").size;
  CHECK(look("f").nlink == n + 1);
  for (int i = 0, k = 0; i < n; i++, k = (k + step) % n) {
    snprintf(name, sizeof(name), "name%d", k);
    CHECK(unlink(name) == 0);
    FAILS(open(name, O_RDONLY), ENOENT);
  }
  for (int i = 0; i < n; i += 3) {
    snprintf(name, sizeof(name), "other%d", i);
    CHECK(link("f", name) == 0);
  }
  CHECK(look(".").size == size);
}

void
directory_of_some_names(void)
{
  many_names(300, 7);
}

void
directory_of_thousand_names(void)
{
  many_names(1000, 7);
}

// ---- a current directory that is removed ----

static void
in_removed_directory(uint64 unused)
{
  (void)unused;
  CHECK(mkdir("a") == 0 && mkdir("a/b") == 0 && chdir("a/b") == 0);
  CHECK(unlink("../../a/b") == 0); // it ends in there
}

// Both a directory and its parent vanish under a process; its dot-dot leads nowhere wild.
void
removed_directory_has_no_parent(void)
{
  CHECK(mkdir("a") == 0 && mkdir("a/b") == 0 && chdir("a/b") == 0);
  int pid = fork();
  if (pid == 0) {
    CHECK(chdir("../..") == 0 && unlink("a/b") == 0 && unlink("a") == 0);
    for (int i = 0; i < 5; i++)
      make("new", 1, 1); // takes the inode numbers again
    CHECK(mkdir("newdir") == 0);
    exit(0);
  }
  CHECK(reap(pid) == 0);
  int fd = open("..", O_RDONLY);
  CHECK(fd >= 0 || errno == ENOENT);
  FAILS(open("new", O_RDONLY), ENOENT);
  FAILS(open("x", O_CREATE | O_RDWR), ENOENT);
  FAILS(mkdir("x"), ENOENT);
  FAILS(link("/usertests", "x"), ENOENT);
  FAILS(mknod("x", CONSOLE, 0), ENOENT);
  FAILS(open("../x", O_CREATE | O_RDWR), ENOENT);
  FAILS(open("../new", O_RDONLY), ENOENT);
  CHECK(chdir("/") == 0);
}

void
removed_directory_frees_its_inode(void)
{
  uint64 was = counts(SI_DROP).ifree;
  LIVES(in_removed_directory, 0);
  CHECK(unlink("a") == 0);
  CHECK(counts(SI_DROP).ifree == was);
}

// A directory that is open or somebody's current one can be removed.
void
removed_directory_stays_readable(void)
{
  struct dirent de;
  CHECK(mkdir("d") == 0);
  int fd = open("d", O_RDONLY);
  CHECK(unlink("d") == 0);
  int got = read(fd, &de, sizeof(de));
  CHECK(got == 0 || got == sizeof(de));
  CHECK(mkdir("d") == 0 && look("d").nlink >= 1);
}
