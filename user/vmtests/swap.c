// SPDX-License-Identifier: MIT
// Swap: pages go to the second drive and come back, with their bytes, their rights and their sharing.
#include "test.h"

#define PAGES 16

static char *area;

// The second drive, from here to swap_off() or the end of the test.
void
swap_on(void)
{
  if (vmctl(VMCTL_SWAP, 1) < 0)
    broken(__FILE__, __LINE__, "there is a second drive to swap to (tools/qemu -s FILE)");
  struct vmstat v = vm();
  CHECK(v.slots > 0 && v.slots_free == v.slots);
}

void
swap_off(void)
{
  CHECK(vmctl(VMCTL_SWAP, 0) == 0);
  CHECK(vm().slots == 0 && vm().swapped == 0);
}

void
page_out(const void *p, uint64 pages)
{
  advise(p, pages, MADV_PAGEOUT);
}

static void
new_area(void)
{
  swap_on();
  area = map(PAGES, 0);
  stamp_all(area, 1, PAGES);
}

static int
all_out(const char *p, int pages)
{
  for (int i = 0; i < pages; i++)
    if (!(page(nth(p, i)).flags & PI_SWAP))
      return 0;
  return 1;
}

static uint64
slots_used(void)
{
  struct vmstat v = vm();
  return v.slots - v.slots_free;
}

void
swap_out_and_in(void)
{
  warm();
  new_area();
  struct vmstat was = vm();
  mark();
  page_out(area, PAGES);
  struct vmstat is = vm();
  EQUALS(is.swapped, PAGES);
  EQUALS(is.resident, was.resident - PAGES);
  EQUALS(slots_used(), PAGES);
  EQUALS(since()->swap_outs, PAGES);
  for (int i = 0; i < PAGES; i++) {
    struct pageinfo pi = page(nth(area, i));
    CHECK((pi.flags & PI_SWAP) && !(pi.flags & PTE_V) && pi.frame == 0 && pi.vma == VMA_ANON);
    CHECK(i == 0 || pi.slot != page(area).slot);
  }
  mark();
  CHECK(stamped_all(area, 1, PAGES));
  EQUALS(since()->swap_in, PAGES);
  EQUALS(since()->faults, PAGES);
  EQUALS(since()->frames_allocated, PAGES);
  EQUALS(vm().swapped, 0);
  stamp_all(area, 2, PAGES);
  EQUALS(slots_used(), 0);
  CHECK(stamped_all(area, 2, PAGES));
  swap_off();
}

// Again and again: what is written in between is what comes back.
void
swap_many_times(void)
{
  new_area();
  for (uint round = 1; round < 20; round++) {
    page_out(area, PAGES);
    CHECK(all_out(area, PAGES) && stamped_all(area, round, PAGES));
    stamp_all(area, round + 1, PAGES);
  }
  swap_off();
}

// Without swap nothing goes.
void
swap_that_is_off(void)
{
  EQUALS(vm().slots, 0);
  area = map(PAGES, 0);
  stamp_all(area, 1, PAGES);
  uint64 frame = page(area).frame;
  page_out(area, PAGES);
  CHECK(page(area).frame == frame && stamped_all(area, 1, PAGES));
}

// The frame of zeros and untouched pages take no slots.
void
swap_of_nothing(void)
{
  swap_on();
  area = map(PAGES, 0);
  CHECK(zeros(area, 4 * PGSIZE));
  page_out(area, PAGES);
  EQUALS(slots_used(), 0);
  CHECK(zeros(area, PAGES * PGSIZE));
  swap_off();
}

// A frame that two have goes to one slot, and comes back as one frame.
void
swap_keeps_sharing(void)
{
  new_area();
  int pid = post(nothing, 0);
  uint64 was = slots_used();
  page_out(area, PAGES);
  EQUALS(slots_used(), was + PAGES);
  for (int i = 0; i < PAGES; i++) {
    struct pageinfo mine = page(nth(area, i)), its = page_of(pid, nth(area, i));
    CHECK((mine.flags & PI_SWAP) && (its.flags & PI_SWAP) && mine.slot == its.slot);
  }
  CHECK(stamped_all(area, 1, PAGES));
  dismiss(pid);
  stamp_all(area, 2, PAGES);
  EQUALS(slots_used(), was);
  swap_off();
}

static void
compare(uint64 unused)
{
  (void)unused;
  CHECK(stamped_all(area, 1, PAGES));
}

static void
compare_and_write(uint64 seed)
{
  compare(0);
  stamp_all(area, (uint)seed, PAGES);
  CHECK(stamped_all(area, (uint)seed, PAGES));
}

// Both sides read: one frame again, which is copied when one of them writes.
void
swap_in_by_both_sides(void)
{
  int gate[2];
  char c = 0;
  new_area();
  CHECK(pipe(gate) == 0);
  int pid = fork();
  if (pid == 0) {
    get(gate[0], &c, 1);
    compare(0);
    loiter(0);
  }
  await(pid, ASLEEP);
  page_out(area, PAGES);
  CHECK(all_out(area, PAGES));
  compare(0);
  put(gate[1], &c, 1);
  while (page_of(pid, nth(area, PAGES - 1)).frame == 0)
    pause(1);
  for (int i = 0; i < PAGES; i++) {
    struct pageinfo mine = page(nth(area, i)), its = page_of(pid, nth(area, i));
    CHECK(mine.frame == its.frame && mine.refs == 2 && allows(mine, PTE_R));
  }
  warm();
  mark();
  stamp_all(area, 5, PAGES);
  EQUALS(since()->cow_copy, PAGES);
  dismiss(pid);
  swap_off();
}

// Fork with pages that are out: slots are shared, and each side has its own bytes afterwards.
void
swap_and_fork(void)
{
  new_area();
  page_out(area, PAGES);
  uint64 used = slots_used();
  int pid = post(nothing, 0);
  EQUALS(slots_used(), used);
  EQUALS(page_of(pid, area).slot, page(area).slot);
  EQUALS(vmctl(VMCTL_CHECK, 0), 0);
  dismiss(pid);
  EQUALS(slots_used(), used);
  CHECK(all_out(area, PAGES));
  for (int i = 0; i < 4; i++)
    spawn(compare_and_write, 10 + i);
  reap_all(4);
  CHECK(stamped_all(area, 1, PAGES));
  page_out(area, PAGES);
  LIVES(compare_and_write, 20);
  CHECK(stamped_all(area, 1, PAGES));
  EQUALS(slots_used(), 0);
  swap_off();
}

// Slots are free again when nobody needs them: by munmap, by DONTNEED, by the end.
static void
go_out(uint64 unused)
{
  (void)unused;
  char *p = map(100, 0);
  stamp_all(p, 1, 100);
  page_out(p, 100);
  CHECK(all_out(p, 100));
}

void
swap_slots_are_given_back(void)
{
  new_area();
  uint64 was = slots_used();
  page_out(area, PAGES);
  EQUALS(slots_used(), was + PAGES);
  unmap(area, 4);
  EQUALS(slots_used(), was + PAGES - 4);
  advise(nth(area, 4), 4, MADV_DONTNEED);
  EQUALS(slots_used(), was + PAGES - 8);
  CHECK(zeros(nth(area, 4), 4 * PGSIZE));
  map_at(nth(area, 8), 8, 0);
  EQUALS(slots_used(), was);
  LIVES(go_out, 0);
  EQUALS(slots_used(), was);
  swap_off();
}

// What is out can be protected, and forgets nothing by it.
void
swap_and_protection(void)
{
  new_area();
  page_out(area, PAGES);
  CHECK(mprotect(area, 2 * PGSIZE, PROT_NONE) == 0);
  CHECK(mprotect(nth(area, 2), 2 * PGSIZE, PROT_READ) == 0);
  FAULTS(peek, area, PROT_READ);
  FAULTS(touch, nth(area, 2), PROT_WRITE);
  CHECK(stamped(nth(area, 3), 1, 3));
  CHECK(mprotect(area, 4 * PGSIZE, RW) == 0);
  CHECK(stamped_all(area, 1, PAGES));
  CHECK(mprotect(area, PGSIZE, PROT_NONE) == 0); // has a frame, which nobody may touch
  page_out(area, 1);
  CHECK(mprotect(area, PGSIZE, RW) == 0 && stamped(area, 1, 0));
  swap_off();
}

// Calls read and write what is out.
void
swap_and_calls(void)
{
  new_area();
  make("f", 3, 4 * PGSIZE);
  int fd = open("f", O_RDONLY), out = create("g");
  page_out(area, PAGES);
  put(out, nth(area, 2), 4 * PGSIZE);
  lseek(out, 0, SEEK_SET);
  for (int i = 2; i < 6; i++) {
    get(out, buf, PGSIZE);
    CHECK(stamped(buf, 1, i));
  }
  page_out(area, PAGES);
  get(fd, nth(area, 8) + 100, 4 * PGSIZE);
  CHECK(same(nth(area, 8) + 100, 4 * PGSIZE, 3, 0) && stamped_all(area, 1, 8));
  CHECK(stamped(nth(area, 13), 1, 13));
  swap_off();
}

// Shared memory stays one for all sides.
static void
write_shared(uint64 unused)
{
  compare(unused);
  stamp_all(area, 2, PAGES);
}

void
swap_of_shared_memory(void)
{
  swap_on();
  area = map(PAGES, MAP_SHARED);
  stamp_all(area, 1, PAGES);
  int pid = post(compare, 0);
  page_out(area, PAGES);
  LIVES(write_shared, 0);
  CHECK(stamped_all(area, 2, PAGES));
  stamp_all(area, 3, PAGES);
  dismiss(pid);
  CHECK(stamped_all(area, 3, PAGES));
  swap_off();
}

// The stack, data and heap go out like the rest, while they are used.
void
swap_of_everything(void)
{
  static char data[3 * PGSIZE] = "data";
  char room[3 * PGSIZE];
  swap_on();
  fill(data, sizeof(data), 4, 0);
  fill(room, sizeof(room), 5, 0);
  for (int i = 0; i < 5; i++) {
    CHECK(vmctl(VMCTL_RECLAIM, 1000) > 5);
    CHECK(same(data, sizeof(data), 4, 0) && same(room, sizeof(room), 5, 0));
  }
  swap_off();
}

// Text is in the file: it is dropped, and costs no slot.
void
swap_drops_text(void)
{
  swap_on();
  warm();
  void *text = (void *)PGROUNDDOWN((uint64)swap_drops_text);
  uint64 other = PGROUNDDOWN((uint64)huge_collapse);
  CHECK(page((void *)other).frame != 0 && (uint64)text != other);
  uint64 used = slots_used();
  page_out((void *)other, 1);
  EQUALS(page((void *)other).frame, 0);
  EQUALS(slots_used(), used);
  mark();
  (void)*(volatile char *)other;
  EQUALS(since()->file, 1);
  swap_off();
}

void
swap_willneed(void)
{
  new_area();
  warm();
  page_out(area, PAGES);
  advise(area, PAGES, MADV_WILLNEED);
  CHECK(page(area).frame != 0 || page(area).flags & PI_CACHE);
  CHECK(stamped_all(area, 1, PAGES));
  swap_off();
}

// The end of swap brings back what is there, in all processes.
void
swap_off_brings_all_back(void)
{
  new_area();
  int pid = post(compare_and_write, 7);
  page_out(area, PAGES);
  CHECK(vmctl(VMCTL_RECLAIM, 10000) > 0);
  CHECK(page_of(pid, area).flags & PI_SWAP);
  swap_off();
  CHECK(stamped_all(area, 1, PAGES));
  for (int i = 0; i < PAGES; i++) {
    CHECK(page(nth(area, i)).frame != 0 && page_of(pid, nth(area, i)).frame != 0);
    CHECK(!(page_of(pid, nth(area, i)).flags & PI_SWAP));
  }
  dismiss(pid);
  EQUALS(vmctl(VMCTL_RECLAIM, 10), 0);
  struct vmstat is = vm(); // what came back counts as faults, too
  EQUALS(kinds_of_faults(&is.all), is.all.faults);
}

// On and off while others use what goes out and comes in.
static void
write_and_compare(uint64 who)
{
  char *p = map(200, 0);
  for (uint round = 0; round < 30; round++) {
    stamp_all(p, (uint)who + round, 200);
    page_out(p, 200);
    CHECK(stamped_all(p, (uint)who + round, 200));
  }
}

static void
on_and_off(void)
{
  for (int i = 0; i < 10; i++) {
    CHECK(vmctl(VMCTL_SWAP, 1) == 0);
    pause(1);
    CHECK(vmctl(VMCTL_SWAP, 0) == 0);
  }
}

void
swap_on_and_off_meanwhile(void)
{
  swap_on();
  swap_off();
  for (int i = 0; i < 3; i++)
    spawn(write_and_compare, i * 100);
  on_and_off();
  reap_all(3);
}

// ---- more than there is memory ----

#define WORKING_SET (200 * MIB)

// A word of the working set, in its state after so many rounds.
static uint64
word_at(uint64 i, uint64 round)
{
  return (i + 1) * 0x9e3779b97f4a7c15UL ^ round << 56;
}

static void
write_page(uint64 *p, uint64 at, uint64 round)
{
  for (uint64 i = 0; i < PGSIZE / 8; i++)
    p[i] = word_at(at + i, round);
}

static int
page_is(const uint64 *p, uint64 at, uint64 round)
{
  for (uint64 i = 0; i < PGSIZE / 8; i++)
    if (p[i] != word_at(at + i, round))
      return 0;
  return 1;
}

// 200 MiB on whatever memory there is: forwards, at random, and every byte.
void
swap_working_set(void)
{
  static uchar rounds[WORKING_SET / PGSIZE];
  uint64 pages = WORKING_SET / PGSIZE;
  swap_on();
  char *p = map(pages, 0);
  for (uint64 i = 0; i < pages; i++)
    write_page((uint64 *)nth(p, i), i * 512, 0);
  for (int n = 0; n < 5000; n++) {
    uint64 i = rnd() % pages;
    CHECK(page_is((uint64 *)nth(p, i), i * 512, rounds[i]));
    write_page((uint64 *)nth(p, i), i * 512, ++rounds[i]);
  }
  for (uint64 i = 0; i < pages; i++)
    CHECK(page_is((uint64 *)nth(p, i), i * 512, rounds[i]));
  struct sysinfo si = counts(0);
  if (si.frames < pages)
    CHECK(vm().self.swap_in >= pages - si.frames && vm().swapped >= pages - si.frames);
  CHECK(vm().resident + vm().swapped >= pages);
}

// When there is no room for all that is out, swapoff says so, and nothing is lost.
void
swap_off_without_room(void)
{
  uint64 pages = counts(0).frames + 1000;
  swap_on();
  char *p = map(pages, 0);
  stamp_all(p, 1, pages);
  FAILS(vmctl(VMCTL_SWAP, 0), ENOMEM);
  CHECK(stamped_all(p, 1, pages));
  unmap(p, pages);
  swap_off();
}

// Four processes that fork and write, together far beyond memory.
static void
family(uint64 who)
{
  uint64 third = counts(0).frames / 3;
  uint pages = third < 12000 ? (uint)third : 12000;
  char *p = map(pages, 0);
  stamp_all(p, (uint)who, pages);
  int pid = fork();
  CHECK(pid >= 0);
  for (uint i = pid ? 0 : 1; i < pages; i += 2)
    stamp(nth(p, i), (uint)who + (pid ? 10 : 20), i);
  for (uint i = 0; i < pages; i++)
    CHECK(stamped(nth(p, i), (uint)who + (i % 2 == !pid ? (pid ? 10 : 20) : 0), i));
  if (pid == 0)
    exit(0);
  EQUALS(reap(pid), 0);
}

void
swap_under_pressure(void)
{
  swap_on();
  crowd(4, family);
}

static void
use_up(uint64 unused)
{
  (void)unused;
  struct vmstat v = vm();
  uint64 pages = v.slots + 2 * counts(0).frames;
  char *p = map(pages, 0);
  stamp_all(p, 1, (uint)pages);
}

// No slot left and no frame: who wanted them dies of it, and gives all of them back.
void
swap_full(void)
{
  swap_on();
  int bystander = post(nothing, 0);
  uint64 was = slots_used();
  struct waitinfo wi = fate(use_up, 0);
  CHECK(wi.how == DIED_KILL || wi.how == DIED_NOMEM);
  CHECK(slots_used() <= was + 200); // of others who had to make room
  dismiss(bystander);
  swap_off();
}
