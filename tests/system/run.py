#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py [--quick] [--list] [-j N] [WORD...]: runs the tests and says how they went.

WORD: only tests with one of these words in their title. Tests are the functions declared with @test in
tests/system/test_*.py and tests/host/test_*.py. Two run at a time on a computer with two cores. Writes
build/junit.xml, keeps the logs of failures in build/testlogs/, and ends with "N passed, N failed".
"""

import argparse
import glob
import importlib
import os
import queue
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from xml.sax.saxutils import escape, quoteattr

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "host")]

import quire  # noqa: E402


class Result:
    def __init__(self, title, seconds, failure):
        self.title, self.seconds, self.failure = title, seconds, failure


def load():
    for folder in (os.path.join(os.path.dirname(HERE), "host"), HERE):
        for path in sorted(glob.glob(os.path.join(folder, "test_*.py"))):
            importlib.import_module(os.path.basename(path)[:-3])


def perform(function, scratch):
    """Runs one test in a folder of its own in scratch; returns what is wrong, or None."""
    name = re.sub(r"\W+", "-", function.title)
    t = quire.Context(os.path.join(scratch, name))
    failure = None
    try:
        function(t)
    except quire.Failure as e:
        where = [f for f in traceback.extract_tb(e.__traceback__) if "/test_" in f.filename][-1]
        failure = f"{e}\n  at {os.path.relpath(where.filename, quire.ROOT)}:{where.lineno}"
    except Exception:
        failure = traceback.format_exc()
    finally:
        t.close()
    if failure is not None:
        keep(t, name, failure)
    t.forget()
    return failure


def keep(t, name, failure):
    """Leaves the consoles of a test's machines, and what went wrong, in build/testlogs."""
    logs = os.path.join(quire.ROOT, quire.BUILD, "testlogs", name)
    os.makedirs(logs, exist_ok=True)
    with open(os.path.join(logs, "failure"), "w", encoding="utf-8") as f:
        f.write(failure + "\n")
    for console in glob.glob(t.path("*.console")):
        shutil.copy(console, logs)


def work(todo, results, total, lock, scratch):
    while True:
        try:
            function = todo.get_nowait()
        except queue.Empty:
            return
        start = time.monotonic()
        try:
            failure = perform(function, scratch)
        except Exception:
            failure = traceback.format_exc()
        seconds = time.monotonic() - start
        with lock:
            results.append(Result(function.title, seconds, failure))
            word = "FAILED" if failure else "ok"
            print(f"[{len(results):3}/{total}] {word:6} {function.title} ({seconds:.1f} s)", flush=True)
            if failure:
                print("    " + failure.replace("\n", "\n    "), flush=True)


def write_junit(results, path):
    failed = sum(1 for r in results if r.failure)
    legal = re.compile(r"[^\t\n\x20-\x7e]")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="quire" tests="{len(results)}" '
                f'failures="{failed}" time="{sum(r.seconds for r in results):.1f}">\n')
        for r in results:
            group, _, name = r.title.partition(": ")
            f.write(f'  <testcase classname={quoteattr(group)} name={quoteattr(name)} time="{r.seconds:.1f}"')
            text = escape(legal.sub("?", r.failure or ""))
            f.write(f">\n    <failure>{text}</failure>\n  </testcase>\n" if r.failure else "/>\n")
        f.write("</testsuite>\n")


def choose(args):
    chosen = [f for f in quire.TESTS if f.quick or not args.quick]
    if args.words:
        chosen = [f for f in chosen if any(w in f.title for w in args.words)]
    return sorted(chosen, key=lambda f: -f.weight)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-j", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    load()
    chosen = choose(args)
    if args.list:
        print("\n".join(f"{f.title}{' (quick)' if f.quick else ''}" for f in chosen))
        return 0
    if not chosen:
        print("No test has such a title; --list shows them all.\n0 passed, 0 failed")
        return 1
    os.chdir(quire.ROOT)
    shutil.rmtree(os.path.join(quire.BUILD, "testlogs"), ignore_errors=True)

    todo, results, lock = queue.Queue(), [], threading.Lock()
    for function in chosen:
        todo.put(function)
    with tempfile.TemporaryDirectory(prefix="test.", dir=quire.BUILD) as scratch:
        scratch = os.path.join(quire.ROOT, scratch)
        workers = [threading.Thread(target=work, args=(todo, results, len(chosen), lock, scratch), daemon=True)
                   for _ in range(max(1, args.j))]
        for w in workers:
            w.start()
        for w in workers:
            while w.is_alive():
                w.join(0.5)
    write_junit(results, os.path.join(quire.BUILD, "junit.xml"))
    failed = [r for r in results if r.failure]
    for r in failed:
        print(f"FAILED {r.title}: see {quire.BUILD}/testlogs")
    summary = f"{len(results) - len(failed)} passed, {len(failed)} failed"
    with open(os.path.join(quire.BUILD, "summary"), "w", encoding="utf-8") as f:
        print(summary, file=f)
    print(summary)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
