// SPDX-License-Identifier: MIT
// Opening the file system at boot.
//
// Interface: fsinit; fs_drop.
//
// Order at boot: the superblock is checked; the log brings the disk into the state after its last
// transaction; free blocks are counted; inodes are counted, and those are freed that have no name
// (they were open when the machine stopped). Only now anything else is read.
//
// Nothing here believes the disk: what is damaged is told in a sentence, and the machine stops.

#include "file.h"

struct superblock sb; // for good, once fsinit has read it

// The sentence that says why this cannot be a disk of ours, or 0.
static const char *
nonsense(void)
{
  uint64 imap = (sb.ninodes + IPB - 1ul) / IPB, bmap = (sb.size + BPB - 1ul) / BPB;
  if (sb.magic != FSMAGIC)
    return "it has no file system of Quire";
  if (sb.size > drives[0].blocks)
    return "its file system is larger than the disk";
  if (sb.logstart < 2 || sb.nlog < 2 * MAXOPBLOCKS + 1 || sb.nlog > sb.size)
    return "its log is too small or misplaced";
  if (sb.inodestart < (uint64)sb.logstart + sb.nlog || sb.ninodes <= ROOTINO || sb.ninodes > 65536)
    return "its inodes are misplaced";
  if (sb.bmapstart < sb.inodestart + imap || sb.bmapstart + bmap >= sb.size)
    return "its bitmap is misplaced";
  return 0;
}

// Called once by the first process: open the file system. A disk that cannot be used is a panic
// with a sentence that says why.
void
fsinit(void)
{
  struct page *pg;
  if (drives[0].blocks == 0)
    panic("there is no disk to start from");
  if (bread(1, &pg) < 0)
    panic("the disk cannot be read");
  sb = *(struct superblock *)page_va(pg);
  brelse(pg);
  const char *why = nonsense();
  if (why)
    panic("this disk cannot be used: %s", why);
  if (log_start(&sb) < 0 || balloc_start() < 0)
    panic("the disk's log or bitmap cannot be read or written");
  int freed = inodes_start();
  if (freed < 0)
    panic("the disk's inodes cannot be read");
  if (freed > 0)
    printk("ireclaim: %d file%s without a name freed\n", freed, freed == 1 ? "" : "s");
  file_start();
}

// Put everything on the disk and forget what nobody uses, so that counts compare. Sleeps.
void
fs_drop(void)
{
  file_writeback(0, 0, 0);
  log_sync();
  inodes_shrink();
  while (cache_shrink(1 << 20) > 0)
    ;
}
