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
// 1. nfree is the number of zero bits, kept from boot on.
// 2. Only data blocks are handed out or taken back, whatever a damaged disk says.

#include "bio.h"
#include "defs.h"
#include "file.h"

static uint nmaps;     // blocks of the bitmap
static uint datastart; // the first block that a file can have
static uint nfree;     // atomic
static uint next;      // where the search goes on

// Whether a file can have this block.
int
is_data(uint blockno)
{
  return blockno >= datastart && blockno < sb.size;
}

uint
blocks_free(void)
{
  return nfree;
}

static int
get_bit(const uint64 *bits, uint i)
{
  return bits[i / 64] >> i % 64 & 1;
}

// The first zero bit of i..end-1, or end.
static uint
zero_bit(const uint64 *bits, uint i, uint end)
{
  while (i < end && get_bit(bits, i))
    i += i % 64 == 0 && bits[i / 64] == ~0ul ? 64 : 1;
  return i < end ? i : end;
}

static uint
count_zeros(const uint64 *bits, uint i, uint end)
{
  uint n = 0;
  while (i < end)
    if (i % 64 == 0 && bits[i / 64] == 0 && end - i >= 64) {
      n += 64;
      i += 64;
    } else {
      n += !get_bit(bits, i++);
    }
  return n;
}

// The bits of bitmap block m that are for data blocks: from map_start to map_end - 1.
static uint
map_start(uint m)
{
  return m * BPB < datastart ? (datastart - m * BPB < BPB ? datastart - m * BPB : BPB) : 0;
}

static uint
map_end(uint m)
{
  return sb.size - m * BPB < BPB ? sb.size - m * BPB : BPB;
}

// Called at boot, with the log replayed: count what is free. 0, -EIO or -ENOMEM.
int
balloc_start(void)
{
  nmaps = (sb.size + BPB - 1) / BPB;
  datastart = next = sb.bmapstart + nmaps;
  for (uint m = 0; m < nmaps; m++) {
    struct page *pg;
    int err = bread(sb.bmapstart + m, &pg);
    if (err < 0)
      return err;
    nfree += count_zeros(page_va(pg), map_start(m), map_end(m));
    brelse(pg);
  }
  return 0;
}

// Take a free block; its contents are what they were. Logs one block. 0, -ENOSPC, -EIO or -ENOMEM.
// Sleeps.
int
balloc(uint *blockno)
{
  uint start = __atomic_load_n(&next, __ATOMIC_RELAXED);
  if (start >= sb.size)
    start = datastart;
  for (uint k = 0; k <= nmaps && nfree > 0; k++) { // the first map twice: from start on, then all
    uint m = (start / BPB + k) % nmaps;
    struct page *pg;
    int err = bread(sb.bmapstart + m, &pg);
    if (err < 0)
      return err;
    uint64 *bits = page_va(pg);
    uint i = zero_bit(bits, k == 0 ? start % BPB : map_start(m), map_end(m));
    if (i < map_end(m)) {
      bits[i / 64] |= 1ul << i % 64;
      log_write(pg);
      brelse(pg);
      __atomic_fetch_sub(&nfree, 1, __ATOMIC_RELAXED);
      *blockno = m * BPB + i;
      __atomic_store_n(&next, *blockno + 1, __ATOMIC_RELAXED);
      return 0;
    }
    brelse(pg);
  }
  return -ENOSPC;
}

// Give block b back. Logs one block. 0, or -EIO, -ENOMEM and b still is in use. Sleeps.
int
bfree(uint b)
{
  struct page *pg;
  assert(is_data(b));
  int err = bread(BBLOCK(b, sb), &pg);
  if (err < 0)
    return err;
  uint64 *bits = page_va(pg);
  if (get_bit(bits, b % BPB)) { // else the disk is damaged: somebody has it twice
    bits[b % BPB / 64] &= ~(1ul << b % 64);
    log_write(pg);
    __atomic_fetch_add(&nfree, 1, __ATOMIC_RELAXED);
  }
  brelse(pg);
  return 0;
}
