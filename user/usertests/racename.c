// SPDX-License-Identifier: MIT
// Several processes use the same names and directories at the same time. What they do must come out
// as if they had done it one after the other.
#include "test.h"

static void
name_of(char *name, const char *base, uint64 who, int i)
{
  snprintf(name, DIRSIZ, "%s%d.%d", base, (int)who, i);
}

static void
make_and_remove(uint64 who)
{
  char name[DIRSIZ];
  for (int i = 0; i < 25; i++) {
    name_of(name, "f", who, i);
    make(name, i, 100 * i);
  }
  for (int i = 0; i < 25; i++) {
    name_of(name, "f", who, i);
    holds(name, i, 100 * i);
    if (i % 2)
      CHECK(unlink(name) == 0);
  }
}

void
race_names_of_ones_own(void)
{
  char name[DIRSIZ];
  crowd(4, make_and_remove);
  for (int who = 0; who < 4; who++)
    for (int i = 0; i < 25; i++) {
      name_of(name, "f", who, i);
      CHECK(exists(name) == (i % 2 == 0));
    }
}

// Of several that make one directory, one succeeds, and of several that remove it, one.
static int wins;

static void
make_the_same(uint64 who)
{
  int won[2] = { 0, 0 };
  for (int i = 0; i < 60; i++) {
    if (mkdir("same") == 0)
      won[0]++;
    else
      CHECK(errno == EEXIST);
    if (unlink("same") == 0)
      won[1]++;
    else
      CHECK(errno == ENOENT);
  }
  (void)who;
  put(wins, won, sizeof(won));
}

void
race_for_one_directory(void)
{
  int won[2], sum[2] = { 0, 0 };
  wins = create("wins");
  crowd(4, make_the_same);
  CHECK(lseek(wins, 0, SEEK_SET) == 0);
  while (read(wins, won, sizeof(won)) == sizeof(won)) {
    sum[0] += won[0];
    sum[1] += won[1];
  }
  CHECK(sum[0] > 0 && sum[0] == sum[1] && !exists("same"));
}

// One name comes and goes; whoever finds it can use what is behind it.
static void
come_and_go(uint64 who)
{
  for (int i = 0; i < 80; i++) {
    int fd = open("x", O_CREATE | O_RDWR);
    CHECK(fd >= 0);
    put(fd, &who, sizeof(who));
    if (unlink("x") < 0)
      CHECK(errno == ENOENT);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    uint64 seen;
    get(fd, &seen, sizeof(seen));
    CHECK(seen < 4);
    close(fd);
  }
}

void
race_for_one_name(void)
{
  crowd(4, come_and_go);
}

// link, unlink and create of one name, by two that step on each other's toes.
static void
link_or_unlink(uint64 who)
{
  uint x = (uint)who * 2654435761u + 1;
  for (int i = 0; i < 200; i++) {
    x = x * 1103515245 + 12345;
    if ((x >> 16) % 3 == 0)
      close(open("toes", O_RDWR | O_CREATE));
    else if ((x >> 16) % 3 == 1)
      link("other", "toes");
    else
      unlink("toes");
  }
}

void
race_link_and_unlink(void)
{
  make("other", 1, 10);
  crowd(3, link_or_unlink);
  unlink("toes");
  CHECK(look("other").nlink == 1);
  holds("other", 1, 10);
}

// A name is put into a directory while it is being removed: the one or the other wins.
static void
link_into_or_remove(uint64 who)
{
  for (int i = 0; i < 100; i++) {
    if (who == 0) {
      mkdir("d");
      if (unlink("d") < 0)
        CHECK(errno == ENOTEMPTY || errno == ENOENT);
    } else {
      if (link("f", "d/f") < 0)
        CHECK(errno == ENOENT || errno == EEXIST);
      if (unlink("d/f") < 0)
        CHECK(errno == ENOENT);
    }
  }
}

void
race_link_into_a_dying_directory(void)
{
  make("f", 1, 10);
  crowd(3, link_into_or_remove);
  unlink("d/f");
  unlink("d");
  CHECK(look("f").nlink == 1 && !exists("d"));
}

// Files and directories are made in a directory that another removes all the time.
static void
make_inside_or_remove(uint64 who)
{
  for (int i = 0; i < 80; i++) {
    if (who == 0) {
      mkdir("d");
      unlink("d/x");
      unlink("d/y");
      unlink("d");
    } else if (who == 1) {
      int fd = open("d/x", O_CREATE | O_RDWR);
      CHECK(fd >= 0 || errno == ENOENT);
      if (fd >= 0)
        close(fd);
    } else if (mkdir("d/y") < 0) {
      CHECK(errno == ENOENT || errno == EEXIST);
    }
  }
}

void
race_make_in_a_dying_directory(void)
{
  crowd(3, make_inside_or_remove);
  unlink("d/x");
  unlink("d/y");
  unlink("d");
  CHECK(!exists("d"));
}

// Paths up and down the same tree by many at once: locks of directories in any order.
static void
walk_around(uint64 who)
{
  struct stat st;
  for (int i = 0; i < 100; i++) {
    CHECK(stat(who % 2 ? "a/b/../../a/b/c" : "a/b/c/../../b/c", &st) == 0);
    CHECK(chdir("a/b/c") == 0);
    CHECK(stat("../../../a", &st) == 0);
    CHECK(chdir("../../..") == 0);
    if (i % 10 == 0) {
      mkdir("a/b/t");
      unlink("a/b/t");
    }
  }
}

void
race_up_and_down_a_tree(void)
{
  CHECK(mkdir("a") == 0 && mkdir("a/b") == 0 && mkdir("a/b/c") == 0);
  crowd(5, walk_around);
}

// Forks while others look up names.
static void
fork_or_look(uint64 who)
{
  for (int i = 0; i < 40; i++) {
    if (who % 2) {
      int pid = fork();
      if (pid == 0)
        exit(chdir("..") < 0);
      CHECK(reap(pid) == 0);
    } else {
      CHECK(!exists("nothing") && exists("."));
      CHECK(mkdir(who ? "p" : "q") == 0 && unlink(who ? "p" : "q") == 0);
    }
  }
}

void
race_forks_and_names(void)
{
  crowd(4, fork_or_look);
}

// Directories come and go under processes that stand in them and look around.
static void
stand_and_look(uint64 who)
{
  char d[DIRSIZ];
  struct stat st;
  for (int i = 0; i < 25; i++) {
    name_of(d, "s", who % 2, i % 3);
    mkdir(d);
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      if (chdir(d) == 0) {
        mkdir("in");
        chdir("in");
        stat("..", &st);
        stat("../..", &st);
        close(open("../new", O_CREATE | O_RDWR));
      }
      exit(0);
    }
    unlink(d);
    CHECK(reap(pid) == 0);
  }
}

void
race_removed_current_directories(void)
{
  crowd(4, stand_and_look);
}

// Two directories take turns with one inode; one has a directory f, the other a file f. However a look
// comes between, it never finds the one's f in the other.
static void
take_turns(uint64 who)
{
  struct stat st;
  for (int i = 0; i < 150; i++) {
    if (who > 0) {
      CHECK(stat("a/f", &st) < 0 || st.type == T_DIR);
      CHECK(stat("b/f", &st) < 0 || st.type == T_FILE);
      continue;
    }
    CHECK(mkdir("a") == 0 && mkdir("a/f") == 0 && look("a/f").type == T_DIR);
    CHECK(unlink("a/f") == 0 && !exists("a/f") && unlink("a") == 0 && !exists("a/f"));
    CHECK(mkdir("b") == 0 && close(create("b/f")) == 0 && look("b/f").type == T_FILE);
    CHECK(unlink("b/f") == 0 && !exists("b/f") && unlink("b") == 0 && !exists("b/f"));
  }
}

void
race_one_inode_for_two_directories(void)
{
  crowd(4, take_turns);
}
