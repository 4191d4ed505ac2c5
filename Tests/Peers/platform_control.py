"""What every receiving platform shares: a ledger, faults on demand and a control port.

A platform prints one JSON line when it is ready, {"port": P, "control": C}, and is driven over HTTP
on 127.0.0.1:C.

    GET  /ledger     what was accepted, in the order of first acceptance
    GET  /refused    [{"why", "raw", …}], what broke the standard
    GET  /events     the conversation: connected, disconnected, received, answered, …
    GET  /stats      counts of all of it
    POST /misbehave  {"mode": M, "count": n|null, "seconds": s|null, …}; "off" ends it
    POST /command    what a session protocol sends to its client; answers with the whole exchange
    POST /stop       ends the platform

Options of a fault: "on" (a kind of message, or a list of them: others are answered well), "delay" of
late_ack in seconds, "rate" of slow in bytes per second, "instead" of garbage.

A ledger's file is JSON lines, only ever appended to, each flushed before the answer leaves:
    {"record": {…}}                  a record as it is after something came; the last of a key counts
    {"state": name, "value": v}      what else has to outlive a restart; null ends it
A last line without its line feed was cut by a kill: its answer never left, so it is dropped.
"""

import argparse
import collections
import dataclasses
import http.server
import json
import os
import sys
import threading
import time

CONNECTION_MODES = ("close", "hang", "slow")
MESSAGE_MODES = ("no_ack", "late_ack", "lost_ack", "wrong_id", "half", "reset", "garbage", "refuse")
LISTED_MAX = 100_000


@dataclasses.dataclass(frozen=True)
class Fault:
    """What one connection or one message is to suffer; `mode` is empty for good manners."""

    mode: str = ""
    options: dict = dataclasses.field(default_factory=dict)
    generation: int = 0
    until: float | None = None

    @property
    def records(self) -> bool:
        """Whether the message counts: only what is truly acknowledged may be forgotten by its sender.

        A client that takes a foreign, torn or missing answer for its own is found by the record
        that is missing here.
        """
        if self.mode == "garbage":
            return not self.options.get("instead")
        return self.mode in ("", "late_ack", "lost_ack")


class Faults:
    """The fault that is set; it ends by count, by time or by word."""

    def __init__(self, modes=CONNECTION_MODES + MESSAGE_MODES):
        self.modes = modes
        self.lock = threading.Lock()
        self.mode, self.options, self.left, self.until, self.generation = "", {}, None, None, 0

    def set(self, wanted: dict):
        mode = wanted.get("mode", "off")
        if mode != "off" and mode not in self.modes:
            raise ValueError(f"this platform knows no {mode!r}, only {', '.join(self.modes)}")
        seconds = wanted.get("seconds")
        with self.lock:
            self.mode = "" if mode == "off" else mode
            self.options = wanted
            self.left = wanted.get("count")
            self.until = None if seconds is None else time.monotonic() + seconds
            self.generation += 1

    def _now(self) -> str:
        if self.until is not None and time.monotonic() >= self.until:
            self.mode, self.until = "", None
        return self.mode

    def _take(self, modes, what=None) -> Fault:
        with self.lock:
            mode, wanted = self._now(), self.options.get("on")
            if mode not in modes:
                return Fault()
            if wanted and what and what not in ([wanted] if isinstance(wanted, str) else wanted):
                return Fault()
            fault = Fault(mode, self.options, self.generation, self.until)
            if self.left is not None:
                self.left -= 1
                if self.left <= 0:
                    self.mode = ""
            return fault

    def at_connect(self) -> Fault:
        return self._take(CONNECTION_MODES)

    def at_message(self, what: str) -> Fault:
        """The fault of one message; `what` is its kind, as `on` names it."""
        return self._take(MESSAGE_MODES, what)

    def peek(self) -> Fault:
        """The fault that is set, without counting it."""
        with self.lock:
            return Fault(self._now(), self.options, self.generation, self.until)

    def is_on(self, mode: str) -> dict | None:
        """The options of a fault that strikes every connection: one set without a count."""
        with self.lock:
            return self.options if self._now() == mode and self.left is None else None

    def is_over(self, fault: Fault) -> bool:
        """Whether a fault that was taken has been ended by word or by time since."""
        with self.lock:
            return self.generation != fault.generation or (
                fault.until is not None and time.monotonic() >= fault.until)


class Ledger:
    """What was accepted, by key; it can be read again from its file."""

    def __init__(self, path: str | None):
        self.lock = threading.RLock()
        self.records, self.states, self.file = {}, {}, None
        if path:
            if os.path.exists(path):
                self._replay(path)
            self.file = open(path, "ab")

    def _replay(self, path):
        with open(path, "rb") as file:
            data = file.read()
        whole = data.rfind(b"\n") + 1
        for line in data[:whole].splitlines():
            fact = json.loads(line)
            if "record" in fact:
                self.records[fact["record"]["key"]] = fact["record"]
            elif fact["value"] is None:
                self.states.pop(fact["state"], None)
            else:
                self.states[fact["state"]] = fact["value"]
        if whole < len(data):
            os.truncate(path, whole)

    def _write(self, fact):
        if self.file:
            self.file.write(json.dumps(fact, ensure_ascii=False).encode() + b"\n")
            self.file.flush()

    def keep(self, name: str, value):
        with self.lock:
            if value is None:
                self.states.pop(name, None)
            else:
                self.states[name] = value
            self._write({"state": name, "value": value})

    def add(self, kind, subject, start, key, values, revision=None, **more) -> dict:
        """Takes what came under a key.

        New names join the record. The same names again count as one more time; where they tell
        something else, `changes` holds what was and what is. With revisions a higher one replaces
        the values wholly, and a lower or equal one changes nothing.
        """
        with self.lock:
            record = self.records.get(key)
            if record is None:
                record = self.records[key] = {
                    "kind": kind, "subject": subject, "start": start, "key": key, "times": 1,
                    "values": dict(values), "accepted": True, "arrived": time.time(), **more}
                if revision is not None:
                    record["revision"], record["revisions"] = revision, [revision]
            else:
                self._merge(record, values, revision, more)
            self._write({"record": record})
            return record

    @staticmethod
    def _merge(record, values, revision, more):
        old = record["values"]
        changed = [{"name": name, "was": old[name], "is": values[name], "at": time.time()}
                   for name in values if name in old and old[name] != values[name]]
        if revision is not None:
            record["times"] += 1
            record["revisions"].append(revision)
            if revision > record["revision"]:
                record.update(more, revision=revision, values=dict(values))
            elif revision == record["revision"] and old != values:
                record["changes"] = record.get("changes", []) + (
                    changed or [{"name": "", "was": old, "is": dict(values), "at": time.time()}])
            return
        if not values or any(name in old for name in values):
            record["times"] += 1
        if changed:
            record["changes"] = record.get("changes", []) + changed
        old.update(values)

    def list(self):
        with self.lock:
            return [dict(record) for record in self.records.values()]


class Platform:
    """The ledger, the faults and the diary of one peer, and the server that shows them."""

    def __init__(self, options, faults: Faults | None = None):
        self.ledger = Ledger(options.ledger)
        self.faults = faults or Faults()
        self.lock = threading.Lock()
        self.events, self.refused, self.counts = [], [], collections.Counter()
        self.stopped = threading.Event()

    def event(self, name: str, **facts):
        with self.lock:
            self.counts[name] += 1
            if len(self.events) < LISTED_MAX:
                self.events.append({"at": time.time(), "event": name, **facts})

    def refuse(self, why: str, raw, **facts):
        """What broke the standard, in words; bytes are shown as text as far as they are text."""
        if isinstance(raw, (bytes, bytearray)):
            raw = bytes(raw).decode("utf-8", "backslashreplace")
        with self.lock:
            self.counts["refused"] += 1
            if len(self.refused) < LISTED_MAX:
                self.refused.append(
                    {"why": why, "raw": str(raw)[:8000], "at": time.time(), **facts})

    def stats(self) -> dict:
        records = self.ledger.list()
        with self.lock:
            return {"refused": 0, **self.counts, "records": len(records),
                    "times": sum(record["times"] for record in records)}

    def shown(self, path: str):
        if path == "/ledger":
            return self.ledger.list()
        if path == "/stats":
            return self.stats()
        with self.lock:
            return {"/refused": self.refused[:], "/events": self.events[:]}.get(path)

    def run(self, port: int, command=None):
        """Announces the ports and serves the control port until it is told to stop."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control)
        server.daemon_threads = True
        server.platform, server.command = self, command
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        print(json.dumps({"port": port, "control": server.server_address[1]}), flush=True)
        try:
            self.stopped.wait()
        except KeyboardInterrupt:
            pass
        sys.stdout.flush()
        # Threads that hang on purpose must not keep the process alive.
        os._exit(0)


class Control(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes; with Nagle's algorithm the second would wait for an ACK.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        found = self.server.platform.shown(self.path)
        self.answer(404 if found is None else 200, found)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        platform = self.server.platform
        try:
            wanted = json.loads(body or b"{}")
            if self.path == "/misbehave":
                platform.faults.set(wanted)
                platform.event("misbehave", fault=wanted)
                self.answer(200, {})
            elif self.path == "/command" and self.server.command:
                self.answer(200, self.server.command(wanted))
            elif self.path == "/stop":
                self.answer(200, {})
                platform.stopped.set()
            else:
                self.answer(404, {"error": f"there is no {self.path}"})
        except (ValueError, KeyError, TypeError) as error:
            self.answer(400, {"error": f"{type(error).__name__}: {error}"})


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that every platform has."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", help="a file of JSON lines, read at the start and appended to")
    return parser
