// SPDX-License-Identifier: MIT
// Error numbers. Kernel functions return them negative; programs find them positive in errno.
#pragma once

#define EPERM        1  // not allowed for this caller or target
#define ENOENT       2  // no such file or directory
#define ESRCH        3  // no such process
#define EINTR        4  // killed while waiting
#define EIO          5  // the device failed
#define E2BIG        7  // argument list too long
#define ENOEXEC      8  // not a program this machine runs
#define EBADF        9  // no such open file, or not open for this
#define ECHILD       10 // no children to wait for
#define EAGAIN       11 // too many processes; no longer what the caller thought (futex)
#define ENOMEM       12 // no memory
#define EACCES       13 // this kind of access is not permitted
#define EFAULT       14 // bad address
#define EBUSY        16 // in use
#define EEXIST       17 // the name exists already
#define ENODEV       19 // no such device
#define ENOTDIR      20 // not a directory
#define EISDIR       21 // is a directory
#define EINVAL       22 // an argument makes no sense
#define ENFILE       23 // too many open files in the system
#define EMFILE       24 // too many open files in this process
#define ETXTBSY      26 // the file is a program that runs
#define EFBIG        27 // the file would get too large
#define ENOSPC       28 // the disk is full
#define ESPIPE       29 // a pipe or device has no position
#define EROFS        30 // the file system is read-only
#define EMLINK       31 // too many links
#define EPIPE        32 // nobody reads this pipe
#define EDEADLK      35 // it would wait for itself
#define ENAMETOOLONG 36 // a name longer than DIRSIZ, or a path longer than MAXPATH
#define ENOSYS       38 // no such system call
#define ENOTEMPTY    39 // the directory is not empty
#define EOVERFLOW    75 // beyond the largest size
