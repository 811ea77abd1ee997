// SPDX-License-Identifier: MIT
// What every test uses, in usertests and in vmtests. A test is a function without arguments that
// returns when all is well. It runs in a process and a directory of its own, which are gone
// afterwards with all that is in them, so it need not tidy up. It says what must hold with CHECK,
// EQUALS, FAILS and DIES; what does not hold ends the process with a sentence on the console, here
// and in the test's own children.
#pragma once

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"
#include "kernel/fs.h"
#include "kernel/vm.h"
#include "kernel/syscall.h"
#include "user/user.h"
#include "user/quire.h"

#define CHECK(c)          ((c) ? (void)0 : broken(__FILE__, __LINE__, #c))
#define FAILS(call, err)  must_fail(__FILE__, __LINE__, #call, (int64)(call), err)
#define EQUALS(got, want) must_be(__FILE__, __LINE__, #got, (int64)(got), (int64)(want))
#define DIES(fn, arg)     CHECK(run(fn, (uint64)(arg)) == KILLED) // in a child
#define LIVES(fn, arg)    CHECK(run(fn, (uint64)(arg)) == 0)
#define COUNT(array)      ((int)(sizeof(array) / sizeof((array)[0])))

#define SCRATCH "ut.scratch" // the directory that a test runs in
#define KILLED  (-1)         // wait status of a process that was killed
#define BUFSZ   65536
#define CONSOLE 1 // major number of the console

enum { ASLEEP = 2, ZOMBIE = 5 }; // states of PS_NAMES

typedef void work_fn(uint64);

struct test {
  const char *name, *about;
  void (*run)(void);
  int slow;
};

// suite.c: running
int harness(int argc, char **argv, const struct test *, int n);

extern char buf[BUFSZ]; // page-aligned, for whoever runs

// check.c: judging
void broken(const char *file, int line, const char *what) __attribute__((noreturn));
void must_fail(const char *file, int line, const char *call, int64 got, int want);
void must_be(const char *file, int line, const char *what, int64 got, int64 want);

// children.c: processes
int spawn(work_fn *, uint64 arg);
int reap(int pid);
int run(work_fn *, uint64 arg);
void reap_all(int n);
void crowd(int n, work_fn *);
void loiter(uint64);
void exit_with(uint64);
void touch(uint64);
void peek(uint64);
void spin(uint64);
int state_of(int pid);
int parent_of(int pid);
int members(int pgid);
void await(int pid, int state);
void await_program(int pid, const char *name);
void await_gone(int pid);

// files.c: bytes and files
void fill(void *, uint n, uint seed, uint64 at);
int same(const void *, uint n, uint seed, uint64 at);
int zeros(const void *, uint n);
void stamp(void *page, uint seed, uint n);
int stamped(const void *page, uint seed, uint n);
int create(const char *name);
void put(int fd, const void *, int n);
void get(int fd, void *, int n);
void make(const char *name, uint seed, uint n);
void holds(const char *name, uint seed, uint n);
void write_blocks(const char *name, uint seed, uint blocks);
void check_blocks(const char *name, uint seed, uint blocks);
struct stat look(const char *name);
int exists(const char *name);
void copy(const char *from, const char *to);
int open_fds(void);

// machine.c: memory, time, counts
char *heap_edge(void);
uint64 micros(void);
struct sysinfo counts(int flags);
uint64 spare_frames(void);
int64 raw(uint64 nr, uint64 a, uint64 b, uint64 c, int *err);
uint rnd(void);
