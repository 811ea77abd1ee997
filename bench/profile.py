#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""profile.py COMMAND: where the instructions went while the shell ran COMMAND, by function.

QEMU goes one instruction at a time (singlestep) and names each on a pipe (log exec): a count of every
instruction, not a sample. Of `bench -p NAME` only the row's own work is looked at, and the figures are
per unit of work.
"""

import argparse
import bisect
import collections
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "system"))

import quire  # noqa: E402

TRACE = re.compile(rb"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.M)
KERNEL = 0xFFFFFFC000000000


class Symbols:
    """Functions of an ELF file by address."""

    def __init__(self, path):
        nm = os.environ.get("NM", "riscv64-unknown-elf-nm")
        said = subprocess.run([nm, "-n", path], check=True, capture_output=True, text=True).stdout
        found = [line.split() for line in said.splitlines()]
        found = [(int(a, 16), name) for a, kind, name in found if kind in "tTwW" and not name.startswith((".", "$"))]
        self.starts, self.names = [a for a, _ in found], [n for _, n in found]

    def name(self, pc):
        i = bisect.bisect_right(self.starts, pc) - 1
        return self.names[i] if i >= 0 else hex(pc)

    def address(self, name):
        return self.starts[self.names.index(name)]


class Counter(threading.Thread):
    """Reads the log from a pipe and counts how often each pc came, from mark to mark if there are marks."""

    def __init__(self, path, mark):
        super().__init__(daemon=True)
        self.path, self.mark = path, b"%016x" % mark if mark else None
        self.counts = collections.Counter()
        self.calls = collections.Counter()
        self.open = mark is None
        self.seen = 0

    def take(self, pcs):
        if self.mark is not None:
            while self.mark in pcs:
                i = pcs.index(self.mark)
                if self.open:
                    self.counts.update(pcs[:i])
                self.open = self.seen == 0
                self.seen += 1
                pcs = pcs[i + 1 :]
        if self.open:
            self.counts.update(pcs)

    def run(self):
        rest = b""
        fd = os.open(self.path, os.O_RDONLY)
        while data := os.read(fd, 1 << 20):
            data = rest + data
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            self.take(TRACE.findall(data[:end]))


def monitor(path, *commands):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        f = s.makefile("rwb", buffering=0)
        for c in commands:
            f.write(c.encode() + b"\n")
        f.write(b"info status\n")
        while b"VM status" not in (line := f.readline()):
            assert line
        while b"VM status" in line and b"running" not in line:
            line = f.readline()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("-n", type=int, default=40)
    args = parser.parse_args()
    kernel = Symbols(os.path.join(quire.ROOT, quire.BUILD, "kernel"))
    program = os.path.join(quire.ROOT, quire.BUILD, "user", "_" + args.command.split()[0])
    user = Symbols(program) if os.path.exists(program) else None
    waits = args.command.startswith("bench -p")
    with tempfile.TemporaryDirectory() as folder:
        t = quire.Context(os.path.join(folder, "t"))
        fifo, sock = t.path("trace"), t.path("monitor")
        os.mkfifo(fifo)
        counter = Counter(fifo, user.address("profile_mark") if waits else None)
        counter.start()
        m = t.boot(cpus=1, seconds=60, options=("-icount", "shift=0,sleep=off", "-D", fifo, "-monitor",
                                                f"unix:{sock},server=on,wait=off"))
        units = 1
        if waits:
            m.send(args.command)
            units = int(m.expect(r"^ready: (\d+)\n").group(1))
            monitor(sock, "singlestep on", "log exec,nochain")
            m.send("")
        else:
            monitor(sock, "singlestep on", "log exec,nochain")
            m.send(args.command)
        m.prompt(300)
        monitor(sock, "log none")
        m.kill()
        counter.join(10)
    by = collections.Counter()
    first = collections.Counter()
    for pc, n in counter.counts.items():
        pc = int(pc, 16)
        where = kernel if pc >= KERNEL else user
        name = where.name(pc) if where else "(program)"
        if pc < KERNEL:
            name = "user: " + name
        by[name] += n
        if where and pc in where.starts:
            first[name] += n
    total = sum(by.values())
    print(f"{args.command}: {total} instructions, {total / units:.1f} per unit of {units}")
    for name, n in by.most_common(args.n):
        print(f"{n / units:12.1f} {100 * n / total:5.1f} % {first[name] / units:10.2f} x {n / max(1, first[name]):9.1f}  {name}")


main()
