"""Trials of mqtt_platform on a real mosquitto: plain JSON, ThingsBoard's API, and a Sparkplug host."""

import json
import socket
import struct
import threading
import time
import unittest

import paho.mqtt.client as mqtt

import sparkplug_host
from trial_clients import (
    Broker, Peer, count, double, eventually, metric, payload, temporary)

NDEATH = bytes.fromhex("0880cca185f63112120a0562645365711880cca185f63120045800")
NBIRTH = bytes.fromhex(
    "0880cca185f63112120a0562645365711880cca185f6312004580012210a144e6f646520436f6e74726f6c2f5265"
    "62697274681880cca185f631200b70001800")
DDATA = bytes.fromhex("0880cca185f63112180a04504d31301880cca185f631200a690000000000005c401801")
STAMP = 1715313600000


class Client:
    """What a gateway is to the broker, with MQTT 3.1.1."""

    def __init__(self, port):
        self.came, self.ready = [], threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _d, message: self.came.append(message)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def subscribe(self, topic):
        self.ready.clear()
        self.client.subscribe(topic, 1)
        self.ready.wait(5)

    def send(self, topic, data, qos=1, retain=False):
        if not isinstance(data, (bytes, str)):
            data = json.dumps(data)
        self.client.publish(topic, data, qos, retain).wait_for_publish(5)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def with_will(port, topic: str, data: bytes) -> socket.socket:
    """A connection of MQTT 3.1.1 with a will of QoS 1, which the broker publishes when it breaks."""
    def text(value):
        return struct.pack(">H", len(value)) + value

    body = (text(b"MQTT") + b"\x04" + bytes([0x02 | 0x04 | 0x08]) + struct.pack(">H", 60)
            + text(b"mortal") + text(topic.encode()) + text(data))
    line = socket.create_connection(("127.0.0.1", port), timeout=5)
    line.sendall(b"\x10" + count(len(body)) + body)
    assert line.recv(4)[3] == 0
    return line


class MQTTCase(unittest.TestCase):
    style = "plain"
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.stop)
        cls.peer = Peer("mqtt_platform.py", "--broker", cls.broker.port, "--style", cls.style,
                        *cls.options)
        cls.addClassCleanup(cls.peer.stop)

    def setUp(self):
        self.client = Client(self.broker.port)
        self.addCleanup(self.client.close)
        self.addCleanup(self.peer.misbehave, "off")
        self.before = len(self.peer.refused())

    def refusals(self, number):
        eventually(lambda: len(self.peer.refused()) >= self.before + number)
        return [one["why"] for one in self.peer.refused()[self.before:]]


def bucket(key, revision=0):
    return {"format": "plumbline-json/1", "key": key, "device": "d", "revision": revision,
            "start": "2026-11-21T08:00:00+08:00", "series": []}


class PlainTrials(MQTTCase):
    def records(self, key):
        return [record for record in self.peer.ledger() if record["key"] == key]

    def test_objects_are_recorded_by_key(self):
        self.client.send("up/rollup/15min/d", bucket("k1"))
        self.client.send("up/rollup/15min/d", bucket("k1", 1))
        self.client.send("up/status", '{"online":true}', retain=True)
        record = eventually(lambda: [r for r in self.records("k1") if r["times"] == 2])[0]
        self.assertEqual((record["revision"], record["topic"]), (1, "up/rollup/15min/d"))
        eventually(lambda: self.peer.events("status"))

    def test_what_is_wrong_is_refused(self):
        for data, qos, retain in ((bucket("k2"), 0, False), (bucket("k2"), 1, True),
                                  ("[]", 1, False), ("{", 1, False), ({"revision": 0}, 1, False),
                                  ({"key": "k2"}, 1, False)):
            self.client.send("up/x", data, qos, retain)
        self.client.send("up/x", b"", retain=True)
        words = ("QoS 0", "retained", "no object", "Expecting", "the key", "revision of k2")
        for word, reason in zip(words, self.refusals(6)):
            self.assertIn(word, reason)

    def test_a_platform_that_starts_again_gets_what_it_missed(self):
        broker = Broker()
        self.addCleanup(broker.stop)
        client, path = Client(broker.port), temporary()
        self.addCleanup(client.close)
        first = Peer("mqtt_platform.py", "--broker", broker.port, ledger=path)
        client.send("up/x", bucket("k3"))
        eventually(first.ledger)
        first.kill()
        client.send("up/x", bucket("k4"))
        second = Peer("mqtt_platform.py", "--broker", broker.port, ledger=path)
        self.addCleanup(second.stop)
        eventually(lambda: [record["key"] for record in second.ledger()] == ["k3", "k4"])

    def test_faults(self):
        self.peer.misbehave("no_ack", count=1)
        self.client.send("up/x", bucket("k5"))
        self.client.send("up/x", bucket("k6"))
        eventually(lambda: self.records("k6"))
        self.assertEqual(self.records("k5"), [])
        self.peer.misbehave("hang")
        self.client.send("up/x", bucket("k7"))
        time.sleep(0.06)
        self.assertEqual(self.records("k7"), [])
        self.peer.misbehave("slow", rate=10)
        began = time.monotonic()
        eventually(lambda: self.records("k7"))
        self.assertGreater(time.monotonic() - began, 0.08)
        self.client.subscribe("up/x/answer")
        self.peer.misbehave("garbage", count=1)
        self.client.send("up/x", bucket("k8"))
        self.assertEqual(len(eventually(lambda: self.client.came)[0].payload), 40)
        self.peer.misbehave("close")
        eventually(lambda: self.peer.events("disconnected"))
        self.client.send("up/x", bucket("k9"))
        self.peer.misbehave("off")
        eventually(lambda: self.records("k9"))
        with self.assertRaises(ValueError):
            self.peer.misbehave("late_ack")


class ThingsBoardTrials(MQTTCase):
    style = "thingsboard"

    def test_telemetry_and_attributes_of_connected_devices(self):
        self.client.send("v1/gateway/connect", {"device": "A"})
        for _ in range(2):
            self.client.send("v1/gateway/telemetry", {"A": [
                {"ts": 1483228800000, "values": {"temperature": 42, "state": "on"}}]})
        self.client.send("v1/gateway/attributes", {"A": {"k": 1}})
        records = eventually(lambda: len(self.peer.ledger("A")) == 3 and self.peer.ledger("A"))
        self.assertEqual([(r["key"], r["times"], r["start"]) for r in records], [
            ("A|1483228800000|temperature", 2, "2017-01-01T00:00:00.000Z"),
            ("A|1483228800000|state", 2, "2017-01-01T00:00:00.000Z"), ("A||k", 1, None)])

    def test_what_is_wrong_is_refused(self):
        good = {"B": [{"ts": 1483228800000, "values": {"t": 1}}]}
        self.client.send("v1/gateway/telemetry", good)
        self.client.send("v1/gateway/connect", {"device": "B"})
        for topic, data, qos, _ in (wrong := [
                ("telemetry", good, 0, "QoS 0"), ("telemetry", {"B": good["B"][0]}, 1, "no list"),
                ("telemetry", {"B": [{"ts": 1483228800, "values": {"t": 1}}]}, 1, "milliseconds"),
                ("telemetry", {"B": [{"values": {"t": 1}}]}, 1, "ts and values"),
                ("telemetry", {"B": [{"ts": 1483228800000, "values": {}}]}, 1, "values is"),
                ("telemetry", {"B": [{"ts": 1483228800000, "values": {"t": None}}]}, 1, "t is None"),
                ("telemetry", '{"B":[{"ts":1483228800000,"values":{"t":NaN}}]}', 1, "no JSON"),
                ("connect", {"name": "B"}, 1, "without a device"), ("other", good, 1, "not known")]):
            self.client.send("v1/gateway/" + topic, data, qos)
        self.client.send("v1/gateway/disconnect", {"device": "B"})
        self.client.send("v1/gateway/telemetry", good)
        reasons = self.refusals(len(wrong) + 2)
        self.assertIn("not connected", reasons[0])
        self.assertIn("not connected", reasons[-1])
        for (*_, word), reason in zip(wrong, reasons[1:]):
            self.assertIn(word, reason)
        self.assertEqual(self.peer.ledger("B"), [])

    def test_a_call_gets_its_answer(self):
        self.client.subscribe("v1/gateway/rpc")
        told = {}
        thread = threading.Thread(target=lambda: told.update(
            self.peer.command(rpc={"device": "A", "method": "reboot"}, timeout=5)))
        thread.start()
        asked = json.loads(eventually(lambda: self.client.came)[0].payload)
        self.client.send("v1/gateway/rpc", {
            "device": "A", "id": asked["data"]["id"], "data": {"success": True}})
        thread.join()
        self.assertTrue(told["complete"])


REBIRTH = metric("Node Control/Rebirth", 11, (14, b"\0"))


def node_birth(bd_seq=0, extra=()):
    return payload([metric("bdSeq", 4, (11, count(bd_seq))), REBIRTH, *extra], 0)


class SparkplugTrials(MQTTCase):
    style = "sparkplug"
    options = ("--host-id", "plumbline")

    def publish(self, kind, node, data, device=None, qos=0, retain=False):
        self.client.send(f"spBv1.0/g/{kind}/{node}" + (f"/{device}" if device else ""), data, qos,
                         retain)

    def born(self, node, bd_seq):
        eventually(lambda: [event for event in self.peer.events("born")
                            if (event["node"], event["bd_seq"]) == (node, bd_seq)])

    def test_the_vectors(self):
        command = sparkplug_host.rebirth_command(STAMP)
        self.assertEqual(command, payload([metric("Node Control/Rebirth", 11, (14, b"\1"))]))
        self.publish("NBIRTH", "vector", NBIRTH)
        self.publish("DBIRTH", "vector", payload([metric("PM10", 10, double(1.0))], 1), "dust")
        self.publish("DDATA", "vector", DDATA.replace(b"\x18\x01", b"\x18\x02"), "dust")
        self.publish("NDEATH", "vector", NDEATH, qos=1)
        eventually(lambda: [e for e in self.peer.events("died") if e["node"] == "g/vector"])
        birth, data = self.peer.ledger("g/vector/dust")
        self.assertEqual((birth["kind"], data["kind"]), ("DBIRTH", "DDATA"))
        self.assertEqual((data["values"], data["start"], data["historical"], data["key"]),
                         ({"PM10": 112.0}, "2024-05-10T04:00:00.000Z", False,
                          f"g/vector/dust|PM10|{STAMP}"))
        self.assertEqual(self.peer.refused()[self.before:], [])

    def test_values_of_every_datatype(self):
        told = [(1, 10, count((1 << 32) - 5), -5), (2, 10, count((1 << 32) - 300), -300),
                (3, 10, count(7), 7), (4, 11, count((1 << 64) - 9), -9), (5, 10, count(200), 200),
                (8, 11, count((1 << 64) - 1), (1 << 64) - 1), (9, 12, struct.pack("<f", 1.5), 1.5),
                (10, 13, struct.pack("<d", -2.25), -2.25), (11, 14, b"\1", True),
                (12, 15, b"\x06\xe5\xb0\x98\xe5\x9c\x9f", "尘土"), (13, 11, count(STAMP), STAMP)]
        metrics = [metric(f"m{kind}", kind, (number, raw)) for kind, number, raw, _ in told]
        for number, (kind, *_, value) in enumerate(told):
            found = sparkplug_host.payload(payload(metrics, 1)).metrics[number]
            self.assertEqual(found.value(kind), value)
        for kind, number, raw in ((1, 10, count(200)), (5, 10, count(256)), (10, 12, struct.pack("<f", 1)),
                                  (10, 13, struct.pack("<d", float("nan"))), (12, 15, b"\x01\xff")):
            found = sparkplug_host.payload(payload([metric("m", kind, (number, raw))])).metrics[0]
            with self.assertRaises(sparkplug_host.Violation):
                found.value(kind)
        whole = payload(metrics, 1)
        for cut in range(len(whole)):
            try:
                sparkplug_host.payload(whole[:cut])
            except sparkplug_host.Violation:
                pass

    def test_a_sequence_wraps_and_aliases_and_history_are_known(self):
        self.publish("NBIRTH", "wrap", node_birth())
        self.publish("DBIRTH", "wrap", payload([
            metric("PM10", 10, None, alias=3), metric("state", 12, (15, b"\x02ok"))], 1), "d")
        for number in range(2, 260):
            self.publish("DDATA", "wrap", payload([metric(
                None, None, double(number), STAMP + number, alias=3, historical=True)],
                number % 256), "d")
        last = eventually(lambda: [r for r in self.peer.ledger("g/wrap/d")
                                   if r["values"] == {"PM10": 259.0}])
        self.assertEqual((last[0]["historical"], last[0]["host"]), (True, "online"))
        self.assertEqual(len(self.peer.ledger("g/wrap/d")), 1 + 258)
        self.assertEqual(self.peer.refused()[self.before:], [])

    def test_what_breaks_the_specification_is_refused(self):
        pm10 = metric("PM10", 10, double(1))
        one = [("NBIRTH", node_birth(), None, {"qos": 1}, "with QoS 1"),
               ("NBIRTH", node_birth(), None, {"retain": True}, "retained"),
               ("NBIRTH", payload([REBIRTH], 0), None, {}, "0 metrics bdSeq"),
               ("NBIRTH", payload([metric("bdSeq", 8, (11, b"\0")), REBIRTH], 0), None, {}, "not Int64"),
               ("NBIRTH", payload([metric("bdSeq", 4, (11, b"\0"))], 0), None, {}, "Rebirth = false"),
               ("NBIRTH", payload([metric("bdSeq", 4, (11, b"\0")), REBIRTH], 1), None, {}, "with seq 1"),
               ("NBIRTH", node_birth(extra=[pm10, pm10]), None, {}, "stands twice"),
               ("NBIRTH", node_birth(extra=[metric("a", 10, None, alias=1), metric("b", 10, None, alias=1)]),
                None, {}, "not unique"),
               ("NBIRTH", b"\x12\xff", None, {}, "protobuf ends"),
               ("NBIRTH", node_birth(), None, {}, None),
               ("DDATA", payload([pm10], 1), "d", {}, "is not born"),
               ("DBIRTH", payload([pm10], 2), "d", {}, None),
               ("DDATA", payload([metric("PM25", 10, double(1))], 3), "d", {}, "never born"),
               ("DDATA", payload([metric("PM10", 9, (12, bytes(4)))], 4), "d", {}, "has the datatype"),
               ("DDATA", payload([metric("PM10", None, (10, b"\1"))], 5), "d", {}, "its value in int"),
               ("DDATA", payload([metric("PM10", None, double(1), 1715313600)], 6), "d", {}, "milliseconds"),
               ("DDATA", payload([pm10], 8), "d", {}, "7 is next"),
               ("DDATA", payload([pm10]), "d", {}, "no seq"),
               ("DDEATH", payload([], 9), "d", {}, None),
               ("DDATA", payload([pm10], 10), "d", {}, "is not born"),
               ("NDEATH", payload([metric("bdSeq", 4, (11, b"\7"))]), None, {"qos": 1}, "NBIRTH had 0"),
               ("NDEATH", NDEATH, None, {"qos": 1}, None),
               ("NDATA", payload([pm10], 11), None, {}, "which is dead"),
               ("XDATA", NBIRTH, None, {}, "the topic")]
        # A retained message comes back to nobody who is subscribed already.
        for kind, data, device, more, _ in one:
            self.publish(kind, "strict", data, device, **more)
        self.publish("NBIRTH", "strict", b"", retain=True)
        words = [word for *_, word in one if word]
        for word, reason in zip(words, self.refusals(len(words))):
            self.assertIn(word, reason)
        self.assertEqual([r["kind"] for r in self.peer.ledger("g/strict/d")], ["DBIRTH"])
        asked = [e for e in self.peer.events("rebirth asked") if e["node"] == "g/strict"]
        self.assertGreaterEqual(len(asked), 5)

    def test_a_will_ends_its_own_birth_only_and_a_rebirth_is_asked_of_the_unknown(self):
        self.client.subscribe("spBv1.0/g/NCMD/late")
        self.publish("DDATA", "late", payload([metric("PM10", 10, double(1))], 5), "d")
        eventually(lambda: self.client.came)
        self.assertEqual(sparkplug_host.payload(self.client.came[0].payload).metrics[0].name,
                         "Node Control/Rebirth")
        node = with_will(self.broker.port, "spBv1.0/g/NDEATH/late", NDEATH)
        self.publish("NBIRTH", "late", node_birth(0))
        self.born("g/late", 0)
        told = {}
        thread = threading.Thread(target=lambda: told.update(
            self.peer.command(rebirth="g/late", timeout=5)))
        thread.start()
        eventually(lambda: len(self.client.came) == 2)
        self.publish("NBIRTH", "late", node_birth(0))
        thread.join()
        self.assertEqual(told, {"complete": True, "births": 1})
        self.publish("NBIRTH", "late", node_birth(1))
        # The will goes another way than the birth: only the order of arrival is told here.
        self.born("g/late", 1)
        node.close()
        eventually(lambda: self.peer.events("stale death"))
        self.assertEqual(self.peer.refused()[self.before:], [])

    def test_the_hosts_state_is_retained_and_can_be_switched(self):
        self.client.subscribe("spBv1.0/STATE/plumbline")
        first = json.loads(eventually(lambda: self.client.came)[0].payload)
        self.assertTrue(self.client.came[0].retain)
        self.assertTrue(first["online"])
        self.peer.command(state="offline")
        eventually(lambda: len(self.client.came) == 2)
        self.assertEqual(json.loads(self.client.came[1].payload), {**first, "online": False})
        self.peer.command(state="online")
        eventually(lambda: len(self.client.came) == 3)
        newer = json.loads(self.client.came[2].payload)
        self.assertGreater(newer["timestamp"], first["timestamp"])
        # A host that is gone: the broker publishes its will.
        self.peer.misbehave("close")
        eventually(lambda: len(self.client.came) == 4)
        self.assertFalse(json.loads(self.client.came[3].payload)["online"])
        self.peer.misbehave("off")
        eventually(lambda: len(self.client.came) == 5)
        self.assertTrue(json.loads(self.client.came[4].payload)["online"])

    def test_faults(self):
        self.client.subscribe("spBv1.0/g/NCMD/#")
        self.peer.misbehave("garbage", count=1)
        self.publish("NBIRTH", "odd", node_birth())
        self.assertEqual(len(eventually(lambda: self.client.came)[0].payload), 40)
        self.peer.misbehave("wrong_id", count=1)
        self.publish("NBIRTH", "odd", node_birth())
        self.assertEqual(eventually(lambda: len(self.client.came) > 1 and self.client.came[1]).topic,
                         "spBv1.0/g/NCMD/odd-other")
