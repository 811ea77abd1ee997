// SPDX-License-Identifier: MIT
// logstress [FILE...]: one process a file, all writing at once, each with an fsync now and then.
//
// Transactions of all of them share the log, and each fsync wants it on the disk. Afterwards every
// file is read and checked. Files that are named stay; without names, it takes six of its own and
// removes them.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/quire.h"

#define ROUNDS 250
#define PIECE  500 // bytes a round: not a part of a block

static char *own[] = { "logstress.0", "logstress.1", "logstress.2",
                       "logstress.3", "logstress.4", "logstress.5" };

static void __attribute__((noreturn)) give_up(const char *name, const char *what)
{
  fprintf(2, "logstress: %s: %s: %s\n", name, what, strerror(errno));
  exit(1);
}

static void
write_file(const char *name, int who)
{
  char piece[PIECE];
  int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);
  if (fd < 0)
    give_up(name, "open");
  for (int i = 0; i < ROUNDS; i++) {
    memset(piece, 'a' + (who + i) % 26, PIECE);
    if (write(fd, piece, PIECE) != PIECE)
      give_up(name, "write");
    if ((i + who) % 50 == 49 && fsync(fd) < 0)
      give_up(name, "fsync");
  }
  close(fd);
}

static int
file_is_right(const char *name, int who)
{
  char piece[PIECE];
  int fd = open(name, O_RDONLY);
  if (fd < 0)
    return 0;
  for (int i = 0; i < ROUNDS; i++) {
    if (read(fd, piece, PIECE) != PIECE)
      return 0;
    for (int k = 0; k < PIECE; k++)
      if (piece[k] != 'a' + (who + i) % 26)
        return 0;
  }
  int end = read(fd, piece, 1) == 0;
  close(fd);
  return end;
}

static int
write_all(int n, char **names)
{
  int bad = 0, status;
  for (int i = 0; i < n; i++) {
    int pid = fork();
    if (pid < 0)
      give_up(names[i], "fork");
    if (pid == 0) {
      write_file(names[i], i);
      exit(0);
    }
  }
  while (wait(&status) > 0)
    bad += status != 0;
  return bad;
}

int
main(int argc, char **argv)
{
  int n = argc > 1 ? argc - 1 : (int)(sizeof(own) / sizeof(own[0]));
  char **names = argc > 1 ? argv + 1 : own;
  int bad = write_all(n, names);
  for (int i = 0; i < n; i++)
    if (!file_is_right(names[i], i)) {
      fprintf(2, "logstress: %s is not what was written\n", names[i]);
      bad++;
    }
  for (int i = 0; i < n && names == own; i++)
    unlink(own[i]);
  printf(bad ? "logstress: FAILED\n" : "logstress: OK\n");
  return bad != 0;
}
