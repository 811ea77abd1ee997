// SPDX-License-Identifier: MIT
// Which blocks of the disk are free: the bitmap.
//
// Interface: balloc_start at boot; balloc, bfree, in an operation; is_data; blocks_free.
//
//   sb.bmapstart: | bits of blocks 0..32767 | 32768..65535 | ...      1: in use
//
// Lock: a bitmap block's page lock, for its bits. It is taken last: whoever has inodes and indirect
// blocks locked may call here.
//
// 1. blocks_free is the number of zero bits, kept from boot on.
// 2. Only data blocks are handed out or taken back, whatever a damaged disk says.

#include "bio.h"
#include "file.h"

uint blocks_free; // atomic

static uint datastart; // the first block that a file can have
static uint next;      // where the search goes on

// Whether a file can have this block.
int
is_data(uint blockno)
{
  return blockno >= datastart && blockno < sb.size;
}

// The word with block b's bit, which is bit b % 64 of it, in b's bitmap block.
static uint64 *
word_of(struct page *map, uint b)
{
  return (uint64 *)page_va(map) + b % BPB / 64;
}

// The first free block from b on that this bitmap block knows of; else the first that it does not.
static uint
find_free(struct page *map, uint b)
{
  uint end = sb.size - b < BPB - b % BPB ? sb.size : b - b % BPB + BPB;
  while (b < end && (*word_of(map, b) >> b % 64 & 1))
    b += b % 64 == 0 && *word_of(map, b) == ~0ul ? 64 : 1;
  return b < end ? b : end;
}

// Called at boot, with the log replayed: count what is free. 0, -EIO or -ENOMEM.
int
balloc_start(void)
{
  datastart = next = sb.bmapstart + (sb.size + BPB - 1) / BPB;
  for (uint b = datastart; b < sb.size;) {
    struct page *map;
    int err = bread(BBLOCK(b, sb), &map);
    if (err < 0)
      return err;
    do {
      uint64 word = *word_of(map, b);
      uint n = b % 64 == 0 && word == 0 && sb.size - b >= 64 ? 64 : 1;
      blocks_free += word >> b % 64 & 1 ? 0 : n;
      b += n;
    } while (b < sb.size && b % BPB != 0);
    brelse(map);
  }
  return 0;
}

// Take the first free block from b on: as balloc.
static int
take(uint b, uint *blockno)
{
  while (b < sb.size && blocks_free > 0) {
    struct page *map;
    uint at = BBLOCK(b, sb);
    int err = bread(at, &map);
    if (err < 0)
      return err;
    b = find_free(map, b);
    int found = b < sb.size && BBLOCK(b, sb) == at;
    if (found) {
      *word_of(map, b) |= 1ul << b % 64;
      log_write(map);
      __atomic_fetch_sub(&blocks_free, 1, __ATOMIC_RELAXED);
      __atomic_store_n(&next, b + 1, __ATOMIC_RELAXED);
      *blockno = b;
    }
    brelse(map);
    if (found)
      return 0;
  }
  return -ENOSPC;
}

// Take a free block; its contents are what they were. Logs one block. 0, -ENOSPC, -EIO or -ENOMEM.
// Sleeps.
int
balloc(uint *blockno)
{
  int err = take(__atomic_load_n(&next, __ATOMIC_RELAXED), blockno);
  return err == -ENOSPC ? take(datastart, blockno) : err;
}

// Give n blocks from b on back, all of one bitmap block. *map is the one that the last call has left
// locked, or 0, so that many blocks cost little: the caller ends with brelse. Logs one block for
// each map. 0, or -EIO, -ENOMEM and they still are in use. Sleeps.
int
bfree(uint b, uint n, struct page **map)
{
  assert(n > 0 && is_data(b) && is_data(b + n - 1) && b / BPB == (b + n - 1) / BPB);
  if (*map && (*map)->blockno != BBLOCK(b, sb)) {
    brelse(*map);
    *map = 0;
  }
  if (*map == 0) {
    int err = bread(BBLOCK(b, sb), map);
    if (err < 0) {
      *map = 0;
      return err;
    }
    log_write(*map);
  }
  uint freed = 0;
  for (uint k; n > 0; b += k, n -= k) {
    k = n < 64 - b % 64 ? n : 64 - b % 64;
    uint64 *word = word_of(*map, b), mask = ~0ul >> (64 - k) << b % 64;
    for (uint64 used = *word & mask; used; used &= used - 1)
      freed++; // not k: on a damaged disk somebody may have one twice
    *word &= ~mask;
  }
  __atomic_fetch_add(&blocks_free, freed, __ATOMIC_RELAXED);
  return 0;
}
