# SPDX-License-Identifier: MIT
"""tools/levels: what it says of page tables is so, and the docs quote what it says."""

import importlib.machinery
import importlib.util
import os
import re
import shlex
import sys

from quire import ROOT, test
from test_docs import papers, text


def module():
    loader = importlib.machinery.SourceFileLoader("levels", os.path.join(ROOT, "tools", "levels"))
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader("levels", loader))
    sys.dont_write_bytecode, was = True, sys.dont_write_bytecode
    loader.exec_module(made)
    sys.dont_write_bytecode = was
    return made


def levels(t, line, status=0):
    ended, said = t.command([sys.executable, "tools/levels", *shlex.split(line)])
    t.equal(ended, status, f"the exit status of levels {line}")
    return said


@test(quick=True)
def the_questions_about_levels_are_answered(t):
    said = levels(t, "--bits 34 --page 1024 --flags 6 --reserved 2")
    t.has(said, r"^address .* 24 of a page number, 10 of an offset")
    t.has(said, r"^entry +4 bytes: 24 bits of a frame number, 8 for flags")
    t.has(said, r"^table +256 entries$")
    t.has(said, r"^levels +3, with indexes of 8 \+ 8 \+ 8 bits$")
    said = levels(t, "--bits 64 --page 4096 --entry 8")
    t.has(said, r"^levels +6, with indexes of 7 \+ 9 \+ 9 \+ 9 \+ 9 \+ 9 bits$")
    said = levels(t, "--bits 16 --page 512 --entry 2 1542")
    t.has(said, r"^0x606 +index 3, offset 6$")
    said = levels(t, "x86 0x0df2b000")
    t.has(said, r"^levels +2, with indexes of 10 \+ 10 bits$")
    t.has(said, r"^0xdf2b000 +index 55 811, offset 0$")


@test(quick=True)
def levels_knows_the_schemes(t):
    for name, depth in (("sv32", 2), ("sv39", 3), ("sv48", 4), ("sv57", 5)):
        t.has(levels(t, name), rf"^levels +{depth},")
    t.has(levels(t, "sv39"), r"^full tree +1 \+ 512 \+ 262,144 = 262,657 tables, 1,026.0 MiB$")
    kernel = text("kernel/riscv.h")
    t.equal(t.has(kernel, r"#define LEVELS +(\d+)").group(1), "3", "the kernel's levels")
    sv39 = module().SCHEMES["sv39"]
    t.equal((sv39.page, sv39.entries), (4096, 512), "a page and a table")


@test(quick=True)
def levels_counts_tables_as_they_are_counted_by_hand(t):
    m = module()
    for bits, page, entry in ((8, 16, 4), (9, 16, 4), (10, 16, 8), (11, 64, 4), (7, 8, 2)):
        s = m.Scheme(bits, page, entry)
        t.equal(sum(s.indexes()) + s.offset, bits, "all bits of an address")
        t.equal(s.needed(range(1 << bits)), s.full(), f"the tables of all addresses of {bits} bits")
        tables = 1  # level by level, from the bottom: as many tables as hold what is below
        below, counted = -(-(1 << s.vpn) // s.entries), []
        while True:
            counted.insert(0, below)
            if below == 1:
                break
            below = -(-below // s.entries)
        t.equal(s.full(), counted, f"a full tree of {bits} bits")
        t.equal(s.needed([0]), [tables] * len(s.indexes()), "one page's tables")
    sv39 = m.SCHEMES["sv39"]
    t.equal(sum(sv39.needed([0x1000000000, 0x1000001000, 0x2900000000])), 5, "three pages")
    t.equal(sum(sv39.needed([0x1000, 0x2000, 0x3000])), 3, "three pages in one 2 MiB")
    t.equal(sum(sv39.needed([0, 1 << 30, 2 << 30])), 7, "three pages in three GiB")


@test(quick=True)
def levels_refuses_nonsense(t):
    for line in ("", "sv40", "sv39 --bits 3", "--bits 34 --page 1024", "--bits 34 --page 1000 --flags 8",
                 "--bits 34 --page 0 --flags 8", "--bits 34 --page 1024 --entry -4", "--bits 8 --page 4096 --entry 8",
                 "--bits 34 --page 8 --entry 8", "--bits 34 --page 1024 --entry 2 --flags 8", "sv39 0x8000000000",
                 "sv39 x"):
        said = levels(t, line, 2)
        t.has(said, r"^levels: error: ")
        t.lacks(said, "Traceback")


@test(quick=True)
def docs_quote_what_levels_says(t):
    seen = 0
    for paper in papers():
        for line, quoted in re.findall(r"^```\n\$ python3 tools/levels (.*)\n((?:.*\n)*?)```$", text(paper), re.M):
            seen += 1
            t.equal(levels(t, line), quoted, f"what levels {line} says in {paper}")
    t.true(seen >= 3, f"only {seen} quotes were found")
