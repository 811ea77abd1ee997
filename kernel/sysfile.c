// SPDX-License-Identifier: MIT
// The system calls on files: they fetch and check arguments, and call what does the work.
//
// Each returns its result, or a negative error number. What can be refused is refused before
// anything is changed: arguments are copied in and checked, memory and descriptors are at hand,
// only then the file system is touched.

#include "fcntl.h"
#include "file.h"
#include "stat.h"

int64
sys_dup(void)
{
  struct file *f = fd_get(argint(0));
  int fd = f ? fd_add(f) : -EBADF;
  if (fd < 0)
    fileclose(f);
  return fd;
}

int64
sys_read(void)
{
  return fileio(argint(0), arg(1), argint(2), 1);
}

int64
sys_write(void)
{
  return fileio(argint(0), arg(1), argint(2), 0);
}

int64
sys_close(void)
{
  return fd_close(argint(0));
}

int64
sys_fstat(void)
{
  struct stat st;
  struct file *f = fd_get(argint(0));
  int err = f == 0 ? -EBADF : f->type == FD_PIPE ? -EINVAL : ilock(f->ip);
  if (err == 0) {
    const struct dinode *d = f->ip->d;
    st = (struct stat){ ROOTDEV, f->ip->inum, d->type, d->nlink, d->size };
    iunlock(f->ip);
  }
  fileclose(f);
  return err ? err : copyout(myproc()->mm, arg(1), &st, sizeof(st));
}

int64
sys_lseek(void)
{
  struct file *f = fd_get(argint(0));
  int64 r = f ? fileseek(f, arg(1), argint(2)) : -EBADF;
  fileclose(f);
  return r;
}

int64
sys_ftruncate(void)
{
  struct file *f = fd_get(argint(0));
  int err = -EBADF;
  if (f && f->type != FD_INODE)
    err = -EINVAL;
  else if (f && f->writable) // no directory is
    err = itruncate(f->ip, arg(1));
  fileclose(f);
  return err;
}

int64
sys_fsync(void)
{
  struct file *f = fd_get(argint(0));
  int err = f == 0 ? -EBADF : f->type == FD_INODE ? 0 : -EINVAL;
  if (err == 0 && (err = file_writeback(f->ip->inum, 0, MAXFILE)) == 0)
    err = log_sync();
  fileclose(f);
  return err;
}

int64
sys_sync(void)
{
  int err = file_writeback(0, 0, 0);
  return err < 0 ? err : log_sync();
}

// ---- names ----

// Make something and forget it.
static int64
make(int type, short major, short minor)
{
  char path[MAXPATH];
  struct inode *ip;
  int err = argstr(0, path, MAXPATH);
  if (err == 0 && (err = create(path, type, major, minor, &ip)) == 0)
    iput(ip);
  return err;
}

int64
sys_mkdir(void)
{
  return make(T_DIR, 0, 0);
}

int64
sys_mknod(void)
{
  int major = argint(1), minor = argint(2);
  if (major < 0 || major >= NDEV || minor != (short)minor)
    return -EINVAL;
  return make(T_DEVICE, major, minor);
}

int64
sys_chdir(void)
{
  char path[MAXPATH];
  struct inode *ip;
  int err = argstr(0, path, MAXPATH);
  if (err < 0 || (err = namei(path, &ip)) < 0)
    return err;
  if ((err = iread(ip)) == 0)
    err = ip->d->type != T_DIR ? -ENOTDIR : ip->d->nlink == 0 ? -ENOENT : 0;
  if (err == 0)
    cwd_set(ip);
  else
    iput(ip);
  return err;
}

// ---- opening ----

// The inode for open, made if need be and asked for.
static int
find_or_create(const char *path, int mode, struct inode **out)
{
  int err;
  do
    if ((err = namei(path, out)) == -ENOENT && (mode & O_CREATE))
      err = create(path, T_FILE, 0, 0, out);
  while (err == -EEXIST); // somebody was faster
  return err;
}

// Whether f->ip can be opened like this; fills in what f is.
static int
check_open(struct file *f, int mode)
{
  int err = iread(f->ip);
  if (err < 0)
    return err;
  int type = f->ip->d->type;
  if (type == T_DIR && mode != O_RDONLY)
    return -EISDIR;
  if (type == T_DEVICE) {
    f->type = FD_DEVICE;
    f->major = f->ip->d->major;
    return f->major >= 0 && f->major < NDEV ? 0 : -ENODEV;
  }
  return type == T_FILE && (mode & O_TRUNC) ? itruncate(f->ip, 0) : 0;
}

int64
sys_open(void)
{
  char path[MAXPATH];
  int mode = argint(1), err = argstr(0, path, MAXPATH);
  if (err < 0)
    return err;
  if ((mode & (O_CREATE | O_TRUNC)) && (err = fd_add(0)) < 0)
    return err; // before anything is changed
  struct file *f = filealloc();
  if (f == 0)
    return -ENFILE;
  f->readable = (mode & O_WRONLY) == 0;
  f->writable = (mode & (O_WRONLY | O_RDWR)) != 0;
  if ((err = find_or_create(path, mode, &f->ip)) < 0 || (err = check_open(f, mode)) < 0 ||
      (err = fd_add(f)) < 0)
    fileclose(f);
  return err;
}

int64
sys_pipe(void)
{
  struct mm *mm = myproc()->mm;
  struct file *end[2];
  int fd[2], err = user_range(mm, arg(0), sizeof(fd), 1);
  if (err < 0 || (err = pipealloc(&end[0], &end[1])) < 0)
    return err;
  for (int i = 0; i < 2; i++)
    if ((fd[i] = fd_add(end[i])) < 0)
      fileclose(end[i]);
  err = fd[0] < 0 || fd[1] < 0 ? -EMFILE : copyout(mm, arg(0), fd, sizeof(fd));
  if (err < 0) { // another thread may have closed them already
    fd_close(fd[0]);
    fd_close(fd[1]);
  }
  return err;
}
