# SPDX-License-Identifier: MIT
"""What the papers claim: files that exist, sizes that are about right, functions and tests by their names."""

import fnmatch
import json
import os
import re
import subprocess
import sys

from quire import ROOT, test

# A size in the papers may be so far from what is measured before somebody has to correct it.
LINES, SHARE = 15, 0.15


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def files(*endings):
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [n for n in folders if n not in ("build", ".git") and not n.startswith(".")]
        for name in names:
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def papers():
    return sorted(files(".md"))


def counted():
    """What `make lines` prints."""
    return subprocess.run([sys.executable, "tools/lines"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()


def sizes():
    """Lines of code of each file of the kernel."""
    return {path: int(n) for n, path in re.findall(r"^\s*(\d+)\s+\d+\s+(kernel/\S+)", counted(), re.M)}


def rows(paper):
    """(files linked in the first column, number in the second column) of a README's tables."""
    folder = os.path.dirname(paper)
    for names, number in re.findall(r"^\|([^|]+)\|\s*(\d+)\s*\|", text(paper), re.M):
        yield [os.path.normpath(os.path.join(folder, n)) for n in re.findall(r"\]\(([^)]+)\)", names)], int(number)


def close(said, true):
    return abs(said - true) <= max(LINES, SHARE * true)


@test(quick=True)
def links_lead_somewhere(t):
    broken = []
    for paper in papers():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text(paper)):
            if not os.path.exists(os.path.join(ROOT, os.path.dirname(paper), target)):
                broken.append(f"{paper}: {target}")
    t.equal(broken, [], "the links to nothing")


@test(quick=True)
def the_index_has_every_file_and_its_size(t):
    true, seen, wrong = sizes(), set(), []
    for paper in ("kernel/README.md", "kernel/mm/README.md", "kernel/riscv/README.md", "kernel/debug/README.md"):
        for names, said in rows(paper):
            seen.update(names)
            size = sum(true.get(n, 0) for n in names)
            if names and not close(said, size):
                wrong.append(f"{paper}: {' '.join(names)} has {size} lines, not {said}")
    t.equal(sorted(set(true) - seen), [], "the files of the kernel that no README has")
    t.equal(wrong, [], "the sizes that changed")


@test(quick=True)
def the_index_is_in_reading_order(t):
    made = re.search(r"^OBJS := ((?:.*\\\n)*.*)", text("Makefile"), re.M).group(1)
    doors = [w for w in re.findall(r"[\w/]+", made.split("$(")[0]) if "/" not in w]
    index = [os.path.splitext(n)[0] for n in re.findall(r"^\| \[(\S+\.[cS])\]", text("kernel/README.md"), re.M)]
    t.equal(index, doors, "the doors in kernel/README.md")


@test(quick=True)
def the_size_of_the_kernel_is_as_told(t):
    true = sum(n for path, n in sizes().items() if "/debug/" not in path)
    for paper, pattern in (("README.md", r"about (\d+) lines of code"), ("kernel/README.md", r"has (\d+) lines")):
        said = int(t.has(re.sub(r"\s+", " ", text(paper)), pattern).group(1))
        t.true(abs(said - true) <= 200, f"{paper} says {said} lines of code, and there are {true}")
    median = int(t.has(counted(), r"median (\d+) lines").group(1))
    said = int(t.has(text("README.md"), r"half of its functions have (\d+) lines").group(1))
    t.true(abs(said - median) <= 2, f"README.md says a median of {said} lines, and it is {median}")


@test(quick=True)
def rows_that_miss_their_targets_are_explained_no_longer_than_that(t):
    """`make bench` knows which rows these are today. Who is not above his target by the baseline needs no excuse."""
    targets, now = (json.loads(text(f"bench/{name}.json"))["rows"] for name in ("rows", "baseline"))
    excused = re.findall(r"^\| `(\w+)`", text("docs/performance.md").split("## Rows above")[1].split("\n## ")[0], re.M)
    t.true(excused, "the table has moved")
    fine = [row for row in excused if now[row]["cost"] <= targets[row]["target"]]
    t.equal(fine, [], "the rows that docs/performance.md excuses, and that keep to their targets")


@test(quick=True)
def the_readme_does_not_look_like_a_console(t):
    """It is on the disk, tests print it, and they look for prompts and panics in what was printed."""
    t.lacks(text("README.md"), r"PANIC|^\$ ")


@test(quick=True)
def functions_in_the_papers_exist(t):
    """A name with () behind it is a function of the kernel, of the library, or a system call."""
    code = "\n".join(text(path) for path in files(".c", ".h", ".S", ".tbl") if not path.startswith("tests"))
    known = set(re.findall(r"\b(\w+)\(", code)) | set(re.findall(r"^SYSCALL\(\d+,\s*(\w+),", code, re.M))
    for paper in papers():
        if not paper.startswith("tests"):
            used = set(re.findall(r"`(\w+)\(\)`", text(paper)))
            t.equal(sorted(used - known), [], f"the functions in {paper} that do not exist")


@test(quick=True)
def tests_in_the_papers_exist(t):
    known = []
    for table in ("user/usertests/tests.tbl", "user/vmtests/tests.tbl"):
        known += re.findall(r"^(?:QUICK|SLOW)\((\w+),", text(table), re.M)
        t.true(len(known) > 100, f"{table} has moved")
    for paper in ("kernel/mm/README.md", "kernel/riscv/README.md"):
        for row in re.findall(r"^\|.*\|([^|]*)\|$", text(paper), re.M):
            for name in re.findall(r"`(\w+\*?)`", row):
                t.true(fnmatch.filter(known, name), f"{paper}: there is no test {name}")


@test(quick=True)
def make_commands_in_the_papers_exist(t):
    targets = set(re.findall(r"^([a-z][\w.-]*(?: [a-z][\w.-]*)*):", text("Makefile"), re.M))
    targets = {word for line in targets for word in line.split()}
    targets |= {w for line in re.findall(r"^\.PHONY:(.*)", text("Makefile"), re.M) for w in line.split()}
    for paper in papers():
        for name in re.findall(r"`make ([a-z][\w.-]*)", text(paper)) + re.findall(r"^make ([a-z]\S*)", text(paper), re.M):
            t.true(name in targets, f"{paper}: there is no make {name}")
