"""Who watches a gateway's alarms from outside: the store, the event stream, MQTT, a webhook, Atom.

Each watcher is a process of its own that writes one JSON line for each change it sees, stamped with
CLOCK_MONOTONIC, which all processes of a machine share. The stamp is taken when the last byte has come
and before anything is parsed. Python's standard library only.

    {"key": "rule|series|onset", "state": "active_unacknowledged", "at": ns, "evidence": true, …}
"""

import contextlib
import http.client
import json
import multiprocessing
import os
import selectors
import socket
import sqlite3
import struct
import sys
import time
import urllib.parse
import xml.etree.ElementTree

from . import common

FORK = multiprocessing.get_context("fork")
# The machine has few cores: a watcher that never slept would take one from the gateway.
LOOK_PAUSE = 0.0002
ATOM_AFTER_MS = 10
TAG = "tag:plumbline.local,2026:"


class Watchers:
    """The processes that watch, and what they have written."""

    def __init__(self, place):
        self.place, self.processes = place, []

    def start(self, name, work, *arguments):
        """Returns what `work` calls its port, or True, when it is watching."""
        ours, theirs = FORK.Pipe()
        process = FORK.Process(target=_work, args=(work, f"{self.place}/{name}.lines", theirs, arguments),
                               name=name, daemon=True)
        process.start()
        self.processes.append(process)
        theirs.close()
        try:
            if ours.poll(15):
                return ours.recv()
        except EOFError:
            pass
        raise common.Missing(f"the watcher of {name} does not start")

    def seen(self, name):
        with contextlib.suppress(FileNotFoundError), open(f"{self.place}/{name}.lines") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
        return []

    def lines(self):
        return {process.name: self.seen(process.name) for process in self.processes}

    def check(self):
        """A watcher that has ended has not seen what came after."""
        for process in self.processes:
            if process.exitcode is not None:
                raise common.Missing(f"the watcher of {process.name} has ended")

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.join(10)


@contextlib.contextmanager
def watchers(place):
    found = Watchers(place)
    try:
        yield found
    finally:
        found.stop()


def _work(work, path, ready, arguments):
    with contextlib.suppress(KeyboardInterrupt), open(path, "a", buffering=1) as out:
        try:
            work(lambda **line: out.write(json.dumps(line) + "\n"), ready.send, *arguments)
        except (common.Missing, OSError) as why:
            sys.exit(f"alarm watch: {why}")


# --- the store ------------------------------------------------------------------------------------

def store(tell, ready, path, atom=None):
    """Every change when it is first visible to another reader of the file.

    `unseen` is when the last look began that did not show it, `at` when the look ended that did
    (`PRAGMA data_version`; the rows are read after it): it became visible in between. `atom` gets
    the same lines at once.
    """
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=5)
    version = db.execute("PRAGMA data_version").fetchone()[0]
    newest = db.execute("SELECT ifnull(max(id), 0) FROM alarm_transition").fetchone()[0]
    began = time.monotonic_ns()
    ready(True)
    while True:
        before = time.monotonic_ns()
        now = db.execute("PRAGMA data_version").fetchone()[0]
        at = time.monotonic_ns()
        if now != version:
            rows = db.execute(
                "SELECT t.id, a.key, t.from_state, t.to_state, t.at, t.backfill, t.value, t.word"
                " FROM alarm_transition t JOIN alarm a ON a.id = t.alarm WHERE t.id > ?"
                " ORDER BY t.id", (newest,)).fetchall()
            names = ("key", "from", "state", "time_ms", "backfill", "value", "word")
            lines = [dict(zip(names, row[1:]), unseen=began, at=at) for row in rows]
            if lines and atom:
                atom.send(lines)
            for line in lines:
                tell(**line)
            if rows:
                newest = rows[-1][0]
            version = now
        began = before
        time.sleep(LOOK_PAUSE)


def has_evidence(evidence):
    """Whether figures (or the word) and the window of a judgement are told."""
    evidence = evidence or {}
    return (evidence.get("value") is not None or evidence.get("word") is not None) and bool(
        evidence.get("window_end"))


# --- the event stream -----------------------------------------------------------------------------

def events(tell, ready, port):
    with socket.create_connection(("127.0.0.1", port), 10) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
        stream.settimeout(None)
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += stream.recv(65536)
        head, _, raw = raw.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0] or b"chunked" not in head.lower():
            raise common.Missing(f"/api/v1/events answers {head[:200]!r}")
        ready(True)
        text, at = b"", time.monotonic_ns()
        while True:
            part, raw = unchunked(raw)
            text += part
            while b"\n\n" in text:
                event, _, text = text.partition(b"\n\n")
                if event.startswith(b"event: alarm\n"):
                    alarm = json.loads(event.split(b"data: ", 1)[1])
                    tell(key=alarm["id"], state=alarm["state"], at=at,
                         evidence=has_evidence(alarm.get("evidence")))
            piece = stream.recv(65536)
            at = time.monotonic_ns()
            if not piece:
                raise common.Missing("the event stream ended")
            raw += piece


def unchunked(raw):
    """What whole chunks of RFC 9112 section 7.1 hold, and the rest."""
    body = b""
    while b"\r\n" in raw:
        size, _, rest = raw.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if len(rest) < length + 2:
            break
        body, raw = body + rest[:length], rest[length + 2:]
    return body, raw


# --- MQTT -----------------------------------------------------------------------------------------

class Client:
    """MQTT 3.1.1 with QoS 1, one packet after the other."""

    def __init__(self, port, name):
        self.stream = socket.create_connection(("127.0.0.1", port), 10)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest, self.at, self.identifier = b"", 0, 0
        # A clean session, no keep-alive.
        self.send(0x10, field(b"MQTT") + b"\x04\x02\x00\x00" + field(name.encode()))
        if self.packet()[1][1:2] != b"\x00":
            raise common.Missing("the broker refuses a client")

    def send(self, kind, body):
        length, head = len(body), bytearray([kind])
        while True:
            length, digit = length >> 7, length & 0x7F
            head.append(digit | (0x80 if length else 0))
            if not length:
                break
        self.stream.sendall(bytes(head) + body)

    def packet(self):
        """The next packet; `at` is when its last byte came."""
        while True:
            length, shift, place = 0, 0, 1
            while place < len(self.rest) and place < 5:
                length |= (self.rest[place] & 0x7F) << shift
                shift, place = shift + 7, place + 1
                if not self.rest[place - 1] & 0x80:
                    if len(self.rest) < place + length:
                        break
                    kind, body = self.rest[0], self.rest[place:place + length]
                    self.rest = self.rest[place + length:]
                    return kind, body
            piece = self.stream.recv(65536)
            self.at = time.monotonic_ns()
            if not piece:
                raise common.Missing("the broker hangs up")
            self.rest += piece

    def subscribe(self, topic):
        self.send(0x82, b"\x00\x01" + field(topic.encode()) + b"\x01")
        self.packet()
        self.stream.settimeout(None)

    def message(self):
        """The next message: its topic and payload. It is acknowledged."""
        while True:
            kind, body = self.packet()
            if kind >> 4 != 3:
                continue
            size = struct.unpack(">H", body[:2])[0]
            topic, body = body[2:2 + size].decode(), body[2 + size:]
            if kind & 0x06:
                self.send(0x40, body[:2])
                body = body[2:]
            return topic, body

    def publish(self, topic, payload):
        """Returns at its PUBACK."""
        self.identifier = self.identifier % 65535 + 1
        self.send(0x32, field(topic.encode()) + struct.pack(">H", self.identifier) + payload)
        while self.packet()[0] >> 4 != 4:
            pass


def field(data):
    return struct.pack(">H", len(data)) + data


def mqtt(tell, ready, port, topic):
    client = Client(port, f"alarm-watch-{os.getpid()}")
    client.subscribe(f"{topic}/#")
    ready(True)
    while True:
        place, payload = client.message()
        tell_message(tell, payload, client.at, "state" if f"{topic}/state/" in place else "events")


def tell_message(tell, payload, at, where):
    """A message of plumbline-alarm/1."""
    for alarm in json.loads(payload)["alarms"]:
        tell(key=alarm["key"], state=alarm["state"], at=at, where=where,
             evidence=has_evidence(alarm.get("evidence")))


# --- a webhook ------------------------------------------------------------------------------------

def webhook(tell, ready):
    """Takes POSTs on connections that stay open, and answers 204."""
    select = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    select.register(listener, selectors.EVENT_READ)
    ready(listener.getsockname()[1])
    held = {}
    while True:
        for key, _ in select.select():
            if key.fileobj is listener:
                stream, _ = listener.accept()
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                select.register(stream, selectors.EVENT_READ)
                held[stream] = b""
                continue
            stream = key.fileobj
            piece = b""
            with contextlib.suppress(OSError):
                piece = stream.recv(65536)
            at = time.monotonic_ns()
            if not piece:
                select.unregister(stream)
                stream.close()
                del held[stream]
                continue
            held[stream] += piece
            while True:
                head, split, rest = held[stream].partition(b"\r\n\r\n")
                if not split:
                    break
                length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length:")), 0)
                if len(rest) < length:
                    break
                held[stream] = rest[length:]
                stream.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                tell_message(tell, rest[:length], at, "webhook")


# --- Atom -----------------------------------------------------------------------------------------

def atom(tell, ready, port, changes):
    """Asks for the feed 10 ms after each commit and looks whether its changes are in it."""
    ready(True)
    while True:
        lines = [line for line in changes.recv() if counts(line)]
        if not lines:
            continue
        rest = lines[0]["at"] + ATOM_AFTER_MS * 1_000_000 - time.monotonic_ns()
        time.sleep(max(0, rest / 1e9))
        begun = time.monotonic_ns()
        try:
            # A connection of its own: the gateway closes those that have been quiet for a while.
            status, body = common.request(port, "GET", "/feed/alarms.atom?limit=100&lang=en", timeout=10)
        except (OSError, http.client.HTTPException) as why:
            status, body = str(why), b""
        at = time.monotonic_ns()
        entries = {entry["key"]: entry for entry in atom_entries(body)} if status == 200 else {}
        for line in lines:
            entry = entries.get(line["key"])
            # An alarm that has changed again meanwhile is told as it stands now.
            found = entry is not None and (entry["state"] == line["state"]
                                           or entry["updated_ms"] > line["time_ms"])
            tell(key=line["key"], state=line["state"], at=at, begun=begun, status=status, found=found,
                 evidence=bool(entry) and is_told(entry["summary"]), summary=entry and entry["summary"])


def atom_entries(body):
    names = {"a": "http://www.w3.org/2005/Atom"}
    for entry in xml.etree.ElementTree.fromstring(body).findall("a:entry", names):
        state = next((category.get("term") for category in entry.findall("a:category", names)
                      if category.get("scheme") == TAG + "state"), "")
        yield {"key": urllib.parse.unquote(entry.findtext("a:id", "", names).rpartition("/alarm/")[2]),
               "state": state, "summary": entry.findtext("a:summary", "", names),
               "updated_ms": rfc3339_ms(entry.findtext("a:updated", "", names))}


def is_told(summary):
    """Whether a summary names what was judged: "PM10 of North gate: 163 ug/m3, limit 150 ug/m3 (…)"."""
    return ": " in summary and ": –" not in summary


def rfc3339_ms(text):
    import datetime
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def counts(change):
    """Whether a change is one that programs are told: of an alarm, and not of history."""
    return not (change["backfill"] or change["state"] == "pending"
                or (change["from"] == "pending" and change["state"] == "normal"))
