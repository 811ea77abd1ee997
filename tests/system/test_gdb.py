# SPDX-License-Identifier: MIT
"""The debugger: attaches by itself, stops on walk, steps through it, knows kernel and programs."""

import os
import re
import socket
import subprocess
import threading

from quire import BUILD, ROOT, clean_env, make, test
from test_docs import text


ATTACHING = threading.Lock()  # tools/gdb/attach tells gdb the port by a file in the build


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def waiting_machine(t, cpus):
    portfile, port = f"{ROOT}/{BUILD}/gdb.port", free_port()
    m = t.start(cpus=cpus, before=("-g", port, "-p", portfile))
    m.expect("Waiting for a debugger on port " + port)
    return m, port


def debug(t, port, *commands, seconds=60):
    argv = ["sh", "tools/gdb/attach", BUILD, port, "-batch"]
    for c in commands:
        argv += ["-ex", c]
    with ATTACHING:
        return t.check(argv, seconds=seconds)


@test(quick=True)
def a_breakpoint_on_walk_hits_and_steps(t):
    m, port = waiting_machine(t, 2)
    said = debug(t, port, "break walk", "continue", "bt 3", "stepi", "stepi", "step", "step", "info line",
                 "print/x va", "delete", "info line main", "user-symbols cat", "info line main",
                 "detach")
    t.has(said, r"hit Breakpoint 1, walk \(pagetable=")
    t.has(said, r"#1 .*mappages|#1 .*kvm")
    t.has(said, r"Line \d+ of \"kernel/vm\.c\"")
    t.has(said, r"\$1 = 0x[0-9a-f]+")
    t.has(said, r"\"user/sh\.c\"(.*\n)*.*\"user/cat\.c\"")
    t.lacks(said.split("user/cat.c")[1], r"user/sh\.c")
    t.lacks(said, "Cannot access memory|No symbol")
    m.expect(r"^\$ \Z")
    t.shut_down(m)


@test()
def the_papers_show_what_gdb_says(t):
    """The README's session: the line of the source, the fields of a vma; and who is in the tour's list of calls."""
    shown = t.has(text("README.md"), r"^\(gdb\) break cow_fault\n(?:.*\n)*?```").group()
    told = t.has(text("docs/tour.md"), r"^#0  cow_fault (?:.*\n)*?```").group()
    m, port = waiting_machine(t, 1)
    said = debug(t, port, *re.findall(r"^\(gdb\) (.*)", shown, re.M), "bt", "detach")
    line = t.has(shown, r"^\d+(\t.*)").group(1)
    t.true(line in said, f"gdb stops elsewhere than at {line!r}: {said}")
    fields = [re.findall(r"(\w+) = ", t.has(s, r"^\$1 = \{(?:.*\n)*?.*prio = .*\}").group()) for s in (said, shown)]
    t.equal(fields[0], fields[1], "the fields of a vma")
    calls = [set(re.findall(r"^#\d+ +(?:0x\w+ in )?(\w+)", s, re.M)) for s in (said, told)]
    t.equal(sorted(calls[1] - calls[0]), [], "the calls in docs/tour.md that gdb does not show")
    m.expect(r"^\$ \Z")
    t.shut_down(m)


@test()
def vmprint_draws_a_page_table(t):
    # A breakpoint that stayed could stop another process in the middle of the call, when its slice is over.
    m, port = waiting_machine(t, 1)
    debug(t, port, "tbreak cow_fault", "continue", "call vmprint(f->mm->pagetable)", "print/x f->va", "detach")
    m.expect(r"^\$ \Z")
    tree = t.has(m.console, r"^page table 0x8\w+\n(?: \.\.[ .]*\d+: va 0x\w+ pte 0x\w+ pa 0x\w+\n)+").group()
    lines = [(len(dots) // 3, int(va, 16)) for dots, va in re.findall(r"^((?: \.\.)+)\d+: va (\w+)", tree, re.M)]
    t.equal(lines[0], (1, 0), "the first entry of the root")
    t.true(all(depth - before <= 1 for (before, _), (depth, _) in zip(lines, lines[1:])), f"a level is left out: {tree}")
    t.equal([va for _, va in lines], sorted(va for _, va in lines), "the addresses")
    t.true((3, 0x1000) in lines, f"the program's first page is not there: {tree}")
    t.shut_down(m)


@test()
def a_program_can_be_stopped(t):
    m, port = waiting_machine(t, 1)
    debug(t, port, "detach")
    m.expect(r"^\$ \Z")
    with ATTACHING:
        proc = subprocess.Popen(
            ["sh", "tools/gdb/attach", BUILD, port, "-batch", "-ex", "user-symbols echo", "-ex", "hbreak main",
             "-ex", "continue", "-ex", "info line", "-ex", "print argc", "-ex", "detach"],
            cwd=ROOT, env=clean_env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(proc.stdout.fileno(), True)
        said = b""
        while b"reakpoint 1" not in said and (more := os.read(proc.stdout.fileno(), 4096)):
            said += more
    try:
        m.send("echo one two")
        said += proc.communicate(timeout=60)[0]
    finally:
        proc.kill()
    m.expect(r"^one two\n\$ \Z")
    t.has(said.decode(), r"\"user/echo\.c\"")


@test(quick=True)
def a_port_that_is_taken_is_told(t):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        status, said = make("qemu-gdb", f"B={BUILD}", f"GDBPORT={port}")
    t.true(status != 0, "make qemu-gdb succeeded")
    t.has(said, f"Port {port} is taken.*GDBPORT=")


@test(quick=True)
def gdb_without_a_machine_is_told(t):
    status, said = t.command(["sh", "tools/gdb/attach", t.folder, ""])
    t.equal(status, 2)
    t.has(said, "run 'make qemu-gdb'")
