"""A site of Modbus TCP meters for the real gateway: profiles, servers, configuration."""

import os
import random
import shutil
import socket
import socketserver
import struct
import threading
import time

from . import common

POINTS = 27  # of the meter below


class Tables:
    """What the meters answer: register blocks that go from one to the next each second."""

    def __init__(self, seed=7):
        noise = random.Random(seed)
        self.fast, self.energy = [], []
        total = 1000.0
        for second in range(256):
            total += noise.random()
            # 0x2006 to 0x2045 and 0x101E to 0x102F as float32: values with one decimal.
            self.fast.append(struct.pack(
                ">32f", *(2300 + noise.randrange(-40, 40) for _ in range(32))))
            self.energy.append(struct.pack(
                ">9f", *(round(total, 1) + k for k in range(9))))

    def read(self, unit, address, count):
        second = (int(time.time()) + unit * 7) % 256
        for base, table in ((0x2006, self.fast), (0x101E, self.energy)):
            begin = (address - base) * 2
            if 0 <= begin and begin + count * 2 <= len(table[second]):
                return table[second][begin:begin + count * 2]
        return None


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, tables):
        super().__init__(("127.0.0.1", 0), Connection)
        self.tables = tables
        self.answered = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rest = b""
        while True:
            try:
                piece = self.request.recv(4096)
            except OSError:
                return
            if not piece:
                return
            rest += piece
            while len(rest) >= 12:
                tid, _, length, unit, function, address, count = struct.unpack(">HHHBBHH", rest[:12])
                rest = rest[6 + length:]
                data = self.server.tables.read(unit, address, count)
                if data is None:
                    body = struct.pack(">BBB", unit, function | 0x80, 2)
                else:
                    body = struct.pack(">BBB", unit, function, len(data)) + data
                    self.server.answered += count // 2
                try:
                    self.request.sendall(struct.pack(">HHH", tid, 0, len(body)) + body)
                except OSError:
                    return


def share(place, periods):
    """A folder with Devices, Config and Dashboards, and a meter for each period in seconds."""
    target = f"{place}/share"
    os.mkdir(target)
    for name in ("Devices", "Config"):
        shutil.copytree(f"{common.ROOT}/{name}", f"{target}/{name}")
    os.symlink(f"{common.ROOT}/Dashboards", f"{target}/Dashboards")
    with open(f"{common.ROOT}/Devices/chint/dtsu666.yaml") as file:
        text = file.read()
    for period in periods:
        own = text.replace("id: chint/dtsu666", f"id: chint/meter-{period}s")
        own = own.replace("max_registers: 40", "max_registers: 125")
        own = own.replace("quiet_time: 100ms", "quiet_time: 0ms")
        own = own.replace("{fast: 5s, slow: 60s}", f"{{fast: {period}s}}")
        own = own.replace("poll: slow, ", "")
        with open(f"{target}/Devices/chint/meter-{period}s.yaml", "w") as file:
            file.write(own)
    return target


def configuration(place, data, links):
    """Writes site.yaml; `links` holds (port, [(device, unit, period)]). Its path and API port."""
    port = common.free_port()
    text = f"""site:
  id: bench
  name: Benchmark
  timezone: Asia/Shanghai
  phase: operation
data:
  directory: {data}
  retention: {{ raw: 400 d }}
clock: {{ trust: system }}
links:
"""
    for number, (server, devices) in enumerate(links):
        text += f"  - id: bus-{number}\n    modbus: tcp://127.0.0.1:{server}\n    devices:\n"
        for device, unit, period in devices:
            text += f"      - {{ id: {device}, profile: chint/meter-{period}s, unit: {unit} }}\n"
    text += f'api: {{ listen: "127.0.0.1:{port}" }}\n'
    path = f"{place}/site.yaml"
    with open(path, "w") as file:
        file.write(text)
    return path, port
