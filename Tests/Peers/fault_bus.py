"""A bus of thirty-one units that misbehave by unit; plain sockets, one request after the other.

    fault_bus.py [--framer rtu] [--port N] [--pace S] [--log PATH] [--write PATH] [--fault UNIT=KIND[:X]]…

Registers 0 to 999 of unit u hold u * 1000 + address: a value in a wrong place is seen at once. Bits hold
the parity of the address until they are written. Like units behind one serial line, they are asked one
after the other: whoever is waited for holds up the others. `--framer rtu` sends the bytes of the line,
as a serial server does. `--pace S` is the time to think of every unit.

A fault is one of
    late:S          the answer comes S seconds later          silent          no answer
    late-once:S     the same, for every third request         silent-after:N  none after N answers
    bytes           byte by byte                              mute-after:N    the whole connection, after N
    short           one register less                         exception:N     refused with N
    busy-once       exception 6 to every second request       hole:A          A is refused with exception 2
    wrong-id        another transaction's answer (TCP), another unit's (RTU)
    stale           an earlier answer first, then the right one
    babble          noise, then the answer                    broadcast       a broadcast of somebody, then the answer
    quiet:S         a request that comes sooner than S after the last answer is not heard
    hang-up:N       the connection is closed after N answers
    chaos:SEED      one of these for each request, as the seed wants
Unit 0 stands for every unit. `--log` gets `time connection unit function address count` for each
request. The first line on standard output is `listening <port>`.
"""
import argparse
import random
import signal
import socket
import struct
import os
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--framer", default="tcp")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--pace", type=float, default=0)
parser.add_argument("--log")
parser.add_argument("--fault", action="append", default=[])
options = parser.parse_args()
RTU = options.framer == "rtu"
CHAOS = ["none"] * 12 + ["late:0.13", "late:0.22", "bytes", "short", "exception:6", "stale", "silent",
         "wrong-id", "exception:4"] + (["babble", "broadcast"] if RTU else [])

faults = {}
for text in options.fault:
    unit, _, kind = text.partition("=")
    faults[int(unit)] = kind
log = open(options.log, "a", buffering=1) if options.log else None
line = threading.Lock()
random_of, coils, answered, asked, last_end = {}, {}, {}, {}, {}


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return bytes([value & 0xFF, value >> 8])


def frame(transaction, unit, pdu):
    if RTU:
        body = bytes([unit]) + pdu
        return body + crc(body)
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def receive(connection, size):
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise ConnectionError
        data += chunk
    return data


def request(connection, buffer):
    """The next request: transaction, unit, function, address, count or value."""
    if not RTU:
        transaction, _, length, unit = struct.unpack(">HHHB", receive(connection, 7))
        function, address, count = struct.unpack(">BHH", receive(connection, length - 1)[:5])
        return transaction, unit, function, address, count
    while len(buffer) < 8 or crc(buffer[:6]) != bytes(buffer[6:8]):
        if len(buffer) >= 8:
            del buffer[0]
        else:
            buffer += receive(connection, 1)
    unit, function, address, count = struct.unpack(">BBHH", bytes(buffer[:6]))
    del buffer[:8]
    return 0, unit, function, address, count


def content(unit, function, address, count):
    """The PDU of a healthy answer."""
    if function == 5:
        coils[unit, address] = int(count == 0xFF00)
        return struct.pack(">BHH", function, address, count)
    if function in (1, 2):
        data = bytearray((count + 7) // 8)
        for i in range(count):
            data[i // 8] |= coils.get((unit, address + i), (address + i) & 1) << i % 8
    else:
        data = b"".join(struct.pack(">H", (unit * 1000 + address + i) & 0xFFFF) for i in range(count))
    return bytes([function, len(data)]) + data


def answer(send, transaction, unit, function, address, count):
    kind = faults.get(unit, faults.get(0, "none"))
    if kind.startswith("chaos"):
        seed = kind.partition(":")[2]
        kind = random_of.setdefault(unit, random.Random(f"{seed}-{unit}")).choice(CHAOS)
    kind, _, argument = kind.partition(":")
    number = asked[unit] = asked.get(unit, 0) + 1
    pdu = content(unit, function, address, count)
    time.sleep(options.pace)
    if kind == "silent" or (kind == "silent-after" and answered.get(unit, 0) >= int(argument)):
        return
    if kind == "quiet" and time.monotonic() - last_end.get(unit, 0) < float(argument):
        return
    if kind == "late" or (kind == "late-once" and number % 3 == 1):
        time.sleep(float(argument))
    if kind == "exception" or (kind == "busy-once" and number % 2 == 1):
        pdu = bytes([function | 0x80, int(argument or 6)])
    if kind == "hole" and address <= int(argument) < address + count:
        pdu = bytes([function | 0x80, 2])
    if kind == "short":
        pdu = content(unit, function, address, max(1, count - 1))
        if count == 1:
            pdu = bytes([function, 1, 0])
    whole = frame(transaction, unit, pdu)
    if kind == "wrong-id":
        other = content(unit % 31 + 1, function, address, count)
        whole = frame(0, unit % 31 + 1, other) if RTU else frame(transaction ^ 0x5555, unit, other)
    if kind == "stale":
        # The neighbour's registers, as an answer that was meant for another question.
        other = content(unit % 31 + 1, function, address, count)
        whole = frame(transaction - 1 & 0xFFFF, unit % 31 + 1, other) + whole
    if kind == "broadcast":
        whole = frame(0, 0, struct.pack(">BHH", 6, 0, 1)) + whole
    if kind == "babble":
        noise = random.Random(number)
        whole = bytes(noise.randrange(256) for _ in range(60)) + whole
    answered[unit] = answered.get(unit, 0) + 1
    if kind == "bytes":
        for byte in whole:
            send(bytes([byte]))
            time.sleep(0.002)
    else:
        send(whole)
    last_end[unit] = time.monotonic()


def serve(number, connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    everybody = faults.get(0, "").partition(":")
    limit = int(everybody[2]) if everybody[0] in ("mute-after", "hang-up") else None
    done, buffer = 0, bytearray()
    try:
        while True:
            question = request(connection, buffer)
            if log:
                print(f"{time.monotonic():.6f}", number, *question[1:], file=log)
            if limit is not None and done >= limit:
                if everybody[0] == "hang-up":
                    break
                continue
            with line:
                answer(connection.sendall, *question)
            done += 1
    except OSError:
        pass
    connection.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = socket.create_server(("127.0.0.1", options.port))
    print("listening", server.getsockname()[1], flush=True)
    number = 0
    while True:
        connection, _ = server.accept()
        number += 1
        threading.Thread(target=serve, args=(number, connection), daemon=True).start()


main()
