// SPDX-License-Identifier: MIT
// What fstat tells about a file.
#pragma once

#define T_DIR    1 // directory
#define T_FILE   2 // regular file
#define T_DEVICE 3 // device

struct stat {
  int dev;     // the disk it lives on
  uint ino;    // its inode number there
  short type;  // T_DIR, T_FILE or T_DEVICE
  short nlink; // names it has
  uint64 size; // bytes
};
