// SPDX-License-Identifier: MIT
// What the acts of grind share. An act does something random; it may fail, and it may not leave
// more than files, descriptors and memory behind, since its session ends soon.
#pragma once

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "user/user.h"
#include "user/quire.h"

extern char page[8192]; // bytes to write, and room to read

uint rnd(uint below);
void broken(const char *what) __attribute__((noreturn));

// grind/files.c
void act_create(void);
void act_unlink(void);
void act_link(void);
void act_mkdir(void);
void act_sync(void);
void act_look(void);
void act_list(void);
void act_step_in(void);
void act_descriptor(void);
void act_private_file(void);
void act_pipe(void);

// grind/procs.c
void act_heap(void);
void act_share(void);
void act_bad_pointer(void);
void act_fault(void);
void act_exit_status(void);
void act_kill(void);
void act_kill_group(void);
void act_exec(void);
void act_orphans(void);
void act_ask(void);
