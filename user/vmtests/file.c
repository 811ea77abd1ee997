// SPDX-License-Identifier: MIT
// Files in memory: programs that come in page by page, and mappings over the one page cache.
#include "test.h"

#define PAGES 8

// A file of so many pages of pattern 1, open for both.
static int
open_file(const char *name, uint pages)
{
  make(name, 1, pages * PGSIZE);
  int fd = open(name, O_RDWR);
  CHECK(fd >= 0);
  return fd;
}

static char *
shared(int fd, uint64 pages)
{
  return map_file(fd, 0, pages, RW, MAP_SHARED);
}

// ---- programs ----

static uint64
text_of(const struct vmainfo **v)
{
  static struct vmainfo list[32];
  int n = vmas(0, list, COUNT(list));
  for (int i = 0; i < n; i++)
    if (list[i].prot & PROT_EXEC) {
      *v = &list[i];
      return (list[i].end - list[i].start) / PGSIZE;
    }
  broken(__FILE__, __LINE__, "there is text");
}

// Two processes that run one program, each by an exec of its own, have the same frames.
void
file_text_is_shared_by_programs(void)
{
  const struct vmainfo *text;
  uint64 pages = text_of(&text), same = 0;
  warm();
  int pid = start_again();
  for (uint64 i = 0; i < pages; i++) {
    struct pageinfo mine = page(nth((void *)text->start, i));
    struct pageinfo its = page_of(pid, nth((void *)text->start, i));
    if (its.frame == 0)
      continue;
    CHECK(its.frame == mine.frame && mine.kind == PG_CACHE && (mine.flags & PI_CACHE));
    CHECK(allows(its, PTE_R | PTE_X) && mine.refs >= 3);
    same++;
  }
  CHECK(same >= 2);
  dismiss(pid);
}

// What a program does not use never comes in; nothing of it needs the disk a second time.
void
file_programs_come_in_page_by_page(void)
{
  EQUALS(rerun("@resident"), 0);
  mark();
  EQUALS(rerun("@resident"), 0);
  EQUALS(since_all()->disk_reads, 0);
}

// A program that runs is not written through a mapping, nor is what is mapped so run.
void
file_running_program_is_not_mapped_for_writing(void)
{
  copy("/sleep", "prog");
  int fd = open("prog", O_RDWR);
  CHECK(fd >= 0);
  int pid = fork();
  if (pid == 0) {
    char *argv[] = { "prog", "1000", 0 };
    exec("prog", argv);
  }
  await_program(pid, "prog");
  FAILS(mmap(0, PGSIZE, RW, MAP_SHARED, fd, 0), ETXTBSY);
  char *p = map_file(fd, 0, 1, RW, MAP_PRIVATE);
  *p = 1; // is nobody's but ours
  dismiss(pid);
  p = shared(fd, 1);
  char *argv[] = { "prog", "0", 0 };
  FAILS(exec("prog", argv), ETXTBSY);
  unmap(p, 1);
  if ((pid = fork()) == 0)
    exec("prog", argv);
  EQUALS(reap(pid), 0);
}

// ---- one cache ----

void
file_read_and_mapping_are_one_frame(void)
{
  int fd = open_file("f", PAGES);
  char *p = shared(fd, PAGES);
  CHECK(same(p, PAGES * PGSIZE, 1, 0));
  struct pageinfo pi = page(p);
  CHECK(pi.kind == PG_CACHE && (pi.flags & PI_CACHE) && pi.vma == VMA_FILE);
  p[5] = 99; // a store is seen by read
  get(fd, buf, 10);
  CHECK(buf[5] == 99);
  lseek(fd, 3 * PGSIZE + 7, SEEK_SET);
  put(fd, "written", 7); // and a write by loads
  CHECK(memcmp(p + 3 * PGSIZE + 7, "written", 7) == 0);
  EQUALS(page(p).frame, pi.frame);
}

// The references to a page's frame, once nobody has it just for a moment, as who writes it back may.
static uint
refs_at_rest(const char *p, uint want)
{
  for (int i = 0; i < 2 * TICKS_HZ && page(p).refs != want; i++)
    pause(1);
  return page(p).refs;
}

// However often it is mapped it is one frame, and each mapping counts.
void
file_mappings_share_the_frame(void)
{
  int fd = open_file("f", 1);
  char *p = shared(fd, 1);
  *p = 1;
  CHECK(fsync(fd) == 0);
  EQUALS(refs_at_rest(p, 2), 2); // the cache's and this mapping's
  char *q = shared(fd, 1), *r = map_file(fd, 0, 1, PROT_READ, MAP_PRIVATE);
  CHECK(*q == 1 && *r == 1);
  CHECK(page(q).frame == page(p).frame && page(r).frame == page(p).frame);
  EQUALS(refs_at_rest(p, 4), 4);
  *q = 2;
  CHECK(*p == 2 && *r == 2); // private, and not written yet: the file's own page
  unmap(q, 1);
  unmap(r, 1);
  CHECK(fsync(fd) == 0);
  EQUALS(refs_at_rest(p, 2), 2);
}

static void
store_through(uint64 p)
{
  CHECK(*(char *)p == 11);
  *(char *)p = 12;
}

// A child has the mapping, too, and no copy.
void
file_shared_mapping_and_fork(void)
{
  int fd = open_file("f", 2);
  char *p = shared(fd, 2);
  *p = 11;
  LIVES(store_through, p);
  CHECK(*p == 12);
  EQUALS(page(p).kind, PG_CACHE);
}

// A private mapping sees the file until it writes; the file never sees what it writes.
void
file_private_stores_stay_here(void)
{
  int fd = open_file("f", 4);
  warm();
  char *p = map_file(fd, 0, 4, RW, MAP_PRIVATE);
  CHECK(same(p, 2 * PGSIZE, 1, 0) && page(p).kind == PG_CACHE && allows(page(p), PTE_R));
  mark();
  p[0] = 77; // was read before
  EQUALS(since()->cow_copy, 1);
  p[3 * PGSIZE] = 78; // was not
  EQUALS(since()->faults, 2);
  EQUALS(since()->frames_copied, 2);
  CHECK(page(p).kind == PG_ANON && page(nth(p, 3)).kind == PG_ANON);
  CHECK(same(p + 1, PGSIZE - 1, 1, 1) && same(p + 3 * PGSIZE + 1, PGSIZE - 1, 1, 3 * PGSIZE + 1));
  CHECK(msync(p, 4 * PGSIZE, MS_SYNC) == 0);
  holds("f", 1, 4 * PGSIZE);
  lseek(fd, PGSIZE, SEEK_SET);
  put(fd, "new", 3);
  CHECK(memcmp(nth(p, 1), "new", 3) == 0);
}

// Any page of the file may come first.
void
file_any_page_offset(void)
{
  int fd = open_file("f", PAGES);
  for (uint64 first = 0; first < PAGES; first++) {
    char *p = map_file(fd, first, PAGES - first, PROT_READ, first & 1 ? MAP_SHARED : MAP_PRIVATE);
    CHECK(same(p, (PAGES - first) * PGSIZE, 1, first * PGSIZE));
    unmap(p, PAGES - first);
  }
}

// The mapping needs neither the descriptor nor the name.
void
file_mapping_outlives_the_name(void)
{
  int fd = open_file("f", 3);
  char *p = shared(fd, 3);
  CHECK(close(fd) == 0 && unlink("f") == 0);
  CHECK(same(p, 3 * PGSIZE, 1, 0));
  memset(p, 5, 3 * PGSIZE);
  CHECK(msync(p, 3 * PGSIZE, MS_SYNC) == 0);
  CHECK(p[3 * PGSIZE - 1] == 5);
}

// ---- the end of the file ----

void
file_last_page_ends_with_zeros(void)
{
  make("f", 1, PGSIZE + 100);
  int fd = open("f", O_RDWR);
  char *p = shared(fd, 2);
  CHECK(same(p, PGSIZE + 100, 1, 0) && zeros(p + PGSIZE + 100, PGSIZE - 100));
  p[PGSIZE + 50] = 7;
  p[PGSIZE + 200] = 8; // behind the end: nobody's
  CHECK(msync(p, 2 * PGSIZE, MS_SYNC) == 0);
  EQUALS(look("f").size, PGSIZE + 100);
  unmap(p, 2);
  counts(SI_DROP);
  CHECK(ftruncate(fd, 2 * PGSIZE) == 0);
  p = shared(fd, 2);
  CHECK(p[PGSIZE + 50] == 7 && zeros(p + PGSIZE + 100, PGSIZE - 100));
}

// Behind the last page a touch is an I/O error, for programs and for calls.
void
file_beyond_the_end(void)
{
  make("f", 1, PGSIZE + 100);
  int fd = open("f", O_RDWR), other = create("g");
  char *s = map_file(fd, 0, 4, RW, MAP_SHARED), *p = map_file(fd, 0, 4, RW, MAP_PRIVATE);
  LIVES(touch, nth(s, 1));
  IO_ERROR(touch, nth(s, 2));
  IO_ERROR(peek, nth(s, 3));
  IO_ERROR(touch, nth(p, 2));
  IO_ERROR(peek, nth(p, 3) + 5);
  FAILS(write(other, nth(s, 2), 10), EIO);
  FAILS(read(fd, nth(s, 3), 10), EIO);
  FAULTS(touch, nth(s, 4), PROT_WRITE);
}

// A shorter file loses its pages everywhere, at once.
void
file_truncate_unmaps(void)
{
  int fd = open_file("f", 4);
  char *p = shared(fd, 4), *q = map_file(fd, 0, 4, PROT_READ, MAP_PRIVATE);
  CHECK(same(p, 4 * PGSIZE, 1, 0) && same(q, 4 * PGSIZE, 1, 0));
  int pid = post(peek, (uint64)nth(p, 3));
  memset(nth(p, 2), 3, PGSIZE);
  CHECK(page_of(pid, nth(p, 3)).frame != 0);
  CHECK(ftruncate(fd, PGSIZE) == 0);
  for (int i = 1; i < 4; i++)
    CHECK(page(nth(p, i)).frame == 0 && page(nth(q, i)).frame == 0);
  EQUALS(page_of(pid, nth(p, 3)).frame, 0);
  dismiss(pid);
  CHECK(page(p).frame != 0 && same(p, PGSIZE, 1, 0));
  IO_ERROR(touch, nth(p, 1));
  IO_ERROR(peek, nth(q, 3));
  CHECK(ftruncate(fd, 4 * PGSIZE) == 0); // and longer again: zeros
  CHECK(zeros(nth(p, 1), 3 * PGSIZE) && zeros(nth(q, 1), 3 * PGSIZE));
}

// Fork makes a child, whose table fills, while the file that it maps gets shorter and longer.
static void
shorten_and_lengthen(uint64 pages)
{
  int fd = open("f", O_RDWR);
  for (;;) {
    CHECK(ftruncate(fd, (pages - 1) * PGSIZE) == 0);
    CHECK(ftruncate(fd, pages * PGSIZE) == 0);
  }
}

void
file_truncate_beside_fork(void)
{
  int fd = open_file("f", PAGES), pid = spawn(shorten_and_lengthen, PAGES);
  char *p = map_file(fd, 0, PAGES, RW, MAP_PRIVATE);
  for (uint i = 0; i < PAGES - 1; i++)
    *nth(p, i) = 7;
  for (int i = 0; i < 100; i++)
    LIVES(peek, nth(p, i % (PAGES - 1)));
  dismiss(pid);
}

// Inside a page too: what is cut off is zero when the file grows.
void
file_truncate_within_a_page(void)
{
  int fd = open_file("f", 2);
  char *p = shared(fd, 2);
  CHECK(same(p, 2 * PGSIZE, 1, 0));
  CHECK(ftruncate(fd, PGSIZE + 10) == 0);
  CHECK(same(p, PGSIZE + 10, 1, 0) && zeros(p + PGSIZE + 10, PGSIZE - 10));
  p[PGSIZE + 11] = 1;
  CHECK(ftruncate(fd, 2 * PGSIZE) == 0);
  CHECK(zeros(p + PGSIZE + 10, PGSIZE - 10));
}

// A file that grows, by write or by ftruncate, grows in its mappings.
void
file_grows_under_a_mapping(void)
{
  int fd = open_file("f", 1);
  char *p = shared(fd, 4);
  CHECK(same(p, PGSIZE, 1, 0));
  lseek(fd, 0, SEEK_END);
  fill(buf, PGSIZE, 1, PGSIZE);
  put(fd, buf, PGSIZE);
  CHECK(same(p, 2 * PGSIZE, 1, 0));
  CHECK(ftruncate(fd, 4 * PGSIZE) == 0);
  CHECK(zeros(nth(p, 2), 2 * PGSIZE));
  stamp(nth(p, 3), 4, 4);
  lseek(fd, 3 * PGSIZE, SEEK_SET);
  get(fd, buf, PGSIZE);
  CHECK(stamped(buf, 4, 4));
}

// A page without a block reads as zeros and takes none; a store gives it one.
void
file_holes_are_zeros(void)
{
  int fd = create("f");
  CHECK(ftruncate(fd, 20 * PGSIZE) == 0);
  uint64 was = counts(SI_DROP).bfree;
  char *p = shared(fd, 20);
  CHECK(zeros(p, 20 * PGSIZE));
  EQUALS(counts(SI_DROP).bfree, was);
  *nth(p, 2) = *nth(p, 6) = 1;
  CHECK(msync(p, 20 * PGSIZE, MS_SYNC) == 0);
  EQUALS(counts(SI_DROP).bfree, was - 2);
  CHECK(*nth(p, 2) == 1 && zeros(nth(p, 3), 3 * PGSIZE));
}

// ---- written back ----

// The first store to a clean page is a fault, the second is not, until it has been written.
void
file_first_store_is_noticed(void)
{
  int fd = open_file("f", 2);
  CHECK(fsync(fd) == 0);
  warm();
  char *p = shared(fd, 2);
  (void)*(volatile char *)p;
  CHECK(allows(page(p), PTE_R) && !(page(p).flags & PTE_D));
  uint64 first, both, written;
  do { // until the write-back thread does not come in between
    CHECK(msync(p, 2 * PGSIZE, MS_SYNC) == 0);
    mark();
    p[1] = 1;
    first = since()->faults;
    p[2] = 2;
    both = since()->faults;
    written = since_all()->disk_writes;
  } while (written > 0);
  EQUALS(first, 1);
  EQUALS(both, 1);
  EQUALS(since()->mkwrite, 1);
  CHECK(allows(page(p), PTE_R | PTE_W) && (page(p).flags & PTE_D));
  CHECK(msync(p, 2 * PGSIZE, MS_SYNC) == 0);
  mark();
  p[3] = 3;
  EQUALS(since()->mkwrite, 1);
}

// Blocks written for so many dirty pages of a file of 64: the least of three times, since the write-back
// thread may come in between and commit some of them by themselves.
static uint64
written_for(int fd, char *p, uint dirty)
{
  uint64 least = -1;
  for (int round = 0; round < 3; round++) {
    CHECK(fsync(fd) == 0);
    mark();
    for (uint i = 0; i < dirty; i++)
      *nth(p, i * 64 / dirty) = (char)dirty;
    CHECK(msync(p, 64 * PGSIZE, MS_SYNC) == 0);
    uint64 n = since_all()->disk_writes;
    least = n < least ? n : least;
  }
  return least;
}

// What is written grows with the dirty pages alone; what was only read is not written.
void
file_only_dirty_pages_are_written(void)
{
  int fd = open_file("f", 64);
  char *p = shared(fd, 64);
  CHECK(same(p, 64 * PGSIZE, 1, 0) && fsync(fd) == 0);
  mark();
  CHECK(same(p, 64 * PGSIZE, 1, 0) && msync(p, 64 * PGSIZE, MS_SYNC) == 0);
  EQUALS(since_all()->disk_writes, 0);
  uint64 four = written_for(fd, p, 4), eight = written_for(fd, p, 8),
         sixteen = written_for(fd, p, 16);
  CHECK(four >= 4 && four < 20);
  EQUALS(sixteen - eight, 2 * (eight - four));
}

// msync of a part writes what is dirty there, at least.
void
file_msync_is_on_the_disk(void)
{
  int fd = open_file("f", PAGES);
  CHECK(fsync(fd) == 0);
  char *p = shared(fd, PAGES);
  stamp(nth(p, 2), 7, 2);
  mark();
  CHECK(msync(nth(p, 2), PGSIZE, MS_SYNC) == 0);
  CHECK(since_all()->disk_writes > 0);
  unmap(p, PAGES);
  counts(SI_DROP); // what is read now comes from the disk
  mark();
  lseek(fd, 2 * PGSIZE, SEEK_SET);
  get(fd, buf, PGSIZE);
  CHECK(stamped(buf, 7, 2) && since_all()->disk_reads > 0);
}

// SI_DROP puts on the disk what is dirty, stores through mappings too: the next one is a fault again.
void
file_drop_writes_stores(void)
{
  int fd = open_file("f", 1);
  char *p = shared(fd, 1);
  *p = 77;
  counts(SI_DROP);
  CHECK(!(page(p).flags & (PTE_W | PTE_D)));
  mark();
  *p = 78;
  EQUALS(since()->mkwrite, 1);
}

// Without msync what was stored is not lost either: not by munmap, not by exit, not by DONTNEED.
static void
store_and_exit(uint64 unused)
{
  (void)unused;
  int fd = open("f", O_RDWR);
  char *p = shared(fd, 4);
  stamp_all(p, 9, 4);
}

void
file_stores_survive_the_mapping(void)
{
  int fd = open_file("f", 4);
  LIVES(store_and_exit, 0);
  counts(SI_DROP);
  check_blocks("f", 9, 4);
  char *p = shared(fd, 4);
  stamp_all(p, 10, 4);
  advise(p, 4, MADV_DONTNEED);
  EQUALS(page(p).frame, 0);
  CHECK(stamped_all(p, 10, 4));
  stamp_all(p, 11, 4);
  unmap(p, 4);
  counts(SI_DROP);
  check_blocks("f", 11, 4);
}

// Bytes change while they are written, from two processes at once; each block is some whole state.
static void
store_and_sync(uint64 who)
{
  int fd = open("f", O_RDWR);
  char *p = shared(fd, PAGES);
  for (uint i = 0; i < 50; i++) {
    stamp(nth(p, who), (uint)who, i);
    if (i % 5 == 0)
      CHECK(msync(p, PAGES * PGSIZE, MS_SYNC) == 0);
  }
}

void
file_stores_while_it_is_written(void)
{
  open_file("f", PAGES);
  crowd(4, store_and_sync);
  counts(SI_DROP);
  int fd = open("f", O_RDONLY);
  for (uint who = 0; who < 4; who++) {
    get(fd, buf, PGSIZE);
    CHECK(stamped(buf, who, 49));
  }
}

// WILLNEED: the disk is read before the touch.
void
file_willneed_reads_ahead(void)
{
  int fd = open_file("f", PAGES);
  counts(SI_DROP);
  char *p = map_file(fd, 0, PAGES, PROT_READ, MAP_SHARED);
  mark();
  advise(p, PAGES, MADV_WILLNEED);
  CHECK(since_all()->disk_reads >= PAGES);
  CHECK(same(p, 1, 1, 0)); // the code that looks was dropped, too
  mark();
  CHECK(same(p, PAGES * PGSIZE, 1, 0));
  EQUALS(since_all()->disk_reads, 0);
}

// A disk without room: the store to a hole is an I/O error, not lost later.
static void
fill_disk(const char *name)
{
  int fd = create(name), n;
  while ((n = write(fd, buf, BUFSZ)) == BUFSZ)
    ;
  while ((n = write(fd, buf, PGSIZE)) == PGSIZE)
    ;
  CHECK(n >= 0 || errno == ENOSPC);
  close(fd);
}

void
file_store_on_a_full_disk(void)
{
  int fd = create("f");
  CHECK(ftruncate(fd, 4 * MIB) == 0);
  char *p = shared(fd, 4 * MIB / PGSIZE);
  *p = 1;
  fill_disk("g");
  IO_ERROR(touch, p + 3 * MIB);
  CHECK(*p == 1 && msync(p, PGSIZE, MS_SYNC) == 0);
  CHECK(unlink("g") == 0);
  LIVES(touch, p + 3 * MIB);
  EQUALS(p[3 * MIB], 1);
}
