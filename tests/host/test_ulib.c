// SPDX-License-Identifier: MIT
// The user library, compiled for the host: strings, printf, malloc. Prints "ok", or what is wrong
// and exits with 1.
//
// Every public name gets a prefix, so that it does not meet the one of the host's library. The few
// system calls it needs are at the end.

#define atoi        u_atoi
#define calloc      u_calloc
#define close       u_close
#define exit        u_exit
#define fprintf     u_fprintf
#define free        u_free
#define fstat       u_fstat
#define futex       u_futex
#define gets        u_gets
#define malloc      u_malloc
#define memcmp      u_memcmp
#define memcpy      u_memcpy
#define memmove     u_memmove
#define memset      u_memset
#define open        u_open
#define pause       u_pause
#define perror      u_perror
#define printf      u_printf
#define read        u_read
#define realloc     u_realloc
#define sbrk        u_sbrk
#define sleep       u_sleep
#define snprintf    u_snprintf
#define stat        u_stat
#define strchr      u_strchr
#define strcmp      u_strcmp
#define strcpy      u_strcpy
#define strerror    u_strerror
#define strlen      u_strlen
#define strncmp     u_strncmp
#define strncpy     u_strncpy
#define strrchr     u_strrchr
#define sys_sbrk    u_sys_sbrk
#define thread_self u_thread_self
#define write       u_write

#include "user/ulib.c"
#include "user/printf.c"
#include "user/umalloc.c"

// ---- the system calls ----

#define HEAP (8 << 20)

static char heap[HEAP] __attribute__((aligned(4096)));
static uint heap_used;
static char written[4096]; // what write() got
static uint nwritten, nwrites;
static const char *typed; // what read() gives

struct self *
thread_self(void)
{
  static struct self self = { .program = "test_ulib" };
  return &self;
}

int
futex(int *addr, int op, int value)
{
  (void)addr;
  (void)op;
  (void)value;
  return -1;
}

int
pageinfo_of(int pid, const void *va, int n, struct pageinfo *out)
{
  (void)pid;
  (void)va;
  (void)n;
  (void)out;
  return -1;
}

char *
sys_sbrk(int n, int how)
{
  (void)how;
  if (n < 0 || heap_used + (uint)n > HEAP)
    return SBRK_ERROR;
  heap_used += n;
  return heap + heap_used - n;
}

int
write(int fd, const void *p, int n)
{
  (void)fd;
  n = n > 100 ? 100 : n; // short counts must not lose anything
  if (nwritten + n > sizeof(written))
    return -1;
  memcpy(written + nwritten, p, n);
  nwritten += n;
  nwrites++;
  return n;
}

int
read(int fd, void *p, int n)
{
  (void)fd;
  if (n < 1 || !*typed)
    return 0;
  *(char *)p = *typed++;
  return 1;
}

int
open(const char *p, int how)
{
  (void)p;
  (void)how;
  return -1;
}
int
close(int fd)
{
  (void)fd;
  return -1;
}
int
fstat(int fd, struct stat *st)
{
  (void)fd;
  (void)st;
  return -1;
}
int
pause(int n)
{
  (void)n;
  return 0;
}

// ---- what is checked ----

#undef printf
extern int printf(const char *, ...);

static int failures;

static void
check(int good, int line, const char *what)
{
  if (good)
    return;
  printf("tests/host/test_ulib.c:%d: not true: %s\n", line, what);
  failures++;
}
#define CHECK(c) check(!!(c), __LINE__, #c)

static char *
reset(void)
{
  nwritten = nwrites = 0;
  memset(written, 0, sizeof(written));
  return written;
}

#define PRINTS(expected, ...)                       \
  do {                                              \
    char b_[400];                                   \
    int n_ = snprintf(b_, sizeof(b_), __VA_ARGS__); \
    check(strcmp(b_, expected) == 0, __LINE__, b_); \
    CHECK(n_ == (int)strlen(expected));             \
    reset();                                        \
    fprintf(1, __VA_ARGS__);                        \
    CHECK(strcmp(written, expected) == 0);          \
  } while (0)

static void
test_numbers(void)
{
  PRINTS("0 1 -1", "%d %d %d", 0, 1, -1);
  PRINTS("-2147483648 2147483647", "%d %i", (int)0x80000000, 0x7fffffff);
  PRINTS("-9223372036854775808", "%ld", (int64)0x8000000000000000);
  PRINTS("18446744073709551615", "%lu", 0xffffffffffffffffUL);
  PRINTS("18446744073709551615 -1", "%llu %lld", 0xffffffffffffffffULL, -1LL);
  PRINTS("4294967295 D00DFEED D00DFEED", "%u %x %X", 0xffffffff, 0xd00dfeed, 0xd00dfeed);
  PRINTS("FFFFFFFFFFFFFFFF", "%lx", 0xffffffffffffffffUL);
  PRINTS("0x0000000000001000 0xFFFFFFC080000000", "%p %p", (void *)0x1000,
         (void *)0xffffffc080000000);
  PRINTS("   42|42   |00042|  042", "%5d|%-5d|%05d|%5.3d", 42, 42, 42, 42);
  PRINTS("  -42|-42  |-0042| -042", "%5d|%-5d|%05d|%5.3d", -42, -42, -42, -42);
  PRINTS("  7|7  |007", "%*d|%*d|%.*d", 3, 7, -3, 7, 3, 7);
  PRINTS("|", "%.0d|", 0);
  PRINTS("00000000000000000001", "%020d", 1);
}

static void
test_texts(void)
{
  PRINTS("a b%", "%c %s%%", 'a', "b");
  const char *volatile none = 0;
  PRINTS("(null)", "%s", none);
  PRINTS("   ab|ab   |ab|    a", "%5s|%-5s|%.2s|%5.1s", "ab", "ab", "abc", "abc");
  PRINTS("  x|x  ", "%3c|%-3c", 'x', 'x');
  char unended[2] = { 'h', 'i' };
  PRINTS("hi", "%.2s", unended);
  const char *odd[] = { "100%", "%", "%5", "%l", "%q %-3q", "" };
  for (uint i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
    PRINTS(odd[i], odd[i], 0);
}

static void
test_sinks(void)
{
  char b[8];

  CHECK(snprintf(b, sizeof(b), "%s", "0123456789") == 10 && strcmp(b, "0123456") == 0);
  CHECK(snprintf(b, 1, "x") == 1 && b[0] == 0);
  CHECK(snprintf(0, 0, "%d", 12345) == 5);
  reset();
  fprintf(1, "%s %d", "one", 1);
  CHECK(nwrites == 1);
  reset();
  fprintf(1, "%1000d|%-1000d|", 1, 2);
  CHECK(nwritten == 2002 && written[999] == '1' && written[1001] == '2' && written[2001] == '|');
}

static void
test_moves(void)
{
  char a[64], b[64], want[64];

  for (int from = 0; from < 20; from++) {
    for (int to = 0; to < 20; to++) {
      for (int n = 0; n < 40; n++) {
        for (int i = 0; i < 64; i++)
          a[i] = b[i] = want[i] = i;
        for (int i = 0; i < n; i++)
          want[to + i] = from + i;
        CHECK(memmove(a + to, a + from, n) == a + to);
        memcpy(b + to, b + from, n);
        CHECK(memcmp(a, want, 64) == 0 && memcmp(b, want, 64) == 0);
        memset(a + to, 0x1f7, n);
        for (int i = 0; i < 64; i++)
          CHECK(a[i] == (i >= to && i < to + n ? (char)0xf7 : want[i]));
      }
    }
  }
  memmove(a, b, 0);
  memmove(a, b, -1);
  CHECK(memcmp("a\xff", "a\x01", 2) > 0 && memcmp(a, b, 0) == 0);
}

static void
test_strings(void)
{
  char b[8];
  int n = 77;

  CHECK(strlen("") == 0 && strlen("abc") == 3);
  CHECK(strcmp("a", "b") < 0 && strcmp("a", "a") == 0 && strcmp("\xff", "a") > 0);
  CHECK(strcmp("a", "") > 0 && strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
  CHECK(strncmp("a", "a", 9) == 0 && strncmp("x", "y", 0) == 0);
  const char *s = "a/b/c";
  CHECK(strchr(s, '/') == s + 1 && strrchr(s, '/') == s + 3 && !strchr(s, 'x') && !strrchr(s, 'x'));
  memset(b, 'x', sizeof(b));
  strncpy(b, "ab", 4);
  CHECK(memcmp(b, "ab\0\0xxxx", 8) == 0);
  CHECK(atoi("12x") == 12 && atoi("") == 0 && atoi("-3") == 0);
  CHECK(number("-2147483648", &n) && n == (int)0x80000000 && number("0", &n) && n == 0);
  CHECK(!number("", &n) && !number("-", &n) && !number("1x", &n) && !number("2147483648", &n));
  CHECK(!number("99999999999999999999", &n) && n == 0);
  CHECK(strcmp(strerror(ENOENT), "no such file or directory") == 0);
  CHECK(strcmp(strerror(-1), "unknown error") == 0 && strcmp(strerror(15), "unknown error") == 0);
  CHECK(strcmp(strerror(1000), "unknown error") == 0);
  typed = "one\ntwo\rthree";
  CHECK(strcmp(gets(b, 8), "one\n") == 0 && strcmp(gets(b, 8), "two\r") == 0);
  CHECK(strcmp(gets(b, 4), "thr") == 0 && strcmp(gets(b, 8), "ee") == 0 && gets(b, 8)[0] == 0);
}

// The numbered invariants of umalloc.c, over the one region that this test's sbrk makes.
static void
check_heap(void)
{
  uint64 below = 0, nfree = 0, listed = 0;

  for (struct block *b = (struct block *)heap; b != guard; b = above(b)) {
    CHECK(size_of(b) >= sizeof(struct block) && size_of(b) % 16 == 0 && b->below == below);
    CHECK((b->size & USED) || (above(b)->size & USED));
    nfree += !(b->size & USED);
    below = size_of(b);
  }
  for (int i = 0; i < NLIST; i++)
    for (struct block *b = lists[i]; b; b = b->next)
      listed += !(b->size & USED) && list_of(b->size) == &lists[i];
  CHECK(nfree == listed && guard->below == below);
}

static void
test_malloc(void)
{
  static uchar *p[300];
  static uint size[300];
  uint seed = 1;

  for (int round = 0; round < 20000; round++) {
    seed = seed * 1103515245 + 12345;
    int i = (seed >> 8) % 300;
    uint n = (seed >> 16) % ((seed & 0x70) ? 300 : 20000);
    if (p[i] && (seed >> 30) == 1) {
      p[i] = realloc(p[i], n);
      for (uint k = 0; k < n && k < size[i]; k++)
        CHECK(p[i][k] == (uchar)i);
    } else {
      for (uint k = 0; p[i] && k < size[i]; k++)
        CHECK(p[i][k] == (uchar)i);
      free(p[i]);
      p[i] = malloc(n);
    }
    CHECK(p[i] && (uint64)p[i] % 16 == 0);
    memset(p[i], i, size[i] = n);
    if (round % 100 == 0)
      check_heap();
  }
  for (int i = 0; i < 300; i++)
    free(p[i]);
  check_heap();
  CHECK(!(((struct block *)heap)->size & USED) && above((struct block *)heap) == guard);
}

static void
test_no_memory(void)
{
  char **chain = 0, **p;
  int n = 0;

  errno = 0;
  while ((p = malloc(10001)) != 0) {
    *p = (char *)chain;
    chain = p;
    n++;
  }
  CHECK(errno == ENOMEM && n > HEAP / 10001 - 20);
  for (; chain; chain = p) {
    p = (char **)*chain;
    free(chain);
  }
  check_heap();
  CHECK((p = malloc(HEAP / 2)) != 0 && malloc(HEAP) == 0 && malloc(0xffffffff) == 0);
  CHECK(realloc(p, HEAP) == 0 && calloc(0x10000, 0x10000) == 0 && calloc(0xffffffff, 2) == 0);
  free(p);
  free(0);
  CHECK((p = calloc(1000, 8)) != 0 && p[0] == 0 && p[999] == 0);
  free(p);
  CHECK((p = malloc(0)) != 0 && (p = realloc(p, 0)) != 0 && (p = realloc(p, 100)) != 0);
  free(p);
  check_heap();
}

int
main(void)
{
  test_numbers();
  test_texts();
  test_sinks();
  test_moves();
  test_strings();
  test_malloc();
  test_no_memory();
  if (failures == 0)
    printf("ok\n");
  return failures != 0;
}
