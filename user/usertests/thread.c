// SPDX-License-Identifier: MIT
// Threads: what they share and what they do not, how they end, and what they wait for each other
// with.
#include "test.h"
#include "user/thread.h"

#define TEAM 4

static int ends[2];
static volatile int flag, counts_of[TEAM];

static struct thread *
start(int (*fn)(void *), uint64 arg)
{
  struct thread *t = thread_create(fn, (void *)arg);
  CHECK(t != 0);
  return t;
}

static int
finish(struct thread *t)
{
  int status = 99;
  CHECK(thread_join(t, &status) == 0);
  return status;
}

// Lets TEAM threads do fn(0) ... fn(TEAM-1), all of which must return 0.
static void
team(int (*fn)(void *))
{
  struct thread *t[TEAM];
  for (int i = 0; i < TEAM; i++)
    t[i] = start(fn, i);
  for (int i = 0; i < TEAM; i++)
    CHECK(finish(t[i]) == 0);
}

static int
t_spin(void *n)
{
  for (;;)
    counts_of[(uint64)n]++;
  return 0;
}

static int
t_read(void *unused)
{
  char c;
  (void)unused;
  read(ends[0], &c, 1);
  exit(77);
}

static int
t_pause(void *unused)
{
  (void)unused;
  loiter(0);
  return 0;
}

static int
t_wait(void *unused)
{
  static int word;
  (void)unused;
  futex(&word, FUTEX_WAIT, 0);
  exit(78);
}

static int
t_call(void *unused)
{
  (void)unused;
  for (;;)
    getpid();
  return 0;
}

// A sibling in each state that a thread can be in.
static void
start_siblings(void)
{
  CHECK(pipe(ends) == 0);
  start(t_spin, 0);
  start(t_spin, 1);
  start(t_read, 0);
  start(t_pause, 0);
  start(t_wait, 0);
  start(t_call, 0);
  while (counts_of[0] == 0 || counts_of[1] == 0)
    ;
}

// ---- what is shared ----

static int
t_numbers(void *n)
{
  counts_of[(uint64)n] = 100 + (uint64)n;
  *(volatile int *)(buf + PGSIZE * (uint64)n) = n ? 5 : 4;
  return (uint64)n * 3 - 1;
}

void
threads_share_memory(void)
{
  struct thread *t[TEAM];
  for (int i = 0; i < TEAM; i++)
    t[i] = start(t_numbers, i);
  for (int i = TEAM - 1; i >= 0; i--)
    CHECK(finish(t[i]) == i * 3 - 1);
  for (int i = 0; i < TEAM; i++)
    CHECK(counts_of[i] == 100 + i && *(int *)(buf + PGSIZE * i) == (i ? 5 : 4));
}

static int
t_grow(void *n)
{
  for (int i = 0; i < 100; i++) {
    char *p = (uint64)n % 2 ? sbrk(PGSIZE) : sbrklazy(PGSIZE);
    CHECK(p != SBRK_ERROR && zeros(p, PGSIZE));
    stamp(p, (uint)(uint64)n, i);
    CHECK(stamped(p, (uint)(uint64)n, i));
  }
  return 0;
}

void
threads_share_the_break(void)
{
  char *before = sbrk(0);
  team(t_grow);
  CHECK(sbrk(0) >= before + TEAM * 100 * PGSIZE);
}

static int
t_files(void *name)
{
  char c;
  int fd = open(name, O_RDONLY);
  CHECK(fd >= 0 && chdir("d") == 0);
  CHECK(read(ends[0], &c, 1) == 1 && c == 'x');
  return fd;
}

void
threads_share_files(void)
{
  make("f", 3, 100);
  CHECK(mkdir("d") == 0 && pipe(ends) == 0);
  struct thread *t = start(t_files, (uint64) "f");
  put(ends[1], "x", 1);
  int fd = finish(t);
  get(fd, buf, 100);
  CHECK(same(buf, 100, 3, 0));
  CHECK(!exists("f") && exists("../f"));
  CHECK(close(fd) == 0);
}

static int
t_close(void *unused)
{
  (void)unused;
  pause(1);
  CHECK(close(ends[1]) == 0);
  return 0;
}

// A descriptor that another thread closes: who is using it keeps it until then.
void
threads_close_files(void)
{
  char c;
  for (int i = 0; i < 3; i++) {
    CHECK(pipe(ends) == 0);
    struct thread *t = start(t_close, 0);
    CHECK(read(ends[0], &c, 1) == 0);
    CHECK(finish(t) == 0);
    FAILS(write(ends[1], "x", 1), EBADF);
    CHECK(close(ends[0]) == 0);
  }
}

static int
t_descriptors(void *unused)
{
  int fd[2];
  (void)unused;
  for (int i = 0; i < 3000; i++) {
    CHECK(pipe(fd) == 0 || errno == EMFILE);
    CHECK(dup(0) >= 0 || errno == EMFILE || errno == EBADF);
  }
  return 0;
}

static int
t_close_all(void *unused)
{
  (void)unused;
  while (!flag)
    for (int fd = 3; fd < NOFILE; fd++)
      close(fd);
  return 0;
}

// One thread closes what the others have just opened, or are about to; the table is full in between.
static void
descriptor_storm(uint64 unused)
{
  (void)unused;
  struct thread *t = start(t_close_all, 0);
  team(t_descriptors);
  flag = 1;
  CHECK(finish(t) == 0);
}

void
threads_race_for_descriptors(void)
{
  LIVES(descriptor_storm, 0);
}

static int
t_errno(void *n)
{
  uint64 me = (uint64)n;
  for (int i = 0; i < 200; i++) {
    if (me % 2)
      FAILS(close(-1), EBADF);
    else
      FAILS(open("nowhere", O_RDONLY), ENOENT);
    pause(0);
    CHECK(errno == (me % 2 ? EBADF : ENOENT));
  }
  return 0;
}

void
threads_have_their_own_errno(void)
{
  errno = 4711;
  team(t_errno);
  CHECK(errno == 4711);
}

static int
sum_on_the_stack(int depth)
{
  volatile char room[100];
  room[depth % 100] = depth;
  return depth == 0 ? 0 : sum_on_the_stack(depth - 1) + room[depth % 100] - (char)depth + 1;
}

static int
t_stack(void *n)
{
  double x = (uint64)n, step = x + 0.5;
  for (int i = 0; i < 100; i++) {
    CHECK(sum_on_the_stack(200) == 200);
    x += step;
  }
  return x == (uint64)n + 100 * step ? 0 : 1;
}

void
threads_have_their_own_stack(void)
{
  team(t_stack);
}

static int
t_recurse(void *unused)
{
  return sum_on_the_stack(THREAD_STACK / 64) + (unused != 0);
}

static void
overflow(uint64 unused)
{
  (void)unused;
  finish(start(t_recurse, 0));
}

void
thread_stack_overflow_kills(void)
{
  struct waitinfo info = death(overflow, 0);
  CHECK(info.how == DIED_FAULT && info.access == PROT_WRITE && info.va < MMAPTOP);
}

static int
t_ids(void *unused)
{
  (void)unused;
  counts_of[0] = getpid();
  return gettid();
}

// A thread has a number that is not a process's.
void
thread_numbers(void)
{
  int me = getpid();
  CHECK(gettid() == me);
  int a = finish(start(t_ids, 0));
  CHECK(a > 0 && a != me && counts_of[0] == me);
  struct thread *t = start(t_pause, 0);
  for (int tid = a + 1; tid < a + 20; tid++)
    if (tid != me && state_of(tid) == -1) {
      FAILS(kill(tid), ESRCH);
      FAILS(getpgid(tid), ESRCH);
      FAILS(setpgid(tid, 0), ESRCH);
    }
  CHECK(t != 0 && state_of(me) >= 0);
}

// ---- joining ----

static int
t_join(void *tid)
{
  int status;
  return join((uint64)tid, &status) == 0 ? status : -1000 - errno;
}

static char stack[8][4096] __attribute__((aligned(16)));

static void
raw_number(void *n)
{
  texit((uint64)n);
}

static void
raw_gate(void *status)
{
  char c;
  read(ends[0], &c, 1);
  texit((uint64)status);
}

void
join_by_any_thread(void)
{
  for (int i = 0; i < 50; i++) {
    int tid = clone(raw_number, (void *)(uint64)i, stack[1]);
    CHECK(tid > 0);
    CHECK(finish(start(t_join, tid)) == i);
    FAILS(join(tid, 0), ESRCH);
  }
  CHECK(pipe(ends) == 0);
  int tid = clone(raw_gate, (void *)5, stack[1]);
  struct thread *a = start(t_join, tid), *b = start(t_join, tid);
  pause(1);
  put(ends[1], "x", 1);
  int x = finish(a), y = finish(b);
  CHECK((x == 5 && y == -1000 - ESRCH) || (y == 5 && x == -1000 - ESRCH));
}

static int
t_join_leader(void *unused)
{
  (void)unused;
  FAILS(join(getpid(), 0), EINVAL);
  FAILS(join(gettid(), 0), EDEADLK);
  return 0;
}

void
join_errors(void)
{
  int child = spawn(loiter, 0), status = 33;
  FAILS(join(0, 0), EINVAL);
  FAILS(join(-1, 0), EINVAL);
  FAILS(join(getpid(), 0), EDEADLK);
  FAILS(join(child, 0), ESRCH);
  FAILS(join(1, 0), ESRCH);
  FAILS(join(0x7fffffff, 0), ESRCH);
  CHECK(finish(start(t_join_leader, 0)) == 0);
  int tid = clone(raw_number, (void *)12, stack[1]);
  FAILS(join(tid, (int *)heap_edge()), EFAULT);
  FAILS(join(tid, (int *)PGSIZE), EFAULT);
  CHECK(join(tid, &status) == 0 && status == 12);
  FAILS(join(tid, &status), ESRCH);
  kill(child);
  CHECK(reap(child) == KILLED);
}

static void
wild_function(uint64 at)
{
  CHECK(clone((void (*)(void *))at, 0, stack[1]) > 0);
  loiter(0);
}

static void
wild_stack(uint64 top)
{
  CHECK(clone(raw_number, 0, (void *)top) > 0);
  loiter(0);
}

void
clone_errors(void)
{
  FAILS(clone(raw_number, 0, stack[1] + 8), EINVAL);
  struct waitinfo info = death(wild_function, 0x7654320);
  CHECK(info.how == DIED_FAULT && info.access == PROT_EXEC && info.va == 0x7654320);
  info = death(wild_stack, 0);
  CHECK(info.how == DIED_FAULT && info.access == PROT_WRITE);
}

// Threads that nobody joins go with the process, and their stacks with them: the count of frames
// afterwards tells.
void
threads_nobody_joins(void)
{
  for (int i = 1; i < COUNT(stack); i++)
    CHECK(clone(raw_number, 0, stack[i]) > 0);
}

// ---- the end of a process ----

static int
t_exit(void *status)
{
  exit((uint64)status);
}

static int
t_fault(void *at)
{
  pause(0);
  touch((uint64)at);
  return 0;
}

static void
leader_exits(uint64 status)
{
  start_siblings();
  exit((int)status);
}

static void
sibling_exits(uint64 status)
{
  start_siblings();
  start(t_exit, status);
  loiter(0);
}

static void
sibling_faults(uint64 at)
{
  start_siblings();
  start(t_fault, at);
  loiter(0);
}

static void
leader_faults(uint64 at)
{
  start_siblings();
  touch(at);
}

static void
sibling_kills(uint64 unused)
{
  (void)unused;
  start_siblings();
  kill(getpid());
}

static void
with_siblings(uint64 gate)
{
  start_siblings();
  if (gate)
    put((int)gate, "x", 1);
  t_spin((void *)3);
}

#define ROUNDS 15

void
exit_with_siblings(void)
{
  for (int i = 0; i < ROUNDS; i++) {
    CHECK(run(leader_exits, i) == i);
    CHECK(run(sibling_exits, i) == i);
  }
}

void
fault_with_siblings(void)
{
  for (int i = 0; i < ROUNDS; i++) {
    struct waitinfo info = death(i % 2 ? sibling_faults : leader_faults, 16 + i);
    CHECK(info.how == DIED_FAULT && info.va == 16 + (uint64)i && info.access == PROT_WRITE);
  }
}

void
kill_with_siblings(void)
{
  struct waitinfo info;
  char c;
  for (int i = 0; i < ROUNDS; i++) {
    int gate[2];
    CHECK(pipe(gate) == 0);
    int pid = spawn(with_siblings, gate[1]);
    get(gate[0], &c, 1);
    CHECK(i % 2 == 0 || setpgid(pid, 0) == 0);
    CHECK(kill(i % 2 ? -pid : pid) == 0);
    CHECK(waitinfo(&info) == pid && info.how == DIED_KILL);
    close(gate[0]);
    close(gate[1]);
  }
  CHECK(death(sibling_kills, 0).how == DIED_KILL);
}

// Killed at any moment of its making.
void
kill_while_threads_start(void)
{
  for (int i = 0; i < 40; i++) {
    int pid = spawn(with_siblings, 0);
    for (int j = 0; j < i * 20; j++)
      getpid();
    CHECK(kill(pid) == 0);
    reap(pid);
  }
}

static int
t_exit_soon(void *status)
{
  for (int i = rnd() % 50; i > 0; i--)
    getpid();
  exit((uint64)status);
}

static void
all_exit(uint64 unused)
{
  (void)unused;
  for (int i = 0; i < TEAM; i++)
    start(t_exit_soon, 10 + i);
  t_exit_soon((void *)9);
}

void
exits_race(void)
{
  for (int i = 0; i < 50; i++) {
    int status = run(all_exit, 0);
    CHECK(status >= 9 && status < 10 + TEAM);
  }
}

static int
t_last(void *unused)
{
  (void)unused;
  pause(2);
  flag++;
  put(ends[1], "x", 1);
  return 6;
}

static void
leader_ends_first(uint64 joined)
{
  struct thread *t = start(t_last, 0);
  if (joined)
    start(t_join, gettid() + 1);
  CHECK(t != 0);
  texit(21);
}

// A leader that ends by itself waits for the others; then its status is the process's.
void
leader_ends_before_others(void)
{
  char c;
  for (int joined = 0; joined < 2; joined++) {
    CHECK(pipe(ends) == 0);
    int pid = spawn(leader_ends_first, joined);
    await(pid, ASLEEP);
    CHECK(reap(pid) == 21);
    get(ends[0], &c, 1);
    close(ends[0]);
    close(ends[1]);
  }
}

static void
leader_gone_then_exit(uint64 status)
{
  start(t_exit_soon, status);
  texit(1);
}

static void
leader_gone_then_loiter(uint64 unused)
{
  (void)unused;
  start_siblings();
  texit(0);
}

void
leader_ends_and_others_decide(void)
{
  for (int i = 0; i < 30; i++)
    CHECK(run(leader_gone_then_exit, 40 + i) == 40 + i);
  int pid = spawn(leader_gone_then_loiter, 0);
  pause(2);
  CHECK(kill(pid) == 0 && reap(pid) == KILLED);
}

// ---- exec ----

// What the new program says of itself: exits with 3 if it is the process it was.
static int
t_exec(void *argv)
{
  exec(SELF, argv);
  return 1;
}

static char **
same_process(void)
{
  static char pid[16];
  static char *argv[] = { "@same", pid, 0 };
  snprintf(pid, sizeof(pid), "%d", getpid());
  return argv;
}

static void
leader_execs(uint64 unused)
{
  (void)unused;
  start_siblings();
  exec(SELF, same_process());
}

static void
sibling_execs(uint64 leader_is_gone)
{
  start_siblings();
  start(t_exec, (uint64)same_process());
  if (leader_is_gone)
    texit(9);
  loiter(0);
}

static void
all_exec(uint64 unused)
{
  char **argv = same_process();
  (void)unused;
  for (int i = 0; i < TEAM; i++)
    start(t_exec, (uint64)argv);
  exec(SELF, argv);
}

static void
exec_or_exit(uint64 status)
{
  start(t_exec, (uint64)same_process());
  for (int i = status * 40; i > 0; i--)
    getpid();
  exit((int)status);
}

void
exec_with_siblings(void)
{
  for (int i = 0; i < ROUNDS; i++) {
    CHECK(run(leader_execs, 0) == 3);
    CHECK(run(sibling_execs, i % 2) == 3);
  }
}

void
execs_race(void)
{
  for (int i = 0; i < 40; i++)
    CHECK(run(all_exec, 0) == 3);
}

void
exec_and_exit_race(void)
{
  for (int i = 0; i < 60; i++) {
    int status = run(exec_or_exit, i + 10);
    CHECK(status == i + 10 || status == 3);
  }
}

void
exec_and_kill_race(void)
{
  struct waitinfo info;
  for (int i = 0; i < 60; i++) {
    int pid = spawn(all_exec, 0);
    for (int j = 0; j < i * 40; j++)
      getpid();
    kill(pid);
    CHECK(waitinfo(&info) == pid);
    CHECK(info.how == DIED_KILL || (info.how == DIED_EXIT && info.status == 3));
  }
}

static void
exec_that_fails(uint64 unused)
{
  char *argv[] = { "x", 0 };
  (void)unused;
  CHECK(finish(start(t_exec, (uint64)argv + (1UL << 39))) == 1);
  start_siblings();
  FAILS(exec("nowhere", argv), ENOENT);
  int before = counts_of[0];
  while (counts_of[0] == before)
    ;
}

// The others go on.
void
exec_that_fails_keeps_threads(void)
{
  LIVES(exec_that_fails, 0);
}

static int
t_exec_waiter(void *unused)
{
  (void)unused;
  char *argv[] = { "@waits", 0 };
  exec(SELF, argv);
  return 1;
}

static void
exec_with_a_child(uint64 unused)
{
  (void)unused;
  spawn(exit_with, 5);
  start(t_exec_waiter, 0);
  loiter(0);
}

void
exec_by_a_thread_keeps_children(void)
{
  CHECK(run(exec_with_a_child, 0) == 5);
}

// ---- fork and wait ----

static int
t_fork(void *n)
{
  int pid = fork(), status;
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK(gettid() == getpid() && parent_of(getpid()) == counts_of[0]);
    int before = counts_of[1];
    for (int i = 0; i < 1000; i++)
      CHECK(counts_of[1] == before); // who else stores there is not here
    exit(50 + (int)(uint64)n);
  }
  do
    status = -1;
  while (wait(&status) < 0);
  return status - 50;
}

// A child has one thread, and its own memory from the moment of fork on.
void
fork_by_threads(void)
{
  struct thread *t[TEAM];
  int sum = 0;
  counts_of[0] = getpid();
  start(t_spin, 1);
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < TEAM; i++)
      t[i] = start(t_fork, i);
    for (int i = 0; i < TEAM; i++)
      sum += finish(t[i]);
    CHECK(sum == TEAM * (TEAM - 1) / 2 * (round + 1));
    FAILS(wait(0), ECHILD);
  }
}

static int
t_wait_one(void *unused)
{
  int status;
  (void)unused;
  return wait(&status) > 0 ? status : errno == ECHILD ? 1000 : -1;
}

// Each child is one thread's; who is left over hears that there are none.
void
wait_by_several_threads(void)
{
  for (int round = 0; round < 20; round++) {
    struct thread *t[TEAM];
    int sum = 0;
    for (int i = 0; i < TEAM - 1; i++)
      spawn(exit_with, 10 + i);
    for (int i = 0; i < TEAM; i++)
      t[i] = start(t_wait_one, 0);
    for (int i = 0; i < TEAM; i++)
      sum += finish(t[i]);
    CHECK(sum == 1000 + 10 + 11 + 12);
  }
}

// ---- futex ----

static int word, released;

static int
t_sleep(void *value)
{
  if (futex(&word, FUTEX_WAIT, (int)(uint64)value) < 0)
    return errno;
  __atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
  return 0;
}

void
futex_arguments(void)
{
  uint64 edge = (uint64)heap_edge();
  word = 5;
  FAILS(futex(&word, FUTEX_WAIT, 4), EAGAIN);
  CHECK(futex(&word, FUTEX_WAKE, 4) == 0);
  CHECK(futex(&word, FUTEX_WAKE, 0) == 0);
  FAILS(futex(&word, FUTEX_WAKE, -1), EINVAL);
  FAILS(futex(&word, 2, 0), EINVAL);
  FAILS(futex(&word, -1, 0), EINVAL);
  FAILS(futex((int *)((uint64)&word + 2), FUTEX_WAIT, 0), EINVAL);
  FAILS(futex((int *)((uint64)&word + 1), FUTEX_WAKE, 1), EINVAL);
  FAILS(futex(0, FUTEX_WAIT, 0), EFAULT);
  FAILS(futex((int *)edge, FUTEX_WAIT, 0), EFAULT);
  FAILS(futex((int *)edge, FUTEX_WAKE, 1), EFAULT);
  FAILS(futex((int *)KERNBASE, FUTEX_WAIT, 0), EFAULT);
  FAILS(futex((int *)-4UL, FUTEX_WAKE, 0), EFAULT);
  FAILS(futex((int *)PGSIZE, FUTEX_WAIT, -1), EAGAIN); // text can be read
}

// As many are woken as asked for, and the count is true.
void
futex_wakes_as_many_as_told(void)
{
  struct thread *t[8];
  int other, n = 0;
  word = 5;
  for (int i = 0; i < COUNT(t); i++)
    t[i] = start(t_sleep, 5);
  pause(3); // all of them sleep by now; if not, the rest of the test waits for them
  CHECK(futex(&other, FUTEX_WAKE, 100) == 0);
  while (n < 3)
    n += futex(&word, FUTEX_WAKE, 3 - n);
  pause(2);
  CHECK(n == 3 && released == 3);
  while (n < COUNT(t))
    n += futex(&word, FUTEX_WAKE, 100);
  for (int i = 0; i < COUNT(t); i++)
    CHECK(finish(t[i]) == 0);
  CHECK(n == COUNT(t) && released == COUNT(t));
  CHECK(futex(&word, FUTEX_WAKE, 100) == 0);
}

static void
wake_same_address(uint64 unused)
{
  (void)unused;
  CHECK(futex(&word, FUTEX_WAKE, 100) == 0);
}

// Private memory of a child is another word, though it is still the same frame.
void
futex_is_private(void)
{
  word = 5;
  struct thread *t = start(t_sleep, 5);
  pause(2);
  LIVES(wake_same_address, 0);
  while (futex(&word, FUTEX_WAKE, 1) == 0)
    ;
  CHECK(finish(t) == 0);
}

static int *shared;

static void
sleep_for_shared(uint64 value)
{
  CHECK(futex(shared, FUTEX_WAIT, (int)value) == 0);
}

// The same word of shared memory, wherever processes have it: between them, and from one range to
// another in one process.
static void
wake_across(int flags, int fd)
{
  shared = mmap(0, PGSIZE, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
  CHECK(shared != MAP_FAILED);
  *shared = 7;
  for (int i = 0; i < 2; i++)
    spawn(sleep_for_shared, 7);
  int *view = fd < 0 ? shared : mmap(0, PGSIZE, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(view != MAP_FAILED);
  for (int n = 0; n < 2;) {
    CHECK(futex(shared + 1, FUTEX_WAKE, 5) == 0);
    n += futex(view, FUTEX_WAKE, 1);
  }
  reap_all(2);
  CHECK(futex(shared, FUTEX_WAKE, 9) == 0);
  CHECK(munmap(shared, PGSIZE) == 0);
}

void
futex_of_shared_memory(void)
{
  wake_across(MAP_ANON, -1);
  int fd = create("f");
  CHECK(ftruncate(fd, PGSIZE) == 0);
  wake_across(0, fd);
}

static int ball;

static int
t_play(void *me)
{
  int mine = (uint64)me;
  for (int i = 0; i < 2000; i++) {
    int now;
    while ((now = __atomic_load_n(&ball, __ATOMIC_ACQUIRE)) % 2 != mine)
      futex(&ball, FUTEX_WAIT, now);
    __atomic_store_n(&ball, now + 1, __ATOMIC_RELEASE);
    futex(&ball, FUTEX_WAKE, 1);
  }
  return 0;
}

void
futex_ping_pong(void)
{
  struct thread *a = start(t_play, 0), *b = start(t_play, 1);
  CHECK(finish(a) == 0 && finish(b) == 0 && ball == 4000);
}

static int
t_fork_often(void *unused)
{
  (void)unused;
  while (!flag)
    CHECK(run(exit_with, 3) == 3);
  return 0;
}

// The same while forks make the page copy-on-write again and again: no wake is lost for a copy.
void
futex_ping_pong_and_forks(void)
{
  struct thread *f = start(t_fork_often, 0);
  futex_ping_pong();
  flag = 1;
  CHECK(finish(f) == 0);
}

static int counter, held;
static struct mutex mutex;
static struct cond filled, emptied;

static int
t_count(void *unused)
{
  (void)unused;
  for (int i = 0; i < 20000; i++) {
    mutex_lock(&mutex);
    held += held ? 1000 : 1;
    int now = counter;
    if (i % 500 == 0)
      pause(0);
    counter = now + 1;
    held--;
    mutex_unlock(&mutex);
  }
  return 0;
}

void
mutex_excludes(void)
{
  team(t_count);
  CHECK(counter == TEAM * 20000 && held == 0 && mutex.state == 0);
}

#define ITEMS 3000

static int queue[4], nqueued, taken[2 * ITEMS];

static int
t_produce(void *n)
{
  for (int i = 0; i < ITEMS; i++) {
    mutex_lock(&mutex);
    while (nqueued == COUNT(queue))
      cond_wait(&emptied, &mutex);
    queue[nqueued++] = (uint64)n * ITEMS + i;
    cond_signal(&filled);
    mutex_unlock(&mutex);
  }
  return 0;
}

static int
t_consume(void *unused)
{
  (void)unused;
  for (int i = 0; i < ITEMS; i++) {
    mutex_lock(&mutex);
    while (nqueued == 0)
      cond_wait(&filled, &mutex);
    taken[queue[--nqueued]]++;
    cond_signal(&emptied);
    mutex_unlock(&mutex);
  }
  return 0;
}

static int
t_queue(void *n)
{
  return (uint64)n < 2 ? t_produce(n) : t_consume(n);
}

// Two put in, two take out, through a queue of four places.
void
conditions_of_a_queue(void)
{
  team(t_queue);
  for (int i = 0; i < COUNT(taken); i++)
    CHECK(taken[i] == 1);
}

static int
t_until_told(void *unused)
{
  (void)unused;
  mutex_lock(&mutex);
  while (!flag)
    cond_wait(&filled, &mutex);
  counter++;
  mutex_unlock(&mutex);
  return 0;
}

void
conditions_told_to_all(void)
{
  struct thread *t[TEAM];
  for (int i = 0; i < TEAM; i++)
    t[i] = start(t_until_told, 0);
  pause(1);
  mutex_lock(&mutex);
  flag = 1;
  mutex_unlock(&mutex);
  cond_broadcast(&filled);
  for (int i = 0; i < TEAM; i++)
    CHECK(finish(t[i]) == 0);
  CHECK(counter == TEAM);
}

static int
t_malloc(void *n)
{
  uint seed = (uint64)n * 7919 + 1, size[16] = { 0 };
  char *block[16] = { 0 };
  for (int i = 0; i < 3000; i++) {
    seed = seed * 1103515245 + 12345;
    int k = seed >> 16 & 15;
    CHECK(same(block[k], size[k], k, (uint64)n));
    if (seed >> 8 & 1) {
      free(block[k]);
      block[k] = 0;
    }
    size[k] = 8 + (seed >> 20) % 1000;
    CHECK((block[k] = realloc(block[k], size[k])) != 0);
    fill(block[k], size[k], k, (uint64)n);
  }
  for (int k = 0; k < 16; k++)
    free(block[k]);
  return 0;
}

void
threads_use_the_heap(void)
{
  team(t_malloc);
}

// ---- too many ----

static void
raw_sleep(void *unused)
{
  static int never;
  (void)unused;
  for (;;)
    futex(&never, FUTEX_WAIT, 0);
}

static void
raw_bomb(void *unused)
{
  (void)unused;
  for (;;)
    if (clone(raw_bomb, 0, stack[1]) < 0)
      pause(1);
}

// Threads that only sleep may share a stack.
static void
clone_until_refused(uint64 unused)
{
  int n = 0;
  (void)unused;
  while (clone(raw_sleep, 0, stack[1]) > 0)
    n++;
  CHECK(errno == EAGAIN || errno == ENOMEM);
  CHECK(n > 20 && n < NPROC);
  CHECK(fork() == -1 && (errno == EAGAIN || errno == ENOMEM));
}

void
threads_until_it_fails(void)
{
  LIVES(clone_until_refused, 0);
  LIVES(clone_until_refused, 0);
}

static void
bomb(uint64 unused)
{
  (void)unused;
  raw_bomb(0);
}

// A process that is nothing but clones is killed like any other.
void
thread_bomb_can_be_stopped(void)
{
  int pid = spawn(bomb, 0);
  while (counts(0).procs < NPROC - NPROC_KEPT)
    pause(1);
  pause(5);
  CHECK(kill(pid) == 0);
  CHECK(reap(pid) == KILLED);
  CHECK(run(exit_with, 8) == 8);
}
