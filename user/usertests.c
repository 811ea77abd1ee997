// SPDX-License-Identifier: MIT
// usertests: does the system keep its promises?
//
//   usertests            all tests         usertests NAME...   these
//   usertests -q         the quick ones    usertests -l        what there is
//
// The tests are in usertests/, one subject a file; usertests/tests.tbl lists them. How they are run
// is in harness/suite.c, what they are written with in harness/harness.h and usertests/test.h.
#include "usertests/test.h"

static const struct test tests[] = {
#define QUICK(name, about) { #name, about, name, 0 },
#define SLOW(name, about)  { #name, about, name, 1 },
#include "usertests/tests.tbl"
};

int
main(int argc, char **argv)
{
  if (argc > 0 && argv[0][0] == '@')
    return helper(argc, argv);
  return harness(argc, argv, tests, COUNT(tests));
}
