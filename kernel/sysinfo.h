// SPDX-License-Identifier: MIT
// What procs(), sysinfo() and consctl() exchange with programs.
#pragma once

// One process, as procs() tells it.
struct procinfo {
  int pid;
  int ppid;     // 0: nobody's child
  int pgid;     // process group
  int state;    // enum procstate's order: see PS_NAMES
  int hart;     // where it runs or ran last
  int killed;   // it has been told to die
  uint64 mem;   // bytes of memory it may use (mapped ranges)
  uint64 rss;   // bytes that have frames
  uint64 ticks; // time it has run, in SLICE_HZ units
  char name[16];
};

#define PS_NAMES                                          \
  {                                                       \
    "unused", "embryo", "sleep", "ready", "run", "zombie" \
  }
#define PS_ZOMBIE 5

// The whole system, as sysinfo() tells it. Memory is in frames of 4096 bytes.
struct sysinfo {
  uint64 frames; // frames of RAM, the kernel's image and frame table included
  uint64 boot;   // taken for good before the first program: image, frame table
  uint64 free;
  uint64 stacks; // kernel stacks ever made, for processes that live and that will, and their tables
  uint64 cache;  // hold blocks of the disk, and can be had back at once when clean
  uint64 dirty;  // of cache: not on the disk yet
  uint64 blocks; // data blocks of the file system
  uint64 bfree;
  uint64 inodes;
  uint64 ifree;
  uint64 procs; // processes alive, and their threads but the first ones
  uint64 harts;
  uint64 uptime;  // microseconds since boot
  uint64 dreads;  // blocks read from the disk
  uint64 dwrites; // blocks written to it
};

// sysinfo: first put on the disk what is dirty, and drop the cache, so that counts compare
#define SI_DROP 1

// consctl(what, arg)
#define CONS_FOREGROUND 1 // arg: the process group that ^C kills; 0: none
#define CONS_HISTORY    2 // arg: 1: Up and Down deliver the line and "\033[A" or "\033[B"
#define CONS_FILL       3 // arg: address of a string to put on the line being edited
