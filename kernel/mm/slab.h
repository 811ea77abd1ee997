// SPDX-License-Identifier: MIT
// Small objects of one size, cut from frames. See slab.c.
#pragma once

#include "../list.h"
#include "../spinlock.h"

struct slab {
  uint size;            // bytes of an object
  struct spinlock lock; // the rest
  struct list partial;  // frames with free objects
};

#define SLAB(var, type)                                                                        \
  {                                                                                            \
    .size = sizeof(struct type), .lock = SPINLOCK("slab"), .partial = LIST_INIT((var).partial) \
  }
