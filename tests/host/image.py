# SPDX-License-Identifier: MIT
"""A disk image as Python sees it, to build, to inspect, and to damage. The layout is kernel/fs.h's."""

import struct

BSIZE = 4096
SUPER = ("magic", "size", "nblocks", "ninodes", "nlog", "logstart", "inodestart", "bmapstart")
NDIRECT = 11
T_DIR, T_FILE, T_DEVICE = 1, 2, 3
LOGMAGIC = 0x4C6F6721


class Inode:
    """64 bytes on the disk; `save()` writes changes back."""

    def __init__(self, image, inum):
        self.image, self.inum = image, inum
        self.at = image.inodestart * BSIZE + inum * 64
        (self.type, self.major, self.minor, self.nlink, self.size,
         *self.addrs) = struct.unpack_from("<hhhhI13I", image.data, self.at)

    def save(self):
        struct.pack_into("<hhhhI13I", self.image.data, self.at, self.type, self.major, self.minor,
                         self.nlink, self.size, *self.addrs)


class Image:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        for name, value in zip(SUPER, struct.unpack_from("<8I", self.data, BSIZE)):
            setattr(self, name, value)

    def save(self):
        struct.pack_into("<8I", self.data, BSIZE, *(getattr(self, name) & 0xFFFFFFFF for name in SUPER))
        with open(self.path, "wb") as f:
            f.write(self.data)

    @property
    def datastart(self):
        return self.bmapstart + (self.size + BSIZE * 8 - 1) // (BSIZE * 8)

    def inode(self, inum):
        return Inode(self, inum)

    def word(self, block, i, value=None):
        """Word i of a block; given a value, sets it."""
        at = block * BSIZE + 4 * i
        if value is not None:
            struct.pack_into("<I", self.data, at, value)
        return struct.unpack_from("<I", self.data, at)[0]

    def mark(self, block, used):
        at, bit = self.bmapstart * BSIZE + block // 8, 1 << block % 8
        self.data[at] = self.data[at] | bit if used else self.data[at] & ~bit

    def blocks(self, inum):
        """The data blocks of a file, in order."""
        d = self.inode(inum)
        count = (d.size + BSIZE - 1) // BSIZE
        found = list(d.addrs[:NDIRECT])
        tables = [d.addrs[NDIRECT]] if count > NDIRECT else []
        if count > NDIRECT + 1024:
            tables += [self.word(d.addrs[NDIRECT + 1], i) for i in range(1024)]
        for table in tables:
            if table:
                found += [self.word(table, i) for i in range(1024)]
        return found[:count]

    def read(self, inum):
        data = b"".join(bytes(self.data[b * BSIZE:(b + 1) * BSIZE]) if b else bytes(BSIZE)
                        for b in self.blocks(inum))
        return data[:self.inode(inum).size]

    def entry(self, directory, name):
        """Where in the image the entry of that name is: 2 bytes of inode number, 14 of name."""
        wanted = name.encode() + bytes(14 - len(name))
        for i in range(self.inode(directory).size // 16):
            at = self.blocks(directory)[i // 256] * BSIZE + i % 256 * 16
            if self.data[at + 2:at + 16] == wanted and self.data[at:at + 2] != b"\0\0":
                return at
        raise KeyError(name)

    def lookup(self, name, directory=1):
        return struct.unpack_from("<H", self.data, self.entry(directory, name))[0]

    def names(self, directory=1):
        data = self.read(directory)
        return {data[i + 2:i + 16].rstrip(b"\0").decode("latin-1"): data[i] | data[i + 1] << 8
                for i in range(0, len(data), 16) if data[i] | data[i + 1]}

    def add_entry(self, directory, name, inum):
        """Appends an entry; the directory must have room in its last block."""
        d = self.inode(directory)
        at = self.blocks(directory)[-1] * BSIZE + d.size % BSIZE
        struct.pack_into("<H14s", self.data, at, inum, name)
        d.size += 16
        d.save()

    def log(self, *writes, damage=False):
        """Leaves a transaction in the log: (block, bytes) pairs."""
        head = self.logstart
        homes = [block for block, _ in writes]
        total = (LOGMAGIC ^ len(homes)) * 0x01000193 & 0xFFFFFFFF ^ 7
        for home in homes:
            total = total * 0x01000193 & 0xFFFFFFFF ^ home
        for i, word in enumerate((LOGMAGIC, len(homes), 7, total ^ damage, *homes)):
            self.word(head, i, word)
        for i, (_, data) in enumerate(writes):
            at = (head + 1 + i) * BSIZE
            self.data[at:at + BSIZE] = data
