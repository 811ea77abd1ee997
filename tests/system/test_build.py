# SPDX-License-Identifier: MIT
"""The build: compilers, dependencies, what is in the files it makes, and what it says when it cannot."""

import json
import os
import re
import shutil
import sys

import quire
from image import Image
from quire import BUILD, Elf, ROOT, build, changing, clean_env, make, test


@test(quick=True, weight=1.5)
def gcc_has_no_complaints(t):
    build("gcc", "CI=true", "-j2")


@test(weight=1.5)
def gcc_with_assertions_has_no_complaints(t):
    build("debug", "CI=true", "DEBUG=1", "-j2")


@test(quick=True, weight=1.5)
def clang_has_no_complaints(t):
    build("clang", "CI=true", "LLVM=1", "-j2")


@test()
def clang_with_assertions_has_no_complaints(t):
    build("clangdebug", "CI=true", "LLVM=1", "DEBUG=1", "-j2")


def copy_tree(t):
    tree = t.path("tree")
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    return tree


def listing(tree):
    return sorted(os.path.join(f, n) for f, _, names in os.walk(tree) for n in names
                  if "build" not in os.path.relpath(f, tree).split(os.sep))


def made(tree, *args):
    """What make built: the targets of its commands."""
    status, said = make(*args, cwd=tree)
    quire.Context.true(None, status == 0, f"make {' '.join(args)} failed: {said[-2000:]}")
    return re.findall(r"^  [A-Z]+ +build/(\S+)$", said, re.M)


def touch(tree, name):
    path = os.path.join(tree, name)
    with open(path, "a", encoding="utf-8"):
        os.utime(path)


def contents(path, name):
    image = Image(path)
    return image.read(image.lookup(name))


@test(weight=2)
def what_changed_is_built_again_and_nothing_else(t):
    tree = copy_tree(t)
    before = listing(tree)
    made(tree, "-j8")
    t.equal(listing(tree), before, "the source tree after a build")
    t.equal(made(tree), [], "what a second make built")
    t.equal(made(tree, "CPUS=7", "MEM=1G"), [], "what CPUS and MEM built")
    touch(tree, "user/user.ld")
    again = made(tree)
    t.true("user/_cat" in again and "fs.img" in again, f"user.ld built only {again}")
    t.true("kernel" not in again, "user.ld built the kernel")
    touch(tree, "kernel.ld")
    t.true("kernel" in made(tree), "kernel.ld did not link the kernel again")
    touch(tree, "kernel/fs.h")
    again = made(tree, "-j2")
    t.true({"obj/kernel/fs.o", "kernel", "mkfs", "fsck", "fs.img"} <= set(again) | {"fsck"}, str(again))
    touch(tree, "Makefile")
    t.true("kernel" in made(tree), "the Makefile did not link the kernel again")
    t.equal(made(tree, "FSSIZE=9000"), ["fs.img"], "what FSSIZE built")
    t.equal(os.path.getsize(f"{tree}/build/fs.img"), 9000 * 4096)
    ours = contents(f"{tree}/build/fs.img", "wc")
    os.makedirs(f"{tree}/mine")
    for name in ("hello", "wc"):
        with open(f"{tree}/mine/{name}.c", "w", encoding="utf-8") as f:
            f.write('#include "kernel/types.h"\n#include "user/user.h"\n'
                    'int main(void) { int unused; printf("hi\\n"); exit(0); }\n')
    again = made(tree, "EXTRA=mine", "FILES=mine/hello.c=source", "CI=true")
    t.true("extra/_hello" in again, f"EXTRA built only {again}")
    t.true(contents(f"{tree}/build/fs.img", "wc") != ours, "EXTRA's wc did not replace ours")
    names = Image(f"{tree}/build/fs.img").names()
    t.true("hello" in names and "source" in names, f"the image has {sorted(names)}")
    made(tree)
    t.true(contents(f"{tree}/build/fs.img", "wc") == ours, "EXTRA's wc is still in the image")
    t.true("hello" not in Image(f"{tree}/build/fs.img").names(), "hello is still in the image")


@test()
def every_compiler_setting_rebuilds(t):
    tree = copy_tree(t)
    made(tree, "-j8")
    again = made(tree, "-j2", "CC=riscv64-unknown-elf-gcc -O1")
    t.true("obj/kernel/main.o" in again and "obj/user/cat.o" in again, f"CC built only {again}")


@test(quick=True)
def compile_commands_are_json_for_all_c_files(t):
    """And a command compiles its file, for one of each kind."""
    tree = copy_tree(t)
    t.equal(make("compile_commands.json", cwd=tree)[0], 0)
    with open(f"{tree}/compile_commands.json", encoding="utf-8") as f:
        entries = json.load(f)
    there = [os.path.relpath(path, tree) for path in listing(tree) if path.endswith(".c")]
    t.equal(sorted(e["file"] for e in entries), there, "the files of compile_commands.json")
    for e in entries:
        t.equal(e["directory"], tree, "the directory")
        t.has(e["command"], r"-c " + re.escape(e["file"]) + "$")
        if e["file"] in ("kernel/vm.c", "kernel/debug/lockrank.c", "tests/standins/cow.c", "user/sh/run.c",
                         "user/cat.c", "tests/xv6progs/sieve.c", "tools/scenes/scenes.c", "mkfs/fsck.c",
                         "tests/host/test_ulib.c"):
            t.equal(t.check(["sh", "-c", f"cd '{tree}' && {e['command']} -fsyntax-only"]), "", "what the compiler says")


# ---- what is in the files ----


@test(quick=True)
def no_segment_is_writable_and_executable(t):
    programs = [f"{BUILD}/user/{n}" for n in os.listdir(os.path.join(ROOT, BUILD, "user"))]
    t.true(len(programs) > 20, f"only {len(programs)} programs")
    for path in [f"{BUILD}/kernel", *programs]:
        for _, flags, _, vaddr, *_, align in Elf(path).loads():
            t.true(flags & 3 != 3, f"{path} has a segment at {vaddr:#x} to write and to execute")
            t.equal(align, 4096, f"{path}: the alignment of the segment at {vaddr:#x}")


@test(quick=True)
def the_kernel_lies_where_the_machine_starts(t):
    elf = Elf(f"{BUILD}/kernel")
    t.equal(elf.entry, 0x80000000, "the entry point")
    t.equal(min(s[4] for s in elf.loads()), 0x80000000, "the lowest physical address")
    for _, _, _, vaddr, paddr, *_ in elf.loads():
        t.true(vaddr == paddr or vaddr == paddr + 0xFFFFFFC000000000,
               f"{vaddr:#x} is loaded at {paddr:#x}, neither in place nor in the direct map")
    for name in os.listdir(os.path.join(ROOT, BUILD, "user")):
        first = min(s[3] for s in Elf(f"{BUILD}/user/{name}").loads())
        t.equal(first, 0x1000, f"where {name} starts")


def disassembly(t):
    for tool in ("riscv64-unknown-elf-objdump", "riscv64-elf-objdump", "riscv64-linux-gnu-objdump",
                 "llvm-objdump"):
        if shutil.which(tool):
            return t.check([tool, "-d", f"{BUILD}/kernel"])
    raise quire.Failure("there is no objdump")


@test(quick=True)
def page_table_switches_are_fenced(t):
    """But for one: a hart that leaves a table for the kernel's, whose number no other table has."""
    text = re.sub(r"^\w+ <tlb_answer>:\n(.+\n)*", "", disassembly(t), flags=re.M)
    t.lacks(text, "^\\w+ <tlb_answer>:")
    lines = [x for x in text.split("\n") if "\t" in x]
    switches = [i for i, x in enumerate(lines) if re.search(r"csr\w+\s+(\w+,)?satp,", x)]
    t.true(switches, "nothing writes satp")
    for i in switches:
        around = "\n".join(lines[max(0, i - 12):i + 12])
        t.has(around, r"sfence\.vma")


@test(quick=True)
def the_plic_is_written_in_words(t):
    """Compilers have made one store of two, and its registers have 32 bits. What has 64 goes to the stack."""
    text = disassembly(t)
    for name in ("plicinithart", "plic_complete"):
        body = t.has(text, rf"^\w+ <{name}>:\n((?:.+\n)*)").group(1)
        t.has(body, r"\tsw\t")
        t.lacks(body, r"\tsd\t(?!\w+,-?\d+\((sp|s0)\))")


@test(quick=True)
def new_code_is_fenced(t):
    t.has(disassembly(t), r"fence\.i")


@test(quick=True)
def the_kernel_does_not_grow(t):
    t.check([sys.executable, "tools/lines", "--check"])


# ---- what is said ----


def said_by_qemu_target(t, *args, env=None):
    with changing(BUILD):
        status, said = make("qemu", f"B={BUILD}", *args, env=env)
    t.true(status != 0, "make qemu succeeded")
    lines = [x for x in said.split("\n") if x and not x.startswith(("make", "  "))]
    t.equal(len(lines), 1, f"the number of lines in {said!r}")
    return lines[0]


@test(quick=True)
def an_old_or_missing_qemu_gets_one_sentence(t):
    for version, wanted in (("6.2.0", "This is QEMU 6.2"), ("7.1.0", "This is QEMU 7.1")):
        fake = t.script("qemu", f"echo 'QEMU emulator version {version} (Debian)'")
        t.has(said_by_qemu_target(t, f"QEMU={fake}"), wanted + ".*7.2 or newer.*setup.sh")
    t.has(said_by_qemu_target(t, "QEMU=no-such-qemu"), "There is no no-such-qemu.*setup.sh")


@test(quick=True)
def silly_machines_get_one_sentence(t):
    for cpus in ("0", "9", "three", "-1", "1.5", "11"):
        t.has(said_by_qemu_target(t, f"CPUS={cpus}"), "1 to 8 harts")
    for mem in ("63M", "1", "9G", "8193M", "much", "G", "99999999999999999M"):
        t.has(said_by_qemu_target(t, f"MEM={mem}"), "from 64M to 8G")


@test(quick=True)
def a_missing_compiler_gets_one_sentence(t):
    for args, wanted in ((["TOOLPREFIX=nobody-"], "there is no nobody-gcc"), (["LLVM=-3"], "needs clang")):
        status, said = make(*args)
        t.true(status != 0, "make succeeded")
        t.equal(said.count("\n"), 1, "the number of lines")
        t.has(said, wanted + ".*setup.sh")
    bare = t.path("bin")
    os.makedirs(bare)
    for tool in ("sh", "sed", "uname", "make", "mkdir", "find", "tr", "cat", "echo", "id", "cc"):
        os.symlink(shutil.which(tool), os.path.join(bare, tool))
    status, said = make(env=dict(clean_env(), PATH=bare))
    t.true(status != 0, "make succeeded")
    t.has(said, "no RISC-V compiler.*setup.sh")
    t.equal(make("help", env=dict(clean_env(), PATH=bare))[0], 0, "make help")


@test(quick=True)
def setup_has_nothing_to_say_when_nothing_is_missing(t):
    t.equal(t.check(["sh", "tools/setup.sh"], seconds=5), "")
    t.equal(t.command(["sh", "tools/doctor"], env=dict(
        clean_env(), CC="cc", LD="ld", HOSTCC="cc", QEMU="qemu-system-riscv64", GDB="gdb-multiarch"))[0], 0)


@test(quick=True)
def setup_asks_each_distribution_for_its_packages(t):
    """On an empty computer, with a package manager that only says what it is asked for."""
    for manager, compiler in (("apt-get", "gcc-riscv64-unknown-elf"), ("dnf", "gcc-riscv64-linux-gnu"),
                              ("pacman", "riscv64-elf-gcc"), ("brew", "riscv64-elf-gcc")):
        bare = t.path(manager)
        os.makedirs(bare)
        for tool in ("sh", "sed", "uname", "tr", "cat", "env", "grep"):
            os.symlink(shutil.which(tool), os.path.join(bare, tool))
        for name, text in (("id", "echo 0"), ("apt-cache", "exit 1"), (manager, "exit 0")):
            if name != "apt-cache" or manager == "apt-get":
                t.script(f"{manager}/{name}", text)
        status, said = t.command([shutil.which("sh"), "tools/setup.sh"], env={"PATH": bare})
        t.equal(status, 1, "setup's exit status when nothing came of it")
        t.has(said, f"Installing .*{compiler}")
        t.has(said, "still missing")
    status, said = t.command([shutil.which("sh"), "tools/setup.sh"], env={"PATH": t.path("none")})
    t.equal(status, 1)
