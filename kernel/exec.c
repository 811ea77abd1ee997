// SPDX-License-Identifier: MIT
// exec: a process becomes another program.
//
// Nothing is read but the headers: each segment becomes a range of the new address space that knows
// where in the file its pages are, and page faults bring them in. The old address space goes only
// when nothing can fail any more: on the way to user mode, when the other threads have ended (obey).
//
//   segment congruent with pages   -> file_attach, shared frames, copied when written
//   bss behind it                  -> anonymous memory
//   segment that is not congruent  -> anonymous memory, read in now
//
//   STACKTOP  | strings | padding | argv[0..argc], 0 |  <- sp, a multiple of 16
//
// What is refused, with ENOEXEC: a file that is not a 64-bit little-endian RISC-V executable, a
// segment that wraps, overlaps another or leaves the space for programs, one with more bytes in the
// file than in memory or than the file has, one both writable and executable.

#include "elf.h"
#include "file.h"
#include "proc.h"
#include "stat.h"

#define MAXSEGS 16

// What the file says of itself.
struct program {
  struct inode *ip;
  struct elfhdr elf;
  struct proghdr seg[MAXSEGS];
};

// The words of the new program: n strings, one behind the other, with their zeros.
struct words {
  int n;
  uint used;
  char *text; // a frame
};

// Read n bytes at off of a file, all of them. The inode is not locked.
static int
read_exact(struct inode *ip, void *dst, uint64 off, uint n)
{
  struct span s;
  span_kernel(&s, dst, n);
  int got = ilock(ip);
  if (got < 0)
    return got;
  got = ip->d->type == T_FILE ? readi(ip, &s, off, n) : -EACCES;
  iunlock(ip);
  return got < 0 ? got : got == (int)n ? 0 : -ENOEXEC;
}

static int
header_ok(const struct elfhdr *e)
{
  return e->magic == ELF_MAGIC && e->class == ELF_CLASS64 && e->data == ELF_LITTLE &&
         e->type == ELF_EXEC && e->machine == ELF_RISCV && e->phentsize == sizeof(struct proghdr) &&
         e->phnum > 0 && e->phnum <= MAXSEGS && e->entry < MMAPTOP;
}

static int
segment_ok(const struct proghdr *ph, uint64 filesize)
{
  return ph->filesz <= ph->memsz && ph->memsz <= MMAPTOP && ph->vaddr <= MMAPTOP - ph->memsz &&
         ph->filesz <= filesize && ph->off <= filesize - ph->filesz &&
         (ph->flags & (ELF_W | ELF_X)) != (ELF_W | ELF_X);
}

// Read what the file has of a segment into frames of its range v.
static int
read_segment(struct mm *mm, struct vma *v, struct inode *ip, const struct proghdr *ph)
{
  uint64 fend = ph->vaddr + ph->filesz;
  struct fault f = { .mm = mm,
                     .vma = v,
                     .access = v->prot & PROT_WRITE ? ACCESS_WRITE : ACCESS_READ };
  for (f.va = v->start; f.va < fend; f.va += PGSIZE) {
    uint64 from = f.va < ph->vaddr ? ph->vaddr : f.va;
    uint64 to = fend - f.va < PGSIZE ? fend : f.va + PGSIZE;
    struct page *pg = page_alloc(PG_ANON);
    if (pg == 0)
      return -ENOMEM;
    page_zero(page_va(pg));
    int err = read_exact(ip, (char *)page_va(pg) + from % PGSIZE, ph->off + (from - ph->vaddr),
                         to - from);
    if (err < 0) {
      page_put(pg);
      return err;
    }
    f.level = 0;
    f.pte = walk(mm->pagetable, f.va, 0, &f.level);
    if (fault_map(&f, pg) != FAULT_DONE)
      return -ENOMEM;
  }
  return 0;
}

// Make the ranges of one segment.
static int
map_segment(struct mm *mm, struct inode *ip, const struct proghdr *ph)
{
  uint64 start = PGROUNDDOWN(ph->vaddr), end = PGROUNDUP(ph->vaddr + ph->memsz);
  uint64 fend = ph->vaddr + ph->filesz, fpage = PGROUNDUP(fend);
  int prot = (ph->flags & (ELF_R | ELF_W | ELF_X) ? PROT_READ : 0) |
             (ph->flags & ELF_W ? PROT_WRITE : 0) | (ph->flags & ELF_X ? PROT_EXEC : 0);
  struct vma *v = vma_next(mm, start);
  if (start == end)
    return 0;
  if (v && v->start < end)
    return -ENOEXEC;
  if (end > mm->heap)
    mm->heap = end;
  if (ph->filesz == 0 || ph->vaddr % PGSIZE != ph->off % PGSIZE) {
    v = vma_add(mm, start, end, prot, &anon_ops);
    return v ? read_segment(mm, v, ip, ph) : -ENOMEM;
  }
  if ((v = vma_new(mm, start, fpage, prot, &file_ops)) == 0)
    return -ENOMEM;
  int err = file_attach(v, ip, VM_TEXT, ph->off - (ph->vaddr - start),
                        ph->memsz > ph->filesz ? fend : fpage);
  if (err < 0) {
    vma_drop(v);
    return err;
  }
  vma_insert(mm, v);
  return end == fpage || vma_add(mm, fpage, end, prot, &anon_ops) ? 0 : -ENOMEM;
}

// Read the headers of prog->ip, which does not change: it counts as running.
static int
program_read(struct program *prog)
{
  struct elfhdr *elf = &prog->elf;
  int err = read_exact(prog->ip, elf, 0, sizeof(*elf));
  if (err == 0)
    err = header_ok(elf)
              ? read_exact(prog->ip, prog->seg, elf->phoff, elf->phnum * sizeof(prog->seg[0]))
              : -ENOEXEC;
  for (int i = 0; err == 0 && i < elf->phnum; i++)
    if (prog->seg[i].type == ELF_LOAD && !segment_ok(&prog->seg[i], prog->ip->d->size))
      err = -ENOEXEC;
  return err;
}

// Put the words on the new stack: argv in *sp, or an error.
static int
push_words(struct mm *mm, const struct words *w, uint64 *sp)
{
  uint64 argv[MAXARG + 1], text = STACKTOP - w->used, at = 0;
  for (int i = 0; i < w->n; i++) {
    argv[i] = text + at;
    at += strlen(w->text + at) + 1;
  }
  argv[w->n] = 0;
  *sp = (text - (w->n + 1) * sizeof(argv[0])) & ~15UL;
  int err = copyout(mm, text, w->text, w->used);
  return err < 0 ? err : copyout(mm, *sp, argv, (w->n + 1) * sizeof(argv[0]));
}

// Fill the address space of the program, up to its stack with the words.
static int
program_load(struct program *prog, const struct words *w, struct mm *mm, uint64 *sp)
{
  int err = 0;
  for (int i = 0; i < prog->elf.phnum && err == 0; i++)
    if (prog->seg[i].type == ELF_LOAD)
      err = map_segment(mm, prog->ip, &prog->seg[i]);
  if (err < 0)
    return err;
  if (mm->heap == 0)
    return -ENOEXEC;
  mm->brk = mm->heap;
  if (!vma_add(mm, STACKTOP - PGSIZE, STACKTOP, PROT_READ | PROT_WRITE, &stack_ops) ||
      !vma_add(mm, UPIDPAGE, USERTOP, PROT_READ, &upage_ops))
    return -ENOMEM;
  return push_words(mm, w, sp);
}

// The calling process, which is down to this thread, is the new program when it goes to user mode.
void
become(struct proc *p, const struct image *next)
{
  safestrcpy(p->name, next->name, sizeof(p->name));
  memset(p->tf, 0, sizeof(*p->tf));
  memset(&p->fp, 0, sizeof(p->fp));
  p->tf->epc = next->entry;
  p->tf->a0 = next->argc;
  p->tf->sp = p->tf->a1 = next->sp;
  p->tf->status = (csr_read(sstatus) & ~(SSTATUS_SPP | SSTATUS_FS | SSTATUS_SIE)) | SSTATUS_SPIE;
  code_written();
  mm_publish(next->mm);
  queue_enrol(next->mm); // swap may have been turned on after its first pages were mapped
  struct mm *old = proc_set_mm(p, next->mm);
  push_off();
  tlb_enter(mycpu(), next->mm);
  pop_off();
  if (old)
    mm_leave(old);
}

// What exec_words does with prog->ip, which counts as running meanwhile. The process becomes the
// program on its way to user mode.
static int
exec_program(const char *path, struct program *prog, const struct words *w)
{
  struct image next = { .argc = w->n };
  const char *name = path;
  int err = program_read(prog);
  if (err < 0)
    return err;
  if ((next.mm = mm_new(0)) == 0)
    return -ENOMEM;
  next.entry = prog->elf.entry;
  for (; *path; path++)
    if (*path == '/')
      name = path + 1;
  safestrcpy(next.name, name, sizeof(next.name));
  err = program_load(prog, w, next.mm, &next.sp);
  if (err == 0)
    err = proc_next(&next);
  if (err < 0)
    mm_leave(next.mm);
  return err;
}

static int
exec_words(const char *path, const struct words *w)
{
  struct program *prog = kalloc();
  int err = prog ? namei(path, &prog->ip) : -ENOMEM;
  if (err == 0) {
    if ((err = text_get(prog->ip, 1)) == 0) {
      err = exec_program(path, prog, w);
      text_put(prog->ip, 1);
    }
    iput(prog->ip);
  }
  if (prog)
    kfree(prog);
  return err < 0 ? err : w->n;
}

// Fetch the strings that the pointers at user address argv point to, up to a null pointer.
static int
fetch_words(uint64 argv, struct words *w)
{
  struct mm *mm = myproc()->mm;
  for (w->n = w->used = 0;; w->n++) {
    uint64 at;
    int n = copyin(mm, &at, argv + w->n * sizeof(at), sizeof(at));
    if (n < 0 || at == 0)
      return n;
    if (w->n == MAXARG)
      return -E2BIG;
    n = copyinstr(mm, w->text + w->used, at, PGSIZE - w->used);
    if (n < 0)
      return n == -ENAMETOOLONG ? -E2BIG : n;
    w->used += n + 1;
  }
}

// Become the program at path, with the strings that the pointers at user address argv point to: at
// most MAXARG, together at most a page. The first program has its own name only. argc, or an error
// and nothing has changed. May sleep.
int
exec(const char *path, uint64 argv)
{
  struct words w = { .n = 1, .used = strlen(path) + 1, .text = kalloc() };
  if (w.text == 0)
    return -ENOMEM;
  safestrcpy(w.text, path, PGSIZE);
  int n = myproc()->mm ? fetch_words(argv, &w) : 0;
  if (n >= 0)
    n = exec_words(path, &w);
  kfree(w.text);
  return n;
}

int64
sys_exec(void)
{
  char path[MAXPATH];
  int err = argstr(0, path, MAXPATH);
  return err ? err : exec(path, arg(1));
}
