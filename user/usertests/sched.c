// SPDX-License-Identifier: MIT
// Harts are shared fairly, registers survive, clocks run.
#include "test.h"

// ---- registers ----

// clang-format off
#define EACH_X(M) \
  M(1) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) \
  M(20) M(21) M(22) M(23) M(24) M(25) M(26) M(27) M(28) M(29) M(30) M(31)
#define EACH_F(M) \
  M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15) M(16) \
  M(17) M(18) M(19) M(20) M(21) M(22) M(23) M(24) M(25) M(26) M(27) M(28) M(29) M(30) M(31)
// clang-format on
#define LOAD_X(n)  "ld x" #n ", 8*" #n "(tp)\n"
#define STORE_X(n) "sd x" #n ", 256+8*" #n "(tp)\n"
#define LOAD_F(n)  "fld f" #n ", 8*" #n "(%1)\n"
#define STORE_F(n) "fsd f" #n ", 256+8*" #n "(%1)\n"
#define NAME_F(n)  , "f" #n

// What a function must give back as it found it, and gp and tp.
#define EACH_KEPT(M) \
  M(1, 0)            \
  M(3, 1)            \
  M(4, 2)            \
  M(8, 3)            \
  M(9, 4)            \
  M(18, 5) M(19, 6) M(20, 7) M(21, 8) M(22, 9) M(23, 10) M(24, 11) M(25, 12) M(26, 13) M(27, 14)
#define KEEP(n, at)      "sd x" #n ", 8*" #at "(sp)\n"
#define GIVE_BACK(n, at) "ld x" #n ", 8*" #at "(sp)\n"

// Defines name(x, n): fill the registers from x[0..31], do the middle, store them in x[32..63]. sp,
// gp and tp are in use meanwhile; the middle may count gp down from n.
#define AROUND(name, middle)                                                                      \
  void name(uint64 *x, uint64 n);                                                                 \
  asm(".text\n" #name ":\n addi sp, sp, -128\n" EACH_KEPT(KEEP) "mv tp, a0\n mv gp, a1\n" EACH_X( \
      LOAD_X) middle EACH_X(STORE_X) EACH_KEPT(GIVE_BACK) "addi sp, sp, 128\n ret\n")

AROUND(spin_with, "1: addi gp, gp, -1\n bnez gp, 1b\n");
AROUND(call_with, "ecall\n");

static void
check_x(const uint64 *x, int skip_a0)
{
  for (int i = 1; i < 32; i++)
    if (i != 2 && i != 3 && i != 4 && !(skip_a0 && i == 10))
      CHECK(x[i] == x[32 + i]);
}

static void
new_values(uint64 *x, uint64 seed)
{
  for (uint64 i = 0; i < 32; i++)
    x[i] = seed * 0x9e3779b97f4a7c15 + i * 0x1000100010001;
}

// A system call changes a0 and no other register when it succeeds.
void
registers_survive_calls(void)
{
  uint64 x[64];
  for (int i = 0; i < 200; i++) {
    new_values(x, i + 1);
    x[17] = i & 1 ? SYS_getpid : SYS_uptime;
    call_with(x, 0);
    check_x(x, 1);
    CHECK(x[17] == SYS_uptime || (int)x[32 + 10] == getpid());
  }
}

static void
spin_and_check(uint64 seed)
{
  uint64 x[64];
  for (int i = 0; i < 60; i++) {
    new_values(x, seed * 100 + i);
    spin_with(x, 400000);
    check_x(x, 0);
  }
}

// More of them than harts: the timer takes turns.
void
registers_survive_the_timer(void)
{
  crowd(6, spin_and_check);
}

static void __attribute__((noinline)) spin_with_f(uint64 *f)
{
  uint64 n = 200000;
  asm volatile(EACH_F(LOAD_F) "1: addi %0, %0, -1\n bnez %0, 1b\n" EACH_F(STORE_F)
               : "+r"(n)
               : "r"(f)
               : "memory" EACH_F(NAME_F));
}

static void
spin_f_and_check(uint64 seed)
{
  uint64 f[64], rounding;
  asm volatile("fsrm %0" : : "r"(seed % 5));
  for (int i = 0; i < 60; i++) {
    new_values(f, seed * 1000 + i);
    spin_with_f(f);
    CHECK(memcmp(f, f + 32, 256) == 0);
    if (i % 8 == 0)
      getpid();
    asm volatile("frrm %0" : "=r"(rounding));
    CHECK(rounding == seed % 5);
  }
}

// Floating-point registers and the rounding mode belong to a process.
void
float_registers_survive(void)
{
  crowd(6, spin_f_and_check);
}

static double
series(int terms)
{
  double sum = 0;
  for (int i = 0; i < terms; i++)
    sum += (i & 1 ? -4.0 : 4.0) / (2 * i + 1);
  return sum;
}

static double alone;

static void
same_series(uint64 n)
{
  for (int i = 0; i < 10; i++) {
    if (i == (int)n)
      pause(1);
    CHECK(series(50000) == alone);
  }
}

// Sums come out the same, whoever else calculates.
void
float_sums_are_right(void)
{
  alone = series(50000);
  CHECK(alone > 3.1415 && alone < 3.1416);
  crowd(5, same_series);
}

// fork copies them.
void
float_registers_are_forked(void)
{
  uint64 f[64], seen;
  new_values(f, 5);
  asm volatile("fld fs3, 0(%0)" : : "r"(f) : "fs3");
  int pid = fork();
  asm volatile("fmv.x.d %0, fs3" : "=r"(seen));
  CHECK(seen == f[0]);
  if (pid == 0)
    exit(0);
  CHECK(reap(pid) == 0);
}

// ---- sharing ----

static void
check_alive(uint64 unused)
{
  (void)unused;
  CHECK(getpid() > 0);
}

// Programs that never call the kernel do not stop the others.
void
loops_do_not_stop_others(void)
{
  int pid[10], n = (int)counts(0).harts + 2, start = uptime();
  for (int i = 0; i < n; i++)
    pid[i] = spawn(spin, 0);
  for (int i = 0; i < 3; i++) {
    pause(1);
    LIVES(check_alive, 0);
  }
  CHECK(uptime() - start < 30 * TICKS_HZ);
  for (int i = 0; i < n; i++) {
    CHECK(kill(pid[i]) == 0);
    CHECK(reap(pid[i]) == KILLED);
  }
}

// All of them get somewhere, not only some.
static void
count_turns(uint64 n)
{
  volatile uint64 *word = (uint64 *)buf;
  int fd = open("turns", O_RDWR), end = uptime() + 5;
  *word = 0;
  while (uptime() < end)
    (*word)++;
  CHECK(lseek(fd, n * 8, SEEK_SET) == (int64)n * 8);
  put(fd, buf, 8);
}

void
loops_share_the_harts(void)
{
  uint64 turns[12];
  int n = (int)counts(0).harts + 2;
  make("turns", 0, sizeof(turns));
  crowd(n, count_turns);
  int fd = open("turns", O_RDONLY);
  get(fd, turns, n * 8);
  uint64 sum = 0;
  for (int i = 0; i < n; i++)
    sum += turns[i];
  for (int i = 0; i < n; i++)
    CHECK(turns[i] * 100 * n > sum); // the host has its part in it
}

// Waiting instructions do not stall a hart: they may be refused, or end by themselves.
static void
wait_for_nothing(uint64 which)
{
  for (;;)
    if (which)
      asm volatile(".word 0x00d00073"); // wrs.nto
    else
      asm volatile("wfi");
}

void
waiting_instructions_stall_nobody(void)
{
  int pid[16], n = 2 * (int)counts(0).harts;
  for (int which = 0; which < 2; which++) {
    for (int i = 0; i < n; i++)
      pid[i] = spawn(wait_for_nothing, which);
    int start = uptime();
    pause(3);
    CHECK(uptime() - start < 30 * TICKS_HZ);
    for (int i = 0; i < n; i++)
      kill(pid[i]); // if it has not died of it
    for (int i = 0; i < n; i++) {
      int status;
      CHECK(wait(&status) > 0 && status == KILLED);
    }
  }
}

// ---- clocks ----

void
pause_takes_its_time(void)
{
  uint64 start = micros();
  int t = uptime();
  CHECK(pause(4) == 0);
  uint64 took = micros() - start;
  CHECK(took >= 200000 && took < 30000000);
  CHECK(uptime() - t >= 3);
  CHECK(pause(0) == 0);
  int got = pause(-1);
  CHECK(got == 0 || (got == -1 && errno == EINVAL));
  CHECK(uptime() - t < 300);
}

void
uptime_goes_on(void)
{
  int last = uptime();
  uint64 lastus = micros();
  for (int i = 0; i < 3000; i++) {
    int now = uptime();
    uint64 us = micros();
    CHECK(now >= last && us >= lastus);
    last = now;
    lastus = us;
  }
  int64 apart = (int64)(micros() / 100000) - uptime();
  CHECK(apart > -100 && apart < 100);
}

static void
sleep_some(uint64 n)
{
  for (int i = 0; i < 3; i++)
    CHECK(pause(1 + (int)(n + i) % 3) == 0);
}

// Everybody sleeps, and everybody is woken.
void
all_asleep(void)
{
  crowd(20, sleep_some);
}

static void
sleep_long(uint64 n)
{
  int start = uptime();
  pause((int)n);
  CHECK(uptime() - start >= (int)n - 1);
}

void
sleepers_wake_in_order(void)
{
  int later = spawn(sleep_long, 8), sooner = spawn(sleep_long, 1);
  CHECK(wait(0) == sooner);
  CHECK(wait(0) == later);
}

// An idle hart notices at once when there is something to do, and not only when its timer comes
// next, up to 10 ms later. The fastest of many attempts counts: the host may be busy with other
// things.
#define PROMPT 25000 // microseconds for ten waits: half of what ten timers would take on average

void
wakeups_are_prompt(void)
{
  int to[2], from[2];
  uint64 best = -1UL;
  char c = 0;
  CHECK(pipe(to) == 0 && pipe(from) == 0);
  int pid = fork();
  if (pid == 0) {
    close(to[1]);
    while (read(to[0], &c, 1) == 1)
      put(from[1], &c, 1);
    exit(0);
  }
  for (int i = 0; i < 40; i++) {
    uint64 start = micros();
    for (int k = 0; k < 10; k++) {
      put(to[1], &c, 1);
      get(from[0], &c, 1);
    }
    uint64 took = micros() - start;
    best = took < best ? took : best;
  }
  CHECK(best < PROMPT);
  close(to[1]);
  CHECK(reap(pid) == 0);
}

void
disk_reads_are_prompt(void)
{
  uint64 best = -1UL;
  make("f", 3, 400 * PGSIZE);
  int fd = open("f", O_RDONLY);
  counts(SI_DROP);
  for (int i = 0; i < 40; i++) {
    uint64 start = micros();
    for (int k = 0; k < 10; k++) {
      CHECK(lseek(fd, (i * 10 + k) * 277 % 400 * PGSIZE, SEEK_SET) >= 0);
      get(fd, buf, 10);
    }
    uint64 took = micros() - start;
    best = took < best ? took : best;
  }
  CHECK(best < PROMPT);
}
