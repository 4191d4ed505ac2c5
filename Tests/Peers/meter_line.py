"""One line with a DL/T 645-2007 meter, a CJ/T 188 water meter and a Modbus unit, from their standards.

    meter_line.py --pty PATH | --listen

The watt-hour meter 123456789012 has 123456.78 kWh forward, 6.35 kWh backward, 230.5 V on phase a, 231.0 and
229.9 on b and c, -1.2345 kW and 50.02 Hz; it refuses every other item (error word 2). The water meter
78330011223344 has 556677.00 m3. Modbus unit 1 holds each register's own address. The line echoes nothing, and
nobody answers to other addresses. The first line on standard output is `listening <port>`.
"""
import os
import signal
import socket
import sys
import threading
import tty

ITEMS = {
    "00010000": "78563412",
    "00020000": "35060000",
    "0201FF00": "052310239922",
    "02030000": "452381",
    "02800002": "0250",
}
ITEMS["0201FF00"] = "0523" + "1023" + "9922"
METER = bytes.fromhex("129078563412")
WATER = bytes.fromhex("44332211003378")
FLOW = bytes.fromhex("007766552C007766552C31012211051520" + "2184")


def closed(body):
    return body + bytes([sum(body) & 0xFF, 0x16])


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return bytes([value & 0xFF, value >> 8])


def watt_hours(frame):
    """The answer to 68 A0-A5 68 C L data CS 16, or None."""
    address, control, data = frame[1:7], frame[8], frame[10:-2]
    if address != METER and address != b"\xaa" * 6:
        return None
    if control == 0x13:
        body = bytes([0x68]) + METER + bytes([0x68, 0x93, 6]) + bytes((b + 0x33) & 0xFF for b in METER)
        return closed(body)
    item = bytes((b - 0x33) & 0xFF for b in data[:4])[::-1].hex().upper()
    if control != 0x11 or item not in ITEMS:
        return closed(bytes([0x68]) + METER + bytes([0x68, control | 0xC0, 1, 0x02 + 0x33]))
    answer = data[:4] + bytes((b + 0x33) & 0xFF for b in bytes.fromhex(ITEMS[item]))
    head = bytes([0x68]) + METER + bytes([0x68, 0x91, len(answer)])
    return b"\xfe\xfe" + closed(head + answer)


def water(frame):
    """The answer to 68 T A0-A6 C L data CS 16, or None."""
    kind, address, control, data = frame[1], frame[2:9], frame[9], frame[11:-2]
    if kind != 0x10 or (address != WATER and address != b"\xaa" * 7) or control != 0x01:
        return None
    body = data[:3] + FLOW
    return closed(bytes([0x68, kind]) + WATER + bytes([0x81, len(body)]) + body)


def answer(received):
    """(bytes used, answer): a whole request at the front, or one byte of noise."""
    if received[0] == 0x68:
        if len(received) < 12:
            return 0, None
        is_energy = received[7] == 0x68
        length = 12 + received[9] if is_energy else 13 + received[10]
        if len(received) < length:
            return 0, None
        frame = received[:length]
        if frame[-1] != 0x16 or sum(frame[:-2]) & 0xFF != frame[-2]:
            return 1, None
        return length, watt_hours(frame) if is_energy else water(frame)
    if received[0] == 1 and len(received) >= 8 and crc(received[:6]) == received[6:8]:
        start = int.from_bytes(received[2:4], "big")
        count = int.from_bytes(received[4:6], "big")
        body = bytes([1, received[1], 2 * count]) + b"".join(
            (start + i).to_bytes(2, "big") for i in range(count)
        )
        return 8, body + crc(body)
    if received[0] == 1 and len(received) < 8:
        return 0, None
    return 1, None


def serve(read, write):
    received = b""
    while chunk := read():
        received += chunk
        while received:
            used, reply = answer(received)
            if used == 0:
                break
            received = received[used:]
            if reply:
                write(reply)


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if "--pty" in sys.argv:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), sys.argv[sys.argv.index("--pty") + 1])
        print("listening 0", flush=True)
        serve(lambda: os.read(master, 1024), lambda data: os.write(master, data))
    server = socket.create_server(("127.0.0.1", 0))
    print("listening", server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        threading.Thread(
            target=serve, args=(lambda: connection.recv(1024), connection.sendall), daemon=True
        ).start()


main()
