# SPDX-License-Identifier: MIT
"""Programs written for xv6: they build unchanged with EXTRA=, and behave as there."""

import os

from quire import Elf, build, changing, make, test

FAULTS = {
    "null_write": r"writes 0x0 ", "far_read": r"reads 0x2000000000 .*no mapping",
    "text_write": r"writes 0x\w+ .*not writable", "data_exec": r"executes 0x\w+ .*not executable",
    "heap_exec": r"executes 0x\w+ .*not executable", "kernel_read": r"reads 0xffffffc080000000 ",
    "kernel_write": r"writes 0xffffffc080000000 ", "beyond": r"writes 0x4000000000 .*not a user address",
    "noncanonical": r"writes 0x8000000000000000 ", "illegal": "illegal", "breakpoint": "ebreak",
    "csr": "illegal", "deep": r"writes 0x\w+ .*stack"}
PRIMES = "".join(f"prime {p}\n" for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31)).strip()


def extra(t, *args, progs="tests/xv6progs", compiler="gcc"):
    """A kernel, and the copy of a disk that has these programs; all in one folder, so that only what
    differs is built."""
    settings = ["CI=true", "LLVM=1"] if compiler == "clang" else ["CI=true"]
    folder = build(compiler, *settings, "-j2")
    with changing(folder):
        status, said = make(f"B={folder}", *settings, f"EXTRA={progs}", *args, "-j2")
        disk = t.image(f"{folder}/fs.img")
        loads = Elf(f"{folder}/extra/_sieve").loads() if "tests" in progs else None
        t.equal(make(f"B={folder}", *settings)[0], 0)
    t.true(status == 0, f"make EXTRA={progs} failed: {said[-3000:]}")
    return folder, disk, loads


def programs_run(t, folder, disk, _):
    m = t.boot(build=folder, disk=disk, cpus=2)
    t.runs(m, "sieve", PRIMES)
    m.run("mkdir a a/b; echo x > a/b/needle; echo x > a/needle")
    t.equal(sorted(t.runs(m, "walktree . needle").split("\n")), ["./a/b/needle", "./a/needle"])
    t.has(t.runs(m, "headers"), r"^-5 5 FF 0x0*10 text c % -6 FFFFFFFFF|^-5 5 ff 0x0*10 text c % -6 fffffffff")
    t.runs(m, "returns 7", "", 7)
    t.runs(m, "floats", "floats 0")
    return m


@test(quick=True)
def programs_build_and_run(t):
    t.shut_down(programs_run(t, *extra(t)))


@test()
def programs_of_clang_run(t):
    t.shut_down(programs_run(t, *extra(t, compiler="clang")))


@test(quick=True)
def a_program_at_address_zero_runs(t):
    folder, disk, loads = extra(t, "EXTRALD=tests/xv6progs/at0.ld")
    t.equal([s[1] for s in loads], [5, 6], "the flags of the segments")
    t.equal(loads[0][3], 0, "where the text starts")
    t.shut_down(programs_run(t, folder, disk, loads))


@test(quick=True)
def a_fault_ends_the_program_and_says_why(t):
    folder, disk, _ = extra(t)
    m = t.boot(build=folder, disk=disk, cpus=2)
    said, status = m.run("faults", 60)
    t.equal(status, 0)
    for name, why in FAULTS.items():
        t.has(said, rf"faults\[\d+\]: .*{why}(.*\n)*?.*{name}: -1")
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


@test(quick=True)
def a_program_of_extra_replaces_ours(t):
    progs = t.path("mine")
    os.makedirs(progs)
    with open(f"{progs}/wc.c", "w", encoding="utf-8") as f:
        f.write('#include "kernel/types.h"\n#include "user/user.h"\n'
                'int main(void) { int unused; printf("mine\\n"); exit(0); }\n')
    folder, disk, _ = extra(t, progs=progs)
    t.runs(t.boot(build=folder, disk=disk), "wc README", "mine")
