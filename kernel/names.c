// SPDX-License-Identifier: MIT
// Giving names to files and taking them away: create, link, unlink.
//
// Interface: create, dolink, dounlink, for system calls that hold no lock.
//
// Each is one operation: after a crash it has happened or not. The path is walked first, outside of
// the operation; then the directory is locked, and only now it is certain that it still is one.
//
// Locks: the directory before what it names. Two directories are never locked together unless one
// names the other; a link locks the file and the directory one after the other. References are
// given up after the operation, since the last one of a nameless file frees it.
//
// nlink of a file is the number of its names; of a directory, 1 for its name and 1 for the ".." of
// each directory in it. "." does not count.

#include "bio.h"
#include "defs.h"
#include "file.h"
#include "stat.h"

#define MAXLINK 32767 // dinode.nlink is a short

// Lock a directory that a path led to: 0, or it is not locked: -ENOTDIR, -ENOENT when it was
// removed, -EIO, -ENOMEM.
static int
lock_dir(struct inode *dp)
{
  int err = ilock(dp);
  if (err < 0)
    return err;
  if (dp->type == T_DIR && dp->nlink > 0)
    return 0;
  err = dp->type == T_DIR ? -ENOENT : -ENOTDIR;
  iunlock(dp);
  return err;
}

// Whether name can be added to dp: 0, -EEXIST, or an error.
static int
check_absent(struct inode *dp, const char name[DIRSIZ])
{
  uint inum, off;
  int err = dirlookup(dp, name, &inum, &off);
  return err == 0 ? -EEXIST : err == -ENOENT ? 0 : err;
}

static int
link_dots(struct inode *dp, struct inode *ip)
{
  static const char dot[DIRSIZ] = ".", dots[DIRSIZ] = "..";
  int err = dirlink(ip, dot, ip->inum);
  return err ? err : dirlink(ip, dots, dp->inum);
}

// Give the new inode ip its fields and its name in dp; both are locked.
static int
name_new(struct inode *dp, const char name[DIRSIZ], struct inode *ip, short major, short minor)
{
  int isdir = ip->type == T_DIR;
  int err = isdir && dp->nlink >= MAXLINK ? -EMLINK : 0;
  ip->major = major;
  ip->minor = minor;
  if (err == 0 && isdir)
    err = link_dots(dp, ip);
  if (err == 0)
    err = dirlink(dp, name, ip->inum);
  if (err == 0 && isdir) {
    dp->nlink++;
    iupdate(dp);
  }
  ip->nlink = err == 0; // without a name the caller's iput frees it
  iupdate(ip);
  return err;
}

// A new inode in dp, which is locked. *out is set when there is one to be given up, even after an
// error.
static int
create_in(struct inode *dp, const char name[DIRSIZ], int type, short major, short minor,
          struct inode **out)
{
  int err = check_absent(dp, name);
  if (err < 0 || (err = ialloc(type, out)) < 0)
    return err;
  if ((err = ilock(*out)) < 0)
    return err;
  err = name_new(dp, name, *out, major, minor);
  iunlock(*out);
  return err;
}

// Make a file, directory or device called path, with a reference: 0, -EEXIST, -ENOSPC, -EMLINK,
// -EROFS, or as namei. Sleeps.
int
create(const char *path, int type, short major, short minor, struct inode **out)
{
  char name[DIRSIZ];
  struct inode *dp, *ip = 0;
  int err = nameiparent(path, name, &dp);
  if (err < 0)
    return err;
  if ((err = begin_op()) == 0) {
    if ((err = lock_dir(dp)) == 0) {
      err = create_in(dp, name, type, major, minor, &ip);
      iunlock(dp);
    }
    end_op();
  }
  iput(dp);
  if (err == 0)
    *out = ip;
  else if (ip)
    iput(ip);
  return err;
}

// Change the number of names of ip: 0, -EPERM for a directory, -ENOENT when no name is left,
// -EMLINK, ...
static int
add_links(struct inode *ip, int n)
{
  int err = ilock(ip);
  if (err < 0)
    return err;
  if (ip->type == T_DIR)
    err = -EPERM;
  else if (ip->nlink == 0)
    err = -ENOENT;
  else if (ip->nlink + n > MAXLINK)
    err = -EMLINK;
  if (err == 0) {
    ip->nlink += n;
    iupdate(ip);
  }
  iunlock(ip);
  return err;
}

static int
link_in(struct inode *dp, const char name[DIRSIZ], struct inode *ip)
{
  int err = add_links(ip, 1);
  if (err < 0)
    return err;
  if ((err = lock_dir(dp)) == 0) {
    if ((err = check_absent(dp, name)) == 0)
      err = dirlink(dp, name, ip->inum);
    iunlock(dp);
  }
  if (err < 0)
    add_links(ip, -1);
  return err;
}

// Give the file `old` another name: 0, -EPERM for a directory, -EEXIST, -EMLINK, -ENOSPC, -EROFS,
// or as namei. Sleeps.
int
dolink(const char *old, const char *new)
{
  char name[DIRSIZ];
  struct inode *ip, *dp;
  int err = namei(old, &ip);
  if (err < 0)
    return err;
  if ((err = nameiparent(new, name, &dp)) == 0) {
    if ((err = begin_op()) == 0) {
      err = link_in(dp, name, ip);
      end_op();
    }
    iput(dp);
  }
  iput(ip);
  return err;
}

// Take the entry at off, which names ip, out of dp; both are locked.
static int
remove_entry(struct inode *dp, uint off, struct inode *ip)
{
  int isdir = ip->type == T_DIR;
  if (ip->nlink < 1 || (isdir && dp->nlink < 2))
    return -EIO; // the disk is damaged
  int empty = isdir ? dirempty(ip) : 1;
  if (empty <= 0)
    return empty < 0 ? empty : -ENOTEMPTY;
  int err = dirclear(dp, off);
  if (err < 0)
    return err;
  if (isdir) {
    dp->nlink--;
    iupdate(dp);
  }
  ip->nlink--;
  iupdate(ip);
  return 0;
}

// Unlink name from dp, which is locked. *out is set when there is a reference to be given up.
static int
unlink_in(struct inode *dp, const char name[DIRSIZ], struct inode **out)
{
  uint inum, off;
  int err = dirlookup(dp, name, &inum, &off);
  if (err < 0)
    return err;
  if (inum == dp->inum)
    return -EIO; // the disk is damaged
  if ((err = iget(inum, out)) < 0 || (err = ilock(*out)) < 0)
    return err;
  err = remove_entry(dp, off, *out);
  iunlock(*out);
  return err;
}

// Take a name away; a directory must be empty. What has no name left is freed when nobody has it
// open. 0, -EINVAL for "." and "..", -ENOTEMPTY, -EROFS, or as namei. Sleeps.
int
dounlink(const char *path)
{
  char name[DIRSIZ];
  struct inode *dp, *ip = 0;
  int err = nameiparent(path, name, &dp);
  if (err < 0)
    return err;
  if (is_dots(name))
    err = -EINVAL;
  else if ((err = begin_op()) == 0) {
    if ((err = lock_dir(dp)) == 0) {
      err = unlink_in(dp, name, &ip);
      iunlock(dp);
    }
    end_op();
  }
  iput(dp);
  if (ip)
    iput(ip);
  return err;
}
