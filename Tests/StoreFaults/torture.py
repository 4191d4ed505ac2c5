#!/usr/bin/env python3
"""Faults of power, disk and process against the store, counted.

    torture.py images  --images 200   crash images out of a recorded trace
    torture.py kills   --kills 50     kill -9 at any instant
    torture.py faults  --stride 7     the n-th system call fails, for every n
    torture.py migration --stride 3   killed at every statement of the migrations
    torture.py pages --stride 4       a flipped bit, a zeroed page, a cut at every page
    torture.py all                    all of them at full length, and the table of docs/torture.md

Each prints one line of JSON with its counts and exits 0 when all is as it must be, 1 when something
acknowledged was lost or a store did not start, 77 when a tool is missing ("skipped because …").
`--plant BUG` breaks the promise on purpose: then it must exit 1. Standard library only.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from crash_images import MODES, SAID, SYNC, Disk, read_trace

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXERCISER = os.environ.get("EXERCISER") or os.path.join(ROOT, ".build/debug/StoreExerciser")


class Skipped(Exception):
    pass


def compiled(source, folder):
    """The shared object of one of our shims."""
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    if not compiler:
        raise Skipped("there is no C compiler")
    result = os.path.join(folder, source.replace(".c", ".so"))
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", result,
         os.path.join(HERE, source)],
        check=True,
    )
    return result


def environment(**more):
    # A trap must end the program at once: its trace on standard error takes a second each.
    return {**os.environ, "SWIFT_BACKTRACE": "enable=no", **more}


def scratch(prefix):
    """A folder in memory where there is one: only the order of writes matters here."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return tempfile.mkdtemp(prefix=f"plumbline-{prefix}-", dir=base)


def promises(text, acked=0, applied=0):
    """The highest numbers that were acknowledged in what an exerciser said."""
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "acked":
            acked = max(acked, int(words[1]))
        elif len(words) > 1 and words[0] == "applied":
            applied = max(applied, int(words[1]))
    return acked, applied


def sealed(text):
    """How many groups were sealed, as an exerciser said."""
    lines = [line.split() for line in text.splitlines()]
    return sum(int(words[2]) for words in lines if words[:1] == ["applied"] and len(words) == 3)


FAULTS = ["lost", "missing", "twice", "corrupt", "damaged", "unequal"]


class Verdicts:
    """The sum of what `verify` found."""

    def __init__(self):
        self.counts = dict(
            stores=0, acked=0, lost=0, stores_with_loss=0, missing=0, twice=0, corrupt=0,
            damaged=0, unequal=0, not_started=0, slowest_start_ms=0, scans_read=0)
        self.worst = 0
        self.first_fault = None

    def verify(self, claims, *options):
        """claims: (folder, acked, applied), and lives where there were more than one. A store that
        stops the examiner has not started."""
        waiting = list(claims)
        while waiting:
            arguments = [":".join(map(str, claim)) for claim in waiting]
            done = subprocess.run(
                [EXERCISER, "verify", *options, *arguments], env=environment(), stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            lines = done.stdout.splitlines()
            for line in lines:
                self._add(json.loads(line))
            if len(lines) < len(waiting):
                self._add(dict(
                    folder=waiting[len(lines)][0], acked=waiting[len(lines)][1],
                    error=f"the program ended with {done.returncode}: {done.stderr[-500:]}"))
            waiting = waiting[len(lines) + 1 :]

    def _add(self, found):
        counts = self.counts
        counts["stores"] += 1
        counts["acked"] += found["acked"]
        for key in FAULTS:
            counts[key] += found.get(key, 0)
        counts["scans_read"] += found.get("scans", 0)
        counts["slowest_start_ms"] = max(
            counts["slowest_start_ms"], found.get("milliseconds", 0))
        counts["stores_with_loss"] += 1 if found.get("lost", 0) else 0
        self.worst = max(self.worst, found.get("lost", 0))
        if found.get("error"):
            counts["not_started"] += 1
        if found.get("error") or any(found.get(key, 0) for key in FAULTS):
            self.first_fault = self.first_fault or found

    def is_good(self, allowed=()):
        keys = [*FAULTS, "not_started"]
        return not any(self.counts[key] for key in keys if key not in allowed)


# Crash images


def recorded(folder, trace, shim, *arguments):
    """Runs the exerciser under the recorder."""
    done = subprocess.run(
        [EXERCISER, "run", folder, *arguments],
        env=environment(LD_PRELOAD=shim, RECORD_FOLDER=folder, RECORD_TRACE=trace),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the recorded run ended with {done.returncode}: {done.stderr}")
    return read_trace(trace)


def images(options):
    rng = random.Random(options.seed)
    shim_folder = scratch("shim")
    work = scratch("images")
    verdicts = Verdicts()
    modes = dict.fromkeys(MODES, 0)
    second = writes_in_doubt = syncs = seals = 0
    try:
        shim = compiled("recorder.c", shim_folder)
        arguments = ["--durability", options.durability]
        if options.plant:
            arguments.append(f"--plant-{options.plant}")
        remaining = options.images
        while remaining > 0:
            # A fresh trace for each few hundred images; every third image of a batch is cut once
            # more while it recovers.
            count = min(remaining, 250)
            remaining -= count
            data, trace = os.path.join(work, "data"), os.path.join(work, "trace")
            records = recorded(data, trace, shim, "--batches", str(options.batches), *arguments)
            syncs += sum(1 for record in records if record[0] == SYNC)
            said = b"".join(record[3] for record in records if record[0] == SAID).decode()
            seals += sealed(said)
            # The instants between two calls, some twice, in the order of the trace.
            cuts = sorted(rng.randrange(1, len(records) + 1) for _ in range(count))
            disk, place, claims = Disk(), 0, []
            for number, cut in enumerate(cuts):
                while place < cut:
                    disk.replay(records[place])
                    place += 1
                mode = MODES[rng.randrange(len(MODES))]
                modes[mode] += 1
                writes_in_doubt += disk.unsynchronised()
                image = os.path.join(work, f"image-{number}")
                disk.write_image(image, mode, rng)
                if number % 3 == 2:
                    second += 1
                    claims.append(cut_again(image, disk, shim, work, arguments, rng))
                else:
                    claims.append((image, disk.acked, disk.applied))
                if len(claims) == 40 or number == count - 1:
                    verdicts.verify(claims)
                    for folder, *_ in claims:
                        shutil.rmtree(folder)
                    claims = []
            shutil.rmtree(data)
            os.remove(trace)
    finally:
        shutil.rmtree(shim_folder, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
    return verdicts, dict(
        images=verdicts.counts["stores"], modes=modes, cut_while_recovering=second,
        synchronisations_recorded=syncs, seals_recorded=seals, writes_in_doubt=writes_in_doubt,
        worst_loss=verdicts.worst)


def cut_again(image, disk, shim, work, arguments, rng):
    """Starts on an image, lets it recover and go on, and cuts the power again."""
    trace = os.path.join(work, "trace-2")
    again = Disk(image)
    again.acked, again.applied = disk.acked, disk.applied
    try:
        records = recorded(image, trace, shim, "--batches", "12", *arguments)
    except RuntimeError as error:
        print(f"{image}: {error}", file=sys.stderr)
        return image, disk.acked, disk.applied
    for record in records[: rng.randrange(0, len(records) + 1)]:
        again.replay(record)
    os.remove(trace)
    shutil.rmtree(image)
    again.write_image(image, MODES[rng.randrange(len(MODES))], rng)
    return image, again.acked, again.applied, 2


# Kill -9


def kills(options):
    rng = random.Random(options.seed)
    work = scratch("kills")
    verdicts = Verdicts()
    batches = lives = seals = 0
    folder, acked, applied = os.path.join(work, "0"), 0, 0
    arguments = [f"--plant-{options.plant}"] if options.plant else []
    try:
        for number in range(1, options.kills + 1):
            # Into a file: a pipe that is read twice may keep lines to itself.
            told = os.path.join(work, "told")
            with open(told, "wb") as out:
                process = subprocess.Popen(
                    [EXERCISER, "run", folder, *arguments], env=environment(), stdout=out,
                    stderr=subprocess.STDOUT)
            # A third of the lives end while they start, the others at any instant of their work.
            if rng.random() < 0.33:
                time.sleep(rng.uniform(0.005, 0.08))
            else:
                while os.path.getsize(told) == 0 and process.poll() is None:
                    time.sleep(0.001)
                time.sleep(rng.uniform(0, options.life))
                lives += 1
            process.send_signal(signal.SIGKILL)
            process.wait()
            with open(told, errors="replace") as out:
                output = out.read()
            if process.returncode != -signal.SIGKILL:
                verdicts._add(dict(
                    folder=folder, acked=acked,
                    error=f"ended by itself with {process.returncode}: {output[-500:]}"))
            before = acked
            acked, applied = promises(output, acked, applied)
            batches += acked - before
            seals += sealed(output)
            # The store grows, and with it each look at all of it.
            if number % options.every == 0 or number == options.kills:
                verdicts.verify([(folder, acked, applied)])
                shutil.rmtree(folder, ignore_errors=True)
                folder, acked, applied = os.path.join(work, str(number)), 0, 0
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return verdicts, dict(kills=options.kills, kills_while_working=lives, batches_acked=batches,
                          seals=seals)


# The n-th call fails

CALLS = ["open", "write", "sync", "truncate", "unlink", "read"]


def faults(options):
    shim_folder = scratch("shim")
    work = scratch("faults")
    verdicts = Verdicts()
    points, told, refused, gone = {}, 0, 0, 0
    try:
        shim = compiled("fail-nth.c", shim_folder)
        number = 0
        for call in CALLS:
            for how, count in [("5", 1), ("28", 3), ("28short", 1), ("kill", 1)]:
                if how == "28short" and call != "write" or how == "28" and call == "read":
                    continue
                at, claims = 1 + options.seed % options.stride, []
                while True:
                    number += 1
                    folder = os.path.join(work, str(number))
                    report = os.path.join(work, "report")
                    process = subprocess.run(
                        [EXERCISER, "run", folder, "--batches", str(options.batches)],
                        env=environment(
                            LD_PRELOAD=shim, FAIL_FOLDER=folder, FAIL_CALLS=call,
                            FAIL_AT=str(at), FAIL_COUNT=str(count), FAIL_ERRNO=how,
                            FAIL_REPORT=report),
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    told += process.stdout.count("error ")
                    refused += process.returncode == 3
                    was_killed = process.returncode == -signal.SIGKILL
                    gone += was_killed
                    if process.returncode not in [0, 3] and not (how == "kill" and was_killed):
                        verdicts._add(dict(
                            folder=f"{call} {at} {how}", acked=0,
                            error=f"ended with {process.returncode}: {process.stdout[-300:]}"
                            f" {process.stderr[-300:]}"))
                    # A commit that failed may be in the file, where the next life finds its number taken.
                    lives = 1 + process.stdout.count("error ")
                    claims.append((folder, *promises(process.stdout), lives))
                    key = f"{call} {how}"
                    points[key] = points.get(key, 0) + 1
                    is_clean = False
                    if not was_killed:
                        with open(report) as file:
                            is_clean = int(file.read()) < at
                    if len(claims) == 40 or is_clean:
                        verdicts.verify([c for c in claims if os.path.isdir(c[0])])
                        for claim in claims:
                            shutil.rmtree(claim[0], ignore_errors=True)
                        claims = []
                    if is_clean:
                        break
                    at += options.stride
    finally:
        shutil.rmtree(shim_folder, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
    return verdicts, dict(
        runs=sum(points.values()), runs_by_call=points, errors_told=told,
        runs_that_gave_up=refused, killed_in_a_call=gone)


# Migrations

FIXTURES = os.path.join(ROOT, "Tests/Fixtures/stores")


def exerciser(verb, *arguments, **more):
    return subprocess.run(
        [EXERCISER, verb, *arguments], env=environment(**more), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)


def migration(options):
    """Every fixture, and a store that is being made, is opened and killed at every statement and in
    every write; the next start must complete it, with all that `content.txt` tells."""
    shim_folder = scratch("shim")
    work = scratch("migration")
    verdicts = Verdicts()
    counts = dict(fixtures=0, killed=0, killed_at_statements=0, killed_in_writes=0, compared=0)
    with open(os.path.join(FIXTURES, "content.txt")) as file:
        content = file.read()
    try:
        shim = compiled("fail-nth.c", shim_folder)
        fixtures = sorted(name for name in os.listdir(FIXTURES) if name.endswith(".sqlite"))
        for fixture in [*fixtures, None]:
            counts["fixtures"] += 1 if fixture else 0
            for seals in [[], ["--seal"]] if fixture else [[]]:
                compare(verdicts, counts, work, fixture, content, seals)
            for calls in ["statement", "write"]:
                at = 1 + options.seed % options.stride
                while True:
                    folder = prepared(work, fixture)
                    died = exerciser(
                        "open", folder, LD_PRELOAD=shim, FAIL_FOLDER=folder, FAIL_CALLS=calls,
                        FAIL_AT=str(at), FAIL_ERRNO="kill")
                    is_killed = died.returncode == -signal.SIGKILL
                    if is_killed:
                        counts["killed"] += 1
                        key = "killed_in_writes" if calls == "write" else "killed_at_statements"
                        counts[key] += 1
                    elif died.returncode != 0:
                        verdicts._add(dict(folder=f"{fixture} {calls} {at}", acked=0,
                                           error=died.stdout + died.stderr))
                    compare(verdicts, counts, work, fixture, content, [], folder)
                    if not is_killed:
                        break
                    at += options.stride
    finally:
        shutil.rmtree(shim_folder, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
    return verdicts, counts


def prepared(work, fixture):
    folder = tempfile.mkdtemp(dir=work)
    if fixture:
        shutil.copyfile(
            os.path.join(FIXTURES, fixture), os.path.join(folder, "plumbline.sqlite"))
    return folder


def compare(verdicts, counts, work, fixture, content, arguments, folder=None):
    """Opens a store, which migrates it, and compares all of it with the committed text."""
    folder = folder or prepared(work, fixture)
    start = time.monotonic()
    told = exerciser("tell", folder, *arguments)
    verdicts.counts["slowest_start_ms"] = max(
        verdicts.counts["slowest_start_ms"], int((time.monotonic() - start) * 1000))
    counts["compared"] += 1
    found = dict(folder=f"{fixture} {arguments}", acked=0)
    if told.returncode != 0:
        found["error"] = f"ended with {told.returncode}: {told.stdout[-300:]}{told.stderr[-300:]}"
    elif fixture and told.stdout != content:
        expected, stored = set(content.splitlines()), set(told.stdout.splitlines())
        found.update(
            missing=len(expected - stored), corrupt=max(1, len(stored - expected)),
            first=sorted(expected ^ stored)[:4])
    verdicts._add(found)
    shutil.rmtree(folder)


# Damaged pages

PAGE = 4096


def pages(options):
    """One flipped bit, one page of zeros, one cut at every page of a closed file and of a log.

    What stood on that page may be lost; everything else must be there, nothing may be read that was
    not written, and the store must start.
    """
    rng = random.Random(options.seed)
    work = scratch("pages")
    verdicts = Verdicts()
    counts = dict(pages=0, by_fault={})
    try:
        for part in ["plumbline.sqlite", "plumbline.sqlite-wal"]:
            sample = os.path.join(work, "sample")
            done = exerciser("run", sample, "--batches", str(options.batches))
            acked, applied = promises(done.stdout)
            for name in os.listdir(sample):
                if name.endswith("-shm"):
                    os.remove(os.path.join(sample, name))
            if part == "plumbline.sqlite":
                settle_log(os.path.join(sample, part))
            file = os.path.join(sample, part)
            size = os.path.getsize(file) if os.path.exists(file) else 0
            claims = []
            for page in range(rng.randrange(options.stride), size // PAGE, options.stride):
                counts["pages"] += 1
                for fault in ["bit", "zeros", "cut"]:
                    folder = os.path.join(work, f"{page}-{fault}")
                    shutil.copytree(sample, folder)
                    damage(os.path.join(folder, part), page * PAGE, fault, rng)
                    claims.append((folder, acked, applied))
                    counts["by_fault"][f"{part} {fault}"] = (
                        counts["by_fault"].get(f"{part} {fault}", 0) + 1)
                if len(claims) >= 60 or page + options.stride >= size // PAGE:
                    verdicts.verify(claims, "--recover")
                    for folder, *_ in claims:
                        shutil.rmtree(folder)
                    claims = []
            shutil.rmtree(sample)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return verdicts, counts


def settle_log(path):
    """Moves the log into the file, as a backup tool would."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()


def damage(path, place, fault, rng):
    with open(path, "r+b") as file:
        if fault == "cut":
            file.truncate(place)
            return
        offset = place + (rng.randrange(PAGE) if fault == "bit" else 0)
        file.seek(offset)
        if fault == "zeros":
            file.write(bytes(PAGE))
        else:
            byte = file.read(1)[0] ^ 1 << rng.randrange(8)
            file.seek(offset)
            file.write(bytes([byte]))


# What may be wrong with a store whose file was damaged behind its back: what stood there is gone.
ALLOWED = dict(pages=["lost", "missing", "damaged", "unequal"])


# All of them


def number(name, standard):
    return int(os.environ.get(name) or standard)


def programme():
    """(proof, arguments, whether it must fail, what it shows)."""
    images = number("TORTURE_IMAGES", 10_000)
    stride = number("TORTURE_STRIDE", 1)
    return [
        ("images", ["--images", images], False, "power cuts: crash images"),
        ("images", ["--images", max(40, images // 50), "--durability", "process"], True,
         "the same without a sync at each commit (contrast)"),
        ("images", ["--images", max(40, images // 100), "--plant", "ack-first"], True,
         "planted: a promise before the commit"),
        ("images", ["--images", max(40, images // 100), "--plant", "checkpoint-apart"], True,
         "planted: a checkpoint apart from its effects"),
        ("kills", ["--kills", number("TORTURE_KILLS", 2_000), "--life", "0.4"], False,
         "kill -9 of a writer at any instant"),
        ("faults", ["--stride", stride, "--batches", 30], False,
         "the n-th call on the file fails, for every n"),
        ("migration", ["--stride", stride], False, "killed at every statement of the migrations"),
        ("pages", ["--stride", stride], False, "bit, zeros and cut at every page"),
    ]


# Suites of the tests at full length, most of them with the whole gateway: (filter, environment, what).
STORES = number("TORTURE_STORES", 44)
DAEMON = [
    ("ScheduleTests", dict(SCHEDULE_STORES=str(STORES)),
     f"{46 * STORES:,} schedules of {2 * STORES} streams: late, doubled, shuffled, sealed, restarted"),
    ("KillTests", dict(DAEMON_KILLS=str(number("TORTURE_DAEMON_KILLS", 300))),
     "kill -9 of the gateway under MQTT load"),
    ("UplinkOutageTests", dict(OUTAGE_SECONDS=str(60 * number("TORTURE_MINUTES", 10))),
     "the platform's broker away"),
    ("IntegrationTests.PlatformTests",
     dict(OUTAGE_SECONDS=str(60 * number("TORTURE_MINUTES", 10))),
     "four platforms at once, each away in turn: both ledgers compared item by item"),
    ("BacklogPaceTests", dict(BACKLOG_DAYS="30"), "a platform back after 30 days, HJ 212"),
    ("SlowNeighbourTests", dict(NEIGHBOUR_ROUNDS="15"),
     "what a platform that answers after 400 ms costs the one beside it"),
    ("UnstoredDiskTests", dict(UNSTORED_SECONDS=str(60 * number("TORTURE_MINUTES", 10))),
     "a full disk, then calls that fail with EIO, EROFS, ENOSPC: the state `unstored`"),
]


def everything():
    only = [word for word in os.environ.get("TORTURE_ONLY", "").split(",") if word]
    rows, is_good = [], True
    for proof, arguments, must_fail, what in programme():
        if only and proof not in only:
            continue
        done = subprocess.run(
            [sys.executable, __file__, proof, *map(str, arguments)], stdout=subprocess.PIPE,
            text=True)
        print(done.stdout, end="", flush=True)
        if done.returncode == 77:
            rows.append([what, done.stdout.strip(), "", "", "", "", ""])
            continue
        try:
            found = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            rows.append([what, f"ended with {done.returncode}", "", "", "", "", "**broken**"])
            is_good = False
            continue
        as_expected = (done.returncode != 0) == must_fail
        is_good = is_good and as_expected
        rows.append([
            what, size_of(found), f"{found['lost']:,}", f"{found['missing'] + found['twice']:,}",
            f"{found['corrupt'] + found['damaged'] + found['unequal']:,}",
            f"{found['not_started']:,}",
            ("found, as it must be" if must_fail else "kept") if as_expected else "**not kept**"])
    for suite, more, what in [] if only and "daemon" not in only else DAEMON:
        rows.append(integration(suite, more, what))
        is_good = is_good and "**" not in rows[-1][-1]
    if not only or "half-open" in only:
        rows.append(half_open())
        is_good = is_good and "**" not in rows[-1][-1]
    table = [
        "| fault | how much | acknowledged and lost | missing or twice | damaged or wrong"
        " | did not start | promise |", "|---|---|---|---|---|---|---|"]
    table += ["| " + " | ".join(row) + " |" for row in rows]
    print("\n".join(table))
    if not only:
        write_into_document("\n".join(table))
    return is_good


def size_of(found):
    minutes = f"{found['seconds'] / 60:.1f} min"
    if found["proof"] == "images":
        return (f"{found['images']:,} images ({found['cut_while_recovering']:,} cut again while"
                f" recovering), {found['writes_in_doubt']:,} writes in doubt, slowest start"
                f" {found['slowest_start_ms']} ms, {minutes}")
    if found["proof"] == "kills":
        return (f"{found['kills']:,} kills, {found['kills_while_working']:,} at work,"
                f" {found['batches_acked']:,} commits, {minutes}")
    if found["proof"] == "faults":
        return (f"{found['runs']:,} runs, {found['errors_told']:,} errors told,"
                f" {found['killed_in_a_call']:,} killed in a call, {minutes}")
    if found["proof"] == "migration":
        return (f"{found['fixtures']} fixtures, {found['killed']:,} kills,"
                f" {found['compared']:,} compared, {minutes}")
    return f"{found['pages']:,} pages, {found['stores']:,} damaged stores, {minutes}"


def integration(suite, more, what):
    start = time.monotonic()
    done = subprocess.run(
        [os.environ.get("SWIFT", "swift"), "test", "--skip-build", "--filter", suite], cwd=ROOT,
        env={**os.environ, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout[-4000:] if done.returncode else "", end="")
    told = [line.strip() for line in done.stdout.splitlines()
            if line.startswith(("skipped because", "torture:"))
            or line.startswith("kill test:") and "kills," in line]
    minutes = f"{(time.monotonic() - start) / 60:.1f} min"
    return [what, "; ".join([*told[-2:], minutes]).replace("|", "/"), "", "", "", "",
            "kept" if done.returncode == 0 else "**not kept**"]


def half_open():
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "Tests/UplinkFaults/half_open.py")],
        stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    told = "; ".join(line.removeprefix("torture: ") for line in done.stdout.splitlines()
                     if line.startswith(("torture:", "skipped because")))
    return ["the network gone without a word, 30 s allowed", told, "", "", "", "",
            {0: "kept", 77: ""}.get(done.returncode, "**not kept**")]


def write_into_document(table):
    path = os.path.join(ROOT, "docs/torture.md")
    with open(path) as file:
        text = file.read()
    begin, end = "<!-- table -->", "<!-- /table -->"
    before, rest = text.split(begin)
    machine = f"{os.cpu_count()} cores, {os.uname().sysname} {os.uname().release}"
    chosen = ", ".join(f"{key}={value}" for key, value in sorted(os.environ.items())
                       if key.startswith("TORTURE_"))
    length = f"shortened: {chosen}" if chosen else "at full length"
    table = (f"{begin}\n{time.strftime('%Y-%m-%d', time.gmtime())}, {machine}, {length}.\n\n"
             f"{table}\n{end}")
    with open(path, "w") as file:
        file.write(before + table + rest.split(end)[1])


ALL = ["images", "kills", "faults", "migration", "pages"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proof", choices=[*ALL, "all"])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--batches", type=int, default=0)
    parser.add_argument("--durability", default="power", choices=["power", "process"])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--every", type=int, default=10, help="kills between two verifications")
    parser.add_argument("--life", type=float, default=0.15, help="longest life in seconds")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--plant", choices=["ack-first", "checkpoint-apart"])
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    options = parser.parse_args()
    options.batches = options.batches or dict(images=400, faults=12, pages=400).get(options.proof, 0)
    if options.proof == "all":
        sys.exit(0 if everything() else 1)
    start = time.monotonic()
    try:
        verdicts, counts = globals()[options.proof](options)
    except Skipped as reason:
        print(f"skipped because {reason}")
        sys.exit(77)
    print(json.dumps(dict(
        proof=options.proof, seed=options.seed, seconds=round(time.monotonic() - start, 1),
        **counts, **verdicts.counts, first_fault=verdicts.first_fault), ensure_ascii=False))
    sys.exit(0 if verdicts.is_good(ALLOWED.get(options.proof, [])) else 1)


main()
