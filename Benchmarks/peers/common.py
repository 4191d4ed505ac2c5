"""Processes, ports, folders, quantiles: what every part of the benchmark needs."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HERE)


class Missing(Exception):
    """A part could not give its figures; the message says why."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def folder_bytes(path):
    total = 0
    for base, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.path.getsize(os.path.join(base, name))
    return total


@contextlib.contextmanager
def folder(parent):
    path = tempfile.mkdtemp(dir=parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(command, log, **options):
    """A process of ours, ended by its own id."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options)
    try:
        yield process
    finally:
        stop(process)


def stop(process, how=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def request(port, method, path, body=None, timeout=60, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until(check, seconds, what, pause=0.05):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            value = check()
            if value:
                return value
        time.sleep(pause)
    raise Missing(f"{what} did not come within {seconds} s")


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def wrk(url, seconds):
    """p50 and p99 in milliseconds of one connection asking one address."""
    answer = subprocess.run(
        ["wrk", "-t1", "-c1", f"-d{seconds}s", "--latency", url],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in answer:
        raise Missing(f"{url} answers errors under wrk")
    found = dict(re.findall(r"^\s+(50|99)%\s+(\S+)$", answer, re.M))
    units = {"us": 0.001, "ms": 1, "s": 1000}

    def value(text):
        number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
        return float(number) * units[unit]

    if len(found) != 2:
        raise Missing(f"wrk said nothing of use about {url}")
    return value(found["50"]), value(found["99"])


def device_sectors(path):
    """Bytes written so far to the block device that holds `path`; None where there is none."""
    number = os.stat(path).st_dev
    name = f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"
    try:
        with open(f"{name}/stat") as file:
            return int(file.read().split()[6]) * 512
    except OSError:
        return None


def disk_floor(parent, seconds):
    """What one 4 KiB write with fdatasync costs: p50 and p99 in ms, and how many a second."""
    import json
    with folder(parent) as place:
        answer = subprocess.run(
            ["fio", "--name=floor", f"--directory={place}", "--rw=write", "--bs=4k",
             "--size=8m", "--fdatasync=1", "--time_based", f"--runtime={seconds}",
             "--output-format=json"], capture_output=True, text=True, check=True).stdout
    job = json.loads(answer[answer.index("{"):])["jobs"][0]
    sync = job["sync"]["lat_ns"]["percentile"]
    return {"p50_ms": sync["50.000000"] / 1e6, "p99_ms": sync["99.000000"] / 1e6,
            "per_second": job["write"]["iops"]}
