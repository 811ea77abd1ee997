// SPDX-License-Identifier: MIT
// Devices: the console, and numbers that no device has.
#include "test.h"

void
device_has_a_node(void)
{
  CHECK(mknod("dev", CONSOLE, 3) == 0);
  FAILS(mknod("dev", CONSOLE, 3), EEXIST);
  struct stat st = look("dev");
  CHECK(st.type == T_DEVICE && st.nlink == 1);
  int fd = open("dev", O_RDWR);
  CHECK(fd >= 0 && write(fd, "", 0) == 0);
  FAILS(lseek(fd, 0, SEEK_SET), ESPIPE);
  FAILS(ftruncate(fd, 0), EINVAL);
  CHECK(unlink("dev") == 0);
}

// A number that the disk has no room for is refused, not cut.
void
device_numbers_too_large(void)
{
  static const int wide[] = { 40000, -40000, 0x10000, 0x7fffffff };
  int err;
  for (int i = 0; i < COUNT(wide); i++) {
    CHECK(raw(SYS_mknod, (uint64) "dev", CONSOLE, wide[i], &err) == -1 && err == EINVAL);
    CHECK(raw(SYS_mknod, (uint64) "dev", wide[i], 0, &err) == -1 && err == EINVAL);
  }
  CHECK(!exists("dev"));
  CHECK(mknod("dev", CONSOLE, -32768) == 0);
}

// A node can be refused, or refuse to be opened, or to be used; the system goes on.
void
device_numbers_of_nobody(void)
{
  static const int majors[] = { -1, 0, 2, NDEV - 1, NDEV, NDEV + 1, 100, 255, 32767, -32768 };
  for (int i = 0; i < COUNT(majors); i++) {
    if (mknod("dev", (short)majors[i], 0) < 0) {
      CHECK(errno == EINVAL || errno == ENODEV);
      CHECK(!exists("dev"));
      continue;
    }
    CHECK(look("dev").type == T_DEVICE);
    int fd = open("dev", O_RDWR);
    if (fd < 0) {
      CHECK(errno == ENODEV);
    } else {
      FAILS(read(fd, buf, 1), ENODEV);
      FAILS(write(fd, buf, 1), ENODEV);
      close(fd);
    }
    CHECK(unlink("dev") == 0);
  }
}

static void
write_dots(uint64 who)
{
  (void)who;
  for (int i = 0; i < 20; i++)
    put(1, "\r", 1);
}

void
console_written_by_several(void)
{
  crowd(5, write_dots);
}

static void
read_console(uint64 unused)
{
  (void)unused;
  int fd = open("dev", O_RDONLY);
  for (;;)
    read(fd, buf, 1);
}

// Who waits for somebody to type can be killed.
void
console_reader_can_be_killed(void)
{
  CHECK(mknod("dev", CONSOLE, 0) == 0);
  int pid = spawn(read_console, 0);
  await(pid, ASLEEP);
  CHECK(kill(pid) == 0);
  CHECK(reap(pid) == KILLED);
}
