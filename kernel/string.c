// SPDX-License-Identifier: MIT
// Bytes and strings. Whole frames have functions of their own, unrolled: they are most of the work.

#include "defs.h"

typedef uint64 __attribute__((may_alias)) word;

#define MISALIGNED(a) ((uint64)(a) % sizeof(word))

// Fill a frame with zeros.
void
page_zero(void *frame)
{
  for (word *w = frame, *stop = w + PGSIZE / sizeof(word); w < stop; w += 64)
#pragma GCC unroll 64
    for (int i = 0; i < 64; i++)
      w[i] = 0;
}

// Copy words forward, 64 bytes at a time; n is a multiple of 64.
static void
copy_lines(word *to, const word *from, size_t n)
{
  for (const word *stop = from + n / sizeof(word); from < stop; to += 8, from += 8) {
    word a = from[0], b = from[1], c = from[2], d = from[3];
    word e = from[4], f = from[5], g = from[6], h = from[7];
    to[0] = a, to[1] = b, to[2] = c, to[3] = d;
    to[4] = e, to[5] = f, to[6] = g, to[7] = h;
  }
}

// Copy a frame.
void
page_copy(void *to, const void *from)
{
  copy_lines(to, from, PGSIZE);
}

void *
memset(void *dst, int c, size_t n)
{
  uchar *d = dst;
  for (; n > 0 && MISALIGNED(d); n--)
    *d++ = c;
  word pattern = (uchar)c * 0x0101010101010101UL;
  for (; n >= sizeof(word); n -= sizeof(word), d += sizeof(word))
    *(word *)d = pattern;
  for (; n > 0; n--)
    *d++ = c;
  return dst;
}

// Copy n bytes that may overlap.
void *
memmove(void *dst, const void *src, size_t n)
{
  uchar *d = dst;
  const uchar *s = src;
  if (d > s && d < s + n) { // backwards, so that nothing is overwritten before it was read
    while (n > 0 && (MISALIGNED(d + n) || MISALIGNED(s + n) || n < sizeof(word)))
      n--, d[n] = s[n];
    for (; n >= sizeof(word); n -= sizeof(word))
      *(word *)(d + n - sizeof(word)) = *(const word *)(s + n - sizeof(word));
    while (n > 0)
      n--, d[n] = s[n];
    return dst;
  }
  if (MISALIGNED(d) == MISALIGNED(s)) {
    for (; n > 0 && MISALIGNED(d); n--)
      *d++ = *s++;
    size_t lines = n & ~63UL;
    copy_lines((word *)d, (const word *)s, lines);
    for (d += lines, s += lines, n -= lines; n >= sizeof(word); n -= sizeof(word)) {
      *(word *)d = *(const word *)s;
      d += sizeof(word), s += sizeof(word);
    }
  }
  for (; n > 0; n--)
    *d++ = *s++;
  return dst;
}

void *
memcpy(void *dst, const void *src, size_t n)
{
  return memmove(dst, src, n);
}

int
memcmp(const void *a, const void *b, size_t n)
{
  const uchar *x = a, *y = b;
  for (; n > 0; n--, x++, y++)
    if (*x != *y)
      return *x - *y;
  return 0;
}

size_t
strlen(const char *s)
{
  const char *p = s;
  while (*p)
    p++;
  return p - s;
}

int
strncmp(const char *a, const char *b, size_t n)
{
  for (; n > 0; n--, a++, b++)
    if (*a != *b || *a == 0)
      return (uchar)*a - (uchar)*b;
  return 0;
}

int
strcmp(const char *a, const char *b)
{
  return strncmp(a, b, ~0UL);
}

// Copy at most n - 1 characters and a final zero; n is at least 1.
char *
safestrcpy(char *dst, const char *src, size_t n)
{
  size_t i = 0;
  for (; i + 1 < n && src[i]; i++)
    dst[i] = src[i];
  dst[i] = 0;
  return dst;
}
