#!/usr/bin/env python3
"""Alarm figures: how soon after its commit a change is seen at each feed, watched from outside.

    Benchmarks/alarms.py --binaries DIR [--quick] [--only PART,...] [--results FILE] [--docs FILE]

Parts: steady storm demo; a quick run has no demo unless it is named. Writes
Benchmarks/results/alarms.json. Everything runs on 127.0.0.1 in one run. Exit 0: measured; 1: a
figure is missing. A goal that was missed is marked and is no failure.
"""

import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import time

from peers import alarm_site, alarm_watch, common, field_site, gateway, parts
from store import markdown_table, shown, text_table

# channel → who saw it, and what that watcher calls the place
CHANNELS = {"sse": ("sse", None), "mqtt_state": ("mqtt", "state"), "mqtt_events": ("mqtt", "events"),
            "webhook": ("webhook", None)}
GOAL_MS = 10
LOST_AFTER_MS = 5000
DEMO_RULES = {"demo_meter_silent": "meter silent", "pm10_15min": "dust",
              "demo_crane_moment": "crane moment"}
RAISED, CLEARED = ("active_unacknowledged",), ("returned_unacknowledged", "normal")


class Alarms(parts.Parts):
    NAMES = ("steady", "storm", "demo")

    def wants(self, name):
        return super().wants(name) and (name != "demo" or not self.quick or self.options.only)

    def watch(self, watch, port, store, broker, topic):
        """Every watcher but the webhook, which has to be there before its address is configured."""
        watch.start("sse", alarm_watch.events, port)
        watch.start("mqtt", alarm_watch.mqtt, broker, topic)
        asked, changes = alarm_watch.FORK.Pipe(duplex=False)
        watch.start("atom", alarm_watch.atom, port, asked)
        watch.start("store", alarm_watch.store, store, changes)

    def boxes(self, place, drive, floors):
        """Runs the boxes' site; figures of what `drive` did, and of the bare loops around it."""
        with field_site.broker(place) as (_, broker), alarm_watch.watchers(place) as watch:
            hook = watch.start("webhook", alarm_watch.webhook)
            boxes = alarm_site.BoxSite(place, broker, hook)
            try:
                with boxes.site.running(self.options.binaries) as process:
                    self.watch(watch, boxes.port, boxes.store, broker, alarm_site.TOPIC)
                    time.sleep(3)
                    runs = [self.floor(broker)] if floors else []
                    first, at = field_site.cpu_seconds(process.pid), time.monotonic()
                    drive(boxes)
                    settle(watch)
                    cpu = field_site.cpu_seconds(process.pid) - first
                    seconds = time.monotonic() - at
                    if floors:
                        runs.append(self.floor(broker))
                    memory = gateway.memory(process.pid)
                    watch.check()
                    watch.stop()
            finally:
                boxes.close()
            found = latencies(watch.lines())
        found |= {"cpu_percent": 100 * cpu / seconds, "seconds": round(seconds), "memory": memory,
                  "load_average": round(os.getloadavg()[0], 1)}
        if floors:
            # Of the bare loops before and after the better one counts.
            found["floor"] = {name: min((run[name] for run in runs), key=lambda one: one["p99_ms"])
                              for name in ("mqtt", "webhook")}
            found["floor_runs"] = runs
        return found

    # --- boxes ---------------------------------------------------------------------------------------

    def steady(self, place):
        """One box after the other becomes hot or cool."""
        changes = 70 if self.quick else 520
        return {"steady": self.boxes(place, lambda boxes: boxes.one_after_the_other(changes, 0.7), True)}

    def storm(self, place):
        """All boxes at once."""
        rounds = 3 if self.quick else 15
        return {"storm": self.boxes(place, lambda boxes: boxes.all_at_once(rounds, 4), False)}

    def floor(self, broker):
        """What the broker and such watchers need without a gateway: one message at a time."""
        count, dice = (100 if self.quick else 400), random.Random(9)
        client = alarm_watch.Client(broker, f"alarm-floor-{time.monotonic_ns()}")
        sent = {"mqtt": {}, "webhook": {}}
        with common.folder(self.options.scratch) as place, alarm_watch.watchers(place) as watch:
            watch.start("mqtt", alarm_watch.mqtt, broker, "floor")
            receiver = watch.start("webhook", alarm_watch.webhook)
            post = http.client.HTTPConnection("127.0.0.1", receiver, timeout=10)
            for number in range(count):
                # As long as what the gateway says of one alarm.
                key = f"floor|box-{number}|0"
                body = json.dumps({"alarms": [{"key": key, "state": "-", "filler": "." * 1250}]}).encode()
                time.sleep(dice.uniform(0.005, 0.05))
                sent["mqtt"][key] = time.monotonic_ns()
                client.publish("floor/events", body)
                time.sleep(dice.uniform(0.005, 0.05))
                sent["webhook"][key] = time.monotonic_ns()
                post.request("POST", "/hook", body, {"Content-Type": "application/json"})
                post.getresponse().read()
            common.wait_until(lambda: all(len(watch.seen(name)) >= count for name in sent), 10,
                              "the bare messages")
            taken = {name: [(line["at"] - sent[name][line["key"]]) / 1e6 for line in watch.seen(name)]
                     for name in sent}
        return {name: spread(values) for name, values in taken.items()}

    # --- the demo -------------------------------------------------------------------------------------

    def demo(self, place):
        """The demo until its three alarms have come and gone, 25 minutes at most."""
        with alarm_watch.watchers(place) as watch:
            hook = watch.start("webhook", alarm_watch.webhook)
            with alarm_site.demo(self.options.binaries, place, hook) as demo:
                self.watch(watch, demo.port, demo.store, demo.broker, demo.topic)
                begin = time.monotonic()
                while not all(demo_events(watch.seen("store")).values()):
                    if demo.process.poll() is not None:
                        self.missing.append(f"demo: {demo.last_words()}")
                        break
                    if time.monotonic() - begin > 25 * 60:
                        break
                    watch.check()
                    time.sleep(1)
                else:
                    settle(watch)
                seconds = time.monotonic() - begin
                watch.stop()
        lines = watch.lines()
        found = {"seconds": round(seconds), "exit_status": demo.process.returncode, "all": latencies(lines),
                 "events": {}}
        for name, line in demo_events(lines["store"]).items():
            found["events"][name] = line and {
                "key": line["key"], "state": line["state"], "value": line["value"], "word": line["word"],
                "after_s": round((line["at"] - begin * 1e9) / 1e9, 1),
                "channels": {channel: told(arrivals(lines, channel), line) for channel in CHANNELS}
                | {"atom": told_by_atom(lines["atom"], line)}}
        return {"demo": found}


# --- what was seen, and when ------------------------------------------------------------------------

def settle(watch):
    """Waits until what was committed last has had its 5 seconds, the poll and the commit before it."""
    time.sleep(2)
    while True:
        count = len(watch.seen("store"))
        time.sleep(LOST_AFTER_MS / 1000 + 0.5)
        if len(watch.seen("store")) == count:
            return


def identity(line):
    return line["key"], line["state"]


def arrivals(lines, channel):
    """The first line of each change on a channel."""
    watcher, where = CHANNELS[channel]
    found = {}
    for line in lines[watcher]:
        if where is None or line["where"] == where:
            found.setdefault(identity(line), line)
    return found


def latency_ms(line, change):
    """From the last look that did not show the commit: the true figure is no higher."""
    return (line["at"] - change["unseen"]) / 1e6


def latencies(lines):
    changes = [line for line in lines["store"] if alarm_watch.counts(line)]
    if not changes:
        raise common.Missing("no change of an alarm was committed")
    found = {"changes": len(changes), "channels": {},
             "commits": len({line["at"] for line in changes}),
             "looks": spread([(line["at"] - line["unseen"]) / 1e6 for line in changes])}
    for channel in CHANNELS:
        seen = arrivals(lines, channel)
        pairs = [(seen.get(identity(line)), line) for line in changes]
        taken = [latency_ms(one, line) for one, line in pairs if one]
        lost = [line for one, line in pairs if not one or latency_ms(one, line) > LOST_AFTER_MS]
        found["channels"][channel] = spread(taken) | {
            "lost": len(lost), "lost_keys": [identity(line) for line in lost[:20]],
            "without_evidence": sum(1 for one, _ in pairs if one and not one["evidence"]),
            "since_first_visible": spread([(one["at"] - line["at"]) / 1e6 for one, line in pairs if one])}
    atom = lines["atom"]
    found["atom"] = {
        "count": len(atom), "misses": sum(1 for line in atom if not line["found"]),
        "missed": [[*identity(line), line["status"]] for line in atom if not line["found"]][:20],
        "unasked": len(changes) - len(atom),
        "begun": spread([(line["begun"] - change["at"]) / 1e6 for line in atom
                         for change in changes if identity(change) == identity(line)]),
        "answer": spread([(line["at"] - line["begun"]) / 1e6 for line in atom])}
    return found


def spread(values):
    """Count and quantiles by nearest rank, in milliseconds."""
    if not values:
        return {"count": 0}
    values = sorted(values)

    def at(share):
        return values[max(0, -(-len(values) * share // 100) - 1)]
    return {"count": len(values), "p50_ms": at(50), "p95_ms": at(95), "p99_ms": at(99), "max_ms": values[-1]}


def demo_events(changes):
    """The first raising and the first return of each alarm that the demo promises; None: not yet."""
    found = {}
    for rule, title in DEMO_RULES.items():
        own = [line for line in changes if line["key"].startswith(f"{rule}|") and alarm_watch.counts(line)]
        raised = next((line for line in own if line["state"] in RAISED), None)
        found[f"{title} raised"] = raised
        found[f"{title} cleared"] = raised and next(
            (line for line in own if line["key"] == raised["key"] and line["state"] in CLEARED), None)
    return found


def told(seen, change):
    line = seen.get(identity(change))
    return line and {"ms": latency_ms(line, change), "evidence": line["evidence"]}


def told_by_atom(lines, change):
    line = next((line for line in lines if identity(line) == identity(change) and line["found"]), None)
    return line and {"ms": latency_ms(line, change), "evidence": line["evidence"],
                     "summary": line["summary"]}


# --- the tables -------------------------------------------------------------------------------------

LABELS = {"sse": "SSE", "mqtt_state": "MQTT, state (retained)", "mqtt_events": "MQTT, events",
          "webhook": "webhook"}
HEAD = ["", "unit", "count", "lost", "p50", "p95", "p99", "max", "floor p99", "goal"]
QUANTILES = ("p50_ms", "p95_ms", "p99_ms", "max_ms")


def row(label, unit, figures, lost="", floor=None, goal=""):
    return [label, unit, str(figures.get("count", 0)), str(lost),
            *(shown(figures.get(key)) for key in QUANTILES), shown(floor), goal]


def verdict(figures):
    text = f"p99 ≤ {GOAL_MS}, none lost"
    value = figures.get("p99_ms")
    met = value is not None and value <= GOAL_MS and not figures["lost"]
    return text if met else f"{text} MISSED"


def table(figures):
    rows = []
    floors = figures.get("steady", {}).get("floor", {})
    for part, title in (("steady", "one after the other"), ("storm", f"{alarm_site.BOXES} at once")):
        found = figures.get(part)
        if not found:
            continue
        for channel, label in LABELS.items():
            one = found["channels"][channel]
            floor = floors.get(channel.split("_")[0], {}).get("p99_ms")
            rows.append(row(f"{title}: {label}", "ms", one, one["lost"], floor, verdict(one)))
        atom = found["atom"]
        misses = atom["misses"] + atom["unasked"]
        rows.append(row(f"{title}: Atom, GET 10 ms after", "ms", atom["answer"], misses, None,
                        "none lost" if not misses else "none lost MISSED"))
        rows.append(row(f"{title}: watcher of the store", "ms", found["looks"]))
    for name, label in (("mqtt", "bare publish to subscriber"), ("webhook", "bare POST to receiver")):
        if name in floors:
            rows.append(row(label, "ms", floors[name]))
    return HEAD, rows


def demo_table(found):
    names = list(LABELS) + ["atom"]
    head = ["the demo", "evidence"] + [LABELS.get(name, "Atom") for name in names] + ["after"]
    rows = []
    for name, event in found["events"].items():
        if not event:
            rows.append([name, "–"] + ["–"] * len(names) + ["never"])
            continue
        evidence = event["word"] or shown(event["value"])
        cells = []
        for channel in names:
            seen = event["channels"][channel]
            if not seen:
                cells.append("LOST")
            else:
                time_ms = "in it" if channel == "atom" else f"{seen['ms']:.1f} ms"
                cells.append(time_ms + ("" if seen["evidence"] else ", NO EVIDENCE"))
        rows.append([name, evidence, *cells, f"{event['after_s']:.0f} s"])
    return head, rows


def tables(figures):
    found = [table(figures)] if table(figures)[1] else []
    return found + ([demo_table(figures["demo"])] if "demo" in figures else [])


def missing_figures(figures, parts):
    for part in parts:
        found = figures.get(part)
        if not found:
            yield f"{part} was not measured"
        elif part == "demo":
            yield from (f"demo: '{name}' was not committed"
                        for name, event in found["events"].items() if not event)
        else:
            for channel, one in found["channels"].items():
                if not one["count"]:
                    yield f"{part}: {channel} saw nothing"
            if not found["atom"]["count"]:
                yield f"{part}: Atom was never asked"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binaries", required=True, help="folder of plumbline")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--scratch", default=f"{common.ROOT}/.build/bench")
    parser.add_argument("--results", default=f"{common.HERE}/results/alarms.json")
    parser.add_argument("--docs", help="write the tables between the markers of this file")
    options = parser.parse_args()
    options.binaries = os.path.abspath(options.binaries)
    options.scratch = os.path.abspath(options.scratch)
    bench = Alarms(options)
    bench.run()
    print("\n\n".join(text_table(head, rows) for head, rows in tables(bench.figures)))
    if not options.only or options.results != parser.get_default("results"):
        with open(options.results, "w") as file:
            json.dump(bench.figures, file, indent=1, sort_keys=True)
            file.write("\n")
    bench.missing += missing_figures(bench.figures, filter(bench.wants, bench.NAMES))
    if not options.only and options.docs and not bench.missing:
        middle = "\n\n".join(markdown_table(head, rows) for head, rows in tables(bench.figures))
        parts.write_between(options.docs, "alarm figures", middle, bench.figures, "--quick")
    for line in bench.missing:
        print(f"MISSING  {line}")
    return 1 if bench.missing else 0


if __name__ == "__main__":
    sys.exit(main())
