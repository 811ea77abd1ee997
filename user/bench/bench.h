// SPDX-License-Identifier: MIT
// What a row of the benchmark is written with.
#pragma once

#include "port.h"

#define PAGE 4096
#define KIB  1024
#define MIB  (1024 * KIB)

// One kind of work. A round is: before(n), n operations by run(n), after(n); only run is counted.
struct row {
  const char *name;
  const char *about;
  void (*before)(int n);
  void (*run)(int n);
  void (*after)(int n);
  int n;     // operations in a round,
  int units; // and how many units (pages, KiB, bytes) an operation has
};

extern const struct row process_rows[], memory_rows[], pipe_rows[], file_rows[];

// bench.c
void need(int fact, const char *what); // ends the program with the reason when a call failed
int fork_or_end(void);
void reap(void); // wait for one child
