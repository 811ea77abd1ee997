// SPDX-License-Identifier: MIT
// Where the shell's lines come from: the console with its history, a file, or a text.
//
// The console's editor is in the kernel, the history is here: while the mode CONS_HISTORY is on, a
// read ends not only with a newline but also with the key Up or Down behind what is on the line,
// and CONS_FILL puts another text there.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#include "user/quire.h"
#include "user/sh/sh.h"

#define NHISTORY 64 // lines

static struct {
  int fd;
  const char *text; // instead
  int at, n;        // what is left of buf
  char buf[1024];
} input;

void
read_text(const char *text)
{
  input.text = text;
}

int
read_script(const char *name)
{
  return input.fd = open(name, O_RDONLY);
}

// In a child: the script is its parent's to read.
void
forget_script(void)
{
  if (input.fd > 2)
    close(input.fd);
}

static char *history[NHISTORY];
static int nhistory;

void
remember(const char *line)
{
  if (!*line || (nhistory > 0 && strcmp(history[nhistory - 1], line) == 0))
    return;
  char *copy = malloc(strlen(line) + 1);
  if (!copy)
    return;
  if (nhistory == NHISTORY) {
    free(history[0]);
    memmove(history, history + 1, sizeof(history) - sizeof(history[0]));
    nhistory--;
  }
  history[nhistory++] = strcpy(copy, line);
}

// Put the next older (Up, 'A') or newer (Down, 'B') line into buf, which holds n bytes now. What was
// typed before the first Up counts as the newest. Returns the length.
static int
recall(char key, int *at, char *buf, int n)
{
  static char draft[sizeof(input.buf)];

  buf[n] = 0;
  if (*at == nhistory)
    strcpy(draft, buf);
  if (key == 'A' && *at > 0)
    --*at;
  if (key == 'B' && *at < nhistory)
    ++*at;
  snprintf(buf, sizeof(input.buf), "%s", *at == nhistory ? draft : history[*at]);
  return strlen(buf);
}

// Read from the console into buf, which is as large as input.buf. When keys come faster than they
// are read, several Ups, Downs and texts are in one read. Only a line that ends with a key goes
// back to the editor.
static int
read_console(char *buf)
{
  char in[sizeof(input.buf)];
  int n, len, at = nhistory, edit;

  do {
    n = read(0, in, sizeof(in) - 1);
    len = edit = 0;
    for (int i = 0; i < n; i++) {
      edit = in[i] == '\033' && i + 2 < n && (in[i + 2] == 'A' || in[i + 2] == 'B');
      if (edit) {
        len = recall(in[i + 2], &at, buf, len);
        i += 2;
      } else if (len < (int)sizeof(in) - 1) {
        buf[len++] = in[i];
      }
    }
    if (edit)
      consctl(CONS_FILL, (uint64)buf);
  } while (edit);
  return n <= 0 ? n : len;
}

// -1: the end. Fd 0 is not read ahead, since the commands may want what follows.
static int
next_byte(void)
{
  if (input.text)
    return *input.text ? (uchar)*input.text++ : -1;
  if (input.at >= input.n) {
    input.at = 0;
    if (interactive)
      input.n = read_console(input.buf);
    else
      input.n = read(input.fd, input.buf, input.fd == 0 ? 1 : sizeof(input.buf));
    if (input.n <= 0)
      return -1;
  }
  return (uchar)input.buf[input.at++];
}

// Read a line without its '\n'. A bad one is refused and comes out empty. 0: the end of the input.
int
read_line(char *line)
{
  int c, n = 0, zeros = 0, some = 0;

  while ((c = next_byte()) >= 0 && c != '\n') {
    some = 1;
    zeros += c == 0;
    if (n < LINE)
      line[n++] = c;
  }
  if (zeros > 0 || n == LINE) {
    const char *why = zeros > 0 ? "has a zero byte in it" : "is too long";
    fprintf(2, "sh: the line %s: not run\n", why);
    status = BAD_LINE;
    n = 0;
  }
  line[n] = 0;
  return c >= 0 || some;
}
