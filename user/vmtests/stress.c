// SPDX-License-Identifier: MIT
// Many times everything: what is lost once in a thousand times is lost.
#include "test.h"

#define CYCLES 10000

// Maps, writes, forks and ends; the child is another program.
static void
one_cycle(uint64 n)
{
  char *argv[] = { "@nothing", 0 };
  char *p = map(4 + n % 5, n % 3 ? 0 : MAP_SHARED);
  *nth(p, n % 4) = 1;
  if (n % 2)
    unmap(nth(p, 1), 1);
  exec(SELF, argv);
}

void
cycles_lose_no_frame(void)
{
  for (uint64 i = 0; i < 20; i++)
    run(one_cycle, i);
  uint64 was = frames_free();
  for (uint64 i = 0; i < CYCLES; i++)
    EQUALS(run(one_cycle, i), 0);
  uint64 is = frames_free(), harts = counts(0).harts;
  CHECK(was < is + harts + 8); // a frame in a hundred cycles would be a hundred
}

// Each does something else with memory, on all harts, with little of it.
static void
anything(uint64 who)
{
  char name[] = { 'f', (char)('0' + who), 0 }; // its own: the others may cut theirs meanwhile
  int fd = create(name);
  CHECK(ftruncate(fd, 64 * PGSIZE) == 0);
  char *file = map_file(fd, 0, 64, RW, MAP_SHARED), *p = map(256, 0);
  for (uint n = 0; n < 300; n++) {
    char *at = nth(p, rnd() % 256);
    switch ((rnd() + who) % 10) {
    case 0: advise(at, 1, MADV_DONTNEED); break;
    case 1: advise(at, 1, MADV_PAGEOUT); break;
    case 2: CHECK(mprotect(at, PGSIZE, PROT_READ) == 0 && mprotect(at, PGSIZE, RW) == 0); break;
    case 3: map_at(at, 1, n % 2 ? MAP_SHARED : 0); break;
    case 4: *nth(file, rnd() % 64) = 1; break;
    case 5: CHECK(msync(file, 64 * PGSIZE, MS_ASYNC) == 0); break;
    case 6: LIVES(touch, at); break;
    case 7: vmctl(VMCTL_RECLAIM, 20); break;
    default: stamp(at, (uint)who, n); CHECK(stamped(at, (uint)who, n));
    }
  }
}

void
everything_at_once(void)
{
  swap_on();
  for (int round = 0; round < 5; round++) {
    vmctl(VMCTL_POLICY, round % NVMPOLICY);
    crowd(6, anything);
    EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  }
  swap_off();
}
