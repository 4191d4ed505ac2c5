"""The host (上位机) of HJ 212: the platform that dust and noise stations report to.

    hj212_host.py [--edition 2005|2017|2025] [--crc hj212|modbus] [--pw PW] [--mn MN]… [--st ST]…
                  [--data-time start|end] [--min-interval MINUTES] [--unit [MN=]ug/m3|mg/m3] [--greet] [--heartbeat 9013|9014]

Strict: what breaks hj212_rules goes to /refused and is not answered. A record is one DataTime of one
CN: kind = CN, subject = MN, start = the period's first instant or the moment of acquisition, in UTC,
key = MN|CN|DataTime. A split upload counts when all its parts have come.

    POST /command {"cn": "1062", "cp": "RtdInterval=30", "timeout": 5}
sends a request and returns {"requests", "answers", "uploads", "qn_rtn", "exe_rtn", "complete"} when
9012 (for the notices 2012 and 2022: 9013) has come, or a refusal, or the time is over.
    "mn" "pw" "st" "flag" "qn"  instead of the right ones     "to"      the station that is asked
    "count": n   n requests in one write                      "drip"    one byte after the other
    "silent"     expects no answer: always waits the time out "damage"  breaks the CRC
"""

import datetime
import hashlib
import threading
import time

import hj212_rules as rules
from platform_control import Fault, Platform, arguments
from platform_tcp import Line, Lines

HOST_NOTICES = {"2012", "2022"}
QN_RTN = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "100"}
EXE_RTN = {"1", "2", "3", "4", "5", "6", "100"}


class Station:
    """What the host knows of one MN."""

    def __init__(self, mn: str, options):
        self.mn, self.pw, self.min_interval = mn, options.pw, options.min_interval
        self.last_qn, self.digests, self.line, self.greeted = "", {}, None, False
        units = dict(unit.rpartition("=")[::2] for unit in options.unit)
        self.unit = units.get(mn, units.get(""))


class Exchange:
    """One or more equal requests and what came for them."""

    def __init__(self, station: Station, wanted: dict):
        self.station, self.cn, self.cp = station, wanted["cn"], wanted.get("cp", "")
        self.mn, self.pw = wanted.get("mn", station.mn), wanted.get("pw", station.pw)
        self.requests, self.answers, self.uploads, self.open = [], [], [], set()
        self.done = threading.Condition()

    def told(self, cn: str, name: str):
        found = [answer["cp"] for answer in self.answers if answer["cn"] == cn]
        return int(found[-1].removeprefix(name + "=")) if found else None

    def shown(self) -> dict:
        return {"requests": self.requests, "answers": self.answers, "uploads": self.uploads,
                "qn_rtn": self.told("9011", "QnRtn"), "exe_rtn": self.told("9012", "ExeRtn"),
                "complete": not self.open}


class Host:
    def __init__(self, options):
        self.options = options
        self.platform = Platform(options)
        self.rules = rules.Rules(options.edition, options.data_time, frozenset(options.factor),
                                 options.any_width, options.allow_early)
        self.crc = rules.CRC[options.crc]
        self.lock = threading.RLock()
        self.stations, self.exchanges, self.own_qn = {}, {}, 0
        self.base = rules.EDITIONS[options.edition] << 2
        new = options.edition == "2025"
        self.notices = rules.NOTICES | (rules.NOTICES_2025 if new else set())
        self.uploads = rules.UPLOADS | (rules.UPLOADS_2025 if new else set())
        self.uploads |= {"9015"} if options.heartbeat else set()

    # Reading

    def talk(self, line: Line):
        splitter = rules.Splitter(self.crc)
        if len(self.options.mn) == 1:
            # Who else could it be; a station of several is known by its first packet.
            self.arrived(self.station(self.options.mn[0]), line)
        while data := line.read():
            for segment, why, raw in splitter.feed(data):
                if why:
                    self.platform.refuse(why, raw, line=line.name)
                    continue
                try:
                    self.received(segment, line)
                except rules.Violation as violation:
                    self.platform.refuse(str(violation), raw, line=line.name)
        if splitter.buffer:
            # No violation: a line may break at any byte.
            self.platform.event("torn", line=line.name, bytes=len(splitter.buffer))

    def station(self, mn: str) -> Station:
        with self.lock:
            return self.stations.setdefault(mn, Station(mn, self.options))

    def arrived(self, station: Station, line: Line):
        with self.lock:
            station.line = line
            greets = self.options.greet and not station.greeted
            station.greeted = station.greeted or greets
        if greets:
            threading.Thread(target=self.greet, args=(station,), daemon=True).start()

    def received(self, data: bytes, line: Line):
        segment = rules.parse(data, self.options.edition)
        self.platform.event("received", line=line.name, cn=segment.cn, qn=segment.qn,
                            mn=segment.mn, text=segment.text)
        if segment.cn in rules.ANSWERS:
            return self.field_answered(segment)
        rules.need(segment.mn in self.options.mn if self.options.mn else
                   len(segment.mn) == 24 and not set(segment.mn) - set("0123456789ABCDEF"),
                   f"MN {segment.mn!r} is not known here")
        station = self.station(segment.mn)
        rules.need(segment.pw == station.pw, "the password is wrong")
        rules.need(segment.cn in self.uploads | self.notices,
                   f"a station does not send CN {segment.cn}")
        rules.need(not self.options.st or segment.st in self.options.st,
                   f"ST {segment.st}, not {' or '.join(self.options.st)}")
        self.uploaded(segment, station, line)
        self.arrived(station, line)

    # Uploads and notices

    def uploaded(self, segment, station, line):
        cn, start, stamp, values = segment.cn, None, "", {}
        if cn in rules.SUFFIXES or cn == "2081":
            start, stamp, values = self.rules.data(segment, station.min_interval, station.unit)
        elif cn == "9015":
            rules.need(not segment.area, "9015 has no data")
        with self.lock:
            self.check_qn(segment, station)
            part = self.part(segment, stamp) if segment.pnum else None
        fault = self.platform.faults.at_message(cn) if segment.wants_answer else Fault()
        if fault.records and stamp:
            values = self.gathered(segment, part, values) if part else values
            if values is not None:
                utc = start.astimezone(datetime.timezone.utc)
                self.platform.ledger.add(
                    cn, segment.mn, utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    f"{segment.mn}|{cn}|{stamp}", values)
        self.collect(segment, station)
        if segment.wants_answer:
            self.acknowledge(segment, line, fault)

    def check_qn(self, segment, station):
        """A QN is new and above all before it, or its packet is a resend, equal byte for byte."""
        if not segment.qn:
            return
        # What a request asked for may carry the request's QN.
        if segment.cn in rules.ASKED and segment.qn in self.exchanges:
            return
        digest = hashlib.sha256(segment.text.encode()).digest()
        if segment.qn in station.digests:
            rules.need(station.digests[segment.qn] == digest,
                       f"QN {segment.qn} stood on another packet before")
            self.platform.event("resent", mn=station.mn, cn=segment.cn, qn=segment.qn)
            return
        rules.need(segment.qn > station.last_qn,
                   f"QN {segment.qn} is not above {station.last_qn}")
        station.last_qn, station.digests[segment.qn] = segment.qn, digest

    def part(self, segment, stamp) -> str:
        """The name of the assembly that a part belongs to; parts come in order."""
        rules.need(stamp, f"a split {segment.cn} without a DataTime")
        name = f"{segment.mn}|{segment.cn}|{stamp}"
        parts = self.platform.ledger.states.get(name)
        if segment.pno > 1:
            rules.need(parts, f"PNO {segment.pno} came without those before it")
            rules.need(parts["pnum"] == segment.pnum,
                       f"PNUM {segment.pnum} after {parts['pnum']}")
            rules.need(str(segment.pno - 1) in parts["parts"],
                       f"PNO {segment.pno} came without PNO {segment.pno - 1}")
        return name

    def gathered(self, segment, name, values):
        """The values of the whole upload when this part completes it, else None."""
        with self.lock:
            parts = self.platform.ledger.states.get(name)
            told = {"qn": segment.qn, "values": values}
            number = str(segment.pno)
            if parts and parts["parts"].get(number) == told:
                whole = len(parts["parts"]) == parts["pnum"]
                return values if whole else None
            if segment.pno == 1 or parts is None:
                parts = {"pnum": segment.pnum, "parts": {}}
            parts = {"pnum": parts["pnum"], "parts": {**parts["parts"], number: told}}
            # The part is acknowledged: a host that starts again must still have it.
            self.platform.ledger.keep(name, parts)
            if len(parts["parts"]) < parts["pnum"]:
                return None
            union = {}
            for each in parts["parts"].values():
                union.update(each["values"])
            return union

    def acknowledge(self, segment, line, fault):
        """9013 for notices, 9014 for data, with the QN of what it answers."""
        # That 9015 is answered as data is practice of platforms, not verified.
        cn = "9013" if segment.cn in self.notices else "9014"
        if segment.cn == "9015" and self.options.heartbeat:
            cn = self.options.heartbeat

        def text(qn, number=cn, area=""):
            return rules.packet(f"QN={qn};ST=91;CN={number};PW={segment.pw};MN={segment.mn};"
                                f"Flag={self.base};CP=&&{area}&&", self.crc)

        foreign = str(int(segment.qn) + 1).zfill(17)
        # No answer refuses an upload; QnRtn is the only word that the standard has for it.
        refusal = f"QnRtn={fault.options.get('code', 2)}"
        line.answer(fault, text(segment.qn), f"{cn} {segment.qn}", foreign=text(foreign),
                    refusal=text(segment.qn, "9011", refusal))

    # Requests

    def field_answered(self, segment):
        """9011, 9012 and 9013: they belong to a request that is open."""
        rules.need(segment.st == "91", f"an answer with ST {segment.st}, not 91")
        rules.need(segment.flag == self.base, f"an answer with Flag {segment.flag}")
        with self.lock:
            exchange = self.exchanges.get(segment.qn)
        rules.need(exchange, f"{segment.cn} for {segment.qn}, which nobody asked")
        # A wrong MN or PW may come back as it was told, or be set right.
        rules.need(segment.mn in (exchange.station.mn, exchange.mn),
                   f"MN {segment.mn!r} answers for another")
        rules.need(segment.pw in (exchange.station.pw, exchange.pw), "the password is wrong")
        name, codes = {"9011": ("QnRtn", QN_RTN), "9012": ("ExeRtn", EXE_RTN)}.get(
            segment.cn, ("", set()))
        if name:
            rules.need(segment.area.partition("=")[0] == name
                       and segment.area.partition("=")[2] in codes,
                       f"{segment.cn} says {segment.area!r}, not {name} and one of its codes")
        else:
            rules.need(not segment.area, "9013 has no data")
        with exchange.done:
            before = [one for one in exchange.answers if one["qn"] == segment.qn]
            equal = [one for one in before if one["cn"] == segment.cn]
            asked = [one for one in exchange.requests if one["qn"] == segment.qn]
            rules.need(len(equal) < len(asked), f"one {segment.cn} too many for {segment.qn}")
            rules.need((segment.cn == "9013") == (exchange.cn in HOST_NOTICES)
                       or segment.area.startswith("QnRtn") and segment.area != "QnRtn=1",
                       f"{segment.cn} is no answer to {exchange.cn}")
            rules.need(segment.cn != "9012" or "QnRtn=1" in [one["cp"] for one in before],
                       "9012 without a 9011 that says that it will be done")
            if segment.cn != "9011" or segment.area != "QnRtn=1":
                exchange.open.discard(segment.qn)
            if segment.area == "ExeRtn=1":
                self.applied(exchange)
            exchange.answers.append({"cn": segment.cn, "qn": segment.qn, "cp": segment.area,
                                     "at": time.time()})
            exchange.done.notify_all()

    def applied(self, exchange):
        """What a request that was carried out changes in what the host expects."""
        name, _, value = exchange.cp.partition("=")
        if exchange.cn == "1064" and name == "MinInterval":
            exchange.station.min_interval = int(value)
        if exchange.cn == "1072" and name == "NewPW":
            exchange.station.pw = value

    def collect(self, segment, station):
        """Uploads of the CN that a request asked for belong to its exchange."""
        with self.lock:
            found = {id(one): one for one in self.exchanges.values()}
        for exchange in found.values():
            with exchange.done:
                if (exchange.station, exchange.cn) == (station, segment.cn) and exchange.open:
                    exchange.uploads.append({"cn": segment.cn, "qn": segment.qn, "st": segment.st,
                                             "cp": segment.area, "at": time.time()})

    def next_qn(self) -> str:
        """The host's own QN: its clock in UTC+8, and never the same twice."""
        with self.lock:
            self.own_qn = max(self.own_qn + 1, int(time.time() * 1000))
            told = datetime.datetime.fromtimestamp(self.own_qn / 1000, rules.ZONE)
            return told.strftime("%Y%m%d%H%M%S") + f"{self.own_qn % 1000:03d}"

    def asked(self, wanted: dict) -> Station:
        """The station that is named, or the only one; waits until it is on the line."""
        name, deadline = wanted.get("to", wanted.get("mn")), time.monotonic() + 5
        while True:
            with self.lock:
                found = [one for one in self.stations.values() if one.line and one.line.is_open]
            named = [one for one in found if one.mn == name]
            if named or len(found) == 1:
                return (named or found)[0]
            if time.monotonic() > deadline:
                raise ValueError(f"stations on the line: {[one.mn for one in found]}; name one")
            time.sleep(0.02)

    def command(self, wanted: dict, station: Station | None = None) -> dict:
        station = station or self.asked(wanted)
        exchange = Exchange(station, wanted)
        data = b""
        for _ in range(wanted.get("count", 1)):
            qn = wanted.get("qn") or self.next_qn()
            st = wanted.get("st") or (self.options.st or ["39"])[0]
            text = (f"QN={qn};ST={st};CN={exchange.cn};PW={exchange.pw};"
                    f"MN={exchange.mn};Flag={wanted.get('flag', self.base | 1)};"
                    f"CP=&&{exchange.cp}&&")
            raw = rules.packet(text, self.crc)
            if wanted.get("damage"):
                raw = raw[:-6] + (b"FFFF" if raw[-6:-2] != b"FFFF" else b"0000") + raw[-2:]
            exchange.requests.append({"qn": qn, "text": text})
            exchange.open.add(qn)
            data += raw
            with self.lock:
                self.exchanges[qn] = exchange
        self.platform.event("asked", mn=station.mn, cn=exchange.cn, cp=exchange.cp)
        for piece in ([data[i:i + 1] for i in range(len(data))] if wanted.get("drip") else [data]):
            station.line.send(piece)
        deadline = time.monotonic() + wanted.get("timeout", 5)
        with exchange.done:
            while (exchange.open or wanted.get("silent")) and time.monotonic() < deadline:
                exchange.done.wait(deadline - time.monotonic())
            return exchange.shown()

    def greet(self, station):
        """The order of §6.7 of the standard: time, time-out and resends, intervals."""
        now = datetime.datetime.now(rules.ZONE)
        for cn, cp in (("1012", f"SystemTime={now:%Y%m%d%H%M%S}"), ("1000", "OverTime=5;ReCount=3"),
                       ("1062", f"RtdInterval={self.options.rtd_interval}"),
                       ("1064", f"MinInterval={self.options.min_interval}")):
            told = self.command({"cn": cn, "cp": cp}, station)
            self.platform.event("greeted", mn=station.mn, cn=cn, qn_rtn=told["qn_rtn"],
                                exe_rtn=told["exe_rtn"])


def main():
    parser = arguments(__doc__)
    parser.add_argument("--edition", choices=rules.EDITIONS, default="2017")
    parser.add_argument("--crc", choices=rules.CRC, default="hj212")
    parser.add_argument("--pw", default="123456")
    parser.add_argument("--mn", action="append", default=[])
    parser.add_argument("--st", action="append", default=[])
    parser.add_argument("--data-time", choices=("start", "end"), default="start")
    parser.add_argument("--min-interval", type=int, choices=rules.MIN_INTERVALS, default=10)
    parser.add_argument("--rtd-interval", type=int, default=30)
    parser.add_argument("--unit", action="append", default=[], help="[MN=]ug/m3 or [MN=]mg/m3")
    parser.add_argument("--factor", action="append", default=[], help="one more factor code")
    parser.add_argument("--any-width", action="store_true", help="ignores annex B's digits")
    parser.add_argument("--allow-early", action="store_true", help="lets a period end after its QN")
    parser.add_argument("--heartbeat", choices=("9013", "9014"),
                        help="takes 9015 in every edition and answers it so; without, only in 2025")
    parser.add_argument("--greet", action="store_true")
    options = parser.parse_args()
    for unit in options.unit:
        if unit.rpartition("=")[2] not in rules.PLAUSIBLE:
            parser.error(f"--unit {unit}: the unit is one of {', '.join(rules.PLAUSIBLE)}")
    host = Host(options)
    lines = Lines(host.options.port, host.platform, host.talk)
    host.platform.run(lines.port, host.command)


if __name__ == "__main__":
    main()
