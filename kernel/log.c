// SPDX-License-Identifier: MIT
// The log: many operations become one transaction, and a transaction is on the disk wholly or not
// at all, whenever the power goes.
//
// Interface: begin_op, end_op around whatever changes blocks; log_write(page) for each block
// changed; log_room for operations that can stop half-way; log_sync, log_settle; log_idle and
// log_tick, the hooks that start a commit in time; log_start, at boot, which repeats what a crash
// interrupted.
//
//   begin_op  log_write ...  end_op            the thread logd
//      |          |             |
//      v          v             v  door shut, last op out; copies
//   +------------------------------+  ------------------>  +------------------------------+
//   | running: pages[0..n)         |                       | committing: copies, head     |
//   +------------------------------+                       +------------------------------+
//        the door opens again at once                        1 copies -> log     flush
//                                                            2 head   -> log     flush: durable
//                                                            3 copies -> homes   flush
//                                                            4 head with n = 0   flush
//
// Each copy is made once and written twice, to the log and to its home, so both places get the same
// bytes whatever happens to the page meanwhile. When there is no memory for a copy the page itself
// is written, and the door stays shut until its home has it.
//
// Why a crash at any write is harmless. Before the flush in 2 the head on the disk says n = 0, or
// is torn and its sum is wrong: nothing happened, and no home was touched. After it, whatever 3 had
// done is done again at boot. After 4 the transaction is in the homes. The head's magic, n, seq and
// sum are in one sector, and the log is overwritten only behind the flush in 4.
//
// Why a freed block cannot hurt. Blocks are written home by the log alone, transaction by
// transaction. If a block is freed and used again, its new contents are logged in the transaction
// that frees it or in a later one, so they come home after the freeing is durable; old contents in
// the same transaction are taken out (log_forget), those of an earlier one come home earlier.
//
// Lock: log.lock guards the first group of struct log; the rest is logd's. An operation begins
// before any inode or page is locked, and nobody waits for the door with such a lock held.
//
// 1. n + outstanding * MAXOPBLOCKS <= cap when an operation begins, and none logs more than that:
//    a transaction always fits. proc.opleft counts. A commit starts when half of cap is used, so
//    that there always is room again.
// 2. A page with PF_LOGGED is pages[logslot], and pages[] has a reference to it. logd keeps that
//    reference until the home is written, so the cache never loses what the disk does not have.
// 3. Transactions are numbered: seq is the running one, seq - 1 the committing one or the last.
// 4. Memory being short never stops a commit, and a commit never starts an operation.

#include "bio.h"
#include "defs.h"
#include "fs.h"
#include "proc.h"
#include "riscv/fdt.h"

#define NREQ 16 // requests in flight

int fs_readonly;

static struct {
  struct spinlock lock; // this group:
  int outstanding;      //   operations begun and not ended
  int shut;             //   the door: no operation begins
  int wanted;           //   logd shall commit
  int waiting;          //   somebody sleeps for the door
  int dead;             //   the disk refused a write
  uint seq;             //   the running transaction
  uint durable, home;   //   the last that survives; the last that is in its homes
  uint64 since;         //   when the running transaction got its first page
  uint n;
  struct page **pages;

  uint start, cap;             // the head's block, and how many copies fit behind it; for good
  uint cn;                     // logd's own, committing:
  struct page **from;          //   pages
  struct page *copy[LOGHOMES]; // their copies; the page itself when there was no memory
  struct diskreq reqs[NREQ];
} log = { .lock = SPINLOCK("log") };

static struct page *sets[2][LOGHOMES]; // pages and from, by turns

// What is written as the head; a frame of its own.
static struct loghead head __attribute__((aligned(BSIZE)));

// ---- operations ----

// Have logd commit. Holds log.lock.
static void
ask(void)
{
  if (!log.wanted) {
    log.wanted = 1;
    wakeup(&log.wanted);
  }
}

static int
may_begin(void)
{
  return !log.shut && log.n + (log.outstanding + 1) * MAXOPBLOCKS <= log.cap;
}

// Begin an operation that may log up to MAXOPBLOCKS blocks; end_op ends it. Sleeps; the caller
// holds no lock and has no operation open. 0, or -EROFS: nothing can be changed, and there is no
// end_op.
int
begin_op(void)
{
  struct proc *p = myproc();
  assert(p->opleft == 0);
  acquire(&log.lock);
  while (!fs_readonly && !may_begin()) {
    log.waiting = 1;
    sleep(&log.waiting, &log.lock);
  }
  int err = fs_readonly ? -EROFS : 0;
  if (err == 0) {
    log.outstanding++;
    p->opleft = MAXOPBLOCKS + 1;
  }
  release(&log.lock);
  return err;
}

static void
wake_waiting(void)
{
  if (log.waiting) {
    log.waiting = 0;
    wakeup(&log.waiting);
  }
}

// What the operation has logged will be on the disk together, later.
void
end_op(void)
{
  myproc()->opleft = 0;
  acquire(&log.lock);
  assert(log.outstanding > 0);
  log.outstanding--;
  if (!log.shut)
    wake_waiting();
  else if (log.outstanding == 0)
    wakeup(&log.outstanding);
  release(&log.lock);
}

// How many blocks the caller's operation may still log.
int
log_room(void)
{
  return myproc()->opleft - 1;
}

// The caller, in an operation, has changed pg or is about to; he keeps it to himself (its lock, or
// its inode's) until he is done. Costs nothing when pg is in the running transaction already.
void
log_write(struct page *pg)
{
  struct proc *p = myproc();
  assert(p->opleft > 0 && pg->blockno != 0);
  if (pg->flags & PF_LOGGED)
    return;
  if (--p->opleft < 1)
    panic("log: an operation changes more than %d blocks", MAXOPBLOCKS);
  page_get(pg);
  acquire(&log.lock);
  if (log.n == 0)
    log.since = r_time();
  pg->logslot = log.n;
  log.pages[log.n++] = pg;
  page_set(pg, PF_LOGGED);
  if (log.n == log.cap / 2)
    ask();
  release(&log.lock);
}

// The block of pg is being freed by the caller's operation: its contents need not be kept.
void
log_forget(struct page *pg)
{
  if ((pg->flags & PF_LOGGED) == 0)
    return;
  acquire(&log.lock);
  struct page *last = log.pages[--log.n];
  log.pages[pg->logslot] = last;
  last->logslot = pg->logslot;
  page_clear(pg, PF_LOGGED);
  release(&log.lock);
  page_put(pg);
}

// ---- committing, the part behind the shut door ----

// Make the running transaction the committing one, of which nothing is copied yet. Holds log.lock.
static void
turn(void)
{
  struct page **pages = log.pages;
  log.pages = log.from;
  log.from = pages;
  log.cn = log.n;
  log.n = 0;
  head.seq = log.seq++;
}

static void
make_head(void)
{
  head.magic = LOGMAGIC;
  head.n = log.cn;
  for (uint i = 0; i < log.cn; i++)
    head.home[i] = log.from[i]->blockno;
  head.sum = logsum(&head);
}

// Copy the pages: 1 when every page has its copy, so that the door may be opened.
static int
copy_pages(void)
{
  int all = 1;
  for (uint i = 0; i < log.cn; i++) {
    struct page *pg = log.from[i], *copy = page_alloc(PG_KERNEL);
    if (copy)
      page_copy(page_va(copy), page_va(pg));
    else
      all = 0;
    log.copy[i] = copy ? copy : pg;
    page_clear(pg, PF_LOGGED);
  }
  return all;
}

static void
open_door(void)
{
  acquire(&log.lock);
  log.shut = 0;
  wake_waiting();
  release(&log.lock);
}

// ---- committing, the part that writes ----

// Write all copies, neighbours in one request: to their homes, or else to the log. 0 or -EIO.
static int
write_copies(int home)
{
  uint sent = 0, i = 0;
  int err = 0;
  for (; i < log.cn; sent++) {
    struct diskreq *r = &log.reqs[sent % NREQ];
    if (sent >= NREQ && disk_wait(r) < 0)
      err = -EIO;
    r->op = DISK_WRITE;
    r->blockno = home ? head.home[i] : log.start + 1 + i;
    r->n = 0;
    do
      r->pages[r->n++] = log.copy[i++];
    while (i < log.cn && r->n < DISK_RUN && (!home || head.home[i] == head.home[i - 1] + 1));
    disk_submit(r);
  }
  for (uint k = sent < NREQ ? 0 : sent - NREQ; k < sent; k++)
    if (disk_wait(&log.reqs[k % NREQ]) < 0)
      err = -EIO;
  return err;
}

// Read or write one block that is not in the cache, and wait for it.
static int
transfer(enum disk_op op, uint blockno, void *frame)
{
  struct diskreq req = { .op = op, .blockno = blockno, .n = 1, .pages = { va_page(frame) } };
  disk_submit(&req);
  return disk_wait(&req);
}

// 1 and 2 of the drawing: the copies in the log, then the head that makes them count.
static int
write_log(void)
{
  int err = write_copies(0);
  if (err == 0)
    err = disk_flush(0);
  if (err == 0)
    err = transfer(DISK_WRITE, log.start, &head);
  return err ? err : disk_flush(0);
}

static int
clear_head(void)
{
  head.n = 0;
  head.sum = logsum(&head);
  int err = transfer(DISK_WRITE, log.start, &head);
  return err ? err : disk_flush(0);
}

// 3 and 4: the copies in their homes, then the log is free again.
static int
install(void)
{
  int err = write_copies(1);
  if (err == 0)
    err = disk_flush(0);
  return err ? err : clear_head();
}

static void
free_copies(void)
{
  for (uint i = 0; i < log.cn; i++)
    if (log.copy[i] != log.from[i])
      page_put(log.copy[i]);
}

static void
free_pages(void)
{
  for (uint i = 0; i < log.cn; i++)
    page_put(log.from[i]);
  log.cn = 0;
}

// Note how far transaction seq has come, for those who wait for it.
static void
reached(uint *stage, uint seq)
{
  acquire(&log.lock);
  *stage = seq;
  wakeup(&log.durable);
  release(&log.lock);
}

// The disk does not take what it should. Everything stays readable: the pages that the disk does
// not have keep their references, so the cache does not drop them.
static void
fail(void)
{
  printk("log: the disk failed; the file system is read-only from now on\n");
  acquire(&log.lock);
  log.dead = fs_readonly = 1;
  log.shut = log.waiting = 0;
  wakeup(&log.waiting);
  wakeup(&log.durable);
  release(&log.lock);
}

// Commit what has been the running transaction; the door is shut and nobody is inside.
static void
commit(void)
{
  make_head();
  int copied = copy_pages();
  if (copied)
    open_door();
  int err = write_log();
  if (err == 0) {
    reached(&log.durable, head.seq);
    err = install();
  }
  free_copies();
  if (err) {
    fail();
    return;
  }
  free_pages();
  reached(&log.home, head.seq);
  if (!copied)
    open_door();
}

// The thread: wait until a commit is wanted, shut the door, wait until everybody is out.
static void
logd(void)
{
  for (;;) {
    acquire(&log.lock);
    while (!log.wanted || log.dead)
      sleep(&log.wanted, &log.lock);
    log.wanted = 0;
    log.shut = 1;
    while (log.outstanding > 0)
      sleep(&log.outstanding, &log.lock);
    if (log.n > 0)
      turn();
    release(&log.lock);
    if (log.cn > 0)
      commit();
    else
      open_door();
  }
}

// ---- asking for a commit ----

// Wait until what is changed by now has come as far as *stage says.
static int
wait_for(const uint *stage)
{
  acquire(&log.lock);
  uint target = log.n > 0 ? log.seq : log.seq - 1;
  while (*stage < target && !log.dead) {
    if (target == log.seq)
      ask();
    sleep(&log.durable, &log.lock);
  }
  int err = *stage < target ? -EIO : 0;
  release(&log.lock);
  return err;
}

// Everything that operations have changed until now is on the disk when this returns 0. -EIO: it is
// not, and will not be. Sleeps; the caller holds no lock and has no operation open.
int
log_sync(void)
{
  return wait_for(&log.durable);
}

// The same, and it is in its home, so that nothing is left for the next boot to do.
int
log_settle(void)
{
  return wait_for(&log.home);
}

static void
ask_if_older(uint64 age)
{
  if (log.n > 0 && !log.wanted && !log.dead && r_time() - log.since >= age) {
    acquire(&log.lock);
    ask();
    release(&log.lock);
  }
}

// The machine has nothing to do: a good time to commit. Called by the idle loop with interrupts
// off; it may make logd ready to run.
void
log_idle(void)
{
  ask_if_older(0);
}

// Called by the timer interrupt: nothing waits longer than a second.
void
log_tick(void)
{
  ask_if_older(machine.timebase);
}

// Blocks that are not in their homes yet.
uint64
log_dirty(void)
{
  return log.n + log.cn;
}

// ---- boot ----

// The sentence that says why a head cannot have been written by us, or 0.
static const char *
damage(const struct superblock *sb)
{
  if (head.magic != LOGMAGIC)
    return "its head has another magic number";
  if (head.n > log.cap)
    return "its head says more blocks than it has";
  if (head.sum == logsum(&head))
    for (uint i = 0; i < head.n; i++)
      if (head.home[i] < sb->inodestart || head.home[i] >= sb->size)
        return "it would write where nothing logged can belong";
  return 0;
}

// Repeat the transaction that head describes. 0 or -EIO.
static int
replay(void)
{
  void *frame = kalloc();
  if (frame == 0)
    panic("log: no memory at boot");
  int err = 0;
  for (uint i = 0; i < head.n && err == 0; i++) {
    err = transfer(DISK_READ, log.start + 1 + i, frame);
    if (err == 0)
      err = transfer(DISK_WRITE, head.home[i], frame);
  }
  kfree(frame);
  if (err == 0)
    err = disk_flush(0);
  printk("log: %u blocks of the last transaction written again\n", head.n);
  return err;
}

// Called once, before anything but the superblock is cached: bring the disk into the state after
// its last transaction, and start logd. 0 or -EIO; a damaged log is a panic with a sentence.
int
log_start(const struct superblock *sb)
{
  log.pages = sets[0];
  log.from = sets[1];
  log.start = sb->logstart;
  log.cap = sb->nlog - 1 < LOGHOMES ? sb->nlog - 1 : LOGHOMES;
  int err = transfer(DISK_READ, log.start, &head);
  if (err < 0)
    return err;
  const char *why = damage(sb);
  if (why)
    panic("the disk's log is damaged: %s", why);
  int whole = head.sum == logsum(&head);
  fs_readonly = disk_readonly(0);
  if (fs_readonly && whole && head.n > 0)
    panic("the disk is read-only, but its log holds a transaction that must be written");
  if (whole && head.n > 0)
    err = replay();
  if (err == 0 && head.n > 0)
    err = clear_head();
  log.seq = head.seq + 1;
  log.durable = log.home = head.seq;
  if (err == 0 && kthread(logd, "logd") == 0)
    panic("log: no memory for its thread");
  return err;
}
