"""What a disk may hold after a power cut, built from a recorded trace (recorder.c).

A write is durable once the file was synchronised after it; a name once its folder was, or the file
itself (ext4, xfs and btrfs do so). What came later may have reached the disk or not:

  none    nothing of it
  subset  any of the writes, each alone
  torn    any of the 512-byte sectors of the writes, each alone
  prefix  the first few of them, in order

Changes of the folder reach the disk in their order, because file systems keep a journal of them:
some first few of those that were not synchronised are there.
"""

import os
import struct

OPEN, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, SYNC_FOLDER, SAID = range(1, 9)
HEAD = struct.Struct("<IIqI")
SECTOR = 512
MODES = ["none", "subset", "torn", "prefix"]


def read_trace(path):
    """The records (op, file, offset, data) of a trace; a half-written last one is left out."""
    with open(path, "rb") as file:
        bytes_ = file.read()
    records, place = [], 0
    while place + HEAD.size <= len(bytes_):
        op, file, offset, length = HEAD.unpack_from(bytes_, place)
        place += HEAD.size
        if place + length > len(bytes_):
            break
        records.append((op, file, offset, bytes_[place : place + length]))
        place += length
    return records


class Inode:
    """One file: what is durable, and what has been asked for since."""

    def __init__(self, durable=b""):
        self.durable = bytearray(durable)
        self.pending = []  # (offset, data) of a write, (size, None) of a truncation

    def synchronise(self):
        for change in self.pending:
            apply(self.durable, change)
        self.pending = []


def apply(content, change):
    offset, data = change
    if data is None:
        if offset <= len(content):
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class Disk:
    """The folder as the disk sees it while a trace is replayed record by record."""

    def __init__(self, folder=None):
        self.names = {}  # as the program sees them: name -> Inode
        self.durable_names = {}
        self.pending_names = []  # (name, Inode or None)
        self.open = {}
        self.acked = self.applied = 0
        for name in os.listdir(folder) if folder else []:
            if not name.endswith("-shm"):
                with open(os.path.join(folder, name), "rb") as file:
                    self.names[name] = Inode(file.read())
        self.durable_names = dict(self.names)

    def replay(self, record):
        op, file, offset, data = record
        if op == OPEN:
            name = data.decode()
            if name not in self.names:
                self._name(name, Inode())
            self.open[file] = self.names[name]
        elif op == WRITE:
            self.open[file].pending.append((offset, data))
        elif op == TRUNCATE:
            self.open[file].pending.append((offset, None))
        elif op == SYNC:
            self.open[file].synchronise()
            if any(inode is self.open[file] for _, inode in self.pending_names):
                self._synchronise_names()
        elif op == SYNC_FOLDER:
            self._synchronise_names()
        elif op == UNLINK:
            self._name(data.decode(), None)
        elif op == RENAME:
            old, new = data.split(b"\0")
            self._name(new.decode(), self.names.get(old.decode()))
            self._name(old.decode(), None)
        elif op == SAID:
            self._listen(data.decode(errors="replace"))

    def _name(self, name, inode):
        if inode is None:
            self.names.pop(name, None)
        else:
            self.names[name] = inode
        self.pending_names.append((name, inode))

    def _synchronise_names(self):
        self.durable_names = dict(self.names)
        self.pending_names = []

    def _listen(self, text):
        for line in text.splitlines():
            words = line.split()
            if words[:1] == ["acked"]:
                self.acked = max(self.acked, int(words[1]))
            elif words[:1] == ["applied"]:
                self.applied = max(self.applied, int(words[1]))

    def unsynchronised(self):
        return sum(len(inode.pending) for inode in self.names.values())

    def write_image(self, folder, mode, random):
        """Writes what the disk may hold if the power goes now."""
        os.makedirs(folder)
        names = dict(self.durable_names)
        kept = 0 if mode == "none" else random.randint(0, len(self.pending_names))
        for name, inode in self.pending_names[:kept]:
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode
        for name, inode in names.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(survivors(inode, mode, random))


def survivors(inode, mode, random):
    content = bytearray(inode.durable)
    pending = inode.pending
    if mode == "none" or not pending:
        return content
    if mode == "prefix":
        for change in pending[: random.randint(0, len(pending))]:
            apply(content, change)
        return content
    share = random.choice([0.1, 0.5, 0.9])
    for offset, data in pending:
        if mode == "subset" or data is None:
            if random.random() < share:
                apply(content, (offset, data))
            continue
        for start in range(0, len(data), SECTOR):
            if random.random() < share:
                apply(content, (offset + start, data[start : start + SECTOR]))
    return content
