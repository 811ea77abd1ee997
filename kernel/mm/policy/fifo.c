// SPDX-License-Identifier: MIT
// First in, first out: who came first goes first, whether he is used or not.

#include "queue.h"

const struct policy fifo = { .victim = queue_oldest };
