// SPDX-License-Identifier: MIT
// Debug builds let a test choose an allocation that fails, by vmctl(VMCTL_FAIL, n): the nth from now
// on of the running thread, be it a frame, a block, or an object of a slab. Memory is not short
// then, so nothing is reclaimed for it and nobody ends: what is tried is the way back.
#pragma once

// Whether this allocation is the one.
static inline int
failing(void)
{
  return DEBUGGING && myproc()->failing > 0 && --myproc()->failing == 0;
}
