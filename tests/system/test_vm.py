# SPDX-License-Identifier: MIT
"""Virtual memory: vmtests on machines of several sizes and builds, every figure that vmtour prints, the programs
that show memory, and the shell beside programs that want all of it."""

import re

from quire import Failure, build, test
from test_crash import failing_disk

ALL_PASSED = "ALL TESTS PASSED"
PARTS = ["tables", "sparse", "lazy", "stack", "cow", "demand", "mmap", "huge", "swap"]
DEBUG = ("debug", "CI=true", "DEBUG=1", "-j2")


# ---- vmtests ----


def vmtests(t, args="", seconds=2400, **machine):
    m = t.boot(**machine)
    said, status = m.run(("vmtests " + args).strip(), seconds)
    lines = [x for x in said.split("\n") if "killed: " not in x and ": OK" not in x]
    t.true(ALL_PASSED in said and status == 0, f"vmtests ended with {status}:\n" + "\n".join(lines[-40:]))
    t.lacks(m.console, "PANIC")
    t.shut_down(m)


@test(weight=9)
def all_on_one_hart(t):
    vmtests(t, cpus=1)


@test(weight=3)
def quick_ones_on_three_harts(t):
    vmtests(t, "-q", cpus=3)


@test(weight=5)
def slow_ones_of_several_processes_on_three_harts(t):
    """Those of one process do nothing else there than on one hart, and take longer."""
    vmtests(t, "swap_under_pressure oom_several_hogs oom_by_copies cycles_lose_no_frame everything_at_once", cpus=3)


@test(weight=3)
def quick_ones_on_eight_harts(t):
    vmtests(t, "-q", cpus=8)


@test(weight=3)
def quick_ones_in_64_megabytes(t):
    vmtests(t, "-q", cpus=2, mem="64M")


@test(weight=3)
def quick_ones_with_assertions(t):
    vmtests(t, "-q", build=build(*DEBUG), cpus=3)


@test(weight=8)
def all_with_assertions(t):
    vmtests(t, build=build(*DEBUG), cpus=1)


@test(weight=4)
def quick_ones_as_clang_builds_them(t):
    vmtests(t, "-q", build=build("clang", "CI=true", "LLVM=1", "-j2"), cpus=3)


@test(quick=True, weight=2)
def quick_ones(t):
    vmtests(t, "-q", cpus=2, seconds=240)


@test(quick=True)
def an_unknown_test_fails(t):
    m = t.boot()
    said, status = m.run("vmtests no-such-test")
    t.lacks(said, ALL_PASSED)
    t.equal(status, 1, "the exit status of vmtests")
    t.has(said, "no-such-test")
    t.has(t.runs(m, "vmtests -l"), r"^quick  cow_fork_shares_frames  ")
    t.shut_down(m)


@test()
def without_a_second_drive_tests_of_swap_say_so(t):
    m = t.boot(swap=None)
    said, status = m.run("vmtests swap_out_and_in", 60)
    t.equal(status, 1, "the exit status of vmtests")
    t.has(said, "there is a second drive to swap to")
    said, status = m.run("swapon")
    t.equal(status, 1, "the exit status of swapon")
    t.has(said, "swapon: no such device")
    t.has(t.runs(m, "free"), r"^swap KiB +0 +0 +0$")
    t.shut_down(m)


@test(weight=2)
def a_fault_among_ten_thousand_ranges_by_instructions(t):
    """Counted: with -icount an instruction is an instruction, whatever else this computer does."""
    m = t.boot(cpus=1, options=("-icount", "shift=0,sleep=off"), seconds=60)
    said, status = m.run("vmtests mmap_ten_thousand", 300)
    t.true(status == 0, said[-500:])
    t.shut_down(m)


@test(weight=2)
def each_invariant_is_caught_when_it_is_broken(t):
    m = t.boot(build=build(*DEBUG), cpus=2)
    t.runs(m, "ln vmtests @breaks")
    said = t.runs(m, "@breaks", None, seconds=90)
    t.has(said, r"^12 invariants broken and caught")
    for n, report in enumerate(re.split(r"^that was invariant \d+$", said, flags=re.M)[:12], 1):
        t.has(report, f"mm_check: invariant {n} does not hold")
    t.lacks(m.console, "PANIC")
    t.runs(m, "rm @breaks")
    t.shut_down(m)


@test(weight=2)
def what_msync_returned_for_survives_a_crash(t):
    m = t.boot(cpus=2)
    t.runs(m, "ln vmtests @msync")
    m.send("@msync")
    m.expect(r"^synced\n", 30)
    m.kill()
    t.fsck(m.disk)
    again = t.boot(disk=m.disk, cpus=2)
    t.runs(again, "grep -c 'through the mapping' synced", "1")
    t.has(t.runs(again, "wc synced"), r"\b12288\b")
    t.shut_down(again)


@test(quick=True)
def a_store_through_a_mapping_survives_poweroff(t):
    m = t.boot(cpus=2)
    t.runs(m, "ln vmtests @off")
    m.send("@off")
    t.equal(m.wait(), 0, "QEMU's exit status")
    t.fsck(m.disk)
    again = t.boot(disk=m.disk, cpus=2)
    t.runs(again, "grep -c 'through the mapping' stored", "1")
    t.has(t.runs(again, "wc stored"), r"\b12288\b")
    t.shut_down(again)


# ---- vmtour ----


def part(t, said, name):
    """The lines of one part."""
    return t.has(said, rf"^== {name}: .* ==\n((?:(?!==).*\n?)*)").group(1)


def numbers(t, text, pattern):
    """The numbers in the pattern's groups, in hexadecimal where they begin with 0x."""
    return [int(x, 0) for x in t.has(text, pattern).groups()]


def tour_tables(t, text):
    t.has(text, r"^  1  root table ")
    rows = re.findall(r"^  (\d)  (?:level-1 table|level-0 table|the page|one page more) +frame (0x\w+)", text, re.M)
    t.equal([n for n, _ in rows], ["2", "3", "4", "5"], "the timeline")
    t.equal(len({frame for _, frame in rows}), 4, "the number of frames")
    t.has(text, r"tables made: 2 for the first page, 0 for the second; faults: 1 and 1$")
    t.has(text, r"both pages unmapped: 2 tables given back$")


def tour_sparse(t, text):
    t.has(text, r"^  full tree +1 +512 +262144 +262657 +1050628$")
    t.has(text, r"^  three pages +1 +2 +2 +5 +20$")
    made, was, now = numbers(t, text, r"three touches: (\d+), .*process: (\d+), then (\d+)$")
    t.equal((made, now - was), (4, 4), "the tables of three pages, beside the root")


def tour_lazy(t, text):
    for what, faults, frames in (("1 GiB asked for", 0, 0), ("100 pages read", 100, 0), ("100 others written", 100, 100),
                                 ("and written again", 0, 0), ("those read are written", 100, 100)):
        t.has(text, rf"^  {what} +{faults} +{frames}$")
    t.has(text, r"one frame of zeros: 100$")
    t.has(text, r"262144 frames")


def tour_stack(t, text):
    top, base, pages = numbers(t, text, r"ends at (0x\w+) and may grow down to (0x\w+): (\d+) pages$")
    t.equal((top - base, pages), (8 << 20, 2048), "the size of the stack")
    rows = [(int(at, 0), int(faults), int(frames))
            for at, faults, frames in re.findall(r"^  (0x\w+) +(\d+) +(\d+)$", text, re.M)]
    t.equal([r[1:] for r in rows], [(1, 1), (1, 2), (1, 3), (1, 4)], "faults and frames of the stack")
    t.equal([rows[0][0] - r[0] for r in rows], [0, 4096, 8192, 12288], "the pages pushed at")
    t.equal(numbers(t, text, r"died of a write to (0x\w+)$"), [base - 8], "where the child died")


def tour_cow(t, text):
    def row(when):
        return t.has(text, rf"^  {when} +parent (0x\w+) (\S+) refs (\d)   child (0x\w+) (\S+) refs (\d)$").groups()

    frame, mine, refs = t.has(text, r"before fork +frame +(0x\w+) (\S+) refs (\d)$").groups()
    t.equal((mine, refs), ("RW-", "1"), "the page before fork")
    t.equal(row("after fork"), (frame, "R--", "2", frame, "R--", "2"), "the page after fork")
    written, other = row("a page it has written"), row("one it has not")
    t.equal(written[0:3:2], (frame, "1"), "the parent's side of a written page")
    t.true(written[3] != frame and written[4:] == ("RW-", "1"), f"the child's copy is {written}")
    t.true(other[0] == other[3] and other[2] == other[5] == "2", f"the unwritten page is {other}")
    t.has(text, r"child writes 3 of 8 pages: 3 faults, 3 copies$")
    t.has(text, r"parent writes 8 pages: 8 faults, 0 copies, 8 in place$")


def tour_demand(t, text):
    t.has(text, r"started just now: 0 blocks read from the disk$")
    pages, here, same, rights = t.has(
        text, r"pages of its text (\d+), of these in memory (\d+)\n.*frames that are ours, too: (\d+), rights (\S+)$").groups()
    t.true(0 < int(here) < int(pages), f"{here} of {pages} pages of text are in memory")
    t.equal((same, rights), (here, "R-X"), "the frames of the text that are shared")
    t.has(text, rf"which has touched all: {pages} in memory$")


def tour_mmap(t, text):
    t.has(text, r"a file of 16 pages, mapped and read: 16 faults, 0 frames taken$")
    t.has(text, r"page 0 is frame 0x\w+, of the page cache$")
    t.has(text, r"read\(\) finds '!' there$")
    t.has(text, r"private mapping: sees it, the same frame; after a store another frame, and read\(\) still finds '!'$")
    t.has(text, r"stores to 0 pages: 0 faults; msync: 0 blocks to the disk$")
    blocks, = numbers(t, text, r"stores to 4 pages: 4 faults; msync: (\d+) blocks to the disk$")
    t.true(4 <= blocks < 16, f"{blocks} blocks were written for 4 pages")


def tour_huge(t, text):
    t.has(text, r"^  small pages +512 +512 +0 +1$")
    t.has(text, r"^  huge page +1 +512 +1 +0$")
    t.has(text, r"one page protected: 1 split, 0 frames copied, 512 entries of level 0 as before$")
    t.has(text, r"collapsed: leaf's level 1, 1 table given back$")


def tour_swap(t, text):
    t.has(text, r"slots on the second drive: 131071, each of 4 KiB$")
    t.has(text, r"16 pages that two processes share, paged out: 16 written, 16 slots, each of both$")
    mine, its = numbers(t, text, r"page 0: slot (\d+) in the parent, (\d+) in the child, frames 0 and 0$")
    t.equal(mine, its, "the child's slot")
    t.has(text, r"touched: 16 faults, 16 swapped in, 16 of 16 as before$")
    t.has(text, r"600 touches of 48 pages, with frames for 24:")
    counts = dict(re.findall(r"(fifo|clock|aging|wsclock) (\d+)", text))
    for policy, evict in POLICIES.items():
        said, model = int(counts[policy]), misses(evict)
        # Aging and wsclock count all pages that come and go, also a few of vmtour's own.
        slack = 0 if policy in ("fifo", "clock") else model // 6
        t.true(abs(said - model) <= slack, f"{policy} missed {said} times, and should {model} times")


# ---- the policies, as they are defined ----


def trace():
    """The touches of vmtour/swap.c."""
    seed = 1

    def number():
        nonlocal seed
        seed = (seed * 1103515245 + 12345) & 0xFFFFFFFF
        return seed >> 16 & 0x7FFF

    return [number() % 12 if number() % 3 else number() % 48 for _ in range(600)]


class Page:
    def __init__(self, number, now):
        self.number, self.used, self.age, self.last = number, True, 0x80, now


class Queue:
    def __init__(self):
        self.pages, self.now, self.events, self.sampled = [], 0, 0, False

    def take(self, page):
        self.pages.remove(page)
        self.events += 1
        return page.number

    def turn(self):
        self.pages.append(self.pages.pop(0))


def fifo(q):
    return q.take(q.pages[0])


def clock(q):
    while q.pages[0].used:
        q.pages[0].used = False
        q.turn()
    return q.take(q.pages[0])


def aging(q):
    if not q.sampled or q.events >= max(1, len(q.pages) // 8):
        for p in q.pages:
            p.age = p.age >> 1 | (0x80 if p.used else 0)
            p.used = False
        q.sampled, q.events = True, 0
    return q.take(min(q.pages, key=lambda p: p.age))


def wsclock(q):
    for _ in range(len(q.pages)):
        p = q.pages[0]
        if p.used:
            p.used, p.last = False, q.now
        elif q.now - p.last > 256:
            return q.take(p)
        q.turn()
    return q.take(min(q.pages, key=lambda p: p.last))


POLICIES = {"fifo": fifo, "clock": clock, "aging": aging, "wsclock": wsclock}


def misses(evict, room=24):
    """How many touches find that their page has no frame."""
    q, missed = Queue(), 0
    for number in trace():
        for p in q.pages:
            if p.number == number:
                p.used = True
                break
        else:
            missed += 1
            q.now += 1
            q.events += 1
            q.pages.append(Page(number, q.now))
        if len(q.pages) > room:
            evict(q)
    return missed


# ---- the tour ----


@test(quick=True, weight=2)
def every_figure_of_the_tour(t):
    m = t.boot(cpus=2)
    said = t.runs(m, "vmtour", seconds=120)
    t.equal(re.findall(r"^== (\w+):", said, re.M), PARTS, "the parts of the tour")
    for name in PARTS:
        text = part(t, said, name)
        globals()["tour_" + name](t, text)
        lines = text.strip("\n").count("\n") + 1
        t.true(6 <= lines <= 12, f"the part {name} has {lines} lines")
    t.shut_down(m)


@test()
def the_tour_on_one_hart_with_assertions(t):
    m = t.boot(build=build(*DEBUG), cpus=1, mem="64M")
    said = t.runs(m, "vmtour", seconds=240)
    for name in PARTS:
        globals()["tour_" + name](t, part(t, said, name))
    t.shut_down(m)


@test(quick=True)
def a_part_of_the_tour_by_its_name(t):
    m = t.boot()
    said = t.runs(m, "vmtour cow sparse")
    t.equal(re.findall(r"^== (\w+):", said, re.M), ["cow", "sparse"], "the parts of the tour")
    said, status = m.run("vmtour nothing")
    t.equal(status, 1, "the exit status for a part that is not there")
    t.equal(said, "vmtour: there is no part nothing; there are " + " ".join(PARTS), "what vmtour says")
    t.shut_down(m)


# ---- programs that show memory ----


def pid_of(t, m, name):
    return t.has(m.run("ps")[0], rf"^\s*(\d+) .* {name}$").group(1)


RANGE = r"^([0-9A-F]{10}) ([0-9A-F]{10}) (\S{3})((?: +\d+){6}) (.*)$"


@test(quick=True)
def pmap_adds_up(t):
    m = t.boot(cpus=2)
    for pid in ("1", pid_of(t, m, "sh")):
        said = t.runs(m, f"pmap {pid}")
        rows = re.findall(RANGE, said, re.M)
        t.true(len(rows) >= 5, f"pmap {pid} shows {len(rows)} ranges")
        end, columns = 0, []
        for start, stop, rights, counts, kind in rows:
            t.true(end <= int(start, 16) < int(stop, 16), f"the range at {start} is out of order")
            end = int(stop, 16)
            counts = [int(x) for x in counts.split()]
            t.equal(counts[0], (int(stop, 16) - int(start, 16)) // 4096, "the pages of a range")
            t.true(max(counts[1], counts[5]) <= counts[0] and max(counts[2:5]) <= counts[1], f"{counts} of {kind}")
            t.true("x" not in rights or "w" not in rights, f"a range has {rights}")
            columns.append(counts)
        total = [int(x) for x in t.has(said, r"^total((?: +\d+){6})$").group(1).split()]
        t.equal(total, [sum(c) for c in zip(*columns)], "the totals")
        t.has(said, r" r-x .* file \d+ at 0x1000 program$")
        t.has(said, r"^\S+ 3FBFFFC000 rw- .* stack$")
    for command, why in (("pmap", "usage"), ("pmap x", "usage"), ("pmap 0", "usage"), ("pmap 31999", "no such process")):
        said, status = m.run(command)
        t.equal(status, 1, f"the exit status of {command!r}")
        t.has(said, why)
    t.shut_down(m)


@test(quick=True)
def ptdump_draws_the_tree(t):
    m = t.boot(cpus=2)
    pid = pid_of(t, m, "sh")
    said = t.runs(m, f"ptdump {pid}")
    tables = re.findall(r"^( *)\[ *(\d+)\] table 0x(\w+)$", said, re.M)
    t.equal([(len(indent), n) for indent, n, _ in tables], [(0, "0"), (2, "0"), (0, "254"), (2, "511")], "the tables")
    t.equal(len({frame for _, _, frame in tables}), 4, "the number of tables beside the root")
    leaves = re.findall(r"^    \[ *(\d+)(?:- *(\d+))?\] 0x(\w+) (\S{4}) \S\S (\w+), (?:(\d+) frames (?:from|such as)|frame) 0x\w+$",
                        said, re.M)
    t.true(leaves, f"no leaf in {said!r}")
    pages = 0
    for first, last, va, rights, kind, frames in leaves:
        t.equal(int(va, 16) >> 12 & 511, int(first), "the entry of an address")
        n = int(last or first) - int(first) + 1
        t.equal(int(frames or 1), n, "the frames of a run")
        t.true(rights[3] == "U" and rights[1:3] != "WX", f"a leaf has {rights}")
        t.true(kind in ("anon", "cache", "zero", "kernel", "reserved"), f"a leaf maps a frame of kind {kind}")
        pages += n
    resident = int(t.has(t.runs(m, f"pmap {pid}"), r"^total +\d+ +(\d+)").group(1))
    t.true(abs(pages - resident) <= 2, f"{pages} leaves, and {resident} resident pages")
    t.equal(len(said.split("\n")), len(tables) + len(leaves), "the lines of ptdump")
    said, status = m.run("ptdump 31999")
    t.true(status == 1 and "no such process" in said, f"ptdump of nobody said {said!r}")
    t.shut_down(m)


@test(quick=True)
def vmstat_counts(t):
    m = t.boot(cpus=2)
    said = t.runs(m, "vmstat")
    count = {name: int(n) for n, name in re.findall(r"^ *(\d+)  (\w+) ", said, re.M)}
    kinds = ("zero_fill", "zero_page", "cow_copy", "cow_reuse", "file", "mkwrite", "shm", "swap_in", "huge",
             "protection", "spurious", "ad")
    t.equal(sum(count[k] for k in kinds), count["faults"], "the faults of all kinds")
    t.true(count["frames_allocated"] > count["frames_freed"] > 0, f"frames: {count}")
    t.true(count["tables_made"] > count["tables_freed"] > 0 and count["disk_reads"] > 0, f"tables: {count}")
    t.equal(count["mms"], 3, "the address spaces of init, sh and vmstat")
    said = t.runs(m, "vmstat 1 3", seconds=20)
    rows = [[int(x) for x in line.split()] for line in said.split("\n") if re.match(r"^[ \d]+$", line)]
    t.equal([len(r) for r in rows], [12, 12, 12], "the columns of vmstat 1 3")
    t.true(rows[2][3] < 50, f"an idle machine had {rows[2][3]} faults in a second")
    for bad in ("vmstat 0", "vmstat x", "vmstat 1 0", "vmstat 1 2 3"):
        said, status = m.run(bad)
        t.true(status == 1 and "usage" in said, f"{bad!r} said {said!r}")
    t.shut_down(m)


@test(quick=True)
def swap_and_policy_are_set_while_it_runs(t):
    m = t.boot(cpus=2, swap=64)
    t.has(t.runs(m, "free"), r"^swap KiB +0 +0 +0$")
    t.runs(m, "swapon", "swap: 65532 KiB, of these free 65532")
    t.has(t.runs(m, "free"), r"^swap KiB +65532 +0 +65532$")
    t.runs(m, "swapon -d", "swap: off")
    t.runs(m, "swapon", "swap: 65532 KiB, of these free 65532")
    for name in ("fifo", "clock", "aging", "wsclock"):
        t.runs(m, f"policy {name}", "")
        t.has(t.runs(m, "policy"), rf"^eviction: {name} \(of fifo clock aging wsclock\)$")
    for name in ("never", "always", "madvise"):
        t.runs(m, f"policy {name}", "")
        t.has(t.runs(m, "policy"), rf"^huge pages: {name} \(of never madvise always\)$")
    for command in ("policy best", "policy fifo clock", "swapon -x"):
        said, status = m.run(command)
        t.true(status == 1 and said, f"{command!r} ended with {status} and said {said!r}")
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


def boot_with_failing_swap(t, event):
    with open(t.path("swap"), "wb") as f:
        f.truncate(64 << 20)
    drive = failing_disk(t, t.path("swap"), (event, None))
    m = t.boot(cpus=2, mem="64M", swap=None, before=("-s", drive))
    t.runs(m, "swapon", "swap: 65532 KiB, of these free 65532")
    return m


def works_without_swap(t, m):
    t.runs(m, "swapon -d", "swap: off")
    t.runs(m, "echo alive", "alive")
    t.lacks(m.console, "PANIC")
    t.shut_down(m)


@test()
def a_swap_drive_that_cannot_be_written(t):
    """What should go out stays, in frames; who wants more than there are of them ends."""
    m = boot_with_failing_swap(t, "write_aio")
    t.runs(m, "ln vmtests @hog")
    m.send("@hog")
    m.expect("swap: the drive cannot be written: nothing is evicted any more", 60)
    m.expect("(?i)out of memory", 60)
    m.prompt()
    t.runs(m, "rm @hog", "")
    works_without_swap(t, m)


@test()
def a_swap_drive_that_cannot_be_read(t):
    """A page that cannot come back ends who needs it, and nobody else."""
    m = boot_with_failing_swap(t, "read_aio")
    said, status = m.run("vmtests swap_out_and_in", 60)
    t.equal(status, 1, "the exit status of vmtests")
    t.has(said, r"killed: reads 0x\w+ at pc 0x\w+: the disk failed")
    works_without_swap(t, m)


# ---- no memory left ----


def ask(m, command, mark, seconds=60):
    """What a command says. The kernel may speak at any time, so the prompt need not be the last word."""
    start = m.mark
    for tries in (1, 2, 3):  # its line may run into the kernel's, letter by letter: then once more
        m.send(f"{command}; echo ={mark}=")
        try:
            m.expect(rf"^={mark}=$", seconds / 3)
            break
        except Failure:
            if tries == 3:
                raise
    return m.console[start:m.mark]


@test(weight=3)
def the_shell_answers_beside_hogs(t):
    """Each hog is ended when nothing is left, and the kernel says so. The shell, init and a bystander live."""
    for swap in (None, 64):
        m = t.boot(cpus=3, mem="64M", swap=swap)
        t.runs(m, "swapon" if swap else "free")
        t.runs(m, "ln vmtests @hog")
        m.send("sleep 100000 &")
        m.prompt()
        shell = pid_of(t, m, "sh")
        for round in range(3):
            m.send("@hog & @hog & @hog &")
            m.expect(r"(?i)out of memory", 120)
            for i in range(100):
                listed = ask(m, "ps", f"{round} {i}")
                if " @hog" not in listed.split("\n", 1)[1]:
                    break
            t.lacks(listed, r"[\d.] @hog$")
        t.has(listed, rf"^ *{shell} .* sh$")
        t.has(listed, r"^ *1 .* init$")
        t.has(listed, r" sleep$")
        t.lacks(m.console, "PANIC")
        t.drop(m)
