// SPDX-License-Identifier: MIT
// vmstat [seconds [count]]: virtual memory in numbers. Alone: every counter of the system since boot.
// With seconds: a line of what has happened in each such time, without end or so many times.

#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"

#define HEAD_EVERY 20 // lines

static struct vmstat was, is;
static struct sysinfo si;

static void
look(void)
{
  was = is;
  if (vmstat(&is) < 0 || sysinfo(&si, 0) < 0) {
    perror("vmstat");
    exit(1);
  }
}

static void
print_all(void)
{
#define ROW(name, what) printf("%12lu  %-16s %s\n", is.all.name, #name, what);
  VM_COUNTERS(ROW)
#undef ROW
  printf("%12lu  %-16s %s\n", is.mms, "mms", "address spaces");
  printf("%12lu  %-16s %s\n", is.slots - is.slots_free, "slots used",
         is.slots ? "pages in swap" : "swap is off");
}

static void
print_head(void)
{
  printf("  --------frames-------  ----------faults--------- -----swap-----  ---disk---  hart\n");
  printf(
      "    free   cache swapped    all   zero    cow   file    in    out    reads writes  ipis\n");
}

#define SINCE(name) (is.all.name - was.all.name)

static void
print_line(void)
{
  printf("%8lu %7lu %7lu %6lu %6lu %6lu %6lu %5lu %6lu %8lu %6lu %5lu\n", si.free, si.cache,
         is.slots - is.slots_free, SINCE(faults), SINCE(zero_fill) + SINCE(zero_page),
         SINCE(cow_copy) + SINCE(cow_reuse), SINCE(file) + SINCE(mkwrite), SINCE(swap_in),
         SINCE(swap_outs), SINCE(disk_reads), SINCE(disk_writes), SINCE(shootdowns));
}

int
main(int argc, char *argv[])
{
  int seconds = 0, count = 0;

  if (argc > 3 || (argc > 1 && (!number(argv[1], &seconds) || seconds < 1)) ||
      (argc > 2 && (!number(argv[2], &count) || count < 1))) {
    fprintf(2, "usage: vmstat [seconds [count]]\n");
    exit(1);
  }
  look();
  if (seconds == 0)
    print_all();
  for (int i = 0; seconds > 0 && (count == 0 || i < count); i++) {
    if (i % HEAD_EVERY == 0)
      print_head();
    pause(seconds * TICKS_HZ);
    look();
    print_line();
  }
  exit(0);
}
