// SPDX-License-Identifier: MIT
// What the parts of vmtour have in common.
#pragma once

#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "user/harness/probe.h"

#define STAND "@stand" // argv[0] of this program when it is only to be looked at

const char *rights(uint flags);
int stand(void (*work)(void));
void dismiss(int pid);
int stand_here(void);

void tour_tables(void);
void tour_sparse(void);
void tour_lazy(void);
void tour_stack(void);
void tour_cow(void);
void tour_demand(void);
void tour_mmap(void);
void tour_huge(void);
void tour_swap(void);
