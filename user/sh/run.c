// SPDX-License-Identifier: MIT
// Running what was parsed: redirections, pipes, processes.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"
#include "user/sh/sh.h"

// Make fd a copy of from. 0, 1 and 2 are always open, so that fd is the lowest free descriptor.
static int
replace(int fd, int from)
{
  if (fd == from)
    return 0;
  close(fd);
  return dup(from) == fd ? 0 : -1;
}

static int
redirect(const struct redirection *r)
{
  for (; r; r = r->next) {
    char *name = expand_word(&r->to);
    int from = -1;
    if (!name)
      return -1;
    if (r->how == 'd')
      from = dup(name[0] - '0');
    else if (r->how == '<')
      from = open(name, O_RDONLY);
    else
      from = open(name, O_WRONLY | O_CREATE | (r->how == '>' ? O_TRUNC : 0));
    if (from < 0 || (r->how == 'a' && lseek(from, 0, SEEK_END) < 0 && errno != ESPIPE)) {
      complain(name);
      return -1;
    }
    int bad = replace(r->fd, from);
    close(from);
    if (bad)
      return -1;
  }
  return 0;
}

// Run a builtin, or redirections alone, in this process, and put 0, 1 and 2 back afterwards.
static int
run_here(builtin *b, const struct redirection *r)
{
  int saved[3] = { -1, -1, -1 }, st = 1, bad = 0;

  for (const struct redirection *q = r; q; q = q->next)
    if (saved[q->fd] < 0)
      bad |= (saved[q->fd] = dup(q->fd)) < 0;
  if (bad)
    complain("redirection");
  else if (redirect(r) == 0)
    st = b ? b() : 0;
  for (int fd = 0; fd < 3; fd++) {
    if (saved[fd] >= 0) {
      replace(fd, saved[fd]);
      close(saved[fd]);
    }
  }
  return st;
}

// Start a child in the process group, 0 for one of its own. In the child, it returns 0 after it has
// forgotten what was its parent's alone.
static int
start(int group)
{
  int pid = fork();

  if (pid < 0) {
    fprintf(2, "sh: cannot start a process: %s\n", strerror(errno));
  } else if (interactive) {
    setpgid(pid, group ? group : pid); // both do it: neither may go on before it is done
  }
  if (pid == 0) {
    interactive = 0;
    forget_jobs();
    forget_script();
  }
  return pid;
}

// Become the program in argv. Returns the status of a command that cannot be run, and says why.
static int
run_program(void)
{
  char path[MAXPATH];

  exec(argv[0], argv);
  int why = errno;
  if (*argv[0] && !strchr(argv[0], '/') && strlen(argv[0]) + 2 <= MAXPATH) {
    path[0] = '/';
    strcpy(path + 1, argv[0]);
    exec(path, argv);
    if (errno != ENOENT)
      why = errno;
  }
  fprintf(2, "sh: %s: %s\n", argv[0], strerror(why));
  return why == ENOENT ? NOT_FOUND : NOT_RUN;
}

// What a child does: this stage, and nothing after it.
static void
become(const struct stage *s)
{
  if (expand(s->words) < 0 || redirect(s->redirections) < 0)
    exit(1);
  if (s->inner) {
    run_list(s->inner);
    exit(status);
  }
  builtin *b = find_builtin();
  exit(b ? b() : argc > 0 ? run_program() : 0);
}

// Wait for a pipeline's processes. Returns the status of the last.
static int
wait_all(const int *pids, int n)
{
  int left = n, last = 0, pid, st;

  while (left > 0 && (pid = wait(&st)) > 0) {
    int i = n;
    while (i > 0 && pids[i - 1] != pid)
      i--;
    if (i == 0)
      note_end(pid, st);
    else if (i == n)
      last = st;
    left -= i > 0;
  }
  return last;
}

// In a child: take the input from in and the output to out, and close the rest of the pipes.
static void
plumb(int in, int out, int unused)
{
  int bad = replace(0, in) | replace(1, out);

  if (in > 2)
    close(in);
  if (out > 2)
    close(out);
  if (unused >= 0)
    close(unused);
  if (bad) {
    complain("pipe");
    exit(1);
  }
}

// Start the stages from left to right; each but the first reads what the one before writes.
static void
run_stages(const struct stage *s)
{
  int pids[NSTAGE], n = 0, in = 0;

  for (; s; s = s->next) {
    int ends[2] = { -1, 1 };
    if (s->next && pipe(ends) < 0) {
      complain("pipe");
      break;
    }
    int pid = start(n > 0 ? pids[0] : 0);
    if (pid == 0) {
      plumb(in, ends[1], ends[0]);
      become(s);
    }
    if (n == 0 && pid > 0)
      foreground(pid);
    if (in != 0)
      close(in);
    if (ends[1] != 1)
      close(ends[1]);
    in = ends[0];
    if (pid < 0)
      break;
    pids[n++] = pid;
  }
  if (in > 0)
    close(in);
  int last = wait_all(pids, n);
  foreground(0);
  status = s ? 1 : last;
}

static void
run_pipeline(const struct pipeline *p)
{
  const struct stage *s = p->stages;

  if (s->next || s->inner) {
    run_stages(s);
    return;
  }
  if (expand(s->words) < 0) {
    status = 1;
    return;
  }
  builtin *b = find_builtin();
  if (b || argc == 0)
    status = run_here(b, s->redirections);
  else
    run_stages(s);
}

static void
run_chain(const struct chain *c)
{
  for (const struct pipeline *p = c->pipelines; p; p = p->next)
    if (p->when == 0 || (p->when == '&') == (status == 0))
      run_pipeline(p);
}

// Start a chain and go on. It finds its input at the end, so that it takes nothing from the shell.
static void
run_background(const struct chain *c)
{
  struct job *j = new_job();
  int nothing[2];

  status = 1;
  if (!j) {
    fprintf(2, "sh: too many background jobs\n");
    return;
  }
  int pid = start(0);
  if (pid < 0)
    return;
  if (pid > 0) {
    *j = (struct job){ .pid = pid };
    if (interactive)
      fprintf(2, "[%d]\n", pid);
    status = 0;
    return;
  }
  if (pipe(nothing) == 0) {
    close(nothing[1]);
    plumb(nothing[0], 1, -1);
  }
  if (!c->pipelines->next && !c->pipelines->stages->next)
    become(c->pipelines->stages);
  run_chain(c);
  exit(status);
}

void
run_list(const struct chain *c)
{
  for (; c; c = c->next) {
    if (c->background)
      run_background(c);
    else
      run_chain(c);
  }
}
