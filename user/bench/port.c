// SPDX-License-Identifier: MIT
// What Quire and Linux do in different ways: see port.h.
#include "bench.h"

#ifdef __linux__

void
costs_now(struct costs *c)
{
  memset(c, 0, sizeof(*c));
}

void
drop_cache(void)
{
  int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
  sync();
  need(fd >= 0 && write(fd, "3", 1) == 1, "drop_caches");
  close(fd);
}

uint64
frames_in_use(void)
{
  return 0;
}

uint64
memory_mib(void)
{
  return sysconf(_SC_PHYS_PAGES) / 256;
}

void
remove_dir(const char *name)
{
  rmdir(name);
}

void
start_swap(void)
{
}

int
reclaim(int pages)
{
  return pages;
}

// Linux has no such call: the pages are touched.
char *
grow_eager(uint64 size)
{
  char *p = sbrk(size);
  for (uint64 i = 0; p != SBRK_ERROR && i < size; i += PAGE)
    p[i] = 1;
  return p;
}

// exit() is _exit() here, which forgets what was printed.
__attribute__((constructor)) static void
print_at_once(void)
{
  setvbuf(stdout, 0, _IONBF, 0);
}

#else

void
costs_now(struct costs *c)
{
  static struct vmstat vs;
  need(vmstat(&vs) == 0, "vmstat");
  *c = (struct costs){ .satp = vs.all.satp_writes,
                       .fences = vs.all.fences,
                       .switches = vs.all.switches,
                       .disk = vs.all.disk_reads + vs.all.disk_writes,
                       .contended = vs.all.contended,
                       .idle = vs.all.idle };
}

static struct sysinfo
info(int flags)
{
  struct sysinfo si;
  need(sysinfo(&si, flags) == 0, "sysinfo");
  return si;
}

void
drop_cache(void)
{
  info(SI_DROP);
}

uint64
frames_in_use(void)
{
  struct sysinfo si = info(0);
  return si.frames - si.boot - si.free - (si.cache - si.dirty);
}

uint64
memory_mib(void)
{
  return info(0).frames / 256;
}

void
remove_dir(const char *name)
{
  unlink(name);
}

void
start_swap(void)
{
  static struct vmstat vs;
  need(vmstat(&vs) == 0, "vmstat");
  need(vs.slots > 0 || vmctl(VMCTL_SWAP, 1) == 0, "swap");
}

int
reclaim(int pages)
{
  return vmctl(VMCTL_RECLAIM, pages);
}

char *
grow_eager(uint64 size)
{
  return sbrk(size);
}

#endif
