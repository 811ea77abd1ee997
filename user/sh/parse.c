// SPDX-License-Identifier: MIT
// From a line to what it means: one function for each rule of the grammar in sh.c.
//
// A token is looked at in token, and advance() goes to the next. After the first fault there are no
// more tokens but the end, so that every function comes to its own end by itself and none has to
// report one. Nothing is copied: a word is a piece of the line.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"
#include "user/sh/sh.h"

#define POOL  32768 // bytes of what a line is parsed into
#define DEPTH 32    // parentheses in parentheses

// The next token: one of ; & | ( ) < >, or 'a' for >>, 'd' for >&, 'w' for a word, 'A' for &&,
// 'O' for ||, 0 for the end.
static struct {
  char kind;
  const char *at; // where it begins
  int len;
  int fd; // the digit of a redirection, or -1
} token;

static const char *fault;    // what is wrong with the line: the first thing found
static const char *fault_at; // and where
static int depth;

static char pool[POOL] __attribute__((aligned(16)));
static uint pool_used;

// From the first fault on there is nothing but the end: every loop of the parser stops by itself.
static void
wrong(const char *what)
{
  if (!fault) {
    fault = what;
    fault_at = token.at;
  }
  token.kind = 0;
  token.at = "";
  token.len = 0;
}

// Zeroed memory until the next line. When it is out, the line is wrong, and any memory will do.
static void *
take(uint size)
{
  if (pool_used + size > POOL) {
    wrong("the line has too many parts");
    pool_used = 0;
  }
  void *p = pool + pool_used;
  pool_used += (size + 7) & ~7u;
  return memset(p, 0, size);
}

static int
ends_word(char c)
{
  return c == 0 || strchr(" \t\r\v\f;&|()<>", c) != 0;
}

// The end of the word at p, or 0 if a quote is not closed.
static const char *
skip_word(const char *p)
{
  while (!ends_word(*p)) {
    char quote = *p++;
    if (quote == '\\') {
      if (!*p++)
        return 0;
    } else if (quote == '\'' || quote == '"') {
      while (*p && *p != quote)
        p += *p == '\\' && quote == '"' && p[1] ? 2 : 1;
      if (!*p++)
        return 0;
    }
  }
  return p;
}

static void
set_token(char kind, const char *at, int len)
{
  token.kind = kind;
  token.at = at;
  token.len = len;
}

static void
advance(void)
{
  const char *p = token.at + token.len, *end;

  if (fault)
    return;
  while (*p && strchr(" \t\r\v\f", *p))
    p++;
  token.fd = -1;
  if (p[0] >= '0' && p[0] <= '2' && (p[1] == '<' || p[1] == '>'))
    token.fd = *p++ - '0';
  if (*p == 0 || *p == '#')
    set_token(0, p, 0);
  else if (p[0] == '&' && p[1] == '&')
    set_token('A', p, 2);
  else if (p[0] == '|' && p[1] == '|')
    set_token('O', p, 2);
  else if (p[0] == '>' && p[1] == '>')
    set_token('a', p, 2);
  else if (p[0] == '>' && p[1] == '&')
    set_token('d', p, 2);
  else if (ends_word(*p))
    set_token(*p, p, 1);
  else if ((end = skip_word(p)) != 0)
    set_token('w', p, end - p);
  else {
    set_token('w', p, 0);
    wrong("a quote is not closed");
  }
}

static struct word
token_word(void)
{
  return (struct word){ .at = token.at, .len = token.len };
}

static struct redirection *
parse_redirection(void)
{
  struct redirection *r = take(sizeof(*r));

  r->how = token.kind;
  r->fd = token.fd >= 0 ? token.fd : token.kind != '<';
  advance();
  if (token.kind != 'w')
    wrong("a file name is missing after < or >");
  else if (r->how == 'd' && (token.len != 1 || *token.at < '0' || *token.at > '9'))
    wrong("a digit is missing after >&");
  r->to = token_word();
  advance();
  return r;
}

static struct chain *parse_list(void);

static struct chain *
parse_inner(void)
{
  if (++depth > DEPTH)
    wrong("too many parentheses in parentheses");
  advance();
  struct chain *list = parse_list();
  if (token.kind != ')')
    wrong("a ( is not closed");
  advance();
  depth--;
  return list;
}

static struct stage *
parse_stage(void)
{
  struct stage *s = take(sizeof(*s));
  struct word **word = &s->words;
  struct redirection **redirection = &s->redirections;

  if (token.kind == '(')
    s->inner = parse_inner();
  else if (token.kind == 0 || !strchr("w<>ad", token.kind))
    wrong("a command is missing");
  while (token.kind != 0 && strchr("w<>ad", token.kind)) {
    if (token.kind != 'w') {
      *redirection = parse_redirection();
      redirection = &(*redirection)->next;
      continue;
    }
    if (s->inner)
      wrong("a word stands behind a )");
    *word = take(sizeof(**word));
    **word = token_word();
    word = &(*word)->next;
    advance();
  }
  if (token.kind == '(')
    wrong("a ( must begin a command");
  return s;
}

static struct pipeline *
parse_pipeline(char when)
{
  struct pipeline *p = take(sizeof(*p));
  struct stage **stage = &p->stages;
  int n = 1;

  p->when = when;
  *stage = parse_stage();
  while (token.kind == '|') {
    if (++n > NSTAGE)
      wrong("too many commands in a pipeline");
    advance();
    stage = &(*stage)->next;
    *stage = parse_stage();
  }
  return p;
}

static struct chain *
parse_chain(void)
{
  struct chain *c = take(sizeof(*c));
  struct pipeline **p = &c->pipelines;

  *p = parse_pipeline(0);
  while (token.kind == 'A' || token.kind == 'O') {
    char when = token.kind == 'A' ? '&' : '|';
    advance();
    p = &(*p)->next;
    *p = parse_pipeline(when);
  }
  return c;
}

static struct chain *
parse_list(void)
{
  struct chain *first = 0, **c = &first;

  do {
    *c = parse_chain();
    (*c)->background = token.kind == '&';
    c = &(*c)->next;
    if (token.kind != ';' && token.kind != '&')
      break;
    advance();
  } while (token.kind != 0 && token.kind != ')');
  return first;
}

// 0: an empty line, or a wrong one, which has been told.
struct chain *
parse_line(const char *line)
{
  struct chain *list = 0;

  pool_used = 0;
  depth = 0;
  fault = 0;
  set_token(0, line, 0);
  advance();
  if (token.kind != 0)
    list = parse_list();
  if (token.kind != 0)
    wrong("a ) was not opened");
  if (!fault)
    return list;
  if (*fault_at)
    fprintf(2, "sh: %s: %.40s\n", fault, fault_at);
  else
    fprintf(2, "sh: %s at the end of the line\n", fault);
  status = BAD_LINE;
  return 0;
}
