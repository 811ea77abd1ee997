# SPDX-License-Identifier: MIT
"""fsck: every kind of damage gets its sentence, and no damage whatever makes it crash."""

import random
import struct

from image import BSIZE, Image, NDIRECT, T_DIR, T_FILE
from quire import BUILD, Failure, test

HOSTCC = ["-std=c11", "-g", "-I.", "-o"]


def fresh(t):
    """An image with files a (2 blocks), big (indirect blocks), and directory d with file d/e."""
    with open(t.path("a"), "wb") as f:
        f.write(b"a" * 5000)
    with open(t.path("big"), "wb") as f:
        f.write(b"b" * (NDIRECT + 1030) * BSIZE)
    image = Image(t.mkfs("fs.img", t.path("a"), t.path("big"), f"{t.path('a')}=d", f"{t.path('a')}=e"))
    d, e = image.lookup("d"), image.lookup("e")
    node = image.inode(d)
    image.mark(node.addrs[1], False)
    node.type, node.nlink, node.size, node.addrs[1] = T_DIR, 1, 32, 0
    node.save()
    image.data[node.addrs[0] * BSIZE:(node.addrs[0] + 1) * BSIZE] = bytes(BSIZE)
    struct.pack_into("<H14sH14s", image.data, node.addrs[0] * BSIZE, d, b".", 1, b"..")
    image.data[image.entry(1, "e"):][:16] = bytes(16)
    at = image.entry(1, "e")
    image.data[at:at + 16] = bytes(16)
    image.add_entry(d, b"e", e)
    root = image.inode(1)
    root.nlink += 1
    root.save()
    image.save()
    return image


DAMAGES = []


def damage(sentence):
    def declare(function):
        DAMAGES.append((sentence, function))
        return function
    return declare


@damage(r"superblock says 9999 blocks, but the image has only 2048")
def _(image):
    image.size = 9999


@damage(r"log cannot be 1 blocks")
def _(image):
    image.nlog = 1


@damage(r"inodes start at block 5, inside the log")
def _(image):
    image.inodestart = 5


@damage(r"There cannot be 4294967295 inodes")
def _(image):
    image.ninodes = 0xFFFFFFFF


@damage(r"bitmap starts at block 131, inside the inodes")
def _(image):
    image.bmapstart = 131


@damage(r"no room for data")
def _(image):
    image.bmapstart = 0xFFFFFFF0


@damage(r"superblock says 7 data blocks")
def _(image):
    image.nblocks = 7


@damage(r"log has no head")
def _(image):
    image.word(image.logstart, 0, 1)


@damage(r"head says 70000 blocks, more than the log has")
def _(image):
    image.word(image.logstart, 1, 70000)


@damage(r"log would write block 1, where nothing")
def _(image):
    image.log((1, bytes(BSIZE)))


@damage(r"Inode \d+ has the type 77")
def _(image):
    node = image.inode(image.lookup("a"))
    node.type = 77
    node.save()


@damage(r"has block 3 as data, which is no data block")
def _(image):
    node = image.inode(image.lookup("a"))
    node.addrs[0] = 3
    node.save()


@damage(r"has block 4294967295 as its double-indirect block, which is no")
def _(image):
    node = image.inode(image.lookup("big"))
    node.addrs[NDIRECT + 1] = 0xFFFFFFFF
    node.save()


@damage(r"belongs to inode \d+ and to inode \d+")
def _(image):
    node = image.inode(image.lookup("a"))
    node.addrs[0] = image.inode(image.lookup("big")).addrs[0]
    node.save()


@damage(r"has block \d+ twice")
def _(image):
    node = image.inode(image.lookup("a"))
    node.addrs[1] = node.addrs[0]
    node.save()


@damage(r"has 1 block beyond its size of 3 bytes")
def _(image):
    node = image.inode(image.lookup("a"))
    node.size = 3
    node.save()


@damage(r"more than a file can have")
def _(image):
    node = image.inode(image.lookup("a"))
    node.size = 0xFFFFFFFF
    node.save()


@damage(r"not a number of entries")
def _(image):
    node = image.inode(1)
    node.size -= 3
    node.save()


@damage(r"root, is not a directory")
def _(image):
    node = image.inode(1)
    node.type = T_FILE
    node.save()


@damage(r"'\.' in inode \d+ \(/d\) names inode 1 instead of")
def _(image):
    d = image.lookup("d")
    struct.pack_into("<H", image.data, image.entry(d, "."), 1)


@damage(r"'\.\.' in inode \d+ \(/d\) names inode 9 instead of 1")
def _(image):
    d = image.lookup("d")
    struct.pack_into("<H", image.data, image.entry(d, ".."), 9)


@damage(r"Directory inode \d+ \(/d\) has no '\.\.'")
def _(image):
    d = image.lookup("d")
    at = image.entry(d, "..")
    image.data[at:at + 16] = bytes(16)


@damage(r"'a' stands in inode 1 \(/\) more than once")
def _(image):
    image.add_entry(1, b"a", image.lookup("a"))


@damage(r"'a/b' with a slash")
def _(image):
    image.add_entry(1, b"a/b", image.lookup("a"))


@damage(r"entry without a name")
def _(image):
    image.add_entry(1, b"", image.lookup("a"))


@damage(r"'q' with something behind the end of its name")
def _(image):
    image.add_entry(1, b"q\0hidden", image.lookup("a"))


@damage(r"'\\x1b\[2J' in inode 1 \(/\) names inode 60000, but there are only")
def _(image):
    image.add_entry(1, b"\x1b[2J", 60000)


@damage(r"'x' in inode 1 \(/\) names inode 200, which is free")
def _(image):
    image.add_entry(1, b"x", 200)


@damage(r"'x' in inode 1 \(/\) is another name of directory inode \d+ \(/d\)")
def _(image):
    image.add_entry(1, b"x", image.lookup("d"))


@damage(r"'loop' in inode \d+ \(/d\) is another name of directory inode 1 \(/\)")
def _(image):
    image.add_entry(image.lookup("d"), b"loop", 1)


@damage(r"Directory inode 1 \(/\) has a hole")
def _(image):
    node = image.inode(1)
    node.addrs[0] = 0
    node.save()


@damage(r"more than the disk")
def _(image):
    node = image.inode(1)
    node.size = 0x7FFFFFF0
    node.save()


@damage(r"link count of inode \d+ \(/d/e\) is 5, but 1 entries")
def _(image):
    node = image.inode(image.lookup("e", image.lookup("d")))
    node.nlink = 5
    node.save()


@damage(r"link count of 1, but no directory names it")
def _(image):
    at = image.entry(1, "a")
    image.data[at:at + 16] = bytes(16)


@damage(r"is an orphan of 5000 bytes")
def _(image):
    node = image.inode(image.lookup("a"))
    node.nlink = 0
    node.save()
    at = image.entry(1, "a")
    image.data[at:at + 16] = bytes(16)


@damage(r"Block \d+ is in use by inode \d+ \(/a\), but free in the bitmap")
def _(image):
    image.mark(image.inode(image.lookup("a")).addrs[1], False)


@damage(r"Blocks 0 to 4 are not for files, but free in the bitmap")
def _(image):
    for b in range(5):
        image.mark(b, False)


@damage(r"Block 2000 is marked as used, but nothing has it")
def _(image):
    image.mark(2000, True)


@test(quick=True)
def every_damage_has_its_sentence(t):
    t.has(t.fsck(fresh(t).path), "3 files, 2 directories")
    wrong = []
    for sentence, hurt in DAMAGES:
        image = fresh(t)
        hurt(image)
        image.save()
        try:
            t.has(t.fsck(image.path, wanted=1), sentence)
        except Failure as e:
            wrong.append(str(e))
    t.true(not wrong, "\n".join(wrong))


@test(quick=True)
def what_is_no_image_is_told_apart(t):
    with open(t.path("text"), "w") as f:
        f.write("hello\n" * 9999)
    with open(t.path("tiny"), "w") as f:
        f.write("hello\n")
    t.has(t.fsck(t.path("text"), wanted=2), "no file system of Quire")
    t.has(t.fsck(t.path("tiny"), wanted=2), "too small")
    t.has(t.fsck(t.path("nothing"), wanted=2), "No such file")
    t.has(t.fsck(t.folder, wanted=2), "no image of Quire")
    t.has(t.fsck("/dev/null", wanted=2), "no image of Quire")


@test(quick=True)
def a_waiting_transaction_counts_as_done(t):
    image = fresh(t)
    good = bytes(image.data[image.inodestart * BSIZE:(image.inodestart + 1) * BSIZE])
    image.data[image.inodestart * BSIZE:(image.inodestart + 1) * BSIZE] = bytes(BSIZE)
    image.save()
    t.fsck(image.path, wanted=1)
    image.log((image.inodestart, good))
    image.save()
    before = bytes(image.data)
    t.has(t.fsck(image.path), "Note: a transaction of 1 blocks waits in the log")
    t.true(Image(image.path).data == before, "fsck changed the image")
    image.log((image.inodestart, good), damage=True)
    image.save()
    t.has(t.fsck(image.path, wanted=1), "that transaction is void")


@test(quick=True)
def an_orphan_can_be_allowed(t):
    image = fresh(t)
    at = image.entry(1, "a")
    node = image.inode(image.lookup("a"))
    image.data[at:at + 16] = bytes(16)
    node.nlink = 0
    node.save()
    image.save()
    t.fsck(image.path, wanted=1)
    t.has(t.fsck(image.path, orphans=True), "next boot frees it")


def flip(image, random):
    """Changes a few bytes where they matter: not in the data of files."""
    useful = [(BSIZE, 32), (image.logstart * BSIZE, 64), (image.inodestart * BSIZE, 8 * 64),
              (image.bmapstart * BSIZE, 256), (image.datastart * BSIZE, 4 * BSIZE),
              (image.inode(image.lookup("big")).addrs[NDIRECT] * BSIZE, BSIZE),
              (image.inode(image.lookup("big")).addrs[NDIRECT + 1] * BSIZE, BSIZE)]
    undo = []
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        start, length = random.choice(useful)
        at = start + random.randrange(length)
        undo.append((at, image.data[at]))
        image.data[at] = random.choice((0, 1, 0xFF, 0x7F, random.randrange(256), image.data[at] ^ 1))
    return undo


def fuzz(t, rounds):
    checker = t.path("fsck")
    status, _ = t.command(["cc", *HOSTCC, checker, "-fsanitize=address,undefined",
                           "-fno-sanitize-recover=all", "mkfs/fsck.c"])
    if status != 0:
        checker = f"{BUILD}/fsck"  # this computer's compiler has no sanitizers
    image, seed = fresh(t), 1
    for seed in range(rounds):
        undo = flip(image, random.Random(seed))
        with open(image.path, "r+b") as f:
            for at, _ in undo:
                f.seek(at)
                f.write(image.data[at:at + 1])
        status, said = t.command([checker, image.path], seconds=20)
        t.true(status in (0, 1, 2), f"seed {seed}: fsck ended with {status}: {said[-2000:]}")
        t.true(said.strip(), f"seed {seed}: fsck said nothing")
        with open(image.path, "r+b") as f:
            for at, old in reversed(undo):
                image.data[at] = old
                f.seek(at)
                f.write(bytes([old]))
    t.fsck(image.path)


@test(quick=True)
def random_bytes_never_crash_it(t):
    fuzz(t, 60)


@test()
def many_random_bytes_never_crash_it(t):
    fuzz(t, 1500)
