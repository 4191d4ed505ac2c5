"""The data transfer station (数据中转站) of the building energy upload: collectors call it over TCP.

    energy_station.py [--magic guideline|reversed] [--md5 sequence-secret|secret-sequence]
                      [--secret TEXT] [--key HEX] [--iv HEX] [--encoding utf-8|gb2312]
                      [--ack-style report_ack|data_ack] [--building ID] [--gateway ID]
                      [--interval MINUTES] [--clock-offset SECONDS]

Every message, the first ones too, is an encrypted frame of energy_frame. After the login one
connection per building and gateway stays; a newer one ends the older. A record is one time of one
gateway: kind = report, continuous or reply, subject = building_id and gateway_id, start in UTC,
key = building|gateway|time, values: "meter.coding" → text, "meter.coding error" → what `error` says.
Faults strike report and continuous; "on" names other operations instead ("request", "md5", "notify").

    POST /command {"operation": "query"}             → data reply
                  {"operation": "period", "text": "15"}   → period_ack
                  {"operation": "archives" | "device"}    → archives_ack, device_ack
                  {"operation": …, "element": …, "xml": …, "expect": […]}  anything else
                  {"operation": "clock", "offset": 3600}  what time the station says from now on
Options: "timeout", "to" (building|gateway), "sequence" (8 hex digits). Returns {"sent", "answers",
"complete"}.
"""

import datetime
import hashlib
import re
import secrets
import threading
import time
from xml.sax.saxutils import escape

from energy_frame import MAGIC, Codec, Message, Violation, need
from platform_control import Fault, Platform, arguments
from platform_tcp import Line, Lines

ZONE = datetime.timezone(datetime.timedelta(hours=8))
READINGS = {"report", "continuous", "reply"}
# What answers a command, and in which elements.
ANSWERS = {"reply": {"data"}, "period_ack": {"config"}, "device_ack": {"device"},
           "archives_ack": {"archives", "instruction", "config"}}
ELEMENTS = {"query": "data", "period": "config", "archives": "instruction", "device": "device"}
EXPECTED = {"query": {"reply"}}


def clock(text: str) -> datetime.datetime:
    need(re.fullmatch(r"[0-9]{14}", text), f"time {text!r} is not yyyyMMddHHmmss")
    try:
        return datetime.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=ZONE)
    except ValueError:
        raise Violation(f"time {text!r} is no time of the calendar") from None


def text_of(element, name: str) -> str:
    found = element.findall(name)
    need(len(found) == 1, f"{element.tag} has {len(found)} of {name}, not one")
    return (found[0].text or "").strip()


def readings(element) -> tuple[str, dict]:
    """(time, values) of a report, a continuous or a reply."""
    need(element.tag == "data", f"readings in {element.tag}, not in data")
    known = {"sequence", "parser", "time", "total", "current", "meter"}
    need({child.tag for child in element} <= known,
         f"data holds {sorted({child.tag for child in element} - known)}")
    once = ("sequence",) if element.get("operation").strip() == "reply" else (
        "sequence", "total", "current")
    for name in once:
        text_of(element, name)
    parser = text_of(element, "parser")
    need(parser in ("yes", "no"), f"parser is {parser!r}, not yes or no")
    when, values, meters = text_of(element, "time"), {}, set()
    clock(when)
    for meter in element.findall("meter"):
        name = (meter.get("id") or "").strip()
        need(name and name not in meters, f"the meter {name!r} has no id or stands twice")
        meters.add(name)
        functions = meter.findall("function")
        need(functions, f"the meter {name} has no function")
        for function in functions:
            for wanted in ("id", "coding", "error"):
                need(function.get(wanted) is not None, f"a function of {name} has no {wanted}")
            coding, error = function.get("coding").strip(), function.get("error").strip()
            value, key = (function.text or "").strip(), f"{name}.{coding}"
            need(function.get("id").strip(), f"a function of {name} has an empty id")
            need(re.fullmatch(r"[0-9A-Za-z]{1,15}", coding), f"coding {coding!r} of {name}")
            need(key not in values, f"{key} stands twice")
            need(error or value, f"{key} has neither a value nor an error")
            form = r"[+-]?[0-9]+(\.[0-9]+)?" if parser == "yes" else r"([0-9A-Fa-f]{2}\s*)+"
            need(not value or re.fullmatch(form, value), f"{key} is {value!r} with parser={parser}")
            values[key] = value
            if error:
                values[f"{key} error"] = error
    need(values, "there are no readings")
    return when, values


class Session:
    """One connection: who it is, and how far its login went."""

    def __init__(self, line: Line):
        self.line, self.buffer = line, b""
        self.who, self.challenge, self.is_in = None, "", False
        self.backfill = None
        # A counter of frames that the station begins itself.
        self.count = 1


class Exchange:
    def __init__(self, expected: set, sequence: bytes):
        self.expected, self.sequence = expected, sequence
        self.answers, self.done = [], threading.Event()


class Station:
    def __init__(self, options):
        self.options, self.platform = options, Platform(options)
        key = bytes.fromhex(options.key)
        iv = bytes.fromhex(options.iv) if options.iv else key
        self.codec = Codec(options.magic, key, iv, options.encoding)
        self.lock = threading.RLock()
        self.sessions, self.exchanges = {}, {}
        self.offset = options.clock_offset

    # Reading

    def talk(self, line: Line):
        session = Session(line)
        try:
            while line.is_open and (data := line.read()):
                session.buffer += data
                while line.is_open and self.step(session):
                    pass
        finally:
            with self.lock:
                if self.sessions.get(session.who) is session:
                    del self.sessions[session.who]
        if session.buffer and line.is_open:
            self.platform.event("torn", line=line.name, bytes=len(session.buffer))

    def step(self, session) -> bool:
        size, why = self.codec.cut(session.buffer)
        if not size:
            return False
        raw, session.buffer = session.buffer[:size], session.buffer[size:]
        shown = raw.hex()
        try:
            need(not why, why)
            message = self.codec.message(raw)
            shown = message.text
            self.platform.event("received", line=session.line.name, operation=message.operation,
                                text=message.text)
            self.received(message, session)
        except Violation as violation:
            self.platform.refuse(str(violation), shown, line=session.line.name)
        return True

    def received(self, message: Message, session):
        who = (message.building, message.gateway)
        need(self.options.building in (None, message.building),
             f"building {message.building} is not known here")
        need(self.options.gateway in (None, message.gateway),
             f"gateway {message.gateway} is not known here")
        need(session.who in (None, who), f"{who} on the connection of {session.who}")
        kind = (message.element.tag, message.operation)
        if message.element.tag == "id_validate":
            return self.login(message, session, who)
        need(session.is_in, f"{message.operation} before the login")
        if kind == ("heart_beat", "notify"):
            now = datetime.datetime.now(ZONE) + datetime.timedelta(seconds=self.offset)
            return self.answer(message, session, "heart_beat", "time",
                               f"<time>{now:%Y%m%d%H%M%S}</time>")
        if message.operation in ("report", "continuous"):
            return self.reported(message, session)
        need(message.operation in ANSWERS or message.operation.endswith("_ack")
             and self.exchange(message, session),
             f"a gateway does not send {message.element.tag} {message.operation}")
        self.replied(message, session)

    # Login

    def login(self, message, session, who):
        need(not session.is_in, "a second login on one connection")
        if message.operation == "request":
            session.who, session.challenge = who, f"{secrets.randbelow(10 ** 8):08d}"
            return self.answer(message, session, "id_validate", "sequence",
                               f"<sequence>{session.challenge}</sequence>")
        need(message.operation == "md5", f"id_validate {message.operation} from a gateway")
        need(session.challenge, "md5 before any sequence was given")
        parts = (session.challenge, self.options.secret)
        parts = parts if self.options.md5 == "sequence-secret" else parts[::-1]
        wanted = hashlib.md5("".join(parts).encode()).hexdigest()
        told = text_of(message.element, "md5")
        fault = self.platform.faults.at_message("md5") if self.strikes("md5") else None
        if told != wanted:
            self.platform.refuse(f"md5 is {told!r} where it should be {wanted!r}", message.text,
                                 line=session.line.name)
        if told != wanted or (fault and fault.mode == "refuse"):
            self.send(session, message.sequence, who, "id_validate", "result",
                      "<result>fail</result>")
            return session.line.close()
        with self.lock:
            older = self.sessions.get(who)
            self.sessions[who] = session
        session.is_in = True
        if older and older.line.is_open:
            self.platform.event("kicked", line=older.line.name, who="|".join(who))
            older.line.close()
        good, foreign = (self.frame(sequence, who, "id_validate", "result", "<result>pass</result>")
                         for sequence in (message.sequence, self.other(message.sequence)))
        session.line.answer(fault or Fault(), good, "result pass", foreign)
        if self.options.interval:
            threading.Thread(target=self.configure, args=("|".join(who),), daemon=True).start()

    def configure(self, who: str):
        told = self.command({"operation": "period", "text": str(self.options.interval), "to": who})
        self.platform.event("configured", who=who, complete=told["complete"])

    # Readings

    def reported(self, message, session):
        element = message.element
        when, values = readings(element)
        if message.operation == "continuous":
            self.check_backfill(element, session, when)
        fault = self.platform.faults.at_message(message.operation)
        if fault.records:
            self.record(message, when, values)
        told = f"<time>{when}</time>"
        is_pass = self.options.ack_style == "report_ack"
        if message.operation == "continuous":
            # What stands inside of continuous_ack was not read anywhere: each style's own words.
            tag, operation = "data", "continuous_ack"
        else:
            tag, operation = ("report_config", "report_ack") if is_pass else ("data", "report")
        if not is_pass:
            form = (f"{told}<ack>%s</ack>", "OK", "FAIL")
        elif operation == "report_ack":
            form = ("<report_ack>%s</report_ack>", "pass", "fail")
        else:
            form = (f"{told}<continuous_ack>%s</continuous_ack>", "pass", "fail")
        content, good, bad = form
        who, other = session.who, self.other(message.sequence)
        elsewhen = (clock(when) - datetime.timedelta(days=1)).strftime("%Y%m%d%H%M%S")
        session.line.answer(
            fault, self.frame(message.sequence, who, tag, operation, content % good),
            f"{operation} {when}",
            self.frame(other, who, tag, operation, (content % good).replace(when, elsewhen)),
            self.frame(message.sequence, who, tag, operation, content % bad))

    def check_backfill(self, element, session, when):
        """One stored period per packet: current of total, the older first."""
        total, current = (text_of(element, name) for name in ("total", "current"))
        need(re.fullmatch(r"[1-9][0-9]*", total) and re.fullmatch(r"[1-9][0-9]*", current),
             f"current {current!r} of total {total!r}")
        total, current = int(total), int(current)
        need(current <= total, f"current {current} of total {total}")
        if session.backfill and session.backfill[0] == total and session.backfill[1] < current:
            need(session.backfill[2] <= when,
                 f"continuous {when} behind {session.backfill[2]}: not in the order of time")
        session.backfill = (total, current, when)

    def record(self, message, when, values):
        start = clock(when).astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.platform.ledger.add(
            message.operation, message.building + message.gateway, start,
            f"{message.building}|{message.gateway}|{when}", values,
            parser=text_of(message.element, "parser"))

    # Frames

    def frame(self, sequence, who, tag, operation, content) -> bytes:
        return self.codec.encode(
            f'<?xml version="1.0" encoding="{self.options.encoding}"?>\n<root><common>'
            f"<building_id>{who[0]}</building_id><gateway_id>{who[1]}</gateway_id>"
            f"<type>{operation}</type></common>"
            f'<{tag} operation="{operation}">{content}</{tag}></root>', sequence)

    def send(self, session, sequence, who, tag, operation, content):
        session.line.send(self.frame(sequence, who, tag, operation, content),
                          f"{tag} {operation}")

    @staticmethod
    def other(sequence: bytes) -> bytes:
        return bytes(byte ^ 0x5A for byte in sequence)

    def strikes(self, operation: str) -> bool:
        """Login and heartbeat suffer only from a fault that names them."""
        wanted = self.platform.faults.options.get("on", ())
        return operation == wanted or operation in wanted and not isinstance(wanted, str)

    def answer(self, message, session, tag, operation, content):
        faults = self.platform.faults
        fault = (faults.at_message(message.operation) if self.strikes(message.operation)
                 else Fault())
        good, foreign = (self.frame(sequence, session.who, tag, operation, content)
                         for sequence in (message.sequence, self.other(message.sequence)))
        session.line.answer(fault, good, f"{tag} {operation}", foreign, refusal=b"")

    # Commands

    def exchange(self, message, session):
        with self.lock:
            return self.exchanges.get((session.who, message.operation))

    def replied(self, message, session):
        exchange = self.exchange(message, session)
        need(exchange, f"{message.operation}, which nobody asked for")
        elements = ANSWERS.get(message.operation)
        need(not elements or message.element.tag in elements,
             f"{message.operation} in {message.element.tag}")
        need(message.sequence == exchange.sequence,
             f"the sequence is {message.sequence.hex()}, asked was {exchange.sequence.hex()}")
        if message.operation == "reply":
            self.record(message, *readings(message.element))
        exchange.answers.append({"operation": message.operation, "text": message.text,
                                 "at": time.time()})
        exchange.done.set()

    def session_for(self, name) -> Session:
        deadline = time.monotonic() + 5
        while True:
            with self.lock:
                found = [one for who, one in self.sessions.items() if name in (None, "|".join(who))]
            if len(found) == 1:
                return found[0]
            if time.monotonic() > deadline:
                raise ValueError(f"{len(found)} gateways are logged in as {name or 'any'}")
            time.sleep(0.02)

    def command(self, wanted: dict) -> dict:
        operation = wanted["operation"]
        if operation == "clock":
            self.offset = wanted["offset"]
            return {"offset": self.offset}
        session = self.session_for(wanted.get("to"))
        expected = set(wanted.get("expect", EXPECTED.get(operation, {operation + "_ack"})))
        session.count += 1
        sequence = bytes.fromhex(wanted.get("sequence", "")) or session.count.to_bytes(4, "little")
        exchange = Exchange(expected, sequence)
        with self.lock:
            for each in expected:
                self.exchanges[session.who, each] = exchange
        content = wanted.get("xml", escape(wanted.get("text", "")))
        tag = wanted.get("element") or ELEMENTS.get(operation, "config")
        self.platform.event("asked", who="|".join(session.who), operation=operation)
        self.send(session, sequence, session.who, tag, operation, content)
        complete = exchange.done.wait(wanted.get("timeout", 5))
        with self.lock:
            for each in expected:
                self.exchanges.pop((session.who, each), None)
        return {"sent": operation, "answers": exchange.answers, "complete": complete}


def main():
    parser = arguments(__doc__)
    parser.add_argument("--magic", choices=MAGIC, default="guideline")
    parser.add_argument("--md5", choices=("sequence-secret", "secret-sequence"),
                        default="sequence-secret")
    parser.add_argument("--secret", default="IJKLMNOPQRSTUVWX")
    parser.add_argument("--key", default=bytes(range(1, 17)).hex(), help="32 hex digits")
    parser.add_argument("--iv", help="32 hex digits; the key when it is not given")
    parser.add_argument("--encoding", choices=("utf-8", "gb2312"), default="utf-8")
    parser.add_argument("--ack-style", choices=("report_ack", "data_ack"), default="report_ack")
    parser.add_argument("--building")
    parser.add_argument("--gateway")
    parser.add_argument("--interval", type=int, help="minutes, told to a gateway after its login")
    parser.add_argument("--clock-offset", type=float, default=0.0, help="seconds")
    station = Station(parser.parse_args())
    lines = Lines(station.options.port, station.platform, station.talk)
    station.platform.run(lines.port, station.command)


if __name__ == "__main__":
    main()
