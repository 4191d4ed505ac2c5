"""What a Sparkplug 3.0 host sees of its edge nodes, and what it finds wrong with them.

Payload    timestamp 1, metrics 2, seq 3, uuid 4, body 5
Metric     name 1, alias 2, timestamp 3, datatype 4, is_historical 5, is_transient 6, is_null 7,
           metadata 8, properties 9, int 10, long 11, float 12, double 13, bool 14, string 15, bytes 16

Decoded by hand from these numbers. The judge has no socket: `Nodes.take` is told a message and calls
`record` and `rebirth`; it raises Violation in words.
"""

import dataclasses
import math
import struct

INTEGERS = {1: 8, 2: 16, 3: 32, 4: 64}
UNSIGNED = {5: 8, 6: 16, 7: 32, 8: 64, 13: 64}
# The field that holds a value of each datatype.
HOLDERS = {**{kind: "int" for kind in (1, 2, 3, 5, 6, 7)}, 4: "long", 8: "long", 13: "long",
           9: "float", 10: "double", 11: "bool", 12: "string", 14: "string"}
FIELDS = {10: "int", 11: "long", 12: "float", 13: "double", 14: "bool", 15: "string", 16: "bytes"}
WIRES = {1: 2, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 2, 9: 2, 10: 0, 11: 0, 12: 5, 13: 1, 14: 0,
         15: 2, 16: 2}
INT64, BOOLEAN = 4, 11
REBIRTH = "Node Control/Rebirth"


class Violation(Exception):
    """What a node does against the specification; `asks` when a host would ask for a rebirth."""

    def __init__(self, why: str, asks: bool = False):
        super().__init__(why)
        self.asks = asks


def need(condition, why: str, asks: bool = False):
    if not condition:
        raise Violation(why, asks)


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        need(at < len(data), "the protobuf ends within a number")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value & (1 << 64) - 1, at
    raise Violation("a number of more than ten bytes")


def fields(data: bytes):
    """Yields (number, wire type, value) of a protobuf message."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        need(number, "a protobuf field of number 0")
        if wire == 0:
            value, at = varint(data, at)
        else:
            need(wire in (1, 2, 5), f"the wire type {wire}")
            size, at = varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            need(at + size <= len(data), "the protobuf ends within a field")
            value, at = data[at:at + size], at + size
        yield number, wire, value


@dataclasses.dataclass
class Metric:
    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None
    datatype: int | None = None
    is_historical: bool = False
    is_null: bool = False
    holder: str | None = None
    raw: object = None

    def value(self, datatype: int):
        """The value by its datatype; None when it is null."""
        if self.is_null:
            need(self.holder is None, f"{self.name} is null and has a value")
            return None
        need(self.holder == HOLDERS.get(datatype),
             f"{self.name} of datatype {datatype} has its value in {self.holder}")
        if self.holder in ("float", "double"):
            value = struct.unpack("<f" if self.holder == "float" else "<d", self.raw)[0]
            need(math.isfinite(value), f"{self.name} is {value}")
            return value
        if self.holder == "string":
            return text(self.raw)
        if self.holder == "bool":
            return bool(self.raw)
        bits = {**INTEGERS, **UNSIGNED}[datatype]
        value = self.raw
        if datatype in INTEGERS:
            # Negative numbers come as two's complement of the field, of 32 or of 64 bits.
            field = 64 if self.holder == "long" else 32
            value = value & (1 << field) - 1
            value -= 1 << field if value >> (field - 1) else 0
            need(-(1 << bits - 1) <= value < 1 << bits - 1, f"{self.name} {value} in {bits} bits")
        else:
            need(value < 1 << bits, f"{self.name} {value} in {bits} bits")
        return value


def text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Violation("a string that is not UTF-8") from None


def metric(data: bytes) -> Metric:
    result = Metric()
    for number, wire, value in fields(data):
        need(WIRES.get(number, wire) == wire, f"field {number} of a metric has wire type {wire}")
        if number in FIELDS:
            need(result.holder is None, f"{result.name} has two values")
            result.holder, result.raw = FIELDS[number], value
        elif number == 1:
            result.name = text(value)
        elif number in (2, 3, 4):
            setattr(result, {2: "alias", 3: "timestamp", 4: "datatype"}[number], value)
        elif number in (5, 7):
            setattr(result, {5: "is_historical", 7: "is_null"}[number], bool(value))
    return result


@dataclasses.dataclass
class Payload:
    timestamp: int | None = None
    seq: int | None = None
    metrics: list = dataclasses.field(default_factory=list)


def payload(data: bytes) -> Payload:
    result = Payload()
    for number, wire, value in fields(data):
        need({1: 0, 2: 2, 3: 0, 4: 2, 5: 2}.get(number, wire) == wire,
             f"field {number} of the payload has wire type {wire}")
        if number == 1:
            result.timestamp = value
        elif number == 2:
            result.metrics.append(metric(value))
        elif number == 3:
            result.seq = value
    return result


def encode_varint(value: int) -> bytes:
    data = b""
    while value > 0x7F:
        data, value = data + bytes([value & 0x7F | 0x80]), value >> 7
    return data + bytes([value])


def rebirth_command(now: int) -> bytes:
    """The NCMD that asks a node for its births: no seq, one Boolean."""
    name = REBIRTH.encode()
    told = (b"\x0a" + bytes([len(name)]) + name + b"\x18" + encode_varint(now)
            + b"\x20" + bytes([BOOLEAN]) + b"\x70\x01")
    return b"\x08" + encode_varint(now) + b"\x12" + encode_varint(len(told)) + told


def milliseconds(stamp, what: str) -> int:
    need(stamp is not None, f"{what} has no timestamp")
    need(10 ** 12 <= stamp < 10 ** 13, f"the timestamp {stamp} of {what} is not in milliseconds")
    return stamp


class Metrics:
    """What one birth certificate declared."""

    def __init__(self, told: list[Metric], taken: dict):
        self.types, self.aliases = {}, taken
        for one in told:
            need(one.name, "a metric of a birth has no name")
            need(one.name not in self.types, f"{one.name} stands twice in a birth")
            need(one.datatype in HOLDERS, f"{one.name} has the datatype {one.datatype}")
            milliseconds(one.timestamp, one.name)
            self.types[one.name] = one.datatype
            if one.alias is not None:
                need(one.alias not in taken, f"the alias {one.alias} of {one.name} is not unique")
                taken[one.alias] = (self, one.name)

    def name_of(self, one: Metric) -> str:
        name = one.name
        if one.alias is not None:
            owner, known = self.aliases.get(one.alias, (None, None))
            need(owner is self and name in (None, known), f"the alias {one.alias} was never born",
                 asks=True)
            name = known
        need(name in self.types, f"the metric {name!r} was never born", asks=True)
        return name


class Node:
    def __init__(self):
        self.is_born, self.was_seen, self.bd_seq, self.older = False, False, None, set()
        self.seq, self.metrics, self.devices, self.aliases = 0, None, {}, {}


class Nodes:
    """All edge nodes of a broker."""

    def __init__(self, record, rebirth, event):
        self.nodes, self.record, self.rebirth, self.event = {}, record, rebirth, event

    def take(self, topic: str, data: bytes, qos: int, retain: bool):
        levels = topic.split("/")
        need(levels[0] == "spBv1.0" and len(levels) in (4, 5), f"the topic {topic}")
        group, kind, name = levels[1:4]
        device = levels[4] if len(levels) == 5 else None
        need(all(levels) and (device is not None) == kind.startswith("D"), f"the topic {topic}")
        if kind in ("NCMD", "DCMD"):
            return
        need(kind in ("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"), f"the topic {topic}")
        need(not retain, f"{kind} is retained")
        need(qos == 0 or kind == "NDEATH", f"{kind} with QoS {qos}")
        node = self.nodes.setdefault((group, name), Node())
        try:
            self._take(node, f"{group}/{name}", kind, device, payload(data))
        except Violation as violation:
            if violation.asks:
                self.rebirth(group, name)
            raise
        finally:
            node.was_seen = True

    def _take(self, node, who, kind, device, told: Payload):
        if kind != "NDEATH":
            milliseconds(told.timestamp, kind)
        if kind == "NBIRTH":
            return self._born(node, who, told)
        if kind == "NDEATH":
            return self._died(node, who, told)
        if not node.is_born:
            # A host that came later than the node is no fault of the node.
            if node.was_seen:
                raise Violation(f"{kind} of {who}, which is dead", asks=True)
            self.event("unborn", node=who, kind=kind)
            return self.rebirth(*who.split("/"))
        expected, node.seq = (node.seq + 1) % 256, told.seq if told.seq is not None else node.seq
        need(told.seq is not None, f"{kind} has no seq", asks=True)
        need(told.seq == expected, f"{kind} with seq {told.seq} where {expected} is next", asks=True)
        if kind == "NDATA":
            self._data(node.metrics, who, kind, told)
        elif kind == "DBIRTH":
            self._drop(node, device)
            node.devices[device] = Metrics(told.metrics, node.aliases)
            self._birth_values(node.devices[device], f"{who}/{device}", kind, told)
        else:
            need(device in node.devices, f"{kind} of {device}, which is not born", asks=True)
            if kind == "DDEATH":
                self._drop(node, device)
                self.event("died", node=who, device=device)
            else:
                self._data(node.devices[device], f"{who}/{device}", kind, told)

    @staticmethod
    def _drop(node, device):
        gone = node.devices.pop(device, None)
        for alias in [alias for alias, (owner, _) in node.aliases.items() if owner is gone]:
            del node.aliases[alias]

    def _bd_seq(self, told: Payload, what: str) -> int:
        found = [one for one in told.metrics if one.name == "bdSeq"]
        need(len(found) == 1, f"{what} has {len(found)} metrics bdSeq")
        need(found[0].datatype == INT64, f"bdSeq has the datatype {found[0].datatype}, not Int64")
        value = found[0].value(INT64)
        need(value is not None and 0 <= value <= 255, f"bdSeq is {value}")
        return value

    def _born(self, node, who, told):
        need(told.seq == 0, f"NBIRTH with seq {told.seq}, not 0")
        bd_seq, aliases = self._bd_seq(told, "NBIRTH"), {}
        metrics = Metrics(told.metrics, aliases)
        found = [one for one in told.metrics if one.name == REBIRTH]
        need(found and found[0].datatype == BOOLEAN and found[0].value(BOOLEAN) is False,
             f"NBIRTH without {REBIRTH} = false")
        is_again = node.is_born and node.bd_seq == bd_seq
        if node.bd_seq not in (None, bd_seq):
            node.older.add(node.bd_seq)
        node.older.discard(bd_seq)
        node.is_born, node.bd_seq, node.seq = True, bd_seq, 0
        node.metrics, node.aliases, node.devices = metrics, aliases, {}
        self.event("born", node=who, bd_seq=bd_seq, again=is_again)
        self._birth_values(metrics, who, "NBIRTH", told)

    def _died(self, node, who, told):
        need(told.seq is None, "NDEATH has a seq")
        bd_seq = self._bd_seq(told, "NDEATH")
        if node.bd_seq is None:
            # Retired before it was born here, or before this host came.
            return self.event("died", node=who, bd_seq=bd_seq, unborn=True)
        if bd_seq != node.bd_seq and bd_seq in node.older:
            return self.event("stale death", node=who, bd_seq=bd_seq)
        need(bd_seq == node.bd_seq or not node.is_born,
             f"NDEATH with bdSeq {bd_seq}, but NBIRTH had {node.bd_seq}")
        node.is_born, node.devices = False, {}
        self.event("died", node=who, bd_seq=bd_seq)

    def _birth_values(self, metrics, who, kind, told):
        for one in told.metrics:
            value = one.value(metrics.types[one.name])
            if one.name not in ("bdSeq", REBIRTH) and value is not None:
                self.record(kind, who, one.name, one.timestamp, value, one.is_historical)

    def _data(self, metrics, who, kind, told):
        """All metrics of a message are judged before the first is recorded."""
        need(told.metrics, f"{kind} without metrics")
        taken = []
        for one in told.metrics:
            name = metrics.name_of(one)
            need(one.datatype in (None, metrics.types[name]),
                 f"{name} has the datatype {one.datatype}, born with {metrics.types[name]}")
            milliseconds(one.timestamp, name)
            taken.append((name, one.timestamp, one.value(metrics.types[name]), one.is_historical))
        for each in taken:
            self.record(kind, who, *each)
