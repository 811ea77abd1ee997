# SPDX-License-Identifier: MIT
"""usertests and the stress programs, on machines of several sizes and builds; fsck after each."""

from image import BSIZE, Image
from quire import build, test

ALL_PASSED = "ALL TESTS PASSED"


def verdict(said):
    """Of what usertests said, what matters when it failed."""
    lines = [x for x in said.split("\n") if "killed: " not in x and ": OK" not in x]
    return "\n".join(lines[-40:])


def usertests(t, args="", seconds=900, wanted=None, **machine):
    m = t.boot(**machine)
    if wanted:
        t.has(m.console, wanted)
    said, status = m.run(("usertests " + args).strip(), seconds)
    t.true(ALL_PASSED in said and status == 0, f"usertests ended with {status}:\n{verdict(said)}")
    t.lacks(m.console, "PANIC")
    t.shut_down(m)


@test(weight=6)
def all_on_one_hart(t):
    usertests(t, cpus=1)


@test(weight=4)
def quick_ones_on_three_harts(t):
    usertests(t, "-q", cpus=3)


@test(weight=4)
def quick_ones_on_eight_harts(t):
    usertests(t, "-q", cpus=8)


@test(weight=6)
def all_in_64_megabytes(t):
    usertests(t, cpus=1, mem="64M")


@test(weight=4)
def quick_ones_with_assertions(t):
    usertests(t, "-q", build=build("debug", "CI=true", "DEBUG=1", "-j2"), cpus=3)


@test(weight=3)
def quick_ones_as_clang_builds_them(t):
    usertests(t, "-q", build=build("clang", "CI=true", "LLVM=1", "-j2"), cpus=3)


@test(weight=3)
def quick_ones_with_eight_gigabytes(t):
    usertests(t, "-q", cpus=3, mem="8G")


@test(quick=True, weight=2)
def quick_ones(t):
    usertests(t, "-q", cpus=2, seconds=120)


@test(weight=3)
def quick_ones_after_a_replayed_log(t):
    """All inodes and the bitmap come from the log, and their homes are wiped."""
    image = Image(t.image(name="log.img"))
    blocks = range(image.inodestart, image.datastart)
    image.log(*((b, bytes(image.data[b * BSIZE:(b + 1) * BSIZE])) for b in blocks))
    for b in blocks:
        image.data[b * BSIZE:(b + 1) * BSIZE] = bytes(BSIZE)
    image.save()
    usertests(t, "-q", disk=image.path, cpus=2,
              wanted=f"log: {len(blocks)} blocks of the last transaction written again")


@test(quick=True)
def an_unknown_name_fails(t):
    m = t.boot()
    said, status = m.run("usertests no-such-test")
    t.lacks(said, ALL_PASSED)
    t.equal(status, 1, "the exit status of usertests")
    t.has(said, "no-such-test")
    t.shut_down(m)


@test(weight=3)
def stress_programs_end_well(t):
    m = t.boot(cpus=3)
    for program, seconds in (("forktest", 120), ("stressfs", 120), ("zombie", 20),
                             ("logstress f0 f1 f2 f3 f4 f5", 240)):
        said, status = m.run(program, seconds)
        t.equal(status, 0, f"the exit status of {program} ({said[-300:]!r})")
        t.lacks(said, "PANIC|fail")
    t.shut_down(m)


@test(weight=2)
def grind_can_be_stopped(t):
    m = t.boot(cpus=3, mem="256M")
    m.send("grind")
    t.true(not m.says("PANIC|broken|grind: .*fail", 45), "grind brought trouble")
    m.interrupt(30)
    t.runs(m, "echo alive", "alive")
    for _ in range(30):  # groups that it was about to kill end by themselves, and then their files without names
        said = t.runs(m, "sleep 10; ps", None)
        if " grind" not in said:
            break
    t.lacks(said, " grind")
    t.shut_down(m)


@test(weight=2)
def a_fork_bomb_can_be_stopped(t):
    m = t.boot(cpus=2, seconds=20)
    m.send("sh -c 'echo boom; sh bomb' ; echo over")
    m.prompt(20)
    m.run("echo 'sh bomb & sh bomb' > bomb")
    m.send("sh bomb")
    m.expect(r"cannot start a process", 60)
    m.interrupt(60)
    t.runs(m, "echo alive", "alive", seconds=60)


@test()
def unlinked_open_files_are_freed_after_a_crash(t):
    for program in ("forphan", "dorphan"):
        m = t.boot(cpus=2)
        m.send(program)
        m.expect(program + r"\n(.*\n)*?.*(wait|kill|crash|orphan).*", 30)
        m.send("")
        m.kill()
        t.fsck(m.disk, orphans=True)
        again = t.boot(disk=m.disk, cpus=2)
        t.has(again.console, "ireclaim")
        t.shut_down(again)
