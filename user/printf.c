// SPDX-License-Identifier: MIT
// Formatted output.
//
//   %[-][0][width][.precision][l|ll|z] d i u x X p s c %
//
// width and precision are numbers, or * for an int argument. As in xv6, %x and %p have capital
// digits, %p has 16 of them, and what is no conversion is printed as it stands. A call collects its
// output and writes it with as few write()s as possible, so that the lines of programs which
// print at the same time stay whole as long as they are short.

#include <stdarg.h>

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

#define CHUNK 256 // bytes collected before a write

// Where output goes: to fd by way of buf; or, with fd -1, into buf as far as it fits.
struct sink {
  int fd;
  char *buf;
  uint size;
  uint used;  // of buf
  uint total; // bytes printed, whether they fitted or not
};

// A conversion as it was written.
struct spec {
  int left, zero;
  int width;
  int precision; // -1: none
  int longs;     // 0: int; more: 64 bits
};

static void
drain(struct sink *s)
{
  uint done = 0;

  while (done < s->used) {
    int n = write(s->fd, s->buf + done, s->used - done);
    if (n <= 0)
      break;
    done += n;
  }
  s->used = 0;
}

static void
put(struct sink *s, char c)
{
  s->total++;
  if (s->used == s->size && s->fd >= 0)
    drain(s);
  if (s->used < s->size)
    s->buf[s->used++] = c;
}

static void
put_all(struct sink *s, const char *text, int n)
{
  for (int i = 0; i < n; i++)
    put(s, text[i]);
}

static void
repeat(struct sink *s, char c, int n)
{
  while (n-- > 0)
    put(s, c);
}

static void
put_text(struct sink *s, const struct spec *f, const char *text)
{
  int n = 0;

  if (!text)
    text = "(null)";
  while ((f->precision < 0 || n < f->precision) && text[n])
    n++;
  repeat(s, ' ', f->left ? 0 : f->width - n);
  put_all(s, text, n);
  repeat(s, ' ', f->left ? f->width - n : 0);
}

// blanks, prefix, zeros, digits: in this order, or with the blanks last.
static void
put_number(struct sink *s, const struct spec *f, const char *prefix, uint64 v, uint base)
{
  char digits[24];
  int n = 0, npre = strlen(prefix);

  for (; v != 0; v /= base)
    digits[n++] = "0123456789ABCDEF"[v % base];
  if (n == 0 && f->precision != 0)
    digits[n++] = '0';

  int zeros = f->precision - n;
  if (f->zero && !f->left && f->precision < 0)
    zeros = f->width - npre - n;
  zeros = zeros > 0 ? zeros : 0;

  int blanks = f->width - npre - zeros - n;
  repeat(s, ' ', f->left ? 0 : blanks);
  put_all(s, prefix, npre);
  repeat(s, '0', zeros);
  while (n > 0)
    put(s, digits[--n]);
  repeat(s, ' ', f->left ? blanks : 0);
}

// A width or precision at *fmt. Absurd ones stop growing before they overflow.
static int
count(const char **fmt, va_list *args)
{
  int n = 0;

  if (**fmt == '*') {
    ++*fmt;
    return va_arg(*args, int);
  }
  for (; **fmt >= '0' && **fmt <= '9'; ++*fmt)
    if (n < 100000)
      n = n * 10 + (**fmt - '0');
  return n;
}

// Parse what stands between % and the conversion letter, and return where that is.
static const char *
parse_spec(const char *fmt, struct spec *f, va_list *args)
{
  *f = (struct spec){ .precision = -1 };
  for (; *fmt == '-' || *fmt == '0'; fmt++) {
    f->left |= *fmt == '-';
    f->zero |= *fmt == '0';
  }
  f->width = count(&fmt, args);
  if (f->width < 0) {
    f->left = 1;
    f->width = f->width < -100000 ? 100000 : -f->width;
  }
  if (*fmt == '.') {
    fmt++;
    f->precision = count(&fmt, args);
  }
  for (; *fmt == 'l' || *fmt == 'z'; fmt++)
    f->longs++;
  return fmt;
}

static void
put_signed(struct sink *s, const struct spec *f, int64 v)
{
  put_number(s, f, v < 0 ? "-" : "", v < 0 ? -(uint64)v : (uint64)v, 10);
}

// One conversion. 0: there is no such letter.
static int
convert(struct sink *s, struct spec *f, char letter, va_list *args)
{
  char c[2] = { 0, 0 };

  switch (letter) {
  case 'd':
  case 'i': put_signed(s, f, f->longs ? va_arg(*args, int64) : va_arg(*args, int)); return 1;
  case 'u':
  case 'x':
  case 'X':
    put_number(s, f, "", f->longs ? va_arg(*args, uint64) : va_arg(*args, uint),
               letter == 'u' ? 10 : 16);
    return 1;
  case 'p':
    f->precision = 16;
    put_number(s, f, "0x", (uint64)va_arg(*args, void *), 16);
    return 1;
  case 's': put_text(s, f, va_arg(*args, const char *)); return 1;
  case 'c':
    c[0] = va_arg(*args, int);
    repeat(s, ' ', f->left ? 0 : f->width - 1);
    put(s, c[0]);
    repeat(s, ' ', f->left ? f->width - 1 : 0);
    return 1;
  case '%': put(s, '%'); return 1;
  }
  return 0;
}

static void
format(struct sink *s, const char *fmt, va_list *args)
{
  struct spec f;

  while (*fmt) {
    const char *from = fmt++;
    if (*from != '%') {
      put(s, *from);
      continue;
    }
    fmt = parse_spec(fmt, &f, args);
    if (!convert(s, &f, *fmt, args))
      put_all(s, from, fmt - from + (*fmt != 0));
    fmt += *fmt != 0;
  }
}

static void
print(int fd, const char *fmt, va_list *args)
{
  char buf[CHUNK];
  struct sink s = { .fd = fd, .buf = buf, .size = sizeof(buf) };

  format(&s, fmt, args);
  drain(&s);
}

void
fprintf(int fd, const char *fmt, ...)
{
  va_list args;

  va_start(args, fmt);
  print(fd, fmt, &args);
  va_end(args);
}

void
printf(const char *fmt, ...)
{
  va_list args;

  va_start(args, fmt);
  print(1, fmt, &args);
  va_end(args);
}

// Print into buf, at most size bytes with the final zero. Returns the length it would have had.
int
snprintf(char *buf, uint size, const char *fmt, ...)
{
  struct sink s = { .fd = -1, .buf = buf, .size = size > 0 ? size - 1 : 0 };
  va_list args;

  va_start(args, fmt);
  format(&s, fmt, &args);
  va_end(args);
  if (size > 0)
    buf[s.used] = 0;
  return s.total;
}
