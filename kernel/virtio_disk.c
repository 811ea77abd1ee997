// SPDX-License-Identifier: MIT
// Disks: virtio block devices behind the eight transports of the virt machine. Drive 0 has the file
// system, drive 1 is there to swap to; which is which says the order of their transports.
//
// Interface: virtio_disk_init, virtio_disk_intr; disk_submit and disk_wait, disk_io, disk_flush;
// drives.
//
//   request --> slot: head, a descriptor per frame, status --> one descriptor of the queue
//               (its table: head | frame | ... | frame | status)
//
// Slot i always uses descriptor i and keeps its own table, so there is no list of free descriptors:
// a slot is free or it is not. As many requests are in flight as there are slots.
//
// Lock: disk.lock guards one struct disk and its queue; the interrupt handler takes it.
//
// 1. busy has a bit for every slot that the device may still touch; req[] says for whom.
// 2. The device sees a new avail.idx only after the slot and the ring entry are written.
// 3. An interrupt is acknowledged before the used ring is looked at: what completes later
//    interrupts again, so nothing is lost.
// 4. A request's busy is the last thing written to it: from then on it may be gone.

#include "fs.h"
#include "proc.h"
#include "virtio.h"

struct slot {
  struct vq_desc table[DISK_RUN + 2];
  struct vblk_head head;
  uint8 status; // 0: it worked
};

struct disk {
  struct spinlock lock;
  uint64 regs; // its transport; 0: there is no such drive
  struct drive *drive;
  uint32 busy;
  uint16 seen; // used.idx up to where we looked
  struct diskreq *req[VQ_SIZE];
  struct slot slots[VQ_SIZE];
  struct vq_desc desc[VQ_SIZE] __attribute__((aligned(16)));
  struct vq_avail avail;
  struct vq_used used;
};

_Static_assert(VQ_SIZE == 32, "disk.busy has as many bits");

static struct disk disks[NDRIVE] = { [0 ... NDRIVE - 1] = { .lock = SPINLOCK("disk") } };
struct drive drives[NDRIVE];

// ---- finding and starting the device ----

static uint32
reg(struct disk *d, uint r)
{
  return mmio_read32(d->regs + r);
}

static void
set_reg(struct disk *d, uint r, uint32 v)
{
  mmio_write32(d->regs + r, v);
}

static void
set_address(struct disk *d, uint r, const void *p)
{
  set_reg(d, r, KPA(p));
  set_reg(d, r + 4, KPA(p) >> 32);
}

// Reset the device and agree on features: 0, or the sentence that says why not.
static const char *
negotiate(struct disk *d)
{
  const uint32 must = VIO_F_FLUSH | VIO_F_INDIRECT;
  if (reg(d, VIO_VERSION) != 2)
    return "it is a legacy transport: QEMU needs -global virtio-mmio.force-legacy=false";
  set_reg(d, VIO_STATUS, 0);
  while (reg(d, VIO_STATUS) != 0)
    ;
  set_reg(d, VIO_STATUS, VIO_ACKNOWLEDGE | VIO_DRIVER);
  set_reg(d, VIO_OFFERSEL, 0);
  uint32 offered = reg(d, VIO_OFFERED);
  if ((offered & must) != must)
    return "it cannot flush, or lacks indirect descriptors";
  d->drive->readonly = (offered & VIO_F_RO) != 0;
  set_reg(d, VIO_ACCEPTSEL, 0);
  set_reg(d, VIO_ACCEPTED, must | (offered & VIO_F_RO));
  set_reg(d, VIO_ACCEPTSEL, 1);
  set_reg(d, VIO_ACCEPTED, VIO_F_VERSION1);
  set_reg(d, VIO_STATUS, VIO_ACKNOWLEDGE | VIO_DRIVER | VIO_FEATURES_OK);
  return reg(d, VIO_STATUS) & VIO_FEATURES_OK ? 0 : "it refuses the features it offered";
}

static const char *
start(struct disk *d)
{
  const char *why = negotiate(d);
  if (why)
    return why;
  set_reg(d, VIO_QSEL, 0);
  if (reg(d, VIO_QREADY) || reg(d, VIO_QMAX) < VQ_SIZE)
    return "its queue is too small or in use";
  set_reg(d, VIO_QNUM, VQ_SIZE);
  set_address(d, VIO_QDESC, d->desc);
  set_address(d, VIO_QAVAIL, &d->avail);
  set_address(d, VIO_QUSED, &d->used);
  set_reg(d, VIO_QREADY, 1);
  uint64 sectors = reg(d, VIO_CONFIG) | (uint64)reg(d, VIO_CONFIG + 4) << 32;
  d->drive->blocks = sectors / (BSIZE / VBLK_SECTOR);
  set_reg(d, VIO_STATUS, VIO_ACKNOWLEDGE | VIO_DRIVER | VIO_FEATURES_OK | VIO_DRIVER_OK);
  return 0;
}

// Whether d now is the disk behind the transport whose registers are there.
static int
probe(struct disk *d, uint64 regs)
{
  d->regs = regs;
  d->drive = &drives[d - disks];
  if (reg(d, VIO_MAGIC) == VIO_IS_MAGIC && reg(d, VIO_DEVICE) == VIO_IS_DISK) {
    const char *why = start(d);
    if (why == 0)
      return 1;
    set_reg(d, VIO_STATUS, VIO_FAILED);
    printk("disk: the one at 0x%lx cannot be used: %s\n", KPA(regs), why);
  }
  d->regs = 0;
  return 0;
}

// Called once by hart 0: the first transport that has a disk is drive 0, and so on. Every request to
// a drive that is not there fails with -EIO.
void
virtio_disk_init(void)
{
  int n = 0;
  for (int i = 0; i < 8 && n < NDRIVE; i++)
    n += probe(&disks[n], KVA(VIRTIO0) + i * 0x1000);
}

// ---- requests ----

static struct vq_desc *
add(struct vq_desc *to, const void *p, uint len, int flags)
{
  *to = (struct vq_desc){ .addr = KPA(p), .len = len, .flags = flags };
  return to + 1;
}

// Describe req in slot i, and the slot in the queue.
static void
fill(struct disk *d, int i, struct diskreq *req)
{
  struct slot *s = &d->slots[i];
  s->head =
      (struct vblk_head){ .type = req->op, .sector = (uint64)req->blockno * (BSIZE / VBLK_SECTOR) };
  s->status = 0xff;

  struct vq_desc *t = add(s->table, &s->head, sizeof(s->head), VQ_NEXT);
  for (uint k = 0; k < req->n; k++)
    t = add(t, page_va(req->pages[k]), BSIZE, VQ_NEXT | (req->op == DISK_READ ? VQ_WRITE : 0));
  t = add(t, &s->status, 1, VQ_WRITE);
  uint n = t - s->table;
  for (uint k = 0; k < n - 1; k++)
    s->table[k].next = k + 1;
  add(&d->desc[i], s->table, n * sizeof(*t), VQ_INDIRECT);
}

// Start req; sleeps while too many are in flight. The caller holds no spinlock. Requests in flight
// may be done in any order.
void
disk_submit(struct diskreq *req)
{
  struct disk *d = &disks[req->drive];
  int i = 0;
  assert(req->n <= DISK_RUN && (req->n > 0) == (req->op != DISK_FLUSH) && !req->busy);
  req->err = -EIO;
  if (d->regs == 0 || (d->drive->readonly && req->op != DISK_READ) ||
      (uint64)req->blockno + req->n > d->drive->blocks)
    return;
  if (req->op == DISK_READ)
    vm_count(disk_reads, req->n);
  else
    vm_count(disk_writes, req->n);
  acquire(&d->lock);
  while (d->busy == ~0u)
    sleep(&d->busy, &d->lock);
  while (d->busy & 1u << i)
    i++;
  d->busy |= 1u << i;
  req->busy = 1;
  d->req[i] = req;
  fill(d, i, req);
  d->avail.ring[d->avail.idx % VQ_SIZE] = i;
  __atomic_store_n(&d->avail.idx, d->avail.idx + 1, __ATOMIC_RELEASE);
  set_reg(d, VIO_NOTIFY, 0);
  release(&d->lock);
}

// Wait until the driver has given req back: 0 or -EIO. Also for one that was never submitted, if it
// is all zero. Sleeps; the caller holds no spinlock.
int
disk_wait(struct diskreq *req)
{
  struct disk *d = &disks[req->drive];
  if (__atomic_load_n(&req->busy, __ATOMIC_ACQUIRE)) {
    acquire(&d->lock);
    while (req->busy)
      sleep(req, &d->lock);
    release(&d->lock);
  }
  return req->err;
}

// Both.
int
disk_io(struct diskreq *req)
{
  disk_submit(req);
  return disk_wait(req);
}

// What was written to the drive before is on the medium when this returns: 0 or -EIO. Sleeps.
int
disk_flush(uint drive)
{
  return disk_io(&(struct diskreq){ .op = DISK_FLUSH, .drive = drive });
}

// The device is done with slot i.
static void
finish(struct disk *d, uint i)
{
  if (i >= VQ_SIZE || (d->busy & 1u << i) == 0) {
    printk("disk: the device completed a request that nobody made\n");
    return;
  }
  struct diskreq *req = d->req[i];
  if (req->op == DISK_READ)
    d->drive->nread += req->n;
  else
    d->drive->nwritten += req->n;
  if (d->busy == ~0u)
    wakeup(&d->busy);
  d->busy &= ~(1u << i);
  req->err = d->slots[i].status == 0 ? 0 : -EIO;
  __atomic_store_n(&req->busy, 0, __ATOMIC_RELEASE);
  wakeup(req);
}

// Transport n interrupts, which is no business of the other drives. Called with interrupts off, by the
// trap handler.
void
virtio_disk_intr(int n)
{
  for (struct disk *d = disks; d < disks + NDRIVE; d++)
    if (d->regs == KVA(VIRTIO0) + n * 0x1000) {
      acquire(&d->lock);
      set_reg(d, VIO_INTACK, reg(d, VIO_INTSTATUS));
      io_fence();
      while (d->seen != __atomic_load_n(&d->used.idx, __ATOMIC_ACQUIRE))
        finish(d, d->used.ring[d->seen++ % VQ_SIZE].id);
      release(&d->lock);
    }
}
