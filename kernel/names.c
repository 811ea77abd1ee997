// SPDX-License-Identifier: MIT
// Giving names to files and taking them away: create, link, unlink.
//
// Interface: create, for system calls that hold no lock; the calls link and unlink.
//
// Each is one operation: after a crash it has happened or not. The path is walked first, outside of
// the operation; then the directory is locked, and only now it is certain that it still is one.
//
// Locks: the directory before what it names. References are given up after the operation, since the
// last one of a nameless file frees it.
//
// nlink of a file is the number of its names; of a directory, 1 for its name and 1 for the ".." of
// each directory in it. "." does not count.

#include "bio.h"
#include "file.h"
#include "stat.h"

#define MAXLINK 32767 // dinode.nlink is a short

// Walk to the directory of path's last part, begin an operation and lock it. 0, -ENOTDIR, -ENOENT when
// it was removed, -EROFS, or as nameiparent.
static int
dir_enter(const char *path, union entry *name, struct inode **out)
{
  int err = nameiparent(path, name, out);
  if (err < 0)
    return err;
  struct inode *dp = *out;
  if ((err = ibegin(dp)) == 0) {
    if (dp->d->type == T_DIR && dp->d->nlink > 0)
      return 0;
    err = dp->d->type == T_DIR ? -ENOENT : -ENOTDIR;
    iend(dp);
  }
  iput(dp);
  return err;
}

static void
dir_leave(struct inode *dp)
{
  iend(dp);
  iput(dp);
}

// Where name can be added to dp: 0, -EEXIST, or an error.
static int
find_room(struct inode *dp, const union entry *name, uint *off)
{
  uint inum;
  int err = dirlookup(dp, name, &inum, off);
  return err == 0 ? -EEXIST : err == -ENOENT ? 0 : err;
}

// Give the new inode ip its name in dp, at off; both are locked.
static int
name_new(struct inode *dp, uint off, union entry *name, struct inode *ip)
{
  union entry dot = { .d = { ip->inum, "." } }, dots = { .d = { dp->inum, ".." } };
  int isdir = ip->d->type == T_DIR, err = isdir && dp->d->nlink == MAXLINK ? -EMLINK : 0;
  name->d.inum = ip->inum;
  if (err == 0 && isdir && (err = diradd(ip, 0, &dot)) == 0)
    err = diradd(ip, sizeof(dot), &dots);
  if (err < 0 || (err = diradd(dp, off, name)) < 0)
    return err;
  dp->d->nlink += isdir;
  iupdate(dp);
  ip->d->nlink = 1;
  iupdate(ip);
  return 0;
}

// A new inode in dp, which is locked. *out is set when there is one to be given up, even after an
// error.
static int
create_in(struct inode *dp, union entry *name, int type, short major, short minor,
          struct inode **out)
{
  uint off;
  int err = find_room(dp, name, &off);
  if (err < 0 || (err = ialloc(type, out)) < 0 || (err = ilock(*out)) < 0)
    return err;
  (*out)->d->major = major;
  (*out)->d->minor = minor;
  err = name_new(dp, off, name, *out); // without a name the caller's iput frees it
  iunlock(*out);
  return err;
}

// Make a file, directory or device called path, with a reference: 0, -EEXIST, -ENOSPC, -EMLINK,
// -EROFS, or as namei. Sleeps.
int
create(const char *path, int type, short major, short minor, struct inode **out)
{
  union entry name;
  struct inode *dp;
  int err = dir_enter(path, &name, &dp);
  if (err < 0)
    return err;
  *out = 0;
  err = create_in(dp, &name, type, major, minor, out);
  dir_leave(dp);
  if (err < 0) {
    iput(*out);
    *out = 0;
  }
  return err;
}

// Name ip, which is no directory, in dp, which is locked.
static int
link_in(struct inode *dp, union entry *name, struct inode *ip)
{
  uint off;
  int err = find_room(dp, name, &off);
  if (err < 0 || (err = ilock(ip)) < 0)
    return err;
  name->d.inum = ip->inum;
  if (ip->d->nlink == 0)
    err = -ENOENT;
  else if (ip->d->nlink == MAXLINK)
    err = -EMLINK;
  else if ((err = diradd(dp, off, name)) == 0) {
    ip->d->nlink++;
    iupdate(ip);
  }
  iunlock(ip);
  return err;
}

// link(old, new): give the file `old` another name: 0, -EPERM for a directory, -EEXIST, -EMLINK,
// -ENOSPC, -EROFS, or as namei. Sleeps.
int64
sys_link(void)
{
  char old[MAXPATH], new[MAXPATH];
  union entry name;
  struct inode *ip, *dp;
  int err = argstr(0, old, MAXPATH);
  if (err < 0 || (err = argstr(1, new, MAXPATH)) < 0 || (err = namei(old, &ip)) < 0)
    return err;
  if ((err = iread(ip)) == 0 && ip->d->type == T_DIR)
    err = -EPERM; // nor could it be locked behind another one
  if (err == 0 && (err = dir_enter(new, &name, &dp)) == 0) {
    err = link_in(dp, &name, ip);
    dir_leave(dp);
  }
  iput(ip);
  return err;
}

// Take the entry at off, which names ip, out of dp; both are locked.
static int
remove_entry(struct inode *dp, const union entry *name, uint off, struct inode *ip)
{
  int isdir = ip->d->type == T_DIR;
  if (ip->d->nlink < 1 || (isdir && dp->d->nlink < 2))
    return -EIO; // the disk is damaged
  int err = isdir ? dirempty(ip) : 1;
  if (err <= 0)
    return err < 0 ? err : -ENOTEMPTY;
  if ((err = dirremove(dp, off, name)) < 0)
    return err;
  dp->d->nlink -= isdir;
  iupdate(dp);
  ip->d->nlink--;
  iupdate(ip);
  return 0;
}

// Unlink name from dp, which is locked. *out is set when there is a reference to be given up.
static int
unlink_in(struct inode *dp, const union entry *name, struct inode **out)
{
  uint inum, off;
  int err = is_dots(name) ? -EINVAL : dirlookup(dp, name, &inum, &off);
  if (err < 0)
    return err;
  if (inum == dp->inum)
    return -EIO; // the disk is damaged
  if ((err = iget(inum, out)) < 0 || (err = ilock(*out)) < 0)
    return err;
  err = remove_entry(dp, name, off, *out);
  iunlock(*out);
  return err;
}

// unlink(path): take a name away; a directory must be empty. What has no name left is freed when
// nobody has it open. 0, -EINVAL for "." and "..", -ENOTEMPTY, -EROFS, or as namei. Sleeps.
int64
sys_unlink(void)
{
  char path[MAXPATH];
  union entry name;
  struct inode *dp, *ip = 0;
  int err = argstr(0, path, MAXPATH);
  if (err < 0 || (err = dir_enter(path, &name, &dp)) < 0)
    return err;
  err = unlink_in(dp, &name, &ip);
  dir_leave(dp);
  iput(ip);
  return err;
}
