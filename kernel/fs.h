// SPDX-License-Identifier: MIT
// The file system as it lies on the disk. Kernel, mkfs and fsck share this file.
//
//   block 0    1       2 ... logstart+nlog   inodestart ...   bmapstart ...   data ...
//   +-------+--------+---------------------+----------------+---------------+-----------+
//   | boot  | super  | log: head, copies   | inodes         | free bitmap   | data      |
//   +-------+--------+---------------------+----------------+---------------+-----------+
//
// All numbers are little endian. Blocks are as large as pages, so a block of a file is a page of it.
#pragma once

#include "types.h"

#define ROOTINO 1    // the root directory
#define BSIZE   4096 // bytes of a block

#define FSMAGIC 0x51756972 // "Quir"

struct superblock {
  uint magic;      // FSMAGIC
  uint size;       // blocks of the whole image
  uint nblocks;    // of these, data blocks
  uint ninodes;    // inodes; number 0 is not used
  uint nlog;       // blocks of the log, its head included
  uint logstart;   // block of the log's head
  uint inodestart; // first block of inodes
  uint bmapstart;  // first block of the free bitmap
};

#define NDIRECT    11
#define NINDIRECT  (BSIZE / sizeof(uint))
#define NDINDIRECT (NINDIRECT * NINDIRECT)
#define MAXFILE    (NDINDIRECT - 1) // blocks of a file: its size stays below 4 GiB

// 64 bytes, 64 of them in a block.
struct dinode {
  short type;  // 0: free, else T_DIR, T_FILE, T_DEVICE
  short major; // device number, for T_DEVICE
  short minor;
  short nlink;             // directory entries that name it; 0 with a type: an orphan
  uint size;               // bytes
  uint addrs[NDIRECT + 2]; // blocks, then a block of blocks, then a block of those; 0: a hole
};

#define IPB           (BSIZE / sizeof(struct dinode)) // inodes in a block
#define IBLOCK(i, sb) ((i) / IPB + (sb).inodestart)
#define BPB           (BSIZE * 8) // bits in a bitmap block
#define BBLOCK(b, sb) ((b) / BPB + (sb).bmapstart)

#define DIRSIZ 14 // bytes of a name; a shorter one is padded with zeros

// A directory is a file of these; inum 0 is a free entry.
struct dirent {
  ushort inum;
  char name[DIRSIZ];
};

// The log's head, in block logstart. Copy i of the transaction lies in block logstart + 1 + i and
// belongs in block home[i]. n is 0 when there is nothing to do; a head whose sum is wrong was being
// written when the power went, so that its transaction never happened.
#define LOGMAGIC 0x4c6f6721
#define LOGHOMES (BSIZE / sizeof(uint) - 4)

struct loghead {
  uint magic; // LOGMAGIC
  uint n;     // blocks in the transaction
  uint seq;   // counts transactions
  uint sum;   // logsum() of this head
  uint home[LOGHOMES];
};

// What sum must be: it covers n, seq and the homes in use. n is at most LOGHOMES.
static inline uint
logsum(const struct loghead *h)
{
  uint sum = (h->magic ^ h->n) * 0x01000193 ^ h->seq;
  for (uint i = 0; i < h->n; i++)
    sum = sum * 0x01000193 ^ h->home[i];
  return sum;
}
