"""VictoriaMetrics, InfluxDB 1.6 and plain SQLite tables, fed with the same corpus."""

import contextlib
import json
import os
import sqlite3
import struct
import subprocess
import sys
import threading
import time

from . import common

ROW = struct.Struct("<qId")


def lines(path, size=4 << 20):
    """The file in pieces that end at a line."""
    with open(path, "rb") as file:
        while True:
            piece = file.read(size)
            if not piece:
                return
            yield piece + file.readline()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def victoria_metrics(place):
    """A running server: its port and process."""
    port = common.free_port()
    command = ["victoria-metrics", f"-storageDataPath={place}/vm", "-retentionPeriod=100y",
               f"-httpListenAddr=127.0.0.1:{port}", "-loggerLevel=ERROR"]
    with common.running(command, f"{place}/vm.log") as process:
        common.wait_until(
            lambda: common.request(port, "GET", "/health")[0] == 200, 20, "VictoriaMetrics")
        yield port, process


def feed(port, path, target):
    for piece in lines(path):
        status, answer = common.request(port, "POST", target, piece)
        if status not in (200, 204):
            raise common.Missing(f"{target} answered {status}: {answer[:200]!r}")


def victoria_metrics_density(corpus, samples, parent):
    with common.folder(parent) as place, victoria_metrics(place) as (port, process):
        feed(port, corpus, "/write?precision=ms")
        cpu = cpu_seconds(process.pid)
        common.request(port, "GET", "/internal/force_flush")
        common.request(port, "GET", "/internal/force_merge", timeout=300)

        def size():
            text = common.request(port, "GET", "/metrics")[1].decode()
            total = rows = 0
            for line in text.splitlines():
                # Blocks of samples only; the index of series names is left out in its favour.
                if line.startswith("vm_data_size_bytes{type=\"storage/"):
                    total += float(line.split()[-1])
                if line.startswith("vm_rows{type=\"storage/"):
                    rows += float(line.split()[-1])
            return (total, rows)

        last = None
        for _ in range(60):
            time.sleep(0.5)
            now = size()
            if now == last and now[1] >= samples:
                break
            last = now
        if last is None or last[1] != samples:
            raise common.Missing(f"VictoriaMetrics holds {last} instead of {samples} samples")
        return {"bytes_per_sample": last[0] / samples, "cpu_us_per_sample": cpu * 1e6 / samples}


@contextlib.contextmanager
def influxdb(place):
    port, control = common.free_port(), common.free_port()
    config = f"""
reporting-disabled = true
bind-address = "127.0.0.1:{control}"
[meta]
dir = "{place}/influx/meta"
[data]
dir = "{place}/influx/data"
wal-dir = "{place}/influx/wal"
cache-snapshot-write-cold-duration = "1s"
compact-full-write-cold-duration = "1s"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
"""
    with open(f"{place}/influx.conf", "w") as file:
        file.write(config)
    command = ["influxd", "run", "-config", f"{place}/influx.conf"]
    with common.running(command, f"{place}/influx.log") as process:
        common.wait_until(
            lambda: common.request(port, "GET", "/ping")[0] == 204, 20, "InfluxDB")
        yield port, process


def influxdb_density(corpus, samples, parent):
    with common.folder(parent) as place, influxdb(place) as (port, process):
        common.request(port, "POST", "/query?q=CREATE%20DATABASE%20site")
        feed(port, corpus, "/write?db=site&precision=ms")
        cpu = cpu_seconds(process.pid)
        # Snapshots and the full compaction follow within seconds of the last write. Only blocks of
        # samples count: its series file is laid out in advance and says nothing about density.
        last, still = None, 0
        for _ in range(120):
            time.sleep(0.5)
            now = (tsm_bytes(f"{place}/influx/data"), common.folder_bytes(f"{place}/influx/wal"))
            still = still + 1 if now == last and now[1] < 1 << 20 else 0
            last = now
            if still >= 12:
                break
        return {"bytes_per_sample": last[0] / samples, "cpu_us_per_sample": cpu * 1e6 / samples}


def tsm_bytes(path):
    return sum(
        os.path.getsize(os.path.join(base, name))
        for base, _, names in os.walk(path) for name in names if name.endswith(".tsm"))


def rows(path):
    with open(path, "rb") as file:
        yield from ROW.iter_unpack(file.read())


def sqlite_density(path, parent):
    """Bytes per sample of two usual tables: by name with an index, and clustered by series."""
    figures = {}
    with common.folder(parent) as place:
        for name, schema, insert in (
            ("named_rows",
             "CREATE TABLE r (device TEXT, point TEXT, ts INTEGER, value REAL);"
             "CREATE INDEX i ON r (device, point, ts)",
             "INSERT INTO r VALUES ('device-' || ?2 % 8, 'active_power_' || ?2, ?1, ?3)"),
            ("clustered_rows",
             "CREATE TABLE r (s INTEGER, ts INTEGER, value REAL, PRIMARY KEY (s, ts))"
             " WITHOUT ROWID", "INSERT INTO r VALUES (?2, ?1, ?3)")):
            db = sqlite3.connect(f"{place}/{name}.sqlite", isolation_level=None)
            db.executescript(f"PRAGMA synchronous=OFF; {schema}; BEGIN")
            count = 0
            for row in rows(path):
                db.execute(insert, row)
                count += 1
            db.execute("COMMIT")
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            figures[name] = pages * db.execute("PRAGMA page_size").fetchone()[0] / count
            db.close()
    return figures


def wear_child(kind, place, seconds):
    """500 points a second, one durable commit each, by the layout `kind`; prints JSON."""
    db = sqlite3.connect(f"{place}/wear.sqlite", isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    if kind == "rows":
        db.execute("CREATE TABLE r (s INTEGER, ts INTEGER, value REAL, PRIMARY KEY (s, ts))"
                   " WITHOUT ROWID")
    else:
        db.execute("CREATE TABLE j (ts INTEGER PRIMARY KEY, blob BLOB)")
    start = 1_767_571_200_000
    # Leaf pages of a table that has been filling for a while, so that each series has its own.
    if kind == "rows":
        db.execute("BEGIN")
        for s in range(500):
            db.executemany("INSERT INTO r VALUES (?,?,?)",
                           ((s, start - (400 - t) * 1000, float(t)) for t in range(400)))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.sync()

    def written():
        with open("/proc/self/io") as file:
            return int([x for x in file if x.startswith("write_bytes")][0].split()[1])

    begin = written()
    times = []
    for second in range(seconds):
        ts = start + second * 1000
        at = time.perf_counter()
        if kind == "rows":
            db.execute("BEGIN")
            db.executemany("INSERT INTO r VALUES (?,?,?)",
                           ((s, ts, second * 0.1 + s) for s in range(500)))
            db.execute("COMMIT")
        else:
            db.execute("INSERT INTO j VALUES (?,?)", (ts, os.urandom(1000)))
        times.append(time.perf_counter() - at)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    total = written() - begin
    db.close()
    times.sort()
    print(json.dumps({"bytes_per_sample": total / (seconds * 500),
                      "commit_p50_ms": times[len(times) // 2] * 1000,
                      "commit_p99_ms": times[len(times) * 99 // 100] * 1000}))


def wear(kind, parent, seconds):
    with common.folder(parent) as place:
        answer = subprocess.run(
            [sys.executable, os.path.join(common.HERE, "store.py"), "--child-wear", kind, place,
             str(seconds)], capture_output=True, text=True, check=True)
        return json.loads(answer.stdout)


class Feeder(threading.Thread):
    """Sends 10,000 values a second to VictoriaMetrics as line protocol."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.done, self.sent = port, threading.Event(), 0

    def run(self):
        import random
        noise = random.Random(7)
        while not self.done.wait(1):
            now = int(time.time()) * 1000
            body = "\n".join(
                f"load,device=load-{unit} " + ",".join(
                    f"p{point}={noise.randrange(2000, 2400) / 10}" for point in range(25))
                + f" {now}" for unit in range(400))
            with contextlib.suppress(OSError):
                common.request(self.port, "POST", "/write?precision=ms", body)
                self.sent += 10_000
