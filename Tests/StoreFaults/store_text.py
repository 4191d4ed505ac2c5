#!/usr/bin/env python3
"""Tells what a store of issue 2 (migrations 0001 to 0005) holds, one line for each thing.

    store_text.py plumbline.sqlite > expected.txt

Written from docs/formats/store.md alone; nothing here comes from Sources/. Standard library only.
"""

import json
import sqlite3
import struct
import sys
import zlib

RESOLUTIONS = {15: "15min", 60: "1h", 1440: "1d", 43200: "1month"}
SHOWN = "('active_unacknowledged', 'active_acknowledged', 'returned_unacknowledged')"


class Bytes:
    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, count):
        self.place += count
        return self.data[self.place - count : self.place]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)


def readings(data, count):
    found = []
    while len(found) < count:
        kind = data.byte()
        if kind < 10:
            found.append(repr(data.zigzag() / 10**kind))
        elif kind == 0x10:
            found.append(repr(struct.unpack("<d", data.take(8))[0]))
        elif kind == 0x11:
            found.append("'" + data.take(data.varint()).decode() + "'")
        else:
            reason = data.byte()
            found += [f"!{reason}"] * data.varint()
    return found


def scans(blob):
    assert blob[0] == 1 and zlib.crc32(blob[5:]) == struct.unpack("<I", blob[1:5])[0]
    data = Bytes(blob[5:])
    base = data.zigzag()
    for _ in range(data.varint()):
        data.varint()
        group, time = data.varint(), base + data.zigzag()
        flags, sequence = data.byte(), data.varint()
        yield group, time, sequence, flags, readings(data, data.varint())


def text(value):
    return "-" if value is None else str(value)


def lines(file):
    db = sqlite3.connect(file)
    stored = {}
    for (blob,) in db.execute("SELECT scans FROM journal ORDER BY seq"):
        for scan in scans(blob):
            stored.setdefault(scan[0], []).append(scan)
    points = dict(db.execute("SELECT number, point FROM series"))
    for number, device, interface, name, columns in db.execute(
            "SELECT g.number, d.name, g.interface, g.name, g.columns"
            " FROM scan_group g JOIN device d ON d.number = g.device ORDER BY g.number"):
        listed = ",".join(f"{points[column]}#{column}" for column in json.loads(columns))
        yield f"group {number} {device}/{interface}/{name} {listed}"
        for group, time, sequence, flags, values in sorted(stored.get(number, [])):
            yield f"scan {group} {time} {sequence} {flags} {'|'.join(values)}"
    for code, name in RESOLUTIONS.items():
        for row in db.execute(
                "SELECT series, start, count, bad, expected, sum, min, max, first, last, increase,"
                " estimated, revision FROM rollup WHERE resolution = ? ORDER BY series, start",
                [code]):
            yield f"rollup {name} " + " ".join(map(text, row))
    for alarm, key, state, raised in db.execute(
            "SELECT id, key, state, raised FROM alarm WHERE raised IS NOT NULL"
            " ORDER BY onset DESC, id DESC").fetchall():
        yield f"alarm {key} {state} {raised}"
        for row in db.execute(
                "SELECT at, from_state, to_state, rule_version, severity, value, unit, limit_value,"
                " window_start, window_end, samples, coverage, backfill FROM alarm_transition"
                " WHERE alarm = ? ORDER BY at, id", [alarm]):
            yield "change " + " ".join(map(text, row))
    for uplink in ["city", "district"]:
        owed = db.execute(
            "SELECT uplink, kind, scope, start, revision_owed, due FROM outbox"
            " WHERE uplink = ? AND revision_owed > revision_settled ORDER BY start, kind, scope",
            [uplink]).fetchall()
        total = db.execute(
            "SELECT accepted, retry, rejected, expired, last_outcome, last_at, last_accepted_at,"
            " last_reason FROM uplink_total WHERE uplink = ?", [uplink]).fetchone()
        total = total or (0, 0, 0, 0, None, None, None, None)
        yield f"uplink {uplink} {len(owed)} " + " ".join(map(text, total))
        for row in owed:
            yield "owed " + " ".join(map(text, row))
    count = 0
    for row in db.execute("SELECT seq, at, actor, action, detail, hex(hash) FROM audit"):
        count += 1
        yield "audit " + " ".join(map(text, row[:-1])) + " " + row[-1].lower()
    yield f"audit intact(entries: {count})"
    for version, cursor, state in db.execute(
            "SELECT e.version, c.seq, hex(e.state) FROM evaluation_state e"
            " JOIN cursor c ON c.reader = e.reader"):
        yield f"checkpoint {version} {cursor} {state.lower()}"


if __name__ == "__main__":
    for line in lines(sys.argv[1]):
        print(line)
