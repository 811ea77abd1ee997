// SPDX-License-Identifier: MIT
// The memory and string functions of kernel/string.c, run on the host against those of its C library.
// test_bytes.py compiles the kernel's with k_ before their names.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *k_memset(void *, int, size_t);
void *k_memmove(void *, const void *, size_t);
void *k_memcpy(void *, const void *, size_t);
int k_strcmp(const char *, const char *);
size_t k_strlen(const char *);
void page_copy(void *, const void *);
void page_zero(void *);

#define SIZE 400

static unsigned char ours[SIZE], theirs[SIZE];

static void
must(int fact, const char *what, int a, int b, int n)
{
  if (!fact) {
    printf("%s is wrong: %d, %d, %d\n", what, a, b, n);
    exit(1);
  }
}

static void
refill(void)
{
  for (int i = 0; i < SIZE; i++)
    ours[i] = theirs[i] = rand();
}

// Every distance and alignment, and all lengths from 0 on; nothing outside may change.
static void
moves(void)
{
  for (int from = 64; from < 80; from++)
    for (int to = 40; to < 104; to++)
      for (int n = 0; n < 200; n = n < 20 ? n + 1 : n + 13) {
        refill();
        void *r = k_memmove(ours + to, ours + from, n);
        memmove(theirs + to, theirs + from, n);
        must(r == ours + to && memcmp(ours, theirs, SIZE) == 0, "memmove", from, to, n);
      }
}

static void
copies_and_fills(void)
{
  for (int from = 0; from < 9; from++)
    for (int to = 200; to < 209; to++)
      for (int n = 0; n < 180; n++) {
        refill();
        k_memcpy(ours + to, ours + from, n);
        memcpy(theirs + to, theirs + from, n);
        must(memcmp(ours, theirs, SIZE) == 0, "memcpy", from, to, n);
        k_memset(ours + to, from * 77 - 300, n);
        memset(theirs + to, from * 77 - 300, n);
        must(memcmp(ours, theirs, SIZE) == 0, "memset", from, to, n);
      }
}

// A frame is copied and filled whole, and its neighbours stay.
static void
pages(void)
{
  static unsigned char mine[3][4096], from[4096], zeros[4096];
  memset(mine, 1, sizeof(mine));
  for (int i = 0; i < 4096; i++)
    from[i] = rand();
  page_copy(mine[1], from);
  must(memcmp(mine[1], from, 4096) == 0, "page_copy", 0, 0, 4096);
  page_zero(mine[1]);
  must(memcmp(mine[1], zeros, 4096) == 0, "page_zero", 0, 0, 4096);
  for (int i = 0; i < 4096; i++)
    must(mine[0][i] == 1 && mine[2][i] == 1, "what is beside a frame", i, 0, 4096);
}

static int
sign(int x)
{
  return (x > 0) - (x < 0);
}

static void
compares(void)
{
  static const char *const words[] = { "",     "a",    "b",    "ab", "abc", "abd", "abcdefghijkl",
                                       "\x80", "\xff", "a\x80" };
  int count = sizeof(words) / sizeof(words[0]);
  for (int a = 0; a < count; a++)
    for (int b = 0; b < count; b++) {
      must(sign(k_strcmp(words[a], words[b])) == sign(strcmp(words[a], words[b])), "strcmp", a, b,
           0);
      must(k_strlen(words[a]) == strlen(words[a]), "strlen", a, 0, 0);
    }
}

int
main(void)
{
  srand(1);
  moves();
  copies_and_fills();
  pages();
  compares();
  return 0;
}
