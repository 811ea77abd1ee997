// SPDX-License-Identifier: MIT
// The only way to user memory. See uaccess.c.
#pragma once

#include "page.h"

struct mm;

#define NPIN 16 // pages a span pins at the most

// Memory that can be copied to and from without a fault or a sleep, under any lock: kernel memory,
// or pages of a program.
struct span {
  char *kva;     // kernel memory; or 0, and
  struct mm *mm; //   the program's,
  uint64 va;     //   from here on
  uint len;      // bytes
  int write;     // for storing into them
  int cut;       // a copy was cut short, as a page was not there
  int npin;      // pages pinned
  struct page *pin[NPIN];
};

void span_kernel(struct span *, void *kva, uint len);
int span_pin(struct span *, struct mm *, uint64 va, uint64 len, int write);
int span_open(struct span *, struct mm *, uint64 va, uint64 len, int write);
void span_unpin(struct span *);
uint64 span_put(struct span *, uint64 at, const void *src, uint64 n);
uint64 span_take(struct span *, uint64 at, void *dst, uint64 n);

int pins_out(void);
int user_range(struct mm *, uint64 va, uint64 len, int write);
int copyout(struct mm *, uint64 dstva, const void *src, uint64 len);
int copyin(struct mm *, void *dst, uint64 srcva, uint64 len);
int copyinstr(struct mm *, char *dst, uint64 srcva, uint64 max);
