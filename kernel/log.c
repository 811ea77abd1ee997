// SPDX-License-Identifier: MIT
// The log: many operations become one transaction, and a transaction is on the disk wholly or not
// at all, whenever the power goes.
//
// Interface: begin_op, end_op around whatever changes blocks; log_write(page) for each block
// changed; proc.opleft for operations that can stop half-way; log_sync; log_nudge, which starts a
// commit in time; log_start, at boot, which repeats what a crash interrupted.
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

#include "fs.h"
#include "proc.h"

#define NREQ 16 // requests in flight

int fs_readonly;

static struct {
  struct spinlock lock; // this group:
  int outstanding;      //   operations begun and not ended
  int shut;             //   the door: no operation begins
  uint seq;             //   the running transaction
  uint home;            //   the last one that is in its homes
  uint64 since;         //   when the running transaction got its first page
  uint n;               //   its pages
  struct page *pages[LOGHOMES];
  int wanted; //   logd shall commit

  uint start, cap;             // the head's block, and how many copies fit behind it; for good
  struct page *from[LOGHOMES]; // logd's own, committing: pages
  struct page *copy[LOGHOMES]; //   their copies; the page itself when there was no memory
  struct diskreq reqs[NREQ];
} log = { .lock = SPINLOCK("log") };

// What is written as the head; a frame of its own. head.n is also how many pages are committing.
static struct loghead head __attribute__((aligned(BSIZE)));

// ---- operations ----

static int
is_full(void)
{
  return log.shut || log.n + (log.outstanding + 1) * MAXOPBLOCKS > log.cap;
}

static NOINLINE void
wait_for_room(void)
{
  while (!fs_readonly && is_full())
    sleep(&log.shut, &log.lock);
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
  if (is_full())
    wait_for_room();
  int err = fs_readonly ? -EROFS : 0;
  if (err == 0) {
    log.outstanding++;
    p->opleft = MAXOPBLOCKS + 1;
  }
  release(&log.lock);
  return err;
}

// What the operation has logged will be on the disk together, later.
void
end_op(void)
{
  myproc()->opleft = 0;
  acquire(&log.lock);
  assert(log.outstanding > 0);
  log.outstanding--;
  wakeup(log.shut ? &log.outstanding : &log.shut);
  release(&log.lock);
}

// Have logd commit. Holds log.lock.
static void
ask(void)
{
  log.wanted = 1;
  wakeup(&log.wanted);
}

// The caller, in an operation, has changed pg or is about to, and keeps what he changes to himself
// until he is done. Costs nothing when pg is in the running transaction already.
void
log_write(struct page *pg)
{
  struct proc *p = myproc();
  assert(p->opleft > 0 && pg->blockno != 0);
  if (pg->flags & PF_LOGGED)
    return;
  acquire(&log.lock);
  if ((pg->flags & PF_LOGGED) == 0) { // nobody was faster, who changes something else in it
    if (--p->opleft < 1)
      panic("log: an operation changes more than %d blocks", MAXOPBLOCKS);
    if (log.n == 0)
      log.since = r_time();
    page_get(pg);
    pg->exec = 0;
    pg->logslot = log.n;
    log.pages[log.n++] = pg;
    page_set(pg, PF_LOGGED);
    if (log.n == log.cap / 2)
      ask();
  }
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

// ---- committing ----

// Copy the pages that head.n counts: 1 when each has a copy, so that the door may be opened.
static int
copy_pages(void)
{
  int all = 1;
  for (uint i = 0; i < head.n; i++) {
    struct page *pg = log.pages[i], *copy = page_alloc(PG_KERNEL);
    if (copy)
      page_copy(page_va(copy), page_va(pg));
    else
      all = 0;
    log.from[i] = pg;
    log.copy[i] = copy ? copy : pg;
    head.home[i] = pg->blockno;
    page_clear(pg, PF_LOGGED);
  }
  return all;
}

static void
open_door(void)
{
  acquire(&log.lock);
  log.shut = 0;
  wakeup(&log.shut);
  release(&log.lock);
}

// Write all copies, neighbours in one request: to their homes, or else to the log. 0 or -EIO, when
// they are on the medium or one cannot be.
static int
write_copies(int home)
{
  int err = 0;
  uint k = 0;
  for (uint i = 0; i < head.n; k++) {
    struct diskreq *r = &log.reqs[k % NREQ];
    err |= disk_wait(r); // for what it was used before
    r->op = DISK_WRITE;
    r->blockno = home ? head.home[i] : log.start + 1 + i;
    r->n = 0;
    do
      r->pages[r->n++] = log.copy[i++];
    while (i < head.n && r->n < DISK_RUN && (!home || head.home[i] == head.home[i - 1] + 1));
    disk_submit(r);
  }
  for (uint i = 0; i < k && i < NREQ; i++)
    err |= disk_wait(&log.reqs[i]);
  return err ? err : disk_flush(0);
}

// Read or write one block that is not in the cache.
static int
transfer(enum disk_op op, uint blockno, void *frame)
{
  return disk_io(
      &(struct diskreq){ .op = op, .blockno = blockno, .n = 1, .pages = { va_page(frame) } });
}

// Make the log hold a transaction of n blocks. 0 or -EIO.
static int
write_head(uint n)
{
  head.magic = LOGMAGIC;
  head.n = n;
  head.sum = logsum(&head);
  int err = transfer(DISK_WRITE, log.start, &head);
  return err ? err : disk_flush(0);
}

// Commit the transaction that head.n and head.seq tell of; the door is shut and nobody is inside.
static void
commit(void)
{
  uint n = head.n;
  if (copy_pages())
    open_door();
  int failed = write_copies(0) || write_head(n) || write_copies(1) || write_head(0);
  for (uint i = 0; i < n; i++) {
    if (log.copy[i] != log.from[i])
      page_put(log.copy[i]);
    if (!failed) // else the cache must not lose what the disk does not have
      page_put(log.from[i]);
  }
  if (failed)
    printk("log: the disk failed; the file system is read-only from now on\n");
  acquire(&log.lock);
  if (failed)
    fs_readonly = 1;
  else
    log.home = head.seq;
  wakeup(&log.home);
  release(&log.lock);
  open_door();
}

// The thread: wait until a commit is wanted, shut the door, wait until everybody is out.
static void
logd(void)
{
  for (;;) {
    acquire(&log.lock);
    while (!log.wanted || fs_readonly)
      sleep(&log.wanted, &log.lock);
    log.wanted = 0;
    log.shut = 1;
    while (log.outstanding > 0)
      sleep(&log.outstanding, &log.lock);
    head.n = log.n;
    head.seq = log.seq++;
    log.n = 0;
    release(&log.lock);
    commit();
  }
}

// Everything that operations have changed until now is on the disk and in its home when this
// returns 0. -EIO: it is not, and will not be. Sleeps; the caller holds no lock and has no operation
// open.
int
log_sync(void)
{
  acquire(&log.lock);
  uint target = log.n > 0 ? log.seq : log.seq - 1;
  while (log.home < target && !fs_readonly) {
    if (target == log.seq)
      ask();
    sleep(&log.home, &log.lock);
  }
  int err = log.home < target ? -EIO : 0;
  release(&log.lock);
  return err;
}

// Start a commit if something has been waiting so long, in units of time. Called with interrupts off
// by the idle loop, as a machine that has nothing to do may as well, and by the timer.
void
log_nudge(uint64 age)
{
  if (log.n > 0 && !log.wanted && !fs_readonly && r_time() - log.since >= age) {
    acquire(&log.lock);
    ask();
    release(&log.lock);
  }
}

// Blocks that are not in their homes yet.
uint64
log_dirty(void)
{
  return log.n + head.n;
}

// ---- boot ----

// Whether head, as it was read, can be one of ours. One whose sum is wrong was being written when the
// power went: that transaction never happened.
static int
head_ok(const struct superblock *sb)
{
  if (head.magic != LOGMAGIC || head.n > log.cap)
    return 0;
  if (head.sum != logsum(&head))
    head.n = 0;
  for (uint i = 0; i < head.n; i++)
    if (head.home[i] < sb->inodestart || head.home[i] >= sb->size)
      return 0;
  return 1;
}

// Write home what head tells of, and forget it. 0 or -EIO.
static int
replay(void)
{
  void *frame = kalloc();
  int err = 0;
  if (frame == 0)
    panic("log: no memory at boot");
  for (uint i = 0; i < head.n && err == 0; i++) {
    err = transfer(DISK_READ, log.start + 1 + i, frame);
    if (err == 0)
      err = transfer(DISK_WRITE, head.home[i], frame);
  }
  kfree(frame);
  printk("log: %u blocks of the last transaction written again\n", head.n);
  if (err == 0)
    err = disk_flush(0);
  return err ? err : write_head(0);
}

// Called once, before anything but the superblock is cached: bring the disk into the state after
// its last transaction, and start logd. 0 or -EIO; a damaged log is a panic with a sentence.
int
log_start(const struct superblock *sb)
{
  log.start = sb->logstart;
  log.cap = sb->nlog - 1 < LOGHOMES ? sb->nlog - 1 : LOGHOMES;
  fs_readonly = drives[0].readonly;
  int err = transfer(DISK_READ, log.start, &head);
  if (err < 0)
    return err;
  if (!head_ok(sb))
    panic("the disk's log is damaged: no head of ours can be like that");
  if (head.n > 0 && fs_readonly)
    panic("the disk's log holds a transaction, and the disk cannot be written");
  if (head.n > 0 && (err = replay()) < 0)
    return err;
  log.home = head.seq;
  log.seq = head.seq + 1;
  kthread(logd, "logd");
  return 0;
}
