// SPDX-License-Identifier: MIT
// From words as they were written to arguments: quotes go, and $ is replaced.

#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"
#include "user/sh/sh.h"

char *argv[MAXARG + 1];
int argc;

// Where expanded text goes. When it is full, what follows is dropped, and full is set.
static struct {
  char buf[2 * LINE];
  uint used;
  int full;
} text;

static void
put(char c)
{
  if (text.used < sizeof(text.buf))
    text.buf[text.used++] = c;
  else
    text.full = 1;
}

static void
put_all(const char *s)
{
  while (*s)
    put(*s++);
}

// What stands behind a $. Returns how many characters that are; with 0, the $ stands for itself.
static int
expand_dollar(char c)
{
  char digits[16];

  if (c == '?') {
    snprintf(digits, sizeof(digits), "%d", status);
    put_all(digits);
    return 1;
  }
  if (c < '0' || c > '9' || nparams == 0)
    return 0;
  if (c - '0' < nparams)
    put_all(params[c - '0']);
  return 1;
}

// Without quotes, and with $ replaced. 0: no room, which has been told.
char *
expand_word(const struct word *w)
{
  uint start = text.used;
  char quote = 0;

  for (int i = 0; i < w->len; i++) {
    char c = w->at[i], next = i + 1 < w->len ? w->at[i + 1] : 0;
    if (c == quote)
      quote = 0;
    else if (!quote && (c == '\'' || c == '"'))
      quote = c;
    else if (c == '\\' && (!quote || (quote == '"' && next && strchr("\"\\$", next))))
      put(w->at[++i]);
    else if (c != '$' || quote == '\'')
      put(c);
    else if (next && expand_dollar(next))
      i++;
    else
      put('$');
  }
  put(0);
  if (text.full) {
    fprintf(2, "sh: the arguments are too long\n");
    return 0;
  }
  return text.buf + start;
}

// Make argv. -1: it does not fit, which has been told.
int
expand(const struct word *w)
{
  text.used = text.full = argc = 0;
  for (; w; w = w->next) {
    if (argc == MAXARG) {
      fprintf(2, "sh: more than %d arguments\n", MAXARG);
      return -1;
    }
    if ((argv[argc++] = expand_word(w)) == 0)
      return -1;
  }
  argv[argc] = 0;
  return 0;
}
