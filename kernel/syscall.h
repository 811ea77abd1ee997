// SPDX-License-Identifier: MIT
// Numbers of the system calls: SYS_fork and so on.
#pragma once

#define SYSCALL(nr, name, stub) SYS_##name = nr,
enum sysnumber {
#include "syscall.tbl"
  NSYSCALL
};
#undef SYSCALL

#define SYS_sleep SYS_pause // its name until 2025
