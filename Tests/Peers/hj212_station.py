"""A dust station that reports by HJ 212-2017, written from the standard alone.

Usage: hj212_station.py HOST PORT MN SCENARIO [--password PW] [--timeout SECONDS] [--resends N]

It calls the platform, plays one scenario and prints one JSON line per thing that happened:
{"sent": "2011", "qn": …}, {"got": "9014", "qn": …}, {"unanswered": …}, {"end": "ok"}. The exit code is
0 when the platform did what the standard asks for.
"""

import argparse
import datetime
import json
import socket
import sys
import time

ZONE = datetime.timezone(datetime.timedelta(hours=8))


def crc16(data: bytes) -> int:
    """Annex A: the byte meets the register shifted down by eight."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            low = register & 1
            register >>= 1
            if low:
                register ^= 0xA001
    return register


def packet(segment: str) -> bytes:
    data = segment.encode("utf-8")
    return b"##%04d" % len(data) + data + b"%04X\r\n" % crc16(data)


class Station:
    def __init__(self, options):
        self.options = options
        self.buffer = b""
        self.last = 0
        self.connect()

    def connect(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                self.socket = socket.create_connection(
                    (self.options.host, self.options.port), timeout=5)
                self.buffer = b""
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def say(self, **facts):
        print(json.dumps(facts), flush=True)

    def now(self):
        return datetime.datetime.now(ZONE)

    def qn(self) -> str:
        # Two packets of one millisecond would share a QN.
        stamp = int(time.time() * 1000)
        self.last = max(self.last + 1, stamp)
        moment = datetime.datetime.fromtimestamp(self.last / 1000, ZONE)
        return moment.strftime("%Y%m%d%H%M%S") + "%03d" % (self.last % 1000)

    def segment(self, cn, area, flag=5, st="39", qn=None, extra=""):
        qn = qn or self.qn()
        text = (f"QN={qn};ST={st};CN={cn};PW={self.options.password};MN={self.options.mn};"
                f"Flag={flag};{extra}CP=&&{area}&&")
        return qn, text

    def values(self, suffix, when, pm10="180.0", mark="N"):
        return (f"DataTime={when:%Y%m%d%H%M%S};"
                f"a34004-{suffix}=45.0,a34004-Flag=N;a34002-{suffix}={pm10},a34002-Flag={mark};"
                f"a34001-{suffix}=217,a34001-Flag=N;a01001-{suffix}=-3.5,a01001-Flag=N;"
                f"a01002-{suffix}=61.0,a01002-Flag=N;a01006-{suffix}=101.300,a01006-Flag=N;"
                f"a01007-{suffix}=2.3,a01007-Flag=N;a01008-{suffix}=275,a01008-Flag=N;"
                f"LA-{suffix}=63.2,LA-Flag=N")

    def receive(self, timeout):
        """The next packet as a dictionary of its head, or None when nothing comes in time."""
        deadline = time.monotonic() + timeout
        while True:
            start = self.buffer.find(b"##")
            if start >= 0 and len(self.buffer) >= start + 6:
                length = int(self.buffer[start + 2:start + 6])
                end = start + 6 + length + 6
                if len(self.buffer) >= end:
                    data = self.buffer[start + 6:start + 6 + length]
                    crc = self.buffer[start + 6 + length:end - 2]
                    tail = self.buffer[end - 2:end]
                    self.buffer = self.buffer[end:]
                    assert tail == b"\r\n", tail
                    assert int(crc, 16) == crc16(data), (data, crc)
                    text = data.decode("utf-8")
                    head, _, area = text.partition("CP=&&")
                    fields = dict(part.split("=", 1) for part in head.split(";") if part)
                    fields["CP"] = area.removesuffix("&&")
                    self.say(got=fields["CN"], qn=fields["QN"], cp=fields["CP"])
                    assert fields["MN"] == self.options.mn, fields
                    return fields
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(4096)
            except (TimeoutError, socket.timeout):
                return None
            if not more:
                raise ConnectionError("the platform closed")
            self.buffer += more

    def await_answer(self, qn, cn, timeout):
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            answer = self.receive(left) if left > 0 else None
            if answer is None:
                return None
            if answer["QN"] == qn and answer["CN"] == cn:
                assert answer["ST"] == "91", answer
                assert answer["Flag"] == "4", answer
                return answer

    def deliver(self, cn, segment, qn, answer="9014"):
        """Table 1 of the standard: wait, then send again up to three times."""
        for attempt in range(self.options.resends + 1):
            try:
                self.socket.sendall(packet(segment))
                self.say(sent=cn, qn=qn, attempt=attempt)
                if self.await_answer(qn, answer, self.options.timeout):
                    return True
            except (ConnectionError, OSError) as error:
                self.say(broken=str(error))
                time.sleep(0.1)
                self.connect()
        self.say(unanswered=cn, qn=qn)
        return False

    def upload(self, cn="2011", area=None, **more):
        suffix = "Rtd" if cn == "2011" else "Avg"
        qn, segment = self.segment(cn, area or self.values(suffix, self.now()), **more)
        return self.deliver(cn, segment, qn)


def realtime(station):
    """Some real-time packets, one after the other."""
    for _ in range(3):
        if not station.upload():
            return False
        time.sleep(1.0)
    return True


def once(station):
    return station.upload()


def fixed(station):
    """A packet whose DataTime and QN are given, so that two runs send the same one."""
    when = datetime.datetime.strptime(station.options.at, "%Y%m%d%H%M%S")
    qn, segment = station.segment(
        "2011", station.values("Rtd", when), qn=station.options.at + "000")
    return station.deliver("2011", segment, qn)


def minutes(station):
    """The minute packets of the last half hour, as a backfill sends them."""
    now = station.now().replace(second=0, microsecond=0)
    for ago in range(30, 0, -10):
        when = now - datetime.timedelta(minutes=ago)
        if not station.upload("2051", station.values("Avg", when)):
            return False
    when = now.replace(minute=0) - datetime.timedelta(hours=5)
    return station.upload("2061", station.values("Avg", when))


def clock(station):
    """1013: please calibrate me. Expected: 9013 with the same QN, then a request 1012."""
    qn, segment = station.segment("1013", "")
    station.socket.sendall(packet(segment))
    station.say(sent="1013", qn=qn)
    if not station.await_answer(qn, "9013", station.options.timeout):
        return False
    request = station.receive(station.options.timeout)
    if not request or request["CN"] != "1012":
        return False
    told = request["CP"].removeprefix("SystemTime=")
    moment = datetime.datetime.strptime(told, "%Y%m%d%H%M%S").replace(tzinfo=ZONE)
    error = abs((station.now() - moment).total_seconds())
    station.say(clock=told, error=error)
    for cn, area in (("9011", "QnRtn=1"), ("9012", "ExeRtn=1")):
        _, answer = station.segment(cn, area, flag=4, st="91", qn=request["QN"])
        station.socket.sendall(packet(answer))
    return error < 5 and request["Flag"] == "5"


def heartbeat(station):
    qn, segment = station.segment("9015", "", flag=5)
    return station.deliver("9015", segment, qn, answer="9013")


def sticky(station):
    """Three packets in one write, then one in pieces, with garbage between them."""
    packets = []
    for index in range(3):
        when = station.now() - datetime.timedelta(seconds=30 - index)
        packets.append(station.segment("2011", station.values("Rtd", when)))
    station.socket.sendall(
        b"\x00\xff#garbage##12" + b"".join(packet(text) for _, text in packets))
    for qn, _ in packets:
        if not station.await_answer(qn, "9014", station.options.timeout):
            return False
    qn, text = station.segment("2011", station.values("Rtd", station.now()))
    raw = b"##0999QN=" + packet(text)[:-2]
    for index in range(0, len(raw), 7):
        station.socket.sendall(raw[index:index + 7])
        time.sleep(0.002)
    return station.await_answer(qn, "9014", station.options.timeout) is not None


def split(station):
    """One upload in two parts; each is acknowledged before the next is sent."""
    when = station.now()
    items = station.values("Rtd", when).split(";")
    head, rest = items[0], items[1:]
    for number, part in enumerate((rest[:4], rest[4:]), start=1):
        qn, text = station.segment(
            "2011", ";".join([head] + part), flag=7, extra=f"PNUM=2;PNO={number};")
        if not station.deliver("2011", text, qn):
            return False
    return True


def wrong(station):
    """A damaged packet is never answered; the good one behind it is."""
    qn, text = station.segment("2011", station.values("Rtd", station.now()))
    damaged = packet(text).replace(b"a34002-Rtd=180.0", b"a34002-Rtd=190.0")
    station.socket.sendall(damaged)
    if station.await_answer(qn, "9014", 2.5) is not None:
        station.say(error="a damaged packet was acknowledged")
        return False
    return station.upload()


def silent(station):
    """Expects no answer at all, and sends four times as the standard says."""
    qn, segment = station.segment("2011", station.values("Rtd", station.now()))
    return not station.deliver("2011", segment, qn)


def old(station):
    """HJ/T 212-2005: no QN, no flag, no acknowledgement."""
    when = station.now()
    text = (f"ST=22;CN=2011;PW={station.options.password};MN={station.options.mn};"
            f"CP=&&{station.values('Rtd', when)}&&")
    station.socket.sendall(packet(text))
    station.say(sent="2011", qn="")
    return station.receive(2.5) is None


def half_open(station):
    """Loses the line without a goodbye, calls again, and goes on."""
    if not station.upload():
        return False
    left = station.socket
    station.connect()
    if not station.upload():
        return False
    left.settimeout(10)
    closed = left.recv(1) == b""
    station.say(closed=closed)
    return closed and station.upload()


SCENARIOS = {
    function.__name__: function for function in (
        realtime, once, fixed, minutes, clock, heartbeat, sticky, split, wrong, silent, old,
        half_open)
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("mn")
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--password", default="123456")
    parser.add_argument("--timeout", type=float, default=5)
    parser.add_argument("--resends", type=int, default=3)
    parser.add_argument("--at", default="20261121080500")
    options = parser.parse_args()
    station = Station(options)
    good = SCENARIOS[options.scenario](station)
    station.say(end="ok" if good else "failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
