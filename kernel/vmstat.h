// SPDX-License-Identifier: MIT
// The proof interface: what pageinfo(), vmas(), vmstat(), waitinfo() and vmctl() exchange with
// programs.
#pragma once

#include "types.h"

// Events of virtual memory, counted exactly and always. Each fault counts in `faults` and in one of
// the next group when it is settled.
#define VM_COUNTERS(X)                                                   \
  X(faults, "pages that a program or a call for it needed")              \
  X(zero_fill, "first write to a page: a frame of zeros")                \
  X(zero_page, "first read of a page: the shared zero frame")            \
  X(cow_copy, "write to a shared frame: a copy")                         \
  X(cow_reuse, "write by the last owner: no copy")                       \
  X(stack, "the stack grew; counts beside the fault's own kind")         \
  X(file, "a page of a file mapped")                                     \
  X(mkwrite, "first store to a clean page of a shared file")             \
  X(shm, "a page of shared memory mapped, or one that the kernel shows") \
  X(swap_in, "a page came back from swap")                               \
  X(huge, "2 MiB at once")                                               \
  X(protection, "refused: no such memory or not for this")               \
  X(failed, "no memory, or the disk failed")                             \
  X(spurious, "the entry was good already")                              \
  X(ad, "A or D set by the kernel")                                      \
  X(frames_allocated, "frames taken for pages of programs and files")    \
  X(frames_freed, "frames given back")                                   \
  X(frames_zeroed, "frames filled with zeros for a program")             \
  X(frames_copied, "frames copied for a program")                        \
  X(tables_made, "page-table pages made")                                \
  X(tables_freed, "page-table pages given back")                         \
  X(disk_reads, "blocks read")                                           \
  X(disk_writes, "blocks written")                                       \
  X(swap_outs, "pages written to swap")                                  \
  X(reclaimed, "mapped frames taken away by reclaim")                    \
  X(huge_splits, "2 MiB pages split into small ones")                    \
  X(flush_page, "flushes of one page")                                   \
  X(flush_range, "flushes of a few pages")                               \
  X(flush_all, "flushes of an address space")                            \
  X(shootdowns, "calls to other harts to flush")                         \
  X(fences, "sfence.vma executed")                                       \
  X(satp_writes, "page tables entered")                                  \
  X(switches, "from one process to another, or to none")                 \
  X(contended, "spinlocks that had to be waited for")                    \
  X(idle, "of the instret counter, while a hart had nothing to do")

#define VM_FIELD(name, what) uint64 name;
struct vmcounts {
  VM_COUNTERS(VM_FIELD)
};
#undef VM_FIELD

// vmstat(). Pages and frames are of 4096 bytes.
struct vmstat {
  struct vmcounts self; // this address space, since exec or fork
  struct vmcounts all;  // the system, since boot
  uint64 tables;        // page-table pages of this address space, its root included
  uint64 resident;      // pages of it that have frames
  uint64 swapped;       // pages of it that are in swap
  uint64 slots;         // swap: slots in all; 0: swap is off
  uint64 slots_free;
  uint64 mms;  // address spaces alive
  uint policy; // VMPOLICY_*
  uint huge;   // VMHUGE_*
};

// pageinfo(): one page.
struct pageinfo {
  uint64 va;
  uint64 frame;    // its frame's number (physical address / 4096); 0: none
  uint64 table[2]; // frames of the page tables on the way to it, from the root down; 0: none
  uint64 slot;     // where it is in swap, when PI_SWAP
  uint refs;       // the frame's reference count
  ushort flags;    // PTE_V R W X U G A D as the hardware has them, and PI_*
  uchar level;     // where the walk ended: 0 is a 4 KiB page, 1 a 2 MiB page
  uchar kind;      // of the frame: PI_FREE and so on
  uchar vma;       // of the range: VMA_*
  uchar prot;      // of the range: PROT_*
};

#define PI_SWAP  0x100 // in swap
#define PI_CACHE 0x200 // the frame is in the page cache
#define PI_NONE  0x400 // PROT_NONE: there is a frame, and nobody may touch it

// Kinds of a frame, as in struct page.
enum page_kind { PG_RESERVED, PG_FREE, PG_KERNEL, PG_TABLE, PG_ANON, PG_CACHE, PG_ZERO };

// Kinds of a range.
enum vma_kind { VMA_NONE, VMA_ANON, VMA_STACK, VMA_FILE, VMA_SHM, VMA_KERNEL };

// vmas(): one range. Counts are in pages of 4096 bytes.
struct vmainfo {
  uint64 start, end;
  uint64 off;      // of the file at start
  uint inum;       // the file; 0: none
  uchar kind;      // VMA_*
  uchar prot;      // PROT_*
  ushort flags;    // VM_*
  uint64 resident; // have frames
  uint64 shared;   // of these, with frames that others have as well
  uint64 dirty;    // of these, written
  uint64 huge;     // of these, by 2 MiB leaves
  uint64 swapped;
};

#define VM_SHARED   0x01 // stores are seen by all who map it
#define VM_TEXT     0x02 // a segment of a program: its file cannot be written
#define VM_HUGEPAGE 0x04 // MADV_HUGEPAGE
#define VM_NOHUGE   0x08 // MADV_NOHUGEPAGE
#define VM_HUGETLB  0x10 // MAP_HUGETLB
#define VM_MAYWRITE 0x20 // shared, of a file that was opened for writing

// waitinfo(): wait(), and how the child died.
struct waitinfo {
  int pid;
  int how;    // DIED_*
  int status; // DIED_EXIT: what it gave to exit(); else -1
  int access; // DIED_FAULT to DIED_NOMEM: PROT_READ, PROT_WRITE or PROT_EXEC
  uint64 va;  // DIED_FAULT and later: the address, or the instruction
  uint64 pc;
};

#define DIED_EXIT    0
#define DIED_KILL    1 // kill(), ^C, or out of memory by the choice of the kernel
#define DIED_FAULT   2 // no such memory, or not for this access
#define DIED_IO      3 // the disk failed, or the file ends before this page
#define DIED_NOMEM   4 // no frame for it
#define DIED_ILLEGAL 5 // an instruction, or a trap that nobody handles

// vmctl(what, arg)
#define VMCTL_SWAP    1 // arg 1: use the second drive for swap; 0: bring all back and stop using it
#define VMCTL_POLICY  2 // arg: VMPOLICY_*
#define VMCTL_HUGE    3 // arg: VMHUGE_*
#define VMCTL_RECLAIM 4 // evict up to arg pages by the policy: how many
#define VMCTL_CHECK   5 // mm_check(): how many invariants fail; arg > 0: break that one first (debug)
#define VMCTL_FAIL \
  6 // the arg-th allocation of this thread from now on fails (debug); 0: none: what was left

enum { VMPOLICY_FIFO, VMPOLICY_CLOCK, VMPOLICY_AGING, VMPOLICY_WSCLOCK, NVMPOLICY };
enum { VMHUGE_NEVER, VMHUGE_MADVISE, VMHUGE_ALWAYS };
