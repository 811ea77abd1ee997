// SPDX-License-Identifier: MIT
// The four eviction policies once more, as they are defined and without regard to how the kernel
// does them: one array, searched from its head. Pages are numbers; a test plays the same touches
// here and on real pages, and compares who goes.
#include "test.h"

#define TAU 256 // wsclock: a page unused for so many admissions is not of the working set

static struct entry {
  int page;
  int used;    // the A bit
  uint age;    // aging
  uint64 last; // wsclock
} queue[MODEL_PAGES];

static int policy, length;
static uint64 now;    // admissions so far
static uint64 events; // admissions and evictions since the last sampling
static int sampled;

void
model_start(int which)
{
  policy = which;
  length = 0;
  now = events = 0;
  sampled = 0;
}

static int
index_of(int page)
{
  for (int i = 0; i < length; i++)
    if (queue[i].page == page)
      return i;
  return -1;
}

static void
admit(int page)
{
  CHECK(length < MODEL_PAGES);
  now++;
  events++;
  queue[length++] = (struct entry){ .page = page, .used = 1, .age = 0x80, .last = now };
}

// A touch; whether it admitted the page.
int
model_touch(int page)
{
  int i = index_of(page);
  if (i >= 0)
    queue[i].used = 1;
  else
    admit(page);
  return i < 0;
}

static int
take(int i)
{
  int page = queue[i].page;
  memmove(&queue[i], &queue[i + 1], (--length - i) * sizeof(queue[0]));
  events++;
  return page;
}

static void
head_to_tail(void)
{
  struct entry e = queue[0];
  memmove(&queue[0], &queue[1], (length - 1) * sizeof(queue[0]));
  queue[length - 1] = e;
}

// Clears the head's A bit; whether it was set.
static int
head_was_used(void)
{
  int used = queue[0].used;
  queue[0].used = 0;
  return used;
}

static int
evict_clock(void)
{
  while (head_was_used())
    head_to_tail();
  return take(0);
}

static void
sample(void)
{
  uint64 wait = length / 8 > 1 ? length / 8 : 1;
  if (sampled && events < wait)
    return;
  for (struct entry *e = queue; e < queue + length; e++) {
    e->age = e->age >> 1 | (e->used ? 0x80 : 0);
    e->used = 0;
  }
  sampled = 1;
  events = 0;
}

static int
evict_aging(void)
{
  int best = 0;
  sample();
  for (int i = 1; i < length; i++)
    if (queue[i].age < queue[best].age)
      best = i;
  return take(best);
}

static int
evict_wsclock(void)
{
  for (int seen = 0; seen < length; seen++) {
    if (head_was_used())
      queue[0].last = now;
    else if (now - queue[0].last > TAU)
      return take(0);
    head_to_tail();
  }
  int best = 0;
  for (int i = 1; i < length; i++)
    if (queue[i].last < queue[best].last)
      best = i;
  return take(best);
}

// The page that goes.
int
model_evict(void)
{
  CHECK(length > 0);
  switch (policy) {
  case VMPOLICY_FIFO: return take(0);
  case VMPOLICY_CLOCK: return evict_clock();
  case VMPOLICY_AGING: return evict_aging();
  default: return evict_wsclock();
  }
}
