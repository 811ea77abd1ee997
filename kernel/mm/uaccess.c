// SPDX-License-Identifier: MIT
// User memory, from the kernel's side. An address from a program is an allegation: nothing here
// follows it. The pages it names are looked up, pinned, and reached through the direct map.
//
// Interface: span_pin and span_unpin around span_put and span_take; span_kernel for memory
// of the kernel's own, so that readers and writers need one form only; copyin, copyout, copyinstr
// for small things; user_range for a look ahead.
//
// Pinning may fault and so may sleep: no spinlock, and no lock that a fault can need (an inode's,
// a page's, the log's door), is held then. Copying does neither: pin first, then lock, then copy.
//
// 1. A pinned frame has a reference, so it is not freed and not reused whatever becomes of its pte.
// 2. A frame pinned for writing is mapped writable when it is pinned, so copy-on-write is over.

#include "../defs.h"
#include "mm.h"

#define PGOFF(va) ((va) % PGSIZE)

static uint64
min(uint64 a, uint64 b)
{
  return a < b ? a : b;
}

static int
error_of(enum outcome o)
{
  return o == FAULT_NOMEM ? -ENOMEM : o == FAULT_IO ? -EIO : -EFAULT;
}

// The frame under va if the leaf allows the access, with a reference; else 0.
static struct page *
pin_mapped(struct mm *mm, uint64 va, enum access access)
{
  struct page *pg = 0;
  int level = 0;
  acquiresleep(&mm->lock);
  pte_t *pte = walk(mm->pagetable, va, 0, &level);
  if (pte_allows(*pte, access)) {
    pte_t used = PTE_A | (access == ACCESS_WRITE ? PTE_D : 0); // the copy will not set them
    if ((*pte & used) != used)
      __atomic_fetch_or(pte, used, __ATOMIC_RELAXED);
    pg = pa_page(PTE2PA(*pte)) + (va & (LVLSIZE(level) - 1)) / PGSIZE;
    page_get(pg);
  }
  releasesleep(&mm->lock);
  return pg;
}

static int
pin_page(struct mm *mm, uint64 va, enum access access, struct page **pg)
{
  if (va >= USERTOP)
    return -EFAULT;
  while ((*pg = pin_mapped(mm, va, access)) == 0) {
    enum outcome o = vmfault(mm, va, access);
    if (o != FAULT_DONE)
      return error_of(o);
  }
  return 0;
}

static int npins; // atomic; counted in debug builds only

// Pages that are pinned now, for mm/check.c; -1: nobody knows.
int
pins_out(void)
{
  return DEBUGGING ? __atomic_load_n(&npins, __ATOMIC_RELAXED) : -1;
}

// A span of the kernel's own memory.
void
span_kernel(struct span *s, void *kva, uint len)
{
  s->kva = kva;
  s->off = s->npin = 0;
  s->len = len;
}

// Pin user pages from va on, for reading by the kernel or, with write, for writing: as many of len
// bytes as NPIN pages have. How many bytes that are (at least 1 when len is), or -EFAULT, -EIO, -ENOMEM,
// when not even the first page can be had. May sleep.
int
span_pin(struct span *s, struct mm *mm, uint64 va, uint64 len, int write)
{
  int err = 0;
  s->kva = 0;
  s->write = write;
  s->off = PGOFF(va);
  s->npin = 0;
  s->len = 0;
  while (s->len < len && s->npin < NPIN) {
    err = pin_page(mm, va + s->len, write ? ACCESS_WRITE : ACCESS_READ, &s->pin[s->npin]);
    if (err < 0)
      break;
    s->npin++;
    if (DEBUGGING)
      __atomic_fetch_add(&npins, 1, __ATOMIC_RELAXED);
    s->len = min(len, (uint64)s->npin * PGSIZE - s->off);
  }
  return s->len > 0 || len == 0 ? (int)s->len : err;
}

void
span_unpin(struct span *s)
{
  while (s->npin > 0) {
    struct page *pg = s->pin[--s->npin];
    if (DEBUGGING)
      __atomic_fetch_sub(&npins, 1, __ATOMIC_RELAXED);
    if (s->write && pg->kind == PG_CACHE)
      file_wrote(pg);
    page_put(pg);
  }
}

// The bytes at `at` of s, and in *n how many of them lie together.
static char *
piece(const struct span *s, uint at, uint *n)
{
  assert(at + *n <= s->len);
  if (s->kva)
    return s->kva + at;
  at += s->off;
  *n = min(*n, PGSIZE - PGOFF(at));
  return (char *)page_va(s->pin[at / PGSIZE]) + PGOFF(at);
}

// Copy n bytes from src to byte `at` of s.
void
span_put(struct span *s, uint at, const void *src, uint n)
{
  for (uint m; n > 0; at += m, src = (const char *)src + m, n -= m) {
    m = n;
    char *to = piece(s, at, &m);
    memmove(to, src, m);
  }
}

// Copy n bytes from byte `at` of s to dst.
void
span_take(const struct span *s, uint at, void *dst, uint n)
{
  for (uint m; n > 0; at += m, dst = (char *)dst + m, n -= m) {
    m = n;
    const char *from = piece(s, at, &m);
    memmove(dst, from, m);
  }
}

// Whether a program has all of [va, va+len) and may read it, or write it: 0, else -EFAULT. Nothing
// becomes resident. May sleep.
int
user_range(struct mm *mm, uint64 va, uint64 len, int write)
{
  if (len > USERTOP || va > USERTOP - len)
    return -EFAULT;
  acquiresleep(&mm->lock);
  int err = mm_cover(mm, va, va + len, write ? ACCESS_WRITE : ACCESS_READ);
  releasesleep(&mm->lock);
  return err;
}

// Copy len bytes to user address dstva: 0, or -EFAULT with nothing written; -EIO and -ENOMEM can
// come in the middle. May sleep.
int
copyout(struct mm *mm, uint64 dstva, const void *src, uint64 len)
{
  struct span s;
  int n = user_range(mm, dstva, len, 1);
  for (uint64 done = 0; n >= 0 && done < len; done += n) {
    n = span_pin(&s, mm, dstva + done, len - done, 1);
    if (n > 0)
      span_put(&s, 0, (const char *)src + done, n);
    span_unpin(&s);
  }
  return n < 0 ? n : 0;
}

// Copy len bytes from user address srcva: 0, -EFAULT, -EIO, -ENOMEM. May sleep.
int
copyin(struct mm *mm, void *dst, uint64 srcva, uint64 len)
{
  struct span s;
  int n = user_range(mm, srcva, len, 0);
  for (uint64 done = 0; n >= 0 && done < len; done += n) {
    n = span_pin(&s, mm, srcva + done, len - done, 0);
    if (n > 0)
      span_take(&s, 0, (char *)dst + done, n);
    span_unpin(&s);
  }
  return n < 0 ? n : 0;
}

// Copy a string with its final zero from user address srcva; dst has room for max bytes. Its length
// without the zero, -ENAMETOOLONG when there is no zero among max bytes, or -EFAULT, -EIO, -ENOMEM.
// Pages behind the zero are not looked at. May sleep.
int
copyinstr(struct mm *mm, char *dst, uint64 srcva, uint64 max)
{
  struct span s;
  for (uint64 done = 0; done < max;) {
    uint64 va = srcva + done;
    int n = span_pin(&s, mm, va, min(max - done, PGSIZE - PGOFF(va)), 0);
    if (n < 0)
      return n;
    span_take(&s, 0, dst + done, n);
    span_unpin(&s);
    for (uint64 stop = done + n; done < stop; done++)
      if (dst[done] == 0)
        return done;
  }
  return -ENAMETOOLONG;
}
