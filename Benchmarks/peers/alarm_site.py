"""Sites whose alarms come and go: boxes with a temperature that is driven, and the demo."""

import contextlib
import os
import random
import re
import signal
import struct
import time

from . import common, field_site, gateway, plant

BOXES, LINKS, POINTS = 20, 4, 10
TOPIC = "plumbline/bench/alarms"
COOL, HOT = 400, 800  # tenths of a degree; the limit lies between
RULES = """format: alarm-rules/1
rules:
  - alarm: box_hot
    title: { en: "Distribution box hot", zh: "配电箱过热" }
    module: electrical
    severity: warning
    source: the benchmark
    status: project
    when: { point: conductor_temperature.ch1, input: reading, above: 70 Cel, clear: 65 Cel }
"""


class Boxes:
    """What the boxes answer: the first register is driven, the others stand."""

    def __init__(self):
        self.values = {unit: COOL for unit in range(1, BOXES + 1)}

    def read(self, unit, address, count):
        if unit not in self.values or address + count > POINTS:
            return None
        registers = [self.values[unit]] + [300 + n for n in range(1, POINTS)]
        return struct.pack(f">{count}H", *registers[address:address + count])

    def toggle(self, unit):
        self.values[unit] = COOL if self.values[unit] == HOT else HOT


class BoxSite:
    """20 boxes on four connections, polled every 200 ms; the commit interval is the usual second."""

    def __init__(self, place, broker, hook):
        self.boxes = Boxes()
        self.server = plant.Server(self.boxes)
        profile = field_site.register_profile("box", POINTS, "200ms")
        links = "".join(
            f"  - id: bus-{n}\n    modbus: tcp://127.0.0.1:{self.server.port}\n    devices:\n"
            + "".join(f"      - {{id: box-{unit}, profile: bench/box, unit: {unit}}}\n"
                      for unit in range(1 + n, BOXES + 1, LINKS))
            for n in range(LINKS))
        feeds = (f"alarms:\n  - include: rules.yaml\nfeeds:\n"
                 f"  - {{id: bus, mqtt: \"mqtt://127.0.0.1:{broker}\", topic: {TOPIC}, audience: programs}}\n"
                 f"  - {{id: hook, webhook: \"http://127.0.0.1:{hook}/hook\", audience: programs}}\n")
        with open(f"{place}/rules.yaml", "w") as file:
            file.write(RULES)
        self.site = field_site.Site(place, {"box": profile}, links, uplinks=feeds)
        self.port, self.store = self.site.port, f"{place}/data/plumbline.sqlite"

    def one_after_the_other(self, changes, pause):
        """The boxes in turn, at instants that know nothing of the polls."""
        dice = random.Random(7)
        units = dice.sample(range(1, BOXES + 1), BOXES)
        for number in range(changes):
            self.boxes.toggle(units[number % BOXES])
            time.sleep(dice.uniform(0.3, 1.7) * pause)

    def all_at_once(self, rounds, pause):
        dice = random.Random(8)
        for _ in range(rounds):
            for unit in self.boxes.values:
                self.boxes.toggle(unit)
            time.sleep(dice.uniform(0.8, 1.2) * pause)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Demo:
    """`plumbline demo`, and where its parts are found."""

    def __init__(self, process, folder, port, log):
        with open(f"{folder}/site.yaml") as file:
            text = file.read()
        feed = re.search(r'id: bus, mqtt: "mqtt://127\.0\.0\.1:(\d+)", topic: (\S+?)[,}\s]', text)
        if not feed:
            raise common.Missing("the demo's site.yaml has no MQTT feed 'bus'")
        self.process, self.port, self.store = process, port, f"{folder}/data/plumbline.sqlite"
        self.broker, self.topic, self.log = int(feed[1]), feed[2], log

    def last_words(self):
        with open(self.log, errors="replace") as file:
            lines = [line for line in file if " warning " in line or " error " in line or "Error:" in line]
        return f"plumbline demo ended with {self.process.returncode}: {''.join(lines)[-800:].strip()}"


@contextlib.contextmanager
def demo(binaries, place, hook):
    """Runs the demo in `place` until the block ends, and ends it as Ctrl-C does."""
    port, log = common.free_port(), f"{place}/demo.log"
    with common.running(
            [f"{binaries}/plumbline", "demo", "--port", str(port), "--webhook",
             f"http://127.0.0.1:{hook}/hook", "--share", common.ROOT],
            log, env=os.environ | {"TMPDIR": place}) as process:
        try:
            common.wait_until(lambda: process.poll() is not None or gateway.is_ready(port), 180, "the demo")
            if process.poll() is not None:
                raise common.Missing("plumbline demo ended")
            yield Demo(process, f"{place}/plumbline-demo-{process.pid}", port, log)
        finally:
            common.stop(process, signal.SIGINT)
            end_broker(f"{place}/plumbline-demo-{process.pid}/mosquitto.conf")


def end_broker(configuration):
    """A demo that was killed leaves its broker, in a session of its own."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{entry}/cmdline") as file:
            if file.read().split("\0")[1:3] == ["-c", configuration]:
                os.kill(int(entry), signal.SIGTERM)
