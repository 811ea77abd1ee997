// SPDX-License-Identifier: MIT
// What a program of xv6 may call. Everything Quire adds is in quire.h, so that no name clashes.
#pragma once

struct stat;

// system calls
int fork(void);
int exit(int) __attribute__((noreturn));
int wait(int *);
int pipe(int *);
int write(int, const void *, int);
int read(int, void *, int);
int close(int);
int kill(int);
int exec(const char *, char **);
int open(const char *, int);
int mknod(const char *, short, short);
int unlink(const char *);
int fstat(int fd, struct stat *);
int link(const char *, const char *);
int mkdir(const char *);
int chdir(const char *);
int dup(int);
int getpid(void);
char *sys_sbrk(int, int);
int pause(int);
int uptime(void);
int sync(void);

// ulib
int stat(const char *, struct stat *);
char *strcpy(char *, const char *);
void *memmove(void *, const void *, int);
char *strchr(const char *, char c);
int strcmp(const char *, const char *);
char *gets(char *, int max);
uint strlen(const char *);
void *memset(void *, int, uint);
int atoi(const char *);
int memcmp(const void *, const void *, uint);
void *memcpy(void *, const void *, uint);
char *sbrk(int);
char *sbrklazy(int);
int sleep(int);

// printf
void fprintf(int, const char *, ...) __attribute__((format(__printf__, 2, 3)));
void printf(const char *, ...) __attribute__((format(__printf__, 1, 2)));

#define SBRK_ERROR ((char *)-1)

// umalloc
void *malloc(uint);
void free(void *);
