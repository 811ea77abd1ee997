// SPDX-License-Identifier: MIT
// Blocks: requests to the disk, the cache of blocks, the log. The contracts stand in virtio_disk.c,
// bio.c and log.c.
#pragma once

#include "mm/page.h"

struct superblock;

// ---- virtio_disk.c ----

#define NDRIVE   2  // 0: the file system; 1: swap, if it is there
#define DISK_RUN 32 // blocks of a request at the most

// What can be known of a drive. blocks is 0 when it is not there.
extern struct drive {
  uint64 blocks; // its size
  int readonly;
  uint64 nread, nwritten; // blocks since boot
} drives[NDRIVE];

enum disk_op { DISK_READ = 0, DISK_WRITE = 1, DISK_FLUSH = 4 }; // virtio's numbers (1.1, 5.2.6)

// A request: n blocks of a drive from blockno on, to or from as many frames. It and the frames
// belong to the driver from disk_submit until disk_wait has returned.
struct diskreq {
  enum disk_op op;
  uint drive;
  uint blockno;
  uint n;
  struct page *pages[DISK_RUN];
  int busy; // the driver has it
  int err;  // 0 or -EIO, when it is back
};

void disk_submit(struct diskreq *);
int disk_wait(struct diskreq *);
int disk_io(struct diskreq *);
int disk_flush(uint drive);

// ---- bio.c ----

#define NO_FILE 0x80000000u // the least number for shared memory, which is nowhere but in the cache

// page.flags of a CACHE frame
#define PF_VALID      0x01 // holds what the block should
#define PF_LOCKED     0x02 // somebody has it to himself
#define PF_WAITERS    0x04 // and others sleep for it
#define PF_REFERENCED 0x08 // used since the clock's hand passed
#define PF_LOGGED     0x10 // in the running transaction, at logslot
#define PF_CACHED     0x20 // can be found under (inum, index)
#define PF_WRITABLE   0x40 // a mapping may store into it: a reference, see mm/filemap.c
#define PF_DIRTY      0x80 // one has, and is gone

extern uint64 cache_frames; // in the cache

uint64 bio_tables(void *at, uint64 nframes);
int bread(uint blockno, struct page **);
void brelse(struct page *);
struct page *page_cache_find(uint inum, uint index);
int cache_lock(uint inum, uint index, struct page **);
int cache_fill(uint inum, uint index, uint blockno, uint n, struct page **first);
void page_ready(struct page *);
void page_lock(struct page *);
void page_unlock(struct page *);
void page_set(struct page *, uint flags);
void page_clear(struct page *, uint flags);
struct page *cache_writable(uint inum, uint from, uint to, uint *i);
void cache_remove(uint inum, uint from, uint to);
int cache_shrink(int n);

// ---- log.c ----

extern int fs_readonly; // the disk takes no more changes

int log_start(const struct superblock *);
int begin_op(void);
void end_op(void);
void log_write(struct page *);
void log_forget(struct page *);
int log_sync(void);
void log_nudge(uint64 age);
uint64 log_dirty(void);
