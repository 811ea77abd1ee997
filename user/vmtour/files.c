// SPDX-License-Identifier: MIT
// Files: programs that come in as they run, and files that are memory.
#include "tour.h"

#define SELF  "/vmtour"
#define FILE  "vmtour.tmp"
#define PAGES 16

// ---- programs ----

static struct vmainfo list[32];

static struct vmainfo *
text_of(int pid)
{
  int n = vmas(pid, list, 32);
  must(n, "vmas");
  for (int i = 0; i < n && i < 32; i++)
    if (list[i].prot & PROT_EXEC)
      return &list[i];
  exit(1);
}

// This program, started to be looked at: says so on its descriptor 1, and waits to be killed.
int
stand_here(void)
{
  write(1, "x", 1);
  for (;;)
    pause(1000);
}

static int
start_another(void)
{
  char *argv[] = { STAND, 0 }, c;
  int ready[2], pid;
  must(pipe(ready), "pipe");
  must(pid = fork(), "fork");
  if (pid == 0) {
    close(1);
    dup(ready[1]);
    exec(SELF, argv);
    must(-1, SELF);
  }
  close(ready[1]);
  if (read(ready[0], &c, 1) != 1)
    exit(1);
  close(ready[0]);
  return pid;
}

void
tour_demand(void)
{
  dismiss(start_another()); // so that the cache has it
  mark();
  int pid = start_another();
  uint64 reads = since_all()->disk_reads, same = 0;
  struct vmainfo text = *text_of(pid);
  uint64 pages = (text.end - text.start) / PGSIZE;
  for (uint64 va = text.start; va < text.end; va += PGSIZE) {
    uint64 frame = page_of(pid, (void *)va).frame;
    same += frame != 0 && frame == page((void *)va).frame;
  }
  printf("  a second vmtour, started just now: %lu blocks read from the disk\n", reads);
  printf("  pages of its text %lu, of these in memory %lu\n", pages, text.resident);
  printf("  of these, frames that are ours, too: %lu, rights %s\n", same,
         rights(page((void *)text.start).flags));
  printf("  text of the first vmtour, which has touched all: %lu in memory\n",
         text_of(0)->resident);
  dismiss(pid);
  printf("A program comes into memory page by page, as it runs, and all who run it share the\n"
         "frames of the page cache.\n");
}

// ---- files ----

static int
make_file(void)
{
  static char block[PGSIZE];
  int fd = open(FILE, O_CREATE | O_RDWR | O_TRUNC);
  must(fd, FILE);
  for (int i = 0; i < PAGES; i++) {
    memset(block, 'a' + i, PGSIZE);
    must(write(fd, block, PGSIZE) == PGSIZE ? 0 : -1, FILE);
  }
  must(fsync(fd), FILE);
  return fd;
}

static char
byte_of_file(int fd, uint64 at)
{
  char c = 0;
  must(lseek(fd, (int64)at, SEEK_SET), FILE);
  must(read(fd, &c, 1) == 1 ? 0 : -1, FILE);
  return c;
}

// Stores to some pages; what msync writes for it.
static void
store_and_sync(char *p, int pages)
{
  mark();
  for (int i = 0; i < pages; i++)
    *nth(p, i) = 'S';
  uint64 faults = since()->mkwrite;
  must(msync(p, PAGES * PGSIZE, MS_SYNC), "msync");
  printf("  stores to %d pages: %lu faults; msync: %lu blocks to the disk\n", pages, faults,
         since_all()->disk_writes);
}

void
tour_mmap(void)
{
  int fd = make_file();
  mark();
  char *p = map_file(fd, 0, PAGES, RW, MAP_SHARED);
  for (int i = 0; i < PAGES; i++)
    (void)*(volatile char *)nth(p, i);
  printf("  a file of %d pages, mapped and read: %lu faults, %lu frames taken\n", PAGES,
         since()->file, since()->frames_zeroed + since()->frames_copied);
  struct pageinfo a = page(p);
  printf("  page 0 is frame 0x%lx, %s\n", a.frame,
         a.kind == PG_CACHE ? "of the page cache" : "of nobody else");
  p[10] = '!';
  printf("  '!' stored at byte 10; read() finds '%c' there\n", byte_of_file(fd, 10));
  char *q = map_file(fd, 0, 1, RW, MAP_PRIVATE);
  int seen = q[10] == '!', same = page(q).frame == a.frame;
  q[10] = '?';
  printf("  a private mapping: %s, %s; after a store %s, and read() still finds '%c'\n",
         seen ? "sees it" : "does not see it", same ? "the same frame" : "another frame",
         page(q).frame == a.frame ? "the same frame" : "another frame", byte_of_file(fd, 10));
  must(msync(p, PAGES * PGSIZE, MS_SYNC), "msync");
  store_and_sync(p, 0);
  store_and_sync(p, 4);
  unlink(FILE);
  printf("There is one cache: read(), write() and mappings use the same frames, and only what was\n"
         "stored to is written back.\n");
}
