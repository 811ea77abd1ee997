// SPDX-License-Identifier: MIT
// Bounds of the system. A number here is a limit, never the size of a table that is always there.
#pragma once

#define NCPU        8     // harts that can be used
#define NPROC       1000  // processes and further threads alive at once
#define NPROC_KEPT  8     // of these, only init and its children may take the last ones
#define NOFILE      16    // open files of one process
#define NFILE       4096  // open files of the system
#define NDEV        10    // major device numbers
#define ROOTDEV     1     // the disk that holds /
#define MAXARG      32    // arguments of exec
#define MAXPATH     128   // bytes of a path, with its final zero
#define USERSTACK   2048  // pages a user stack may grow to (8 MiB)
#define MAXOPBLOCKS 32    // blocks one file-system operation may change
#define LOGBLOCKS   1000  // data blocks of the log that mkfs makes, at the most
#define FSSIZE      16384 // blocks of the image that mkfs makes unless told otherwise (64 MiB)
#define TICKS_HZ    10    // what uptime() and pause() count, per second
#define SLICE_HZ    100   // how often a hart that is not idle looks for somebody else to run

// ---- named by programs of xv6; inodes and buffers here are as many as memory has room for ----
#define NINODE 50
#define NBUF   (MAXOPBLOCKS * 3)
