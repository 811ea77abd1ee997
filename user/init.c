// SPDX-License-Identifier: MIT
// The first program. It opens the console for everybody after it, keeps a shell running, and waits
// for the processes whose parent died.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"

#define CONSOLE 1   // its major device number
#define NOSHELL 127 // exit status of a child that found no shell

static char *shell[] = { "sh", 0 };

static void
open_console(void)
{
  if (open("/console", O_RDWR) < 0) {
    mknod("/console", CONSOLE, 0);
    open("/console", O_RDWR);
  }
  dup(0);
  dup(0);
}

static int
start_shell(void)
{
  printf("init: starting sh\n");
  int pid = fork();
  if (pid < 0)
    complain("fork");
  if (pid == 0) {
    exec("/sh", shell);
    complain("/sh");
    exit(NOSHELL);
  }
  return pid;
}

int
main(void)
{
  int pid, status;

  progname = "init";
  open_console();
  for (;;) {
    int sh = start_shell();
    status = sh < 0 ? NOSHELL : 0;
    while (sh > 0 && (pid = wait(&status)) != sh && pid > 0)
      ;
    if (status == NOSHELL)
      pause(TICKS_HZ);
  }
}
