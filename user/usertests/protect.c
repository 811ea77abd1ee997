// SPDX-License-Identifier: MIT
// What a program may not do with memory and with the processor. Each attempt is made by a child,
// which must die of it, and alone.
#include "test.h"

static const char rodata[64] = "constant";
static char data[64] = "data";

static void
jump(uint64 at)
{
  ((void (*)(void))at)();
}

#define RET 0x80678067 // two short instructions that return

// Room for code that returns to whoever jumps there, if it can be run.
static void
run_there(uint64 at)
{
  *(volatile uint *)at = RET;
  asm volatile("fence.i" ::: "memory");
  jump(at);
}

void
text_cannot_be_written(void)
{
  uint first = *(uint *)touch;
  DIES(touch, 0x1000);
  DIES(touch, touch);
  DIES(touch, strlen);
  DIES(touch, rodata);
  CHECK(*(uint *)touch == first);
}

void
data_cannot_be_run(void)
{
  char local[64];
  DIES(run_there, data);
  DIES(run_there, buf);
  DIES(run_there, (uint64)sbrk(PGSIZE) & ~7UL);
  DIES(run_there, (uint64)sbrklazy(PGSIZE) & ~7UL);
  DIES(run_there, PGROUNDUP((uint64)sbrk(0)) - 8);
  DIES(run_there, ((uint64)local & ~7UL) + 8);
  DIES(jump, (uint64)rodata & ~1UL);
}

void
null_is_nowhere(void)
{
  for (uint64 at = 0; at < PGSIZE; at += 1000) {
    DIES(peek, at);
    DIES(touch, at);
    DIES(jump, at);
  }
}

// No address of the kernel can be read, written or run.
void
kernel_memory_is_closed(void)
{
  static const uint64 at[] = { RAMBASE,
                               CLINT,
                               PLIC,
                               UART0,
                               VIRTIO0,
                               KERNBASE,
                               KERNBASE + UART0,
                               KERNBASE + PLIC,
                               KERNBASE + RAMBASE,
                               KERNBASE + RAMBASE + 0x200000,
                               KSTACKS,
                               KSTACKS + 0x2000,
                               KSTACKS + 0x3ff8,
                               -8UL };
  for (int i = 0; i < COUNT(at); i++) {
    DIES(peek, at[i]);
    DIES(touch, at[i]);
    DIES(jump, at[i]);
  }
}

void
addresses_beyond_the_user_half(void)
{
  static const uint64 at[] = {
    USERTOP,   MAXVA - 8, MAXVA,     MAXVA + 8,          1UL << 39,
    1UL << 40, 1UL << 56, 1UL << 63, 0x4000000000000000, 0xffffffbfffffffff & ~7UL
  };
  for (int i = 0; i < COUNT(at); i++) {
    DIES(peek, at[i]);
    DIES(touch, at[i]);
    DIES(jump, at[i]);
  }
}

// Instructions that are not for programs.
static void
i_zero(uint64 n)
{
  (void)n;
  asm volatile(".word 0");
}
static void
i_ones(uint64 n)
{
  (void)n;
  asm volatile(".word 0xffffffff");
}
static void
i_ebreak(uint64 n)
{
  (void)n;
  asm volatile("ebreak");
}
static void
i_sret(uint64 n)
{
  (void)n;
  asm volatile(".word 0x10200073");
}
static void
i_mret(uint64 n)
{
  (void)n;
  asm volatile(".word 0x30200073");
}
static void
i_sfence(uint64 n)
{
  (void)n;
  asm volatile(".word 0x12000073");
}
static void
i_sstatus(uint64 n)
{
  asm volatile("csrr %0, 0x100" : "=r"(n));
}
static void
i_satp(uint64 n)
{
  asm volatile("csrw 0x180, %0" : : "r"(n));
}
static void
i_mhartid(uint64 n)
{
  asm volatile("csrr %0, 0xf14" : "=r"(n));
}
static void
i_stimecmp(uint64 n)
{
  asm volatile("csrw 0x14d, %0" : : "r"(n));
}

void
instructions_of_the_kernel(void)
{
  static work_fn *const bad[] = { i_zero,   i_ones,    i_ebreak, i_sret,    i_mret,
                                  i_sfence, i_sstatus, i_satp,   i_mhartid, i_stimecmp };
  for (int i = 0; i < COUNT(bad); i++)
    DIES(bad[i], 0);
}

// A counter that programs may read.
void
counters_can_be_read(void)
{
  uint64 cycle, time, instret;
  asm volatile("rdcycle %0\n rdtime %1\n rdinstret %2" : "=r"(cycle), "=r"(time), "=r"(instret));
  CHECK(time != 0);
  CHECK(r_time() >= time);
}

// The kernel's two pages: to be read only.
void
kernel_pages_are_readonly(void)
{
  LIVES(peek, UTICKS);
  LIVES(peek, UPIDPAGE);
  DIES(touch, UTICKS);
  DIES(touch, UPIDPAGE);
  DIES(jump, UTICKS);
  DIES(jump, UPIDPAGE);
  DIES(peek, UPIDPAGE - PGSIZE);
}

static void
die_at(uint64 at)
{
  pause(1);
  peek(at);
}

// Several processes fault at once; a bystander goes on.
void
faults_kill_only_the_culprit(void)
{
  int bystander = spawn(loiter, 0), status;
  for (int i = 0; i < 6; i++)
    spawn(die_at, KERNBASE + i * PGSIZE);
  for (int i = 0; i < 6; i++) {
    CHECK(wait(&status) > 0);
    CHECK(status == KILLED);
  }
  CHECK(state_of(bystander) == ASLEEP);
  kill(bystander);
  CHECK(reap(bystander) == KILLED);
}
