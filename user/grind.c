// SPDX-License-Identifier: MIT
// grind [-s SEED] [ROUNDS]: calls of all kinds in a random mixture, until something breaks.
//
// A few workers, each in a directory of its own, run sessions. A session is a process that does
// some random acts and ends, so that memory and descriptors never pile up; acts may kill it.
// Between sessions a worker empties its directory. All workers also step on each other's toes in a
// directory they share. Without ROUNDS it goes on until it is killed; with it, every worker runs so
// many sessions and grind ends with "grind: OK". The same seed gives every worker the same acts
// again.
//
// What it can notice: a file that only the session knows has bytes that nobody wrote, a pipe loses
// some, memory changes, a child's status is wrong. The rest is for the kernel to notice.
#include "grind/grind.h"

#define WORKERS 3
#define ACTS    60 // in a session

static uint64 state; // of the random numbers
char page[8192];

uint
rnd(uint below)
{
  state = state * 6364136223846793005UL + 1442695040888963407UL;
  return (uint)(state >> 33) % below;
}

// A broken promise ends the session with status 1, and with it grind.
void
broken(const char *what)
{
  fprintf(2, "\ngrind: pid %d: %s (%s)\n", getpid(), what, strerror(errno));
  exit(1);
}

// ---- sessions ----

static void (*const acts[])(void) = {
  act_create,     act_create,      act_unlink,       act_unlink,      act_link,
  act_mkdir,      act_look,        act_list,         act_step_in,     act_descriptor,
  act_descriptor, act_descriptor,  act_private_file, act_pipe,        act_heap,
  act_share,      act_bad_pointer, act_fault,        act_exit_status, act_kill,
  act_kill_group, act_exec,        act_orphans,      act_ask,         act_sync,
};

static void
session(void)
{
  for (int i = 0; i < ACTS; i++)
    acts[rnd(sizeof(acts) / sizeof(acts[0]))]();
  exit(0);
}

// Empties a directory, as deep as acts may have made it.
static void
sweep(const char *dir)
{
  struct dirent de;
  char path[100];
  int fd = open(dir, O_RDONLY);
  while (fd >= 0 && read(fd, &de, sizeof(de)) == sizeof(de)) {
    if (de.inum == 0 || de.name[0] == '.')
      continue;
    int k = snprintf(path, sizeof(path), "%s/", dir), n = 0;
    while (n < DIRSIZ && de.name[n])
      path[k++] = de.name[n++];
    path[k] = 0;
    if (unlink(path) < 0 && strlen(dir) < sizeof(path) - 2 * DIRSIZ)
      sweep(path);
    unlink(path);
  }
  close(fd);
}

// rounds 0: without end.
static void
worker(int who, int seed, int rounds)
{
  char dir[DIRSIZ];
  snprintf(dir, sizeof(dir), "grind.%d", who);
  mkdir(dir);
  if (chdir(dir) < 0)
    broken("cannot enter my directory");
  for (int r = 1; rounds == 0 || r <= rounds; r++) {
    state = (uint64)seed * 1000003 + (uint64)who * 7919 + (uint64)r;
    int status = 0, pid = fork();
    if (pid == 0)
      session();
    if (pid > 0)
      while (wait(&status) != pid)
        ;
    if (pid > 0 && status != 0)
      broken("a session failed");
    sweep(".");
    if (who == 0 && r % 10 == 0)
      write(1, ".", 1);
  }
  chdir("..");
  unlink(dir);
  exit(0);
}

static int
run(int seed, int rounds)
{
  int status, bad = 0;
  mkdir("grind.shared");
  for (int i = 0; i < WORKERS; i++) {
    int pid = fork();
    if (pid == 0)
      worker(i, seed, rounds);
    if (pid < 0)
      broken("fork");
  }
  while (wait(&status) > 0)
    bad += status != 0;
  sweep("grind.shared");
  unlink("grind.shared");
  return bad;
}

int
main(int argc, char **argv)
{
  int seed = uptime(), rounds = 0, i = 1;
  if (argc == 2 && strcmp(argv[1], "-x") == 0)
    return 55; // act_exec runs this program
  if (argc > 2 && strcmp(argv[1], "-s") == 0) {
    seed = atoi(argv[2]);
    i = 3;
  }
  if (argc > i + 1 || (argc > i && (rounds = atoi(argv[i])) < 1)) {
    fprintf(2, "usage: grind [-s SEED] [ROUNDS]\n");
    return 1;
  }
  printf("grind: seed %d, %d workers\n", seed, WORKERS);
  int bad = run(seed, rounds);
  printf(bad ? "\ngrind: FAILED\n" : "\ngrind: OK\n");
  return bad != 0;
}
