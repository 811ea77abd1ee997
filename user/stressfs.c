// SPDX-License-Identifier: MIT
// stressfs [PROCESSES [BLOCKS]]: several processes write, read and check files at the same time.
//
// Each has a file of its own, which it writes twice, reads back and removes; and all write to one
// file through one shared position, where no record may get lost.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/quire.h"

#define RECORD 512
#define COMMON "stressfs.all"

static int blocks = 40; // of RECORD bytes, in each file
static int shared;

static void __attribute__((noreturn)) give_up(const char *what)
{
  fprintf(2, "stressfs: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void
write_record(int fd, int who, int nr)
{
  int record[RECORD / sizeof(int)];
  for (uint i = 0; i < RECORD / sizeof(int); i++)
    record[i] = who << 20 ^ nr << 8 ^ (int)i;
  if (write(fd, record, RECORD) != RECORD)
    give_up("write");
}

// Reads one record; 1 if it is whole. It may be anybody's when who is -1.
static int
check_record(int fd, int who, int nr)
{
  int record[RECORD / sizeof(int)];
  if (read(fd, record, RECORD) != RECORD)
    give_up("read");
  int first = who < 0 ? record[0] : who << 20 ^ nr << 8;
  for (uint i = 0; i < RECORD / sizeof(int); i++)
    if (record[i] != (first ^ (int)i))
      return 0;
  return 1;
}

static void
work(int who)
{
  char name[16];
  snprintf(name, sizeof(name), "stressfs.%d", who);
  for (int round = 0; round < 2; round++) {
    int fd = open(name, O_CREATE | O_RDWR);
    if (fd < 0)
      give_up(name);
    for (int i = 0; i < blocks; i++) {
      write_record(fd, who, i + round);
      write_record(shared, who, i);
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
      give_up("lseek");
    for (int i = 0; i < blocks; i++)
      if (!check_record(fd, who, i + round))
        give_up("a record is not what was written");
    close(fd);
  }
  if (unlink(name) < 0)
    give_up("unlink");
  exit(0);
}

static int
run(int processes)
{
  int bad = 0, status;
  for (int i = 0; i < processes; i++) {
    int pid = fork();
    if (pid == 0)
      work(i);
    if (pid < 0)
      give_up("fork");
  }
  while (wait(&status) > 0)
    bad += status != 0;
  return bad;
}

// The shared file has everybody's records, whole.
static int
check_shared(int records)
{
  char c;
  if (lseek(shared, 0, SEEK_SET) < 0)
    give_up("lseek");
  for (int i = 0; i < records; i++)
    if (!check_record(shared, -1, 0))
      return 1;
  return read(shared, &c, 1) != 0;
}

int
main(int argc, char **argv)
{
  int processes = argc > 1 ? atoi(argv[1]) : 4;
  if (argc > 2)
    blocks = atoi(argv[2]);
  if (processes < 1 || processes > 200 || blocks < 1) {
    fprintf(2, "usage: stressfs [PROCESSES [BLOCKS]]\n");
    return 1;
  }
  shared = open(COMMON, O_CREATE | O_TRUNC | O_RDWR);
  if (shared < 0)
    give_up(COMMON);
  printf("stressfs: %d processes, %d blocks each\n", processes, blocks);
  int bad = run(processes);
  bad += check_shared(processes * blocks * 2);
  unlink(COMMON);
  printf(bad ? "stressfs: FAILED\n" : "stressfs: OK\n");
  return bad != 0;
}
