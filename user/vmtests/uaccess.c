// SPDX-License-Identifier: MIT
// The kernel on a program's memory: calls that read and write pages of every kind, and that need the
// page which they are about to change.
#include "test.h"

// A call writes the file whose own page it reads from: no lock may be needed twice.
void
uaccess_file_written_from_its_mapping(void)
{
  make("f", 1, 4 * PGSIZE);
  int fd = open("f", O_RDWR);
  for (int private = 0; private < 2; private ++) {
    char *p = map_file(fd, 0, 4, RW, private ? MAP_PRIVATE : MAP_SHARED);
    counts(SI_DROP); // so that the page must come from the disk meanwhile
    lseek(fd, 0, SEEK_SET);
    put(fd, nth(p, 2), PGSIZE);
    CHECK(same(p, PGSIZE, 1, 2 * PGSIZE));
    lseek(fd, 0, SEEK_SET);
    put(fd, p, PGSIZE); // onto itself
    lseek(fd, 3 * PGSIZE + 100, SEEK_SET);
    put(fd, p + 50, PGSIZE - 100);
    CHECK(same(nth(p, 3) + 100, PGSIZE - 100, 1, 2 * PGSIZE + 50));
    unmap(p, 4);
    fill(buf, PGSIZE, 1, 0);
    lseek(fd, 0, SEEK_SET);
    put(fd, buf, PGSIZE);
  }
}

// And the other way round.
void
uaccess_file_read_into_its_mapping(void)
{
  make("f", 1, 4 * PGSIZE);
  int fd = open("f", O_RDWR);
  char *p = map_file(fd, 0, 4, RW, MAP_SHARED);
  counts(SI_DROP);
  get(fd, nth(p, 2), PGSIZE);
  CHECK(same(nth(p, 2), PGSIZE, 1, 0));
  lseek(fd, 0, SEEK_SET);
  get(fd, p, PGSIZE);
  CHECK(same(p, PGSIZE, 1, 0) && same(nth(p, 1), PGSIZE, 1, PGSIZE));
  lseek(fd, 2 * PGSIZE, SEEK_SET);
  get(fd, buf, PGSIZE);
  CHECK(same(buf, PGSIZE, 1, 0));
}

// Many at once, crosswise between two files.
static void
cross(uint64 who)
{
  int a = open("a", O_RDWR), b = open("b", O_RDWR);
  char *pa = map_file(a, 0, 4, RW, MAP_SHARED), *pb = map_file(b, 0, 4, RW, MAP_SHARED);
  for (int i = 0; i < 100; i++) {
    lseek(a, 0, SEEK_SET);
    lseek(b, 0, SEEK_SET);
    if (who % 2)
      put(a, pb, 4 * PGSIZE);
    else
      put(b, pa, 4 * PGSIZE);
    if (i % 20 == (int)who)
      counts(SI_DROP);
  }
}

void
uaccess_files_written_crosswise(void)
{
  make("a", 1, 4 * PGSIZE);
  make("b", 1, 4 * PGSIZE);
  crowd(4, cross);
  holds("a", 1, 4 * PGSIZE);
  holds("b", 1, 4 * PGSIZE);
}

// ---- every kind of page in one buffer ----

enum { LAZY, READ, OWN, COW, PRIVATE, SHARED, SHM, OUT, NKINDS };
#define EACH 2 // pages of each

static char *
kind(int k)
{
  return nth(DESERT, k * EACH);
}

// All kinds side by side, and a child that shares what can be shared.
static int
all_kinds(void)
{
  make("p", 2, EACH * PGSIZE);
  make("s", 3, EACH * PGSIZE);
  int p = open("p", O_RDWR), s = open("s", O_RDWR);
  map_at(DESERT, NKINDS * EACH, 0);
  CHECK(mmap(kind(PRIVATE), EACH * PGSIZE, RW, MAP_PRIVATE | MAP_FIXED, p, 0) == kind(PRIVATE));
  CHECK(mmap(kind(SHARED), EACH * PGSIZE, RW, MAP_SHARED | MAP_FIXED, s, 0) == kind(SHARED));
  map_at(kind(SHM), EACH, MAP_SHARED);
  (void)*(volatile char *)kind(READ);
  stamp_all(kind(COW), 1, EACH);
  int pid = post(nothing, 0);
  stamp_all(kind(OWN), 1, EACH);
  stamp_all(kind(OUT), 1, EACH);
  page_out(kind(OUT), EACH);
  CHECK(page(kind(OUT)).flags & PI_SWAP);
  counts(SI_DROP);
  return pid;
}

// Unaligned, so that every edge lies within the call's pieces.
#define LENGTH (NKINDS * EACH * PGSIZE - 300)

void
uaccess_into_every_kind_of_page(void)
{
  swap_on();
  make("f", 4, LENGTH);
  int fd = open("f", O_RDONLY), pid = all_kinds();
  CHECK(read(fd, DESERT + 200, LENGTH) == LENGTH);
  CHECK(same(DESERT + 200, LENGTH, 4, 0));
  CHECK(page(kind(COW)).frame != page_of(pid, kind(COW)).frame);
  CHECK(page_of(pid, kind(COW)).refs == 1);
  dismiss(pid);
  holds("p", 2, EACH * PGSIZE);
  fd = open("s", O_RDONLY);
  get(fd, buf, EACH * PGSIZE);
  CHECK(same(buf, EACH * PGSIZE, 4, SHARED * EACH * PGSIZE - 200));
  swap_off();
}

void
uaccess_from_every_kind_of_page(void)
{
  static char copy[LENGTH];
  swap_on();
  int fd = create("f"), pid = all_kinds();
  put(fd, DESERT + 200, LENGTH);
  lseek(fd, 0, SEEK_SET);
  get(fd, copy, LENGTH);
  CHECK(memcmp(copy, DESERT + 200, LENGTH) == 0);
  CHECK(zeros(copy, EACH * PGSIZE * 2 - 200));
  CHECK(same(kind(PRIVATE), EACH * PGSIZE, 2, 0) && same(kind(SHARED), EACH * PGSIZE, 3, 0));
  CHECK(stamped_all(kind(OUT), 1, EACH) && stamped_all(kind(COW), 1, EACH));
  dismiss(pid);
  swap_off();
}

// Through a pipe, byte counts that fall on no edge.
static void
send(uint64 fd)
{
  for (int at = 0; at < LENGTH; at += 777)
    put((int)fd, DESERT + 200 + at, LENGTH - at < 777 ? LENGTH - at : 777);
}

void
uaccess_through_a_pipe(void)
{
  static char copy[LENGTH];
  int ends[2];
  swap_on();
  int pid = all_kinds();
  CHECK(pipe(ends) == 0);
  int sender = spawn(send, ends[1]);
  get(ends[0], copy, LENGTH);
  EQUALS(reap(sender), 0);
  CHECK(memcmp(copy, DESERT + 200, LENGTH) == 0);
  dismiss(pid);
  swap_off();
}

// A buffer with one bad page is refused as a whole, wherever the page is.
void
uaccess_all_or_nothing(void)
{
  make("f", 4, 8 * PGSIZE);
  int fd = open("f", O_RDONLY);
  for (int bad = 0; bad < 8; bad++) {
    map_at(DESERT, 8, 0);
    CHECK(mprotect(nth(DESERT, bad), PGSIZE, bad % 2 ? PROT_NONE : PROT_READ) == 0);
    FAILS(read(fd, DESERT, 8 * PGSIZE), EFAULT);
    EQUALS(lseek(fd, 0, SEEK_CUR), 0);
    for (int i = 0; i < 8; i++)
      CHECK(i == bad || zeros(nth(DESERT, i), PGSIZE));
    unmap(nth(DESERT, bad), 1);
    FAILS(read(fd, DESERT, 8 * PGSIZE), EFAULT);
  }
}

// ---- pins ----

static int ends[2];
static char *room;
static int got;

static void
wait_for_bytes(void *unused)
{
  (void)unused;
  got = read(ends[0], room, PGSIZE);
  texit(0);
}

// While one thread waits in read(), the other takes its buffer away. The bytes go nowhere, or to
// who has the addresses now; never into a frame that is somebody else's.
static void
pull_away(uint64 how)
{
  CHECK(pipe(ends) == 0);
  room = map_at(DESERT, 1, 0);
  stamp(room, 1, 0);
  int tid = thread(wait_for_bytes, 0);
  pause(2);
  if (how == 0)
    unmap(room, 1);
  else if (how == 1)
    map_at(room, 1, 0);
  else if (how == 2)
    CHECK(mprotect(room, PGSIZE, PROT_READ) == 0);
  else
    advise(room, 1, MADV_PAGEOUT);
  char *other = map(64, 0); // the frame's next owner, perhaps
  stamp_all(other, 2, 64);
  memset(buf, 7, PGSIZE);
  put(ends[1], buf, PGSIZE);
  end_of_thread(tid);
  CHECK(stamped_all(other, 2, 64));
  CHECK(got == PGSIZE || got == -1);
  if (how == 3)
    CHECK(got == PGSIZE && room[0] == 7 && room[PGSIZE - 1] == 7);
}

void
pins_of_a_buffer_that_goes(void)
{
  swap_on();
  for (int how = 0; how < 4; how++)
    LIVES(pull_away, how);
  swap_off();
}

// A child that is made meanwhile has the old bytes or the new ones, and then no others.
static void
fork_meanwhile(uint64 unused)
{
  (void)unused;
  CHECK(pipe(ends) == 0);
  room = map(1, 0);
  memset(room, 1, PGSIZE);
  int tid = thread(wait_for_bytes, 0);
  pause(2);
  int pid = post(nothing, 0);
  memset(buf, 7, PGSIZE);
  put(ends[1], buf, PGSIZE);
  end_of_thread(tid);
  CHECK(got == PGSIZE && room[0] == 7 && room[PGSIZE - 1] == 7);
  struct pageinfo mine = page(room), its = page_of(pid, room);
  CHECK(mine.frame != its.frame || !(mine.flags & PTE_W));
  dismiss(pid);
}

void
pins_and_fork(void)
{
  for (int i = 0; i < 5; i++)
    LIVES(fork_meanwhile, 0);
}
