// SPDX-License-Identifier: MIT
// Directories, and how a path leads to an inode.
//
// Interface: dirlookup, diradd, dirremove, dirempty on a locked directory; namei, nameiparent.
//
// A directory is a file of 16-byte entries: | inum | name, padded with zeros |. inum 0 is a free
// one. An entry is looked at as two words, so that comparing a whole name is two instructions. What
// is looked for, and what is to be written, is a union entry too.
//
// Names that were found before are in dcache.c; a path of which all are known is walked there. Else:
//
// Locks: a directory's own, for what is in it. A path is walked with one lock at a time and outside
// of operations, so ".." cannot make a circle of waiters, and walking can free a file that lost its
// last name meanwhile.
//
// 1. In a directory that was removed (nlink 0) nothing is found, ".." included, and nothing is
//    added: its old parent may be another file by now.
// 2. An inode number from an entry goes through iget, which refuses what is out of range.

#include "bio.h"
#include "file.h"
#include "stat.h"

// Find key's name in dp, which the caller has locked: the inode number, and the place of the entry. 0,
// -ENOENT, and *off is where it can be added, -EIO or -ENOMEM. Sleeps.
int
dirlookup(struct inode *dp, const union entry *key, uint *inum, uint *off)
{
  uint size = dp->d->size, seq = dcache_begin();
  if (dcache_find(dp->inum, key, inum, off) && dcache_same(seq))
    return 0;
  *off = size;
  for (uint at = 0; at < size; at += BSIZE) {
    struct page *pg;
    int err = ipage(dp, at / BSIZE, &pg);
    if (err < 0)
      return err;
    const union entry *e = page_va(pg),
                      *end = e + (size - at < BSIZE ? size - at : BSIZE) / sizeof(*e);
    for (; e < end && !entry_matches(e, key); e++)
      if (e->d.inum == 0 && *off == size)
        *off = at + (uint64)e % BSIZE;
    if (e < end) {
      *off = at + (uint64)e % BSIZE;
      *inum = e->d.inum;
      dcache_put(dp->inum, e, *off);
    }
    page_put(pg);
    if (e < end)
      return 0;
  }
  return -ENOENT;
}

static int
write_entry(struct inode *dp, uint off, const union entry *e)
{
  struct span s;
  span_kernel(&s, (void *)e, sizeof(*e));
  int n = writei(dp, &s, 0, off, sizeof(*e));
  return n == sizeof(*e) ? 0 : n < 0 ? n : -ENOSPC;
}

// Make e the entry at off of dp, which the caller has locked, in an operation. 0, -ENOSPC, -EFBIG,
// -EIO or -ENOMEM. Sleeps.
int
diradd(struct inode *dp, uint off, const union entry *e)
{
  int err = write_entry(dp, off, e);
  if (err == 0)
    dcache_put(dp->inum, e, off);
  return err;
}

// Take the entry at off, which has key's name, out of dp: as diradd.
int
dirremove(struct inode *dp, uint off, const union entry *key)
{
  static const union entry none;
  int err = write_entry(dp, off, &none);
  if (err == 0)
    dcache_drop(dp->inum, key);
  return err;
}

int
is_dots(const union entry *e)
{
  const char *name = e->d.name;
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

// Whether dp, which the caller has locked, has no names but "." and "..": 1 or 0, -EIO, -ENOMEM.
// Sleeps.
int
dirempty(struct inode *dp)
{
  union entry e;
  struct span s;
  int n;
  span_kernel(&s, &e, sizeof(e));
  for (uint off = 0; (n = readi(dp, &s, off, sizeof(e))) > 0; off += sizeof(e))
    if (e.d.inum != 0 && !is_dots(&e))
      return 0;
  return n < 0 ? n : 1;
}

// ---- paths ----

// The first part of *path into name, *path behind it and behind the slashes that follow: its
// length; 0: there is none; -ENAMETOOLONG.
static int
next_part(const char **path, union entry *name)
{
  const char *s = *path;
  int n = 0;
  while (*s == '/')
    s++;
  name->w[0] = name->w[1] = 0;
  for (; *s && *s != '/'; s++) {
    if (n == DIRSIZ)
      return -ENAMETOOLONG;
    name->d.name[n++] = *s;
  }
  while (*s == '/')
    s++;
  *path = s;
  return n;
}

// From directory *ip to what it calls name; the reference moves along. On an error it stays.
static int
step(struct inode **ip, const union entry *name)
{
  struct inode *dp = *ip, *next = 0;
  uint inum, off;
  int err = ilock(dp);
  if (err < 0)
    return err;
  if (dp->d->type != T_DIR)
    err = -ENOTDIR;
  else if (name->d.name[0] == '.' && name->d.name[1] == 0)
    ;
  else if (dp->d->nlink == 0)
    err = -ENOENT;
  else if ((err = dirlookup(dp, name, &inum, &off)) == 0)
    err = iget(inum, &next);
  iunlock(dp);
  if (err == 0 && next) {
    iput(dp);
    *ip = next;
  }
  return err;
}

// What follow is to find, when dcache.c knows all of it, else 0.
static struct inode *
recall(const char *path, union entry *last)
{
  union entry name;
  struct inode *ip = 0;
  uint seq = dcache_begin(), inum = *path == '/' ? ROOTINO : cwd_inum(), off;
  int n;
  while ((n = next_part(&path, &name)) > 0 && !(last && *path == 0))
    if (inum == 0 || !dcache_find(inum, &name, &inum, &off))
      return 0;
  if (inum == 0 || (last ? n <= 0 : n != 0) || iget(inum, &ip) < 0)
    return 0;
  if (last)
    *last = name;
  if (dcache_same(seq))
    return ip;
  iput(ip);
  return 0;
}

// The inode that path leads to, from the root or the current directory, with a reference; with last,
// the directory that has or would have its last part, and that part. Errors as below.
static int
follow(const char *path, union entry *last, struct inode **out)
{
  union entry name;
  int n = 0, err = *path ? 0 : -ENOENT;
  if (err == 0 && (*out = recall(path, last)) != 0)
    return 0;
  if (*path == '/')
    err = iget(ROOTINO, out);
  else if (*path)
    *out = cwd_get();
  if (err < 0)
    return err;
  while (err == 0 && (n = next_part(&path, &name)) > 0) {
    if (last && *path == 0) {
      *last = name;
      return 0;
    }
    err = step(out, &name);
  }
  if (err == 0)
    err = n < 0 ? n : last ? -EINVAL : 0; // "/" has no name
  if (err < 0) {
    iput(*out);
    *out = 0;
  }
  return err;
}

// The inode that path leads to, from the root or the current directory, with a reference. 0,
// -ENOENT, -ENOTDIR, -ENAMETOOLONG, -EIO or -ENOMEM, and *out has no reference. The caller holds no
// lock and has no operation open. Sleeps.
int
namei(const char *path, struct inode **out)
{
  return follow(path, 0, out);
}

// The directory of path's last part, and that part as an entry without a number. What the directory
// is, and whether it still exists, is for the caller to see when he has locked it. Like namei; -EINVAL
// for a path without parts.
int
nameiparent(const char *path, union entry *name, struct inode **out)
{
  return follow(path, name, out);
}
