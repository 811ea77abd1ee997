# SPDX-License-Identifier: MIT
"""What a test needs: machines to boot, builds to boot them from, and a way to declare itself.

    @test(quick=True)
    def echo_says_what_it_is_told(t):
        m = t.boot(cpus=2)
        output, status = m.run("echo hello")
        t.equal(output, "hello")

A machine has a disk of its own and talks over pipes. Everything that waits has a deadline; nothing
sleeps and hopes. When a test ends, however it ends, its machines are killed; when it fails, their
consoles are kept in build/testlogs.
"""

import atexit
import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("QUIRE_BUILD", "build")
PATIENCE = float(os.environ.get("QUIRE_PATIENCE", "1"))  # for slow computers: stretches every deadline

PROMPT = r"\$ \Z"
TESTS = []


class Failure(Exception):
    """What a test found wrong."""


def test(quick=False, weight=1):
    """Declares a test. quick: also part of `make check`. weight: a guess of its minutes, heavy first."""

    def declare(function):
        module = function.__module__.removeprefix("test_")
        function.title = f"{module}: {function.__name__.replace('_', ' ')}"
        function.quick, function.weight = quick, weight
        TESTS.append(function)
        return function

    return declare


# ---- disks ----


def copy_disk(source, target):
    """Copies an image, holes as holes."""
    with open(source, "rb") as src, open(target, "wb") as dst:
        size = os.fstat(src.fileno()).st_size
        dst.truncate(size)
        at = 0
        while at < size:
            try:
                at = os.lseek(src.fileno(), at, os.SEEK_DATA)
                end = os.lseek(src.fileno(), at, os.SEEK_HOLE)
            except OSError:
                break  # no data behind this point
            src.seek(at)
            dst.seek(at)
            shutil.copyfileobj(_Limited(src, end - at), dst, 1 << 20)
            at = end


class _Limited:
    def __init__(self, file, left):
        self.file, self.left = file, left

    def read(self, n):
        data = self.file.read(min(n, self.left))
        self.left -= len(data)
        return data


# ---- machines ----

_living = set()


def _kill_all(*_):
    for m in list(_living):
        m.kill()


atexit.register(_kill_all)


class Machine:
    """One QEMU. See the methods; `console` is all it has said, `mark` how far expect() has read."""

    def __init__(self, folder, name, kernel, disk, cpus=1, mem="128M", options=(), before=(), swap=512):
        """swap: MiB of the second disk, which is new and empty; None: there is no such disk."""
        self.disk, self.name = disk, name
        self.console, self.mark = "", 0
        self.log = os.path.join(folder, f"{name}.console")
        self._news = threading.Condition()
        self._ended = False
        if swap is not None:
            path = os.path.join(folder, f"{name}.swap")
            with open(path, "wb") as f:
                f.truncate(swap << 20)
            before = ("-s", path, *before)
        env = dict(os.environ, CPUS=str(cpus), MEM=str(mem))
        self.process = subprocess.Popen(
            ["sh", "tools/qemu", *before, kernel, disk, *options],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        _living.add(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with open(self.log, "wb") as log:
            while data := os.read(self.process.stdout.fileno(), 65536):
                log.write(data)
                log.flush()
                with self._news:
                    self.console += data.decode("latin-1").replace("\r", "")
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    # -- talking --

    def type(self, text):
        """Types text as it is. ^A is doubled, since QEMU takes the first one for itself."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(text.replace("\x01", "\x01\x01").encode("latin-1"))
            self.process.stdin.flush()

    def send(self, line):
        self.type(line + "\n")

    def expect(self, pattern, seconds=10):
        """Waits until the console matches, behind what was matched before; returns the match."""
        wanted = re.compile(pattern, re.M)
        deadline = time.monotonic() + seconds * PATIENCE
        with self._news:
            while True:
                found = wanted.search(self.console, self.mark)
                if found:
                    self.mark = found.end()
                    return found
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the machine ended" if self._ended else f"{seconds:g} s passed"
                    raise Failure(f"{why} before the console said {pattern!r}; "
                                  f"its end: {self.console[self.mark:][-400:]!r}")
                self._news.wait(left)

    def says(self, pattern, seconds):
        """Whether the console matches within so many seconds. Where nothing should come."""
        with contextlib.suppress(Failure):
            return self.expect(pattern, seconds / PATIENCE)
        if self._ended:
            raise Failure("the machine ended")
        return None

    def prompt(self, seconds=10):
        """Waits for the shell's prompt; returns what was said before it."""
        start, deadline = self.mark, time.monotonic() + seconds * PATIENCE
        while True:
            self.expect(PROMPT, max(0.1, (deadline - time.monotonic()) / PATIENCE))
            end = self.mark - 2
            if end == start or self.console[end - 1] == "\n" or not self._goes_on(0.1):
                return self.console[start:end]

    def _goes_on(self, seconds):
        """Whether more is said: what looked like a prompt was the middle of a program's output."""
        with self._news:
            self._news.wait_for(lambda: self._ended or len(self.console) > self.mark, seconds)
            return len(self.console) > self.mark

    def interrupt(self, seconds=20):
        """Types ^C until the prompt comes: the first may be too early for what was just started."""
        deadline = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < deadline:
            self.type("\x03")
            with contextlib.suppress(Failure):
                self.prompt(0.5)
                while self._goes_on(0.2):  # the last ^C may have come after the prompt
                    self.mark = len(self.console)
                return
        raise Failure(f"{seconds:g} s of ^C brought no prompt; the end: {self.console[-300:]!r}")

    def run(self, command, seconds=30):
        """Runs a command in the shell; returns its output and its exit status."""
        self.send(command)
        self.expect(re.escape(command) + r"\n", 10)
        output = self.prompt(seconds)
        self.send("echo =$?=")
        status = int(self.expect(r"^=(-?\d+)=\n").group(1))
        self.prompt()
        return output.removesuffix("\n"), status

    # -- ending --

    def wait(self, seconds=20):
        """Waits for QEMU to end; returns its exit status."""
        try:
            status = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"QEMU still ran after {seconds:g} s") from None
        self._reader.join(5)
        _living.discard(self)
        return status

    def poweroff(self, status=0, seconds=30):
        self.send(f"poweroff {status}" if status else "poweroff")
        return self.wait(seconds)

    def kill(self):
        """As if the plug were pulled."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        _living.discard(self)


# ---- builds ----

_builds, _builds_lock = {}, threading.Lock()


def clean_env():
    """The environment without what the make that runs the tests told its children."""
    return {k: v for k, v in os.environ.items()
            if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "B", "DEBUG",
                         "LLVM", "EXTRA", "FILES", "FSSIZE", "CPUS", "MEM")}


def make(*args, seconds=300, env=None, cwd=ROOT):
    """Runs make; returns its exit status and what it said."""
    try:
        r = subprocess.run(["make", *args], cwd=cwd, env=env or clean_env(), timeout=seconds * PATIENCE,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Failure(f"make {' '.join(args)} took more than {seconds} s") from None
    return r.returncode, r.stdout.decode("utf-8", "replace")


def changing(folder):
    """The lock of a build: for who changes what is in it, or copies from it."""
    with _builds_lock:
        return _builds.setdefault(os.path.basename(folder), threading.Lock())


def build(variant, *args):
    """A build of its own in build/test/VARIANT, made once for all tests; returns the folder."""
    folder = f"{BUILD}/test/{variant}"
    with changing(folder):
        status, said = make(f"B={folder}", *args)
    if status != 0:
        raise Failure(f"make {' '.join(args)} failed:\n{said[-3000:]}")
    return folder


# ---- one test's world ----


class Context:
    """What a test function is given. `folder` is for its files and goes away when it passes."""

    def __init__(self, folder):
        self.folder = folder
        self.machines, self.started = [], 0
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def script(self, name, line):
        """A shell script of one line. A process of its own writes it: a file that this process has open for
        writing is open in every child that another test has just forked, and can't be run meanwhile."""
        path = self.path(name)
        subprocess.run(["sh", "-c", 'cat >"$0" && chmod 755 "$0"', path],
                       input=f"#!/bin/sh\n{line}\n", text=True, check=True)
        return path

    def image(self, source=None, name="fs.img"):
        """A copy of a disk image; returns its path."""
        target = self.path(name)
        copy_disk(os.path.join(ROOT, source or f"{BUILD}/fs.img"), target)
        return target

    def start(self, build=BUILD, disk=None, **options):
        """A machine that has just been switched on."""
        self.started += 1
        n = self.started
        if disk is None:
            with changing(build):
                disk = self.image(f"{build}/fs.img", f"disk{n}.img")
        m = Machine(self.folder, f"machine{n}", f"{build}/kernel", disk, **options)
        self.machines.append(m)
        return m

    def boot(self, seconds=20, **options):
        """A machine whose shell waits for a command."""
        m = self.start(**options)
        m.expect(r"^" + PROMPT, seconds)
        return m

    def mkfs(self, name, *files, size=2048, inodes=None):
        """A new disk image from files; returns its path."""
        more = ["-i", str(inodes)] if inodes else []
        self.check([f"{BUILD}/mkfs", self.path(name), "-s", str(size), *more, *files])
        return self.path(name)

    def fsck(self, disk, orphans=False, wanted=0):
        """Runs fsck; returns what it said."""
        options = ["-o"] if orphans else []
        status, said = self.command([f"{BUILD}/fsck", *options, disk])
        if wanted is not None and status != wanted:
            raise Failure(f"fsck ended with {status} instead of {wanted}:\n{said[-3000:]}")
        return said

    def shut_down(self, m):
        """Switches a machine off by command; its disk must be clean then."""
        self.equal(m.poweroff(), 0, "QEMU's exit status")
        self.fsck(m.disk)

    def command(self, argv, seconds=120, env=None, text=None):
        """Runs a program of the host; returns its exit status and what it said."""
        try:
            r = subprocess.run(argv, cwd=ROOT, env=env or clean_env(), timeout=seconds * PATIENCE,
                               input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(argv)} took more than {seconds} s") from None
        return r.returncode, r.stdout.decode("utf-8", "replace")

    def check(self, argv, **options):
        status, said = self.command(argv, **options)
        if status != 0:
            raise Failure(f"{' '.join(argv)} ended with {status}:\n{said[-3000:]}")
        return said

    # -- what must be true --

    def equal(self, got, wanted, what="it"):
        if got != wanted:
            raise Failure(f"{what} is {got!r}, not {wanted!r}")

    def true(self, fact, otherwise):
        if not fact:
            raise Failure(otherwise)

    def has(self, text, pattern):
        found = re.search(pattern, text, re.M)
        if not found:
            raise Failure(f"{pattern!r} is not in {text[-2000:]!r}")
        return found

    def lacks(self, text, pattern):
        found = re.search(pattern, text, re.M)
        if found:
            raise Failure(f"{found.group()!r} is in the output: {text[-2000:]!r}")

    def runs(self, m, command, output=None, status=0, seconds=30):
        """A command must print exactly this, and end so."""
        said, ended = m.run(command, seconds)
        if output is not None and said != output:
            raise Failure(f"{command!r} printed {said!r}, not {output!r}")
        if status is not None and ended != status:
            raise Failure(f"{command!r} ended with {ended}, not {status}; it printed {said[-800:]!r}")
        return said

    # -- the end --

    def drop(self, m):
        """Ends a machine for good, also its console's log."""
        m.kill()
        self.machines.remove(m)
        os.remove(m.log)

    def close(self):
        for m in self.machines:
            m.kill()

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)


# ---- reading ELF files, without help from a toolchain ----


class Elf:
    """A program's entry point and segments: (type, flags, offset, vaddr, paddr, filesz, memsz, align)."""

    def __init__(self, path):
        with open(os.path.join(ROOT, path), "rb") as f:
            self.data = f.read()
        if self.data[:4] != b"\x7fELF":
            raise Failure(f"{path} is no ELF file")
        self.entry, phoff = struct.unpack_from("<QQ", self.data, 24)
        size, count = struct.unpack_from("<HH", self.data, 54)
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * size) for i in range(count)]

    def loads(self):
        return [s for s in self.segments if s[0] == 1 and s[6] > 0]
