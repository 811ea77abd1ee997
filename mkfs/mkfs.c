// SPDX-License-Identifier: MIT
// mkfs: makes a disk image for Quire. It runs on the host.
//
//   mkfs IMAGE [-s BLOCKS] [-i INODES] FILE[=NAME]...
//
// The image holds one directory, the root, with one entry per FILE. An entry's name is NAME, else
// the last part of FILE's path, without the '_' that the build puts before programs. The layout is
// drawn in kernel/fs.h. The same arguments make the same bytes; blocks that are all zero are not
// written, so the host may store them as holes. The image comes into being under another name, so
// that a QEMU that runs with an older one keeps that.
//
// Blocks are handed out in one sweep: whatever asks for one gets the next, and the bitmap is
// written last, when it is known how far the sweep came.

#define _FILE_OFFSET_BITS 64
#define _POSIX_C_SOURCE   200809L
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define stat quire_stat // the host has one, too
#include "kernel/types.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#undef stat

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the disk's numbers are the host's");
_Static_assert(sizeof(uint) == 4, "a number on the disk has 32 bits");
_Static_assert(sizeof(struct dinode) == 64, "an inode has 64 bytes");
_Static_assert(sizeof(struct dirent) == 16, "a directory entry has 16 bytes");
_Static_assert(sizeof(struct loghead) == BSIZE, "the log's head fills a block");

#define MAXINODES 65535      // an entry of a directory has 16 bits for the number
#define MAXBLOCKS (1u << 28) // one TiB

static const char *image;
static char *draft; // what the image is called until it is complete
static FILE *out;
static struct superblock sb;
static uint nextblock; // the sweep: blocks below are used
static uint nextinode = ROOTINO;

static void
die(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "mkfs: ");
  vfprintf(stderr, fmt, ap);
  fprintf(stderr, "\n");
  va_end(ap);
  if (out)
    remove(draft);
  exit(1);
}

// ---- blocks ----

static void
write_at(uint bno, uint off, const void *data, uint n)
{
  if (fseeko(out, (off_t)bno * BSIZE + off, SEEK_SET) != 0 || fwrite(data, 1, n, out) != n)
    die("cannot write %s: %s", image, strerror(errno));
}

static void
write_block(uint bno, const void *data)
{
  static const char zeros[BSIZE];
  if (memcmp(data, zeros, BSIZE) != 0)
    write_at(bno, 0, data, BSIZE);
}

static uint
take_block(void)
{
  if (nextblock >= sb.size)
    die("%s is full at %u blocks: use a larger -s (make FSSIZE=...)", image, sb.size);
  return nextblock++;
}

// ---- files ----

// A file while it is written: blocks go in from the first to the last.
struct newfile {
  uint inum;
  struct dinode d;
  uint nblocks;
  uint ind[NINDIRECT];  // the block of block numbers being filled
  uint dind[NINDIRECT]; // the block of those
};

static void
open_inode(struct newfile *f, int type)
{
  memset(f, 0, sizeof(*f));
  if (nextinode >= sb.ninodes)
    die("more files than the %u inodes of %s: use a larger -i", sb.ninodes, image);
  f->inum = nextinode++;
  f->d.type = type;
  f->d.nlink = 1;
}

// Where block n of the file, beyond the direct ones, is noted: a slot of f->ind, which belongs to
// the indirect block or to one of the double-indirect block's.
static uint *
indirect_slot(struct newfile *f, uint n)
{
  uint at = n % NINDIRECT;
  if (at == 0) {
    memset(f->ind, 0, sizeof(f->ind));
    uint bno = take_block();
    if (n < NINDIRECT) {
      f->d.addrs[NDIRECT] = bno;
    } else {
      if (n == NINDIRECT)
        f->d.addrs[NDIRECT + 1] = take_block();
      f->dind[n / NINDIRECT - 1] = bno;
    }
  }
  return &f->ind[at];
}

// The block of block numbers that f->ind is; n is the file block noted last.
static uint
indirect_block(struct newfile *f, uint n)
{
  return n < NINDIRECT ? f->d.addrs[NDIRECT] : f->dind[n / NINDIRECT - 1];
}

static void
append_block(struct newfile *f, const void *data, uint bytes)
{
  uint n = f->nblocks++;
  if (n >= MAXFILE)
    die("a file has more than %u blocks", (uint)MAXFILE);
  if (n < NDIRECT) {
    uint bno = take_block();
    f->d.addrs[n] = bno;
    write_block(bno, data);
  } else {
    n -= NDIRECT;
    uint *slot = indirect_slot(f, n);
    uint bno = take_block();
    *slot = bno;
    write_block(bno, data);
    write_block(indirect_block(f, n), f->ind);
    if (n >= NINDIRECT)
      write_block(f->d.addrs[NDIRECT + 1], f->dind);
  }
  f->d.size += bytes;
}

static void
close_inode(const struct newfile *f)
{
  write_at(IBLOCK(f->inum, sb), f->inum % IPB * sizeof(f->d), &f->d, sizeof(f->d));
}

// ---- the root directory ----

static struct dirent *entries;
static uint nentries;

static void
add_entry(const char *name, uint inum)
{
  if (strlen(name) > DIRSIZ)
    die("the name %s has more than %d bytes", name, DIRSIZ);
  if (name[0] == 0 || strchr(name, '/'))
    die("'%s' cannot be a file's name", name);
  for (uint i = 0; i < nentries; i++)
    if (strncmp(entries[i].name, name, DIRSIZ) == 0)
      die("there are two files called %s", name);
  entries = realloc(entries, (nentries + 1) * sizeof(*entries));
  if (!entries)
    die("no memory");
  struct dirent *e = &entries[nentries++];
  e->inum = inum;
  memset(e->name, 0, DIRSIZ);
  memcpy(e->name, name, strlen(name));
}

static void
write_root(struct newfile *root)
{
  uint per = BSIZE / sizeof(*entries);
  for (uint i = 0; i < nentries; i += per) {
    char block[BSIZE] = { 0 };
    uint n = nentries - i < per ? nentries - i : per;
    memcpy(block, &entries[i], n * sizeof(*entries));
    append_block(root, block, n * sizeof(*entries));
  }
  close_inode(root);
}

// arg is FILE or FILE=NAME.
static void
add_file(char *arg)
{
  char *name = strchr(arg, '=');
  if (name) {
    *name++ = 0;
  } else {
    name = strrchr(arg, '/') ? strrchr(arg, '/') + 1 : arg;
    if (name[0] == '_')
      name++;
  }
  FILE *in = fopen(arg, "rb");
  if (!in)
    die("cannot open %s: %s", arg, strerror(errno));
  static struct newfile f;
  open_inode(&f, T_FILE);
  add_entry(name, f.inum);
  for (;;) {
    char block[BSIZE] = { 0 };
    size_t n = fread(block, 1, BSIZE, in);
    if (ferror(in))
      die("cannot read %s: %s", arg, strerror(errno));
    if (n == 0)
      break;
    append_block(&f, block, n);
  }
  fclose(in);
  close_inode(&f);
}

// ---- the parts that are not files ----

// A small disk gets a small log, though never less than a few operations need.
static uint
log_size(uint blocks)
{
  uint n = blocks / 16;
  uint least = 3 * MAXOPBLOCKS;
  return 1 + (n < least ? least : n > LOGBLOCKS ? LOGBLOCKS : n);
}

static void
lay_out(uint blocks, uint inodes)
{
  if (inodes == 0)
    inodes = blocks / 8 < 200 ? 200 : blocks / 8;
  inodes = (inodes + IPB - 1) / IPB * IPB;
  if (inodes > MAXINODES)
    inodes = MAXINODES;
  sb.magic = FSMAGIC;
  sb.size = blocks;
  sb.ninodes = inodes;
  sb.nlog = log_size(blocks);
  sb.logstart = 2;
  sb.inodestart = sb.logstart + sb.nlog;
  sb.bmapstart = sb.inodestart + (inodes + IPB - 1) / IPB;
  nextblock = sb.bmapstart + (blocks + BPB - 1) / BPB;
  if (nextblock >= blocks)
    die("%u blocks are too few: log, inodes and bitmap alone take %u", blocks, nextblock);
  sb.nblocks = blocks - nextblock;
}

static void
write_loghead(void)
{
  struct loghead h = { .magic = LOGMAGIC };
  h.sum = logsum(&h);
  write_at(sb.logstart, 0, &h, sizeof(h));
}

static void
write_bitmap(void)
{
  for (uint first = 0; first < nextblock; first += BPB) {
    uchar bits[BSIZE] = { 0 };
    for (uint b = first; b < nextblock && b < first + BPB; b++)
      bits[b % BPB / 8] |= 1 << b % 8;
    write_block(BBLOCK(first, sb), bits);
  }
}

// ---- arguments ----

static uint
number(const char *opt, const char *s)
{
  char *end = 0;
  unsigned long long n = s ? strtoull(s, &end, 0) : 0;
  if (!s || *end || n == 0 || n > MAXBLOCKS || s[0] == '-')
    die("%s needs a number from 1 to %u", opt, MAXBLOCKS);
  return n;
}

int
main(int argc, char *argv[])
{
  uint blocks = FSSIZE, inodes = 0;
  if (argc < 2 || argv[1][0] == '-') {
    fprintf(stderr, "usage: mkfs IMAGE [-s BLOCKS] [-i INODES] FILE[=NAME]...\n");
    return 1;
  }
  int i = 2;
  for (; i < argc && argv[i][0] == '-'; i += 2) {
    if (strcmp(argv[i], "-s") == 0)
      blocks = number("-s", argv[i + 1]);
    else if (strcmp(argv[i], "-i") == 0)
      inodes = number("-i", argv[i + 1]);
    else
      die("there is no option %s", argv[i]);
  }
  lay_out(blocks, inodes);
  image = argv[1];
  draft = malloc(strlen(image) + sizeof(".new"));
  if (!draft)
    die("no memory");
  sprintf(draft, "%s.new", image);
  out = fopen(draft, "wb");
  if (!out)
    die("cannot make %s: %s", image, strerror(errno));

  static struct newfile root;
  open_inode(&root, T_DIR);
  add_entry(".", root.inum);
  add_entry("..", root.inum);
  for (; i < argc; i++)
    add_file(argv[i]);
  write_root(&root);
  write_at(1, 0, &sb, sizeof(sb));
  write_loghead();
  write_bitmap();
  // The tail of the disk has no data yet, but is part of the image.
  if (fflush(out) != 0 || ftruncate(fileno(out), (off_t)sb.size * BSIZE) != 0 || fclose(out) != 0 ||
      rename(draft, image) != 0)
    die("cannot write %s: %s", image, strerror(errno));
  return 0;
}
