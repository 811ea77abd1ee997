// SPDX-License-Identifier: MIT
// What every test of vmtests uses, beside what all programs of tests share. How a process died is
// asked for exactly: a page fault at this address for this access, and nothing else.
#pragma once

#include "user/harness/harness.h"
#include "user/harness/probe.h"

#define SELF    "/vmtests" // this program
#define PAGEBUF 16         // pages in buf

// fn(arg) dies of an access of this kind at arg, or at va.
#define FAULTS(fn, arg, access)        FAULTS_AT(fn, arg, arg, access)
#define FAULTS_AT(fn, arg, va, access) must_die(__FILE__, __LINE__, fn, arg, DIED_FAULT, va, access)
#define IO_ERROR(fn, arg)              must_die(__FILE__, __LINE__, fn, arg, DIED_IO, arg, 0)
#define must_die(file, line, fn, arg, how, va, access) \
  must_end(file, line, #fn, fate(fn, (uint64)(arg)), how, (uint64)(va), access)

// tool.c
struct waitinfo fate(work_fn *, uint64 arg);
struct waitinfo ending(int pid);
void must_end(const char *file, int line, const char *what, struct waitinfo, int how, uint64 va,
              int access);
int post(work_fn *, uint64 arg);
void dismiss(int pid);
int ranges(void);
uint64 frames_free(void);
void stamp_all(char *p, uint seed, uint pages);
int stamped_all(const char *p, uint seed, uint pages);
void advise(const void *p, uint64 pages, int advice);
void jump(uint64);
void nothing(uint64);
int thread(void (*)(void *), void *arg);
void end_of_thread(int tid);

// proof.c: faults are as many as their kinds together
uint64 kinds_of_faults(const struct vmcounts *);

// swap.c
void swap_on(void);
void swap_off(void);
void page_out(const void *p, uint64 pages);

// model.c: the eviction policies once more
#define MODEL_PAGES 2048
void model_start(int policy);
int model_touch(int page);
int model_evict(void);

// failing.c: exit statuses of what had the chosen allocation fail
enum { FAILED = 3, NEVER = 7 }; // the call failed for it; it did not come to that

// again.c: what this program does when a test runs it again
int rerun(const char *helper);
int start_again(void);
int helper(int argc, char **argv);

#define QUICK(name, about) void name(void);
#define SLOW(name, about)  void name(void);
#include "tests.tbl"
#undef QUICK
#undef SLOW
