// SPDX-License-Identifier: MIT
// The shell.
//
//   sh                 reads commands from its input; from the console, with a prompt
//   sh file [arg...]   reads them from a file; $0 is its name, $1 to $9 are the arguments
//   sh -c text         reads them from text
//
// A line is one list:
//
//   list        :  chain { (';' | '&') chain } [';' | '&']    '&': do not wait for this chain
//   chain       :  pipeline { ('&&' | '||') pipeline }        the next one: if status 0, if not 0
//   pipeline    :  stage { '|' stage }
//   stage       :  { word | redirection }
//               |  '(' list ')' { redirection }               in a shell of its own
//   redirection :  [0-2] ('<' | '>' | '>>') word              without a digit: < is 0, > is 1
//               |  [0-2] '>&' digit                           the same as another descriptor
//
// '...' quotes everything, "..." all but $ and \, and \ the next character. # begins a comment. $?
// is the status of the last command. A command without a '/' in its name is looked for here and
// then in the root directory. cd, exit, kill and wait are built in: none of them needs a process.
//
// One line goes through four steps: read_line (sh/line.c), parse_line (sh/parse.c), expand
// (sh/expand.c), run_list (sh/run.c). The parse keeps words as they were written, because $? is
// known only when they are run.
//
// An interactive shell gives each job a process group and tells the console which one is in the
// foreground, so that ^C kills that one and never the shell.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/quire.h"
#include "user/sh/sh.h"

int status, interactive, nparams;
char **params;

static void
prompt(void)
{
  report_jobs();
  consctl(CONS_HISTORY, 1); // first, so that a key that follows the prompt is not lost
  fprintf(2, "$ ");
}

static void
run_lines(void)
{
  static char line[LINE + 1];
  int more = 1;

  while (more) {
    if (interactive)
      prompt();
    more = read_line(line);
    if (interactive) {
      consctl(CONS_HISTORY, 0);
      remember(line);
    }
    run_list(parse_line(line));
  }
}

// Open what is missing of 0, 1 and 2: replace() in run.c relies on them.
static void
open_standard(void)
{
  int fd;

  while ((fd = open("/console", O_RDWR)) >= 0 && fd < 3)
    ;
  close(fd);
}

int
main(int ac, char *av[])
{
  struct stat st;

  progname = "sh";
  open_standard();
  if (ac > 1 && strcmp(av[1], "-c") == 0) {
    if (ac != 3) {
      fprintf(2, "usage: sh [-c text | file [arg...]]\n");
      exit(BAD_LINE);
    }
    read_text(av[2]);
  } else if (ac > 1) {
    params = av + 1;
    nparams = ac - 1;
    if (read_script(av[1]) < 0) {
      complain(av[1]);
      exit(NOT_FOUND);
    }
  } else if (fstat(0, &st) == 0 && st.type == T_DEVICE) {
    interactive = 1;
    setpgid(0, 0);
    foreground(0);
  }
  run_lines();
  if (interactive)
    fprintf(2, "\n");
  exit(status);
}
