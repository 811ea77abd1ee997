// SPDX-License-Identifier: MIT
// echo [word...]: print the words with blanks between them, in one write if they fit.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

static char out[4096];
static uint used;

static void
flush(void)
{
  if (used > 0 && write(1, out, used) != (int)used) {
    complain("output");
    exit(1);
  }
  used = 0;
}

static void
put(char c)
{
  if (used == sizeof(out))
    flush();
  out[used++] = c;
}

int
main(int argc, char *argv[])
{
  for (int i = 1; i < argc; i++) {
    for (const char *s = argv[i]; *s; s++)
      put(*s);
    put(i + 1 < argc ? ' ' : '\n');
  }
  if (argc < 2)
    put('\n');
  flush();
  exit(0);
}
