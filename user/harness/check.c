// SPDX-License-Identifier: MIT
// Judging: what a test says when something is not as it must be. One write a sentence, so that
// sentences of several processes do not mix.
#include "harness.h"

static void
say(const char *text)
{
  write(2, text, strlen(text));
}

// Ends the process: what was not true.
void
broken(const char *file, int line, const char *what)
{
  char text[400];
  snprintf(text, sizeof(text), "\n  %s:%d: not so: %s (pid %d, errno %d: %s)\n", file, line, what,
           getpid(), errno, strerror(errno));
  say(text);
  exit(1);
}

// Ends the process unless the call failed with this error number.
void
must_fail(const char *file, int line, const char *call, int64 got, int want)
{
  char text[400];
  int err = errno;
  if (got == -1 && err == want)
    return;
  if (got == -1)
    snprintf(text, sizeof(text), "\n  %s:%d: %s failed with %d (%s), not %d (%s)\n", file, line,
             call, err, strerror(err), want, strerror(want));
  else
    snprintf(text, sizeof(text), "\n  %s:%d: %s gave %ld, not error %d (%s)\n", file, line, call,
             got, want, strerror(want));
  say(text);
  exit(1);
}

// Ends the process unless the two are the same.
void
must_be(const char *file, int line, const char *what, int64 got, int64 want)
{
  char text[400];
  if (got == want)
    return;
  snprintf(text, sizeof(text), "\n  %s:%d: %s is %ld, not %ld (pid %d)\n", file, line, what, got,
           want, getpid());
  say(text);
  exit(1);
}
