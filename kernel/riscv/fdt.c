// SPDX-License-Identifier: MIT
// Reads the flattened device tree (Devicetree Specification 0.4, chapter 5) that the machine left in
// RAM: how much memory, how many harts, how fast the clock.
//
// The tree lies inside the memory that becomes free frames. It is read once, before the first frame
// is handed out, and nothing points into it afterwards.

#include "../defs.h"
#include "fdt.h"

#define FDT_MAGIC 0xd00dfeed
enum { FDT_BEGIN = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_END = 9 };
enum { H_MAGIC = 0, H_SIZE = 1, H_STRUCT = 2, H_STRINGS = 3 }; // words of the head

struct machine machine = { .timebase = 10000000 };

static uint
be32(const uchar *p)
{
  return (uint)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint64
be64(const uchar *p)
{
  return (uint64)be32(p) << 32 | be32(p + 4);
}

static int
starts(const char *s, const char *with)
{
  return strncmp(s, with, strlen(with)) == 0;
}

// A property of a node, by the node's name.
static void
property(const char *node, const char *name, const uchar *value, uint len)
{
  if (starts(node, "memory@") && strcmp(name, "reg") == 0 && len >= 16) {
    if (be64(value) == RAMBASE)
      machine.ramend = RAMBASE + be64(value + 8);
  } else if (strcmp(node, "cpus") == 0 && strcmp(name, "timebase-frequency") == 0 && len >= 4) {
    machine.timebase = be32(value);
  }
}

static const uchar *
aligned(const uchar *base, const uchar *p)
{
  return base + (((p - base) + 3) & ~3UL);
}

// Read the tree at physical address pa into machine. A tree that makes no sense leaves ramend 0.
void
fdt_read(uint64 pa)
{
  const uchar *head = (const uchar *)KVA(pa);
  if (be32(head) != FDT_MAGIC)
    return;
  const uchar *base = head + be32(head + 4 * H_STRUCT), *p = base;
  const uchar *end = head + be32(head + 4 * H_SIZE);
  const char *strings = (const char *)head + be32(head + 4 * H_STRINGS);
  const char *node = "";

  while (p + 4 <= end) {
    uint token = be32(p);
    p += 4;
    if (token == FDT_BEGIN) {
      node = (const char *)p;
      p = aligned(base, p + strlen(node) + 1);
      if (starts(node, "cpu@") && machine.harts < NCPU)
        machine.harts++;
    } else if (token == FDT_PROP) {
      uint len = be32(p);
      property(node, strings + be32(p + 4), p + 8, len);
      p = aligned(base, p + 8 + len);
    } else if (token == FDT_END) {
      break;
    }
  }
}
