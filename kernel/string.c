// SPDX-License-Identifier: MIT
// Bytes and strings.
//
// Filling and copying go by words and by lines of several words, wherever they start: this machine
// loads and stores words at any address, as the RISC-V profiles ask (Zicclsm).

#include "defs.h"

typedef uint64 __attribute__((may_alias)) word;

#define WORD 8   // bytes
#define LINE 128 // bytes that are copied at once
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

// All loads come before all stores, so the two lines may overlap.
static inline void
copy_line(uchar *dst, const uchar *src)
{
  const word *s = (const word *)src;
  word *d = (word *)dst, v0 = s[0], v1 = s[1], v2 = s[2], v3 = s[3], v4 = s[4], v5 = s[5];
  word v6 = s[6], v7 = s[7], v8 = s[8], v9 = s[9], v10 = s[10], v11 = s[11], v12 = s[12];
  word v13 = s[13], v14 = s[14], v15 = s[15];
  d[0] = v0, d[1] = v1, d[2] = v2, d[3] = v3, d[4] = v4, d[5] = v5, d[6] = v6, d[7] = v7;
  d[8] = v8, d[9] = v9, d[10] = v10, d[11] = v11, d[12] = v12, d[13] = v13, d[14] = v14;
  d[15] = v15;
}

// Copy a frame to another one.
void
page_copy(void *to, const void *from)
{
  uchar *d = to;
  const uchar *s = from;
  for (const uchar *stop = s + PGSIZE; s < stop; d += 4 * LINE, s += 4 * LINE)
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
      copy_line(d + i * LINE, s + i * LINE);
}

// Copy n bytes that may overlap.
void *
memmove(void *dst, const void *src, size_t n)
{
  uchar *d = dst;
  const uchar *s = src;
  if ((size_t)(d - s) <
      n) { // d lies in what is copied: from the end, as else it would be overwritten
    for (; n >= LINE; n -= LINE)
      copy_line(d + n - LINE, s + n - LINE);
    for (; n >= WORD; n -= WORD)
      *(word *)(d + n - WORD) = *(const word *)(s + n - WORD);
    while (n > 0)
      n--, d[n] = s[n];
  }
  for (const uchar *stop = s + n / LINE * LINE; s < stop; d += LINE, s += LINE)
    copy_line(d, s);
  for (n %= LINE; n >= WORD; n -= WORD, d += WORD, s += WORD)
    *(word *)d = *(const word *)s;
  for (; n > 0; n--)
    *d++ = *s++;
  return dst;
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
