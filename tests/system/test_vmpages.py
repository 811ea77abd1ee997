# SPDX-License-Identifier: MIT
"""What the pages of docs/vm show: pictures and quotes are those of a run, what fails with a stand-in is what it stands in for."""

import json
import os
import re
import sys

from quire import ROOT, build, test
from test_docs import papers, text


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


# ---- stand-ins ----


PROOFS = json.loads(text("tests/standins/proofs.json"))


def with_standins(t, *names):
    """What fails is what needs the techniques that are not there, and with one stand-in all of that."""
    folder = build("standin-" + "-".join(names), f"STANDIN={' '.join(names)}", "-j2")
    for program in ("vmtests", "usertests"):
        m = t.boot(build=folder, cpus=2, seconds=60)
        said = m.run(f"{program} -q", 900)[0]
        t.has(said, r"^(ALL TESTS PASSED|SOME TESTS FAILED)$")
        failed = set(re.findall(r"test (\w+): FAILED", said))
        proofs = {test for name in names for test in PROOFS[name][program]}
        t.equal(sorted(failed - proofs), [], f"what fails of {program} and does not need what {names} stand in for")
        if len(names) == 1:
            t.equal(sorted(proofs - failed), [], f"proofs of {program} that pass without the technique")
        t.lacks(m.console, "PANIC")
        t.shut_down(m)


@test(weight=3)
def without_the_zero_frame(t):
    with_standins(t, "anon")


@test(weight=3)
def with_copies_at_fork(t):
    with_standins(t, "cow")


@test(weight=3)
def with_files_read_at_once(t):
    with_standins(t, "filemap")


@test(weight=3)
def without_huge_pages(t):
    with_standins(t, "huge")


@test(weight=3)
def without_swap(t):
    with_standins(t, "swap")


@test(weight=3)
def without_any_of_them(t):
    with_standins(t, *PROOFS)


@test(quick=True)
def labs_name_the_stand_ins_and_proofs_of_each(t):
    link = r"^\| \[(\w+)\]\(\.\./\.\./tests/standins/\w+\.c\)"
    rows = re.findall(link + r" \|[^|]*\|([^|]*)\|$", text("docs/vm/labs.md"), re.M)
    there = os.listdir(os.path.join(ROOT, "tests/standins"))
    t.equal(sorted(f"{name}.c" for name, _ in rows), sorted(n for n in there if n.endswith(".c")), "the stand-ins")
    t.equal(sorted(PROOFS), sorted(name for name, _ in rows), "the stand-ins in proofs.json")
    for name, proofs in rows:
        for proof in re.findall(r"`(\S+)`", proofs):
            t.true(proof in PROOFS[name]["vmtests"], f"{proof} is no proof that fails with {name}")
