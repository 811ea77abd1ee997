// SPDX-License-Identifier: MIT
// One thread stores without pause while another changes the memory below it: when the call has
// returned, no store may land any more where it could before.
//
// A hart that was not told keeps storing by the entry that it remembers, into a frame that by then
// is somebody else's. Each test has a second view of that frame, and watches it.
#include "test.h"

static volatile uint64 *target;  // where the storing thread stores, ever larger numbers
static volatile uint64 *view;    // the same frame at another address
static volatile int stop, going; // of the storing thread

#define WATCH 20000 // looks at the view, far more than a store takes

static void
storing(void *unused)
{
  (void)unused;
  for (uint64 n = 1; !stop; n++) {
    *target = n;
    going = 1;
  }
  texit(0);
}

// Starts the storing thread; returns when it stores.
static int
start_storing(void)
{
  stop = going = 0;
  int tid = thread(storing, 0);
  while (!going)
    ;
  return tid;
}

// Whether the frame stays as it is.
static int
still(void)
{
  uint64 was = *view;
  for (int i = 0; i < WATCH; i++)
    if (*view != was)
      return 0;
  return 1;
}

static void
await_stores(void)
{
  uint64 was = *view;
  while (*view == was)
    ;
}

// A file's page n, at a fixed place and somewhere else.
static int
two_views(void)
{
  static int fd = -1;
  if (fd < 0) {
    fd = create("f");
    CHECK(ftruncate(fd, 2 * PGSIZE) == 0);
  }
  target = (uint64 *)DESERT;
  CHECK(mmap(DESERT, PGSIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0) == DESERT);
  view = (uint64 *)map_file(fd, 0, 1, RW, MAP_SHARED);
  return fd;
}

// The address gets another frame: the thread never stops, and the old frame is left alone.
void
threads_store_while_a_mapping_is_replaced(void)
{
  int fd = two_views();
  volatile uint64 *page0 = view, *page1 = (uint64 *)map_file(fd, 1, 1, RW, MAP_SHARED);
  int tid = start_storing();
  for (int i = 0; i < 200; i++) {
    view = i % 2 ? page1 : page0;
    await_stores();
    CHECK(mmap(DESERT, PGSIZE, RW, MAP_SHARED | MAP_FIXED, fd, (1 - i % 2) * PGSIZE) == DESERT);
    CHECK(still());
  }
  stop = 1;
  end_of_thread(tid);
}

// The address goes: the thread dies of its next store, and all with it. Until then this one watches.
enum { UNMAP, READONLY, NONE };
#define LANDED 66 // exit status: a store came after the call

static void
take_away(uint64 how)
{
  two_views();
  start_storing();
  await_stores();
  if (how == UNMAP)
    unmap(DESERT, 1);
  else
    CHECK(mprotect(DESERT, PGSIZE, how == READONLY ? PROT_READ : PROT_NONE) == 0);
  for (;;)
    if (!still())
      exit(LANDED);
}

void
threads_store_while_munmap(void)
{
  for (int i = 0; i < 20; i++)
    FAULTS_AT(take_away, UNMAP, DESERT, PROT_WRITE);
}

void
threads_store_while_mprotect(void)
{
  for (int i = 0; i < 20; i++) {
    FAULTS_AT(take_away, READONLY, DESERT, PROT_WRITE);
    FAULTS_AT(take_away, NONE, DESERT, PROT_WRITE);
  }
}

// A file that gets shorter takes its pages back from all.
static void
truncate_it(uint64 unused)
{
  (void)unused;
  int fd = two_views();
  start_storing();
  await_stores();
  CHECK(ftruncate(fd, 0) == 0);
  pause(100); // the thread dies of it
}

void
threads_store_while_truncate(void)
{
  for (int i = 0; i < 10; i++) {
    struct waitinfo wi = fate(truncate_it, 0);
    CHECK(wi.how == DIED_IO && wi.va == (uint64)DESERT);
  }
}

// A child sees one moment: what is stored after the fork is not in it.
static void
watch_copy(uint64 unused)
{
  (void)unused;
  view = target;
  CHECK(still());
}

void
threads_store_while_fork(void)
{
  target = view = (uint64 *)map_at(DESERT, 1, 0);
  int tid = start_storing();
  for (int i = 0; i < 50; i++) {
    await_stores();
    LIVES(watch_copy, 0);
  }
  stop = 1;
  end_of_thread(tid);
}

// ---- what moves under a thread that goes on ----

// Counts up in each of n pages; what it finds must be what it left there.
#define COUNTED 32

static volatile uint64 rounds;

static void
counting(void *unused)
{
  (void)unused;
  for (uint64 n = 1; !stop; n++) {
    for (int i = 0; i < COUNTED; i++) {
      volatile uint64 *p = (uint64 *)nth(DESERT, i);
      CHECK(*p == n - 1);
      *p = n;
    }
    rounds = n;
    going = 1;
  }
  texit(0);
}

static int
start_counting(uint64 pages)
{
  map_at(DESERT, pages, 0);
  stop = going = 0;
  int tid = thread(counting, 0);
  while (!going)
    ;
  return tid;
}

static void
stop_counting(int tid)
{
  stop = 1;
  end_of_thread(tid);
  for (int i = 0; i < COUNTED; i++)
    EQUALS(*(uint64 *)nth(DESERT, i), rounds);
}

void
threads_count_while_paged_out(void)
{
  swap_on();
  warm();
  int tid = start_counting(COUNTED);
  mark();
  for (int i = 0; i < 100000 && since()->swap_outs <= 200;
       i++) // the other has to come by in between
    page_out(DESERT, COUNTED);
  CHECK(since()->swap_outs > 200);
  stop_counting(tid);
  swap_off();
}

void
threads_count_while_forked(void)
{
  warm();
  int tid = start_counting(COUNTED);
  for (int i = 0; i < 50; i++) {
    int pid = spawn(nothing, 0);
    EQUALS(reap(pid), 0);
  }
  stop_counting(tid);
  CHECK(vm().self.cow_copy + vm().self.cow_reuse > 0);
}

// Put together and split, again and again.
void
threads_count_while_huge_pages_come_and_go(void)
{
  counts(SI_DROP);
  int tid = start_counting(HUGEPTES);
  for (int i = 0; i < 30; i++) {
    advise(DESERT, HUGEPTES, MADV_COLLAPSE);
    EQUALS(page(DESERT).level, 1);
    CHECK(mprotect(nth(DESERT, COUNTED + i), PGSIZE, PROT_READ) == 0);
    EQUALS(page(DESERT).level, 0);
    CHECK(mprotect(nth(DESERT, COUNTED + i), PGSIZE, RW) == 0);
  }
  stop_counting(tid);
}

// Other harts are called, each once, and only when rights are taken: not when they are given again.
void
threads_are_called_when_rights_go(void)
{
  warm();
  two_views();
  char *mine = map(1, 0);
  *mine = 1;
  int tid = start_storing();
  uint64 others = counts(0).harts - 1;
  mark();
  for (int i = 0; i < 50; i++) {
    await_stores(); // it runs, and elsewhere if there is an elsewhere
    CHECK(mprotect(mine, PGSIZE, PROT_READ) == 0);
    CHECK(mprotect(mine, PGSIZE, RW) == 0);
    *mine = 1;
  }
  CHECK((since()->shootdowns > 0) == (others > 0));
  CHECK(since()->shootdowns <= 50 * others);
  stop = 1;
  end_of_thread(tid);
}

// ---- the end of many ----

static void
forever(void *unused)
{
  (void)unused;
  for (;;)
    *target = *target + 1;
}

static void
three_threads(void)
{
  target = (uint64 *)map_at(DESERT, 1, 0);
  for (int i = 0; i < 3; i++)
    thread(forever, 0);
  pause(1);
}

static void
exit_with_threads(uint64 status)
{
  three_threads();
  exit((int)status);
}

static void
exec_with_threads(uint64 unused)
{
  (void)unused;
  char *argv[] = { "@tables", 0 };
  three_threads();
  exec(SELF, argv);
}

static void
fault_with_threads(uint64 unused)
{
  (void)unused;
  three_threads();
  touch(8);
}

// exit, exec, a fault and kill end them all, and give back their memory.
void
threads_end_with_their_process(void)
{
  for (int i = 0; i < 10; i++) {
    EQUALS(fate(exit_with_threads, 17).status, 17);
    EQUALS(fate(exec_with_threads, 0).status, 5);
    FAULTS_AT(fault_with_threads, 0, 8, PROT_WRITE);
  }
  int pid = spawn(exit_with_threads, 0);
  kill(pid);
  ending(pid);
}
