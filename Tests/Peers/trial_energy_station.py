"""Trials of energy_station: captured frames, the login, readings, commands, and each fault."""

import hashlib
import threading
import unittest

from energy_frame import Codec, Violation, crc_xmodem
from trial_clients import Collector, Peer, eventually, temporary

# Captured by others from a collector in the reversed dialect; the last is derived, in guideline order.
ARCHIVES = bytes.fromhex(
    "55AA55AAB400000000010000BCFD4378A5DFB425C45E3F9069FA0AE328752273149D7B897A769BE1753DFD6C"
    "CAE9F221B9DA9B1595A80B31A0DCAADEB91396C41FA94050BE0BAA6DBB17DD96AF8E398816A22DC168D41E59"
    "4C3EB8A11DBE19FE4F607DE5632FB6264A6E120EA0A79F1BDFB5590DCA1EEDFE113C63E667D8227AD20509EE"
    "7F138E535040A60BF6EAAABF191692C1E00E8E98742A1638D3A518B93CAEDDFD16FC1CA307E3D8250EE16ACA"
    "F410CE658DB8BDFB2E7EDD26ECA868681616")
DEVICE_ACK = bytes.fromhex(
    "55AA55AAE400000000010000BCFD4378A5DFB425C45E3F9069FA0AE328752273149D7B897A769BE1753DFD6C"
    "CAE9F221B9DA9B1595A80B31A0DCAADEB91396C41FA94050BE0BAA6DBB17DD96AF8E398816A22DC168D41E59"
    "4C3EB8A11DBE19FE4F607DE5632FB6264A6E120E3A5BE1C5AD1DF8F25AF686B3E53F0D3EDD7279B2318B48C1"
    "B1287553E97AA9B89B4D909CF9404B52968AB9E49BDA9B5834A25734007BBE4C7EA58B5A3B8D3FBFBA807870"
    "547F3C214534F9406ACF3F1E888A37F27DB03A7B042AD7FEFA049DDBDF0D7A59EBE2E1ADCD15553227F6812C"
    "16FA6FA6B9A02AAF7D97118B713038A78C8E68681616")
SEQUENCE_1 = bytes.fromhex(
    "55AA55AAF400000000010000BCFD4378A5DFB425C45E3F9069FA0AE328752273149D7B897A769BE1753DFD6C"
    "CAE9F221B9DA9B1595A80B31A0DCAADEB91396C41FA94050BE0BAA6DBB17DD96AF8E398816A22DC168D41E59"
    "4C3EB8A11DBE19FE4F607DE5632FB6264A6E120E38DEE2E1F24B62009A48F5B190B3C23C8F7EC1FC778B1AA5"
    "5D8547F9073A74B7E7B1A36A2A70F48EC26B55B25796D4A2D0FAB52DDA147C4ED8192CFE5A97CD47F8FACF0C"
    "D4FD2667C2D6EF51A14AD85A21BD7483B0B3FD34A5440FFB3B0179B0BBF0E41E4DA156329D713C35F02BE0E4"
    "E098DDEDD24A116FDA9BEDA80D20982EA06F2268362210B60E5BE667A124A4F64B7868681616")
SEQUENCE_2 = bytes.fromhex(
    "55AA55AAF400000000010000BCFD4378A5DFB425C45E3F9069FA0AE328752273149D7B897A769BE1753DFD6C"
    "CAE9F221B9DA9B1595A80B31A0DCAADEB91396C41FA94050BE0BAA6DBB17DD96AF8E398816A22DC168D41E59"
    "4C3EB8A11DBE19FE4F607DE5632FB6264A6E120E38DEE2E1F24B62009A48F5B190B3C23C8F7EC1FC778B1AA5"
    "5D8547F9073A74B7E7B1A36A2A70F48EC26B55B25796D4A2D0FAB52DDA147C4ED8192CFE5A97CD47F8FACF0C"
    "D4FD2667C2D6EF51A14AD85A32235B90AA09E9CB0CC9B38CE601AEF03ACAAE968F8772F498D45E81C7EEDBF0"
    "522BD6FFA8E0854D1D9284898C2C40D6EEC2268A3E8D59B2C13EF49BFBB125500ADF68681616")
HEARTBEAT = bytes.fromhex(
    "68681616A400000000010000197B0A8756F81FBC830CD66506EFB11B177465204A5AB5100213415359A746F3"
    "F7F8BF80B4EDCB84045FC09D8C7038455450AB9854378B32636B18FD4C3F9E13492BF414684C4C1097856E81"
    "5EB1C991C4C4CF3B73C8EC76478A7EFE97E919A9E90A46B25820883B165D008F03D7FFF62746BE8EDF4B1BF5"
    "6A586EA917E342C0DE907A1992F5EF7C7331DE05C2205DD7A63763DCD6325C6D6A5DB482D56535390A8C55AA"
    "55AA")
WHEN = "20260801120000"


class FrameTrials(unittest.TestCase):
    def test_the_captured_frames_decode(self):
        codec = Codec("reversed")
        for frame, operation, crc, words in (
                (ARCHIVES, "archives", 0xA8EC, "<instruction operation=\"archives\""),
                (DEVICE_ACK, "device_ack", 0x8E8C, "<device_ack>pass"),
                (SEQUENCE_1, "sequence", 0x784B, "<sequence>25247777</sequence>"),
                (SEQUENCE_2, "sequence", 0xDF0A, "<sequence>61948429</sequence>")):
            self.assertEqual(codec.cut(frame), (len(frame), None))
            self.assertEqual(crc_xmodem(frame[8:-6]), crc)
            message = codec.message(frame)
            self.assertEqual((message.building, message.gateway, message.operation),
                             ("330302D110", "01", operation))
            self.assertIn(words, message.text)
            self.assertEqual(message.sequence, bytes.fromhex("00010000"))
        self.assertEqual(Codec().message(HEARTBEAT).operation, "notify")

    def test_primitives(self):
        self.assertEqual(crc_xmodem(b"123456789"), 0x31C3)
        self.assertEqual(Codec().encode("<root></root>", bytes(4))[12:-6].hex().upper(),
                         "E660C596EFDF38506B39B8A495CCA4D7")
        text = Codec().message(HEARTBEAT).text
        self.assertEqual(Codec().encode(text, HEARTBEAT[8:12]), HEARTBEAT)
        for order, digest in (("25247777IJKLMNOPQRSTUVWX", "cacdb0f3e18a4592886a2f8a7fea6ea5"),
                              ("IJKLMNOPQRSTUVWX61948429", "d0057a462fb100de7753f6f321180a65")):
            self.assertEqual(hashlib.md5(order.encode()).hexdigest(), digest)

    def test_a_broken_frame_is_told(self):
        codec, frame = Codec(), bytearray(HEARTBEAT)
        self.assertEqual(codec.cut(HEARTBEAT[:-1]), (0, None))
        for at, word in ((20, "the CRC is"), (-1, "the tail is"), (7, "a length of"), (0, "bytes outside")):
            broken = bytearray(frame)
            broken[at] ^= 0xFF
            self.assertIn(word, codec.cut(bytes(broken))[1])
        with self.assertRaisesRegex(Violation, "key"):
            Codec(key=bytes(16)).message(HEARTBEAT)


class StationCase(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.station = Peer("energy_station.py")
        cls.addClassCleanup(cls.station.stop)

    def setUp(self):
        StationCase.number += 1
        self.gateway = f"{StationCase.number:02d}"
        self.collector = self.call()
        self.addCleanup(self.station.misbehave, "off")
        self.before = len(self.station.refused())

    def call(self, **more) -> Collector:
        collector = Collector(self.station.port, gateway=self.gateway, **more)
        self.addCleanup(collector.close)
        return collector

    def refusals(self, number=1):
        return self.station.refusals(self.before, number)

    def records(self):
        return self.station.ledger("330302D110" + self.gateway)


class StationTrials(StationCase):
    def test_a_login_a_heartbeat_and_readings(self):
        collector = self.collector
        self.assertEqual(collector.login(), "pass")
        sequence = collector.say("heart_beat", "notify")
        told = collector.read()
        self.assertEqual(told[0], sequence)
        self.assertRegex(told[1], r"<time>\d{14}</time>")
        self.assertIn("<report_ack>pass</report_ack>", collector.report(WHEN))
        answer = collector.report(WHEN, "continuous", total=2, current=1)
        self.assertIn('operation="continuous_ack"', answer)
        collector.report("20260801121500", "continuous", total=2, current=2, value="", error="4")
        first, second = self.records()
        self.assertEqual((first["kind"], first["times"], first["start"], first["key"]),
                         ("report", 2, "2026-08-01T04:00:00Z", f"330302D110|{self.gateway}|{WHEN}"))
        self.assertEqual(first["values"], {"1.01A10": "71204.8"})
        self.assertEqual((second["kind"], second["values"]),
                         ("continuous", {"1.01A10": "", "1.01A10 error": "4"}))

    def test_what_breaks_the_guideline_is_refused_in_words(self):
        collector = self.collector
        collector.say("heart_beat", "notify")
        collector.login()
        good = collector.data(WHEN)

        def xml(operation="report", data=good, tag="data", kind=None):
            return collector.xml(operation, f'<{tag} operation="{operation}">{data}</{tag}>', kind)

        wrong = [
            (xml()[:-3], "the XML is broken"),
            ('<!DOCTYPE root [<!ENTITY a "b">]>' + xml(), "DTD"),
            ('<?xml version="1.0" encoding="gb2312"?>' + xml(), "agreed is utf-8"),
            (xml().replace("root>", "tree>"), "not root"),
            (xml().replace("</common>", "</common><x/>"), "root holds"),
            (xml().replace("gateway_id>", "gateway>"), "common holds"),
            (xml().replace("330302D110", "330302D11"), "building_id"),
            (xml().replace("330302D110", "330302D111"), "on the connection of"),
            (xml(kind="continuous"), "type is"),
            (xml("sequence", "<sequence>1</sequence>", "id_validate"), "second login"),
            (xml("query"), "does not send"),
            (xml("reply"), "nobody asked"),
            (xml(data=good.replace("<parser>yes", "<parser>maybe")), "parser"),
            (xml(data=good.replace(WHEN, "20260832120000")), "calendar"),
            (xml(data=good.replace("<sequence>1</sequence>", "")), "0 of sequence"),
            (xml(data=good.replace("<total>1</total>", "")), "0 of total"),
            (xml(data=good.partition("<meter")[0]), "no readings"),
            (xml(data=good.replace("71204.8", "71,204")), "with parser=yes"),
            (xml(data=good.replace("71204.8", "")), "neither a value nor"),
            (xml(data=good.replace(' error=""', "")), "has no error"),
            (xml(data=good + good.partition("</current>")[2]), "stands twice"),
            (xml("continuous", good.replace("<total>1", "<total>0")), "of total"),
            (xml("continuous", good.replace("<current>1", "<current>2")), "current 2 of total 1"),
        ]
        for text, _ in wrong:
            collector.send(collector.frame(text, b"\7\7\7\7"))
        self.assertIn("report_ack", collector.report("20260801121500"))
        reasons = self.refusals(len(wrong) + 1)
        self.assertIn("before the login", reasons[0])
        self.assertEqual(len(reasons), len(wrong) + 1, reasons)
        for (text, word), reason in zip(wrong, reasons[1:]):
            self.assertIn(word, reason, text)
        self.assertEqual(len(self.records()), 1)

    def test_backfill_goes_in_the_order_of_time(self):
        self.collector.login()
        self.assertTrue(self.collector.report(WHEN, "continuous", total=3, current=1))
        self.assertIsNone(self.collector.report(
            "20260801110000", "continuous", 0.1, total=3, current=2))
        self.assertIn("order of time", self.refusals()[0])

    def test_a_wrong_secret_fails_and_closes(self):
        self.assertEqual(self.collector.login("WRONG"), "fail")
        self.assertEqual(self.collector.end(), "closed")
        self.assertIn("md5", self.refusals()[0])

    def test_a_newer_connection_ends_the_older(self):
        self.collector.login()
        newer = self.call()
        newer.login()
        self.assertEqual(self.collector.end(), "closed")
        self.assertTrue(newer.report(WHEN))

    def test_dialects(self):
        key = bytes(range(16, 32))
        station = Peer("energy_station.py", "--magic", "reversed", "--md5", "secret-sequence",
                       "--encoding", "gb2312", "--key", key.hex(), "--ack-style", "data_ack",
                       "--building", "330302D110", "--gateway", "01", "--interval", "15")
        self.addCleanup(station.stop)
        collector = Collector(station.port, "reversed", "secret-sequence", "gb2312", key)
        self.addCleanup(collector.close)
        self.assertEqual(collector.login(), "pass")
        sequence, text = collector.read()
        self.assertIn('<config operation="period">15</config>', text)
        collector.say("config", "period_ack", sequence=sequence)
        self.assertIn(f"<time>{WHEN}</time><ack>OK</ack>", collector.report(WHEN, error="断线"))
        self.assertEqual(station.ledger()[0]["values"]["1.01A10 error"], "断线")
        self.assertTrue(eventually(lambda: station.events("configured"))[0]["complete"])
        self.assertEqual(station.refused(), [])
        stranger = Collector(station.port, "reversed", "secret-sequence", "gb2312", key, gateway="02")
        self.addCleanup(stranger.close)
        stranger.say("id_validate", "request")
        self.assertIn("not known", eventually(station.refused)[0]["why"])

    def test_the_station_asks_and_gets_its_answers(self):
        collector = self.collector
        collector.login()
        name = f"330302D110|{self.gateway}"
        for wanted, element, content, record in (
                ({"operation": "query"}, ("data", "reply"), collector.data(WHEN), 1),
                ({"operation": "period", "text": "15"}, ("config", "period_ack"), "", 0),
                ({"operation": "archives"}, ("instruction", "archives_ack"), '<meter id="1"/>', 0),
                ({"operation": "device"}, ("device", "device_ack"), "<device_ack>pass</device_ack>", 0),
                ({"operation": "aes_key", "xml": "<key>00</key>", "expect": ["aes_key_ack"]},
                 ("config", "aes_key_ack"), "", 0)):
            told = {}
            thread = threading.Thread(target=lambda: told.update(
                self.station.command(to=name, timeout=5, **wanted)))
            thread.start()
            sequence, text = collector.read()
            self.assertIn(f'operation="{wanted["operation"]}"', text)
            collector.say(*element, content, sequence=b"\xff\xff\xff\xff")
            collector.say(*element, content, sequence=sequence)
            thread.join()
            self.assertEqual((told["complete"], len(told["answers"])), (True, 1), wanted)
        self.assertEqual([record["kind"] for record in self.records()], ["reply"])
        self.assertEqual(len(self.refusals(5)), 5)

    def test_a_station_that_starts_again_knows_its_records(self):
        path, times = temporary(), []
        for _ in range(2):
            station = Peer("energy_station.py", ledger=path)
            collector = Collector(station.port)
            collector.login()
            collector.report(WHEN)
            times += [record["times"] for record in station.ledger()]
            station.kill()
            collector.close()
        self.assertEqual(times, [1, 2])


class StationFaultTrials(StationCase):
    def setUp(self):
        super().setUp()
        self.collector.login()

    def times(self):
        return [record["times"] for record in self.records()]

    def suffer(self, when, seconds=0.1):
        """A report that gets no answer in time; waits until the station has seen it."""
        before = self.station.struck()
        self.assertIsNone(self.collector.report(when, seconds=seconds))
        eventually(lambda: self.station.struck() > before)

    def test_silence_before_and_after_the_record(self):
        self.station.misbehave("no_ack", count=1)
        self.suffer(WHEN)
        self.assertEqual(self.times(), [])
        self.station.misbehave("lost_ack", count=1)
        self.suffer(WHEN)
        self.assertIn("pass", self.collector.report(WHEN, "continuous"))
        self.assertEqual(self.times(), [2])

    def test_late_foreign_refused_and_buried_answers(self):
        self.station.misbehave("late_ack", count=1, delay=0.3)
        self.suffer(WHEN)
        self.assertIn("pass", self.collector.read()[1])
        self.station.misbehave("wrong_id", count=1)
        sequence = self.collector.say("data", "report", self.collector.data("20260801121500"))
        told = self.collector.read()
        self.assertNotEqual(told[0], sequence)
        self.assertIn("pass", told[1])
        self.station.misbehave("refuse", count=1)
        self.assertIn("fail", self.collector.report("20260801121500"))
        self.station.misbehave("garbage", count=1, instead=True)
        self.suffer("20260801121500")
        self.assertEqual(self.times(), [1])
        self.station.misbehave("garbage", count=1)
        self.assertIn("pass", self.collector.report("20260801121500"))

    def test_half_an_answer_a_reset_and_a_closed_door(self):
        for mode, end in (("half", "closed"), ("reset", "reset")):
            collector = self.call()
            collector.login()
            self.station.misbehave(mode, count=1)
            collector.say("data", "report", collector.data(WHEN))
            self.assertEqual(collector.end(), end)
            self.assertEqual(bool(collector.buffer), mode == "half")
        self.station.misbehave("close", count=1)
        self.assertEqual(self.call().end(), "closed")
        self.assertEqual(self.times(), [])

    def test_a_station_that_hangs_and_one_that_is_slow(self):
        self.station.misbehave("hang")
        self.assertIsNone(self.collector.report(WHEN, seconds=0.1))
        self.station.misbehave("off")
        self.assertIn("pass", self.collector.read()[1])
        self.station.misbehave("slow", rate=4000)
        self.assertIsNone(self.collector.report(WHEN, seconds=0.05))
        self.assertIn("pass", self.collector.read()[1])

    def test_the_login_suffers_only_when_it_is_named(self):
        self.station.misbehave("no_ack", count=1)
        self.assertEqual(self.call().login(), "pass")
        self.station.misbehave("no_ack", count=1, on="notify")
        collector = self.call()
        self.assertEqual(collector.login(), "pass")
        before = self.station.struck()
        collector.say("heart_beat", "notify")
        self.assertIsNone(collector.read(0.05))
        eventually(lambda: self.station.struck() > before)
        self.station.misbehave("refuse", count=1, on="md5")
        self.assertEqual(self.call().login(), "fail")
