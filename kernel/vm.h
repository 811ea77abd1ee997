// SPDX-License-Identifier: MIT
// How sbrk() gets its memory.
#pragma once

#define SBRK_EAGER 1 // frames at once, or ENOMEM
#define SBRK_LAZY  2 // frames at the first touch
