// SPDX-License-Identifier: MIT
// policy [name]: who is evicted first when frames are short, and when there are huge pages. Alone it
// prints what is set and what could be; a name of either sets it.

#include "kernel/types.h"
#include "user/user.h"
#include "user/quire.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

static const char *const policies[] = VMPOLICY_NAMES;
static const char *const modes[] = VMHUGE_NAMES;

static void
print(const char *what, const char *const *list, int n, uint now)
{
  printf("%s: %s (of", what, now < (uint)n ? list[now] : "?");
  for (int i = 0; i < n; i++)
    printf(" %s", list[i]);
  printf(")\n");
}

// Sets it when the list has the name: 1, 0 when it has not.
static int
set(int what, const char *const *list, int n, const char *name)
{
  for (int i = 0; i < n; i++)
    if (strcmp(list[i], name) == 0) {
      if (vmctl(what, i) == 0)
        return 1;
      complain(name);
      exit(1);
    }
  return 0;
}

int
main(int argc, char *argv[])
{
  struct vmstat v;

  if (argc > 2) {
    fprintf(2, "usage: policy [name]\n");
    exit(1);
  }
  if (argc == 2 && !set(VMCTL_POLICY, policies, COUNT(policies), argv[1]) &&
      !set(VMCTL_HUGE, modes, COUNT(modes), argv[1])) {
    fprintf(2, "policy: there is no %s; policy alone lists what there is\n", argv[1]);
    exit(1);
  }
  if (argc == 2)
    exit(0);
  if (vmstat(&v) < 0) {
    perror("policy");
    exit(1);
  }
  print("eviction", policies, COUNT(policies), v.policy);
  print("huge pages", modes, COUNT(modes), v.huge);
  exit(0);
}
