"""The demo, reporting to strict receivers as well: HJ 212, the building energy upload, remote write.

    demo_platforms.py PROGRAM [options of 'demo' …]

Starts the receivers on free ports of 127.0.0.1, writes the list of platforms that a site would have
in its configuration, and runs `PROGRAM demo --uplinks` with it. The demo's own broker gets everything
over MQTT besides. All of it ends with the demo.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = HERE.parent.parent / "Config" / "uplinks"
MN = "010000A8900016F000169DC0"
BUILDING = "330302D110"
PASSWORD, SECRET, KEY = "123456", "IJKLMNOPQRSTUVWX", "0102030405060708090A0B0C0D0E0F10"
ENGINE = "/usr/bin/victoria-metrics"

UPLINKS = """
- id: city-dust
  hj212: tcp://127.0.0.1:{dust}
  password: {{ file: {folder}/password }}
  factors: {config}/hj212-factors.yaml
  particulates: mg/m3
  realtime: 30 s
  minutes: 1 min
  boot: true
  stations: [ {{ mn: "{mn}", devices: [dust-north] }} ]
- id: district
  building_energy: tcp://127.0.0.1:{energy}
  building: {building}
  gateway: "01"
  secret: {{ file: {folder}/secret }}
  key: {{ file: {folder}/key }}
  initial_vector: {{ file: {folder}/key }}
  codes: {config}/building-energy-codes.yaml
  period: 1 min
  meters:
    - {{ meter: "01", series: meter-main.active_energy.import.total, carrier: electricity }}
"""
FLEET = """
- id: fleet
  http: http://127.0.0.1:{engine}/api/v1/write
  format: remote-write/1
  resolution: 1min
"""


def judge(children, script, *arguments):
    """Starts a receiver; gives what it says when it is ready."""
    child = subprocess.Popen(
        [sys.executable, "-u", str(HERE / script), "--port", "0", *arguments],
        stdout=subprocess.PIPE, text=True, start_new_session=True)
    children.append(child)
    return json.loads(child.stdout.readline())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def count(place, what):
    with urllib.request.urlopen(f"http://127.0.0.1:{place['control']}/{what}", timeout=5) as answer:
        return len(json.load(answer))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    children, folder = [], tempfile.mkdtemp(prefix="plumbline-platforms-")
    try:
        for name, text in (("password", PASSWORD), ("secret", SECRET), ("key", KEY)):
            (pathlib.Path(folder) / name).write_text(text)
        dust = judge(children, "hj212_host.py", "--pw", PASSWORD, "--mn", MN, "--st", "39",
                     "--min-interval", "1")
        energy = judge(children, "energy_station.py", "--secret", SECRET, "--building", BUILDING,
                       "--gateway", "01")
        uplinks = UPLINKS.format(dust=dust["port"], energy=energy["port"], folder=folder,
                                 config=CONFIG, mn=MN, building=BUILDING)
        print(f"  HJ 212:      curl http://127.0.0.1:{dust['control']}/ledger")
        print(f"  Energy:      curl http://127.0.0.1:{energy['control']}/ledger")
        if os.access(ENGINE, os.X_OK):
            engine = free_port()
            children.append(subprocess.Popen(
                [ENGINE, f"-storageDataPath={folder}/engine", "-loggerLevel=ERROR",
                 f"-httpListenAddr=127.0.0.1:{engine}"], start_new_session=True))
            uplinks += FLEET.format(engine=engine)
            print(f"  Engine:      http://127.0.0.1:{engine}/vmui")
        else:
            print(f"  Engine:      none, {ENGINE} is not installed")
        sys.stdout.flush()
        path = pathlib.Path(folder) / "platforms.yaml"
        path.write_text(uplinks)
        demo = subprocess.Popen([*sys.argv[1:2], "demo", "--uplinks", str(path), *sys.argv[2:]])
        # Ctrl-C reaches the demo by itself; it ends in order, and so do we.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: demo.terminate())
        status = demo.wait()
        for name, place in (("HJ 212", dust), ("energy", energy)):
            print(f"{name}: took {count(place, 'ledger')}, refused {count(place, 'refused')}")
        return status
    finally:
        for child in children:
            child.terminate()
            child.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
