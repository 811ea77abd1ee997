// SPDX-License-Identifier: MIT
// Directories, and how a path leads to an inode.
//
// Interface: dirlookup, dirlink, dirclear, dirempty on a locked directory; namei, nameiparent.
//
// A directory is a file of 16-byte entries: | inum | name, padded with zeros |. inum 0 is a free
// one. An entry is looked at as two words, so that comparing a whole name is two instructions.
//
// Locks: dirlookup and its like want the directory's lock. A path is walked with one lock at a time
// and outside of operations, so ".." cannot make a circle of waiters, and walking can free a file
// that lost its last name meanwhile.
//
// 1. In a directory that was removed (nlink 0) nothing is found, ".." included, and nothing is
//    added: its old parent may be another file by now.
// 2. An inode number from an entry goes through iget, which refuses what is out of range.

#include "bio.h"
#include "defs.h"
#include "file.h"
#include "stat.h"

union entry {
  struct dirent d;
  uint64 w[2];
};

#define NAMEBITS (~0xfffful) // of the first word; the others are inum

_Static_assert(sizeof(union entry) == 16, "an entry is two words");

// Whether e is what key asks for: the entry of that name, or with an empty name any free entry.
static inline int
matches(const union entry *e, const union entry *key, int unused)
{
  if (unused)
    return e->d.inum == 0;
  return ((e->w[0] ^ key->w[0]) & NAMEBITS) == 0 && e->w[1] == key->w[1] && e->d.inum != 0;
}

// The first entry that matches: its place in the directory, or its size if there is none. *inum is
// what the entry names.
static int
scan(struct inode *dp, const union entry *key, uint *off, uint *inum)
{
  int unused = key->d.name[0] == 0;
  for (uint at = 0; at < dp->size; at += BSIZE) {
    struct page *pg;
    int err = ipage(dp, at / BSIZE, &pg);
    if (err < 0)
      return err;
    const union entry *e = page_va(pg);
    uint n = (dp->size - at < BSIZE ? dp->size - at : BSIZE) / sizeof(*e);
    for (uint i = 0; i < n; i++)
      if (matches(&e[i], key, unused)) {
        *off = at + i * sizeof(*e);
        *inum = e[i].d.inum;
        page_put(pg);
        return 0;
      }
    page_put(pg);
    if (dp->size - at < BSIZE)
      break;
  }
  *off = dp->size;
  return 0;
}

// Find a name in dp, which the caller has locked: the inode number, and where the entry is. 0,
// -ENOENT, -EIO or -ENOMEM. Sleeps.
int
dirlookup(struct inode *dp, const char name[DIRSIZ], uint *inum, uint *off)
{
  union entry key;
  memmove(key.d.name, name, DIRSIZ);
  int err = scan(dp, &key, off, inum);
  return err ? err : *off < dp->size ? 0 : -ENOENT;
}

static int
write_entry(struct inode *dp, uint off, const union entry *e)
{
  struct span s;
  span_kernel(&s, (void *)e, sizeof(*e));
  int n = writei(dp, &s, 0, off, sizeof(*e));
  return n == sizeof(*e) ? 0 : n < 0 ? n : -ENOSPC;
}

// Add a name that is not there to dp, which the caller has locked, in an operation. 0, -ENOSPC,
// -EFBIG, -EIO or -ENOMEM. Sleeps.
int
dirlink(struct inode *dp, const char name[DIRSIZ], uint inum)
{
  union entry e = { .w = { 0, 0 } };
  uint off, was;
  int err = scan(dp, &e, &off, &was);
  if (err < 0)
    return err;
  e.d.inum = inum;
  memmove(e.d.name, name, DIRSIZ);
  return write_entry(dp, off, &e);
}

// Free the entry at off. The caller has dp locked, in an operation. 0, -EIO or -ENOMEM. Sleeps.
int
dirclear(struct inode *dp, uint off)
{
  union entry none = { .w = { 0, 0 } };
  return write_entry(dp, off, &none);
}

int
is_dots(const char name[DIRSIZ])
{
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

// Whether dp, which the caller has locked, has no names but "." and "..": 1 or 0, -EIO, -ENOMEM.
// Sleeps.
int
dirempty(struct inode *dp)
{
  int empty = 1;
  for (uint at = 0; at < dp->size && empty; at += sizeof(struct dirent)) {
    struct page *pg;
    int err = ipage(dp, at / BSIZE, &pg);
    if (err < 0)
      return err;
    const struct dirent *e = (struct dirent *)((char *)page_va(pg) + at % BSIZE);
    empty = e->inum == 0 || is_dots(e->name);
    page_put(pg);
  }
  return empty;
}

// ---- paths ----

// The first part of *path into name, *path behind it and behind the slashes that follow: its
// length; 0: there is none; -ENAMETOOLONG.
static int
next_part(const char **path, char name[DIRSIZ])
{
  const char *s = *path;
  int n = 0;
  while (*s == '/')
    s++;
  memset(name, 0, DIRSIZ);
  for (; *s && *s != '/'; s++) {
    if (n == DIRSIZ)
      return -ENAMETOOLONG;
    name[n++] = *s;
  }
  while (*s == '/')
    s++;
  *path = s;
  return n;
}

// From directory *ip to what it calls name; the reference moves along. On an error it stays.
static int
step(struct inode **ip, const char name[DIRSIZ])
{
  struct inode *dp = *ip, *next = 0;
  uint inum, off;
  int err = ilock(dp);
  if (err < 0)
    return err;
  if (dp->type != T_DIR)
    err = -ENOTDIR;
  else if (name[0] == '.' && name[1] == 0)
    ;
  else if (dp->nlink == 0)
    err = -ENOENT;
  else if ((err = dirlookup(dp, name, &inum, &off)) == 0)
    err = iget(inum, &next);
  iunlock(dp);
  if (next) {
    iput(dp);
    *ip = next;
  }
  return err;
}

// Where path leads; with last, the directory that has or would have its last part, and that part.
static int
follow(const char *path, char last[DIRSIZ], struct inode **out)
{
  char name[DIRSIZ];
  struct inode *ip;
  int n, err = 0;
  if (*path == 0)
    return -ENOENT;
  if (*path != '/')
    ip = cwd_get();
  else if ((err = iget(ROOTINO, &ip)) < 0)
    return err;
  while (err == 0 && (n = next_part(&path, name)) != 0) {
    if (n < 0) {
      err = n;
    } else if (last && *path == 0) {
      memmove(last, name, DIRSIZ);
      *out = ip;
      return 0;
    } else {
      err = step(&ip, name);
    }
  }
  if (err == 0 && last)
    err = -EINVAL; // "/" has no name
  if (err == 0)
    *out = ip;
  else
    iput(ip);
  return err;
}

// The inode that path leads to, from the root or the current directory, with a reference. 0,
// -ENOENT, -ENOTDIR, -ENAMETOOLONG, -EIO or -ENOMEM. The caller holds no lock and has no operation
// open. Sleeps.
int
namei(const char *path, struct inode **out)
{
  return follow(path, 0, out);
}

// The directory of path's last part, and that part. What the directory is, and whether it still
// exists, is for the caller to see when he has locked it. Like namei; -EINVAL for a path without
// parts.
int
nameiparent(const char *path, char name[DIRSIZ], struct inode **out)
{
  return follow(path, name, out);
}
