// SPDX-License-Identifier: MIT
// Stand-in for mm/swap.c: there is no swap, whatever drives there are. What memory cannot hold has to go
// without: clean pages of files are dropped, and after that the largest process ends.

#include "../defs.h"
#include "../proc.h"
#include "mm.h"
#include "rmap.h"

int
swap_on(void)
{
  return -ENODEV;
}

int
swap_off(void)
{
  return 0;
}

int
swap_room(void)
{
  return 0;
}

void
swap_info(struct vmstat *vs)
{
  vs->slots = vs->slots_free = 0;
}

uint64
swap_squares(void)
{
  return 0;
}

// Nothing below is ever asked for without a slot.

enum outcome
swap_fault(struct fault *f)
{
  (void)f;
  return FAULT_BAD;
}

void
swap_get(pte_t entry)
{
  (void)entry;
}

void
swap_put(pte_t entry)
{
  (void)entry;
}

int
swap_out(struct mappers *m)
{
  (void)m;
  return 0;
}

int
swap_write(void)
{
  return 0;
}
