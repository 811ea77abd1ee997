# SPDX-License-Identifier: MIT
"""The benchmark: what it counts can be counted again, and its guard barks."""

import argparse
import contextlib
import glob
import io
import json
import os
import re
import sys

from quire import ROOT, test

sys.path.insert(0, os.path.join(ROOT, "bench"))

import bench  # noqa: E402

QUICK_ROWS = ["getpid", "lazy"]


def rows():
    return bench.load(os.path.join(ROOT, "bench", "rows.json"))["rows"]


def judged(t, base, rows):
    """Exit status and words of `make bench-check` for the quick rows, with this baseline."""
    path = t.path("baseline.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(base, f)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = bench.check(bench.Lab(t.folder), argparse.Namespace(rows=QUICK_ROWS, baseline=path), rows)
    return status, said.getvalue()


@test(quick=True)
def the_same_work_costs_the_same_in_every_boot(t):
    first, second = (bench.measure(bench.Lab(t.path(n)), QUICK_ROWS) for n in ("one", "two"))
    t.equal(sorted(first), QUICK_ROWS, "the rows")
    t.true(all(c["cost"] > 0 for c in first.values()), f"some work cost nothing: {first}")
    t.equal(second, first, "what the second boot counted")


@test()
def bench_check_accepts_its_baseline_and_nothing_dearer(t):
    base = bench.load(bench.BASELINE)
    status, said = judged(t, base, rows())
    t.equal(status, 0, f"bench-check's status, which said {said}")
    base["rows"]["lazy"]["cost"] /= 1 + 2 * bench.SHARE
    status, said = judged(t, base, rows())
    t.equal(status, 1, "bench-check's status with a cheaper baseline")
    t.has(said, r"^lazy costs [\d,]+, and at most [\d,]+ is allowed$")
    t.lacks(said, r"^getpid costs")


@test(quick=True)
def a_row_that_flushes_too_much_is_told(t):
    found = {"lazy": {"cost": 1.0, "satp": 0, "fences": 1.5, "switches": 0, "disk": 0, "contended": 0}}
    base = {"reason": "", "rows": {"lazy": {"cost": 1.0}}}
    t.equal(bench.complaints(rows(), base, found),
            ["lazy has 1.5 fences for each unit of work, and 1 are allowed"], "the complaints")


@test(quick=True)
def every_row_of_the_program_is_explained_and_bounded(t):
    known = set(rows())
    programs = set()
    for name in ("process", "memory", "pipes", "files"):
        with open(os.path.join(ROOT, "user", "bench", f"{name}.c"), encoding="utf-8") as f:
            programs |= set(re.findall(r'^  \{ "(\w+)",', f.read(), re.M))
    t.equal(sorted(known - programs), ["boot", "boot8g", "process", "prompt"], "the rows that no program has")
    t.equal(sorted(programs - known), [], "the rows that bench/rows.json lacks")
    with open(os.path.join(ROOT, "docs", "performance.md"), encoding="utf-8") as f:
        told = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]*)\|", f.read(), re.M))))
    t.equal(sorted(known - told), [], "the rows that docs/performance.md does not explain")
    t.equal(sorted(set(bench.load(bench.BASELINE)["rows"]) ^ known), [], "what the baseline lacks or has too much")


@test(quick=True)
def the_port_to_linux_has_no_complaints(t):
    """As far as the host's own compiler can tell: what it makes of it does not run here."""
    if sys.platform.startswith("linux"):
        t.check(["cc", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I.", "-Iuser", "user/bench.c",
                 *sorted(glob.glob("user/bench/*.c"))])
