// SPDX-License-Identifier: MIT
#pragma once

#include "types.h"

struct proc;

// Held for a few hundred instructions at the most, with interrupts off, never across a sleep.
struct spinlock {
  uint64 locked; // 0 or 1
  const char *name;
  struct proc *holder; // who holds it, in debug builds
  uint64 contended;    // acquires that had to wait
};

// clang-format off
#define SPINLOCK(n) { .name = (n) }
// clang-format on
