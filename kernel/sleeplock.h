// SPDX-License-Identifier: MIT
#pragma once

#include "spinlock.h"

// Held as long as needed, across sleeps. The owner word is the whole lock while nobody waits.
struct sleeplock {
  uint64 owner; // struct proc * of the holder, 0 when free; bit 0: somebody sleeps for it
  const char *name;
  struct spinlock lk; // for those who wait
};

// clang-format off
#define SLEEPLOCK(n) { .name = (n), .lk = SPINLOCK("sleeplock") }
// clang-format on
