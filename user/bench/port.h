// SPDX-License-Identifier: MIT
// What the benchmark needs of a system, in the words of Quire's library: on Quire they are there
// already, on Linux they are said here.
#pragma once

#ifdef __linux__

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t uint64;
typedef int64_t int64;
typedef unsigned char uchar;
typedef unsigned int uint;

#define SYSTEM     "linux"
#define SELF       "/proc/self/exe"
#define O_CREATE   O_CREAT
#define SBRK_ERROR ((char *)-1)
#define sbrklazy   sbrk
#define exec       execv
#define exit       _exit
#define fprintf    dprintf
#define mkdir(p)   mkdir(p, 0777)
#define open(p, f) open(p, f, 0666)
#define MAP_ANON   MAP_ANONYMOUS

#else

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "user/quire.h"

#define SYSTEM "quire"
#define SELF   "/bench"

#endif

// ---- port.c: what the two do in different ways ----

// What a round of a row cost beside its instructions. On Linux nobody tells: all 0.
struct costs {
  uint64 satp;      // page tables entered
  uint64 fences;    // sfence.vma executed
  uint64 switches;  // from one process to another
  uint64 disk;      // blocks read and written
  uint64 contended; // spinlocks that had to be waited for
  uint64 idle;      // instructions' time in which there was nothing to do
};

void costs_now(struct costs *);
void drop_cache(void);      // the next read of a file comes from the disk
uint64 frames_in_use(void); // beside the kernel's image, its frame table and clean cache
uint64 memory_mib(void);
void remove_dir(const char *);
void start_swap(void);
int reclaim(int pages);        // evict so many, by the kernel's policy: how many it were
char *grow_eager(uint64 size); // the heap grows, and every page has its frame when this returns

// Instructions since the machine was switched on, as far as QEMU's -icount counts them: while all
// harts wait, time goes on without any.
static inline uint64
instret(void)
{
  uint64 v;
  asm volatile("rdinstret %0" : "=r"(v)::"memory");
  return v;
}
