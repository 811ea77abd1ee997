// SPDX-License-Identifier: MIT
// Reads the flattened device tree (Devicetree Specification 0.4, chapter 5) that the machine left in
// RAM: how much memory, how many harts, how fast the clock.
//
// The tree lies inside the memory that becomes free frames. It is read once, before the first frame
// is handed out, and nothing points into it afterwards.

#include "../defs.h"
#include "fdt.h"

#define FDT_MAGIC 0xd00dfeed
enum { FDT_BEGIN = 1, FDT_PROP = 3, FDT_END = 9 };              // tokens that matter
enum { H_MAGIC = 0, H_SIZE = 4, H_STRUCT = 8, H_STRINGS = 12 }; // where in the head

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
  while (*with && *s == *with)
    s++, with++;
  return *with == 0;
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

// Read the tree at physical address pa into machine. A tree that makes no sense leaves ramend 0.
void
fdt_read(uint64 pa)
{
  const uchar *head = (const uchar *)KVA(pa), *end = head + be32(head + H_SIZE);
  const uchar *p = head + be32(head + H_STRUCT);
  const char *strings = (const char *)head + be32(head + H_STRINGS), *node = "";
  if (be32(head + H_MAGIC) != FDT_MAGIC)
    return;
  for (uint token; p + 4 <= end && (token = be32(p)) != FDT_END;) {
    p += 4;
    if (token == FDT_BEGIN) {
      node = (const char *)p;
      p += strlen(node) + 1;
      machine.harts += starts(node, "cpu@") && machine.harts < NCPU;
    } else if (token == FDT_PROP) {
      property(node, strings + be32(p + 4), p + 8, be32(p));
      p += 8 + be32(p);
    }
    p = (const uchar *)(((uint64)p + 3) & ~3UL); // tokens are aligned
  }
}
