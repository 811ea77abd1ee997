// SPDX-License-Identifier: MIT
// What the virtio 1.1 specification fixes: the registers of a transport (4.2), a split queue (2.6),
// and a request to a block device (5.2). All numbers are little endian.
#pragma once

#include "types.h"

// ---- registers of a transport, 32 bits each ----

#define VIO_MAGIC     0x000 // "virt"
#define VIO_VERSION   0x004 // 2; 1 is the legacy layout
#define VIO_DEVICE    0x008 // kind of device; 0: nothing here
#define VIO_OFFERED   0x010 // features of the device, the 32 bits that VIO_OFFERSEL chose
#define VIO_OFFERSEL  0x014
#define VIO_ACCEPTED  0x020 // features that the driver uses
#define VIO_ACCEPTSEL 0x024
#define VIO_QSEL      0x030 // the queue that the following describe
#define VIO_QMAX      0x034 // entries it can have
#define VIO_QNUM      0x038 // entries it has
#define VIO_QREADY    0x044
#define VIO_NOTIFY    0x050 // there is something new in this queue
#define VIO_INTSTATUS 0x060
#define VIO_INTACK    0x064
#define VIO_STATUS    0x070
#define VIO_QDESC     0x080 // physical addresses, low half; the high half follows
#define VIO_QAVAIL    0x090
#define VIO_QUSED     0x0a0
#define VIO_CONFIG    0x100 // of a disk: its size in sectors, 64 bits

#define VIO_IS_MAGIC 0x74726976
#define VIO_IS_DISK  2

// VIO_STATUS
#define VIO_ACKNOWLEDGE 1
#define VIO_DRIVER      2
#define VIO_DRIVER_OK   4
#define VIO_FEATURES_OK 8
#define VIO_FAILED      128

// features, first half
#define VIO_F_RO       (1u << 5)  // disk: cannot be written
#define VIO_F_FLUSH    (1u << 9)  // disk: knows the request FLUSH
#define VIO_F_INDIRECT (1u << 28) // a descriptor can name a table of descriptors
// second half
#define VIO_F_VERSION1 (1u << 0) // not a legacy device

// ---- a queue ----

#define VQ_SIZE 32 // entries; a power of two

struct vq_desc {
  uint64 addr;
  uint32 len;
  uint16 flags;
  uint16 next;
};

#define VQ_NEXT     1 // another one follows, at next
#define VQ_WRITE    2 // the device writes it
#define VQ_INDIRECT 4 // it holds descriptors

struct vq_avail { // what the driver offers
  uint16 flags;
  uint16 idx; // counts entries ever made
  uint16 ring[VQ_SIZE];
  uint16 unused;
};

struct vq_used { // what the device is done with
  uint16 flags;
  uint16 idx;
  struct {
    uint32 id;
    uint32 len;
  } ring[VQ_SIZE];
  uint16 unused;
};

// ---- a request to a disk ----

#define VBLK_SECTOR 512

struct vblk_head {
  uint32 type; // enum disk_op
  uint32 reserved;
  uint64 sector;
};
