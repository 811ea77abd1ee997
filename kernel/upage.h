// SPDX-License-Identifier: MIT
// Two pages the kernel shows every program, read-only, so that some answers need no system call.
#pragma once

#include "types.h"

// At UTICKS (memlayout.h), the same frame for all.
struct uticks {
  uint64 ticks; // what uptime() returns
};

// At UPIDPAGE, of this address space.
struct upid {
  int pid;
};
