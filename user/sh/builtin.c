// SPDX-License-Identifier: MIT
// The commands that are built in. Each finds its arguments in argv and returns its status.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"
#include "user/sh/sh.h"

static int
explain(const char *what, const char *why)
{
  fprintf(2, "sh: %s: %s: %s\n", argv[0], what, why);
  return 1;
}

static int
do_cd(void)
{
  const char *dir = argc > 1 ? argv[1] : "/";

  if (argc > 2)
    return explain(argv[2], "one directory only");
  return chdir(dir) < 0 ? explain(dir, strerror(errno)) : 0;
}

static int
do_exit(void)
{
  int n = status;

  if (argc > 2 || (argc == 2 && !number(argv[1], &n)))
    return explain(argv[1], "one number is expected");
  exit(n);
}

// Nothing is killed unless all words are right: who typed the wrong one may have meant another.
static int
do_kill(void)
{
  int group = argc > 1 && strcmp(argv[1], "-g") == 0, bad = 0, pid;

  if (argc < 2 + group)
    return explain("usage", "kill [-g] pid...");
  for (int i = 1 + group; i < argc; i++)
    if (!number(argv[i], &pid) || pid <= 0)
      return explain(argv[i], "not a process number");
  for (int i = 1 + group; i < argc; i++) {
    number(argv[i], &pid);
    if (kill(group ? -pid : pid) < 0)
      bad |= explain(argv[i], strerror(errno));
  }
  return bad;
}

static int
do_wait(void)
{
  int st = 0, pid;

  if (argc == 1)
    return wait_jobs();
  for (int i = 1; i < argc; i++) {
    struct job *j = number(argv[i], &pid) && pid > 0 ? find_job(pid) : 0;
    st = j ? wait_job(j) : NOT_FOUND;
    if (!j)
      explain(argv[i], "not a background job of this shell");
  }
  return st;
}

// The one that argv names, or 0.
builtin *
find_builtin(void)
{
  static const struct {
    const char *name;
    builtin *run;
  } all[] = { { "cd", do_cd }, { "exit", do_exit }, { "kill", do_kill }, { "wait", do_wait } };

  for (uint i = 0; argc > 0 && i < sizeof(all) / sizeof(all[0]); i++)
    if (strcmp(argv[0], all[i].name) == 0)
      return all[i].run;
  return 0;
}
