// SPDX-License-Identifier: MIT
// Bytes and strings.
//
// Filling and copying go by words and by lines of several words, wherever they start: this machine
// loads and stores words at any address, as the RISC-V profiles ask (Zicclsm).

#include "defs.h"

typedef uint64 __attribute__((may_alias)) word;

#define WORD 8   // bytes
#define LONG 512 // bytes that are copied at once,
#define LINE 128 // and of what is left
#define FILL 256

// Fill a frame with zeros.
void
page_zero(void *frame)
{
  for (word *w = frame, *stop = w + PGSIZE / WORD; w < stop; w += 128)
#pragma GCC unroll 128
    for (int i = 0; i < 128; i++)
      w[i] = 0;
}

void *
memset(void *dst, int c, size_t n)
{
  uchar *d = dst;
  word v = (uchar)c * 0x0101010101010101UL;
  for (uchar *stop = d + n / FILL * FILL; d < stop; d += FILL) {
    word *w = (word *)d;
    w[0] = w[1] = w[2] = w[3] = w[4] = w[5] = w[6] = w[7] = v;
    w[8] = w[9] = w[10] = w[11] = w[12] = w[13] = w[14] = w[15] = v;
    w[16] = w[17] = w[18] = w[19] = w[20] = w[21] = w[22] = w[23] = v;
    w[24] = w[25] = w[26] = w[27] = w[28] = w[29] = w[30] = w[31] = v;
  }
  for (n %= FILL; n >= WORD; n -= WORD, d += WORD)
    *(word *)d = v;
  for (; n > 0; n--)
    *d++ = c;
  return dst;
}

// From the front: right also where dst lies in front of src and the two overlap.
static inline void
copy_line(uchar *dst, const uchar *src, int bytes)
{
#pragma GCC unroll 64
  for (int i = 0; i < bytes / WORD; i++)
    ((word *)dst)[i] = ((const word *)src)[i];
}

// Copy n bytes that may overlap.
void *
memmove(void *dst, const void *src, size_t n)
{
  uchar *d = dst;
  const uchar *s = src;
  if ((size_t)(d - s) < n) { // d lies in what is copied: from the end, or it would be overwritten
    for (; n >= WORD; n -= WORD)
      *(word *)(d + n - WORD) = *(const word *)(s + n - WORD);
    while (n > 0)
      n--, d[n] = s[n];
  }
  for (; n >= LONG; n -= LONG, d += LONG, s += LONG)
    copy_line(d, s, LONG);
  for (; n >= LINE; n -= LINE, d += LINE, s += LINE)
    copy_line(d, s, LINE);
  for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
    *(word *)d = *(const word *)s;
  for (; n > 0; n--)
    *d++ = *s++;
  return dst;
}

// Copy a frame to another one.
void
page_copy(void *to, const void *from)
{
  for (int at = 0; at < PGSIZE; at += LONG)
    copy_line((uchar *)to + at, (const uchar *)from + at, LONG);
}

void *
memcpy(void *dst, const void *src, size_t n)
{
  return memmove(dst, src, n);
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
strcmp(const char *a, const char *b)
{
  while (*a && *a == *b)
    a++, b++;
  return (uchar)*a - (uchar)*b;
}

// Copy the n bytes at src up to the first zero, which is copied too: how many come before it; n: none
// of them is zero.
size_t
strcopy(char *dst, const char *src, size_t n)
{
  const word ones = 0x0101010101010101;
  size_t i = 0;
  for (; i + WORD <= n; i += WORD) {
    word w = *(const word *)(src + i);
    if ((w - ones) & ~w &
        ones << 7) // taking 1 from a byte changes its top bit from 0 to 1: it is 0
      break;
    *(word *)(dst + i) = w;
  }
  while (i < n && (dst[i] = src[i]) != 0)
    i++;
  return i;
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
