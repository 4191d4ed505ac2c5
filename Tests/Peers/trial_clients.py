"""What the trials of the platforms use: a peer as a process, and clients written by hand.

The clients take nothing from the platforms: HJ 212 packets are built as hj212_station builds them,
the energy collector's CRC is binascii's, and the protobuf of Sparkplug is put together from its parts.
"""

import atexit
import binascii
import hashlib
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hj212_station import packet

FOLDER = pathlib.Path(__file__).parent


def eventually(condition, seconds=5.0):
    """The first true value of the condition, asked for so long; raises when none comes."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.01)
    return value


class Peer:
    """A platform as a process of its own."""

    def __init__(self, script: str, *options, port=0, ledger=None):
        more = ["--ledger", str(ledger)] if ledger else []
        self.process = subprocess.Popen(
            [sys.executable, str(FOLDER / script), "--port", str(port), *more, *map(str, options)],
            stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{script} did not start")
        told = json.loads(line)
        self.port, self.control = told["port"], told["control"]

    def ask(self, method, path, body=None):
        line = http.client.HTTPConnection("127.0.0.1", self.control, timeout=15)
        try:
            line.request(method, path, None if body is None else json.dumps(body))
            answer = line.getresponse()
            value = json.loads(answer.read())
        finally:
            line.close()
        if answer.status != 200:
            raise ValueError(f"{answer.status}: {value}")
        return value

    def ledger(self, subject=None):
        return [record for record in self.ask("GET", "/ledger")
                if subject in (None, record["subject"])]

    def refused(self):
        return self.ask("GET", "/refused")

    def events(self, name):
        return [event for event in self.ask("GET", "/events") if event["event"] == name]

    def misbehave(self, mode, **options):
        self.ask("POST", "/misbehave", {"mode": mode, **options})

    def struck(self) -> int:
        """How many messages have suffered from a fault so far."""
        return self.ask("GET", "/stats").get("fault", 0)

    def refusals(self, before: int, number: int) -> list[str]:
        """The reasons since `before`, as soon as there are so many."""
        eventually(lambda: len(self.refused()) >= before + number)
        return [one["why"] for one in self.refused()[before:]]

    def command(self, **wanted):
        return self.ask("POST", "/command", wanted)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        if self.process.poll() is None:
            self.ask("POST", "/stop")
            self.process.wait(5)
            self.process.stdout.close()


class Wire:
    """A TCP client; `read` gives what comes within the time, None when nothing does."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data: bytes):
        self.socket.sendall(data)

    def more(self, seconds) -> bool:
        """Reads once; false when nothing came. A line that is closed raises ConnectionError."""
        if not select.select([self.socket], [], [], max(0, seconds))[0]:
            return False
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data
        return True

    def end(self) -> str:
        """How the line ends: closed or reset."""
        try:
            while self.more(3):
                pass
        except ConnectionResetError:
            return "reset"
        except ConnectionError:
            return "closed"
        return "open"

    def close(self):
        self.socket.close()


class Field(Wire):
    """A field station of HJ 212."""

    def __init__(self, port, mn, pw="123456", st="39", flag=5):
        super().__init__(port)
        self.mn, self.pw, self.st, self.flag = mn, pw, st, flag

    def text(self, qn, cn, area, flag=None, extra="", st=None):
        flag = self.flag if flag is None else flag
        return (f"QN={qn};ST={st or self.st};CN={cn};PW={self.pw};MN={self.mn};Flag={flag};{extra}"
                f"CP=&&{area}&&")

    def read(self, seconds=5.0):
        """The next packet's data segment."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(rb"##(\d{4})(QN=.*?)([0-9A-F]{4})\r\n", self.buffer, re.DOTALL)
            if found and int(found[1]) == len(found[2]):
                self.buffer = self.buffer[found.end():]
                if packet(found[2].decode()) != found[0]:
                    raise AssertionError(f"a broken packet {found[0]}")
                return found[2].decode()
            if not self.more(deadline - time.monotonic()):
                return None

    def deliver(self, qn, cn, area, seconds=5.0, **more):
        """Sends; gives the CN of the answer that has the same QN, None when none comes."""
        self.send(packet(self.text(qn, cn, area, **more)))
        return self.answer(qn, seconds)

    def answer(self, qn, seconds=5.0):
        deadline = time.monotonic() + seconds
        while text := self.read(deadline - time.monotonic()):
            if text.startswith(f"QN={qn};ST=91;"):
                return re.search(r"CN=(\d+)", text)[1]
        return None

    def obey(self, *results):
        """Reads a request and answers it: 9011 with QnRtn, 9012 with ExeRtn."""
        request = self.read()
        qn = request[3:20]
        for cn, area in results:
            self.send(packet(self.text(qn, cn, area, flag=4, st="91")))
        return request


class Collector(Wire):
    """A collector of the building energy upload."""

    def __init__(self, port, magic="guideline", order="sequence-secret", encoding="utf-8",
                 key=bytes(range(1, 17)), building="330302D110", gateway="01"):
        super().__init__(port)
        ends = (bytes.fromhex("68681616"), bytes.fromhex("55aa55aa"))
        self.head, self.tail = ends if magic == "guideline" else ends[::-1]
        self.order, self.encoding, self.key = order, encoding, key
        self.building, self.gateway, self.number = building, gateway, 0

    def cipher(self):
        return Cipher(algorithms.AES(self.key), modes.CBC(self.key))

    def frame(self, xml: str, sequence: bytes) -> bytes:
        plain = xml.encode(self.encoding)
        plain += b"\0" * ((16 - len(plain) % 16) % 16)
        worker = self.cipher().encryptor()
        part = sequence + worker.update(plain) + worker.finalize()
        return (self.head + struct.pack("<I", len(part)) + part
                + struct.pack("<H", binascii.crc_hqx(part, 0)) + self.tail)

    def xml(self, operation, element, kind=None):
        return (f"<root><common><building_id>{self.building}</building_id>"
                f"<gateway_id>{self.gateway}</gateway_id><type>{kind or operation}</type></common>"
                f"{element}</root>")

    def say(self, tag, operation, content="", sequence=None, **more) -> bytes:
        self.number += 1
        sequence = sequence or struct.pack("<I", self.number)
        element = f'<{tag} operation="{operation}">{content}</{tag}>'
        self.send(self.frame(self.xml(operation, element, **more), sequence))
        return sequence

    def read(self, seconds=5.0):
        """(sequence, XML) of the next frame."""
        deadline = time.monotonic() + seconds
        while True:
            start = self.buffer.find(self.head)
            if start >= 0 and len(self.buffer) >= start + 8:
                length = struct.unpack_from("<I", self.buffer, start + 4)[0]
                end = start + length + 14
                if len(self.buffer) >= end:
                    whole, self.buffer = self.buffer[start:end], self.buffer[end:]
                    part = whole[8:-6]
                    if struct.unpack("<H", whole[-6:-4])[0] != binascii.crc_hqx(part, 0):
                        raise AssertionError("a broken frame")
                    worker = self.cipher().decryptor()
                    plain = worker.update(part[4:]) + worker.finalize()
                    return part[:4], plain.rstrip(b"\0").decode(self.encoding)
            if not self.more(deadline - time.monotonic()):
                return None

    def login(self, secret="IJKLMNOPQRSTUVWX") -> str:
        self.say("id_validate", "request")
        number = re.search(r"<sequence>(\d{8})</sequence>", self.read()[1])[1]
        parts = (number, secret) if self.order == "sequence-secret" else (secret, number)
        told = hashlib.md5("".join(parts).encode()).hexdigest()
        self.say("id_validate", "md5", f"<md5>{told}</md5>")
        return re.search(r"<result>(\w+)</result>", self.read()[1])[1]

    def data(self, when, total=1, current=1, value="71204.8", error="", coding="01A10"):
        return (f"<sequence>1</sequence><parser>yes</parser><time>{when}</time>"
                f"<total>{total}</total><current>{current}</current>"
                f'<meter id="1"><function id="1" coding="{coding}" error="{error}">{value}</function>'
                f"</meter>")

    def report(self, when, operation="report", seconds=5.0, **more):
        """The answer to readings, when its sequence is theirs."""
        sequence = self.say("data", operation, self.data(when, **more))
        deadline = time.monotonic() + seconds
        while told := self.read(deadline - time.monotonic()):
            if told[0] == sequence:
                return told[1]
        return None


class Broker:
    """A mosquitto on a free port of 127.0.0.1."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        path = pathlib.Path(self.folder.name) / "mosquitto.conf"
        path.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        command = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen(
            [command, "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.is_up)

    def is_up(self):
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def tag(number: int, wire: int) -> bytes:
    return count(number << 3 | wire)


def count(value: int) -> bytes:
    """A protobuf varint."""
    parts = []
    while True:
        value, low = value >> 7, value & 0x7F
        parts.append(low | (0x80 if value else 0))
        if not value:
            return bytes(parts)


def block(number: int, data: bytes) -> bytes:
    return tag(number, 2) + count(len(data)) + data


def metric(name, datatype, value, stamp=1715313600000, alias=None, historical=False) -> bytes:
    """A metric; `value` is (field number, bytes on the wire after the tag) or None for null."""
    data = block(1, name.encode()) if name else b""
    data += tag(2, 0) + count(alias) if alias is not None else b""
    data += tag(3, 0) + count(stamp) + (tag(4, 0) + count(datatype) if datatype else b"")
    data += tag(5, 0) + b"\x01" if historical else b""
    if value is None:
        return data + tag(7, 0) + b"\x01"
    number, raw = value
    return data + tag(number, {12: 5, 13: 1, 15: 2, 16: 2}.get(number, 0)) + raw


def double(value: float):
    return 13, struct.pack("<d", value)


def payload(metrics, seq=None, stamp=1715313600000) -> bytes:
    data = tag(1, 0) + count(stamp) + b"".join(block(2, each) for each in metrics)
    return data + (tag(3, 0) + count(seq) if seq is not None else b"")


def temporary():
    """A path for a ledger that does not exist yet; its folder goes with this process."""
    folder = tempfile.mkdtemp(prefix="plumbline-peer-")
    atexit.register(shutil.rmtree, folder, True)
    return os.path.join(folder, "ledger.jsonl")
