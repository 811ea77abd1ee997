# SPDX-License-Identifier: MIT
"""What the pages of docs/vm show: pictures and quotes are those of a run, stand-ins fail what labs.md says."""

import fnmatch
import os
import re
import sys

from quire import ROOT, build, test
from test_docs import papers, text

QUICK = re.findall(r"^QUICK\((\w+),", text("user/vmtests/tests.tbl"), re.M)
LINE = 230  # characters of a command


@test(weight=2)
def pictures_in_docs_are_of_a_run(t):
    t.check([sys.executable, "tools/vmpicture", "--check"], seconds=600)


def quotes():
    """(paper, command, what it said) of every program that a page lets speak."""
    for paper in papers():
        for command, said in re.findall(r"^```\n\$ (vmtour .*)\n((?:.*\n)*?)```$", text(paper), re.M):
            yield paper, command, said.rstrip("\n")


def plain(said):
    """Without what is another at each run: addresses told by when they come first, pids; and how many blocks the log
    had to write, whose bounds test_vm knows."""
    seen = {}
    said = re.sub(r"0x[0-9a-fA-F]+", lambda m: f"#{seen.setdefault(m.group().lower(), len(seen))}", said)
    return re.sub(r"\[\d+\]", "[pid]", re.sub(r"msync: [1-9]\d* blocks", "msync: some blocks", said))


@test()
def docs_quote_what_programs_say(t):
    m = t.boot(cpus=2)
    found = list(quotes())
    t.true(len(found) >= 6, f"only {len(found)} quotes were found")
    for paper, command, said in found:
        t.equal(plain(t.runs(m, command, seconds=60)), plain(said), f"what {command} says in {paper}")
    t.shut_down(m)


def commands(names):
    """vmtests with these names, in as many lines as the console takes."""
    line = "vmtests"
    for name in names:
        if len(line) + len(name) > LINE:
            yield line
            line = "vmtests"
        line += " " + name
    yield line


@test(weight=5)
def stand_ins_fail_the_proofs_that_docs_name(t):
    link = r"^\| \[(\w+)\]\(\.\./\.\./tests/standins/\w+\.c\)"
    rows = re.findall(link + r" \|[^|]*\|([^|]*)\|$", text("docs/vm/labs.md"), re.M)
    there = os.listdir(os.path.join(ROOT, "tests/standins"))
    t.equal(sorted(f"{name}.c" for name, _ in rows), sorted(n for n in there if n.endswith(".c")), "the stand-ins")
    for standin, proofs in rows:
        names = [n for p in re.findall(r"`(\S+)`", proofs) for n in fnmatch.filter(QUICK, p)]
        t.true(names, f"no proof is named for {standin}")
        m = t.boot(build=build(f"standin-{standin}", f"STANDIN={standin}", "-j2"), cpus=2, seconds=60)
        said = "\n".join(m.run(line, 600)[0] for line in commands(names))
        failed = re.findall(r"test (\w+): FAILED", said)
        t.equal(sorted(set(names) - set(failed)), [], f"what passes with the stand-in for {standin}")
        t.lacks(m.console, "PANIC")
        t.drop(m)
