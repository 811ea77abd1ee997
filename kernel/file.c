// SPDX-License-Identifier: MIT
// Open files, and the tables of them.
//
// Interface: filealloc, fileclose for references; fileio, fileseek;
// files_* for a process's table as a whole, fd_* for its entries, cwd_*; devsw for drivers.
//
//   proc.files --> files: ofile[fd] --> file --> pipe, or inode, or inode of a device
//
// A file is shared by all descriptors that dup and fork made of it, and so is its offset.
//
// Locks: files.lock for the table's entries, so that a descriptor closed by one thread is not used
// by another without a reference; the inode's lock for file.off.
//
// 1. User memory is opened before anything is locked: all of it to be borrowed, and what then is not
//    there to be pinned, a few pages at a time. A range of more than one page is checked as a whole
//    first: a bad buffer has no effect. What goes wrong later makes the count short. One no longer
//    than a page is pinned when its end is not there, lest it be moved in two parts with another
//    call's bytes between.
// 2. References are given up with no lock held: the last one may free a file on the disk.

#include "file.h"
#include "mm/slab.h"

enum { SEEK_SET, SEEK_CUR, SEEK_END }; // as in user/quire.h

struct devsw devsw[NDEV];

static struct slab file_slab = SLAB(file_slab, file);
static struct slab files_slab = SLAB(files_slab, files);
static int nfiles; // atomic

// ---- one open file ----

// A file with one reference, still of no type: FD_INODE without an inode, so that it can be closed.
// 0: there are too many, or no memory.
struct file *
filealloc(void)
{
  struct file *f = 0;
  if (__atomic_add_fetch(&nfiles, 1, __ATOMIC_RELAXED) <= NFILE)
    f = slab_take(&file_slab);
  if (f)
    *f = (struct file){ .type = FD_INODE, .ref = 1 };
  else
    __atomic_fetch_sub(&nfiles, 1, __ATOMIC_RELAXED);
  return f;
}

static struct file *
filedup(struct file *f)
{
  __atomic_fetch_add(&f->ref, 1, __ATOMIC_RELAXED);
  return f;
}

// f's last reference is gone. For fileclose.
void
file_last(struct file *f)
{
  if (f->type == FD_PIPE)
    pipeclose(f->pipe, f->writable);
  else
    iput(f->ip);
  slab_free(&file_slab, f);
  __atomic_fetch_sub(&nfiles, 1, __ATOMIC_RELAXED);
}

// ---- tables ----

// Have the caller's table alone: 1. What only one thread has it has anyway: 0, and nothing is locked.
static inline int
table_lock(struct files *t)
{
  int shared = __atomic_load_n(&t->ref, __ATOMIC_ACQUIRE) > 1;
  if (shared)
    acquire(&t->lock);
  return shared;
}

static inline void
table_unlock(struct files *t, int locked)
{
  if (locked)
    release(&t->lock);
}

// An empty table for a new process; the reference to cwd goes over to it. 0: no memory.
struct files *
files_new(struct inode *cwd)
{
  struct files *t = slab_alloc(&files_slab);
  if (t == 0)
    return 0;
  t->ref = 1;
  initlock(&t->lock, "files");
  t->cwd = cwd;
  return t;
}

// What fork gives to a child: the same files and directory, in a table of its own. 0: no memory.
struct files *
files_copy(struct files *from)
{
  struct files *t = files_new(0);
  if (t == 0)
    return 0;
  acquire(&from->lock);
  t->cwd = idup(from->cwd);
  for (int fd = 0; fd < NOFILE; fd++)
    if (from->ofile[fd])
      t->ofile[fd] = filedup(from->ofile[fd]);
  release(&from->lock);
  return t;
}

// A process gives up its table; the last one closes everything. The caller holds no lock. Sleeps.
void
files_drop(struct files *t)
{
  if (__atomic_sub_fetch(&t->ref, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  for (int fd = 0; fd < NOFILE; fd++)
    fileclose(t->ofile[fd]);
  iput(t->cwd);
  slab_free(&files_slab, t);
}

// The caller's file fd; 0: there is none. *kept: it has a reference, since others share the table; else
// nobody but the caller can close it.
static INLINE struct file *
get(int fd, int *kept)
{
  struct files *t = myproc()->files;
  struct file *f = 0;
  *kept = 0;
  if ((uint)fd < NOFILE) {
    *kept = table_lock(t);
    f = t->ofile[fd];
    if (f && *kept)
      filedup(f);
    table_unlock(t, *kept);
  }
  return f;
}

// The caller's file fd, with a reference that fileclose ends; 0: there is none.
struct file *
fd_get(int fd)
{
  int kept;
  struct file *f = get(fd, &kept);
  return f && !kept ? filedup(f) : f;
}

// The lowest free descriptor now stands for f, whose reference goes over: it, or -EMFILE. With f 0
// nothing changes, and the result tells whether there is one.
int
fd_add(struct file *f)
{
  struct files *t = myproc()->files;
  int fd = 0, locked = table_lock(t);
  while (fd < NOFILE && t->ofile[fd])
    fd++;
  if (fd < NOFILE)
    t->ofile[fd] = f;
  table_unlock(t, locked);
  return fd < NOFILE ? fd : -EMFILE;
}

// Descriptor fd is free again: 0, or -EBADF when it was before. Sleeps.
int64
fd_close(int fd)
{
  struct files *t = myproc()->files;
  struct file *f = 0;
  if ((uint)fd < NOFILE) {
    int locked = table_lock(t);
    f = t->ofile[fd];
    t->ofile[fd] = 0;
    table_unlock(t, locked);
  }
  fileclose(f);
  return f ? 0 : -EBADF;
}

// The caller's current directory, with a reference.
struct inode *
cwd_get(void)
{
  struct files *t = myproc()->files;
  int locked = table_lock(t);
  struct inode *ip = idup(t->cwd);
  table_unlock(t, locked);
  return ip;
}

// Make ip, whose reference goes over, the current directory. Sleeps.
void
cwd_set(struct inode *ip)
{
  struct files *t = myproc()->files;
  int locked = table_lock(t);
  struct inode *old = t->cwd;
  t->cwd = ip;
  table_unlock(t, locked);
  iput(old);
}

// ---- reading and writing ----

static NOINLINE int
read_inode(struct file *f, struct span *dst, uint n)
{
  int r = ilock(f->ip);
  if (r < 0)
    return r;
  r = readi(f->ip, dst, f->off, n);
  if (r > 0)
    f->off += r;
  iunlock(f->ip);
  return r;
}

// As many operations as it takes. Memory may be full of what is not on the disk yet: then it waits
// until it is, once.
static NOINLINE int
write_inode(struct file *f, struct span *src, uint n)
{
  uint done = 0;
  int r = 0, waited = 0;
  do {
    if ((r = ibegin(f->ip)) == 0) {
      r = writei(f->ip, src, done, f->off, n - done);
      if (r > 0)
        f->off += r;
      iend(f->ip);
    }
    if (r > 0)
      done += r;
    else if (r == -ENOMEM && !waited++)
      r = log_sync();
  } while (done < n && r >= 0 && !src->cut);
  return done ? (int)done : r;
}

static INLINE int
move(struct file *f, struct span *s, uint n, int reading)
{
  if (f->type == FD_INODE)
    return reading ? read_inode(f, s, n) : write_inode(f, s, n);
  if (f->type == FD_PIPE)
    return reading ? piperead(f->pipe, s, n) : pipewrite(f->pipe, s, n);
  const struct devsw *dev = &devsw[f->major];
  return dev->read == 0 ? -ENODEV : reading ? dev->read(s, n) : dev->write(s, n);
}

// What fileio could not do with borrowed pages, behind the first `done` bytes of n.
static NOINLINE int
move_pinned(struct file *f, uint64 va, int n, int done, int reading)
{
  struct span s;
  int r = 0, m = 0;
  while (r == m && done < n) {
    if ((r = m = span_pin(&s, myproc()->mm, va + done, n - done, reading)) < 0)
      break;
    r = move(f, &s, m, reading);
    span_unpin(&s);
    if (r > 0)
      done += r;
  }
  return done ? done : r;
}

// Move up to n bytes between file fd and the caller's memory at va: how many; 0 at the end; less when
// something goes wrong in the middle. -EBADF: not open for that; -EINVAL: n is negative; -EFAULT;
// -EINTR: killed while waiting; -EIO, -ENOMEM, -ENODEV; and when writing -EPIPE, -ENOSPC, -EFBIG,
// -EROFS, -ETXTBSY. Sleeps.
int64
fileio(int fd, uint64 va, int n, int reading)
{
  struct span s;
  int kept, r = -EBADF;
  struct file *f = get(fd, &kept);
  if (f && (reading ? f->readable : f->writable)) {
    r = n < 0 ? -EINVAL : span_open(&s, myproc()->mm, va, n, reading);
    if (r == 0 && n > 0 && !s.cut)
      r = move(f, &s, n, reading);
    // of a pipe or device others may have taken the rest: who has something does not wait for it
    if (r >= 0 && s.cut && (r == 0 || !reading || f->type == FD_INODE))
      r = move_pinned(f, va, n, r, reading);
  }
  if (kept)
    fileclose(f);
  return r;
}

// Move the offset: the new one. -ESPIPE: f has none; -EINVAL: it would be negative, or no such
// whence. Sleeps.
int64
fileseek(struct file *f, int64 off, int whence)
{
  if (f->type != FD_INODE)
    return -ESPIPE;
  int err = ilock(f->ip);
  if (err < 0)
    return err;
  int64 to = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64)f->off : (int64)f->ip->d->size;
  if ((uint)whence > SEEK_END || __builtin_add_overflow(to, off, &to) || to < 0)
    to = -EINVAL;
  else
    f->off = to;
  iunlock(f->ip);
  return to;
}
