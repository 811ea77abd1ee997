// SPDX-License-Identifier: MIT
// Every header that a program of xv6 includes, and functions of its own whose names Quire has, too.

#include "kernel/param.h"
#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"
#include "kernel/fs.h"
#include "kernel/fcntl.h"
#include "kernel/syscall.h"
#include "kernel/memlayout.h"
#include "kernel/riscv.h"

int errno = 17;

int
lseek(int a)
{
  return a + 1;
}

char *
strerror(char *s)
{
  return s;
}

int
sysinfo(void)
{
  return 5;
}

int
strncmp(void)
{
  return 6;
}

int
procs(void)
{
  return lseek(6);
}

int
main(int argc, char *argv[])
{
  uint64 top = (uint64)sbrk(0);
  char *lazy = sbrklazy(3 * PGSIZE);
  int before = uptime();

  if (errno != 17 || sysinfo() + strncmp() + procs() != 18 || strcmp(strerror("x"), "x") != 0) {
    printf("names clash\n");
    exit(1);
  }
  if ((uint64)lazy != top || lazy[2 * PGSIZE] != 0 || sbrk(-3 * PGSIZE) == SBRK_ERROR) {
    printf("sbrk is wrong\n");
    exit(1);
  }
  if (PGROUNDUP(1) != PGSIZE || MAXVA != 1L << 38 || SYS_fork != 1 || SYS_sync != 22 ||
      MAXARG < 32 || ROOTINO != 1 || DIRSIZ != 14 || T_DIR != 1 || O_CREATE != 0x200 ||
      sizeof(struct dirent) != 16) {
    printf("a constant is wrong\n");
    exit(1);
  }
  pause(1);
  sleep(1);
  if (uptime() < before + 2)
    printf("time stands still\n");
  printf("%d %u %x %p %s %c %% %ld %lx %l\n", -5, 5, 255, (void *)16, "text", 'c', -6L,
         0xfffffffffL);
  exit(0);
}
