// SPDX-License-Identifier: MIT
// Rows about pipes. A child is at the other end of both.
#include "bench.h"

static int to[2], from[2];
static char buf[4 * KIB];

static void
child(void (*serve)(void))
{
  need(pipe(to) == 0 && pipe(from) == 0, "pipe");
  if (fork_or_end() == 0) {
    close(to[1]);
    close(from[0]);
    serve();
    exit(0);
  }
  close(to[0]);
  close(from[1]);
}

static void
hang_up(int n)
{
  (void)n;
  close(to[1]);
  close(from[0]);
  reap();
}

static void
echo(void)
{
  char c;
  while (read(to[0], &c, 1) == 1)
    write(from[1], &c, 1);
}

static void
start_echo(int n)
{
  (void)n;
  child(echo);
}

static void
ping_pong(int n)
{
  char c = 'x';
  while (n-- > 0) {
    write(to[1], &c, 1);
    read(from[0], &c, 1);
  }
}

// Swallows, and says when it has swallowed 64 KiB.
static void
swallow(void)
{
  int n, sum = 0;
  while ((n = read(to[0], buf, sizeof(buf))) > 0)
    if ((sum += n) == 64 * KIB) {
      write(from[1], buf, 1);
      sum = 0;
    }
}

static void
start_swallow(int n)
{
  (void)n;
  child(swallow);
}

static void
pour(int n, int chunk)
{
  char c;
  while (n-- > 0) {
    for (int sum = 0; sum < 64 * KIB; sum += chunk)
      need(write(to[1], buf, chunk) == chunk, "write to a pipe");
    read(from[0], &c, 1);
  }
}

static void
pour512(int n)
{
  pour(n, 512);
}

static void
pour4096(int n)
{
  pour(n, 4 * KIB);
}

const struct row pipe_rows[] = {
  { "pingpong", "pipe, one byte there and back between two processes", start_echo, ping_pong,
    hang_up, 100, 1 },
  { "pipe512", "pipe, per KiB in 512-byte writes", start_swallow, pour512, hang_up, 4, 64 },
  { "pipe4k", "pipe, per KiB in 4 KiB writes", start_swallow, pour4096, hang_up, 4, 64 },
  { 0 },
};
