#!/usr/bin/env python3
"""Field figures: what a poll, a message and a bus cost, beside bare libraries and collectd.

    Benchmarks/field.py --binaries DIR [--quick] [--only PART,...] [--results FILE] [--docs FILE]

Parts: request fast links maximum collectd serial mqtt. Writes Benchmarks/results/field.json. Everything
runs on 127.0.0.1 in one run; the gateway is watched from outside. Exit 0: measured; 1: a figure is
missing. A goal that was missed is marked and is no failure.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from peers import common, field_site, gateway, parts
from store import markdown_table, shown, text_table

class Field(parts.Parts):
    NAMES = ("request", "fast", "links", "maximum", "collectd", "serial", "mqtt")

    def run(self):
        os.makedirs(self.options.scratch, exist_ok=True)
        self.programs = field_site.compiled(self.options.scratch)
        super().run()

    def bare(self, port, registers, seconds):
        done = field_site.json_of([f"{self.programs}/modbus_floor", str(port), str(registers),
                                   str(seconds)])
        return (1e6 * done["seconds"] / done["requests"], 1e6 * done["cpu"] / done["requests"])

    def bare_slots(self, port, registers, connections, units, period, seconds):
        """CPU in percent of a core that the requests alone cost, by bare libmodbus threads."""
        done = field_site.json_of([f"{self.programs}/modbus_floor", str(port), str(registers),
                                   str(seconds), str(connections), str(units), str(period)])
        return 100 * done["cpu"] / done["seconds"]

    # --- F7: one request ---------------------------------------------------------------------------

    def request(self, place):
        """Requests without a pause on one connection, ours between two runs of the bare loop."""
        seconds = 2 if self.quick else 15
        profile = field_site.register_profile("single", 1, "5ms", registers=125)
        ours = None
        with field_site.modbus_server(self.programs) as (_, port):
            before = self.bare(port, 125, seconds)
            # More and more devices every 5 ms, until one thread can ask no more.
            for devices in range(60, 241, 60 if self.quick else 20):
                with common.folder(place) as own:
                    site = field_site.Site(own, {"single": profile}, field_site.modbus_link(
                        0, port, range(1, devices + 1), "single"))
                    with site.running(self.options.binaries) as process:
                        found = site.measure(process, 1, seconds)
                if ours is None or found["requests_per_s"] > ours["requests_per_s"]:
                    ours = found | {"devices": devices}
            after = self.bare(port, 125, seconds)
        time_us, cpu_us = min(before[0], after[0]), min(before[1], after[1])
        ours_us = 1e6 / ours["requests_per_s"]
        ours_cpu = 1e4 * ours["cpu_percent"] / ours["requests_per_s"]
        return {"request_us": ours_us, "request_bare_us": time_us,
                "request_cpu_us": ours_cpu, "request_bare_cpu_us": cpu_us,
                "request_time_ratio": ours_us / time_us, "request_cpu_ratio": ours_cpu / cpu_us,
                "bare_cpu_us_per_value": cpu_us / 125, "request_run": ours}

    # --- F3, F4: 10,000 points every 100 ms -----------------------------------------------------------

    def fast(self, place):
        """100 devices of 100 points on 10 links, aggregates by minute to a platform."""
        seconds = 60 if self.quick else 600
        profile = field_site.register_profile("hundred", 100, "100ms")
        with (field_site.modbus_server(self.programs) as (server, port),
              field_site.broker(place) as (_, broker_port)):
            links = "".join(field_site.modbus_link(n, port, range(10 * n + 1, 10 * n + 11), "hundred")
                            for n in range(10))
            uplinks = (f"uplinks:\n  - {{id: platform, mqtt: \"mqtt://127.0.0.1:{broker_port}\", "
                       "topic: up, resolution: 15min}\n")
            site = field_site.Site(place, {"hundred": profile}, links, uplinks=uplinks)
            with site.running(self.options.binaries) as process:
                found = site.measure(process, 5 if self.quick else 20, seconds)
            bare = self.bare_slots(port, 100, 10, 10, 100, 8 if self.quick else 30)
        if found["failures"] or found["dropped"]:
            raise common.Missing(f"{found['failures']} requests failed, {found['dropped']} dropped")
        return {"cpu_us_per_value": found["cpu_us_per_value"], "f4_cpu_percent": found["cpu_percent"],
                "f4_memory_mb": found["memory"]["anonymous_and_dirty_mb"],
                "f4_missed_slots": found["missed_slots"], "f4_bare_cpu_percent": bare, "f4_run": found}

    # --- F5: many connections ------------------------------------------------------------------------

    def links(self, place):
        """500 connections of 30 points each second."""
        seconds = 20 if self.quick else 180
        profile = field_site.register_profile("thirty", 30, "1s")
        with field_site.modbus_server(self.programs) as (_, port):
            links = "".join(field_site.modbus_link(n, port, [n % 247 + 1], "thirty")
                            for n in range(500))
            site = field_site.Site(place, {"thirty": profile}, links)
            with site.running(self.options.binaries) as process:
                found = site.measure(process, 6 if self.quick else 20, seconds)
            bare = self.bare_slots(port, 30, 500, 1, 1000, 8 if self.quick else 30)
        if found["failures"] or found["dropped"]:
            raise common.Missing(f"{found['failures']} requests failed, {found['dropped']} dropped")
        return {"f5_cpu_percent": found["cpu_percent"],
                "f5_memory_mb": found["memory"]["anonymous_and_dirty_mb"],
                "f5_missed_slots": found["missed_slots"], "f5_bare_cpu_percent": bare, "f5_run": found}

    # --- F6: the most values a second -----------------------------------------------------------------

    def maximum(self, place):
        """80 devices of 125 points on 8 links; the period shrinks until slots are missed."""
        seconds = 4 if self.quick else 30
        steps, best = [], None
        for period in (20, 12, 10, 8, 6, 5) if self.quick else (20, 15, 12, 10, 9, 8, 7, 6, 5, 4):
            profile = field_site.register_profile("full", 125, f"{period}ms")
            with (common.folder(place) as own,
                  field_site.modbus_server(self.programs) as (server, port)):
                links = "".join(
                    field_site.modbus_link(n, port, range(10 * n + 1, 10 * n + 11), "full")
                    for n in range(8))
                site = field_site.Site(own, {"full": profile}, links)
                with site.running(self.options.binaries) as process:
                    time.sleep(3)
                    used = field_site.cpu_seconds(server.pid)
                    found = site.measure(process, 0, seconds)
                    found["server_cpu_percent"] = (
                        100 * (field_site.cpu_seconds(server.pid) - used) / seconds)
            asked = 10_000 * 1000 / period
            # A slot in a thousand is the scheduler of a shared machine, not the gateway's limit.
            lost = 125 * found["missed_slots"] / (asked * found["seconds"])
            found |= {"period_ms": period, "asked_per_s": asked, "share_missed": lost}
            steps.append(found)
            if lost <= 0.001 and found["values_per_s"] >= 0.99 * asked:
                best = found
            elif best:
                break
        if not best:
            # Nothing was sustained: what was read counts, and not the slots that were missed.
            best = max(steps, key=lambda step: step["requests_per_s"])
            read = 125 * best["requests_per_s"]
            best |= {"values_per_s": read, "cpu_us_per_value": 1e4 * best["cpu_percent"] / read}
        return {"max_values_per_s": best["values_per_s"],
                "max_cpu_cores": best["cpu_percent"] / 100,
                "max_cpu_us_per_value": best["cpu_us_per_value"],
                "max_values_per_core_s": 100 * best["values_per_s"] / best["cpu_percent"],
                "max_memory_mb": best["memory"]["anonymous_and_dirty_mb"],
                "max_is_sustained": best["share_missed"] <= 0.001, "max_steps": steps}

    # --- the peer ---------------------------------------------------------------------------------------

    def collectd(self, place):
        """collectd's modbus plugin, its values into CSV files; faster until it no longer keeps up."""
        seconds = 5 if self.quick else 20
        best = None
        with field_site.modbus_server(self.programs) as (_, port):
            for devices in (100, 200) if self.quick else (40, 100, 150, 200, 300, 400):
                found = self.collectd_once(port, devices, seconds)
                if best is None or found["values_per_s"] > best["values_per_s"]:
                    best = found
                if found["values_per_s"] < 0.95 * found["asked_per_s"]:
                    break
        return {"collectd_values_per_s": best["values_per_s"],
                "collectd_cpu_us_per_value": best["cpu_us_per_value"], "collectd_run": best}

    def collectd_once(self, port, devices, seconds):
        points = 100
        # Not under .build: the csv plugin refuses every folder whose name begins with a dot.
        with tempfile.TemporaryDirectory(prefix="bench-") as place:
            text = (f"Hostname bench\nBaseDir \"{place}\"\nPIDFile \"{place}/pid\"\n"
                    "FQDNLookup false\nInterval 1\nReadThreads 2\nWriteThreads 2\n"
                    "TypesDB \"/usr/share/collectd/types.db\"\n"
                    "LoadPlugin modbus\nLoadPlugin csv\n"
                    f"<Plugin csv>\n DataDir \"{place}/csv\"\n</Plugin>\n<Plugin modbus>\n")
            for n in range(points):
                text += (f" <Data \"r{n}\">\n  RegisterBase {n}\n  RegisterType uint16\n"
                         f"  Type gauge\n  Instance \"r{n}\"\n </Data>\n")
            for device in range(devices):
                text += (f" <Host \"d{device}\">\n  Address \"127.0.0.1\"\n  Port \"{port}\"\n"
                         "  Interval 1\n  <Slave 1>\n   Instance \"s\"\n"
                         + "".join(f"   Collect \"r{n}\"\n" for n in range(points))
                         + "  </Slave>\n </Host>\n")
            with open(f"{place}/collectd.conf", "w") as file:
                file.write(text + "</Plugin>\n")
            with common.running(["/usr/sbin/collectd", "-f", "-C", f"{place}/collectd.conf"],
                                f"{place}/log") as process:
                time.sleep(4)
                if process.poll() is not None:
                    with open(f"{place}/log") as file:
                        raise common.Missing(f"collectd ended: {file.read()[-300:]}")
                rows, cpu, at = csv_rows(place), field_site.cpu_seconds(process.pid), time.monotonic()
                time.sleep(seconds)
                passed = time.monotonic() - at
                cpu = field_site.cpu_seconds(process.pid) - cpu
                rows = csv_rows(place) - rows
                if not rows:
                    with open(f"{place}/log") as file:
                        raise common.Missing(f"collectd stored nothing: {file.read()[-300:]}")
                found = {"devices": devices, "asked_per_s": devices * points,
                         "values_per_s": rows / passed, "cpu_us_per_value": 1e6 * cpu / rows,
                         "cpu_percent": 100 * cpu / passed}
        return found

    # --- F8: a serial line --------------------------------------------------------------------------------

    def serial(self, place):
        """Three lines at once: 20 units that answer, the same with one dead, and the same without it."""
        # With the units' own time the lines are asked for a little more than they can carry, and
        # without it, as `check` counts, for a little less.
        baud, registers, turnaround_us, quiet_ms = 19_200, 20, 10_000, 4
        settle, seconds = (15, 35) if self.quick else (90, 300)
        bits = 10
        profile = field_site.register_profile(
            "line", registers, "700ms", quiet=f"{quiet_ms}ms", timeout="1s", serial=baud)
        kinds = {"alive": ([], 20), "dead": ([20], 20), "without": ([], 19)}
        slaves, links = {}, ""
        try:
            for kind, (dead, units) in kinds.items():
                out = open(f"{place}/{kind}.log", "w")
                slaves[kind] = subprocess.Popen(
                    [f"{self.programs}/rtu_slave", f"{place}/{kind}", str(baud), str(bits),
                     str(turnaround_us), "20", ",".join(map(str, dead))],
                    stdin=subprocess.DEVNULL, stdout=out)
                out.close()
                common.wait_until(lambda: os.path.islink(f"{place}/{kind}"), 5, "a pty")
                links += f"  - id: {kind}\n    modbus: rtu://{place}/{kind}?baud={baud}\n    devices:\n"
                links += "".join(f"      - {{id: {kind}-{unit}, profile: bench/line, unit: {unit}}}\n"
                                 for unit in range(1, units + 1))
            site = field_site.Site(place, {"line": profile}, links)
            with site.running(self.options.binaries) as process:
                time.sleep(settle)
                first = {kind: last_line(f"{place}/{kind}.log") for kind in kinds}
                cpu = field_site.cpu_seconds(process.pid)
                begin = time.monotonic()
                while True:
                    # At least one probe of the dead unit lies within: they are a minute apart.
                    time.sleep(seconds if time.monotonic() < begin + 1 else 1)
                    last = {kind: last_line(f"{place}/{kind}.log") for kind in kinds}
                    if (last["dead"]["asked"][-1] > first["dead"]["asked"][-1]
                            or time.monotonic() > begin + seconds + 60):
                        break
                seconds = time.monotonic() - begin
                cpu = field_site.cpu_seconds(process.pid) - cpu
        finally:
            for slave in slaves.values():
                common.stop(slave)
        optimum = ((8 + 5 + 2 * registers) * bits / baud + turnaround_us / 1e6 + quiet_ms / 1e3)
        rates = {}
        for kind in kinds:
            passed = last[kind]["at"] - first[kind]["at"]
            rates[kind] = [(b - a) / passed for a, b in
                           zip(first[kind]["answered"], last[kind]["answered"])]
        found = {"seconds": seconds, "optimum_ms": 1000 * optimum,
                 "cpu_percent": 100 * cpu / seconds, "load_average": round(os.getloadavg()[0], 1),
                 "requests_per_s": {kind: sum(rates[kind]) for kind in kinds},
                 "probes_of_the_dead": last["dead"]["asked"][-1] - first["dead"]["asked"][-1],
                 "slowest_share": min(rates["alive"]) / max(rates["alive"])}
        return {"rtu_utilisation": sum(rates["alive"]) * optimum,
                "dead_unit_slowdown": sum(rates["without"]) / sum(rates["dead"]) - 1,
                "serial_run": found}

    # --- F9: messages -------------------------------------------------------------------------------------

    def mqtt(self, place):
        """JSON messages with QoS 1: the bare subscriber before and after, the gateway between."""
        messages, devices, window = (80_000 if self.quick else 400_000), 1000, 250
        before = self.mqtt_bare(place, messages, devices, window)
        ours = self.mqtt_ours(place, messages, devices, window)
        after = self.mqtt_bare(place, messages, devices, window)
        best = max(before, after, key=lambda run: run["rate"])
        return {"mqtt_messages_per_s": ours["rate"], "mqtt_cpu_us_per_message": ours["cpu_us"],
                "mqtt_bare_messages_per_s": best["rate"], "mqtt_bare_cpu_us_per_message": best["cpu_us"],
                "mqtt_ratio": ours["rate"] / best["rate"],
                "mqtt_runs": {"before": before, "ours": ours, "after": after}}

    def flood(self, port, messages, devices, window, age=0):
        return subprocess.Popen(
            [f"{self.programs}/mqtt_flood", str(port), "bench", str(devices), str(messages),
             str(window), str(age)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def mqtt_bare(self, parent, messages, devices, window):
        with common.folder(parent) as place, field_site.broker(place, 1000) as (_, port):
            bare = subprocess.Popen(
                [f"{self.programs}/mqtt_floor", str(port), "bench/+", str(messages)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            try:
                if bare.stdout.readline() != "ready\n":
                    raise common.Missing("the bare subscriber does not subscribe")
                flood = self.flood(port, messages, devices, 2000)
                done = json.loads(bare.stdout.readline())
                sent = json.loads(flood.communicate(timeout=60)[0])
            finally:
                common.stop(bare)
        return {"rate": done["messages"] / done["seconds"], "sent_per_s": sent["messages"] / sent["seconds"],
                "cpu_us": 1e6 * done["cpu"] / done["messages"]}

    def mqtt_ours(self, parent, messages, devices, window):
        with common.folder(parent) as place, field_site.broker(place, 1000) as (_, port):
            links = f"  - id: broker\n    mqtt: mqtt://127.0.0.1:{port}\n    window: {window}\n    devices:\n"
            links += "".join(f"      - {{id: s{n}, profile: bench/station, key: d{n}}}\n"
                             for n in range(devices))
            site = field_site.Site(place, {"station": field_site.message_profile()}, links)
            with site.running(self.options.binaries) as process:
                common.wait_until(lambda: field_site.metrics(site.port).get(
                    "plumbline_link_connected"), 20, "the link")
                # A first message of each device: what is looked up once is not what a message costs.
                self.flood(port, devices, devices, 1000).communicate(timeout=60)
                time.sleep(3)
                first = field_site.Look(process, site.port)
                # Newer than anything known: what is older is looked up in the store, one by one.
                flood = self.flood(port, messages, devices, 2000, -messages // devices - 5)
                begin = time.monotonic()
                goal = first.values + messages * len(field_site.MESSAGE_POINTS)
                last = first
                while last.values < goal:
                    if time.monotonic() - begin > 300:
                        raise common.Missing(f"{goal - last.values:.0f} values never came,"
                                             f" {last.dropped - first.dropped:.0f} dropped")
                    time.sleep(0.1)
                    last = field_site.Look(process, site.port)
                seconds = time.monotonic() - begin
                sent = json.loads(flood.communicate(timeout=60)[0])
                memory = gateway.memory(process.pid)
        return {"rate": messages / seconds, "sent_per_s": sent["messages"] / sent["seconds"],
                "cpu_us": 1e6 * (last.cpu - first.cpu) / messages,
                "commits": last.commits - first.commits, "memory": memory,
                "load_average": round(os.getloadavg()[0], 1)}


def csv_rows(place):
    """Values that collectd has stored: lines without the head of each file."""
    answer = subprocess.run(
        f"find {place}/csv -type f -print0 2>/dev/null | xargs -0 -r cat | grep -vc epoch",
        shell=True, capture_output=True, text=True).stdout.strip()
    return int(answer or 0)


def last_line(path):
    with open(path) as file:
        lines = [line for line in file if line.endswith("}\n")]
    if not lines:
        raise common.Missing(f"{os.path.basename(path)} says nothing")
    return json.loads(lines[-1])


# --- the table --------------------------------------------------------------------------------------

# key, label, unit, goal (None: none), then the keys of the peer and of the floor.
TABLE = [
    ("cpu_us_per_value", "CPU per value, frame to store", "µs", ("<=", 1.0),
     "collectd_cpu_us_per_value", "bare_cpu_us_per_value"),
    ("f4_cpu_percent", "10,000 points each 100 ms: CPU", "% of a core", ("<=", 12), None,
     "f4_bare_cpu_percent"),
    ("f4_memory_mb", "the same: memory", "MB", ("<=", 45), None, None),
    ("f4_missed_slots", "the same: slots missed", "", ("<=", 0), None, None),
    ("f5_cpu_percent", "500 connections × 30 points at 1 s: CPU", "% of a core", ("<=", 6), None,
     "f5_bare_cpu_percent"),
    ("f5_memory_mb", "the same: memory", "MB", ("<=", 60), None, None),
    ("max_values_per_s", "most values a second, stored", "/s", (">=", 1e6),
     "collectd_values_per_s", None),
    ("max_cpu_cores", "the same: CPU", "cores", ("<=", 1), None, None),
    ("request_us", "a request of 125 registers", "µs", ("ratio", 1.3), None, "request_bare_us"),
    ("request_cpu_us", "the same: CPU", "µs", ("ratio", 1.2), None, "request_bare_cpu_us"),
    ("rtu_utilisation", "an RTU line, share of the optimum", "", (">=", 0.97), None, None),
    ("dead_unit_slowdown", "one of 20 units dead, the others' delay", "", ("<=", 0.05), None, None),
    ("mqtt_messages_per_s", "MQTT messages, acknowledged when stored", "/s", ("share", 0.95), None,
     "mqtt_bare_messages_per_s"),
    ("mqtt_cpu_us_per_message", "the same: CPU", "µs", ("<=", 10), None,
     "mqtt_bare_cpu_us_per_message"),
]


def verdict(figures, key, goal, floor):
    value = figures.get(key)
    if value is None:
        return "missing"
    how, limit = goal
    base = figures.get(floor) if how in ("ratio", "share") else 1
    if base is None:
        return "missing"
    met = value >= limit * base if how in (">=", "share") else value <= limit * base
    text = {"<=": f"≤ {limit:g}", ">=": f"≥ {limit:,g}" if limit < 1e5 else f"≥ {limit:,.0f}",
            "ratio": f"≤ {limit:g} × floor", "share": f"≥ {limit:g} × floor"}[how]
    return text if met else f"{text} MISSED"


def table(figures):
    rows = [[label, unit, shown(figures.get(key)), shown(figures.get(peer)),
             shown(figures.get(floor)), verdict(figures, key, goal, floor)]
            for key, label, unit, goal, peer, floor in TABLE]
    return ["", "unit", "ours", "collectd", "floor", "goal"], rows


REQUIRED = ("cpu_us_per_value", "max_values_per_s", "max_cpu_cores", "f4_cpu_percent", "f4_memory_mb",
            "f4_missed_slots", "f5_cpu_percent", "f5_memory_mb", "mqtt_messages_per_s",
            "mqtt_bare_messages_per_s", "mqtt_cpu_us_per_message", "rtu_utilisation",
            "dead_unit_slowdown", "collectd_values_per_s", "request_us", "request_bare_us")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binaries", required=True, help="folder of plumbline")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--scratch", default=f"{common.ROOT}/.build/bench")
    parser.add_argument("--results", default=f"{common.HERE}/results/field.json")
    parser.add_argument("--docs", help="write the table between the markers of this file")
    options = parser.parse_args()
    options.binaries = os.path.abspath(options.binaries)
    bench = Field(options)
    bench.run()
    head, rows = table(bench.figures)
    print(text_table(head, rows))
    if not options.only or options.results != parser.get_default("results"):
        with open(options.results, "w") as file:
            json.dump(bench.figures, file, indent=1, sort_keys=True)
            file.write("\n")
    if not options.only:
        bench.missing += [f"{key} was not measured" for key in REQUIRED if key not in bench.figures]
        if options.docs and not bench.missing:
            parts.write_between(
                options.docs, "field figures", markdown_table(head, rows), bench.figures, "QUICK=1")
    for line in bench.missing:
        print(f"MISSING  {line}")
    return 1 if bench.missing else 0


if __name__ == "__main__":
    sys.exit(main())
