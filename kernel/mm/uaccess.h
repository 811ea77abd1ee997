// SPDX-License-Identifier: MIT
// The only way to user memory. See uaccess.c.
#pragma once

#include "page.h"

struct mm;

#define NPIN 16 // pages a span pins at the most

// Memory that can be copied to and from without a fault or a sleep, under any lock: kernel memory,
// or pinned pages of a program.
struct span {
  char *kva; // kernel memory when npin is 0
  uint off;  // where the memory starts in the first pinned page
  uint len;  // bytes
  int npin;  // pages pinned
  int write; // for storing into them
  struct page *pin[NPIN];
};

void span_kernel(struct span *, void *kva, uint len);
int span_pin(struct span *, struct mm *, uint64 va, uint64 len, int write);
void span_unpin(struct span *);
void span_put(struct span *, uint at, const void *src, uint n);
void span_take(const struct span *, uint at, void *dst, uint n);

int pins_out(void);
int user_range(struct mm *, uint64 va, uint64 len, int write);
int copyout(struct mm *, uint64 dstva, const void *src, uint64 len);
int copyin(struct mm *, void *dst, uint64 srcva, uint64 len);
int copyinstr(struct mm *, char *dst, uint64 srcva, uint64 max);
