// SPDX-License-Identifier: MIT
// The proof interface: what a program can ask about virtual memory, its own and others'.
//
// Interface: the calls pageinfo, vmas, vmstat, vmctl. What they tell is true at one moment, under
// mm->lock; they bring nothing in and change nothing, except vmctl.

#include "../file.h"
#include "../proc.h"

// ---- pageinfo ----

static void
describe(struct mm *mm, uint64 va, struct pageinfo *pi)
{
  struct vma *v = vma_find(mm, va);
  pagetable_t table = mm->pagetable;
  pte_t pte;
  int level = LEVELS - 1;
  *pi = (struct pageinfo){ .va = va };
  for (; PTE_TABLE(pte = table[PX(level, va)]); level--) {
    table = (pagetable_t)KVA(PTE2PA(pte));
    pi->table[LEVELS - 1 - level] = PTE2PA(pte) >> PGSHIFT;
  }
  pi->level = level;
  pi->flags = pte & 0xff;
  pi->vma = v ? v->ops->kind : VMA_NONE;
  pi->prot = v ? v->prot : PROT_NONE;
  if (pte_mapped(pte)) {
    struct page *first = pa_page(PTE2PA(pte)), *pg = first + (va & (LVLSIZE(level) - 1)) / PGSIZE;
    pi->refs = level > 0 && first->flags & AF_HUGE ? first->maps : (uint)pg->ref;
    pi->frame = page_pa(pg) >> PGSHIFT;
    pi->kind = pg->kind;
    pi->flags |= (pg->kind == PG_CACHE ? PI_CACHE : 0) | (pte & PTE_NONE ? PI_NONE : 0);
  } else if (pte & PTE_SWAP) {
    pi->flags |= PI_SWAP;
    pi->slot = PTE2PA(pte) >> PGSHIFT;
  }
}

// pageinfo(pid, va, n, out): how many of the n pages from va on it described. pid 0: the caller.
// -EINVAL, -ESRCH, -EFAULT, -ENOMEM. May sleep.
int64
sys_pageinfo(void)
{
  struct mm *mm;
  uint64 va = PGROUNDDOWN(arg(1));
  int n = argint(2), done = 0, err = 0;
  if (n < 0 || va >= USERTOP)
    return -EINVAL;
  struct pageinfo *buf = kalloc();
  if (buf == 0 || (mm = proc_mm(argint(0))) == 0) {
    if (buf)
      kfree(buf);
    return buf ? -ESRCH : -ENOMEM;
  }
  while (err == 0 && done < n && va < USERTOP) {
    int k = 0;
    acquiresleep(&mm->lock);
    for (; k < (int)(PGSIZE / sizeof(*buf)) && done + k < n && va < USERTOP; k++, va += PGSIZE)
      describe(mm, va, &buf[k]);
    releasesleep(&mm->lock);
    err = copyout(myproc()->mm, arg(3) + done * sizeof(*buf), buf, k * sizeof(*buf));
    done += k;
  }
  kfree(buf);
  mm_leave(mm);
  return err < 0 ? err : done;
}

// ---- vmas ----

static void
count_page(struct vmainfo *vi, pte_t pte, int level)
{
  uint64 n = LVLSIZE(level) / PGSIZE;
  if (pte & PTE_SWAP) {
    vi->swapped += n;
    return;
  }
  struct page *pg = pa_page(PTE2PA(pte));
  vi->resident += n;
  vi->shared += pg->kind == PG_ZERO || leaf_shared(pte, level) ? n : 0;
  vi->dirty += pte & PTE_D ? n : 0;
  vi->huge += level > 0 ? n : 0;
}

static void
sum_up(struct vma *v, struct vmainfo *vi)
{
  struct leaves it = { .pagetable = v->mm->pagetable, .va = v->start, .end = v->end };
  *vi = (struct vmainfo){ .start = v->start,
                          .end = v->end,
                          .off = v->off,
                          .inum = v->ops == &file_ops ? v->ip->inum : 0,
                          .kind = v->ops->kind,
                          .prot = v->prot,
                          .flags = v->flags };
  while (uvmnext(&it))
    count_page(vi, *it.pte, it.level);
}

// vmas(pid, out, max): how many ranges there are, of which the first max are told. -EINVAL, -ESRCH,
// -EFAULT. May sleep.
int64
sys_vmas(void)
{
  struct vmainfo vi;
  struct vma *v;
  uint64 va = 0;
  int n = 0, err = 0;
  if (argint(2) < 0)
    return -EINVAL;
  struct mm *mm = proc_mm(argint(0));
  if (mm == 0)
    return -ESRCH;
  do {
    int told = n < argint(2);
    acquiresleep(&mm->lock);
    if ((v = vma_next(mm, va)) != 0) {
      va = v->end;
      if (told)
        sum_up(v, &vi);
    }
    releasesleep(&mm->lock);
    if (v && told)
      err = copyout(myproc()->mm, arg(1) + n * sizeof(vi), &vi, sizeof(vi));
    n += v != 0;
  } while (v && err == 0);
  mm_leave(mm);
  return err < 0 ? err : n;
}

// ---- vmstat, vmctl ----

// vmstat(out): -EFAULT, -ENOMEM. May sleep.
int64
sys_vmstat(void)
{
  struct mm *mm = myproc()->mm;
  struct vmstat *vs = kalloc();
  if (vs == 0)
    return -ENOMEM;
  memset(vs, 0, sizeof(*vs));
  acquiresleep(&mm->lock);
  vs->tables = tables_in(mm->pagetable, LEVELS - 1, 0, PTES / 2);
  vs->resident = mm->resident;
  vs->swapped = mm->swapped;
  releasesleep(&mm->lock);
  vs->huge = huge_mode;
  reclaim_info(vs);
  mm_totals(vs);
  vs->self = mm->counts;
  int err = copyout(mm, arg(0), vs, sizeof(*vs));
  kfree(vs);
  return err;
}

// vmctl(what, arg): see vmstat.h. -EINVAL, -EPERM; of VMCTL_SWAP also -ENODEV, -EIO, -ENOMEM. May sleep.
int64
sys_vmctl(void)
{
  uint64 v = arg(1);
  switch (argint(0)) {
  case VMCTL_SWAP: return v > 1 ? -EINVAL : v ? swap_on() : swap_off();
  case VMCTL_POLICY: return v < NVMPOLICY ? reclaim_policy(v) : -EINVAL;
  case VMCTL_HUGE:
    if (v > VMHUGE_ALWAYS)
      return -EINVAL;
    huge_mode = v;
    return 0;
  case VMCTL_RECLAIM: return reclaim_evict(v < nframes ? v : nframes);
  case VMCTL_CHECK: return mm_check(v);
  case VMCTL_FAIL:
    if (!DEBUGGING)
      return -EPERM;
    uint left = myproc()->failing;
    myproc()->failing = v;
    return left;
  }
  return -EINVAL;
}
