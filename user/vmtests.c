// SPDX-License-Identifier: MIT
// vmtests: does virtual memory work as it says? Not only is the result right: the proof interface
// (kernel/vmstat.h) tells that it came about as it should, by how many faults, frames and copies.
//
//   vmtests            all tests         vmtests NAME...   these
//   vmtests -q         the quick ones    vmtests -l        what there is
//
// The tests are in vmtests/, one technique a file; vmtests/tests.tbl lists them. How they are run is
// in harness/suite.c, what they are written with in harness/harness.h, harness/probe.h and
// vmtests/test.h. Those of swap want a second drive of at least 320 MiB, and less memory than that.
#include "vmtests/test.h"

static const struct test tests[] = {
#define QUICK(name, about) { #name, about, name, 0 },
#define SLOW(name, about)  { #name, about, name, 1 },
#include "vmtests/tests.tbl"
};

int
main(int argc, char **argv)
{
  if (argc > 0 && argv[0][0] == '@')
    return helper(argc, argv);
  return harness(argc, argv, tests, COUNT(tests));
}
