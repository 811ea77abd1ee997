# SPDX-License-Identifier: MIT
"""What the pages of docs/vm and the README show: pictures and quotes are those of a run, what fails with a stand-in is
what it stands in for."""

import json
import os
import re
import sys

from quire import BUILD, ROOT, build, test
from test_docs import close, papers, text


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


# ---- the README ----


def typed():
    """(command, what it said) of what the README shows at Quire's prompt."""
    for block in re.findall(r"^```\n((?:  .*\n)+)```$", text("README.md"), re.M):
        for command, said in re.findall(r"^  \$ (.*)\n((?:  (?!\$ ).*\n)*)", block, re.M):
            yield command, re.sub(r"^  ", "", said, flags=re.M).rstrip("\n")


def sizes(said):
    """MEM and RSS of the first process of each name that ps shows."""
    rows = re.findall(r" (\d+) +(\d+) +\d+\.\d\d (\w+)$", said, re.M)
    return {name: (int(mem), int(rss)) for mem, rss, name in reversed(rows)}


def sizes_are_about(t, said, told, *names):
    for name in names:
        for now, then in zip(sizes(said)[name], sizes(told)[name]):
            t.true(close(then, now), f"the README shows {then} KiB of {name}, and there are {now}")


@test()
def the_readme_quotes_what_programs_say(t):
    m = t.boot(cpus=3)
    t.has(m.console, "^" + re.escape(t.has(text("README.md"), r"^  (quire: .*)").group(1)) + "$")
    for command, told in typed():
        if command == "ps" and "lazy" not in told:
            sizes_are_about(t, m.run(command)[0], told, "init", "sh", "ps")
        elif not re.match(r"ps|lazy|sleep|poweroff", command):
            t.equal(plain(m.run(command)[0]), plain(told), f"what {command} says in the README")
    t.shut_down(m)
    counts = r"(\d+) files, (\d+) directories, (\d+) devices; (\d+) of (\d+) blocks"
    *now, used, size = t.has(t.check([f"{BUILD}/fsck", m.disk]), counts).groups()
    *then, shown, whole = t.has(text("README.md"), counts).groups()
    t.equal((now, size), (then, whole), "what fsck counts")
    t.true(close(int(shown), int(used)), f"the README shows {shown} blocks in use, and there are {used}")


@test()
def the_program_in_the_readme_does_what_is_told(t):
    os.makedirs(t.path("mine"))
    with open(t.path("mine/lazy.c"), "w", encoding="utf-8") as f:
        f.write(t.has(text("README.md"), r"lazy\.c <<'END'\n((?:.*\n)*?)END\n").group(1))
    m = t.boot(build=build("readme", f"EXTRA={t.path('mine')}"), cpus=2)
    told = next(said for command, said in typed() if command == "ps" and "lazy" in said)
    m.send("lazy &")
    m.prompt()
    said = m.run("ps")[0]
    while len(re.findall(" lazy$", said, re.M)) < 2 and "killed" not in m.console:  # it is on its way
        said = m.run("ps")[0]
    sizes_are_about(t, said, told, "init", "sh", "ps")
    t.equal(sizes(said)["lazy"], sizes(told)["lazy"], "MEM and RSS of lazy")
    end = r"lazy\[\d+\]: killed: writes 0x0 at pc 0x[0-9a-f]+: no mapping there$"
    t.has(text("README.md"), end)
    m.expect(end)
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
