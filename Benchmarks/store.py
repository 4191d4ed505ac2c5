#!/usr/bin/env python3
"""Storage figures: ours, VictoriaMetrics, InfluxDB 1.6, plain SQLite rows and the floor, one table.

    Benchmarks/store.py --binaries DIR [--quick] [--only PART,...] [--results FILE] [--docs FILE]

Parts: floor density peers rows wear seals day codec chart ready. Writes Benchmarks/results/store.json and
compares it with Benchmarks/thresholds/store.json. Exit 0: measured, nothing got worse; 1: a figure
is missing or got worse than its threshold. A goal that was missed is marked and is no failure.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

from peers import common, databases, gateway

PARTS = ("floor", "density", "peers", "rows", "wear", "seals", "day", "codec", "chart",
         "ready")


class Bench:
    def __init__(self, options):
        self.options = options
        self.quick = options.quick
        self.figures = {}
        self.missing = []
        self.place = None

    def swift(self, part, timeout=3600, **options):
        command = [f"{self.options.binaries}/StoreBenchmark", part]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        if answer.returncode != 0:
            raise common.Missing(f"{part}: {(answer.stderr or answer.stdout).strip()[-500:]}")
        return json.loads(answer.stdout)

    def part(self, name, work):
        if self.options.only and name not in self.options.only:
            return
        begin = time.monotonic()
        print(f"  {name} …", end="", flush=True, file=sys.stderr)
        try:
            self.figures.update(work())
            print(f" {time.monotonic() - begin:.0f} s", file=sys.stderr)
        except (common.Missing, OSError, subprocess.SubprocessError, KeyError, ValueError) as why:
            self.missing.append(f"{name}: {why}")
            print(f" FAILED: {why}", file=sys.stderr)

    # --- the parts ------------------------------------------------------------------------------

    def corpus(self):
        if not hasattr(self, "facts"):
            self.facts = self.swift("corpus", out=self.place, hours=24)
        return self.facts

    def floor(self):
        floors = self.corpus()["floors"]
        figures = {f"entropy_{order}_{kind}": floors[kind][order]
                   for kind in floors for order in ("order0", "order1")}
        figures["samples"] = self.facts["samples"]
        return figures

    def density(self):
        """F1: the store after the corpus went through it and everything is sealed."""
        figures = {}
        cases = [("mix", "building,dust,crane", "slot"), ("building", "building", "slot"),
                 ("dust", "dust", "slot"), ("crane", "crane", "slot"),
                 ("jittered", "building,dust,crane", "message"),
                 ("jittered_exact", "building,dust,crane", "exact")]
        if self.quick:
            cases = [case for case in cases if case[0] in ("mix", "building", "jittered")]
        for name, kinds, stamp in cases:
            data = f"{self.place}/load-{name}"
            done = self.swift("load", data=data, kinds=kinds, stamp=stamp)
            sizes = gateway.tables(data)
            raw = sum(size for table, size in sizes.items() if belongs(table, RAW))
            figures[f"bytes_per_sample_{name}"] = raw / done["samples"]
            if name == "mix":
                figures["load_cpu_us_per_sample"] = done["cpu_us_per_sample"]
                figures["file_bytes_per_sample_mix"] = (
                    os.path.getsize(f"{data}/plumbline.sqlite") / done["samples"])
                figures["tables_mix"] = sizes
                figures.update(rollup_figures(data, sizes))
        return figures

    def peers(self):
        figures = {}
        self.corpus()
        for name in ("aligned", "jittered"):
            found = databases.victoria_metrics_density(
                f"{self.place}/{name}.lp", self.facts["samples"], self.place)
            suffix = "" if name == "aligned" else "_jittered"
            figures[f"bytes_per_sample_victoriametrics{suffix}"] = found["bytes_per_sample"]
            if not suffix:
                figures["cpu_us_per_sample_victoriametrics"] = found["cpu_us_per_sample"]
        found = databases.influxdb_density(
            f"{self.place}/aligned.lp", self.facts["samples"], self.place)
        figures["bytes_per_sample_influxdb"] = found["bytes_per_sample"]
        figures["cpu_us_per_sample_influxdb"] = found["cpu_us_per_sample"]
        return figures

    def rows(self):
        self.corpus()
        found = databases.sqlite_density(f"{self.place}/rows.bin", self.place)
        return {"bytes_per_sample_named_rows": found["named_rows"],
                "bytes_per_sample_clustered_rows": found["clustered_rows"]}

    def wear(self):
        """F2: bytes written to the device per sample, a durable commit each second."""
        figures = {"disk_floor_before": common.disk_floor(self.place, 2)}
        minutes = 65 if self.quick else 250
        for site in ("uniform", "corpus"):
            data = f"{self.place}/wear-{site}"
            os.sync()
            before = common.device_sectors(self.place)
            done = self.swift("wear", data=data, site=site, minutes=minutes)
            os.sync()
            after = common.device_sectors(self.place)
            suffix = "" if site == "uniform" else "_corpus"
            figures[f"device_bytes_per_sample{suffix}"] = done["device_bytes_per_sample"]
            if before is not None:
                # The whole disk's account: on a machine with other work it is too high.
                figures[f"block_device_bytes_per_sample{suffix}"] = (
                    (after - before) / done["samples"])
            sizes = gateway.tables(data)
            figures[f"open_journal_bytes{suffix}"] = sizes.get("journal", 0)
            if not suffix:
                figures["cpu_us_per_sample"] = done["cpu_us_per_sample"]
                figures["commit_p50_ms"] = done["commit_p50_ms"]
                figures["commit_p99_ms"] = done["commit_p99_ms"]
                figures["commit_worst_ms"] = done["commit_worst_ms"]
        blob = databases.wear("blob", self.place, 600 if self.quick else 7200)
        rows = databases.wear("rows", self.place, 60 if self.quick else 300)
        figures["device_bytes_per_sample_blob"] = blob["bytes_per_sample"]
        figures["commit_p50_blob_ms"] = blob["commit_p50_ms"]
        figures["commit_p99_blob_ms"] = blob["commit_p99_ms"]
        figures["device_bytes_per_sample_clustered_rows"] = rows["bytes_per_sample"]
        figures["disk_floor_after"] = common.disk_floor(self.place, 2)
        ratio = figures["disk_floor_after"]["p50_ms"] / figures["disk_floor_before"]["p50_ms"]
        figures["disk_floor_ratio"] = max(ratio, 1 / ratio)
        return figures

    def seals(self):
        return self.swift("seals", data=f"{self.place}/seals")

    def day(self):
        data = f"{self.place}/load-mix"
        if not os.path.isdir(data):
            self.swift("load", data=data, kinds="building,dust,crane", stamp="slot")
        done = self.swift("day", data=data, series="crane-1.hook_height",
                          count=50 if self.quick else 300)
        if done["samples"] != 86_400:
            raise common.Missing(f"the day has {done['samples']} samples instead of 86,400")
        return {"day_query_ms": done["p50_ms"], "day_query_p99_ms": done["p99_ms"],
                "day_query_cpu_ms": done["cpu_ms"]}

    def codec(self):
        return self.swift("codec")

    def chart(self):
        figures = gateway.chart(self.options.binaries, self.place, self.quick)
        facts = self.corpus()
        figures.update(gateway.chart_victoria_metrics(
            f"{self.place}/aligned.lp", facts["start"], self.place, self.quick))
        return figures

    def ready(self):
        return gateway.readiness(self.options.binaries, self.place, self.quick)

    def run(self):
        begin = time.monotonic()
        self.load = os.getloadavg()[0]
        os.makedirs(self.options.scratch, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.options.scratch, prefix="bench-") as place:
            self.place = place
            for name in PARTS:
                self.part(name, getattr(self, name))
        self.figures["quick"] = self.quick
        self.figures["run_seconds"] = round(time.monotonic() - begin)
        # The machine's load before the run: what other work took part in the times.
        self.figures["load_before"] = round(self.load, 1)
        self.figures["load"] = (
            f"; loaded by other work ({self.load:.0f} processes wanted a core before the run)"
            if self.load > 1 else "")
        self.figures["machine"] = (
            f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}")


# --- the store's tables ---------------------------------------------------------------------------

RAW = ("bucket", "journal")


def belongs(name, tables):
    """Whether a b-tree is one of the tables or the index of a UNIQUE of theirs."""
    return name in tables or any(name.startswith(f"sqlite_autoindex_{t}_") for t in tables)


def rollup_figures(data, sizes):
    """F1b: a rollup as a row and packed, and what a year of the site comes to."""
    import sqlite3
    db = sqlite3.connect(f"{data}/plumbline.sqlite")
    try:
        rows = db.execute("SELECT count(*) FROM rollup").fetchone()[0]
        packed = 0
        if "rollup_pack" in sizes:
            packed = db.execute("SELECT ifnull(sum(rows), 0) FROM rollup_pack").fetchone()[0]
    finally:
        db.close()
    figures = {"rollup_rows": rows, "rollups_packed": packed}
    if rows:
        figures["rollup_bytes_per_row"] = sizes["rollup"] / rows
    if packed:
        figures["rollup_bytes_packed"] = sum(
            size for name, size in sizes.items() if belongs(name, ("rollup_pack",))) / packed
    if rows and packed:
        # All quarters but the newest two days are packed; hours, days and months stay rows.
        year = 25 * (35_040 * figures["rollup_bytes_packed"]
                     + (8_760 + 365 + 12 + 192) * figures["rollup_bytes_per_row"])
        figures["rollup_year_mb"] = year / 1e6
    return figures


# --- the table ------------------------------------------------------------------------------------

# key, label, unit, goal (None: none), then the keys of the other columns.
VM, INFLUX, ROWS, FLOOR = "VictoriaMetrics", "InfluxDB 1.6", "SQLite rows", "floor"
TABLE = [
    ("bytes_per_sample_mix", "stored, mix", "B/sample", ("<=", 0.28), {
        VM: "bytes_per_sample_victoriametrics", INFLUX: "bytes_per_sample_influxdb",
        ROWS: "bytes_per_sample_clustered_rows", FLOOR: "entropy_order1_mix"}),
    ("bytes_per_sample_building", "stored, building meters", "B/sample", ("<=", 0.65), {
        ROWS: "bytes_per_sample_named_rows", FLOOR: "entropy_order1_building"}),
    ("bytes_per_sample_dust", "stored, dust", "B/sample", None, {FLOOR: "entropy_order1_dust"}),
    ("bytes_per_sample_crane", "stored, crane", "B/sample", None, {FLOOR: "entropy_order1_crane"}),
    ("bytes_per_sample_jittered", "stored, ± 6 ms jitter", "B/sample", ("<=", 0.28), {
        VM: "bytes_per_sample_victoriametrics_jittered"}),
    ("bytes_per_sample_jittered_exact", "stored, jitter kept to the ms", "B/sample", None, {
        VM: "bytes_per_sample_victoriametrics_jittered"}),
    ("rollup_bytes_per_row", "a rollup as a row", "B", ("<=", 90), {}),
    ("rollup_bytes_packed", "a rollup, packed", "B", ("<=", 15), {}),
    ("rollup_year_mb", "rollups of a year, 25 series", "MB", None, {}),
    ("device_bytes_per_sample", "written to the device, 500/s", "B/sample", ("<=", 40), {
        ROWS: "device_bytes_per_sample_clustered_rows", FLOOR: "device_bytes_per_sample_blob"}),
    ("device_bytes_per_sample_corpus", "the same, the corpus' site (3.1/s)", "B/sample", None, {}),
    ("cpu_us_per_sample", "CPU: commit, fold, seal", "µs/sample", None, {
        VM: "cpu_us_per_sample_victoriametrics", INFLUX: "cpu_us_per_sample_influxdb"}),
    ("commit_p50_ms", "durable commit of 500, p50", "ms", None, {FLOOR: "commit_p50_blob_ms"}),
    ("commit_p99_ms", "durable commit of 500, p99", "ms", None, {FLOOR: "commit_p99_blob_ms"}),
    ("seal_step_worst_ms", "one step of sealing, worst", "ms", ("<=", 25), {}),
    ("seal_late_step_worst_ms", "the same, late scans", "ms", ("<=", 50), {}),
    ("encode_m_per_s", "encode a bucket", "M values/s", None, {}),
    ("decode_m_per_s", "decode a bucket", "M values/s", None, {}),
    ("day_query_ms", "a day of 1 s data, p50", "ms", ("<=", 5), {}),
    ("day_query_p99_ms", "a day of 1 s data, p99", "ms", None, {}),
    ("day_query_cpu_ms", "a day of 1 s data, CPU", "ms", None, {}),
    ("chart_p50_ms", "24 h chart over HTTP, p50", "ms", ("peer", VM), {
        VM: "chart_p50_victoriametrics_ms"}),
    ("chart_p99_ms", "24 h chart over HTTP, p99", "ms", ("peer", VM), {
        VM: "chart_p99_victoriametrics_ms"}),
    ("ready_ms", "ready, a year of data", "ms", ("<=", 100), {}),
    ("ready_after_kill_ms", "ready after kill -9", "ms", ("<=", 300), {}),
    ("memory_mb", "memory, 500 points at 10 s", "MB", ("<=", 24), {}),
]


def shown(value):
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


def verdict(figures, key, goal, others):
    value = figures.get(key)
    if goal is None:
        return ""
    limit = figures.get(others[goal[1]]) if goal[0] == "peer" else goal[1]
    if value is None or limit is None:
        return "missing"
    text = f"≤ {goal[1]}"
    return text if value <= limit else f"{text} MISSED"


def table(figures):
    head = ["", "unit", "ours", VM, INFLUX, ROWS, FLOOR, "goal"]
    rows = []
    for key, label, unit, goal, others in TABLE:
        rows.append([label, unit, shown(figures.get(key))]
                    + [shown(figures.get(others.get(name))) for name in (VM, INFLUX, ROWS, FLOOR)]
                    + [verdict(figures, key, goal, others)])
    return head, rows


def text_table(head, rows):
    widths = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]
    result = []
    for row in [head] + rows:
        cells = [cell.ljust(w) if i < 2 or i == len(row) - 1 else cell.rjust(w)
                 for i, (cell, w) in enumerate(zip(row, widths))]
        result.append("  ".join(cells).rstrip())
    result.insert(1, "  ".join("─" * w for w in widths))
    return "\n".join(result)


def markdown_table(head, rows):
    rule = ["---", "---"] + ["---:"] * (len(head) - 3) + ["---"]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule] + rows)


def regressions(figures, path):
    """What is worse than its threshold: a ceiling or a floor for each figure that counts."""
    try:
        with open(path) as file:
            limits = json.load(file)
    except FileNotFoundError:
        return []
    found = []
    for key, limit in limits.items():
        value = figures.get(key)
        if not isinstance(value, (int, float)):
            continue
        if "maximum" in limit and value > limit["maximum"]:
            found.append(f"{key} = {value:.4g}, threshold at most {limit['maximum']}")
        if "minimum" in limit and value < limit["minimum"]:
            found.append(f"{key} = {value:.4g}, threshold at least {limit['minimum']}")
        if "of" in limit and figures.get(limit["of"]):
            ratio = value / figures[limit["of"]]
            if ratio > limit["ratio"]:
                found.append(f"{key} = {ratio:.3g} × {limit['of']},"
                             f" threshold at most {limit['ratio']} ×")
    return found


REQUIRED = (
    "bytes_per_sample_mix", "bytes_per_sample_building", "bytes_per_sample_jittered",
    "bytes_per_sample_victoriametrics", "bytes_per_sample_influxdb",
    "bytes_per_sample_clustered_rows", "entropy_order1_mix", "rollup_bytes_per_row",
    "rollup_bytes_packed", "rollup_year_mb", "device_bytes_per_sample",
    "device_bytes_per_sample_blob", "device_bytes_per_sample_clustered_rows", "cpu_us_per_sample",
    "seal_step_worst_ms", "seal_late_step_worst_ms", "encode_m_per_s", "decode_m_per_s",
    "day_query_ms", "chart_p50_ms", "chart_p99_ms", "chart_p50_victoriametrics_ms", "chart_p99_victoriametrics_ms", "ready_ms",
    "ready_after_kill_ms", "memory_mb")


def write_docs(path, figures, head, rows):
    begin, end = "<!-- figures: begin -->", "<!-- figures: end -->"
    with open(path) as file:
        text = file.read()
    if begin not in text or end not in text:
        raise common.Missing(f"{path} has no markers for the figures")
    kind = "`QUICK=1`" if figures["quick"] else "the whole run"
    note = f"{kind}, {figures['run_seconds']} s, {figures['machine']}{figures['load']}."
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    with open(path, "w") as file:
        file.write(f"{before}{begin}\n{markdown_table(head, rows)}\n\n{note}\n{end}{after}")


def main():
    if sys.argv[1:2] == ["--child-wear"]:
        databases.wear_child(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binaries", required=True, help="folder of plumbline and StoreBenchmark")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--scratch", default=f"{common.ROOT}/.build/bench")
    parser.add_argument("--results", default=f"{common.HERE}/results/store.json")
    parser.add_argument("--thresholds", default=f"{common.HERE}/thresholds/store.json")
    parser.add_argument("--docs", help="write the table between the markers of this file")
    options = parser.parse_args()
    options.binaries = os.path.abspath(options.binaries)
    bench = Bench(options)
    bench.run()
    figures = bench.figures
    if "memory" in figures:
        figures["memory_mb"] = figures["memory"]["anonymous_and_dirty_mb"]
    head, rows = table(figures)
    print(text_table(head, rows))
    if figures.get("disk_floor_ratio", 1) > 1.5:
        print(f"\nThe disk's own floor changed by {figures['disk_floor_ratio']:.1f} × during the"
              " run: times of commits are not to be trusted; bytes are.")
    with open(options.results, "w") as file:
        json.dump(figures, file, indent=1, sort_keys=True)
        file.write("\n")
    failed = False
    if not options.only:
        bench.missing += [f"{key} was not measured" for key in REQUIRED if key not in figures]
        if options.docs and not bench.missing:
            write_docs(options.docs, figures, head, rows)
    for line in bench.missing:
        failed = True
        print(f"MISSING  {line}")
    for line in regressions(figures, options.thresholds):
        failed = True
        print(f"WORSE    {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
