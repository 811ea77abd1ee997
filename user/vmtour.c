// SPDX-License-Identifier: MIT
// vmtour [NAME...]: shows how virtual memory works, on memory of its own and with the numbers that
// the kernel counts meanwhile. Without a name it plays everything, in the order of the list below.
//
// Each part is a function in vmtour/. It runs in a child, which has the program's pages to itself
// (warm(), harness/probe.h), so that each fault it counts is one of the memory that it shows.
#include "vmtour/tour.h"

static const struct part {
  const char *name;
  void (*play)(void);
  const char *title;
} parts[] = {
  { "tables", tour_tables, "page tables on demand" },
  { "sparse", tour_sparse, "a sparse address space" },
  { "lazy", tour_lazy, "lazy memory" },
  { "stack", tour_stack, "the stack" },
  { "cow", tour_cow, "copy-on-write" },
  { "demand", tour_demand, "demand paging" },
  { "mmap", tour_mmap, "files in memory" },
  { "huge", tour_huge, "huge pages" },
  { "swap", tour_swap, "swap" },
};

#define NPARTS ((int)(sizeof(parts) / sizeof(parts[0])))

// "R-X"
const char *
rights(uint flags)
{
  static char text[4];
  snprintf(text, sizeof(text), "%c%c%c", flags & PTE_R ? 'R' : '-', flags & PTE_W ? 'W' : '-',
           flags & PTE_X ? 'X' : '-');
  return text;
}

// Starts a child that does its work and then stands still to be looked at; returns when it does.
int
stand(void (*work)(void))
{
  int ready[2], pid;
  char c;
  must(pipe(ready), "pipe");
  must(pid = fork(), "fork");
  if (pid == 0) {
    work();
    write(ready[1], "x", 1);
    for (;;)
      pause(1000);
  }
  close(ready[1]);
  if (read(ready[0], &c, 1) != 1)
    exit(1); // it has said why
  close(ready[0]);
  return pid;
}

void
dismiss(int pid)
{
  must(kill(pid), "kill");
  wait(0);
}

static int
play(const struct part *p)
{
  int status = 1;
  printf("== %s: %s ==\n", p->name, p->title);
  int pid = fork();
  if (pid == 0) {
    warm();
    p->play();
    exit(0);
  }
  must(pid, "fork");
  while (wait(&status) != pid)
    ;
  return status != 0;
}

static const struct part *
find(const char *name)
{
  for (int i = 0; i < NPARTS; i++)
    if (strcmp(parts[i].name, name) == 0)
      return &parts[i];
  return 0;
}

static int
unknown(const char *name)
{
  fprintf(2, "%s: there is no part %s; there are", progname, name);
  for (int i = 0; i < NPARTS; i++)
    fprintf(2, " %s", parts[i].name);
  fprintf(2, "\n");
  return 1;
}

int
main(int argc, char **argv)
{
  int failed = 0;
  if (strcmp(argv[0], STAND) == 0)
    return stand_here();
  for (int i = 1; i < argc; i++)
    if (find(argv[i]) == 0)
      return unknown(argv[i]);
  for (int i = 0; i < (argc > 1 ? argc - 1 : NPARTS); i++) {
    if (i > 0)
      printf("\n");
    failed |= play(argc > 1 ? find(argv[i + 1]) : &parts[i]);
  }
  return failed;
}
