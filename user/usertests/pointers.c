// SPDX-License-Identifier: MIT
// Pointers and lengths that make no sense, for every call that takes some: EFAULT, and nothing
// half done.
#include "test.h"

// No program may read or write there.
static const uint64 nowhere[] = {
  0,
  1,
  8,
  PGSIZE - 1,
  0x80000000,
  0xffffffff,
  0x100000000, // where RAM is for the machine; 32-bit edges
  MMAPTOP,
  STACKBASE - PGSIZE,
  STACKBASE - 1, // the gap below the stack
  STACKTOP,
  USERTOP,
  USERTOP + 8,
  MAXVA - PGSIZE,
  MAXVA - 1,
  MAXVA,
  1UL << 39,
  1UL << 40,
  1UL << 63,
  KERNBASE,
  KERNBASE + RAMBASE,
  KERNBASE + UART0,
  KSTACKS,
  KSTACKS + KSTACK_SLOT - 8,
  -(uint64)PGSIZE,
  -16UL,
  -8UL,
  -1UL,
};

static const char rodata[] = "this cannot be written";
static int file;              // open for both, at offset 0, a page of the pattern
static int in_pipe, out_pipe; // the pipe has data

struct call {
  const char *name;
  int64 (*on)(uint64);
};

static int64
p_write(uint64 p)
{
  return write(file, (void *)p, 16);
}
static int64
p_write_page(uint64 p)
{
  return write(file, (void *)p, 3 * PGSIZE);
}
static int64
p_write_pipe(uint64 p)
{
  return write(out_pipe, (void *)p, 16);
}
static int64
p_write_console(uint64 p)
{
  return write(1, (void *)p, 16);
}
static int64
p_open(uint64 p)
{
  return open((char *)p, O_RDONLY);
}
static int64
p_creat(uint64 p)
{
  return open((char *)p, O_CREATE | O_RDWR);
}
static int64
p_unlink(uint64 p)
{
  return unlink((char *)p);
}
static int64
p_mkdir(uint64 p)
{
  return mkdir((char *)p);
}
static int64
p_mknod(uint64 p)
{
  return mknod((char *)p, CONSOLE, 0);
}
static int64
p_chdir(uint64 p)
{
  return chdir((char *)p);
}
static int64
p_link_old(uint64 p)
{
  return link((char *)p, "x");
}
static int64
p_link_new(uint64 p)
{
  return link("f", (char *)p);
}
static int64
p_exec_path(uint64 p)
{
  char *a[] = { "x", 0 };
  return exec((char *)p, a);
}
static int64
p_exec_argv(uint64 p)
{
  return exec(SELF, (char **)p);
}

// 0 would end the list; all other addresses are the argument's.
static int64
p_exec_arg(uint64 p)
{
  char *a[] = { "@args", (char *)(p ? p : 8), 0 };
  return exec(SELF, a);
}

static const struct call readers[] = {
  { "write", p_write },
  { "write of pages", p_write_page },
  { "write to a pipe", p_write_pipe },
  { "write to the console", p_write_console },
  { "open", p_open },
  { "open O_CREATE", p_creat },
  { "unlink", p_unlink },
  { "mkdir", p_mkdir },
  { "mknod", p_mknod },
  { "chdir", p_chdir },
  { "link, old name", p_link_old },
  { "link, new name", p_link_new },
  { "exec, path", p_exec_path },
  { "exec, argv", p_exec_argv },
  { "exec, argument", p_exec_arg },
};

static int64
p_read(uint64 p)
{
  return read(file, (void *)p, 16);
}
static int64
p_read_page(uint64 p)
{
  return read(file, (void *)p, PGSIZE);
}
static int64
p_read_pipe(uint64 p)
{
  return read(in_pipe, (void *)p, 4);
}
static int64
p_pipe(uint64 p)
{
  return pipe((int *)p);
}
static int64
p_fstat(uint64 p)
{
  return fstat(file, (struct stat *)p);
}
static int64
p_procs(uint64 p)
{
  return procs((struct procinfo *)p, 1);
}
static int64
p_sysinfo(uint64 p)
{
  return sysinfo((struct sysinfo *)p, 0);
}

static const struct call writers[] = {
  { "read", p_read },
  { "read of a page", p_read_page },
  { "read from a pipe", p_read_pipe },
  { "pipe", p_pipe },
  { "fstat", p_fstat },
  { "procs", p_procs },
  { "sysinfo", p_sysinfo },
};

static void
set_up(void)
{
  int p[2];
  make("f", 1, PGSIZE);
  file = open("f", O_RDWR);
  CHECK(file >= 0 && pipe(p) == 0);
  in_pipe = p[0];
  out_pipe = p[1];
  put(out_pipe, "data", 4);
}

// The file, its offset, the pipe and the descriptors are as set_up() left them.
static void
check_untouched(int fds)
{
  char four[4];
  CHECK(lseek(file, 0, SEEK_CUR) == 0);
  get(in_pipe, four, 4);
  CHECK(memcmp(four, "data", 4) == 0);
  close(out_pipe);
  CHECK(read(in_pipe, four, 1) == 0);
  holds("f", 1, PGSIZE);
  CHECK(open_fds() == fds - 1);
}

static void
each_must_fault(const struct call *calls, int ncalls, const uint64 *where, int nwhere)
{
  char text[80];
  for (int c = 0; c < ncalls; c++)
    for (int i = 0; i < nwhere; i++) {
      int64 got = calls[c].on(where[i]);
      if (got == -1 && errno == EFAULT)
        continue;
      snprintf(text, sizeof(text), "%s at 0x%lx is EFAULT: it gave %ld", calls[c].name, where[i],
               got);
      broken(__FILE__, __LINE__, text);
    }
}

void
pointers_read_by_calls(void)
{
  set_up();
  int fds = open_fds();
  each_must_fault(readers, COUNT(readers), nowhere, COUNT(nowhere));
  check_untouched(fds);
  CHECK(!exists("x"));
}

void
pointers_written_by_calls(void)
{
  set_up();
  int fds = open_fds();
  each_must_fault(writers, COUNT(writers), nowhere, COUNT(nowhere));
  check_untouched(fds);
}

// What a program may read but not write: a call may not either.
void
pointers_to_readonly_memory(void)
{
  uint64 fixed[] = { 0x1000, (uint64)p_read & ~15UL, (uint64)rodata, UTICKS, UPIDPAGE };
  uint first = *(uint *)p_read;
  set_up();
  int fds = open_fds();
  each_must_fault(writers, COUNT(writers), fixed, COUNT(fixed));
  CHECK(*(uint *)p_read == first);
  CHECK(strcmp(rodata, "this cannot be written") == 0);
  check_untouched(fds);
}

// But a call may read it.
void
pointers_to_text_can_be_read(void)
{
  int fd = create("g");
  put(fd, (void *)p_read, 64);
  put(fd, rodata, sizeof(rodata));
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  get(fd, buf, 64);
  CHECK(memcmp(buf, (void *)p_read, 64) == 0);
}

// wait() with a bad pointer does not lose the child. 0 means that nobody wants to know.
void
pointers_for_wait(void)
{
  int status = 99;
  uint64 text[] = { 0x1000, (uint64)rodata };
  int pid = spawn(exit_with, 5);
  for (int i = 1; i < COUNT(nowhere); i++)
    FAILS(wait((int *)nowhere[i]), EFAULT);
  for (int i = 0; i < COUNT(text); i++)
    FAILS(wait((int *)text[i]), EFAULT);
  CHECK(wait(&status) == pid && status == 5);
  pid = spawn(exit_with, 6);
  CHECK(wait(0) == pid);
}

void
pointers_of_consctl(void)
{
  for (int i = 0; i < COUNT(nowhere); i++)
    FAILS(consctl(CONS_FILL, nowhere[i]), EFAULT);
  FAILS(consctl(0, 0), EINVAL);
  FAILS(consctl(99, 0), EINVAL);
  FAILS(consctl(-1, 0), EINVAL);
}

static const int sizes[] = { -1, -2, -PGSIZE, -0x7fffffff - 1, 0x7fffffff, 0x40000000 };

void
lengths_negative_or_huge(void)
{
  set_up();
  int fds = open_fds();
  char *end = heap_edge();
  for (int i = 0; i < COUNT(sizes); i++) {
    int err = sizes[i] < 0 ? EINVAL : EFAULT;
    FAILS(read(file, end - PGSIZE, sizes[i]), err);
    FAILS(write(file, end - PGSIZE, sizes[i]), err);
    FAILS(read(in_pipe, end - PGSIZE, sizes[i]), err);
    FAILS(write(out_pipe, end - PGSIZE, sizes[i]), err);
    FAILS(write(1, end - PGSIZE, sizes[i]), err);
  }
  check_untouched(fds);
}

void
lengths_of_zero(void)
{
  set_up();
  int fds = open_fds();
  CHECK(read(file, buf, 0) == 0);
  CHECK(write(file, buf, 0) == 0);
  CHECK(write(out_pipe, buf, 0) == 0);
  CHECK(write(1, buf, 0) == 0);
  check_untouched(fds);
}

// A buffer whose second half is not there: nothing is read, nothing is written.
void
buffer_half_mapped(void)
{
  set_up();
  int fds = open_fds();
  char *end = heap_edge();
  fill(end - 10, 10, 9, 0);
  FAILS(write(file, end - 10, 20), EFAULT);
  FAILS(write(out_pipe, end - 10, 20), EFAULT);
  FAILS(read(file, end - 10, 20), EFAULT);
  FAILS(read(in_pipe, end - 3, 4), EFAULT);
  CHECK(same(end - 10, 10, 9, 0));
  FAILS(pipe((int *)(end - 4)), EFAULT);
  FAILS(fstat(file, (struct stat *)(end - 4)), EFAULT);
  FAILS(sysinfo((struct sysinfo *)(end - 8), 0), EFAULT);
  FAILS(procs((struct procinfo *)(end - 8), 1), EFAULT);
  FAILS(read(file, end - PGSIZE, PGSIZE + 1), EFAULT);
  check_untouched(fds);
}

// A bad write allocates no block: the file stays empty, and the disk has what it had.
void
buffer_bad_allocates_nothing(void)
{
  int fd = create("g");
  uint64 was = counts(SI_DROP).bfree;
  for (int i = 0; i < 50; i++) {
    FAILS(write(fd, (void *)USERTOP, 8192), EFAULT);
    FAILS(write(fd, heap_edge() - 100, 8192), EFAULT);
  }
  CHECK(look("g").size == 0);
  CHECK(counts(SI_DROP).bfree == was);
}

// A string that runs into the end of the heap; one whose zero is the last byte of it.
void
strings_at_the_edge(void)
{
  char *end = heap_edge();
  memset(end - 4, 'a', 4);
  FAILS(open(end - 4, O_CREATE | O_RDWR), EFAULT);
  FAILS(mkdir(end - 4), EFAULT);
  FAILS(unlink(end - 4), EFAULT);
  FAILS(chdir(end - 4), EFAULT);
  FAILS(link(end - 4, "x"), EFAULT);
  char *bad[] = { "@args", end - 4, 0 };
  FAILS(exec(SELF, bad), EFAULT);
  end[-1] = 0;
  CHECK(mkdir(end - 4) == 0);
  CHECK(exists("aaa"));
}

static void
argv_at_the_edge(uint64 slots)
{
  char **argv = (char **)heap_edge() - slots;
  for (uint64 i = 0; i < slots; i++)
    argv[i] = i ? "arg" : "@args";
  exec(SELF, argv);
  CHECK(errno == EFAULT);
}

// An argv without an end.
void
exec_argv_runs_off_the_heap(void)
{
  LIVES(argv_at_the_edge, 1);
  LIVES(argv_at_the_edge, 5);
}

// Calls take a struct at any address.
void
pointers_unaligned(void)
{
  static char room[3 * PGSIZE] __attribute__((aligned(PGSIZE)));
  int ends[2], status;
  make("f", 1, 100);
  int fd = open("f", O_RDONLY);
  for (int shift = 1; shift < 8; shift += 2) {
    char *at = room + PGSIZE - shift; // across two pages
    struct stat st;
    CHECK(fstat(fd, (struct stat *)at) == 0);
    memmove(&st, at, sizeof(st));
    CHECK(st.size == 100 && st.type == T_FILE);
    CHECK(pipe((int *)at) == 0);
    memmove(ends, at, sizeof(ends));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    spawn(exit_with, 0x123);
    CHECK(wait((int *)at) > 0);
    memmove(&status, at, sizeof(status));
    CHECK(status == 0x123);
  }
}

static const int no_fds[] = { -1, -100, 9, NOFILE, NOFILE + 1, 1000, 0x7fffffff, -0x7fffffff - 1 };

void
descriptors_not_open(void)
{
  struct stat st;
  for (int i = 0; i < COUNT(no_fds); i++) {
    int fd = no_fds[i];
    FAILS(read(fd, buf, 1), EBADF);
    FAILS(write(fd, buf, 1), EBADF);
    FAILS(close(fd), EBADF);
    FAILS(dup(fd), EBADF);
    FAILS(fstat(fd, &st), EBADF);
    FAILS(lseek(fd, 0, SEEK_SET), EBADF);
    FAILS(ftruncate(fd, 0), EBADF);
    FAILS(fsync(fd), EBADF);
  }
}

// A number that no call has.
void
calls_unknown(void)
{
  static const uint64 numbers[] = { 0,         NSYSCALL,  NSYSCALL + 1, 1000,
                                    1UL << 32, 1UL << 63, -1UL,         (1UL << 32) + SYS_getpid };
  int err;
  for (int i = 0; i < COUNT(numbers); i++) {
    CHECK(raw(numbers[i], 1, 2, 3, &err) == -1);
    CHECK(err == ENOSYS);
  }
}
