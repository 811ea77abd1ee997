# SPDX-License-Identifier: MIT
"""The order of locks: docs/locks.md, kernel/debug/lockorder.h and the names in the code say the same."""

import os
import re

from quire import ROOT, test

NAMED = re.compile(r'(?:SPINLOCK|SLEEPLOCK)\("([^"]+)"\)|\binit(?:sleep)?lock\([^;]*?,\s*"([^"]+)"\)')
ROW = re.compile(r"^\|\s*(\d+)\s*\|\s*`([^`]+)`(\\?\*?)\s*\|([^|]*)\|[^|]*\|([^|]*)\|", re.M)


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def order():
    """The names in lockorder.h, a star before those that may nest."""
    return re.findall(r'^"([^"]+)",$', text("kernel/debug/lockorder.h"), re.M)


def names_in_code():
    """Each name that a lock is given in the kernel, and the files where."""
    found = {}
    for folder, _, files in os.walk(os.path.join(ROOT, "kernel")):
        for path in (os.path.relpath(os.path.join(folder, n), ROOT) for n in files if n[-2:] in (".c", ".h")):
            for spin, init in NAMED.findall(text(path)):
                found.setdefault(spin or init, []).append(path)
    return found


@test(quick=True)
def the_order_in_the_docs_is_that_of_the_code(t):
    rows = ROW.findall(text("docs/locks.md"))
    t.equal([int(r[0]) for r in rows], list(range(1, len(rows) + 1)), "the ranks in docs/locks.md")
    t.equal(["*" * bool(star) + name for _, name, star, *_ in rows], order(), "the order in docs/locks.md")


@test(quick=True)
def every_lock_has_a_rank(t):
    ranked, used = {name.lstrip("*") for name in order()}, names_in_code()
    t.true(len(used) > 10, f"only {sorted(used)} were found in the kernel")
    t.equal(sorted(set(used) - ranked), [], "the locks that lockorder.h does not know")
    t.equal(sorted(ranked - set(used)), [], "the ranks that no lock has")


@test(quick=True)
def the_docs_know_where_a_lock_is(t):
    used = names_in_code()
    for _, name, _, _, where in ROW.findall(text("docs/locks.md")):
        files = re.findall(r"\]\(\.\./([^)]+)\)", where)
        t.true(files, f"docs/locks.md says no file for {name}")
        t.true(set(files) & set(used.get(name, [])), f"{name} is not in {files} but in {used.get(name)}")
