"""A Modbus RTU slave, written from the frame's description, that misbehaves by address.

    rtu_slave.py --listen                       bytes of the line over TCP, as a serial server sends them
    rtu_slave.py --pty PATH                     a pseudo terminal; PATH becomes a link to it
    rtu_slave.py --call PORT [--say TEXT]       calls 127.0.0.1:PORT as a serial server does, says TEXT first
    rtu_slave.py --pump PATH PORT               a pseudo terminal in front of a TCP server that speaks RTU

A register holds its own address. Units 1 to 31 are there, 99 is not. A block that begins at one of
these does what is said:

    1000  answers after --delay seconds (default 0.5)
    1002  one register less than asked for
    1003  exception 6 (busy)         1016  exception 6 once, then an answer
    1004  never answers
    1006  the first half of the answer
    1007  byte by byte
    1008  another function code
    1010  another unit's answer
    1011  a wrong checksum
    1012  an echo of the request, then the answer
    1013  the heartbeat of a serial server, then the answer
    1014  three hundred bytes of noise, then the answer

`--mute N` answers N requests and then none on this connection, though it stays open. The first line
on standard output is `listening <port>` (0 where there is none).
"""
import os
import random
import select
import signal
import socket
import sys
import threading
import time
import tty


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


DELAY = float(option("--delay", "0.5"))
MUTE = int(option("--mute", "1000000000"))
SAY = option("--say", "").encode()
busy_once = set()


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return bytes([value & 0xFF, value >> 8])


def framed(body):
    return body + crc(body)


def serve(read, write):
    """Answers until `read` returns nothing."""
    received, count = b"", 0
    while True:
        chunk = read()
        if not chunk:
            return
        received += chunk
        # Requests of eight bytes; what does not check is noise and costs one byte.
        while len(received) >= 8:
            request, rest = received[:8], received[8:]
            if crc(request[:6]) != request[6:8]:
                received = received[1:]
                continue
            received = rest
            count += 1
            if count <= MUTE:
                answer(request, write)


def answer(request, write):
    unit, function = request[0], request[1]
    address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
    if unit > 31 or address == 1004:
        return
    if function in (5, 6):
        write(request)
        return
    if address == 1003 or (address == 1016 and address not in busy_once):
        busy_once.add(address)
        write(framed(bytes([unit, function | 0x80, 6])))
        return
    given = count - 1 if address == 1002 else count
    if function in (1, 2):
        data = bytes([0b01010101] * ((given + 7) // 8))
    else:
        data = b"".join(((address + i) & 0xFFFF).to_bytes(2, "big") for i in range(given))
    code = (7 - function) if address == 1008 else function
    owner = unit + 1 if address == 1010 else unit
    frame = framed(bytes([owner, code, len(data)]) + data)
    if address == 1000:
        time.sleep(DELAY)
    elif address == 1006:
        frame = frame[: len(frame) // 2]
    elif address == 1011:
        frame = frame[:-1] + bytes([frame[-1] ^ 0x10])
    elif address == 1012:
        frame = request + frame
    elif address == 1013:
        frame = b"ping:DTU-0017\r\n" + frame
    elif address == 1014:
        noise = random.Random(1014)
        frame = bytes(noise.randrange(256) for _ in range(300)) + frame
    if address == 1007:
        for byte in frame:
            write(bytes([byte]))
            time.sleep(0.004)
    else:
        write(frame)


def over(connection):
    def read():
        try:
            return connection.recv(1024)
        except OSError:
            return b""

    def write(data):
        try:
            connection.sendall(data)
        except OSError:
            pass

    serve(read, write)
    connection.close()


def terminal(path):
    master, slave = os.openpty()
    tty.setraw(slave)
    os.symlink(os.ttyname(slave), path)
    return master, slave


def pump(path, port):
    master, slave = terminal(path)
    server = socket.create_connection(("127.0.0.1", port))
    print("listening 0", flush=True)
    while True:
        for ready in select.select([master, server], [], [])[0]:
            if ready is server:
                data = server.recv(1024)
                if not data:
                    return
                os.write(master, data)
            else:
                server.sendall(os.read(master, 1024))


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if "--pty" in sys.argv:
        master, slave = terminal(option("--pty"))
        print("listening 0", flush=True)
        serve(lambda: os.read(master, 1024), lambda data: os.write(master, data))
    elif "--pump" in sys.argv:
        place = sys.argv.index("--pump")
        pump(sys.argv[place + 1], int(sys.argv[place + 2]))
    elif "--call" in sys.argv:
        print("listening 0", flush=True)
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", int(option("--call"))))
            except OSError:
                time.sleep(0.05)
                continue
            if SAY:
                connection.sendall(SAY)
            over(connection)
            time.sleep(0.05)
    else:
        server = socket.create_server(("127.0.0.1", int(option("--port", "0"))))
        print("listening", server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=over, args=(connection,), daemon=True).start()


main()
