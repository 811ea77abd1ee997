// SPDX-License-Identifier: MIT
// Background jobs, and who is in the foreground.

#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"
#include "user/quire.h"
#include "user/sh/sh.h"

#define NJOB 64 // that are remembered

static struct job jobs[NJOB];

struct job *
find_job(int pid)
{
  for (struct job *j = jobs; j < jobs + NJOB; j++)
    if (j->pid == pid)
      return j;
  return 0;
}

// In a child: they are its parent's.
void
forget_jobs(void)
{
  memset(jobs, 0, sizeof(jobs));
}

// A child that was not waited for has ended.
void
note_end(int pid, int st)
{
  struct job *j = find_job(pid);

  if (j) {
    j->done = 1;
    j->status = st;
  }
}

// A place for a new job. In a script, where nobody is told about the end of jobs, that of one that
// has ended, or else of the next one to end. 0: too many.
struct job *
new_job(void)
{
  struct job *j = find_job(0);
  int pid, st;

  while (!j && !interactive) {
    for (struct job *k = jobs; !j && k < jobs + NJOB; k++)
      if (k->done)
        j = k;
    if (!j && (pid = wait(&st)) > 0)
      note_end(pid, st);
    else
      break;
  }
  return j;
}

void
foreground(int group)
{
  if (interactive)
    consctl(CONS_FOREGROUND, group);
}

// Wait for a job, in the foreground: ^C kills it. Its status.
int
wait_job(struct job *j)
{
  int pid, st;

  foreground(j->pid);
  while (!j->done && (pid = wait(&st)) > 0)
    note_end(pid, st);
  foreground(0);
  st = j->done ? j->status : NOT_FOUND;
  *j = (struct job){ 0 };
  return st;
}

// Wait for all of them.
int
wait_jobs(void)
{
  for (struct job *j = jobs; j < jobs + NJOB; j++)
    if (j->pid)
      wait_job(j);
  return 0;
}

// Say which jobs have ended. wait() would sleep for those that have not: look for zombies first.
void
report_jobs(void)
{
  static struct procinfo all[NPROC];
  int running = 0, me = getpid(), st;

  for (struct job *j = jobs; j < jobs + NJOB; j++)
    running |= j->pid && !j->done;
  int n = running ? procs(all, NPROC) : 0;
  for (int i = 0; i < n; i++) {
    if (all[i].ppid == me && all[i].state == PS_ZOMBIE) {
      int pid = wait(&st);
      note_end(pid, st);
    }
  }
  for (struct job *j = jobs; j < jobs + NJOB; j++) {
    if (!j->pid || !j->done)
      continue;
    if (j->status == 0)
      fprintf(2, "[%d] done\n", j->pid);
    else
      fprintf(2, "[%d] status %d\n", j->pid, j->status);
    *j = (struct job){ 0 };
  }
}
