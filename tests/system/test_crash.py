# SPDX-License-Identifier: MIT
"""The power goes at any moment: the disk recovers, and what fsync promised is there."""

import os
import random
import time

from image import Image
from quire import test

ROUNDS = int(os.environ.get("QUIRE_CRASHES", "12"))


def crash_once(t, disk, command, seconds, cpus):
    m = t.boot(disk=disk, cpus=cpus, seconds=30)
    m.send(command)
    m.expect(r"\n")
    time.sleep(seconds)
    t.lacks(m.console, "PANIC")
    t.drop(m)
    t.fsck(disk, orphans=True)


@test(weight=3)
def a_busy_disk_survives_the_plug(t):
    dice = random.Random(2026)
    commands = ("stressfs", "logstress f0 f1 f2 f3", "grind", "usertests -q",
                "mkdir d; cat README > d/x; rm d/x d; sync; logstress a b")
    disk = t.image()
    for i in range(ROUNDS):
        crash_once(t, disk, commands[i % len(commands)], dice.uniform(0.2, 4), dice.choice((1, 2, 3)))
    m = t.boot(disk=disk, cpus=2, seconds=30)
    t.runs(m, "cat README | wc", None)
    t.shut_down(m)


@test()
def what_sync_promised_is_there(t):
    disk = t.image()
    for i in range(5):
        m = t.boot(disk=disk)
        t.runs(m, f"echo round {i} > kept; mkdir d{i}; sync")
        m.send("logstress a b")
        m.expect(r"\n")
        time.sleep(0.1 * i)
        m.kill()
        again = t.boot(disk=disk)
        t.runs(again, "cat kept", f"round {i}")
        t.runs(again, f"ls d{i}", None)
        again.kill()


@test(quick=True)
def a_full_disk_loses_nothing(t):
    folder = os.path.join(os.getcwd(), os.environ.get("QUIRE_BUILD", "build"), "image")
    programs = [os.path.join(folder, n) for n in sorted(os.listdir(folder))
                if n in ("_init", "_sh", "_ls", "_cat", "_echo", "_rm", "_poweroff", "_mkdir", "_wc")]
    big = t.path("big")
    with open(big, "wb") as f:
        f.write(os.urandom(100 * 4096))
    m = t.boot(disk=t.mkfs("full.img", *programs, big, size=600))
    t.runs(m, "echo precious > precious")
    said, failed = "", 0
    for i in range(12):
        said, status = m.run(f"cat big > copy{i}")
        failed += status != 0
    t.true(failed > 0, "the disk never got full")
    t.has(said.lower(), "no space|disk is full|space left")
    m.run("mkdir x0 x1 x2 x3 x4 x5")
    t.runs(m, "cat precious", "precious")
    t.runs(m, "echo alive", "alive")
    for i in range(12):
        m.run(f"rm copy{i}")
    t.runs(m, "cat big > again")
    t.shut_down(m)


@test(quick=True)
def a_disk_that_cannot_be_written_does_not_kill_the_kernel(t):
    m = t.boot()
    t.runs(m, "ln usertests @readonly; cat README > old; mkdir dir")
    t.shut_down(m)
    m = t.boot(disk=m.disk, cpus=2, options=("-set", "drive.x0.readonly=on"))
    t.runs(m, "@readonly")
    said, status = m.run("echo x > y")
    t.true(status != 0, "a write to a read-only disk ended with 0")
    t.has(said, "read-only")
    t.runs(m, "cat README | wc", None)
    t.runs(m, "echo alive", "alive")
    t.equal(m.poweroff(), 0)


def failing_disk(t, disk, *errors):
    """What QEMU opens instead of disk: the same with errors at these (event, block or None)."""
    with open(t.path("errors"), "w", encoding="utf-8") as f:
        for event, block in errors:
            where = f"sector = \"{block * 8}\"\n" if block is not None else ""
            kind = event.split("_", 1)[0]
            f.write(f'[inject-error]\nevent = "{event}"\niotype = "{kind}"\nerrno = "5"\nonce = "off"\n{where}')
    return f"blkdebug:{t.path('errors')}:{disk}"


@test(quick=True)
def a_block_that_cannot_be_read_is_an_error(t):
    image = Image(t.image())
    bad = image.blocks(image.lookup("README"))[0]
    m = t.boot(disk=failing_disk(t, image.path, ("read_aio", bad)), cpus=2)
    said, status = m.run("cat README")
    t.has(said, "README: input/output error")
    t.true(status != 0, "cat ended with 0")
    t.has(m.run("wc README")[0], "input/output error")
    t.runs(m, "echo fine > other; cat other", "fine")
    t.equal(m.poweroff(), 0)
    t.fsck(image.path)


@test(quick=True)
def a_program_whose_pages_cannot_be_read_ends(t):
    image = Image(t.image())
    bad = image.blocks(image.lookup("wc"))[1]
    m = t.boot(disk=failing_disk(t, image.path, ("read_aio", bad)), cpus=2)
    said, status = m.run("wc README")
    t.has(said, "disk failed|input/output error")
    t.true(status != 0, "wc ended with 0")
    t.runs(m, "echo alive", "alive")
    t.equal(m.poweroff(), 0)


def boot_with_failing_log(t, disk):
    image = Image(disk)
    errors = [("write_aio", image.logstart + i) for i in range(image.nlog)]
    return t.boot(disk=failing_disk(t, disk, *errors), cpus=2)


@test(quick=True)
def who_syncs_hears_that_the_log_has_failed(t):
    for command in ("@failing", "@failing msync"):
        m = t.boot()
        t.runs(m, "ln usertests @failing; cat README > old; mkdir dir")
        t.shut_down(m)
        disk = m.disk
        m = boot_with_failing_log(t, disk)
        t.runs(m, command, None)
        t.has(m.console, "read-only from now on")
        t.equal(m.poweroff(), 0)
        t.fsck(disk, orphans=True)


@test(quick=True)
def a_log_that_fails_makes_the_disk_read_only(t):
    m = t.boot()
    t.runs(m, "echo before > before")
    t.shut_down(m)
    disk = m.disk
    m = boot_with_failing_log(t, disk)
    m.run("echo lost > lost; sync")
    m.expect("read-only from now on", 10) if "read-only from now on" not in m.console else None
    said, status = m.run("echo more > more")
    t.has(said, "read-only")
    t.true(status != 0, "a write to a failed disk ended with 0")
    t.has(m.run("mkdir d")[0], "read-only")
    t.runs(m, "cat before", "before")
    t.runs(m, "echo alive", "alive")
    m.poweroff()
    t.lacks(m.console, "PANIC")
    t.fsck(disk, orphans=True)
