// SPDX-License-Identifier: MIT
// What Quire adds to xv6's calls and library.
#pragma once

#include "kernel/types.h"
#include "kernel/errno.h"
#include "kernel/mman.h"
#include "kernel/sysinfo.h"
#include "kernel/vmstat.h"

// System calls. Each returns -1 and sets errno when it fails.

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

int64 lseek(int fd, int64 offset, int whence); // the new position
int ftruncate(int fd, uint64 size);
int fsync(int fd);              // what this file is, is on the disk when it returns
int setpgid(int pid, int pgid); // 0 for pid: the caller; 0 for pgid: a group of its own
int getpgid(int pid);
int consctl(int what, uint64 arg);     // sysinfo.h: CONS_*
int procs(struct procinfo *, int max); // how many it wrote
int sysinfo(struct sysinfo *, int flags);
int poweroff(int status); // status becomes QEMU's exit status
// kill() takes a group too: kill(-pgid).

void *mmap(void *addr, uint64 len, int prot, int flags, int fd, uint64 off); // MAP_FAILED
int munmap(void *addr, uint64 len);
int mprotect(void *addr, uint64 len, int prot);
int msync(void *addr, uint64 len, int flags);
int madvise(void *addr, uint64 len, int advice);
int mincore(void *addr, uint64 len,
            uchar *vec); // 1 in vec: the page has a frame here or in the cache

// What the pages from va on are: how many of n it described. pid 0: the caller.
int pageinfo_of(int pid, const void *va, int n, struct pageinfo *);
int pageinfo(const void *va, int n, struct pageinfo *); // the caller's own
int vmas(int pid, struct vmainfo *, int max);           // how many ranges there are
int vmstat(struct vmstat *);
int vmctl(int what, uint64 arg); // vmstat.h: VMCTL_*
int waitinfo(struct waitinfo *); // wait(), and how it died; its pid

// Threads: the calls that user/thread.h is made of.
int clone(void (*fn)(void *), void *arg, void *stack); // a thread's id; stack: its top
void texit(int status) __attribute__((noreturn));      // this thread ends
int join(int tid, int *status);                        // wait until a thread has ended
int gettid(void);
int futex(int *addr, int op,
          int value); // FUTEX_WAIT: sleep while *addr is value. FUTEX_WAKE: how many woke

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

// Library.

// What a thread has for itself; tp points to it, and usys.S stores into error.
struct self {
  int error;
  const char *program;
};
struct self *thread_self(void);
#define errno    (thread_self()->error)   // why the last call failed
#define progname (thread_self()->program) // argv[0]
const char *strerror(int);
void perror(const char *what);   // "what: why" on fd 2
void complain(const char *what); // "program: what: why" on fd 2
int number(const char *, int *); // 1: all of it is a decimal int, maybe with a sign; 0: not
int snprintf(char *buf, uint size, const char *fmt, ...) __attribute__((format(__printf__, 3, 4)));
char *strncpy(char *, const char *, uint);
int strncmp(const char *, const char *, uint);
char *strrchr(const char *, char);
void *calloc(uint n, uint size);
void *realloc(void *, uint);

// What people call the numbers of vmstat.h: kinds of a range, policies, modes.
#define VMA_NAMES                                    \
  {                                                  \
    "none", "anon", "stack", "file", "shm", "kernel" \
  }
#define VMPOLICY_NAMES                  \
  {                                     \
    "fifo", "clock", "aging", "wsclock" \
  }
#define VMHUGE_NAMES             \
  {                              \
    "never", "madvise", "always" \
  }
