// SPDX-License-Identifier: MIT
// The console: what is typed becomes lines, edited before a program sees them.
//
// Interface: consoleinit; consoleintr, for the port; consctl, for programs; read and write through
// devsw[CONSOLE].
//
//   keys -> line[] edited here -> Enter -> input[], a ring -> read, a line at a time
//
//   Left Right Home End ^A ^E   move          ^K ^U ^W Backspace Delete   cut
//   ^C   kill the foreground group            ^D   end of file; with text: deliver it as it is
//   ^P   list the processes                   Up Down   with CONS_HISTORY: deliver the line and the key
//
// Lock: "console", for everything here.
//
// 1. line[0..len) is what the screen shows behind the prompt, with the cursor at line[at].
// 2. EOF_MARK in input[] stands for an end of file.

#include "defs.h"
#include "file.h"
#include "proc.h"
#include "sysinfo.h"

#define CTRL(c)  ((c) - '@')
#define ESC      0x1b
#define EOF_MARK CTRL('D')
#define LINE     256
#define INPUT    1024
#define AHEAD    64

static struct {
  struct spinlock lock;
  char line[LINE];
  uint len, at;
  char input[INPUT];
  uint r, w;      // of input: bytes read, bytes written
  int escape;     // how much of an escape sequence came: 0, ESC, '[', or a digit
  int foreground; // the group that ^C kills; 0: none
  int history;
  char ahead[AHEAD]; // typed since Up or Down, until CONS_FILL answers
  uint nahead;
  int asked; // a key is on its way to who will answer
} cons = { .lock = SPINLOCK("console") };

// ---- the screen ----

static void
echo(const char *s, uint n)
{
  while (n-- > 0)
    uartputc_sync(*s++);
}

static void
back(uint n)
{
  while (n-- > 0)
    uartputc_sync('\b');
}

// Show the line from the cursor on, and `gone` blanks over what was there before.
static void
redraw(uint gone)
{
  echo(cons.line + cons.at, cons.len - cons.at);
  for (uint i = 0; i < gone; i++)
    uartputc_sync(' ');
  back(cons.len - cons.at + gone);
}

static void
move_to(uint at)
{
  if (at < cons.at)
    back(cons.at - at);
  else
    echo(cons.line + cons.at, at - cons.at);
  cons.at = at;
}

// ---- the line ----

// Cut line[from..to) and leave the cursor there.
static void
cut(uint from, uint to)
{
  move_to(from);
  memmove(cons.line + from, cons.line + to, cons.len - to);
  cons.len -= to - from;
  redraw(to - from);
}

static void
insert(int c)
{
  if (cons.len == LINE - 4) // room for a key or a newline behind it
    return;
  memmove(cons.line + cons.at + 1, cons.line + cons.at, cons.len - cons.at);
  cons.line[cons.at] = c;
  cons.len++;
  echo(cons.line + cons.at, cons.len - cons.at);
  back(cons.len - ++cons.at);
}

static uint
word_start(void)
{
  uint at = cons.at;
  while (at > 0 && cons.line[at - 1] == ' ')
    at--;
  while (at > 0 && cons.line[at - 1] != ' ')
    at--;
  return at;
}

// Hand the line with n bytes behind it to who reads. What does not fit is lost.
static void
deliver(const char *tail, uint n)
{
  memmove(cons.line + cons.len, tail, n);
  cons.len += n;
  if (INPUT - (cons.w - cons.r) >= cons.len)
    for (uint i = 0; i < cons.len; i++)
      cons.input[cons.w++ % INPUT] = cons.line[i];
  cons.len = cons.at = 0;
  wakeup(&cons.r);
}

static void
interrupt_key(void)
{
  echo("^C\n", 3);
  cons.len = cons.at = 0;
  if (cons.foreground)
    kill(-cons.foreground);
  else
    deliver("\n", 1); // the shell prompts again
}

static void
history_key(int c)
{
  char key[3] = { ESC, '[', c };
  if (!cons.history)
    return;
  uint len = cons.len;
  cut(0, len); // from the screen only
  cons.len = len;
  deliver(key, 3);
  cons.asked = 1;
}

// The last character of an escape sequence, with the digit before a ~.
static void
escape_key(int c, int digit)
{
  if (c == '~')
    c = digit >= '1' && digit <= '8' ? "HIXFPNHF"[digit - '1'] : 0;
  switch (c) {
  case 'A':
  case 'B': history_key(c); break;
  case 'C': move_to(cons.at + (cons.at < cons.len)); break;
  case 'D': move_to(cons.at - (cons.at > 0)); break;
  case 'F': move_to(cons.len); break;
  case 'H': move_to(0); break;
  case 'X': cut(cons.at, cons.at + (cons.at < cons.len));
  }
}

// One more character of an escape sequence: ESC [ A, ESC O H, ESC [ 3 ~ and the like.
static void
escape(int c)
{
  int state = cons.escape;
  cons.escape = 0;
  if (state == ESC && (c == '[' || c == 'O'))
    cons.escape = '[';
  else if (state == '[' && c >= '0' && c <= '9')
    cons.escape = c;
  else if (state != ESC)
    escape_key(c, state);
}

static void
control(int c)
{
  switch (c) {
  case ESC: cons.escape = ESC; break;
  case CTRL('A'): move_to(0); break;
  case CTRL('E'): move_to(cons.len); break;
  case CTRL('K'): cut(cons.at, cons.len); break;
  case CTRL('U'): cut(0, cons.at); break;
  case CTRL('W'): cut(word_start(), cons.at); break;
  case CTRL('H'): cut(cons.at - (cons.at > 0), cons.at); break;
  case CTRL('C'): interrupt_key(); break;
  case CTRL('D'): deliver("\x04", cons.len == 0); break;
  case CTRL('P'): procdump(); break;
  case '\t': insert(' '); break;
  case '\n':
    move_to(cons.len);
    echo("\n", 1);
    deliver("\n", 1);
  }
}

static void
type(int c)
{
  if (cons.escape)
    escape(c);
  else if (c >= ' ')
    insert(c);
  else
    control(c);
}

// The answer to Up or Down is there, or none will come: what was typed since is typed now.
static void
answered(void)
{
  uint n = cons.nahead, i = 0;
  cons.asked = cons.nahead = 0;
  while (i < n && !cons.asked)
    type(cons.ahead[i++]);
  while (i < n) // another Up: the rest has to wait again, and is not behind i
    cons.ahead[cons.nahead++] = cons.ahead[i++];
}

// A character was typed. In an interrupt.
void
consoleintr(int c)
{
  if (c == '\r')
    c = '\n';
  if (c == 0x7f)
    c = CTRL('H');
  acquire(&cons.lock);
  if (!cons.asked || c == CTRL('C') || c == CTRL('P'))
    type(c);
  else if (cons.nahead < AHEAD)
    cons.ahead[cons.nahead++] = c;
  release(&cons.lock);
}

// ---- programs ----

// At most n bytes, at most a line; 0 at an end of file; -EINTR. Sleeps until there is something.
static int
console_read(struct span *dst, uint n)
{
  uint done = 0;
  acquire(&cons.lock);
  if (cons.asked && cons.r == cons.w)
    answered(); // by not answering
  while (cons.r == cons.w && !killed(myproc()))
    sleep(&cons.r, &cons.lock);
  int err = cons.r == cons.w ? -EINTR : 0;
  while (done < n && cons.r != cons.w) {
    char c = cons.input[cons.r % INPUT];
    if (c == EOF_MARK && done > 0)
      break; // for the next read
    cons.r++;
    if (c == EOF_MARK)
      break;
    span_put(dst, done++, &c, 1);
    if (c == '\n')
      break;
  }
  release(&cons.lock);
  return err < 0 ? err : (int)done;
}

static int
console_write(const struct span *src, uint n)
{
  char buf[256];
  uint done = 0;
  while (done < n && !killed(myproc())) {
    uint m = n - done < sizeof(buf) ? n - done : sizeof(buf);
    span_take(src, done, buf, m);
    uartwrite(buf, m);
    done += m;
  }
  return done;
}

// Replace the line that is being edited.
static void
fill(const char *text)
{
  acquire(&cons.lock);
  cut(0, cons.len);
  while (*text)
    insert(*text++);
  answered();
  release(&cons.lock);
}

static void
set_history(int on)
{
  acquire(&cons.lock);
  cons.history = on;
  answered();
  release(&cons.lock);
}

// consctl(what, arg), as sysinfo.h says: 0, -EFAULT, -ENAMETOOLONG, -EINVAL.
int
consctl(int what, uint64 arg)
{
  char text[LINE];
  int err = 0;
  if (what == CONS_FOREGROUND)
    cons.foreground = (int)arg > 0 ? arg : 0; // one aligned store
  else if (what == CONS_HISTORY)
    set_history(arg != 0);
  else if (what != CONS_FILL)
    err = -EINVAL;
  else if ((err = copyinstr(myproc()->mm, text, arg, LINE)) >= 0)
    fill(text);
  return err < 0 ? err : 0;
}

// Called once, by hart 0, before anything is said.
void
consoleinit(void)
{
  uartinit();
  devsw[CONSOLE] = (struct devsw){ .read = console_read, .write = console_write };
}
