#!/usr/bin/env python3
"""Prints the rows of sealed buckets as CSV; written from docs/formats/bucket.md alone.

Python 3.9 or newer, standard library only. Opens the database read-only.
"""

import argparse
import csv
import datetime
import json
import os
import pathlib
import sqlite3
import struct
import sys
import zlib

MASK = (1 << 64) - 1
MAX_ROWS = 65536
MAX_READINGS = 1 << 23
BLOCK = 128
ESCAPE = 24
NONE, INTEGERS, DOUBLES, WORDS, MIXED = range(5)
REASONS = {
    1: "absent", 2: "invalid", 3: "out_of_range", 4: "unknown_code", 5: "stale", 6: "timeout",
    7: "exception", 8: "foreign_answer", 9: "disconnected", 10: "missed", 11: "malformed",
    12: "not_identified",
}


class Damage(Exception):
    """Bytes that are no bucket of a version known here."""


def signed(n):
    n &= MASK
    return n - (1 << 64) if n >> 63 else n


def unzigzag(n):
    return (n >> 1) ^ -(n & 1)


class Bytes:
    """Takes numbers off the front of bytes."""

    def __init__(self, data, position=0):
        self.data = data
        self.position = position

    @property
    def remaining(self):
        return len(self.data) - self.position

    def take(self, count):
        if count > self.remaining:
            raise Damage(f"the blob ends too early at byte {self.position}")
        self.position += count
        return self.data[self.position - count : self.position]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = 0
        for place in range(10):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if value > MASK:
                    break
                return value
        raise Damage(f"a number of more than 64 bits at byte {self.position}")

    def zigzag(self):
        return unzigzag(self.varint())

    def text(self):
        try:
            return self.take(self.varint()).decode("utf-8")
        except UnicodeDecodeError:
            raise Damage(f"text that is not UTF-8 at byte {self.position}") from None


class Bits:
    """Takes bits, the highest of each byte first."""

    def __init__(self, data, position):
        self.data = data
        self.at = position * 8

    def take(self, width):
        if width == 0:
            return 0
        end = self.at + width
        if end > len(self.data) * 8:
            raise Damage("a stream ends too early")
        first, last = self.at >> 3, (end + 7) >> 3
        value = int.from_bytes(self.data[first:last], "big") >> (last * 8 - end)
        self.at = end
        return value & ((1 << width) - 1)

    def rice(self, k):
        ones = 0
        while ones < ESCAPE and self.take(1):
            ones += 1
        if ones < ESCAPE:
            return (ones << k | self.take(k)) & MASK
        return self.take(self.take(6) + 1)


def differences(bytes_, count):
    bits = Bits(bytes_.data, bytes_.position)
    out = []
    code = ("zeros",)
    while len(out) < count:
        size = min(BLOCK, count - len(out))
        if bits.take(1):
            if not bits.take(1):
                code = ("rice", bits.take(6))
            elif not bits.take(1):
                code = ("zeros",)
            else:
                code = ("sparse", bits.take(3), bits.take(6))
        if code[0] == "zeros":
            out += [0] * size
        elif code[0] == "rice":
            out += [bits.rice(code[1]) for _ in range(size)]
        else:
            end = len(out) + size
            while len(out) < end:
                zeros = bits.rice(code[1])
                if zeros > end - len(out):
                    raise Damage("a run of zeros leaves its block")
                out += [0] * zeros
                if len(out) < end:
                    out.append((bits.rice(code[2]) + 1) & MASK)
    bytes_.position = (bits.at + 7) >> 3
    return out


def stream(bytes_, count):
    form = bytes_.byte()
    if form == 0:
        return [0] * count
    if form > 15 or 6 <= form <= 7:
        raise Damage(f"a stream of form {form}")
    start = 0 if form == 2 else bytes_.zigzag()
    if form == 1 or count == 0:
        return [start] * count
    values = []
    before, step = start, 0
    for u in differences(bytes_, count):
        if form == 2:
            before = signed(u)
        elif form == 3:
            before = signed(before + unzigzag(u))
        elif form == 4:
            step = signed(step + unzigzag(u))
            before = signed(before + step)
        elif form == 5:
            before = signed(before ^ u)
        else:
            pull = signed(signed(before - start) * (form & 7)) >> 3
            before = signed(start + pull + unzigzag(u))
        values.append(before)
    return values


class Number:
    """A number as it was stored: a decimal, or the bits of a double."""

    def __init__(self, mantissa=None, places=0, bits=None):
        self.mantissa, self.places, self.bits = mantissa, places, bits

    @property
    def value(self):
        if self.bits is not None:
            return struct.unpack("<d", struct.pack("<Q", self.bits))[0]
        return float(self.mantissa) / float(10**self.places)

    def __str__(self):
        if self.bits is not None:
            return repr(self.value)
        if not self.places:
            return str(self.mantissa)
        digits = str(abs(self.mantissa)).rjust(self.places + 1, "0")
        sign = "-" if self.mantissa < 0 else ""
        return f"{sign}{digits[:-self.places]}.{digits[-self.places:]}"

    @property
    def exact(self):
        bits = struct.unpack("<Q", struct.pack("<d", self.value))[0]
        if self.bits is not None:
            return f"double {self.bits:016x}"
        return f"decimal {self.mantissa}e-{self.places} {bits:016x}"


class Reason(str):
    """Why a reading is bad."""


def doubles(bytes_, count):
    shift = bytes_.byte()
    if shift > 63:
        raise Damage(f"a shift by {shift} bits")
    return [Number(bits=(n << shift) & MASK) for n in stream(bytes_, count)]


def integers(bytes_, count, least, places):
    return [Number(signed(n + least), places) for n in stream(bytes_, count)]


def words(bytes_, count):
    size = bytes_.varint()
    if size > count:
        raise Damage(f"{size} words for {count} readings")
    known = [bytes_.text() for _ in range(size)]
    places = stream(bytes_, count)
    if any(not 0 <= place < size for place in places):
        raise Damage(f"a word that is not in the list of {size}")
    return [known[place] for place in places]


def mixed(bytes_, count):
    is_number = stream(bytes_, count)
    if any(flag not in (0, 1) for flag in is_number):
        raise Damage("a reading that is neither number nor text")
    form = bytes_.byte()
    if form & 15 == INTEGERS and form >> 4 <= 9:
        numbers = integers(bytes_, sum(is_number), 0, form >> 4)
    elif form == DOUBLES:
        numbers = doubles(bytes_, sum(is_number))
    else:
        raise Damage(f"numbers of form {form}")
    numbers, texts = iter(numbers), iter(words(bytes_, count - sum(is_number)))
    return [next(numbers) if flag else next(texts) for flag in is_number]


class Entry:
    """What the directory says of one column."""

    def __init__(self, bytes_, rows):
        form = bytes_.byte()
        self.kind, self.places = form & 7, form >> 4
        if self.kind > MIXED or self.places > (9 if self.kind == INTEGERS else 0):
            raise Damage(f"a column of form {form}")
        self.bad = bytes_.varint() if form & 8 else 0
        if self.bad > rows or (self.bad == rows) != (self.kind == NONE):
            raise Damage(f"{self.bad} bad of {rows} readings in a column of form {form}")
        self.least = self.greatest = None
        if self.kind == INTEGERS:
            self.least = bytes_.zigzag()
            self.greatest = signed(self.least + bytes_.varint())
        elif self.kind in (DOUBLES, MIXED):
            self.least, self.greatest = struct.unpack("<dd", bytes_.take(16))
        self.length = bytes_.varint()

    def readings(self, bytes_, rows):
        reasons = stream(bytes_, rows) if self.bad else [0] * rows
        if sum(code != 0 for code in reasons) != self.bad:
            raise Damage("another number of bad readings than announced")
        count = rows - self.bad
        if self.kind == INTEGERS:
            good = integers(bytes_, count, self.least, self.places)
        elif self.kind == DOUBLES:
            good = doubles(bytes_, count)
        elif self.kind == WORDS:
            good = words(bytes_, count)
        elif self.kind == MIXED:
            good = mixed(bytes_, count)
        else:
            good = []
        if any(code not in REASONS for code in reasons if code):
            raise Damage("an unknown reason")
        values = iter(good)
        return [Reason(REASONS[code]) if code else next(values) for code in reasons]


class Bucket:
    """A decoded bucket: rows of (time in ms, sequence, flags) and columns of readings."""

    def __init__(self, data):
        bytes_ = Bytes(data)
        version = bytes_.byte()
        if version != 1:
            raise Damage(f"a bucket of version {version}; this program knows version 1")
        if struct.unpack("<I", bytes_.take(4))[0] != zlib.crc32(data[5:]):
            raise Damage("the checksum does not fit")
        rows, width = bytes_.varint(), bytes_.varint()
        if rows > MAX_ROWS or width > bytes_.remaining or rows * width > MAX_READINGS:
            raise Damage(f"{rows} rows of {width} readings")
        first = last = 0
        if rows:
            first = bytes_.zigzag()
            last = signed(first + bytes_.zigzag())
        self.period = bytes_.varint()
        entries = [Entry(bytes_, rows) for _ in range(width)]
        if self.period:
            slots, offsets = stream(bytes_, rows), stream(bytes_, rows)
            times = [
                signed(first + (slot + row) * self.period + offset)
                for row, (slot, offset) in enumerate(zip(slots, offsets))
            ]
        else:
            times = [signed(first + offset) for offset in stream(bytes_, rows)]
        if times and times[-1] != last:
            raise Damage("the last time is not that of the head")
        self.rows = list(zip(times, stream(bytes_, rows), stream(bytes_, rows)))
        if bytes_.remaining != sum(entry.length for entry in entries):
            raise Damage("the rows do not end where the columns begin")
        self.columns = []
        for number, entry in enumerate(entries):
            end = bytes_.position + entry.length
            self.columns.append(entry.readings(bytes_, rows))
            if bytes_.position != end:
                raise Damage(f"column {number} does not end where the next begins")


def instant(milliseconds):
    try:
        time = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
        return time.isoformat(timespec="milliseconds") + "Z"
    except OverflowError:
        return str(milliseconds)


def cell(reading, is_exact):
    if isinstance(reading, Reason):
        return f"!{reading}"
    if is_exact:
        return reading.exact if isinstance(reading, Number) else f"text {reading}"
    return str(reading)


def print_bucket(bucket, names, writer, is_headed, is_exact):
    if not is_headed:
        writer.writerow(["time", "sequence", "flags"] + names)
    for row, (time, sequence, flags) in enumerate(bucket.rows):
        readings = [cell(column[row], is_exact) for column in bucket.columns]
        writer.writerow([time if is_exact else instant(time), sequence, flags] + readings)


def stored(path, arguments):
    """Yields (what it is, names of the columns, blob) for the buckets asked for."""
    uri = pathlib.Path(path).resolve().as_uri() + "?mode=ro"
    database = sqlite3.connect(uri, uri=True)
    if arguments.bucket is not None:
        condition, values = "bucket.id = ?", [arguments.bucket]
    else:
        condition, values = "scan_group = ?", [arguments.group]
    query = (
        "SELECT bucket.id, scan_group.columns, data FROM bucket JOIN scan_group"
        f" ON scan_group.number = scan_group WHERE {condition} ORDER BY start"
    )
    series = dict(
        (number, f"{device}.{point}")
        for number, device, point in database.execute(
            "SELECT series.number, device.name, point FROM series JOIN device"
            " ON device.number = series.device"
        )
    )
    for identifier, columns, data in database.execute(query, values):
        names = [series.get(number, str(number)) for number in json.loads(columns)]
        yield f"bucket {identifier}", names, bytes(data)


def blobs(path, arguments, parser):
    """Yields (what it is, names of the columns or None, blob) of a file."""
    with open(path, "rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            file.seek(0)
            yield path, None, file.read()
            return
    if (arguments.bucket is None) == (arguments.group is None):
        parser.error("a database needs --bucket ID or --group N")
    yield from stored(path, arguments)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")


def main():
    parser = Parser(
        description="Prints the rows of sealed buckets as CSV. Times are UTC; a bad reading is"
        " its reason behind an exclamation mark.",
        epilog="""examples:
  decode_bucket.py plumbline.sqlite --group 3            every bucket of scan group 3
  decode_bucket.py plumbline.sqlite --bucket 17          one bucket, by bucket.id
  decode_bucket.py bucket.blob                           the data of one bucket in a file;
                                                         several files are several tables

exit status: 0 all decoded, 64 usage, 65 damaged or unknown bytes, 74 the file cannot be read""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", nargs="+", help="plumbline.sqlite, or files with the data of one bucket each"
    )
    parser.add_argument("--bucket", type=int, metavar="ID", help="bucket.id in the database")
    parser.add_argument("--group", type=int, metavar="N", help="scan_group.number in the database")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="milliseconds; numbers as mantissa, decimal places and bits of the double",
    )
    arguments = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    status = 0
    path = arguments.file[0]
    try:
        for path in arguments.file:
            head = None
            for what, names, data in blobs(path, arguments, parser):
                try:
                    bucket = Bucket(data)
                except Damage as damage:
                    print(f"{what}: {damage}", file=sys.stderr)
                    status = 65
                    continue
                names = names or [f"column_{n}" for n in range(len(bucket.columns))]
                print_bucket(bucket, names, writer, names == head, arguments.exact)
                head = names
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, sqlite3.Error) as error:
        print(f"{path}: {error}", file=sys.stderr)
        status = 74
    return status


if __name__ == "__main__":
    sys.exit(main())
