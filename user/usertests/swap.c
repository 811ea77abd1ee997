// SPDX-License-Identifier: MIT
// Swap and reclaim: what is evicted comes back, byte for byte; who is chosen; what happens when
// there is no room left.
#include "test.h"

#define MIB (1 << 20)

static const char *const policies[] = VMPOLICY_NAMES;

static struct vmstat
stats(void)
{
  struct vmstat vs;
  CHECK(vmstat(&vs) == 0);
  return vs;
}

// Turns swap on; 0: the machine has no second drive, and the test cannot show anything.
static int
swap_begins(void)
{
  if (vmctl(VMCTL_SWAP, 1) == 0)
    return 1;
  CHECK(errno == ENODEV);
  printf("(skipped: this machine has no second drive) ");
  return 0;
}

// All slots are free again, and swap goes off.
static void
swap_ends(void)
{
  CHECK(vmctl(VMCTL_SWAP, 0) == 0);
  CHECK(stats().slots == 0 && stats().slots_free == 0 && stats().swapped == 0);
  CHECK(vmctl(VMCTL_POLICY, VMPOLICY_CLOCK) == 0);
}

static char *
pages(uint64 n)
{
  char *p = mmap(0, n * PGSIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  CHECK(p != MAP_FAILED);
  return p;
}

static char *
stamped_pages(uint64 n)
{
  char *p = pages(n);
  for (uint64 i = 0; i < n; i++)
    stamp(p + i * PGSIZE, 1, i);
  return p;
}

static struct pageinfo
info(const char *p)
{
  struct pageinfo pi;
  CHECK(pageinfo(p, 1, &pi) == 1);
  return pi;
}

static int
swapped(const char *p)
{
  return (info(p).flags & PI_SWAP) != 0;
}

static void
evict(char *p, uint64 n)
{
  CHECK(madvise(p, n * PGSIZE, MADV_PAGEOUT) == 0);
}

// Pages go out to slots of their own and come back one by one, with their bytes.
void
swap_brings_pages_back(void)
{
  enum { N = 100 };
  if (!swap_begins())
    return;
  char *p = stamped_pages(N);
  struct vmstat was = stats();
  evict(p, N);
  struct vmstat out = stats();
  CHECK(out.swapped == N && out.resident + N == was.resident);
  CHECK(out.slots_free + N == was.slots_free);
  CHECK(out.self.swap_outs == was.self.swap_outs + N);
  for (int i = 0; i < N; i++)
    CHECK(swapped(p + i * PGSIZE) && info(p + i * PGSIZE).slot > 0);
  for (int i = 0; i < N; i++) {
    uint64 before = stats().self.swap_in;
    CHECK(stamped(p + i * PGSIZE, 1, i));
    CHECK(stats().self.swap_in == before + 1);
    CHECK(!swapped(p + i * PGSIZE));
  }
  CHECK(stats().swapped == 0 && stats().slots_free == was.slots_free);
  evict(p, N);
  CHECK(munmap(p, N * PGSIZE) == 0);
  CHECK(stats().swapped == 0 && stats().slots_free == was.slots_free);
  swap_ends();
}

// A child has its parent's pages in swap by the same slots; who reads brings them in for both, who
// writes for himself.
static void
use_shared(uint64 at)
{
  char *p = (char *)at;
  pause(2); // the parent sleeps now, and nobody has his memory locked
  CHECK(swapped(p) && swapped(p + PGSIZE));
  CHECK(stamped(p, 1, 0));
  CHECK(info(p).refs == 2 && !(info(p).flags & PTE_W));
  p[PGSIZE] = 99;
  CHECK(info(p + PGSIZE).refs == 1);
  CHECK(swapped(p + 2 * PGSIZE));
}

void
swap_shared_with_a_child(void)
{
  if (!swap_begins())
    return;
  char *p = stamped_pages(3);
  uint64 was = stats().slots_free;
  evict(p, 3);
  LIVES(use_shared, p);
  CHECK(!swapped(p) && swapped(p + PGSIZE) && swapped(p + 2 * PGSIZE));
  for (int i = 0; i < 3; i++)
    CHECK(stamped(p + i * PGSIZE, 1, i));
  CHECK(stats().slots_free == was);
  swap_ends();
}

static void
evict_parents(uint64 at)
{
  char *p = (char *)at;
  CHECK(info(p).refs == 2);
  evict(p, 2);
  CHECK(swapped(p));
  CHECK(stats().slots - stats().slots_free >= 2);
  pause(3);
  CHECK(stamped(p, 1, 0) && stamped(p + PGSIZE, 1, 1));
}

// A frame that two have goes out for both.
void
swap_takes_shared_frames(void)
{
  if (!swap_begins())
    return;
  char *p = stamped_pages(2);
  int pid = spawn(evict_parents, (uint64)p);
  pause(2);
  CHECK(swapped(p) && swapped(p + PGSIZE));
  p[0] ^= 1;
  p[0] ^= 1;
  CHECK(stamped(p, 1, 0));
  CHECK(reap(pid) == 0);
  CHECK(stamped(p + PGSIZE, 1, 1));
  swap_ends();
}

static void
leave_swapped(uint64 how)
{
  char *argv[] = { "@args", 0 };
  evict(stamped_pages(50), 50);
  CHECK(stats().swapped >= 50);
  if (how == 0)
    exit(0);
  if (how == 1)
    kill(getpid());
  exec(SELF, argv);
}

// Exit, kill and exec give slots back.
void
swap_slots_come_home(void)
{
  if (!swap_begins())
    return;
  uint64 was = stats().slots_free;
  CHECK(run(leave_swapped, 0) == 0);
  CHECK(run(leave_swapped, 1) == KILLED);
  CHECK(run(leave_swapped, 2) == 1);
  CHECK(stats().slots_free == was);
  swap_ends();
}

// The kernel reads and writes pages that are out; a page that nobody may touch stays what it is.
void
swap_under_calls(void)
{
  if (!swap_begins())
    return;
  char *p = stamped_pages(4);
  int fd = create("f");
  evict(p, 4);
  put(fd, p, 2 * PGSIZE);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  evict(p, 4);
  get(fd, p + 2 * PGSIZE, 2 * PGSIZE);
  CHECK(stamped(p + 2 * PGSIZE, 1, 0) && stamped(p + 3 * PGSIZE, 1, 1));
  CHECK(mprotect(p, PGSIZE, PROT_NONE) == 0);
  evict(p, 1);
  CHECK(swapped(p));
  DIES(peek, p);
  CHECK(mprotect(p, PGSIZE, PROT_READ) == 0 && stamped(p, 1, 0));
  DIES(touch, p);
  evict(p, 1);
  CHECK(mprotect(p, PGSIZE, PROT_NONE) == 0);
  swap_ends(); // this brings it back for nobody
  CHECK(info(p).flags & PI_NONE);
  CHECK(mprotect(p, PGSIZE, PROT_READ) == 0 && stamped(p, 1, 0));
}

// The kernel chooses by the policy that was set; those who were used are spared by all but FIFO.
static void
used_are_spared(uint64 policy)
{
  enum { N = 64 };
  char *p = stamped_pages(N);
  CHECK(vmctl(VMCTL_POLICY, policy) == 0);
  CHECK(stats().policy == policy);
  CHECK(vmctl(VMCTL_RECLAIM, 100000) > N); // everybody is out
  for (int i = 0; i < N; i++)
    CHECK(stamped(p + i * PGSIZE, 1, i)); // and these come back, in this order
  int base = vmctl(VMCTL_RECLAIM, 1);     // all that came back were used: this clears it
  CHECK(base == 1);
  int kept = 0;
  for (int i = 0; i < N; i += 2)
    peek((uint64)(p + i * PGSIZE));
  CHECK(vmctl(VMCTL_RECLAIM, N / 2) == N / 2);
  for (int i = 0; i < N; i += 2)
    kept += !swapped(p + i * PGSIZE);
  if (policy == VMPOLICY_FIFO)
    CHECK(kept <= N / 4 + 4);
  else
    CHECK(kept >= N / 2 - 4);
}

void
swap_policies(void)
{
  if (!swap_begins())
    return;
  for (int i = 0; i < NVMPOLICY; i++)
    if (i != VMPOLICY_WSCLOCK) // its time does not pass here
      LIVES(used_are_spared, i);
  FAILS(vmctl(VMCTL_POLICY, NVMPOLICY), EINVAL);
  swap_ends();
}

// More than memory, with each policy: every byte is right, whoever reads or writes it.
static void
use_more_than_memory(uint64 policy)
{
  uint64 n = counts(0).frames * 3 / 8;
  CHECK(vmctl(VMCTL_POLICY, policy) == 0);
  if (n > stats().slots)
    n = stats().slots;
  char *p = pages(n);
  uint64 start = micros();
  for (uint64 i = 0; i < n; i++)
    stamp(p + i * PGSIZE, policy, i);
  CHECK(stats().swapped > n / 2);
  for (uint64 i = 0; i < n; i++)
    CHECK(stamped(p + i * PGSIZE, policy, i));
  for (uint k = 0; k < n / 4; k++) {
    uint64 i = rnd() % n;
    CHECK(stamped(p + i * PGSIZE, policy, i));
    stamp(p + i * PGSIZE, policy, i);
  }
  struct vmstat vs = stats();
  printf("\n  %s: %lu pages, %lu in, %lu out, %lu ms ", policies[policy], n, vs.self.swap_in,
         vs.self.swap_outs, (micros() - start) / 1000);
}

void
swap_larger_than_memory(void)
{
  if (!swap_begins())
    return;
  uint64 most = counts(0).frames * 13 / 16 * PGSIZE; // is kept out of it: shared memory stays
  char *kept = mmap(0, most, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON | MAP_POPULATE, -1, 0);
  CHECK(kept != MAP_FAILED);
  for (int i = 0; i < NVMPOLICY; i++)
    LIVES(use_more_than_memory, i);
  CHECK(munmap(kept, most) == 0);
  swap_ends();
}

// Several at once, who fork while they swap.
static void
churn(uint64 seed)
{
  uint64 n = counts(0).frames / 3;
  char *p = pages(n);
  for (uint64 i = 0; i < n; i++)
    stamp(p + i * PGSIZE, seed, i);
  int pid = fork();
  CHECK(pid >= 0);
  for (uint64 k = 0; k < n; k++) {
    uint64 i = rnd() % n;
    CHECK(stamped(p + i * PGSIZE, seed, i));
    if (pid == 0)
      stamp(p + i * PGSIZE, seed, i);
  }
  if (pid == 0)
    exit(0);
  CHECK(reap(pid) == 0);
}

void
swap_by_several(void)
{
  if (!swap_begins())
    return;
  crowd(5, churn);
  swap_ends();
}

// Memory and swap are full: one of those who want more ends, nobody else.
static void
want_more(uint64 n)
{
  char *p = pages(n);
  for (uint64 i = 0; i < n; i++)
    p[i * PGSIZE] = 1;
}

void
swap_until_it_is_full(void)
{
  if (!swap_begins())
    return;
  struct vmstat was = stats();
  uint64 n = was.slots_free + counts(0).frames;
  int bystander = spawn(loiter, 0);
  DIES(want_more, n);
  CHECK(state_of(bystander) == ASLEEP);
  kill(bystander);
  CHECK(reap(bystander) == KILLED);
  CHECK(stats().slots_free + 200 > was.slots_free);
  swap_ends();
}

// With more in swap than memory has room for, it cannot go off, and nothing is lost.
void
swap_stays_on_when_needed(void)
{
  if (!swap_begins())
    return;
  uint64 n = counts(0).frames * 5 / 4;
  char *p = stamped_pages(n);
  FAILS(vmctl(VMCTL_SWAP, 0), ENOMEM);
  for (uint64 i = 0; i < n; i++)
    CHECK(stamped(p + i * PGSIZE, 1, i));
  CHECK(munmap(p, n * PGSIZE) == 0);
  swap_ends();
}

// Calls that need frames get them as long as something can be evicted.
void
swap_makes_room_for_calls(void)
{
  if (!swap_begins())
    return;
  uint64 n = counts(0).frames;
  char *p = stamped_pages(n); // memory is full of this
  for (int i = 0; i < 40; i++) {
    int ends[2];
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
    CHECK(run(exit_with, 5) == 5);
    CHECK(sbrk(50 * PGSIZE) != SBRK_ERROR);
  }
  CHECK(munmap(p, n * PGSIZE) == 0);
  swap_ends();
}

// ---- reclaim without swap ----

// A file larger than memory, mapped: its pages come and go, clean ones as well as those that are
// written through the mapping.
void
reclaim_mapped_files(void)
{
  uint64 n = counts(0).frames, got = 0;
  uint64 limit = counts(0).bfree - 500;
  int fd = create("f");
  if (n > limit)
    n = limit; // and a hog takes the rest
  for (uint64 i = 0; i < n; i++) {
    stamp(buf, 7, i);
    put(fd, buf, PGSIZE);
  }
  uint64 room = n / 2 + 1024; // for the file; a hog has the rest of a small machine's memory
  if (counts(0).frames > room && counts(0).frames < 1 << 18)
    CHECK(sbrk((int)(counts(0).frames - room) * PGSIZE) != SBRK_ERROR);
  char *p = mmap(0, n * PGSIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(p != MAP_FAILED);
  for (int round = 0; round < 2; round++)
    for (uint64 i = 0; i < n; i++)
      CHECK(stamped(p + i * PGSIZE, 7, i));
  for (uint64 i = 0; i < n; i += 16)
    stamp(p + i * PGSIZE, 8, i);
  for (uint64 i = 0; i < n; i++)
    CHECK(stamped(p + i * PGSIZE, i % 16 ? 7 : 8, i));
  got = stats().self.reclaimed;
  printf("(%lu pages, %lu reclaimed) ", n, got);
  CHECK(got > n / 4);
}
