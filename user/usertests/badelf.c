// SPDX-License-Identifier: MIT
// Program files that are wrong: exec says ENOEXEC, and the caller goes on.
#include "test.h"

struct patch {
  ushort at, width;
  uint64 value;
};

struct spoil {
  const char *what;
  struct patch patch[3]; // width 0: none
};

#define WIDTH(type, field) sizeof(((struct type *)0)->field)
#define EH(field, v)                                                        \
  {                                                                         \
    __builtin_offsetof(struct ehdr, field), WIDTH(ehdr, field), (uint64)(v) \
  }
#define PH(i, field, v)                                                                   \
  {                                                                                       \
    64 + (i)*56 + __builtin_offsetof(struct phdr, field), WIDTH(phdr, field), (uint64)(v) \
  }

static const struct spoil spoils[] = {
  { "magic", { EH(magic, 0x464c457e) } },
  { "32 bits", { EH(class, 1) } },
  { "big endian", { EH(order, 2) } },
  { "of another machine", { EH(machine, 62) } },
  { "no machine", { EH(machine, 0) } },
  { "relocatable", { EH(type, 1) } },
  { "core dump", { EH(type, 4) } },
  { "small program headers", { EH(phentsize, 32) } },
  { "no segments", { EH(phnum, 0) } },
  { "no segment to load", { PH(0, type, 4), PH(1, type, 4) } },
  { "65535 segments", { EH(phnum, 65535) } },
  { "program headers beyond the end", { EH(phoff, 0x10000) } },
  { "program headers across the end", { EH(phoff, IMAGE_SIZE - 60) } },
  { "program headers wrap", { EH(phoff, -8L) } },
  { "program headers at 2^63", { EH(phoff, 1UL << 63) } },
  { "memory smaller than file", { PH(1, memsz, 0xff) } },
  { "text beyond the end", { PH(0, off, 0x100000) } },
  { "text across the end", { PH(0, off, 0x2000) } },
  { "data across the end", { PH(1, filesz, 0x101), PH(1, memsz, 0x3000) } },
  { "data far across the end", { PH(1, filesz, 0x100000), PH(1, memsz, 0x100000) } },
  { "file part wraps", { PH(1, off, -0x1000L) } },
  { "file part of 2^63", { PH(1, filesz, 1UL << 63), PH(1, memsz, 1UL << 63) } },
  { "file part of 2^64 - 1", { PH(1, filesz, -1L), PH(1, memsz, -1L) } },
  { "address wraps", { PH(1, vaddr, -0x1000L) } },
  { "size wraps", { PH(1, memsz, -0x1000L) } },
  { "size wraps to the text", { PH(1, memsz, -0x2000L + 0x1800) } },
  { "in the kernel", { PH(1, vaddr, KERNBASE + RAMBASE) } },
  { "in the kernel's stacks", { PH(1, vaddr, KSTACKS) } },
  { "at USERTOP", { PH(1, vaddr, USERTOP) } },
  { "across USERTOP", { PH(1, vaddr, USERTOP - 0x1000) } },
  { "below MAXVA", { PH(1, vaddr, MAXVA - 0x3000) } },
  { "at MAXVA", { PH(1, vaddr, MAXVA) } },
  { "at 2^39", { PH(1, vaddr, 1UL << 39) } },
  { "on the stack", { PH(1, vaddr, STACKTOP - 0x3000) } },
  { "at the stack's limit", { PH(1, vaddr, STACKBASE) } },
  { "up into the stack", { PH(1, memsz, STACKTOP - 0x2000) } },
  { "up into the kernel", { PH(1, memsz, KERNBASE) } },
  { "writable and executable", { PH(0, flags, 7) } },
  { "data writable and executable", { PH(1, flags, 7) } },
  { "segments at one place", { PH(1, vaddr, 0x1000) } },
  { "segments overlap", { PH(0, memsz, 0x1800), PH(1, vaddr, 0x2000), PH(0, vaddr, 0x1800) } },
  { "text runs into data", { PH(0, memsz, 0x1001) } },
};

static void
apply(const struct spoil *s)
{
  image_build();
  for (int i = 0; i < COUNT(s->patch); i++)
    memmove(image + s->patch[i].at, &s->patch[i].value, s->patch[i].width);
}

static void
refused(const char *what, const char *name)
{
  char text[80];
  int got = image_run(name);
  if (got == 1000 + ENOEXEC)
    return;
  snprintf(text, sizeof(text), "exec of a file with \"%s\" is ENOEXEC: status %d", what, got);
  broken(__FILE__, __LINE__, text);
}

void
elf_good(void)
{
  image_build();
  image_save("prog", IMAGE_SIZE);
  CHECK(image_run("prog") == IMAGE_EXIT);
}

void
elf_spoiled_headers(void)
{
  for (int i = 0; i < COUNT(spoils); i++) {
    apply(&spoils[i]);
    image_save("prog", IMAGE_SIZE);
    refused(spoils[i].what, "prog");
    CHECK(unlink("prog") == 0);
  }
}

void
elf_truncated(void)
{
  static const uint sizes[] = { 0,        1,      3,      4,       16,
                                63,       64,     65,     64 + 56, 64 + 111,
                                64 + 112, 0x1000, 0x1fff, 0x2000,  IMAGE_SIZE - 1 };
  for (int i = 0; i < COUNT(sizes); i++) {
    image_build();
    image_save("prog", sizes[i]);
    refused("an early end", "prog");
    CHECK(unlink("prog") == 0);
  }
}

// An entry where no instruction can be: refused, or the new program dies at once.
void
elf_bad_entry(void)
{
  static const uint64 entries[] = {
    0, 0x1001, 0x2000, 0x5000, 0x100000, USERTOP, MAXVA, 1UL << 63, KERNBASE + RAMBASE, -2UL
  };
  for (int i = 0; i < COUNT(entries); i++) {
    image_build();
    image_head->entry = entries[i];
    image_save("prog", IMAGE_SIZE);
    int got = image_run("prog");
    CHECK(got == KILLED || got == 1000 + ENOEXEC);
    CHECK(unlink("prog") == 0);
  }
}

// Text that is not executable cannot be run.
void
elf_text_without_x(void)
{
  image_build();
  image_seg[0].flags = 4;
  image_save("prog", IMAGE_SIZE);
  int got = image_run("prog");
  CHECK(got == KILLED || got == 1000 + ENOEXEC);
}

// Data that is not writable cannot be written. The program: lui a5, 2; sd zero, 0(a5).
void
elf_data_without_w(void)
{
  static const uint code[] = { 0x000027b7, 0x0007b023, 0x00200893, 0x00000073 };
  for (uint flags = 4; flags <= 6; flags += 2) {
    image_build();
    image_seg[1].flags = flags;
    memmove(image + 0x1000, code, sizeof(code));
    image_save("prog", IMAGE_SIZE);
    CHECK((image_run("prog") == KILLED) == (flags == 4));
    CHECK(unlink("prog") == 0);
  }
}

// Where a segment lies in the file need not fit the pages of memory.
void
elf_segment_anywhere_in_the_file(void)
{
  static const uint at[] = { 0x100, 0x104, 0x3fc, 0x801, 0xe02 };
  for (int i = 0; i < COUNT(at); i++) {
    image_build();
    memmove(image + at[i], image + 0x1000, 0x100);
    memset(image + 0x1000, 0, 0x100);
    image_seg[0].off = at[i];
    image_seg[0].filesz = image_seg[0].memsz = 0x100;
    image_save("prog", IMAGE_SIZE);
    CHECK(image_run("prog") == IMAGE_EXIT);
    CHECK(unlink("prog") == 0);
  }
}

// An address in the middle of a page: refused, or the bytes are where they belong, and zeros before
// them, which is what the program finds.
void
elf_segment_misaligned(void)
{
  static const uint at[] = { 0x2004, 0x2008, 0x2f00 };
  for (int i = 0; i < COUNT(at); i++) {
    image_build();
    image_seg[1].vaddr = at[i];
    image_seg[1].memsz = 0x2500;
    image_save("prog", IMAGE_SIZE);
    int got = image_run("prog");
    CHECK(got == 0 || got == 1000 + ENOEXEC);
    CHECK(unlink("prog") == 0);
  }
}

// A program may be linked at 0, as xv6 does it. It exits with 7 without touching its data.
void
elf_linked_at_zero(void)
{
  static const uint code[] = { 0x00700513, 0x00200893, 0x00000073 };
  image_build();
  image_seg[0].vaddr = 0;
  image_seg[1].vaddr = 0x1000;
  image_head->entry = 0;
  memmove(image + 0x1000, code, sizeof(code));
  image_save("prog", IMAGE_SIZE);
  CHECK(image_run("prog") == 7);
}

// Segments may come in any order, be empty, and be of kinds that are not loaded.
void
elf_odd_but_right(void)
{
  image_build();
  struct phdr text = image_seg[0];
  image_seg[0] = image_seg[1];
  image_seg[1] = text;
  image_seg[2] = (struct phdr){ 0x6474e551, 6, 0, 0, 0, 0, 0, 16 };      // wants a stack
  image_seg[3] = (struct phdr){ 0x70000003, 4, 0x3000, 0, 0, 64, 0, 1 }; // attributes
  image_head->phnum = 4;
  image_save("prog", IMAGE_SIZE);
  CHECK(image_run("prog") == IMAGE_EXIT);
}

// Random headers: no promise but that the system lives and loses nothing.
void
elf_random_headers(void)
{
  for (int i = 0; i < 80; i++) {
    image_build();
    for (uint k = rnd() % 3 + 1; k > 0; k--)
      image[4 + rnd() % (64 + 112 - 4)] = (uchar)(rnd() % 2 ? rnd() : 1u << rnd() % 8);
    image_save("prog", IMAGE_SIZE);
    image_run("prog");
    CHECK(unlink("prog") == 0);
  }
}
