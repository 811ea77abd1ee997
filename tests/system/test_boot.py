# SPDX-License-Identifier: MIT
"""From power on to the prompt, and off again: sizes of machines, exit status, bad disks, cost."""

import os
import re
import subprocess
import threading
import time

import quire
from image import BSIZE, Image
from quire import BUILD, ROOT, Failure, build, test

BOOTS = int(os.environ.get("QUIRE_BOOTS", "200"))
MILLION = 1000000


@test(quick=True)
def machines_of_all_sizes(t):
    for cpus, mem, mib in ((1, "64M", 64), (8, "128M", 128), (3, "1G", 1024), (2, "8G", 8192)):
        m = t.boot(cpus=cpus, mem=mem)
        t.has(m.console, rf"quire: {mib} MiB, {cpus} hart")
        t.has(m.run("free")[0], r"\d")
        t.shut_down(m)


@test(quick=True)
def a_second_disk_is_not_needed(t):
    m = t.boot(cpus=2, swap=None)
    t.runs(m, "mkdir d; echo x > d/y; cat d/y", "x")
    t.shut_down(m)


@test(quick=True)
def poweroff_gives_qemu_its_status(t):
    for status in (0, 1, 3, 77, 255):
        m = t.boot()
        t.equal(m.poweroff(status), status, "QEMU's exit status")
        t.fsck(m.disk)


@test(quick=True)
def control_a_x_leaves_and_the_disk_is_good(t):
    m = t.boot()
    m.run("echo kept > kept")
    m.run("sync")
    m.process.stdin.write(b"\x01x")
    m.process.stdin.flush()
    t.equal(m.wait(), 0)
    t.fsck(m.disk, orphans=True)
    again = t.boot(disk=m.disk)
    t.runs(again, "cat kept", "kept")
    t.shut_down(again)


@test(quick=True)
def nothing_is_lost_when_the_machine_idles(t):
    """People leave with Ctrl-A X right behind a command."""
    m = t.boot()
    t.runs(m, "echo kept > kept")
    time.sleep(1.2)
    m.kill()
    again = t.boot(disk=m.disk)
    t.runs(again, "cat kept", "kept")
    t.shut_down(again)


@test(quick=True)
def kill_1_does_not_take_the_machine_down(t):
    m = t.boot(cpus=2)
    m.run("kill 1")
    t.runs(m, "echo alive", "alive")
    m.send("exit")
    m.expect(r"^\$ \Z")
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


def boots(t, count, cpus):
    slow = []
    disk = t.image()
    for i in range(count):
        start = time.monotonic()
        m = t.start(cpus=cpus, disk=disk, options=("-snapshot",))
        try:
            m.expect(r"^\$ \Z", 20)
        except Failure as e:
            raise Failure(f"boot {i + 1} of {count}: {e}") from None
        slow.append(time.monotonic() - start)
        t.drop(m)
    slow.sort()
    print(f"    {count} boots: median {slow[count // 2]:.2f} s, slowest {slow[-1]:.2f} s", flush=True)


@test(quick=True)
def ten_boots_with_eight_harts(t):
    boots(t, 10, 8)


@test(weight=4)
def many_boots_with_eight_harts(t):
    boots(t, BOOTS, 8)


# ---- what a boot costs ----


class Meter:
    """Counts the instructions that the guest executes. QEMU logs every block of them when it
    translates it (how many it has) and whenever it runs it; the log comes through a named pipe."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path, self.count, self.sizes = path, 0, {}
        self.thread = threading.Thread(target=self._read, daemon=True)

    def options(self):
        return ("-d", "exec,nochain,in_asm", "-D", self.path)

    def _read(self):
        run = re.compile(rb"^Trace \d+: 0x[0-9a-f]+ \[[0-9a-f]+/([0-9a-f]+)/")
        insn = re.compile(rb"^0x([0-9a-f]+):")
        block, size, sizes = None, 0, self.sizes
        with open(self.path, "rb", buffering=1 << 20) as log:
            for line in log:
                if line.startswith(b"Trace"):
                    if block is not None:
                        sizes[block], block = size, None
                    found = run.match(line)
                    self.count += sizes.get(int(found.group(1), 16), 0) if found else 0
                elif line.startswith(b"0x"):
                    found = insn.match(line)
                    if block is None:
                        block, size = int(found.group(1), 16), 0
                    size += 1
                elif line.startswith(b"IN:") and block is not None:
                    sizes[block], block = size, None


def boot_cost(t, mem):
    meter = Meter(t.path(f"trace-{mem}"))
    meter.thread.start()
    m = t.start(cpus=1, mem=mem, options=meter.options())
    m.expect(r"^\$ \Z", 120)
    m.kill()
    meter.thread.join(60)
    return meter.count


@test(quick=True)
def an_idle_machine_rests(t):
    """Also after the port has had work: no interrupt, no clock and no thread keeps it busy."""
    meter = Meter(t.path("trace"))
    meter.thread.start()
    m = t.start(cpus=1, options=meter.options())
    m.expect(r"^\$ \Z", 120)
    m.send("cat README; sync")
    m.expect(r"MIT; see(.*\n)*\$ \Z", 120)
    m.type("no command\x15")
    time.sleep(1)
    before = meter.count
    time.sleep(1)
    spent = meter.count - before
    m.kill()
    meter.thread.join(60)
    print(f"    an idle second: {spent} instructions", flush=True)
    t.true(meter.count > 10000, f"only {meter.count} instructions were counted")
    t.true(spent < 100000, f"an idle machine executes {spent} instructions a second")


def within(t, mem, budget):
    count = boot_cost(t, mem)
    t.true(count > 10000, f"only {count} instructions were counted")
    print(f"    boot with {mem}: {count / MILLION:.2f} million instructions", flush=True)
    t.true(count <= budget, f"booting with {mem} takes {count} instructions, more than {budget}")


@test(quick=True)
def a_boot_stays_in_its_budget(t):
    within(t, "128M", 5 * MILLION)


@test()
def a_boot_with_much_memory_stays_in_its_budget(t):
    within(t, "8G", 12 * MILLION)


# ---- bad disks ----

def zeros(image):
    image.data = bytearray(len(image.data))


def no_magic(image):
    image.magic = 0x10203040


def too_large(image):
    image.size *= 2


def log_misplaced(image):
    image.logstart = 0


def log_without_room(image):
    image.nlog = 3


def many_inodes(image):
    image.ninodes = 0x7FFFFFFF


def bitmap_misplaced(image):
    image.bmapstart = 3


def log_too_long(image):
    image.word(image.logstart, 1, 0xFFFFFFFF)


def log_points_anywhere(image):
    image.log((1, bytes(BSIZE)))


def no_root(image):
    node = image.inode(1)
    node.type = 0
    node.save()


def root_is_a_file(image):
    node = image.inode(1)
    node.type = 2
    node.save()


def no_init(image):
    at = image.entry(1, "init")
    image.data[at:at + 16] = bytes(16)


def init_is_no_program(image):
    image.data[image.blocks(image.lookup("init"))[0] * BSIZE] = 0


def init_points_anywhere(image):
    node = image.inode(image.lookup("init"))
    node.addrs = [0xFFFFFFF0 + i for i in range(13)]
    node.save()


BAD_DISKS = (zeros, no_magic, too_large, log_misplaced, log_without_room, many_inodes, bitmap_misplaced,
             log_too_long, log_points_anywhere, no_root, root_is_a_file, no_init, init_is_no_program,
             init_points_anywhere)


@test(quick=True)
def a_bad_disk_is_named_and_stops_the_boot(t):
    wrong = []
    for hurt in BAD_DISKS:
        image = Image(t.image(name="bad.img"))
        hurt(image)
        if hurt is not zeros:
            image.save()
        else:
            with open(image.path, "wb") as f:
                f.write(image.data)
        m = t.start(disk=image.path)
        try:
            said = m.expect(r"PANIC.*(disk|log|init|file system).*", 5).group()
            t.lacks(said, "fault|scause|exception|not true")
        except Failure as e:
            wrong.append(f"{hurt.__name__}: {e}")
        t.drop(m)
    t.true(not wrong, "\n".join(wrong))


@test(quick=True)
def a_panic_says_where_and_who_called_whom(t):
    image = Image(t.image(name="bad.img"))
    no_init(image)
    image.save()
    m = t.start(disk=image.path, cpus=2)
    said = m.expect(r"^PANIC(.*\n)*?The machine has stopped.*\n", 10).group()
    t.has(said, r"^PANIC on hart [01], in init\[1\]: cannot run /init: error 2\n")
    registers = re.findall(r"\b([a-z]+\d*) 0x[0-9a-f]{16}\b", said)
    t.equal((len(registers), len(set(registers))), (32, 32), "the registers")
    calls = re.findall(r"^  #(\d+) 0x[0-9a-f]{16} (\w+)\+0x[0-9a-f]+$", said, re.M)
    t.equal([n for n, _ in calls], [str(n) for n in range(len(calls))], "the numbers of the calls")
    t.equal([name for _, name in calls], ["panic", "first", "forkret"], "the calls of a new thread")
    m.type("\x10")
    t.true(not m.says(".", 0.5), "something still runs after a panic")


@test(quick=True)
def no_disk_and_a_short_disk_are_named(t):
    disk = t.image(name="short.img")
    os.truncate(disk, 1 << 20)
    m = t.start(disk=disk)
    m.expect(r"PANIC.*disk.*", 15)
    proc = subprocess.Popen(
        ["qemu-system-riscv64", "-machine", "virt", "-bios", "none", "-kernel", f"{BUILD}/kernel",
         "-nographic"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    timer = threading.Timer(15 * quire.PATIENCE, proc.kill)
    timer.start()
    said = ""
    for line in proc.stdout:
        said += line.decode("latin-1")
        if "PANIC" in said:
            break
    proc.kill()
    timer.cancel()
    t.has(said, "PANIC.*no disk")


def damaged_files(t, image):
    """Boots a disk with damage that only using it can show; the kernel must survive all of it."""
    image.save()
    m = t.boot(disk=image.path, cpus=2)
    for command in ("ls", "cat README", "cat hurt", "wc hurt", "echo x >> hurt", "echo y > hurt", "rm hurt",
                    "mkdir new", "ls new", "ls hurt", "cd hurt", "ls ..", "cd /", "rm new", "sync"):
        m.run(command)
    t.runs(m, "echo alive", "alive")
    t.lacks(m.console, "PANIC")
    t.equal(m.poweroff(), 0)


@test(quick=True)
def damaged_files_do_not_hurt_the_kernel(t):
    for kind in range(8):
        image = Image(t.image(name="hurt.img"))
        readme = image.lookup("README")
        image.add_entry(1, b"hurt", readme)
        node = image.inode(readme)
        node.nlink = 2
        if kind == 0:
            node.addrs[0] = 0xFFFFFFFF
        elif kind == 1:
            node.addrs[0] = 1
        elif kind == 2:
            node.addrs = [0xFFFFFFFF] * 13
        elif kind == 3:
            node.size = 200000
        elif kind == 4:
            node.type = 99
        elif kind == 5:
            node.type, node.major = 3, 32000
        elif kind == 6:
            node.type, node.size = 1, 16 * 8000
        elif kind == 7:
            node.size, node.addrs[11] = 4096 * 20, image.datastart
        node.save()
        damaged_files(t, image)


@test(quick=True)
def a_directory_whose_count_is_full_takes_no_more(t):
    """What the link count of the root says is not so: to make 32767 directories would take long."""
    image = Image(t.image(name="links.img"))
    root = image.inode(1)
    root.nlink, was = 32766, root.nlink
    root.save()
    image.save()
    m = t.boot(disk=image.path, cpus=2)
    t.runs(m, "mkdir a")
    said, status = m.run("mkdir b")
    t.equal((said, status), ("mkdir: b: too many links", 1))
    t.runs(m, "echo x > f; ln f g; rm a; mkdir b")
    t.has(m.run("mkdir c")[0], "too many links")
    t.equal(m.poweroff(), 0)
    image = Image(image.path)
    root = image.inode(1)
    t.equal(root.nlink, 32767, "the link count")
    root.nlink = was + 1
    root.save()
    image.save()
    t.fsck(image.path)


@test(quick=True)
def orphans_are_freed_at_boot(t):
    """At every place in a block of inodes."""
    image = Image(t.image(name="orphans.img"))
    for inum in (60, 61, 63, 64, 127, 128, 191):
        node = image.inode(inum)
        if node.type == 0:
            node.type, node.nlink = 2, 0
            node.save()
    image.save()
    t.has(t.fsck(image.path, wanted=1), "orphan")
    m = t.boot(disk=image.path)
    t.has(m.console, r"ireclaim: \d+ files without a name freed")
    t.shut_down(m)
    t.lacks(t.boot(disk=image.path).console, "ireclaim")


@test(quick=True)
def a_committed_transaction_is_written_at_boot(t):
    image = Image(t.image(name="log.img"))
    at = image.inodestart
    block = bytearray(image.data[at * BSIZE:(at + 1) * BSIZE])
    image.log((at, bytes(block)))
    image.data[at * BSIZE:(at + 1) * BSIZE] = bytes(BSIZE)
    image.save()
    m = t.boot(disk=image.path)
    t.has(m.console, "log: 1 blocks? of the last transaction written again")
    t.has(m.run("ls")[0], "README")
    t.shut_down(m)


@test(quick=True)
def a_torn_log_head_is_no_transaction(t):
    image = Image(t.image(name="torn.img"))
    image.log((image.inodestart, bytes(BSIZE)), damage=True)
    image.save()
    m = t.boot(disk=image.path)
    t.lacks(m.console, "written again|PANIC")
    t.has(m.run("ls")[0], "README")
    t.shut_down(m)


@test(quick=True)
def a_small_disk_works(t):
    folder = os.path.join(ROOT, BUILD, "image")
    programs = [os.path.join(folder, n) for n in os.listdir(folder) if n in
                ("_init", "_sh", "_ls", "_cat", "_echo", "_rm", "_poweroff", "_mkdir")]
    m = t.boot(disk=t.mkfs("small.img", *programs, f"{ROOT}/Makefile=README", size=400))
    t.runs(m, "mkdir d; echo x > d/y; cat d/y", "x")
    t.shut_down(m)


@test()
def every_build_boots(t):
    for folder in (build("gcc", "CI=true", "-j2"), build("debug", "CI=true", "DEBUG=1", "-j2"),
                   build("clang", "CI=true", "LLVM=1", "-j2"),
                   build("clangdebug", "CI=true", "LLVM=1", "DEBUG=1", "-j2")):
        m = t.boot(build=folder, cpus=3)
        t.runs(m, "echo hello | cat", "hello")
        t.shut_down(m)
