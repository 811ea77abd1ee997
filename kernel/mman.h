// SPDX-License-Identifier: MIT
// What mmap() and its relatives exchange with programs.
#pragma once

// What may be done with the bytes of a range. PROT_WRITE has PROT_READ with it; PROT_WRITE with
// PROT_EXEC is refused (EACCES).
#define PROT_NONE  0
#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4

// mmap: exactly one of the first two
#define MAP_SHARED   0x01    // stores are seen by all who map it, and by the file
#define MAP_PRIVATE  0x02    // stores stay in this address space
#define MAP_FIXED    0x10    // at this address, whatever was there
#define MAP_ANON     0x20    // zeros instead of a file
#define MAP_POPULATE 0x8000  // all frames now
#define MAP_HUGETLB  0x40000 // in 2 MiB pages, or not at all

#define MAP_FAILED ((void *)-1)

// msync: one of MS_ASYNC and MS_SYNC
#define MS_ASYNC      1 // what is dirty will be written soon
#define MS_INVALIDATE 2 // nothing to do here: a mapping and read() are one frame
#define MS_SYNC       4 // it is on the disk when the call returns

#define MADV_NORMAL     0
#define MADV_WILLNEED   3  // bring the pages in
#define MADV_DONTNEED   4  // forget the frames: what was private is lost
#define MADV_HUGEPAGE   14 // use 2 MiB pages where they fit
#define MADV_NOHUGEPAGE 15
#define MADV_PAGEOUT    21 // evict now
#define MADV_COLLAPSE   25 // make 2 MiB pages of small ones now
