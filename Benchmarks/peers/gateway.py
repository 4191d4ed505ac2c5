"""The real program, started as an operator starts it: charts, readiness, memory (F10 to F12)."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse

from . import common, databases, plant


def rfc3339(seconds):
    return urllib.parse.quote(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)))


def run(binaries, config, share, log):
    return common.running(
        [f"{binaries}/plumbline", "run", "--config", config, "--share", share,
         "--log-level", "warning"], log)


def is_ready(port):
    try:
        return common.request(port, "GET", "/health/ready", timeout=1)[0] == 200
    except OSError:
        return False


def history(binaries, data, config, share, **options):
    command = [f"{binaries}/StoreBenchmark", "history", "--data", data, "--config", config,
               "--share", share]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    if answer.returncode != 0:
        raise common.Missing(answer.stderr.strip()[-400:])
    return json.loads(answer.stdout)


def memory(pid):
    figures = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            parts = line.split()
            if len(parts) == 3 and parts[2] == "kB":
                figures[parts[0].rstrip(":")] = int(parts[1]) / 1024
    # Anonymous pages are dirty too; what is dirty and not anonymous is a file's.
    return {"anonymous_and_dirty_mb": max(
                figures["Anonymous"],
                figures["Private_Dirty"] + figures["Shared_Dirty"] + figures.get("Swap", 0)),
            "anonymous_mb": figures["Anonymous"], "rss_mb": figures["Rss"]}


class Load:
    """A site of one chart meter at 15 s and enough meters at 1 s for 10,000 values a second."""

    def __init__(self, place, meters=370, buses=4):
        self.share = plant.share(place, [1, 15])
        tables = plant.Tables()
        self.servers = [plant.Server(tables) for _ in range(buses)]
        links = []
        for number, server in enumerate(self.servers):
            devices = [(f"load-{unit}", 1 + unit // buses, 1)
                       for unit in range(number, meters, buses)]
            if number == 0:
                devices.append(("chart", 240, 15))
            links.append((server.port, devices))
        self.data = f"{place}/data"
        self.config, self.port = plant.configuration(place, self.data, links)

    def answered(self):
        return sum(server.answered for server in self.servers)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


def chart(binaries, parent, quick):
    """24 h of one series as 288 bars, while 10,000 values a second come in: ours, VictoriaMetrics."""
    runs, seconds = (3, 2) if quick else (5, 10)
    figures = {}
    with common.folder(parent) as place:
        load = Load(place)
        try:
            made = history(binaries, load.data, load.config, load.share, devices="chart",
                           seconds=86_400 + 3600)
            with run(binaries, load.config, load.share, f"{place}/run.log") as process:
                common.wait_until(lambda: is_ready(load.port), 60, "the gateway")
                time.sleep(4 if quick else 15)
                before, at = load.answered(), time.monotonic()
                cpu = databases.cpu_seconds(process.pid)
                end = made["end"] // 1000 // 300 * 300
                span = f"from={rfc3339(end - 86_400)}&to={rfc3339(end)}"
                series = "/api/v1/series/chart.voltage.l1"
                path = f"{series}/bars?{span}&points=288"
                status, body = common.request(load.port, "GET", path)
                if status != 200:
                    raise common.Missing(f"{path} answers {status}: {body[:300]!r}")
                figures["chart_rows"] = len(json.loads(body)["rows"])
                if figures["chart_rows"] not in (288, 289):
                    raise common.Missing(f"{path} answers {figures['chart_rows']} bars")
                figures["chart_bytes"] = len(body)
                taken = [common.wrk(f"http://127.0.0.1:{load.port}{path}", seconds)
                         for _ in range(runs)]
                passed = time.monotonic() - at
                figures["chart_ingest_per_second"] = (load.answered() - before) / passed
                figures["chart_cpu_share"] = (
                    databases.cpu_seconds(process.pid) - cpu) / passed
                figures["chart_memory"] = memory(process.pid)
            figures["chart_p50_ms"] = common.median([p50 for p50, _ in taken])
            figures["chart_p99_ms"] = common.median([p99 for _, p99 in taken])
        finally:
            load.close()
    return figures


def chart_victoria_metrics(corpus, start, parent, quick):
    """The same question to VictoriaMetrics while it is fed 10,000 values a second.

    The series is the 15 s meter of the corpus; `rollup()` answers minimum, maximum and mean in one
    request, as our bars do, `avg_over_time` the mean alone.
    """
    runs, seconds = (3, 2) if quick else (5, 10)
    figures = {}
    with common.folder(parent) as place, databases.victoria_metrics(place) as (port, _):
        databases.feed(port, corpus, "/write?precision=ms")
        common.request(port, "GET", "/internal/force_merge", timeout=300)
        feeder = databases.Feeder(port)
        feeder.start()
        time.sleep(4 if quick else 15)
        begin = start // 1000 + 5 * 86_400
        series = 'building_voltage{device="meter-main"}'
        for name, query in (("", f"rollup({series}[5m])"),
                            ("_mean_only", f"avg_over_time({series}[5m])")):
            path = "/api/v1/query_range?" + urllib.parse.urlencode(
                {"query": query, "start": begin + 300, "end": begin + 86_400, "step": "5m"})
            status, body = common.request(port, "GET", path)
            result = json.loads(body)["data"]["result"] if status == 200 else []
            if not result or len(result[0]["values"]) != 288:
                raise common.Missing(f"VictoriaMetrics answers {status}: {body[:200]!r}")
            taken = [common.wrk(f"http://127.0.0.1:{port}{path}", seconds) for _ in range(runs)]
            figures[f"chart_p50_victoriametrics{name}_ms"] = common.median([a for a, _ in taken])
            figures[f"chart_p99_victoriametrics{name}_ms"] = common.median([b for _, b in taken])
            taken = [common.wrk(f"http://127.0.0.1:{port}{path}&nocache=1", seconds)
                     for _ in range(1 if quick else 3)]
            figures[f"chart_p50_victoriametrics{name}_uncached_ms"] = common.median(
                [a for a, _ in taken])
        feeder.done.set()
        feeder.join(5)
    return figures


def start_up(binaries, config, share, port, log):
    """Milliseconds from the start of the process to the first 200 of /health/ready."""
    with open(log, "ab") as out:
        begin = time.monotonic()
        process = subprocess.Popen(
            [f"{binaries}/plumbline", "run", "--config", config, "--share", share,
             "--log-level", "warning"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    while time.monotonic() < begin + 60:
        if is_ready(port):
            return process, (time.monotonic() - begin) * 1000
        if process.poll() is not None:
            break
        time.sleep(0.001)
    common.stop(process)
    with open(log, errors="replace") as file:
        raise common.Missing("plumbline run does not get ready: " + file.read()[-600:])


def readiness(binaries, parent, quick):
    """Ready after an orderly stop and after kill -9 with a year of data; memory on the way.

    The year is two meters (54 series) each minute, in a quick run one meter each hour: a start reads
    what is open, whatever the years. The load is 19 meters (513 points) at 10 s.
    """
    repeats = 3 if quick else 7
    figures = {}
    with common.folder(parent) as place:
        share = plant.share(place, [10, 60])
        server = plant.Server(plant.Tables())
        devices = [("year-1", 1, 60), ("year-2", 2, 60)]
        devices += [(f"load-{unit}", 10 + unit, 10) for unit in range(19)]
        data = f"{place}/data"
        config, port = plant.configuration(place, data, [(server.port, devices)])
        try:
            every = 3600 if quick else 60
            made = history(binaries, data, config, share,
                           devices="year-1" if quick else "year-1,year-2", seconds=365 * 86_400, every=every)
            figures["year_samples"] = made["samples"]
            figures["year_every_seconds"] = every
            figures["year_bytes"] = common.folder_bytes(data)
            figures["year_tables"] = tables(data)
            orderly, killed = [], []
            for _ in range(repeats):
                process, taken = start_up(binaries, config, share, port, f"{place}/run.log")
                orderly.append(taken)
                time.sleep(1)
                common.stop(process)
            process, _ = start_up(binaries, config, share, port, f"{place}/run.log")
            for _ in range(repeats):
                time.sleep(12 if not quick else 4)
                process.send_signal(signal.SIGKILL)
                process.wait()
                process, taken = start_up(binaries, config, share, port, f"{place}/run.log")
                killed.append(taken)
            time.sleep(20 if quick else 120)
            figures["memory"] = memory(process.pid)
            common.stop(process)
            figures["ready_ms"] = common.median(orderly)
            figures["ready_worst_ms"] = max(orderly)
            figures["ready_after_kill_ms"] = common.median(killed)
            figures["ready_after_kill_worst_ms"] = max(killed)
        finally:
            server.shutdown()
            server.server_close()
    return figures


def tables(data):
    """Bytes of every table and index of a store that nobody has open."""
    import sqlite3
    db = sqlite3.connect(f"{data}/plumbline.sqlite")
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        sizes["free"] = (db.execute("PRAGMA freelist_count").fetchone()[0]
                         * db.execute("PRAGMA page_size").fetchone()[0])
        return sizes
    finally:
        db.close()
