// SPDX-License-Identifier: MIT
// Pipes: bytes in order, ends that close, readers and writers that die.
#include "test.h"

static int in, out;

static void
new_pipe(void)
{
  int p[2];
  CHECK(pipe(p) == 0);
  in = p[0];
  out = p[1];
  CHECK(in != out && in > 2 && out > 2);
}

void
pipe_carries_bytes(void)
{
  new_pipe();
  put(out, "hello", 5);
  CHECK(read(in, buf, 100) == 5);
  CHECK(memcmp(buf, "hello", 5) == 0);
  put(out, "abcdef", 6);
  CHECK(read(in, buf, 2) == 2 && buf[0] == 'a');
  CHECK(read(in, buf, 100) == 4 && buf[3] == 'f');
}

#define TOTAL 300000

static void
send_pattern(uint64 step)
{
  close(in);
  for (uint at = 0; at < TOTAL; at += step) {
    uint n = TOTAL - at < step ? TOTAL - at : (uint)step;
    fill(buf, n, 3, at);
    put(out, buf, n);
  }
}

// Any sizes of writes, any sizes of reads: the same bytes, then the end.
void
pipe_sizes_of_all_kinds(void)
{
  static const uint writes[] = { 1013, 4096, 60000, 511 }, reads[] = { 333, 5000, 65536, 512 };
  for (int i = 0; i < COUNT(writes); i++) {
    new_pipe();
    int pid = spawn(send_pattern, writes[i]), got;
    uint at = 0;
    close(out);
    while ((got = read(in, buf, reads[i])) > 0) {
      CHECK(same(buf, got, 3, at));
      at += got;
    }
    CHECK(got == 0 && at == TOTAL);
    CHECK(reap(pid) == 0);
    close(in);
  }
}

void
pipe_byte_by_byte(void)
{
  new_pipe();
  for (int i = 0; i < 2000; i++) {
    char c = (char)i, d;
    put(out, &c, 1);
    get(in, &d, 1);
    CHECK(c == d);
  }
}

void
pipe_ends_when_writers_are_gone(void)
{
  new_pipe();
  int second = dup(out);
  put(out, "xy", 2);
  close(out);
  CHECK(read(in, buf, 1) == 1);
  close(second);
  CHECK(read(in, buf, 10) == 1);
  CHECK(read(in, buf, 10) == 0);
  CHECK(read(in, buf, 10) == 0);
}

void
pipe_without_readers(void)
{
  new_pipe();
  close(in);
  FAILS(write(out, "x", 1), EPIPE);
  FAILS(write(out, buf, 10000), EPIPE);
}

static void
write_too_much(uint64 unused)
{
  (void)unused;
  close(in);
  int got = 0;
  for (int i = 0; i < 100 && got >= 0; i++)
    got = write(out, buf, 60000);
  CHECK(got == -1 && errno == EPIPE);
}

// A writer that waits for room hears that the reader has gone.
void
pipe_reader_goes_while_writer_waits(void)
{
  for (int i = 0; i < 10; i++) {
    new_pipe();
    int pid = spawn(write_too_much, 0);
    close(out);
    await(pid, ASLEEP);
    if (i & 1)
      get(in, buf, 100);
    close(in);
    CHECK(reap(pid) == 0);
  }
}

static void
read_the_end(uint64 unused)
{
  (void)unused;
  close(out);
  CHECK(read(in, buf, 1) == 0);
}

void
pipe_writer_goes_while_reader_waits(void)
{
  for (int i = 0; i < 10; i++) {
    new_pipe();
    int pid = spawn(read_the_end, 0);
    close(in);
    await(pid, ASLEEP);
    close(out);
    CHECK(reap(pid) == 0);
  }
}

static void
write_for_ever(uint64 unused)
{
  (void)unused;
  close(in);
  for (;;)
    write(out, buf, 5000);
}

// A writer killed in the middle: the reader gets what was written, then the end.
void
pipe_writer_killed(void)
{
  for (int i = 0; i < 10; i++) {
    new_pipe();
    int pid = spawn(write_for_ever, 0);
    close(out);
    get(in, buf, 1000);
    await(pid, ASLEEP);
    CHECK(kill(pid) == 0);
    CHECK(reap(pid) == KILLED);
    while (read(in, buf, BUFSZ) > 0)
      ;
    CHECK(read(in, buf, 1) == 0);
    close(in);
  }
}

static void
read_for_ever(uint64 unused)
{
  (void)unused;
  close(out);
  for (;;)
    read(in, buf, 10);
}

void
pipe_reader_killed(void)
{
  new_pipe();
  int pid = spawn(read_for_ever, 0);
  close(in);
  await(pid, ASLEEP);
  CHECK(kill(pid) == 0);
  CHECK(reap(pid) == KILLED);
  FAILS(write(out, "x", 1), EPIPE);
}

#define RECORD 64

static void
send_records(uint64 who)
{
  char record[RECORD];
  close(in);
  memset(record, 'a' + (int)who, RECORD);
  for (int i = 0; i < 150; i++)
    put(out, record, RECORD);
}

// Short writes of several processes do not mix.
void
pipe_short_writes_are_whole(void)
{
  int count[4] = { 0 };
  new_pipe();
  for (int i = 0; i < 4; i++)
    spawn(send_records, i);
  close(out);
  for (int i = 0; i < 4 * 150; i++) {
    get(in, buf, RECORD);
    for (int k = 1; k < RECORD; k++)
      CHECK(buf[k] == buf[0]);
    count[buf[0] - 'a']++;
  }
  CHECK(read(in, buf, 1) == 0);
  reap_all(4);
  for (int i = 0; i < 4; i++)
    CHECK(count[i] == 150);
}

static int taken;

static void
take_bytes(uint64 unused)
{
  char c;
  int n = 0;
  (void)unused;
  close(out);
  while (read(in, &c, 1) == 1)
    n++;
  put(taken, &n, sizeof(n));
}

// Several readers: each byte goes to one of them.
void
pipe_with_several_readers(void)
{
  int n[4];
  new_pipe();
  taken = create("taken");
  for (int i = 0; i < 4; i++)
    spawn(take_bytes, i);
  close(in);
  for (int i = 0; i < 20; i++)
    put(out, buf, 300);
  close(out);
  reap_all(4);
  CHECK(lseek(taken, 0, SEEK_SET) == 0);
  get(taken, n, sizeof(n));
  CHECK(n[0] + n[1] + n[2] + n[3] == 6000);
}

void
pipe_ends_have_a_direction(void)
{
  struct stat st;
  new_pipe();
  FAILS(read(out, buf, 1), EBADF);
  FAILS(write(in, buf, 1), EBADF);
  FAILS(lseek(in, 0, SEEK_SET), ESPIPE);
  FAILS(lseek(out, 0, SEEK_CUR), ESPIPE);
  FAILS(ftruncate(out, 0), EINVAL);
  FAILS(fsync(out), EINVAL);
  FAILS(fstat(in, &st), EINVAL);
  FAILS(fstat(out, &st), EINVAL);
}

// A bad pointer loses no byte that waits.
void
pipe_bad_reader_loses_nothing(void)
{
  new_pipe();
  put(out, "precious", 8);
  FAILS(read(in, (void *)KERNBASE, 8), EFAULT);
  FAILS(read(in, (void *)0x1000, 8), EFAULT);
  FAILS(read(in, 0, 1), EFAULT);
  FAILS(read(in, heap_edge() - 3, 8), EFAULT);
  get(in, buf, 8);
  CHECK(memcmp(buf, "precious", 8) == 0);
}

void
pipe_without_room_for_descriptors(void)
{
  int p[2], n = 0, fds = open_fds();
  while (dup(1) >= 0)
    n++;
  CHECK(errno == EMFILE && n == NOFILE - fds);
  FAILS(pipe(p), EMFILE);
  close(NOFILE - 1);
  FAILS(pipe(p), EMFILE);
  CHECK(dup(1) == NOFILE - 1);
  close(NOFILE - 1);
  close(NOFILE - 2);
  CHECK(pipe(p) == 0);
  close(p[0]);
  FAILS(pipe((int *)USERTOP), EFAULT);
  CHECK(dup(1) == p[0]);
}

// Copies in to a new pipe in a child, and makes that pipe the next in.
static void
add_stage(void)
{
  int from = in, got;
  new_pipe();
  int pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    close(in);
    while ((got = read(from, buf, 100)) > 0)
      put(out, buf, got);
    exit(0);
  }
  close(from);
  close(out);
}

static void
send_and_close(uint64 unused)
{
  (void)unused;
  close(in);
  for (uint at = 0; at < 20000; at += 1000) {
    fill(buf, 1000, 5, at);
    put(out, buf, 1000);
  }
}

// A chain of processes, each passing on what it gets.
void
pipe_chain(void)
{
  new_pipe();
  spawn(send_and_close, 0);
  close(out);
  for (int i = 0; i < 8; i++)
    add_stage();
  for (uint at = 0; at < 20000; at += 1000) {
    get(in, buf, 1000);
    CHECK(same(buf, 1000, 5, at));
  }
  CHECK(read(in, buf, 1) == 0);
  reap_all(9);
}
