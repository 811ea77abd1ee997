// SPDX-License-Identifier: MIT
// What the parts of the shell share. sh.c explains the language.
#pragma once

#define LINE   4096 // bytes of a line, with its final zero
#define NSTAGE 64   // commands in a pipeline

#define NOT_FOUND 127 // exit statuses
#define NOT_RUN   126
#define BAD_LINE  2

// What a line is parsed into. It lives until the next parse_line().

struct word {
  const char *at; // in the line, quotes and all
  int len;
  struct word *next;
};

struct redirection {
  int fd;
  char how; // '<', '>', 'a' for >>, 'd' for >&
  struct word to;
  struct redirection *next;
};

struct stage {
  struct word *words;
  struct chain *inner; // instead of words
  struct redirection *redirections;
  struct stage *next;
};

struct pipeline {
  struct stage *stages;
  char when; // '&': if the one before succeeded, '|': if it failed, 0: always
  struct pipeline *next;
};

struct chain {
  struct pipeline *pipelines;
  int background;
  struct chain *next;
};

// A background job.
struct job {
  int pid; // and process group; 0: this place is free
  int done, status;
};

// sh.c
extern int status;      // of the last command
extern int interactive; // the input is the console
extern char **params;   // $0, $1 ...
extern int nparams;

// sh/line.c
void read_text(const char *text);  // lines are to come from here
int read_script(const char *name); // or from this file; -1: cannot be opened
void forget_script(void);
int read_line(char *line);       // 0: the end
void remember(const char *line); // in the history

// sh/parse.c
struct chain *parse_line(const char *line);

// sh/expand.c
extern char *argv[];
extern int argc;
int expand(const struct word *);
char *expand_word(const struct word *);

// sh/job.c
struct job *find_job(int pid);
struct job *new_job(void);
void forget_jobs(void);
void note_end(int pid, int st);
void foreground(int group);
int wait_job(struct job *);
int wait_jobs(void);
void report_jobs(void);

// sh/builtin.c
typedef int builtin(void); // returns its status
builtin *find_builtin(void);

// sh/run.c
void run_list(const struct chain *);
