# SPDX-License-Identifier: MIT
"""mkfs: what it builds, and what it says when it cannot."""

import os

from image import BSIZE, Image, NDIRECT, T_DIR, T_FILE
from quire import BUILD, test


def write(t, name, data):
    with open(t.path(name), "wb") as f:
        f.write(data)
    return t.path(name)


@test(quick=True)
def files_come_out_as_they_went_in(t):
    """Files that need direct, indirect and double-indirect blocks, and one that is empty."""
    sizes = {"none": 0, "small": 5, "direct": NDIRECT * BSIZE, "single": (NDIRECT + 3) * BSIZE + 1,
             "double": (NDIRECT + 1024 + 1030) * BSIZE + 77}
    paths = [write(t, name, bytes((i * 7 + i // BSIZE) % 251 for i in range(n))) for name, n in sizes.items()]
    image = Image(t.mkfs("a.img", *paths, size=8192))
    for path, (name, size) in zip(paths, sizes.items()):
        inum = image.lookup(name)
        t.equal((image.inode(inum).type, image.inode(inum).nlink, image.inode(inum).size), (T_FILE, 1, size))
        with open(path, "rb") as f:
            t.true(image.read(inum) == f.read(), f"{name} came out differently")
    t.has(t.fsck(image.path), r"is clean: 5 files, 1 directories, 0 devices")


@test(quick=True)
def the_layout_is_the_one_in_fs_h(t):
    for size, log in ((16384, 1001), (4096, 257), (1000, 97)):
        image = Image(t.mkfs("b.img", size=size))
        t.equal(os.path.getsize(image.path), size * BSIZE, "the image's length")
        t.equal((image.magic, image.size, image.logstart, image.nlog), (0x51756972, size, 2, log))
        t.equal(image.inodestart, 2 + log)
        t.equal(image.nblocks, size - image.datastart)
        t.true(image.ninodes >= 200, f"only {image.ninodes} inodes")
        t.equal(image.inode(1).type, T_DIR)
        t.equal(image.names(), {".": 1, "..": 1})
        t.fsck(image.path)
    t.equal(Image(t.mkfs("c.img", size=16384)).ninodes, 2048)
    t.equal(Image(t.mkfs("c.img", size=16384, inodes=500)).ninodes, 512)


@test(quick=True)
def names_lose_the_underscore_of_the_build(t):
    one, two = write(t, "_cat", b"x"), write(t, "notes", b"y")
    image = Image(t.mkfs("d.img", one, two, f"{two}=_kept"))
    t.equal(sorted(image.names()), [".", "..", "_kept", "cat", "notes"])


@test(quick=True)
def the_same_files_make_the_same_bytes(t):
    paths = [write(t, n, n.encode() * 9999) for n in ("a", "b", "c")]
    first, second = Image(t.mkfs("1.img", *paths)), Image(t.mkfs("2.img", *paths))
    t.true(first.data == second.data, "two runs made different images")
    used = os.stat(first.path).st_blocks * 512
    t.true(used < first.size * BSIZE / 4, f"the image takes {used} bytes of the host's disk: no holes")


@test(quick=True)
def an_image_in_use_is_left_alone(t):
    """Who has the old one open keeps it, and a failure leaves it as it was."""
    one, two = write(t, "one", b"1" * 9999), write(t, "two", b"2" * 9999)
    path = t.mkfs("f.img", one)
    with open(path, "rb") as old:
        before = old.read()
        t.mkfs("f.img", two)
        old.seek(0)
        t.true(old.read() == before, "the image was written in place")
    t.equal(sorted(Image(path).names()), [".", "..", "two"])
    refused(t, "cannot open", path, t.path("nothing"))
    t.equal(sorted(Image(path).names()), [".", "..", "two"])
    t.true(not [n for n in os.listdir(t.folder) if ".new" in n], "a draft was left behind")


def refused(t, why, *args):
    status, said = t.command([f"{BUILD}/mkfs", *args])
    t.equal(status, 1, "mkfs's exit status")
    t.has(said, why)
    t.equal(said.count("\n"), 1, "the number of lines")


@test(quick=True)
def what_cannot_be_built_is_said_in_a_sentence(t):
    img, small = t.path("e.img"), write(t, "small", b"x")
    big = write(t, "big", bytes(2000 * BSIZE))
    refused(t, "has more than 14 bytes", img, f"{small}=fifteen-letters")
    t.true(not os.path.exists(img), "half an image was left behind")
    refused(t, "cannot open .*nothing: No such file", img, t.path("nothing"))
    refused(t, "two files called small", img, small, small)
    refused(t, "cannot be a file's name", img, f"{small}=a/b")
    refused(t, "cannot be a file's name", img, f"{small}=")
    refused(t, "is full at 1500 blocks", img, "-s", "1500", big)
    refused(t, "too few", img, "-s", "50")
    refused(t, "needs a number", img, "-s", "many")
    refused(t, "needs a number", img, "-s", "0")
    refused(t, "needs a number", img, "-s")
    refused(t, "no option -x", img, "-x", "1")
    refused(t, "cannot make", t.path("no/such/folder.img"), small)
    files = [f"{small}=f{i}" for i in range(300)]
    refused(t, "more files than", img, "-i", "200", *files)
