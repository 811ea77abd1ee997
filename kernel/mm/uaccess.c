// SPDX-License-Identifier: MIT
// User memory, from the kernel's side. An address from a program is an allegation: nothing here
// follows it. The pages it names are looked up, and reached through the direct map.
//
// Interface: span_open, or span_pin and span_unpin, around span_put and span_take; span_kernel for
// memory of the kernel's own, so that readers and writers need one form only; copyin, copyout,
// copyinstr for small things; user_range for a look ahead.
//
// A page is had in one of two ways:
//   borrowed   while a piece is copied, with interrupts off: no longer than the hart itself could go
//              on with what its TLB has. Costs a walk, and nothing is left behind. A page that is not
//              there, or not for that, cuts the copy short.
//   pinned     by a reference, from span_pin to span_unpin: no copy is cut short then.
//
// Pinning may fault and so may sleep: no spinlock, and no lock that a fault can need (an inode's,
// a page's, the log's door), is held then. Copying does neither: open first, then lock, then copy.
//
// 1. A pinned frame has a reference, so it is not freed and not reused whatever becomes of its pte.
// 2. A frame pinned for writing is mapped writable when it is pinned, so copy-on-write is over.
// 3. Who takes rights from a leaf goes on only when every hart that runs the mm has answered
//    (riscv/tlb.c), and this one does not with its interrupts off. So while they are off, what the
//    table says can be used as the processor itself uses it, A and D being set: to lend is safe for
//    whatever a store of the program at this moment is safe for.

#include "../proc.h"

#define PGOFF(va) ((va) % PGSIZE)

static uint64
min(uint64 a, uint64 b)
{
  return a < b ? a : b;
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
      return o == FAULT_NOMEM ? -ENOMEM : o == FAULT_IO ? -EIO : -EFAULT;
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

// Where user address va is in the direct map, for loads or with write for stores; 0: the processor
// would take a fault, or this hart is on another table. Interrupts are off, and it holds until they
// are on.
static inline char *
borrow(struct mm *mm, uint64 va, int write)
{
  pte_t pte = PTE_V, need = PTE_V | PTE_R | PTE_U | PTE_A | (write ? PTE_W | PTE_D : 0);
  char *at = (char *)mm->pagetable; // what pte leads to
  uint shift = PXSHIFT(LEVELS);
  if (va >= USERTOP || mycpu()->mm != mm)
    return 0;
  while (PTE_TABLE(pte)) {
    shift -= PXSHIFT(1) - PXSHIFT(0);
    pte = __atomic_load_n(&((pagetable_t)at)[va >> shift & (PTES - 1)], __ATOMIC_RELAXED);
    at = (char *)KVA(PTE2PA(pte));
  }
  return (pte & need) == need ? at + (va & ((1UL << shift) - 1)) : 0;
}

static void
span_set(struct span *s, struct mm *mm, uint64 va, uint64 len, int write)
{
  s->kva = 0;
  s->mm = mm;
  s->va = va;
  s->len = len;
  s->write = write;
  s->npin = 0;
  s->cut = 0;
}

// A span of the kernel's own memory.
void
span_kernel(struct span *s, void *kva, uint len)
{
  span_set(s, 0, 0, len, 0);
  s->kva = kva;
}

// Pin user pages from va on, for reading by the kernel or, with write, for writing: as many of len
// bytes as NPIN pages have. How many bytes that are (at least 1 when len is), or -EFAULT, -EIO, -ENOMEM,
// when not even the first page can be had. May sleep.
int
span_pin(struct span *s, struct mm *mm, uint64 va, uint64 len, int write)
{
  uint have = 0;
  int err = 0;
  span_set(s, mm, va, min(len, NPIN * PGSIZE - PGOFF(va)), write);
  for (; have < s->len; have = s->npin * PGSIZE - PGOFF(va)) {
    err = pin_page(mm, va + have, write ? ACCESS_WRITE : ACCESS_READ, &s->pin[s->npin]);
    if (err < 0)
      break;
    s->npin++;
    if (DEBUGGING)
      __atomic_fetch_add(&npins, 1, __ATOMIC_RELAXED);
  }
  s->len = min(s->len, have);
  return s->len > 0 ? (int)s->len : err;
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

// The bytes at `at` of s, and in *n how many of them lie together; 0: not there. Interrupts are off.
static char *
piece(const struct span *s, uint64 at, uint64 *n)
{
  uint64 va = s->va + at;
  assert(at + *n <= s->len);
  if (s->kva)
    return s->kva + at;
  *n = min(*n, PGSIZE - PGOFF(va));
  if (s->npin == 0)
    return borrow(s->mm, va, s->write);
  return (char *)page_va(s->pin[(va >> PGSHIFT) - (s->va >> PGSHIFT)]) + PGOFF(va);
}

static inline uint64
move(struct span *s, uint64 at, char *k, uint64 n, int put)
{
  uint64 done = 0;
  do {
    uint64 m = n - done;
    uint64 was = csr_fetch_clear(sstatus, SSTATUS_SIE);
    char *p = piece(s, at + done, &m);
    if (p)
      memmove(put ? p : k + done, put ? k + done : p, m);
    csr_set(sstatus, was & SSTATUS_SIE);
    if (p == 0) {
      s->cut = 1;
      break;
    }
    done += m;
  } while (done < n);
  return done;
}

// Copy n bytes from src to byte `at` of s: how many; less only when it is not pinned and a page has
// gone.
uint64
span_put(struct span *s, uint64 at, const void *src, uint64 n)
{
  return move(s, at, (char *)src, n, 1);
}

// Copy n bytes from byte `at` of s to dst: the same.
uint64
span_take(struct span *s, uint64 at, void *dst, uint64 n)
{
  return move(s, at, dst, n, 0);
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

// A span of [va, va+len) whose pages are borrowed when they are copied. A copy that finds one not there
// sets s->cut: the rest is for span_pin. If there is more than one page, all of them are looked at
// first, but for two whose second is there: a bad range is -EFAULT, else 0. One no longer than a page is not copied in two parts: when its
// end is not there it is cut from the start. May sleep.
int
span_open(struct span *s, struct mm *mm, uint64 va, uint64 len, int write)
{
  span_set(s, mm, va, len, write);
  if (PGOFF(va) + len <= PGSIZE)
    return 0;
  if (len <= PGSIZE) {
    uint64 was = csr_fetch_clear(sstatus, SSTATUS_SIE);
    s->cut = borrow(mm, va + len - 1, write) == 0;
    csr_set(sstatus, was & SSTATUS_SIE);
    if (!s->cut)
      return 0;
  }
  return user_range(mm, va, len, write);
}

static int
copy(struct mm *mm, uint64 va, char *k, uint64 len, int write)
{
  struct span s;
  int n = span_open(&s, mm, va, len, write);
  uint64 done = n < 0 || s.cut ? 0 : move(&s, 0, k, len, write);
  for (; n >= 0 && done < len; done += n) {
    if ((n = span_pin(&s, mm, va + done, len - done, write)) > 0)
      move(&s, 0, k + done, n, write);
    span_unpin(&s);
  }
  return n < 0 ? n : 0;
}

// Copy len bytes to user address dstva: 0, or -EFAULT with nothing written; -EIO and -ENOMEM can
// come in the middle. May sleep.
int
copyout(struct mm *mm, uint64 dstva, const void *src, uint64 len)
{
  return copy(mm, dstva, (char *)src, len, 1);
}

// Copy len bytes from user address srcva: 0, -EFAULT, -EIO, -ENOMEM. May sleep.
int
copyin(struct mm *mm, void *dst, uint64 srcva, uint64 len)
{
  return copy(mm, srcva, dst, len, 0);
}

// What copyinstr could not do with a borrowed page.
static NOINLINE int
copyinstr_pinned(struct mm *mm, char *dst, uint64 srcva, uint64 max)
{
  struct span s;
  for (uint64 done = 0, n; done < max; done += n) {
    uint64 va = srcva + done;
    n = min(max - done, PGSIZE - PGOFF(va));
    int err = span_pin(&s, mm, va, n, 0);
    if (err < 0)
      return err;
    uint64 len = strcopy(dst + done, (char *)page_va(s.pin[0]) + PGOFF(va), n);
    span_unpin(&s);
    if (len < n)
      return done + len;
  }
  return -ENAMETOOLONG;
}

// Copy a string with its final zero from user address srcva; dst has room for max bytes. Its length
// without the zero, -ENAMETOOLONG when there is no zero among max bytes, or -EFAULT, -EIO, -ENOMEM.
// Pages behind the zero are not looked at. May sleep.
int
copyinstr(struct mm *mm, char *dst, uint64 srcva, uint64 max)
{
  uint64 n = min(max, PGSIZE - PGOFF(srcva)), was = csr_fetch_clear(sstatus, SSTATUS_SIE);
  const char *src = borrow(mm, srcva, 0);
  uint64 len = src ? strcopy(dst, src, n) : n;
  csr_set(sstatus, was & SSTATUS_SIE);
  return len < n ? (int)len : copyinstr_pinned(mm, dst, srcva, max);
}
