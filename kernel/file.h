// SPDX-License-Identifier: MIT
// Files: inodes, open files, pipes, devices. The contracts stand at the definitions. Includes proc.h,
// and with it what nearly everybody needs.
#pragma once

#include "fs.h"
#include "mm/uaccess.h"
#include "param.h"
#include "proc.h"

struct pipe;

// ---- inodes ----

// A file, directory or device in memory. fs.c
struct inode {
  uint inum;           // for good
  int ref;             // pointers to it; atomic; 0 to 1 and back under fs.c's lock
  struct inode *hnext; // under fs.c's lock

  struct sleeplock lock; // the rest:
  struct dinode *d;      //   in the cached block, with a reference; 0: not read yet
  uint nextread;         //   the page that a sequential reader wants next
  uint window;           //   pages read ahead last time
  int text; //   atomic: > 0: mappings of it as a program that runs; < 0: to store into it
};

// mount.c
extern struct superblock sb;
void fsinit(void);
void fs_drop(void);

// fs.c
extern uint inodes_free;
int iget(uint inum, struct inode **);
int ialloc(int type, struct inode **);
struct inode *idup(struct inode *);
void iput(struct inode *);
int iload(struct inode *);
int iread(struct inode *) __attribute__((warn_unused_result));
int ibegin(struct inode *) __attribute__((warn_unused_result));
void iend(struct inode *);
void iupdate(struct inode *);
void inodes_shrink(void);
int inodes_start(void);
int text_get(struct inode *, int by);
void text_put(struct inode *, int by);

// Have ip alone, and its fields read. 0; else ip is not locked: -EIO (cannot be read, or the disk
// is damaged), -ENOMEM. Sleeps. The caller has a reference and holds, if any, the inode of the
// directory that names it.
static inline __attribute__((warn_unused_result)) int
ilock(struct inode *ip)
{
  acquiresleep(&ip->lock);
  return ip->d ? 0 : iload(ip);
}

static inline void
iunlock(struct inode *ip)
{
  releasesleep(&ip->lock);
}

// balloc.c
extern uint blocks_free;
int balloc_start(void);
int balloc(uint *blockno);
int bfree(uint blockno, uint n, struct page **map);
int is_data(uint blockno);

// bmap.c
#define MAXSIZE ((uint64)MAXFILE * BSIZE) // bytes of a file at the most
int bmap(struct inode *, uint index, int alloc, uint *blockno, uint *run);
int itruncate(struct inode *, uint64 size);

// rw.c
int ipage(struct inode *, uint index, struct page **);
int page_cache_get(struct inode *, uint index, struct page **);
void tail_zero(struct inode *);
int page_cache_own(struct inode *, uint index);
int readi(struct inode *, struct span *dst, uint64 off, uint n);
int writei(struct inode *, struct span *src, uint at, uint64 off, uint n);

// dir.c: an entry, also as two words
union entry {
  struct dirent d;
  uint64 w[2];
};

#define NAMEBITS (~0xfffful) // of an entry's first word; the others are inum

// Whether e is in use and has key's name.
static inline int
entry_matches(const union entry *e, const union entry *key)
{
  return ((e->w[0] ^ key->w[0]) & NAMEBITS) == 0 && e->w[1] == key->w[1] && e->d.inum != 0;
}

int namei(const char *path, struct inode **);
int nameiparent(const char *path, union entry *name, struct inode **);
int dirlookup(struct inode *, const union entry *key, uint *inum, uint *off);
int diradd(struct inode *, uint off, const union entry *);
int dirremove(struct inode *, uint off, const union entry *key);
int dirempty(struct inode *);
int is_dots(const union entry *);

// dcache.c
extern uint dcache_seq;
int dcache_find(uint dir, const union entry *key, uint *inum, uint *off);
void dcache_put(uint dir, const union entry *, uint off);
void dcache_drop(uint dir, const union entry *key);

// Start to look: for dcache_same.
static inline uint
dcache_begin(void)
{
  return __atomic_load_n(&dcache_seq, __ATOMIC_ACQUIRE);
}

// Whether all that was found since dcache_begin is true.
static inline int
dcache_same(uint since)
{
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return since % 2 == 0 && __atomic_load_n(&dcache_seq, __ATOMIC_RELAXED) == since;
}

// names.c
int create(const char *path, int type, short major, short minor, struct inode **);

// ---- open files ----

// What a file descriptor stands for. file.c
struct file {
  enum { FD_PIPE, FD_INODE, FD_DEVICE } type;
  int ref; // descriptors, and system calls while others share the table; atomic
  char readable, writable;
  struct pipe *pipe; // FD_PIPE
  struct inode *ip;  // FD_INODE and FD_DEVICE
  short major;       // FD_DEVICE
  uint64 off;        // FD_INODE: where the next read or write is; under the inode's lock
};

// The open files and the current directory of a process, or of all its threads.
struct files {
  int ref;              // processes that have it; atomic
  struct spinlock lock; // the rest
  struct inode *cwd;
  struct file *ofile[NOFILE];
};

// A driver behind a device file, if read is set: bytes or -errno. Called with no lock; may sleep. The
// console registers itself in devsw[CONSOLE].
struct devsw {
  int (*read)(struct span *dst, uint n);
  int (*write)(struct span *src, uint n);
};

extern struct devsw devsw[NDEV];

#define CONSOLE 1 // major number of the console

void file_last(struct file *);

// Give up a reference, if f is not 0; the last one closes. The caller holds no lock and has no
// operation open. Sleeps.
static inline void
fileclose(struct file *f)
{
  if (f && __atomic_sub_fetch(&f->ref, 1, __ATOMIC_ACQ_REL) == 0)
    file_last(f);
}

struct file *filealloc(void);
int64 fileio(int fd, uint64 va, int n, int reading);
int64 fileseek(struct file *, int64 off, int whence);

struct files *files_new(struct inode *cwd);
struct files *files_copy(struct files *);
void files_drop(struct files *);
struct file *fd_get(int fd);
int fd_add(struct file *);
int64 fd_close(int fd);
struct inode *cwd_get(void);
void cwd_set(struct inode *);

// The current directory's number; 0 when another thread might change it meanwhile.
static inline uint
cwd_inum(void)
{
  struct files *t = myproc()->files;
  return __atomic_load_n(&t->ref, __ATOMIC_ACQUIRE) == 1 ? t->cwd->inum : 0;
}

// ---- pipe.c ----

int pipealloc(struct file **r, struct file **w);
void pipeclose(struct pipe *, int writable);
int piperead(struct pipe *, struct span *dst, uint n);
int pipewrite(struct pipe *, struct span *src, uint n);
