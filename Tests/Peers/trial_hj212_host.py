"""Trials of hj212_host: public packets, what breaks the standard, requests, and each fault."""

import threading
import unittest

import hj212_rules as rules
from hj212_station import packet
from trial_clients import Field, Peer, eventually, temporary

MN = "010000A8900016F000169DC0"
OTHER = "0A000000000000000000000F"
# Published packets and annex C's, whose CRC the standard's annex A gives.
VECTORS = [
    "##0087QN=20190708113403000;ST=80;CN=1013;PW=123456;MN=0010931004HBYDTEST000002;Flag=5;CP=&&&&EF41",
    "##0116QN=20220814021304000;ST=22;CN=2011;PW=123456;MN=;Flag=5;CP=&&DataTime=20220814021304;a50001-Rtd=0.00,a50001-Flag=B&&06C0",
    "##0127QN=20200623122504356;ST=31;CN=2081;PW=123456;MN=88888880000001;Flag=5;CP=&&DataTime=20200623122504;RestartTime=20200623122342&&1100",
    "##0379QN=20180427125809000;ST=22;CN=2011;PW=123456;MN=LXHB0CS0306310;Flag=5;CP=&&DataTime=20180427125809;a34004-Rtd=75600.000,a34004-Flag=N;a34002-Rtd=140600.000,a34002-Flag=N;a34001-Rtd=178000.000,a34001-Flag=N;a01001-Rtd=24.8,a01001-Flag=N;a01002-Rtd=46.8,a01002-Flag=N;a01006-Rtd=101.380,a01006-Flag=N;a01007-Rtd=0.0,a01007-Flag=N;a01008-Rtd=25,a01008-Flag=N;LA-Rtd=57.9,LA-Flag=N&&5440",
    "##0221QN=20160801085000001;ST=23;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&DataTime=20160801084000;L5-Data=53.0;L10-Data=53.0;L50-Data=49.0;L90-Data=45.0;L95-Data=43.0;Leq-Data=50.0;LMx-Data=54.0;LMn-Data=42.0&&1DC0",
    "##0122QN=20160801085857223;ST=23;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&DataTime=20160801085857;LA-Rtd=50.1&&0880",
    "##0225QN=20240510123000003;ST=39;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&DataTime=20240510123000;a34001-Rtd=0.217,a34001-Flag=N;a34002-Rtd=0.112,a34002-Flag=N;a34004-Rtd=0.048,a34004-Flag=N;LA-Rtd=57.9,LA-Flag=N&&6AC0",
    "##0175QN=20240510124500001;ST=39;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&DataTime=20240510123000;a34001-Min=0.180,a34001-Avg=0.217,a34001-Max=0.301,a34001-Flag=N&&0D80",
    "##0154QN=20240510124500002;ST=39;CN=2061;PW=123456;MN=010000A8900016F000169DC0;Flag=7;PNUM=2;PNO=1;CP=&&DataTime=20240510110000;a34001-Avg=0.217,a34001-Flag=N&&2D00",
]
MODBUS = {  # annex A's algorithm done wrong, as deployed: segment → (Modbus, HJ 212)
    "QN=20170516010101001;ST=22;CN=1072;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&PW=654321&&": (0xE476, 0xE681),
    "QN=20170516010101001;ST=22;CN=1011;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&&&": (0x8411, 0x0440),
    "QN=20170516010101001;ST=22;CN=1012;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&SystemTime=20170516010101&&": (0xE1C4, 0x6C00),
    "QN=20170516010101001;ST=22;CN=2011;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&&&": (0x30A5, 0x0140),
}
PM10 = "a34002-Rtd=112.0,a34002-Flag=N"


def qn(number: int, day="20260801", clock="120000") -> str:
    return f"{day}{clock}{number:03d}"


def rtd(value="112.0", when="20260801120000") -> str:
    return f"DataTime={when};a34002-Rtd={value},a34002-Flag=N"


class PacketTrials(unittest.TestCase):
    def test_the_checksums_are_those_of_the_vectors(self):
        for data, crc in ((b"", 0xFFFF), (b"A", 0x7080), (b"123456789", 0x2F80)):
            self.assertEqual(rules.crc_hj212(data), crc)
        for segment, (modbus, hj212) in MODBUS.items():
            self.assertEqual(rules.crc_modbus(segment.encode()), modbus)
            self.assertEqual(rules.crc_hj212(segment.encode()), hj212)

    def test_the_cp_field_has_950_bytes_at_most(self):
        for size, is_good in ((943, True), (944, False)):
            text = (f"QN={qn(1)};ST=39;CN=2011;PW=123456;MN=1;Flag=5;CP=&&{'x' * size}&&").encode()
            if is_good:
                self.assertEqual(len(rules.parse(text, "2017").area), size)
            else:
                with self.assertRaisesRegex(rules.Violation, "950"):
                    rules.parse(text, "2017")

    def test_a_stream_is_cut_alike_at_every_byte(self):
        stream = "".join(text + "\r\n" for text in VECTORS).encode()
        for cut in range(0, len(stream), 41):
            splitter = rules.Splitter(rules.crc_hj212)
            found = list(splitter.feed(stream[:cut])) + list(splitter.feed(stream[cut:]))
            self.assertEqual([why for _, why, _ in found], [None] * len(VECTORS))

    def test_junk_between_packets_is_told_and_the_next_packet_found(self):
        good = VECTORS[0].encode() + b"\r\n"
        for junk in (b"\x00\xff", b"#garbage##12", b"##0999QN=", b"##99x9", b"##9999"):
            splitter = rules.Splitter(rules.crc_hj212)
            found = list(splitter.feed(junk + good + b"x" * 1100 + good))
            self.assertEqual(sum(why is None for _, why, _ in found), 2, junk)
            self.assertTrue(any(why for _, why, _ in found))


class HostCase(unittest.TestCase):
    """One host for all trials of a class, and a QN that goes up; each trial has an MN of its own."""

    options = ()
    number = 0

    @classmethod
    def setUpClass(cls):
        names = [f"0A000000000000000000{i:04X}" for i in range(24)]
        cls.host = Peer("hj212_host.py", *[word for name in names for word in ("--mn", name)],
                        *cls.options)
        cls.addClassCleanup(cls.host.stop)

    def setUp(self):
        HostCase.number = (HostCase.number + 1) % 24
        self.mn = f"0A000000000000000000{HostCase.number:04X}"
        self.field = Field(self.host.port, self.mn)
        self.addCleanup(self.field.close)
        self.addCleanup(self.host.misbehave, "off")
        self.before = len(self.host.refused())

    def refusals(self, number=1):
        return self.host.refusals(self.before, number)


class HostTrials(HostCase):
    options = ("--unit", "ug/m3")

    def test_published_packets_are_acknowledged(self):
        for text in VECTORS:
            mn = text.partition("MN=")[2].partition(";")[0]
            host = self.vector_host()
            field = Field(host.port, mn)
            field.send(text.encode() + b"\r\n")
            self.assertEqual(field.answer(text[9:26]), "9013" if "CN=1013" in text else "9014", text)
            field.close()
        self.assertEqual(host.refused(), [])
        starts = {record["key"]: record["start"] for record in host.ledger()}
        self.assertEqual(starts[f"{MN}|2051|20240510123000"], "2024-05-10T04:30:00Z")
        # Half of a split upload is no record.
        self.assertNotIn(f"{MN}|2061|20240510110000", starts)

    vectors = None

    def vector_host(self):
        if HostTrials.vectors is None:
            names = {OTHER} | {text.partition("MN=")[2].partition(";")[0] for text in VECTORS}
            HostTrials.vectors = Peer(
                "hj212_host.py", *[word for name in names for word in ("--mn", name)])
            self.addClassCleanup(HostTrials.vectors.stop)
        return HostTrials.vectors

    def test_an_answer_is_the_packet_of_the_vector(self):
        host = self.vector_host()
        field = Field(host.port, OTHER)
        self.addCleanup(field.close)
        field.send(packet(field.text("20261110123000001", "2011", rtd(when="20261110123000"))))
        eventually(lambda: field.more(1))
        self.assertEqual(field.buffer.decode(), packet(
            f"QN=20261110123000001;ST=91;CN=9014;PW=123456;MN={OTHER};Flag=4;CP=&&&&").decode())
        self.assertEqual(packet("QN=20240510123000001;ST=91;CN=9014;PW=123456;"
                                f"MN={MN};Flag=4;CP=&&&&")[-6:-2], b"9901")

    def test_what_breaks_the_standard_is_refused_in_words(self):
        field, mn = self.field, self.mn
        head = f"ST=39;CN=2011;PW=123456;MN={mn};Flag=5;"
        values = "DataTime=20260801120000;a34002-Rtd=112.0,a34002-Flag=N"

        def area(text, cn="2011", number=1):
            return field.text(qn(number), cn, text)

        wrong = [  # (data segment or bytes, a word of the reason)
            (packet(area(values))[:-6] + b"FFFF\r\n", "the CRC is"),
            (self.lower(area), "upper case"),
            (packet(area(values))[:-2] + b"\n\n", "no CR LF"),
            (b"##0a01" + packet(area(values))[6:], "four digits"),
            (packet(area("DataTime=20260801120000;" + "x" * 1000)), "1024 are allowed"),
            (f"{head}QN={qn(1)};CP=&&{values}&&", "the fields are"),
            (f"QN={qn(1)};{head}PNUM=1;CP=&&{values}&&", "the fields are"),
            (f"QN={qn(1)[:16]};{head}CP=&&{values}&&", "17 digits"),
            (f"QN=20261301120000000;{head}CP=&&{values}&&", "calendar"),
            (f"QN={qn(1)};{head}CP=&&{values}", "CP=&&"),
            (area(values).replace("Flag=5", "Flag=1"), "not of the 2017 edition"),
            (area(values).replace("Flag=5", "Flag=9"), "not of the 2017 edition"),
            (area(values).replace("Flag=5", "Flag=7"), "contradict"),
            (area(values).replace("Flag=5", "Flag=5;PNUM=2;PNO=1"), "contradict"),
            (area(values).replace("Flag=5", "Flag=7;PNUM=1;PNO=2"), "PNO 2 of PNUM 1"),
            (area(values).replace("PW=123456", "PW=654321"), "password"),
            (area(values).replace(mn, "F" * 24), "not known here"),
            (area(values).replace("CN=2011", "CN=2099"), "does not send CN"),
            (area("DataTime=20260801120000"), "no values"),
            (area("a34002-Rtd=112.0,a34002-Flag=N"), "no DataTime"),
            (area("DataTime=20260231120000;" + PM10), "calendar"),
            (area("DataTime=202608011200;" + PM10), "YYYYMMDDhhmmss"),
            (area(values + ";"), "empty item"),
            (area(values + ";a34002-Rtd=1.0"), "stands twice"),
            (area("DataTime=20260801120000;a34002-td=1.0"), "no place in 2011"),
            (area("DataTime=20260801120000;a34002-Avg=1.0"), "no place in 2011"),
            (area("DataTime=20260801120000;a34002-Rtd=,a34002-Flag=B"), "has the value"),
            (area("DataTime=20260801120000;a34002-Rtd=NaN,a34002-Flag=N"), "not a number"),
            (area("DataTime=20260801120000;a34002-Rtd=1e2,a34002-Flag=N"), "not a number"),
            (area("DataTime=20260801120000;a34002-Rtd=1.0,a34002-Flag=n"), "one of A-Z"),
            (area("DataTime=20260801120000;a34002-Rtd=1.0,a34001-Flag=N"), "item of a34002"),
            (area("DataTime=20260801120000;PM10-Rtd=1.0,PM10-Flag=N"), "no factor code"),
            (area("DataTime=20260801120000;a01001-Rtd=24.85,a01001-Flag=N"), "does not fit"),
            (area("DataTime=20260801120000;a34002-Rtd=0.112,a34002-Flag=N"), "not plausible"),
            (area("DataTime=20260801114500;a34002-Avg=1.0", "2051"), "no border"),
            (area("DataTime=20260801113000;a34002-Avg=1.0", "2061"), "no border"),
            (area("DataTime=20260731080000;a34002-Avg=1.0", "2031"), "no border"),
            (area("DataTime=20260801120000;a34002-Avg=1.0", "2051"), "is not over"),
            (area("DataTime=20260801114000;a34002-Min=2.0,a34002-Avg=1.0", "2051"), "is above"),
            (area("DataTime=20260801114000;LA-Data=50.0", "2051"), "is for noise"),
            (area("DataTime=20260801114000;Ldn-Data=50.0", "2051"), "Ldn-Data in 2051"),
            (area("DataTime=20260731000000;Leq-Data=50.0", "2031"), "not Leq"),
            (field.text(qn(1), "9012", "ExeRtn=1", flag=4, st="91"), "nobody asked"),
        ]
        for data, _ in wrong:
            field.send(data if isinstance(data, bytes) else packet(data))
        # The only answer is the one to the good packet behind them all.
        field.send(packet(area(values, number=2)))
        self.assertIn(f"QN={qn(2)}", field.read())
        reasons = self.refusals()
        for (data, word), reason in zip(wrong, self.told(reasons, wrong)):
            self.assertIn(word, reason, data)
        self.assertEqual(len(self.host.ledger(mn)), 1)

    @staticmethod
    def lower(area) -> bytes:
        """A packet with its CRC in lower case, of a value that gives the CRC a letter."""
        made = (packet(area(rtd(f"{value}.0"))) for value in range(100, 200))
        found = next(data for data in made if data[-6:].lower() != data[-6:])
        return found[:-6] + found[-6:].lower()

    @staticmethod
    def told(reasons, wrong):
        """One reason for each wrong packet: broken frames leave junk that is told besides."""
        result, left = [], list(reasons)
        for _, word in wrong:
            found = next((i for i, reason in enumerate(left) if word in reason), None)
            result.append(left[found] if found is not None else f"nothing like that in {left[:3]}")
            del left[:(found if found is not None else -1) + 1]
        return result

    def test_a_qn_goes_up_and_a_resend_is_the_same_packet(self):
        field = self.field
        self.assertEqual(field.deliver(qn(5), "2011", rtd()), "9014")
        self.assertEqual(field.deliver(qn(5), "2011", rtd()), "9014")
        self.assertIsNone(field.deliver(qn(5), "2011", rtd("113.0"), 0.1))
        self.assertIsNone(field.deliver(qn(4), "2011", rtd("113.0"), 0.1))
        self.assertEqual(field.deliver(qn(6), "2011", rtd("113.0")), "9014")
        [record] = self.host.ledger(self.mn)
        self.assertEqual((record["times"], record["values"]["a34002-Rtd"]), (3, "113.0"))
        self.assertEqual(record["changes"][0]["was"], "112.0")
        self.assertEqual([why.split(" ")[2] for why in self.refusals(2)], ["stood", "is"])

    def test_packets_with_other_factors_of_one_time_are_one_record(self):
        self.field.deliver(qn(1), "2011", rtd())
        self.field.deliver(qn(2), "2011", "DataTime=20260801120000;LA-Rtd=57.9")
        [record] = self.host.ledger(self.mn)
        self.assertEqual((record["times"], len(record["values"])), (1, 3))

    def test_an_upload_that_wants_no_answer_gets_none(self):
        self.assertIsNone(self.field.deliver(qn(1), "2011", rtd(), 0.1, flag=4))
        self.assertEqual(len(self.host.ledger(self.mn)), 1)

    def test_a_split_upload_counts_when_it_is_whole(self):
        field = self.field

        def part(number, pno, values, seconds=5.0, pnum=2):
            return field.deliver(qn(number), "2011", f"DataTime=20260801120000;{values}", seconds,
                                 flag=7, extra=f"PNUM={pnum};PNO={pno};")

        self.assertIsNone(part(1, 2, "LA-Rtd=57.9", 0.1))
        self.assertEqual(part(2, 1, PM10), "9014")
        self.assertEqual(self.host.ledger(self.mn), [])
        self.assertIsNone(part(3, 2, "LA-Rtd=57.9", 0.1, pnum=3))
        self.assertEqual(part(4, 2, "LA-Rtd=57.9"), "9014")
        self.assertEqual(part(4, 2, "LA-Rtd=57.9"), "9014")
        [record] = self.host.ledger(self.mn)
        self.assertEqual((len(record["values"]), record["times"]), (3, 2))

    def test_a_host_that_starts_again_knows_its_records_and_parts(self):
        path = temporary()
        first = Peer("hj212_host.py", "--mn", MN, ledger=path)
        field = Field(first.port, MN)
        field.deliver(qn(1), "2011", rtd())
        field.deliver(qn(2), "2061", "DataTime=20260801100000;a34002-Avg=1.0", flag=7,
                      extra="PNUM=2;PNO=1;")
        first.kill()
        with open(path, "ab") as file:
            file.write(b'{"record": {"cut')
        second = Peer("hj212_host.py", "--mn", MN, port=first.port, ledger=path)
        field.close()
        field = Field(second.port, MN)
        self.assertEqual(field.deliver(qn(1), "2011", rtd()), "9014")
        self.assertEqual(field.deliver(qn(3), "2061", "DataTime=20260801100000;LA-Avg=57.9", flag=7,
                                       extra="PNUM=2;PNO=2;"), "9014")
        second.kill()
        # What the kill cut off must not spoil what was written behind it.
        third = Peer("hj212_host.py", "--mn", MN, "--heartbeat", "9013", ledger=path)
        self.addCleanup(third.stop)
        self.assertEqual([(record["kind"], record["times"], len(record["values"]))
                          for record in third.ledger()], [("2011", 2, 2), ("2061", 1, 2)])
        field.close()
        field = Field(third.port, MN)
        self.addCleanup(field.close)
        self.assertEqual(field.deliver(qn(4), "9015", ""), "9013")

    def test_dialects(self):
        new = Peer("hj212_host.py", "--edition", "2025", "--mn", MN, "--st", "39")
        self.addCleanup(new.stop)
        field = Field(new.port, MN)
        self.addCleanup(field.close)
        for text in ("##0141QN=20160801085857223;ST=39;CN=2011;PW=123456;MN=010000A8900016F000169DC0;"
                     "Flag=9;CP=&&DataTime=20160801085857;a34001-Rtd=0.217,a34001-Flag=N&&3D40",
                     "##0087QN=20160801085857223;ST=39;CN=9015;PW=123456;MN=010000A8900016F000169DC0;"
                     "Flag=9;CP=&&&&C241"):
            # The two vectors share a QN, which one station must not do.
            text = text.replace("857223;ST=39;CN=9015", "857224;ST=39;CN=9015")
            field.send(packet(text[6:-4]))
            answer = field.read()
            self.assertIn("CN=9014", answer)
            self.assertIn("Flag=8;", answer)
        self.assertIsNone(field.deliver(qn(1), "2011", rtd(), 0.1, flag=5))
        self.assertIsNone(field.deliver(qn(2), "2011", rtd(), 0.1, flag=9, st="22"))
        old = Peer("hj212_host.py", "--edition", "2005", "--crc", "modbus", "--mn", "ABCDEFG1234567",
                   "--data-time", "end")
        self.addCleanup(old.stop)
        field = Field(old.port, "ABCDEFG1234567")
        self.addCleanup(field.close)
        text = ("ST=22;CN=2051;PW=123456;MN=ABCDEFG1234567;"
                "CP=&&DataTime=20260801120000;107-Avg=112.0,107-Flag=N&&")
        field.send(packet(text))
        field.send(rules.packet(text, rules.crc_modbus))
        [record] = eventually(old.ledger)
        self.assertEqual(record["start"], "2026-08-01T03:50:00Z")
        self.assertIn("the CRC is", old.refused()[0]["why"])


class CommandTrials(HostCase):
    """The host's requests, answered by hand."""

    def ask(self, **wanted):
        """Sends the command from a thread of its own, because this one plays the station."""
        told = {}
        thread = threading.Thread(
            target=lambda: told.update(self.host.command(to=self.mn, timeout=5, **wanted)))
        thread.start()
        self.addCleanup(thread.join)
        return thread, told

    def setUp(self):
        super().setUp()
        self.field.deliver(qn(1), "2011", rtd())

    def test_a_request_ends_with_its_result(self):
        thread, told = self.ask(cn="1064", cp="MinInterval=15")
        request = self.field.obey(("9011", "QnRtn=1"), ("9012", "ExeRtn=1"))
        thread.join()
        self.assertIn(f"ST=39;CN=1064;PW=123456;MN={self.mn};Flag=5;CP=&&MinInterval=15&&", request)
        self.assertEqual((told["qn_rtn"], told["exe_rtn"], told["complete"]), (1, 1, True))
        # From now on the host judges by the interval that it set.
        self.assertEqual(self.field.deliver(
            qn(2), "2051", "DataTime=20260801114500;a34002-Avg=1.0"), "9014")
        self.assertIsNone(self.field.deliver(
            qn(3), "2051", "DataTime=20260801113000;LA-Data=1.0", 0.1))

    def test_a_history_is_gathered(self):
        thread, told = self.ask(cn="2061", cp="BeginTime=20260801080000;EndTime=20260801090000")
        asked = self.field.obey(("9011", "QnRtn=1"))[3:20]
        for number, when in ((2, "20260801080000"), (3, "20260801090000")):
            self.assertEqual(self.field.deliver(
                qn(number), "2061", f"DataTime={when};a34002-Avg=1.0"), "9014")
        self.field.send(packet(self.field.text(asked, "9012", "ExeRtn=1", flag=4, st="91")))
        thread.join()
        self.assertEqual([one["qn"] for one in told["uploads"]], [qn(2), qn(3)])

    def test_a_notice_a_refusal_and_silence(self):
        thread, told = self.ask(cn="2012")
        self.field.obey(("9013", ""))
        thread.join()
        self.assertEqual([one["cn"] for one in told["answers"]], ["9013"])
        thread, told = self.ask(cn="1062", cp="RtdInterval=30", pw="000000")
        request = self.field.obey(("9011", "QnRtn=3"))
        thread.join()
        self.assertIn("PW=000000", request)
        self.assertEqual((told["qn_rtn"], told["complete"]), (3, True))
        told = self.host.command(to=self.mn, cn="1062", damage=True, silent=True, timeout=0.1)
        self.assertEqual(told["answers"], [])

    def test_answers_out_of_order_or_with_unknown_codes_are_refused(self):
        thread, told = self.ask(cn="1000", cp="OverTime=5;ReCount=3")
        self.field.obey(("9012", "ExeRtn=1"), ("9011", "QnRtn=42"), ("9013", ""), ("9011", "QnRtn=1"),
                        ("9011", "QnRtn=1"), ("9012", "ExeRtn=1"))
        thread.join()
        self.assertEqual([one["cp"] for one in told["answers"]], ["QnRtn=1", "ExeRtn=1"])
        self.assertEqual(len(self.refusals(4)), 4)

    def test_two_requests_in_one_write_and_byte_by_byte(self):
        for drip in (False, True):
            thread, told = self.ask(cn="1062", cp="RtdInterval=30", count=2, drip=drip)
            for _ in range(2):
                self.field.obey(("9011", "QnRtn=1"), ("9012", "ExeRtn=1"))
            thread.join()
            self.assertEqual(len(told["answers"]), 4)
            self.assertTrue(told["complete"])

    def test_a_host_greets_once_in_the_order_of_the_standard(self):
        host = Peer("hj212_host.py", "--mn", OTHER, "--greet")
        self.addCleanup(host.stop)
        for expected in (["1012", "1000", "1062", "1064"], []):
            field = Field(host.port, OTHER)
            found = [field.obey(("9011", "QnRtn=1"), ("9012", "ExeRtn=1")) for _ in expected]
            self.assertEqual([text.partition("CN=")[2][:4] for text in found], expected)
            if expected:
                eventually(lambda: len(host.events("greeted")) == 4)
            self.assertIsNone(field.read(0.1))
            field.close()


class HostFaultTrials(HostCase):
    def deliver(self, number, seconds=5.0):
        return self.field.deliver(qn(number), "2011", rtd(), seconds)

    def suffer(self, number, seconds=0.1):
        """A packet that gets no answer in time; waits until the host has seen it."""
        before = self.host.struck()
        self.assertIsNone(self.deliver(number, seconds))
        eventually(lambda: self.host.struck() > before)

    def times(self):
        return [record["times"] for record in self.host.ledger(self.mn)]

    def test_silence_before_and_after_the_record(self):
        self.host.misbehave("no_ack", count=2)
        self.suffer(1)
        self.suffer(1)
        self.assertEqual(self.times(), [])
        self.assertEqual(self.deliver(1), "9014")
        self.host.misbehave("lost_ack", count=1)
        self.suffer(1)
        self.assertEqual(self.deliver(1), "9014")
        self.assertEqual(self.times(), [3])

    def test_a_late_answer_comes_once(self):
        self.host.misbehave("late_ack", count=1, delay=0.4)
        self.suffer(1)
        self.assertEqual(self.times(), [1])
        self.assertEqual(self.field.answer(qn(1)), "9014")

    def test_the_answer_of_another_a_refusal_and_garbage(self):
        self.host.misbehave("wrong_id", count=1)
        self.field.send(packet(self.field.text(qn(1), "2011", rtd())))
        self.assertIn("QN=20260801120000002;ST=91;CN=9014", self.field.read())
        self.host.misbehave("refuse", count=1, code=3)
        self.assertEqual(self.deliver(1), "9011")
        self.host.misbehave("garbage", count=1, instead=True)
        self.suffer(1)
        eventually(lambda: self.field.buffer or self.field.more(1))
        self.assertEqual(len(self.field.buffer), 40)
        self.assertEqual(self.times(), [])
        self.host.misbehave("garbage", count=1)
        self.assertEqual(self.deliver(1), "9014")

    def test_half_an_answer_a_reset_and_a_closed_door(self):
        for mode, end, size in (("half", "closed", 49), ("reset", "reset", 0), ("close", "closed", 0)):
            self.host.misbehave(mode, count=1)
            field = Field(self.host.port, self.mn)
            if mode != "close":
                field.send(packet(field.text(qn(1), "2011", rtd())))
            self.assertEqual((field.end(), len(field.buffer)), (end, size))
            field.close()
        self.assertEqual(self.times(), [])

    def test_a_host_that_hangs_and_one_that_is_slow(self):
        self.host.misbehave("hang")
        self.assertIsNone(self.deliver(1, 0.1))
        self.host.misbehave("hang", seconds=0.1)
        self.assertEqual(self.field.answer(qn(1)), "9014")
        self.host.misbehave("slow", rate=400)
        self.assertIsNone(self.deliver(2, 0.15))
        self.assertEqual(self.field.answer(qn(2)), "9014")

    def test_a_fault_for_one_kind_of_message_leaves_the_others(self):
        self.host.misbehave("no_ack", on="2051")
        self.assertEqual(self.deliver(1), "9014")
        self.assertIsNone(self.field.deliver(
            qn(2), "2051", "DataTime=20260801114000;a34002-Avg=1.0", 0.1))
        with self.assertRaises(ValueError):
            self.host.misbehave("unheard_of")
