"""A platform behind a real MQTT broker: plain JSON, ThingsBoard's gateway API or a Sparkplug host.

    mqtt_platform.py --broker PORT [--style plain|thingsboard|sparkplug] [--topic FILTER]
                     [--host-id ID] [--user NAME --password PW]

plain        every message is one object of plumbline-json/1, QoS 1, not retained; topics that end in
             /status are a presence and only noted
thingsboard  v1/gateway/#: connect before telemetry and attributes; a record is one device, ts and key
sparkplug    spBv1.0/#: judged by sparkplug_host; a record is one device, metric and timestamp, kind =
             the message's, "historical" = its mark, "host" = what STATE said when it came. With
             --host-id the retained STATE says online, and the will says offline.

The broker answers for the platform, so only these faults are known: no_ack (forgets what it takes),
hang (leaves messages where they are), slow ("rate" messages a second), close (is gone from the broker,
its will is published, until the fault is over), garbage and wrong_id (bytes without sense, and a
rebirth for another node, to whoever sends the next message).

    POST /command {"state": "online"|"offline", "timestamp": ms}    publishes STATE
                  {"rebirth": "group/node"}                          NCMD, waits for NBIRTH
                  {"rpc": {"device", "method", "params"}}            waits for the gateway's answer
                  {"publish": topic, "text" or "hex", "qos", "retain"}
"""

import json
import os
import queue
import sys
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

import platform_json
import sparkplug_host
from platform_control import Faults, Platform, arguments

MODES = ("no_ack", "hang", "slow", "close", "garbage", "wrong_id")
FILTERS = {"plain": ["#"], "sparkplug": ["spBv1.0/#"],
           "thingsboard": ["v1/gateway/#", "v1/devices/me/#"]}


def need(condition, why: str):
    if not condition:
        raise ValueError(why)


class MQTTPlatform:
    def __init__(self, options):
        self.options = options
        self.platform = Platform(options, Faults(MODES))
        self.inbox, self.ready = queue.Queue(), threading.Event()
        self.devices, self.answers, self.state = set(), [], "offline"
        self.heard = threading.Condition()
        self.nodes = sparkplug_host.Nodes(self.sparkplug_record, self.rebirth, self.platform.event)
        self.filters = [options.topic] if options.topic else FILTERS[options.style]
        self.client, self.is_away, self.now = None, False, 0

    # The broker

    def connect(self):
        sparkplug = self.options.style == "sparkplug"
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, f"plumbline-peer-{self.options.style}",
            protocol=mqtt.MQTTv5, manual_ack=True)
        if self.options.user:
            client.username_pw_set(self.options.user, self.options.password)
        client.on_connect, client.on_message = self.connected, self.came
        client.on_subscribe = lambda *_: self.subscribed()
        client.on_disconnect = lambda *_: self.platform.event("disconnected")
        client.reconnect_delay_set(0.1, 1)
        self.now = int(time.time() * 1000)
        if self.options.host_id:
            client.will_set(self.state_topic(), self.state_text(False), qos=1, retain=True)
        # What a broker keeps for a platform that is away must outlive it; Sparkplug wants it clean.
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0 if sparkplug else 3600
        self.client = client
        client.connect_async("127.0.0.1", self.options.broker, 30, clean_start=sparkplug,
                             properties=properties)
        client.loop_start()

    def connected(self, client, _data, _flags, reason, _properties):
        if reason.is_failure:
            self.platform.event("not connected", reason=str(reason))
            return
        self.platform.event("connected")
        # What is retained keeps its mark, and what this platform publishes does not come back.
        options = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
        client.subscribe([(name, options) for name in self.filters])

    def subscribed(self):
        if self.options.host_id:
            self.announce(True)
        self.ready.set()

    def leave(self):
        """Is gone as if it had died: the broker publishes the will."""
        self.client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        self.client.loop_stop()
        self.state = "offline"

    # STATE

    def state_topic(self) -> str:
        return f"spBv1.0/STATE/{self.options.host_id}"

    def state_text(self, is_online: bool) -> str:
        return json.dumps({"online": is_online, "timestamp": self.now})

    def announce(self, is_online: bool):
        self.client.publish(self.state_topic(), self.state_text(is_online), qos=1, retain=True)
        self.state = "online" if is_online else "offline"
        self.platform.event("state", online=is_online, timestamp=self.now)

    # Messages

    def came(self, client, _data, message):
        self.inbox.put((client, message))

    def work(self):
        """One message after the other, with the faults between them."""
        faults = self.platform.faults
        while True:
            closed = faults.is_on("close") is not None
            if closed != self.is_away:
                self.is_away = closed
                if closed:
                    self.leave()
                else:
                    self.connect()
            if faults.is_on("hang") is not None:
                time.sleep(0.02)
                continue
            try:
                client, message = self.inbox.get(timeout=0.02)
            except queue.Empty:
                continue
            while faults.is_on("hang") is not None:
                time.sleep(0.02)
            slow = faults.is_on("slow")
            if slow is not None:
                time.sleep(1 / slow.get("rate", 10))
            self.handle(message)
            if message.qos:
                client.ack(message.mid, message.qos)

    def handle(self, message):
        data, raw = message.payload, message.payload
        if self.options.style == "sparkplug":
            raw = data.hex()
        self.platform.event("received", topic=message.topic, qos=message.qos,
                            retain=message.retain, bytes=len(data))
        fault = self.platform.faults.at_message(message.topic)
        if fault.mode:
            self.platform.event("fault", mode=fault.mode, topic=message.topic)
        if fault.mode == "no_ack":
            return
        if fault.mode in ("garbage", "wrong_id"):
            self.disturb(fault.mode, message.topic)
        try:
            getattr(self, self.options.style)(message.topic, data, message.qos, message.retain)
        except (ValueError, sparkplug_host.Violation) as violation:
            self.platform.refuse(f"{message.topic}: {violation}", raw)
        with self.heard:
            self.heard.notify_all()

    def disturb(self, mode: str, topic: str):
        levels = topic.split("/")
        if self.options.style != "sparkplug":
            name = "v1/gateway/rpc" if self.options.style == "thingsboard" else topic + "/answer"
            self.client.publish(name, os.urandom(40) if mode == "garbage"
                                else '{"device":"nobody","data":{"id":0,"method":"x"}}', qos=1)
        elif mode == "garbage":
            self.client.publish(f"spBv1.0/{levels[1]}/NCMD/{levels[3]}", os.urandom(40))
        else:
            self.rebirth(levels[1], levels[3] + "-other")

    def plain(self, topic, data, qos, retain):
        if topic.endswith("/status"):
            return self.platform.event("status", topic=topic, text=data.decode("utf-8", "replace"),
                                       retain=retain)
        need(qos == 1, f"QoS {qos}, not 1")
        need(not retain, "the message is retained")
        value = platform_json.strict(data)
        need(isinstance(value, dict), "the message is no object")
        self.platform.ledger.add(**platform_json.keyed(value), topic=topic)

    # ThingsBoard

    def thingsboard(self, topic, data, qos, retain):
        value, last = platform_json.strict(data), topic.rpartition("/")[2]
        need(not retain, "the message is retained")
        if topic == "v1/gateway/rpc":
            need(isinstance(value, dict) and "device" in value and "id" in value,
                 "an RPC's answer has device, id and data")
            self.answers.append(value)
            return
        need(isinstance(value, dict) and value or topic.startswith("v1/devices/me"),
             "the message is no object, or empty")
        if topic in ("v1/gateway/connect", "v1/gateway/disconnect"):
            name = value.get("device")
            need(isinstance(name, str) and name, f"{last} without a device")
            (self.devices.add if last == "connect" else self.devices.discard)(name)
            return
        need(qos == 1, f"{last} with QoS {qos}, not 1")
        if topic.startswith("v1/devices/me/") and last in ("telemetry", "attributes"):
            value = {"me": value if isinstance(value, list) or last == "attributes" else [value]}
        else:
            need(topic in ("v1/gateway/telemetry", "v1/gateway/attributes"), "the topic is not known")
            for name in value:
                need(name in self.devices, f"{last} of {name!r}, which was not connected")
        found = [each for name, told in value.items()
                 for each in (self.telemetry if last == "telemetry" else self.attributes)(name, told)]
        for kind, device, stamp, name, one in found:
            start = None if stamp is None else platform_json.of_milliseconds(stamp)
            self.platform.ledger.add(
                kind, device, start, f"{device}|{'' if stamp is None else stamp}|{name}", {name: one})

    @staticmethod
    def scalars(values):
        need(isinstance(values, dict) and values, "values is no object, or empty")
        for name, one in values.items():
            need(isinstance(one, (str, int, float, bool, dict, list)), f"{name} is {one!r}")
        return values.items()

    def telemetry(self, device, told):
        need(isinstance(told, list) and told, f"the telemetry of {device} is no list, or empty")
        for one in told:
            need(isinstance(one, dict) and set(one) == {"ts", "values"},
                 f"an entry of {device} is not ts and values")
            stamp = one["ts"]
            need(type(stamp) is int and 10 ** 12 <= stamp < 10 ** 13,
                 f"ts {stamp!r} of {device} is not in milliseconds")
            for name, value in self.scalars(one["values"]):
                yield "telemetry", device, stamp, name, value

    def attributes(self, device, told):
        for name, value in self.scalars(told):
            yield "attributes", device, None, name, value

    # Sparkplug

    def sparkplug(self, topic, data, qos, retain):
        if not topic.startswith("spBv1.0/STATE/"):
            self.nodes.take(topic, data, qos, retain)

    def sparkplug_record(self, kind, subject, metric, stamp, value, is_historical):
        # The values of a birth are told again at each rebirth and stand for themselves.
        birth = "birth|" if kind.endswith("BIRTH") else ""
        self.platform.ledger.add(
            kind, subject, platform_json.of_milliseconds(stamp), f"{birth}{subject}|{metric}|{stamp}",
            {metric: value}, historical=is_historical, host=self.state)

    def rebirth(self, group, node):
        self.platform.event("rebirth asked", node=f"{group}/{node}")
        self.client.publish(f"spBv1.0/{group}/NCMD/{node}",
                            sparkplug_host.rebirth_command(int(time.time() * 1000)))

    # Commands

    def command(self, wanted: dict) -> dict:
        seconds = wanted.get("timeout", 5)
        if "state" in wanted:
            if wanted["state"] == "online":
                self.now = wanted.get("timestamp", max(self.now + 1, int(time.time() * 1000)))
            self.announce(wanted["state"] == "online")
            return {"state": self.state, "timestamp": self.now}
        if "rebirth" in wanted:
            known = self.born(wanted["rebirth"])
            self.rebirth(*wanted["rebirth"].split("/"))
            complete = self.wait(lambda: self.born(wanted["rebirth"]) > known, seconds)
            return {"complete": complete, "births": self.born(wanted["rebirth"]) - known}
        if "rpc" in wanted:
            told, known = wanted["rpc"], len(self.answers)
            number = int(time.time() * 1000) % 1_000_000_000
            self.client.publish("v1/gateway/rpc", json.dumps(
                {"device": told["device"], "data": {
                    "id": number, "method": told["method"], "params": told.get("params", {})}}), qos=1)
            complete = self.wait(
                lambda: any(one["id"] == number for one in self.answers[known:]), seconds)
            return {"id": number, "answers": self.answers[known:], "complete": complete}
        data = bytes.fromhex(wanted["hex"]) if "hex" in wanted else wanted["text"].encode()
        told = self.client.publish(wanted["publish"], data, wanted.get("qos", 0),
                                   wanted.get("retain", False))
        told.wait_for_publish(seconds)
        return {"complete": told.is_published()}

    def born(self, node: str) -> int:
        with self.platform.lock:
            return sum(one["event"] == "born" and one["node"] == node
                       for one in self.platform.events)

    def wait(self, condition, seconds) -> bool:
        with self.heard:
            return self.heard.wait_for(condition, seconds)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--broker", type=int, required=True)
    parser.add_argument("--style", choices=FILTERS, default="plain")
    parser.add_argument("--topic", help="what plain subscribes to")
    parser.add_argument("--host-id")
    parser.add_argument("--user")
    parser.add_argument("--password")
    platform = MQTTPlatform(parser.parse_args())
    platform.connect()
    if not platform.ready.wait(10):
        sys.exit("no broker")
    threading.Thread(target=platform.work, daemon=True).start()
    platform.platform.run(platform.options.broker, platform.command)


if __name__ == "__main__":
    main()
