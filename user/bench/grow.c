// SPDX-License-Identifier: MIT
// How costs grow: one kind of work among more and more of something.
#include "bench.h"

#define MAXSIZES 5
#define PROBES   100 // operations among many things: at places all over them
#define EVICT    256
#define MOST     112 // pages in 7/8 of half a MiB

// A size is what the row's before() finds in `size`. A row with n == 0 has as many operations as that.
struct sweep {
  const char *name;
  const char *about;
  int sizes[MAXSIZES]; // -1: MiB of memory, whatever they are
  int rounds;
  struct row row;
};

static int size, ends[2], fd;
static char *area;
static char buf[4 * KIB];

// The i-th of PROBES places among `size`, all over them.
static int
place(int i)
{
  return (uint64)i * 7919 % size;
}

// ---- processes ----

// They are asleep when this returns, or all but the last.
static void
start_crowd(int n)
{
  char c;
  int here[2];
  (void)n;
  need(pipe(ends) == 0 && pipe(here) == 0, "pipe");
  for (int i = 0; i < size; i++) {
    if (fork_or_end() == 0) {
      close(ends[1]);
      write(here[1], "", 1);
      read(ends[0], &c, 1);
      exit(0);
    }
    read(here[0], &c, 1);
  }
  close(ends[0]);
  close(here[0]);
  close(here[1]);
}

static void
end_crowd(int n)
{
  (void)n;
  close(ends[1]);
  for (int i = 0; i < size; i++)
    reap();
}

static void
touch_mib(int n)
{
  (void)n;
  need((area = sbrk(size * MIB)) != SBRK_ERROR, "sbrk");
  for (int i = 0; i < size * MIB; i += PAGE)
    area[i] = 1;
}

static void
untouch_mib(int n)
{
  (void)n;
  need(sbrk(-size * MIB) != SBRK_ERROR, "sbrk");
}

// ---- mappings: of SPAN pages each, and a hole behind it ----

#define SPAN 16

static char *
page_of(int mapping, int page)
{
  return area + ((uint64)mapping * (SPAN + 1) + page) * PAGE;
}

// The first page of each is touched, so that the page tables are there.
static void
make_mappings(int n)
{
  (void)n;
  uint64 len = (uint64)size * (SPAN + 1) * PAGE;
  area = mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  need(area != MAP_FAILED, "mmap");
  for (int i = 0; i < size; i++) {
    need(munmap(page_of(i, SPAN), PAGE) == 0, "munmap");
    *page_of(i, 0) = 1;
  }
}

static void
touch_mappings(int n)
{
  for (int i = 0; i < n; i++)
    *page_of(place(i), 1 + i / size) = 1;
}

static void
drop_mappings(int n)
{
  (void)n;
  munmap(area, (uint64)size * (SPAN + 1) * PAGE);
}

// ---- names ----

static void
make_names(int n)
{
  (void)n;
  char name[] = "bench.n/name00000.";
  mkdir("bench.n");
  close(open("bench.n/one", O_CREATE | O_RDWR));
  for (int i = 0; i < size; i++)
    need(link("bench.n/one", numbered(name, i)) == 0, "link");
  sync();
}

static void
open_names(int n)
{
  char name[] = "bench.n/name00000.";
  for (int i = 0; i < n; i++)
    close(open(numbered(name, place(i)), O_RDONLY));
}

static void
drop_names(int n)
{
  (void)n;
  char name[] = "bench.n/name00000.";
  for (int i = size - 1; i >= 0; i--)
    unlink(numbered(name, i));
  unlink("bench.n/one");
  remove_dir("bench.n");
  sync();
}

// ---- files: a size is pages ----

static void
make_file(int n)
{
  (void)n;
  need((fd = open("bench.data", O_CREATE | O_RDWR | O_TRUNC)) >= 0, "bench.data");
  sync();
}

static void
write_file(int n)
{
  while (n-- > 0)
    need(write(fd, buf, PAGE) == PAGE, "write");
  fsync(fd);
}

static void
make_cold(int n)
{
  make_file(n);
  write_file(size);
  drop_cache();
  lseek(fd, 0, SEEK_SET);
}

static void
read_file(int n)
{
  while (n-- > 0)
    need(read(fd, buf, PAGE) == PAGE, "read");
}

static void
read_last(int n)
{
  while (n-- > 0) {
    lseek(fd, (uint64)size * PAGE - 1, SEEK_SET);
    read(fd, buf, 1);
  }
}

static void
drop_file(int n)
{
  (void)n;
  close(fd);
  unlink("bench.data");
  sync();
}

// ---- memory ----

static void
fill_half(int n)
{
  (void)n;
  start_swap();
  size /= 2;
  touch_mib(0);
}

static void
evict(int n)
{
  while (n-- > 0)
    need(reclaim(EVICT) == EVICT, "reclaim");
}

static void
evict_most(int n)
{
  need(reclaim(n * MOST) == n * MOST, "reclaim");
}

static void
unfill(int n)
{
  untouch_mib(n);
  size *= 2;
}

static const struct sweep table[] = {
  { "alive",
    "fork + exit + wait, with so many processes alive",
    { 10, 100, 980 },
    3,
    { .before = start_crowd, .run = fork_exit, .after = end_crowd, .n = 20, .units = 1 } },
  { "resident",
    "fork + exit + wait, with so many MiB touched",
    { 1, 4, 16, 64 },
    3,
    { .before = touch_mib, .run = fork_exit, .after = untouch_mib, .n = 1, .units = 1 } },
  { "mappings",
    "a fault among so many mappings",
    { 10, 1000, 10000 },
    3,
    { .before = make_mappings,
      .run = touch_mappings,
      .after = drop_mappings,
      .n = PROBES,
      .units = 1 } },
  { "names",
    "open + close in a directory of so many names",
    { 10, 1000, 10000 },
    2,
    { .before = make_names, .run = open_names, .after = drop_names, .n = PROBES, .units = 1 } },
  { "write",
    "sequential write and fsync of so many pages, per KiB",
    { 1, 16, 256, 4096, 131072 },
    2,
    { .before = make_file, .run = write_file, .after = drop_file, .units = 4 } },
  { "read",
    "sequential read of so many pages from the disk, per KiB",
    { 1, 16, 256, 4096, 131072 },
    2,
    { .before = make_cold, .run = read_file, .after = drop_file, .units = 4 } },
  { "last",
    "lseek + read of the last byte of so many pages, cached",
    { 1, 16, 256, 4096, 131072 },
    2,
    { .before = make_cold, .run = read_last, .after = drop_file, .n = PROBES, .units = 1 } },
  { "reclaim",
    "evict a page, half of so many MiB of memory touched: the first 256",
    { -1 },
    2,
    { .before = fill_half, .run = evict, .after = unfill, .n = 1, .units = EVICT } },
  { "reclaimmost",
    "the same, most of them",
    { -1 },
    2,
    { .before = fill_half, .run = evict_most, .after = unfill, .units = MOST } },
};

static void
sweep_all(const struct sweep *g)
{
  for (int i = 0; i < MAXSIZES && g->sizes[i]; i++) {
    struct costs c;
    struct row r = g->row;
    size = g->sizes[i] > 0 ? g->sizes[i] : (int)memory_mib();
    r.n = r.n ? r.n : size;
    uint64 cost = least(&r, g->rounds, &c);
    report("grow", g->name, size, (uint64)r.n * r.units, cost, &c);
  }
}

void
growth(int argc, char **argv)
{
  for (int i = 0; i < (int)(sizeof(table) / sizeof(table[0])); i++)
    if (wanted(table[i].name, argc, argv))
      sweep_all(&table[i]);
}
