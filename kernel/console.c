// SPDX-License-Identifier: MIT
// The console: what is typed becomes lines, edited before a program sees them.
//
// Interface: consoleinit; consoleintr, for the port; the call consctl; read and write through
// devsw[CONSOLE].
//
//   keys -> ahead[], a ring -> line[] edited here -> Enter -> input[], a ring -> read, a line at a time
//
//   Left Right Home End ^B ^F ^A ^E   move    ^K ^U ^W Backspace Delete   cut
//   ^C   kill the foreground group            ^D   end of file; with text: deliver it as it is
//   ^P   list the processes                   Up Down   with CONS_HISTORY: deliver the line and the key
//
// Lock: "console", for everything here.
//
// 1. line[0..len) is what the screen shows behind the prompt, with the cursor at line[at].
// 2. EOF_MARK in input[] stands for an end of file.
// 3. Keys stay in ahead[] only while `asked`, or while input[] has no room for a line.
// 4. What finds no room is not echoed: the bell rings. A line that lacks such characters takes no
//    more of them and is not delivered (`cut_short`) before somebody has edited it.

#include "file.h"
#include "proc.h"
#include "sysinfo.h"

#define CTRL(c)  ((c) - '@')
#define ESC      0x1b
#define RUBOUT   0x7f
#define EOF_MARK CTRL('D')
#define LINE     256
#define INPUT    1024
#define AHEAD    512

static struct {
  struct spinlock lock;
  char line[LINE];
  uint len, at;
  char input[INPUT];
  uint r, w; // of input: bytes read, bytes written
  ushort ahead[AHEAD];
  uint ar, aw;    // the same of ahead
  int cut_short;  // the line misses characters
  int escape;     // how much of an escape sequence came: 0, ESC, '[', or a digit
  int foreground; // the group that ^C kills; 0: none
  int history;
  int asked; // Up or Down was delivered, and who read it will answer with CONS_FILL
} cons = { .lock = SPINLOCK("console") };

// ---- the screen and the line ----

static void
echo(const char *s, uint n)
{
  while (n-- > 0)
    uartputc_sync(*s++);
}

static void
repeat(char c, uint n)
{
  while (n-- > 0)
    uartputc_sync(c);
}

static void
move_to(uint at)
{
  if (at < cons.at)
    repeat('\b', cons.at - at);
  else
    echo(cons.line + cons.at, at - cons.at);
  cons.at = at;
}

static int
refused(void)
{
  if (cons.cut_short)
    uartputc_sync('\a');
  return cons.cut_short;
}

// Put n characters in the place of line[from..to), and the cursor behind them.
static void
replace(uint from, uint to, const char *text, uint n)
{
  uint len = cons.len - (to - from) + n, gone = cons.len > len ? cons.len - len : 0;
  cons.cut_short = len > LINE - 4; // room for a key or a newline behind it
  if (refused())
    return;
  move_to(from);
  memmove(cons.line + from + n, cons.line + to, cons.len - to);
  memmove(cons.line + from, text, n);
  echo(cons.line + from, len - from);
  repeat(' ', gone);
  cons.len = len;
  cons.at = from + n;
  repeat('\b', gone + len - cons.at);
}

static void
cut(uint from, uint to)
{
  replace(from, to, "", 0);
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

// Hand the line with n bytes behind it to who reads. Only a ^C may come when it does not fit.
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

// ---- the keys ----

// Keys that no control character stands for.
enum { DELETE = 0x100, UP, DOWN, LOST };

// What the last character of an escape sequence means, or the digit before its ~.
static const ushort keys[128] = {
  ['A'] = UP,        ['B'] = DOWN,      ['C'] = CTRL('F'), ['D'] = CTRL('B'),
  ['H'] = CTRL('A'), ['1'] = CTRL('A'), ['7'] = CTRL('A'), ['F'] = CTRL('E'),
  ['4'] = CTRL('E'), ['8'] = CTRL('E'), ['3'] = DELETE,
};

// One more character: what it means, which is 0 as long as more of an escape sequence has to come. Those
// are ESC [ A, ESC O H, ESC [ 3 ~ and the like.
static int
decode(int c)
{
  int state = c == LOST ? 0 : cons.escape;
  cons.escape = 0;
  if (c == ESC)
    cons.escape = ESC;
  else if (state == ESC)
    cons.escape = c == '[' || c == 'O' ? '[' : 0;
  else if (state == '[' && c >= '0' && c <= '9')
    cons.escape = c;
  else if (state)
    return keys[(c == '~' ? state : c) % 128];
  else
    return c;
  return 0;
}

static void
interrupt_key(void)
{
  echo("^C\n", 3);
  cons.len = cons.at = cons.cut_short = 0;
  if (cons.foreground)
    kill(-cons.foreground);
  else
    deliver("\n", 1); // the shell prompts again
}

static void
history_key(const char *key)
{
  uint len = cons.len;
  if (!cons.history || refused())
    return;
  cut(0, len); // from the screen only
  cons.len = len;
  deliver(key, 3);
  cons.asked = 1;
}

static void
type(int c)
{
  char text = c == '\t' ? ' ' : c;
  switch (c) {
  case CTRL('A'): move_to(0); break;
  case CTRL('B'): move_to(cons.at - (cons.at > 0)); break;
  case CTRL('E'): move_to(cons.len); break;
  case CTRL('F'): move_to(cons.at + (cons.at < cons.len)); break;
  case CTRL('K'): cut(cons.at, cons.len); break;
  case CTRL('U'): cut(0, cons.at); break;
  case CTRL('W'): cut(word_start(), cons.at); break;
  case CTRL('H'):
  case RUBOUT: cut(cons.at - (cons.at > 0), cons.at); break;
  case DELETE: cut(cons.at, cons.at + (cons.at < cons.len)); break;
  case UP: history_key("\033[A"); break;
  case DOWN: history_key("\033[B"); break;
  case LOST: cons.cut_short = 1; break;
  case CTRL('C'): interrupt_key(); break;
  case CTRL('D'):
    if (!refused())
      deliver("\x04", cons.len == 0);
    break;
  case CTRL('P'): procdump(); break;
  case '\r':
  case '\n':
    if (refused())
      break;
    move_to(cons.len);
    echo("\n", 1);
    deliver("\n", 1);
    break;
  default:
    if (text >= ' ' && !refused())
      replace(cons.at, cons.at, &text, 1);
  }
}

// Take the keys that came, up to one that somebody has to answer.
static void
edit(void)
{
  while (!cons.asked && cons.ar != cons.aw && INPUT - (cons.w - cons.r) >= LINE)
    type(decode(cons.ahead[cons.ar++ % AHEAD]));
}

// A character was typed. In an interrupt.
void
consoleintr(int c)
{
  acquire(&cons.lock);
  if (c == CTRL('C') || c == CTRL('P'))
    type(c); // whatever waits
  else if (cons.aw - cons.ar < AHEAD)
    cons.ahead[cons.aw++ % AHEAD] = c;
  else {
    cons.ahead[(cons.aw - 1) % AHEAD] = LOST;
    uartputc_sync('\a');
  }
  edit();
  release(&cons.lock);
}

// ---- programs ----

// At most n bytes, at most a line; 0 at an end of file; -EINTR. Sleeps until there is something.
static int
console_read(struct span *dst, uint n)
{
  int done = 0;
  acquire(&cons.lock);
  if (cons.r == cons.w) {
    cons.asked = 0; // who reads on does not answer
    edit();
  }
  while (cons.r == cons.w && !killed(myproc()))
    sleep(&cons.r, &cons.lock);
  if (cons.r == cons.w)
    done = -EINTR;
  for (char c = 0; (uint)done < n && c != '\n' && cons.r != cons.w; cons.r++) {
    c = cons.input[cons.r % INPUT];
    if (c == EOF_MARK) {
      cons.r += done == 0; // behind some text it is for the next read
      break;
    }
    if (span_put(dst, done, &c, 1) == 0)
      break;
    done++;
  }
  release(&cons.lock);
  return done;
}

static int
console_write(struct span *src, uint n)
{
  char buf[256];
  uint done = 0;
  for (uint m = 1; m > 0 && done < n && !killed(myproc()); done += m) {
    m = n - done < sizeof(buf) ? n - done : sizeof(buf);
    m = span_take(src, done, buf, m);
    uartwrite(buf, m);
  }
  return done;
}

// consctl(what, arg), as sysinfo.h says: 0, -EFAULT, -ENAMETOOLONG, -EINVAL.
int64
sys_consctl(void)
{
  char text[LINE];
  int what = argint(0), n = 0;
  if (what == CONS_FILL && (n = copyinstr(myproc()->mm, text, arg(1), LINE - 3)) < 0)
    return n;
  acquire(&cons.lock);
  switch (what) {
  case CONS_FOREGROUND: cons.foreground = argint(1) > 0 ? argint(1) : 0; break;
  case CONS_HISTORY: cons.history = arg(1) != 0; break;
  case CONS_FILL: replace(0, cons.len, text, n); break;
  default: n = -EINVAL;
  }
  cons.asked = 0; // this was the answer, or none will come
  edit();
  release(&cons.lock);
  return n < 0 ? n : 0;
}

// Called once, by hart 0, before anything is said.
void
consoleinit(void)
{
  uartinit();
  devsw[CONSOLE] = (struct devsw){ .read = console_read, .write = console_write };
}
