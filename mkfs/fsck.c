// SPDX-License-Identifier: MIT
// fsck: checks a disk image of Quire and explains what is wrong with it. It runs on the host and
// changes nothing.
//
//   fsck [-o] IMAGE     -o: an orphan, a file without a name, is no problem: the next boot frees it
//
// It ends with 0 when the image is clean, 1 when there are problems, 2 when it is no image of Quire
// or cannot be read. Every problem is one line, one sentence.
//
// The image is mapped privately, so that a transaction that waits in the log can be carried out
// here, in memory, before anything else is looked at, as the kernel's boot would do on the disk.
//
// Nothing in the image is believed. A number is checked before it is used to look somewhere, and
// the work is bounded: a block of block numbers, or a directory, is entered once at the most.
//
// In this order: superblock, log; every inode and the blocks it has (owner[] says whose each block
// is); the tree of directories from the root on (links[] counts names); names against link counts;
// owners against the bitmap.

#define _FILE_OFFSET_BITS 64
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define stat quire_stat // the host has one, too
#include "kernel/types.h"
#include "kernel/fs.h"
#include "kernel/stat.h"
#undef stat

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the disk's numbers are the host's");

#define SHOWN 100 // problems printed; the others are counted

static uchar *disk;                   // the image
static unsigned long long diskblocks; // its whole blocks
static struct superblock sb;
static uint datastart; // first block that a file can have
static uint *owner;    // of each block: the inode that has it, 0: none
static uint *links;    // of each inode: entries that name it, "." apart
static uint *parent;   // of each inode: the directory where it was found first, 0: not reached
static char (*nameof)[DIRSIZ]; // and its name there
static int orphans_allowed;
static uint problems;
static uint count[4]; // inodes by type

static void
problem(const char *fmt, ...)
{
  if (++problems > SHOWN)
    return;
  va_list ap;
  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  printf("\n");
}

static void
give_up(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "fsck: ");
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fprintf(stderr, "\n");
  exit(2);
}

static void *
table(size_t n, size_t size)
{
  void *t = calloc(n, size);
  if (!t)
    give_up("no memory");
  return t;
}

// ---- addressing ----

static void *
block_at(uint bno)
{
  return disk + (size_t)bno * BSIZE;
}

static int
data_block(uint bno)
{
  return bno >= datastart && bno < sb.size;
}

static struct dinode *
inode_at(uint inum)
{
  return (struct dinode *)block_at(IBLOCK(inum, sb)) + inum % IPB;
}

static int
reached(uint inum)
{
  return parent[inum] != 0;
}

// ---- saying which file ----

static char *
put_name(char *p, const char *name)
{
  for (int i = 0; i < DIRSIZ && name[i]; i++)
    p += sprintf(p, name[i] < 0x20 || name[i] == 0x7f ? "\\x%02x" : "%c", (uchar)name[i]);
  return p;
}

// "inode 7 (/a/b)"; the path stops at 16 parts.
static const char *
file(uint inum)
{
  static char text[4][1200];
  static int turn;
  char *s = text[turn++ % 4], *p = s + sprintf(s, "inode %u", inum);
  uint chain[16], n = 0;
  if (!reached(inum))
    return s;
  for (uint i = inum; i != ROOTINO && n < 16; i = parent[i])
    chain[n++] = i;
  p += sprintf(p, n ? " (" : " (/");
  while (n > 0) {
    *p++ = '/';
    p = put_name(p, nameof[chain[--n]]);
  }
  strcpy(p, ")");
  return s;
}

// ---- superblock ----

// Whether the parts of the disk lie one behind the other, so that the rest can be looked at.
static int
check_super(void)
{
  memcpy(&sb, block_at(1), sizeof(sb));
  if (sb.magic != FSMAGIC)
    give_up("this is no file system of Quire: the superblock's magic number is 0x%x, not 0x%x",
            sb.magic, FSMAGIC);
  unsigned long long ilen = (sb.ninodes + IPB - 1ull) / IPB, blen = (sb.size + BPB - 1ull) / BPB;
  unsigned long long data = sb.bmapstart + blen;
  uint before = problems;
  if (sb.size > diskblocks)
    problem("The superblock says %u blocks, but the image has only %llu.", sb.size, diskblocks);
  if (sb.logstart < 2 || sb.nlog < 2)
    problem("The log cannot be %u blocks from block %u on.", sb.nlog, sb.logstart);
  if (sb.inodestart < (unsigned long long)sb.logstart + sb.nlog)
    problem("The inodes start at block %u, inside the log.", sb.inodestart);
  if (sb.ninodes <= ROOTINO || sb.ninodes > 65536)
    problem("There cannot be %u inodes.", sb.ninodes);
  if (sb.bmapstart < sb.inodestart + ilen)
    problem("The bitmap starts at block %u, inside the inodes.", sb.bmapstart);
  if (data >= sb.size)
    problem("There is no room for data: they would start at block %llu of %u.", data, sb.size);
  else if (sb.nblocks != sb.size - data)
    problem("The superblock says %u data blocks, but there are %llu.", sb.nblocks, sb.size - data);
  datastart = data;
  return problems == before;
}

// ---- log ----

static void
replay(const struct loghead *h)
{
  for (uint i = 0; i < h->n; i++) {
    uint to = h->home[i];
    if (to < sb.inodestart || to >= sb.size)
      problem("The log would write block %u, where nothing logged can belong.", to);
    else
      memcpy(block_at(to), block_at(sb.logstart + 1 + i), BSIZE);
  }
  printf(
      "Note: a transaction of %u blocks waits in the log; the check goes on as if it were done.\n",
      h->n);
}

static void
check_log(void)
{
  static struct loghead h;
  memcpy(&h, block_at(sb.logstart), sizeof(h));
  if (h.magic != LOGMAGIC)
    problem("The log has no head: the magic number is 0x%x, not 0x%x.", h.magic, LOGMAGIC);
  else if (h.n > LOGHOMES || h.n > sb.nlog - 1)
    problem("The log's head says %u blocks, more than the log has.", h.n);
  else if (h.sum != logsum(&h))
    printf("Note: the power went while the log's head was written: that transaction is void.\n");
  else if (h.n > 0)
    replay(&h);
}

// ---- inodes and their blocks ----

// Inode inum has block bno. 0: that cannot be, so do not look inside.
static int
claim(uint inum, uint bno, const char *what)
{
  if (!data_block(bno)) {
    problem("Inode %u has block %u as %s, which is no data block.", inum, bno, what);
    return 0;
  }
  if (owner[bno]) {
    if (owner[bno] == inum)
      problem("Inode %u has block %u twice.", inum, bno);
    else
      problem("Block %u belongs to inode %u and to inode %u.", bno, owner[bno], inum);
    return 0;
  }
  owner[bno] = inum;
  return 1;
}

// Claim the tree of blocks below bno, which maps file blocks from index on; depth 0 is data.
// Returns how many data blocks lie at or beyond block end of the file.
static uint
claim_tree(uint inum, uint bno, int depth, uint64 index, uint64 end)
{
  static const char *const what[] = { "data", "its indirect block", "its double-indirect block" };
  if (bno == 0 || !claim(inum, bno, what[depth]))
    return 0;
  if (depth == 0)
    return index >= end;
  const uint *entry = block_at(bno);
  uint64 span = depth == 1 ? 1 : NINDIRECT;
  uint beyond = 0;
  for (uint i = 0; i < NINDIRECT; i++)
    beyond += claim_tree(inum, entry[i], depth - 1, index + i * span, end);
  return beyond;
}

static void
check_inode(uint inum)
{
  const struct dinode *d = inode_at(inum);
  if (d->type == 0)
    return;
  if (d->type != T_DIR && d->type != T_FILE && d->type != T_DEVICE) {
    problem("Inode %u has the type %d, which does not exist.", inum, d->type);
    return;
  }
  count[d->type]++;
  uint64 end = ((uint64)d->size + BSIZE - 1) / BSIZE;
  uint beyond = 0;
  for (uint i = 0; i < NDIRECT; i++)
    beyond += claim_tree(inum, d->addrs[i], 0, i, end);
  beyond += claim_tree(inum, d->addrs[NDIRECT], 1, NDIRECT, end);
  beyond += claim_tree(inum, d->addrs[NDIRECT + 1], 2, NDIRECT + NINDIRECT, end);
  if (beyond)
    problem("Inode %u has %u block%s beyond its size of %u bytes.", inum, beyond,
            beyond > 1 ? "s" : "", d->size);
  if (end > MAXFILE)
    problem("Inode %u has a size of %u bytes, more than a file can have.", inum, d->size);
  if (d->type == T_DIR && d->size % sizeof(struct dirent) != 0)
    problem("Inode %u is a directory, but its size of %u bytes is not a number of entries.", inum,
            d->size);
}

// ---- directories ----

// Block n of a file, or 0 for a hole or nonsense.
static void *
file_block(const struct dinode *d, uint n)
{
  uint bno;
  if (n < NDIRECT) {
    bno = d->addrs[n];
  } else if ((n -= NDIRECT) < NINDIRECT) {
    uint ind = d->addrs[NDIRECT];
    bno = data_block(ind) ? ((uint *)block_at(ind))[n] : 0;
  } else {
    n -= NINDIRECT;
    uint dind = d->addrs[NDIRECT + 1];
    uint ind = data_block(dind) && n < NDINDIRECT ? ((uint *)block_at(dind))[n / NINDIRECT] : 0;
    bno = data_block(ind) ? ((uint *)block_at(ind))[n % NINDIRECT] : 0;
  }
  return data_block(bno) ? block_at(bno) : 0;
}

static int
is_name(const struct dirent *e, const char *name)
{
  return strncmp(e->name, name, DIRSIZ) == 0;
}

static void
check_name(uint dir, const struct dirent *e)
{
  char text[DIRSIZ * 4 + 1] = "";
  int len = 0;
  put_name(text, e->name);
  if (e->name[0] == 0)
    problem("Directory %s has an entry without a name.", file(dir));
  if (memchr(e->name, '/', DIRSIZ))
    problem("Directory %s has an entry '%s' with a slash in its name.", file(dir), text);
  while (len < DIRSIZ && e->name[len])
    len++;
  for (int i = len; i < DIRSIZ; i++)
    if (e->name[i]) {
      problem("Directory %s has an entry '%s' with something behind the end of its name.",
              file(dir), text);
      break;
    }
}

// An entry of dir other than "." and "..". Directories found for the first time join the queue.
static void
check_entry(uint dir, const struct dirent *e, uint *queue, uint *tail)
{
  char text[DIRSIZ * 4 + 1] = "";
  put_name(text, e->name);
  check_name(dir, e);
  if (e->inum >= sb.ninodes) {
    problem("'%s' in %s names inode %u, but there are only %u.", text, file(dir), e->inum,
            sb.ninodes);
    return;
  }
  int type = inode_at(e->inum)->type;
  if (type == 0) {
    problem("'%s' in %s names inode %u, which is free.", text, file(dir), e->inum);
    return;
  }
  int first = !reached(e->inum);
  links[e->inum]++;
  if (type == T_DIR && !first)
    problem("'%s' in %s is another name of directory %s.", text, file(dir), file(e->inum));
  if (!first)
    return;
  parent[e->inum] = dir;
  memcpy(nameof[e->inum], e->name, DIRSIZ);
  if (type == T_DIR)
    queue[(*tail)++] = e->inum;
}

static void
check_dot(uint dir, const struct dirent *e, const char *name, uint want, int *seen)
{
  if (e->inum != want)
    problem("'%s' in %s names inode %u instead of %u.", name, file(dir), e->inum, want);
  if (++*seen == 2)
    problem("'%s' stands in %s more than once.", name, file(dir));
}

static int
by_name(const void *a, const void *b)
{
  return strncmp(*(const char *const *)a, *(const char *const *)b, DIRSIZ);
}

static void
check_unique(uint dir, const char **names, uint n)
{
  qsort(names, n, sizeof(*names), by_name);
  for (uint i = 1; i < n; i++)
    if (by_name(&names[i - 1], &names[i]) == 0) {
      char text[DIRSIZ * 4 + 1] = "";
      put_name(text, names[i]);
      problem("'%s' stands in %s more than once.", text, file(dir));
    }
}

static void
check_dir(uint dir, uint *queue, uint *tail)
{
  const struct dinode *d = inode_at(dir);
  uint total = d->size / sizeof(struct dirent), per = BSIZE / sizeof(struct dirent);
  const char **names = 0;
  uint nnames = 0;
  int dot = 0, dotdot = 0;
  if (total / per > sb.nblocks) {
    problem("Directory %s has a size of %u bytes, more than the disk.", file(dir), d->size);
    return;
  }
  for (uint i = 0; i < total; i++) {
    const struct dirent *e = file_block(d, i / per);
    if (!e) {
      problem("Directory %s has a hole at byte %u.", file(dir), i / per * BSIZE);
      break;
    }
    e += i % per;
    if (e->inum == 0)
      continue;
    if (is_name(e, ".")) {
      check_dot(dir, e, ".", dir, &dot);
    } else if (is_name(e, "..")) {
      check_dot(dir, e, "..", parent[dir], &dotdot);
      if (e->inum < sb.ninodes)
        links[e->inum]++;
    } else {
      check_entry(dir, e, queue, tail);
      if (nnames % 256 == 0 && !(names = realloc(names, (nnames + 256) * sizeof(*names))))
        give_up("no memory");
      names[nnames++] = e->name;
    }
  }
  if (!dot || !dotdot)
    problem("Directory %s has no '%s'.", file(dir), dot ? ".." : ".");
  if (names)
    check_unique(dir, names, nnames);
  free(names);
}

static void
check_tree(void)
{
  uint *queue = table(sb.ninodes, sizeof(uint)), head = 0, tail = 0;
  parent[ROOTINO] = ROOTINO;
  if (inode_at(ROOTINO)->type != T_DIR)
    problem("Inode %d, the root, is not a directory.", ROOTINO);
  else
    queue[tail++] = ROOTINO;
  while (head < tail)
    check_dir(queue[head++], queue, &tail);
  free(queue);
}

// ---- what was found against what is noted ----

static void
check_links(uint inum)
{
  const struct dinode *d = inode_at(inum);
  if (d->type < T_DIR || d->type > T_DEVICE)
    return;
  if (!reached(inum) && d->nlink == 0) {
    if (orphans_allowed)
      printf("Note: inode %u is an orphan of %u bytes; the next boot frees it.\n", inum, d->size);
    else
      problem("Inode %u is an orphan of %u bytes: it has neither a name nor links.", inum, d->size);
  } else if (!reached(inum)) {
    problem("Inode %u has a link count of %d, but no directory names it.", inum, d->nlink);
  } else if (links[inum] != (uint)d->nlink) {
    problem("The link count of %s is %d, but %u entries name it.", file(inum), d->nlink,
            links[inum]);
  }
}

static int
marked(uint bno)
{
  return ((uchar *)block_at(BBLOCK(bno, sb)))[bno % BPB / 8] >> bno % 8 & 1;
}

// 'f': in use, but free in the bitmap; 'u': used in the bitmap, but nobody's; 0: they agree.
static int
disagree(uint bno)
{
  int used = bno < datastart || owner[bno];
  return used == marked(bno) ? 0 : used ? 'f' : 'u';
}

static void
check_bitmap(void)
{
  for (uint b = 0; b < sb.size; b++) {
    int how = disagree(b);
    if (!how)
      continue;
    uint first = b;
    while (b + 1 < sb.size && disagree(b + 1) == how && owner[b + 1] == owner[first])
      b++;
    char range[40];
    sprintf(range, b > first ? "Blocks %u to %u are" : "Block %u is", first, b);
    if (how == 'u')
      problem("%s marked as used, but nothing has %s.", range, b > first ? "them" : "it");
    else if (owner[first])
      problem("%s in use by %s, but free in the bitmap.", range, file(owner[first]));
    else
      problem("%s not for files, but free in the bitmap.", range);
  }
}

// ---- the whole ----

static void
map_image(const char *path)
{
  struct stat st;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &st) < 0)
    give_up("cannot open %s: %s", path, strerror(errno));
  diskblocks = st.st_size / BSIZE;
  if (!S_ISREG(st.st_mode) || diskblocks < 4)
    give_up("%s is no image of Quire: it is too small for one", path);
  disk = mmap(0, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (disk == MAP_FAILED)
    give_up("cannot read %s: %s", path, strerror(errno));
  close(fd);
}

static void
check_files(void)
{
  owner = table(sb.size, sizeof(*owner));
  links = table(sb.ninodes, sizeof(*links));
  parent = table(sb.ninodes, sizeof(*parent));
  nameof = table(sb.ninodes, sizeof(*nameof));
  for (uint i = 1; i < sb.ninodes; i++)
    check_inode(i);
  check_tree();
  for (uint i = 1; i < sb.ninodes; i++)
    check_links(i);
  check_bitmap();
}

static uint
blocks_used(void)
{
  uint n = 0;
  for (uint b = datastart; b < sb.size; b++)
    n += owner[b] != 0;
  return n;
}

int
main(int argc, char *argv[])
{
  int opt;
  while ((opt = getopt(argc, argv, "o")) != -1)
    orphans_allowed |= opt == 'o';
  if (argc - optind != 1) {
    fprintf(stderr, "usage: fsck [-o] IMAGE\n");
    return 2;
  }
  const char *path = argv[optind];
  map_image(path);
  if (check_super()) {
    check_log();
    check_files();
  }
  if (problems == 0) {
    printf("%s is clean: %u files, %u directories, %u devices; %u of %u blocks used.\n", path,
           count[T_FILE], count[T_DIR], count[T_DEVICE], blocks_used(), sb.nblocks);
    return 0;
  }
  if (problems > SHOWN)
    printf("And %u more.\n", problems - SHOWN);
  printf("%s has %u problem%s.\n", path, problems, problems > 1 ? "s" : "");
  return 1;
}
