# SPDX-License-Identifier: MIT
"""Functions of the kernel and of programs, compiled for the host."""

from quire import test

NAMES = "memset memmove memcpy strlen strcmp safestrcpy".split()


@test(quick=True)
def the_kernels_strings_are_right(t):
    """kernel/string.c against the C library of the host."""
    t.check(["cc", "-std=gnu11", "-O2", "-g", "-I.", "-ffreestanding", "-fno-builtin", "-w",
             *(f"-D{name}=k_{name}" for name in NAMES), "-c", "-o", t.path("string.o"), "kernel/string.c"])
    t.check(["cc", "-g", "-fno-builtin", "-o", t.path("test"), "tests/host/bytes_test.c", t.path("string.o")])
    t.check([t.path("test")], seconds=30)


@test(quick=True)
def what_the_kernel_says_is_formatted_right(t):
    """kernel/printk.c: its conversions."""
    t.check(["cc", "-std=gnu11", "-O2", "-g", "-w", "-fno-builtin", "-I.", "-o", t.path("test"),
             "tests/host/printk_test.c"])
    t.equal(t.check([t.path("test")], seconds=30), "ok\n")


@test(quick=True)
def the_library_keeps_its_contracts(t):
    """user/ulib.c, printf.c and umalloc.c as one program, with the host's sanitizers if it has them."""
    command = ["cc", "-std=gnu11", "-g", "-fno-builtin", "-I.", "-Iuser", "-o", t.path("test"),
               "tests/host/test_ulib.c"]
    if t.command([*command, "-fsanitize=address,undefined"])[0] != 0:
        t.check(command)
    t.equal(t.check([t.path("test")], seconds=30), "ok\n")
