# SPDX-License-Identifier: MIT
"""The pages of docs/vm: each has its parts, each answer is checked by something that exists, and the table of faults
is the code's."""

import os
import re

from quire import ROOT, TESTS, test
from test_docs import text

FOLDER = "docs/vm"
PARTS = ("The file's tour", "Invariants", "Exercises")


def pages():
    for name in sorted(os.listdir(os.path.join(ROOT, FOLDER))):
        if name.endswith(".md"):
            yield name, text(f"{FOLDER}/{name}")


def exercises(page):
    return re.split(r"^\*\*\d+\.\*\*", page.split("## Exercises")[1], flags=re.M)[1:]


def names(table):
    return set(re.findall(r"^(?:QUICK|SLOW)\((\w+),", text(table), re.M))


@test(quick=True)
def every_page_has_its_parts(t):
    """All of them, and an exercise has its answer and its check. labs.md is about no file of the kernel."""
    for name, page in pages():
        if name != "labs.md":
            for part in PARTS:
                t.true(f"\n## {part}\n" in page, f"{name} has no part {part}")
        t.true(len(exercises(page)) >= 3, f"{name} has {len(exercises(page))} exercises")
        for i, exercise in enumerate(exercises(page)):
            for word in ("*Answer.*", "*Check.*"):
                t.equal(exercise.count(word), 1, f"{word} in exercise {i + 1} of {name}")


@test(quick=True)
def every_answer_has_a_check_that_exists(t):
    known = {"vmtests": names("user/vmtests/tests.tbl"), "usertests": names("user/usertests/tests.tbl")}
    for name, page in pages():
        for exercise in exercises(page):
            check = exercise.split("*Check.*")[1]
            found = 0
            for program, arguments in re.findall(r"`(vmtests|usertests) ([\w -]+)`", check):
                for word in arguments.split():
                    found += 1
                    t.true(word in known[program] or word == "-q", f"{name}: there is no {program} {word}")
            for word in re.findall(r'run\.py "([^"]+)"', check):
                found += 1
                t.true([f for f in TESTS if word in f.title], f"{name}: no test has {word} in its title")
            found += check.count("$ python3 tools/levels ")
            t.true(found > 0, f"{name}: nothing checks {exercise[:60]!r}")


@test(quick=True)
def the_table_of_faults_is_the_code(t):
    """What decide() calls, row by row."""
    body = t.has(text("kernel/vm.c"), r"^decide\(struct fault \*f\)\n\{\n((?:.*\n)*?)\}").group(1)
    called = [n for n in re.findall(r"\b(\w+)\(", body) if n not in ("if", "pte_allows", "pte_mapped", "huge_only")]
    table = text("docs/vm.md").split("| Goes to |")[1].split("\n\n")[0]
    *rows, last = [re.findall(r"`(\w+)\(\)`", row.split("|")[-2]) for row in table.split("\n")[2:]]
    told = [name for row in rows for name in row]
    t.equal(told, [n for n in called if n != "fault"], "the calls in the table of docs/vm.md")
    room = [f"kernel/mm/{n}" for n in os.listdir(os.path.join(ROOT, "kernel/mm")) if n.endswith(".c")]
    kinds = re.findall(r"\.fault = (\w+)", "".join(text(n) for n in room))
    t.equal(set(last), set(kinds), "the kinds of memory in the last row")


TECHNIQUES = ("anon", "stack", "cow", "filemap", "shm", "huge", "swap", "reclaim", "oom", "upage")


def room():
    """The code of each file of kernel/mm, by its name, without comments and strings."""
    for folder in ("kernel/mm", "kernel/mm/policy"):
        for name in os.listdir(os.path.join(ROOT, folder)):
            if name.endswith(".c"):
                yield name, re.sub(r"//.*|/\*(?:.|\n)*?\*/|\"(?:\\.|[^\"\\])*\"", "", text(f"{folder}/{name}"))


@test(quick=True)
def who_calls_a_technique_is_told(t):
    code = dict(room())
    defined = {f: name for name in code if name[:-2] in TECHNIQUES
               for kind, f in re.findall(r"^(\w[^\n]*)\n(\w+)\(", code[name], re.M) if "static" not in kind}
    t.true(len(defined) > len(TECHNIQUES), f"only {sorted(defined)} were found")
    calls = {(name, defined[w], w) for name in code for w in re.findall(r"\w+", code[name]) if defined.get(w, name) != name}
    table = text("kernel/mm/README.md").split("## Who calls a technique")[1]
    rows = [[re.findall(r"\w+\.c|(?<=`)\w+(?=\()", cell) for cell in row.split("|")[1:4]]
            for row in re.findall(r"^\| \w+\.c.*", table, re.M)]
    told = {(a, b, f) for callers, (b,), functions in rows for a in callers for f in functions}
    t.equal(sorted(told), sorted(calls), "the calls in kernel/mm/README.md")
    named = t.has(table, r"A technique is ((?:\w+, )*\w+ or \w+)").group(1)
    t.equal(tuple(re.findall(r"\w+", named.replace(" or ", ", "))), TECHNIQUES, "the techniques there")


@test(quick=True)
def the_index_of_techniques_is_complete(t):
    linked = set(re.findall(r"\]\(vm/(\w+\.md)\)", text("docs/vm.md")))
    there = {n for n in os.listdir(os.path.join(ROOT, FOLDER)) if n.endswith(".md")}
    t.equal(sorted(there - linked), [], "the pages that docs/vm.md does not have")


@test(quick=True)
def every_picture_is_shown_and_can_be_made(t):
    scenes = re.findall(r'"(\w+)"', t.has(text("tools/vmpicture"), r"^SCENES = \[(.*)\]").group(1))
    there = {n for n in os.listdir(os.path.join(ROOT, FOLDER)) if n.endswith(".svg")}
    t.equal(there, {f"{s}.svg" for s in scenes}, "the pictures in docs/vm")
    for s in scenes:
        t.true(f"({s}.svg)" in text(f"{FOLDER}/{s}.md"), f"{s}.md does not show its picture")
        svg = text(f"{FOLDER}/{s}.svg")
        t.true(len(svg) < 16384 and svg.startswith("<svg "), f"{s}.svg has {len(svg)} bytes")
