// SPDX-License-Identifier: MIT
// No memory at any one allocation: a call then fails, or finds another way. If it fails all is as it
// was: ranges, pages and their bytes, files. Debug builds only; others skip this.
#include "test.h"

#define N 8 // pages of each kind

static char *anon, *file, *shm;
static int fd;

// ---- what must not change ----

static struct state {
  int n;
  struct vmainfo vmas[48];
  struct pageinfo pages[3 * N];
} was, is;

static void
look_at(struct state *s)
{
  memset(s, 0, sizeof(*s));
  s->n = vmas(0, s->vmas, COUNT(s->vmas));
  CHECK(pageinfo(anon, N, s->pages) == N && pageinfo(file, N, &s->pages[N]) == N);
  CHECK(pageinfo(shm, N, &s->pages[2 * N]) == N);
  for (int i = 0; i < 3 * N; i++)
    s->pages[i].flags &= PTE_R | PTE_X; // a fork may leave it to the next store to be W again
  for (int i = N; i < 2 * N; i++)
    s->pages[i].refs = 0;        // the log and the write-back thread come and go
  for (int i = 0; i < s->n; i++) // what the test itself touches meanwhile
    s->vmas[i].resident = s->vmas[i].dirty = s->vmas[i].shared = 0;
}

static void
prepare(void)
{
  fd = open("f", O_RDWR);
  anon = map_at(DESERT, N, 0);
  shm = map_at(nth(DESERT, 2 * N), N, MAP_SHARED);
  file = map_file(fd, 0, N, RW, MAP_SHARED);
  stamp_all(anon, 1, N);
  stamp_all(shm, 2, N);
  CHECK(same(file, N * PGSIZE, 1, 0));
  look_at(&was);
  look_at(&is); // and all of this is there
}

static void
unchanged(void)
{
  look_at(&is);
  EQUALS(is.n, was.n);
  for (int i = 0; i < was.n; i++) {
    EQUALS(is.vmas[i].start, was.vmas[i].start);
    EQUALS(is.vmas[i].end, was.vmas[i].end);
    CHECK(memcmp(&is.vmas[i], &was.vmas[i], sizeof(was.vmas[i])) == 0);
  }
  for (int i = 0; i < 3 * N; i++) {
    EQUALS(is.pages[i].frame, was.pages[i].frame);
    EQUALS(is.pages[i].refs, was.pages[i].refs);
    EQUALS(is.pages[i].flags, was.pages[i].flags);
  }
  CHECK(!exists("new") && !exists("dir"));
  CHECK(stamped_all(anon, 1, N) && stamped_all(shm, 2, N) && same(file, N * PGSIZE, 1, 0));
}

// ---- what is tried: -1 when it fails ----

static int64
try_fork(void)
{
  int pid = fork();
  if (pid == 0)
    exit(0);
  return pid < 0 ? -1 : reap(pid);
}

static int64
try_map(int prot, int flags, int of, uint64 pages)
{
  void *at = flags & MAP_FIXED ? nth(anon, 2) : 0;
  return mmap(at, pages * PGSIZE, prot, flags, of, 0) == MAP_FAILED ? -1 : 0;
}

static int64
try_anon(void)
{
  return try_map(RW, MAP_PRIVATE | MAP_ANON, -1, 3);
}

static int64
try_now(void)
{
  return try_map(RW, MAP_PRIVATE | MAP_ANON | MAP_POPULATE, -1, 40);
}

static int64
try_shared(void)
{
  return try_map(RW, MAP_SHARED | MAP_ANON | MAP_POPULATE, -1, 3);
}

static int64
try_file(void)
{
  return try_map(RW, MAP_SHARED | MAP_POPULATE, fd, 3);
}

static int64
try_fixed(void)
{
  return try_map(RW, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 2);
}

static int64
try_huge(void)
{
  return try_map(RW, MAP_PRIVATE | MAP_ANON | MAP_HUGETLB, -1, HUGEPTES);
}

static int64
try_munmap(void)
{
  return munmap(nth(anon, 3), PGSIZE);
}

static int64
try_mprotect(void)
{
  return mprotect(nth(anon, 3), PGSIZE, PROT_READ);
}

static int64
try_advice(void)
{
  return madvise(nth(anon, 3), PGSIZE, MADV_HUGEPAGE);
}

static int64
try_sbrk(void)
{
  return sbrk(40 * PGSIZE) == SBRK_ERROR ? -1 : 0;
}

static int64
try_sbrklazy(void)
{
  return sbrklazy(40 * PGSIZE) == SBRK_ERROR ? -1 : 0;
}

static int64
try_pipe(void)
{
  int ends[2];
  return pipe(ends);
}

static int64
try_create(void)
{
  return open("new", O_CREATE | O_RDWR);
}

static int64
try_mkdir(void)
{
  return mkdir("dir");
}

// Eight pages, of which some may be written.
static int64
try_write(void)
{
  int out = open("out", O_CREATE | O_RDWR | O_TRUNC);
  if (out < 0)
    return -1;
  return write(out, anon, N * PGSIZE);
}

static int64
try_read(void)
{
  char *lazy = mmap(0, N * PGSIZE, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  return lazy == MAP_FAILED ? -1 : read(fd, lazy, N * PGSIZE);
}

static int64
try_exec(void)
{
  char *argv[] = { "@fired", 0 };
  return exec(SELF, argv);
}

static int64
try_swap(void)
{
  return vmctl(VMCTL_SWAP, 1);
}

static const struct {
  const char *name;
  int64 (*call)(void);
} calls[] = {
  { "fork", try_fork },         { "mmap", try_anon },     { "MAP_POPULATE", try_now },
  { "MAP_SHARED", try_shared }, { "a file", try_file },   { "MAP_FIXED", try_fixed },
  { "MAP_HUGETLB", try_huge },  { "munmap", try_munmap }, { "mprotect", try_mprotect },
  { "madvise", try_advice },    { "sbrk", try_sbrk },     { "sbrklazy", try_sbrklazy },
  { "pipe", try_pipe },         { "open", try_create },   { "mkdir", try_mkdir },
  { "write", try_write },       { "read", try_read },     { "exec", try_exec },
  { "swapon", try_swap },
};

// ---- one allocation of one call ----

static uint64 nth_fails;

static void
attempt(uint64 i)
{
  prepare();
  CHECK(vmctl(VMCTL_FAIL, nth_fails) == 0);
  int64 result = calls[i].call();
  int error = errno, left = vmctl(VMCTL_FAIL, 0);
  if (result < 0) {
    errno = error;
    CHECK(errno == ENOMEM || errno == EAGAIN || errno == ENFILE);
    unchanged();
  }
  if (calls[i].call == try_write && result > 0)
    EQUALS(look("out").size, result);
  if (calls[i].call == try_swap && result == 0)
    swap_off();
  exit(left > 0 ? NEVER : result < 0 ? FAILED : 0);
}

// Whatever allocation fails, nothing has happened. Each call fails at some.
void
memory_fails_at_any_allocation(void)
{
  if (vmctl(VMCTL_FAIL, 0) < 0) {
    EQUALS(errno, EPERM);
    printf("(skipped: only a debug build can) ");
    return;
  }
  make("f", 1, N * PGSIZE);
  for (int i = 0; i < COUNT(calls); i++) {
    int failed = 0, status = 0;
    for (nth_fails = 1; status != NEVER; nth_fails++) {
      status = run(attempt, i);
      if (status != 0 && status != FAILED && status != NEVER)
        printf("%s, allocation %lu: ", calls[i].name, nth_fails);
      CHECK(status == 0 || status == FAILED || status == NEVER);
      CHECK(nth_fails < 1000);
      failed += status == FAILED;
      unlink("new");
      unlink("dir");
      unlink("out");
    }
    if (failed == 0)
      printf("(%s never fails) ", calls[i].name);
  }
}
