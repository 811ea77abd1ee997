// SPDX-License-Identifier: MIT
// The kernel's own symbols, by address, for backtraces. The build makes the table (tools/ksyms).
#pragma once

#include "types.h"

struct ksym {
  uint64 addr;
  const char *name;
};

extern const struct ksym ksyms[];
extern const uint nksyms;
