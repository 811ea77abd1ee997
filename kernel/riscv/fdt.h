// SPDX-License-Identifier: MIT
// What the device tree says about this machine. See fdt.c.
#pragma once

#include "../types.h"

struct machine {
  uint64 ramend;   // end of the RAM that starts at RAMBASE, physical
  uint64 timebase; // ticks of the time register per second
  int harts;       // that are usable, not more than NCPU
};

extern struct machine machine;

void fdt_read(uint64 pa);
