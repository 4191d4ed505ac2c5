"""How long the gateway takes to notice that a platform is gone which never said goodbye.

    half_open.py [--within SECONDS]

In a network of its own (unshare, no privileges needed), gateway and platforms talk until each has
taken something; then the network is taken down, so that no packet arrives and none is refused. For
each platform the time until the log says "uplink down" is printed; 1 is the exit code when one takes
longer than the limit, 77 when the kernel grants no such network.
"""

import argparse
import ctypes
import fcntl
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, "Tests/Peers")
MN, BUILDING = "010000A8900016F000169DC0", "330302D110"
KEY = "0102030405060708090A0B0C0D0E0F10"
CLONE_NEWUSER, CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x10000000, 0x40000000, 0x8914, 1


def enter_own_network():
    """Puts this process into a network that has nothing but a loopback of its own."""
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        print("skipped because the kernel grants no network of its own")
        sys.exit(77)
    for name, text in [("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                       ("gid_map", f"0 {group} 1")]:
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def set_loopback(is_up: bool):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", IFF_UP if is_up else 0) + bytes(14)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


class Programs:
    """What was started, in order; all of it is ended, by its own number."""

    def __init__(self):
        self.started = []

    def start(self, arguments, **more):
        program = subprocess.Popen(arguments, text=True, **more)
        self.started.append(program)
        return program

    def peer(self, script, *arguments):
        """Starts a peer and returns its first line: a JSON object, or `listening PORT`."""
        program = self.start([sys.executable, "-u", os.path.join(PEERS, script), *arguments],
                             stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        line = program.stdout.readline()
        return json.loads(line) if line.startswith("{") else int(line.split()[-1])

    def end(self):
        for program in reversed(self.started):
            program.send_signal(signal.SIGKILL)
            program.wait()


def site(folder, modbus, dust, energy, broker):
    for name, text in [("pw", "123456"), ("secret", "IJKLMNOPQRSTUVWX"), ("key", KEY)]:
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)
    text = f"""
site: {{ id: half-open, name: half-open, timezone: Asia/Shanghai, phase: construction }}
data: {{ directory: {folder}/data }}
clock: {{ trust: system }}
api: {{ listen: 127.0.0.1:{free_port()} }}
links:
  - id: line
    modbus: tcp://127.0.0.1:{modbus}
    lateness: 2 s
    devices:
      - {{ id: meter-1, profile: eastron/sdm630, unit: 1 }}
      - {{ id: dust-1, profile: renke/louvre-500, unit: 21 }}
uplinks:
  - id: hj212
    hj212: tcp://127.0.0.1:{dust}
    password: {{ file: {folder}/pw }}
    factors: {ROOT}/Config/uplinks/hj212-factors.yaml
    particulates: mg/m3
    realtime: 30 s
    stations: [ {{ mn: "{MN}", devices: [dust-1] }} ]
  - id: building-energy
    building_energy: tcp://127.0.0.1:{energy}
    building: {BUILDING}
    gateway: "01"
    secret: {{ file: {folder}/secret }}
    key: {{ file: {folder}/key }}
    initial_vector: {{ file: {folder}/key }}
    codes: {ROOT}/Config/uplinks/building-energy-codes.yaml
    period: 1 min
    gather: 5 s
    meters: [ {{ meter: "01", series: meter-1.active_energy.import.total, carrier: electricity }} ]
  - id: mqtt
    mqtt: mqtt://127.0.0.1:{broker}
    topic: site/test
    resolution: 1min
"""
    with open(f"{folder}/site.yaml", "w") as file:
        file.write(text)
    return f"{folder}/site.yaml"


def taken(platform) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{platform['control']}/ledger") as answer:
        return len(json.load(answer))


def free_port() -> int:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


def run(folder, programs, limit):
    registers = "0x1F4=0x0017,2,0,0x0113,0x0262,0xFFDD,0x0271,0x002D,0x00B4,0x03F5,1,0x86A0,0,0x007D"
    meter = ["--unit", "1", "--input", "0=" + ",".join(["0"] * 0x48 + ["0x4640", "0xE700"] + ["0"] * 0x136)]
    modbus = programs.peer("modbus_server.py", *meter, "--unit", "21", "--holding", registers)
    dust = programs.peer("hj212_host.py", "--pw", "123456", "--mn", MN, "--st", "39")
    energy = programs.peer("energy_station.py", "--building", BUILDING, "--gateway", "01")
    broker = free_port()
    with open(f"{folder}/broker.conf", "w") as file:
        file.write(f"listener {broker} 127.0.0.1\nallow_anonymous true\nuser root\n")
    programs.start(["/usr/sbin/mosquitto", "-c", f"{folder}/broker.conf"], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    messages = programs.peer("mqtt_platform.py", "--broker", str(broker), "--style", "plain")
    gateway = programs.start(
        [os.environ.get("PLUMBLINE", f"{ROOT}/.build/debug/plumbline"), "run", "--config",
         site(folder, modbus, dust["port"], energy["port"], broker), "--share", ROOT],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    lines = queue.Queue()
    threading.Thread(
        target=lambda: [lines.put((time.monotonic(), line)) for line in gateway.stderr],
        daemon=True).start()
    begin = time.monotonic()
    while min(map(taken, (dust, energy, messages))) == 0:
        if time.monotonic() - begin > 180 or gateway.poll() is not None:
            while not lines.empty():
                print(lines.get()[1], end="")
            raise SystemExit("the platforms have not taken anything")
        time.sleep(0.5)
    while not lines.empty():
        lines.get()
    set_loopback(False)
    cut = time.monotonic()
    found = {}
    while len(found) < 3 and time.monotonic() - cut < 3 * limit:
        try:
            at, line = lines.get(timeout=1)
        except queue.Empty:
            continue
        name = next((n for n in ("hj212", "building-energy", "mqtt") if f"uplink={n}" in line), None)
        if name and "uplink down" in line and name not in found:
            found[name] = at - cut
            print(f"torture: {name} was found gone after {found[name]:.1f} s", flush=True)
    for name in {"hj212", "building-energy", "mqtt"} - set(found):
        print(f"torture: {name} was not found gone within {3 * limit} s")
    return len(found) == 3 and max(found.values()) <= limit


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--within", type=float, default=30)
    options = parser.parse_args()
    enter_own_network()
    set_loopback(True)
    programs = Programs()
    with tempfile.TemporaryDirectory() as folder:
        try:
            is_good = run(folder, programs, options.within)
        finally:
            programs.end()
    sys.exit(0 if is_good else 1)


main()
