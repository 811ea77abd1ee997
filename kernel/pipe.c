// SPDX-License-Identifier: MIT
// Pipes: bytes from writers to readers, through a ring of a few frames.
//
// Interface: pipealloc, pipeclose, piperead, pipewrite.
//
//   nread ........ nwrite     byte i is byte i % PIPESIZE of the ring
//
// Both start again at 0 when the ring is empty, so that what is aligned is copied by whole words.
//
// Lock: pipe.lock, for all of it, copies included, which neither fault nor sleep. One that is cut
// short ends the call, and the caller comes again for the rest.
//
// 1. nwrite - nread <= PIPESIZE.
// 2. A byte leaves the ring only when it has been copied out.
// 3. Readers sleep for nread's address, and only while the ring is empty; writers for nwrite's, and only
//    while it is full. Who ends that wakes them all.

#include "file.h"
#include "mm/slab.h"

#define FRAMES   4
#define PIPESIZE (FRAMES * PGSIZE)

struct pipe {
  struct spinlock lock;
  char *ring[FRAMES];
  uint nread, nwrite;
  int readopen, writeopen; // whether that end is open
};

static struct slab slab = SLAB(slab, pipe);

static void
pipe_free(struct pipe *pi)
{
  for (int i = 0; i < FRAMES; i++)
    if (pi->ring[i])
      kfree(pi->ring[i]);
  slab_free(&slab, pi);
}

// Two open files, the ends of a new pipe: 0, -ENFILE or -ENOMEM.
int
pipealloc(struct file **r, struct file **w)
{
  struct pipe *pi = slab_alloc(&slab);
  if (pi == 0)
    return -ENOMEM;
  for (int i = 0; i < FRAMES; i++)
    if ((pi->ring[i] = kalloc()) == 0) {
      pipe_free(pi);
      return -ENOMEM;
    }
  *r = filealloc();
  *w = filealloc();
  if (*r == 0 || *w == 0) {
    fileclose(*r); // of no type yet: it takes nothing along
    fileclose(*w);
    pipe_free(pi);
    return -ENFILE;
  }
  initlock(&pi->lock, "pipe");
  pi->readopen = pi->writeopen = 1;
  (*r)->type = (*w)->type = FD_PIPE;
  (*r)->pipe = (*w)->pipe = pi;
  (*r)->readable = (*w)->writable = 1;
  return 0;
}

// One end is closed; with the second one the pipe is gone.
void
pipeclose(struct pipe *pi, int writable)
{
  acquire(&pi->lock);
  if (writable)
    pi->writeopen = 0;
  else
    pi->readopen = 0;
  wakeup(&pi->nread);
  wakeup(&pi->nwrite);
  int gone = !pi->readopen && !pi->writeopen;
  release(&pi->lock);
  if (gone)
    pipe_free(pi);
}

// Where byte i is, and in *n how many of them lie in one piece from there on.
static char *
piece(struct pipe *pi, uint i, uint *n)
{
  uint left = PGSIZE - i % PGSIZE;
  *n = *n < left ? *n : left;
  return pi->ring[i / PGSIZE % FRAMES] + i % PGSIZE;
}

// Wait until something can be read, then take up to n bytes: how many; 0: the pipe is empty and no
// writer is left; -EINTR: killed. Sleeps.
int
piperead(struct pipe *pi, struct span *dst, uint n)
{
  acquire(&pi->lock);
  while (pi->nread == pi->nwrite && pi->writeopen && !killed(myproc()))
    sleep(&pi->nread, &pi->lock);
  uint done = 0, have = pi->nwrite - pi->nread;
  int err = have == 0 && pi->writeopen ? -EINTR : 0;
  if (n > have)
    n = have;
  for (uint m = 1; m > 0 && done < n; done += m, pi->nread += m) {
    m = n - done;
    char *from = piece(pi, pi->nread, &m);
    m = span_put(dst, done, from, m);
  }
  if (pi->nread == pi->nwrite)
    pi->nread = pi->nwrite = 0;
  if (have == PIPESIZE)
    wakeup(&pi->nwrite);
  release(&pi->lock);
  return err ? err : (int)done;
}

// Write n bytes, waiting for room: how many. Less, or if there are none an error, when no reader is
// left (-EPIPE) or the caller is killed (-EINTR). Sleeps.
int
pipewrite(struct pipe *pi, struct span *src, uint n)
{
  uint done = 0;
  int err = 0;
  acquire(&pi->lock);
  while (done < n) {
    if (!pi->readopen || killed(myproc())) {
      err = pi->readopen ? -EINTR : -EPIPE;
      break;
    }
    uint room = PIPESIZE - (pi->nwrite - pi->nread);
    if (room == 0) {
      sleep(&pi->nwrite, &pi->lock);
      continue;
    }
    uint m = n - done < room ? n - done : room;
    char *to = piece(pi, pi->nwrite, &m);
    if (span_take(src, done, to, m) < m)
      break; // and nothing of it counts, so that a short write stays in one piece
    if (room == PIPESIZE)
      wakeup(&pi->nread);
    pi->nwrite += m;
    done += m;
  }
  release(&pi->lock);
  return done ? (int)done : err;
}
