// SPDX-License-Identifier: MIT
// A small program file that tests can spoil before they run it.
//
//   file    0 header   64 two segments   0x1000 text 0x2000 data  0x2100
//   memory                               0x1000 R-X  0x2000 RW-, 0x100 bytes, then zeros to 0x5000
//
// The program adds the first word of the data to a word that must be zero, and exits with the sum.
#include "test.h"

uchar image[0x3000] __attribute__((aligned(8)));
struct ehdr *const image_head = (struct ehdr *)image;
struct phdr *const image_seg = (struct phdr *)(image + sizeof(struct ehdr));

static const uint adder[] = {
  0x000027b7, // lui  a5, 0x2
  0x0007a503, // lw   a0, 0(a5)
  0x000047b7, // lui  a5, 0x4
  0xff07a703, // lw   a4, -16(a5)
  0x00e50533, // add  a0, a0, a4
  0x00200893, // li   a7, SYS_exit
  0x00000073, // ecall
};

static const uint sleeper[] = {
  0x3e800513, // li   a0, 1000
  0x00d00893, // li   a7, SYS_pause
  0x00000073, // ecall
  0xff5ff06f, // j    -12
};

static void
segment(struct phdr *p, uint flags, uint64 at, uint64 filesz, uint64 memsz)
{
  *p = (struct phdr){ 1, flags, at, at, at, filesz, memsz, PGSIZE };
}

void
image_build(void)
{
  memset(image, 0, sizeof(image));
  *image_head = (struct ehdr){ .magic = 0x464c457f,
                               .class = 2,
                               .order = 1,
                               .version = 1,
                               .type = 2,
                               .machine = 243,
                               .version2 = 1,
                               .entry = 0x1000,
                               .phoff = 64,
                               .ehsize = 64,
                               .phentsize = 56,
                               .phnum = 2 };
  segment(&image_seg[0], 5, 0x1000, 0x1000, 0x1000);
  segment(&image_seg[1], 6, 0x2000, 0x100, 0x3000);
  memmove(image + 0x1000, adder, sizeof(adder));
  image[0x2000] = IMAGE_EXIT;
}

// Writes the first size bytes.
void
image_save(const char *name, uint size)
{
  int fd = create(name);
  put(fd, image, size);
  CHECK(close(fd) == 0);
}

// A program that sleeps until it is killed.
void
image_sleeper(const char *name)
{
  image_build();
  memmove(image + 0x1000, sleeper, sizeof(sleeper));
  image_save(name, IMAGE_SIZE);
}

// Runs a program file in a child: its status, or 1000 + errno when exec refused it.
int
image_run(const char *name)
{
  char *argv[] = { (char *)name, 0 };
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    int got = exec(name, argv);
    exit(got == -1 ? 1000 + errno : 999);
  }
  return reap(pid);
}
