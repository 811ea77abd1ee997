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
int wanted(const char *name, int argc,
           char **argv); // is it among the arguments, or are there none?
struct costs costs_since(const struct costs *before);
uint64 least(const struct row *, int rounds, struct costs *); // instructions of the best round
void report(const char *kind, const char *name, int size, uint64 units, uint64 cost,
            const struct costs *);
char *numbered(char *name, int n); // writes n before the last byte of name, over as many as it has

// process.c
void fork_exit(int n);

// boot.c, grow.c, share.c
void since_boot(void);
void tell_frames(void);
void growth(int argc, char **argv);
extern int workers;
void at_once(const struct row *);
