"""Sites for the field figures: profiles, configurations, the gateway under observation."""

import contextlib
import json
import os
import shutil
import subprocess
import time

from . import common, gateway

TICK = os.sysconf("SC_CLK_TCK")


def compiled(scratch):
    """The C programs of Benchmarks/field, built with the machine's compiler. Their folder."""
    target = f"{scratch}/field-programs"
    os.makedirs(target, exist_ok=True)
    for name in sorted(os.listdir(f"{common.HERE}/field")):
        source, program = f"{common.HERE}/field/{name}", f"{target}/{name[:-2]}"
        if os.path.exists(program) and os.path.getmtime(program) >= os.path.getmtime(source):
            continue
        answer = subprocess.run(
            ["cc", "-O2", "-Wall", "-Wextra", "-I/usr/include/modbus", "-o", program, source,
             "-lmodbus", "-lmosquitto"], capture_output=True, text=True)
        if answer.returncode != 0:
            raise common.Missing(f"{name}: {answer.stderr.strip()[-400:]}")
    return target


# --- what other processes did ---------------------------------------------------------------------

def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def metrics(port):
    """The sums of /metrics over all labels, by name."""
    status, body = common.request(port, "GET", "/metrics", timeout=30)
    if status != 200:
        raise common.Missing(f"/metrics answers {status}")
    sums = {}
    for line in body.decode().splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            name = name.split("{", 1)[0]
            sums[name] = sums.get(name, 0) + float(value)
    return sums


class Look:
    """One look at a running gateway; the difference of two is a measurement."""

    def __init__(self, process, port):
        before = time.monotonic()
        sums = metrics(port)
        self.at = (before + time.monotonic()) / 2
        self.cpu = cpu_seconds(process.pid)
        self.values = sums.get("plumbline_readings_committed_total", 0)
        self.requests = sums.get("plumbline_link_requests_total", 0)
        self.failures = sums.get("plumbline_link_failures_total", 0)
        self.missed = sums.get("plumbline_slots_missed_total", 0)
        self.dropped = sums.get("plumbline_readings_dropped_total", 0)
        self.behind = sums.get("plumbline_evaluation_behind_rows", 0)
        self.commits = sums.get("plumbline_commits_total", 0)


def between(first, last):
    seconds = last.at - first.at
    values = last.values - first.values
    cpu = last.cpu - first.cpu
    return {
        "seconds": round(seconds, 2), "values_per_s": values / seconds,
        "requests_per_s": (last.requests - first.requests) / seconds,
        "commits_per_s": (last.commits - first.commits) / seconds,
        "cpu_percent": 100 * cpu / seconds,
        "cpu_us_per_value": 1e6 * cpu / values if values else None,
        "missed_slots": last.missed - first.missed, "failures": last.failures - first.failures,
        "dropped": last.dropped - first.dropped, "behind_rows": last.behind,
        "load_average": round(os.getloadavg()[0], 1)}


# --- sites ----------------------------------------------------------------------------------------

def point_keys(count):
    """Points that the vocabulary has a hundred of."""
    keys = [f"conductor_temperature.ch{n}" for n in range(1, 100)]
    keys += [f"residual_current.ch{n}" for n in range(1, 100)]
    return keys[:count]


def register_profile(name, points, period, *, registers=None, quiet="0ms", timeout="1s",
                     serial=None):
    """uint16 registers from 0 on, one a point; `registers` reads more than is decoded."""
    count = registers or points
    # The vector proves no more than that the profile is read as it is meant.
    given = ", ".join(f'holding/0x{n:02X}: "{200 + n:04X}"' for n in range(count))
    expected, lines = [], []
    for number, key in enumerate(point_keys(points)):
        unit = "Cel" if key.startswith("conductor") else "A"
        lines.append(f"      {key}: {{at: holding/0x{number:02X}, scale: 0.1, unit: {unit}}}")
        expected.append(f"{key}: {(200 + number) / 10}")
    blocks = f"    blocks: [{{at: holding/0x00, count: {registers}}}]\n" if registers else ""
    return f"""format: device-profile/1
device:
  id: bench/{name}
  vendor: {{en: Bench, zh: 基准}}
  models: [{name}]
  kind: meter.electric
  title: {{en: Registers of a benchmark, zh: 基准测试}}
provenance:
  status: community
  checked: "2026-11-21"
  sources: [{{ref: "the benchmark's own server", covers: [addresses, types, scales]}}]
interfaces:
  net:
    protocol: modbus
    unit: 1
    serial: {{baud: {serial or 9600}, data_bits: 8, parity: none, stop_bits: 1}}
    word_order: high_first
    byte_order: high_first
    limits: {{max_registers: 125, response_timeout: {timeout}, quiet_time: {quiet}}}
    identify: [{{at: holding/0x00, type: uint16, between: [0, 65535]}}]
{blocks}    polls: {{fast: {period}}}
    defaults: {{type: uint16, poll: fast}}
    points:
{chr(10).join(lines)}
    tests:
      - name: registers in tenths
        given: {{{given}}}
        expect: {{{", ".join(expected)}}}
"""


MESSAGE_POINTS = {
    "air_temperature": ("$.temperature", "Cel", 21.5), "relative_humidity": ("$.humidity", '"%RH"', 43.1),
    "air_pressure": ("$.pressure", "hPa", 1002), "pm2_5": ("$.pm25", "ug/m3", 21),
    "pm10": ("$.pm10", "ug/m3", 44), "tsp": ("$.tsp", "ug/m3", 66),
    "sound_level": ("$.noise", "dB(A)", 55.5), "wind_speed": ("$.wind", "m/s", 3.3)}


def message_profile():
    points = "\n".join(f"      {key}: {{at: {path}, unit: {unit}}}"
                       for key, (path, unit, _) in MESSAGE_POINTS.items())
    payload = ", ".join(f'{path[2:]}: {value}' for path, _, value in MESSAGE_POINTS.values())
    expected = ", ".join(f"{key}: {value * 100 if unit == 'hPa' else value}"
                         for key, (_, unit, value) in MESSAGE_POINTS.items())
    return f"""format: device-profile/1
device:
  id: bench/station
  vendor: {{en: Bench, zh: 基准}}
  models: [station]
  kind: station.dust-noise
  title: {{en: Messages of a benchmark, zh: 基准测试}}
provenance:
  status: community
  checked: "2026-11-21"
  sources: [{{ref: "the benchmark's own publisher", covers: [fields, units]}}]
interfaces:
  mqtt:
    protocol: mqtt
    subscribe: "bench/{{device}}"
    qos: 1
    payload: json
    device_key: "{{device}}"
    time: {{at: $.ts, format: epoch-s, max_skew: 12h, else: reject}}
    points:
{points}
    tests:
      - name: a message
        given: {{topic: bench/d1, payload: {{ts: 1700000000, {payload}}}}}
        expect: {{{expected}}}
        time: "2023-11-14T22:13:20Z"
"""


class Site:
    """Profiles and a configuration in a folder of their own, and the gateway that runs them."""

    def __init__(self, place, profiles, links, *, uplinks=""):
        os.makedirs(f"{place}/share/Devices/bench")
        shutil.copy(f"{common.ROOT}/Devices/vocabulary.yaml", f"{place}/share/Devices")
        for name, text in profiles.items():
            with open(f"{place}/share/Devices/bench/{name}.yaml", "w") as file:
                file.write(text)
        shutil.copytree(f"{common.ROOT}/Config", f"{place}/share/Config")
        os.symlink(f"{common.ROOT}/Dashboards", f"{place}/share/Dashboards")
        self.place, self.port = place, common.free_port()
        with open(f"{place}/site.yaml", "w") as file:
            file.write(f"""site: {{id: bench, name: Benchmark, timezone: Asia/Shanghai, phase: operation, floor_area: 1 m2, occupants: 1}}
data: {{directory: {place}/data, retention: {{raw: 400 d}}, max_size: 8 GiB}}
clock: {{trust: system}}
links:
{links}{uplinks}api: {{listen: "127.0.0.1:{self.port}"}}
""")

    @contextlib.contextmanager
    def running(self, binaries):
        log = f"{self.place}/run.log"
        with common.running(
                [f"{binaries}/plumbline", "run", "--config", f"{self.place}/site.yaml", "--share",
                 f"{self.place}/share", "--log-level", "warning"], log) as process:
            try:
                common.wait_until(lambda: process.poll() is not None or gateway.is_ready(self.port),
                                  60, "the gateway")
                if process.poll() is not None:
                    raise common.Missing("plumbline run ended")
                yield process
            except (common.Missing, OSError) as why:
                with open(log, errors="replace") as file:
                    raise common.Missing(f"{why}: {file.read()[-1500:].strip()}") from why

    def measure(self, process, settle, seconds):
        time.sleep(settle)
        first = Look(process, self.port)
        time.sleep(seconds)
        figures = between(first, Look(process, self.port))
        figures["memory"] = gateway.memory(process.pid)
        return figures


def modbus_link(number, port, units, profile):
    text = f"  - id: bus-{number}\n    modbus: tcp://127.0.0.1:{port}\n    devices:\n"
    return text + "".join(
        f"      - {{id: d{number}-{unit}, profile: bench/{profile}, unit: {unit}}}\n"
        for unit in units)


@contextlib.contextmanager
def modbus_server(programs, latency=0):
    process = subprocess.Popen([f"{programs}/modbus_server", str(latency)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        yield process, int(process.stdout.readline())
    finally:
        common.stop(process)


@contextlib.contextmanager
def broker(place, window=1000):
    port = common.free_port()
    with open(f"{place}/broker.conf", "w") as file:
        file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
                   f"max_queued_bytes 0\nmax_inflight_messages {window}\npersistence false\n"
                   "set_tcp_nodelay true\n")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with common.running([program, "-c", f"{place}/broker.conf"], f"{place}/broker.log") as process:
        import socket

        def answers():
            with socket.create_connection(("127.0.0.1", port), 1):
                return True
        common.wait_until(answers, 10, "the broker")
        yield process, port


def json_of(command, timeout=600):
    answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if answer.returncode != 0:
        raise common.Missing(f"{os.path.basename(command[0])}: {answer.stderr.strip()[-300:]}")
    return json.loads(answer.stdout.strip().splitlines()[-1])
