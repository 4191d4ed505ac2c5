import Telemetry
import Testing
import UplinkFormats

/// Packets that others have made, or that were computed by hand from the standard: the conversation
/// has to make the same bytes of the same facts.
@Suite("HJ 212 packets of others")
struct HJ212VectorTests {
    private func bench(
        at now: String, mn: String = exampleMN, _ change: (inout HJ212Options) -> Void = { _ in }
    ) -> HJ212Bench {
        let bench = HJ212Bench(
            hj212Options(change), stations: [HJ212Station(scope: "north", mn: mn)], at: site(now))
        bench.open()
        return bench
    }

    @Test("real-time data of a dust station with its sound level")
    func realtime() {
        let bench = bench(at: "20240510123000003")
        bench.submit(
            report(
                "2011/1min", from: site("20240510123000"), lasting: .seconds(60),
                dust() + [factor("LA", [57.9])]))
        #expect(
            bench.sent == [
                "##0225QN=20240510123000003;ST=39;CN=2011;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=5;CP=&&DataTime=20240510123000;a34001-Rtd=0.217,a34001-Flag=N;"
                    + "a34002-Rtd=0.112,a34002-Flag=N;a34004-Rtd=0.048,a34004-Flag=N;"
                    + "LA-Rtd=57.9,LA-Flag=N&&6AC0"
            ])
    }

    @Test("minutes bear minimum, mean and maximum, and the start of the period")
    func minutes() {
        let bench = bench(at: "20240510124500001")
        bench.submit(
            report(
                "2051/15min", from: site("20240510123000"), lasting: .seconds(900),
                [
                    factor(
                        "a34001", [180, 301, 170 + 20, 197], unit: milligramsPerCubicMetre,
                        decimals: 3)
                ]))
        #expect(
            bench.sent == [
                "##0175QN=20240510124500001;ST=39;CN=2051;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=5;CP=&&DataTime=20240510123000;a34001-Min=0.180,a34001-Avg=0.217,"
                    + "a34001-Max=0.301,a34001-Flag=N&&0D80"
            ])
    }

    @Test("a part of a split hour has PNUM, PNO and Flag 7")
    func split() {
        let bench = bench(at: "20240510124500002") { $0.packetLimit = 160 }
        let hour = ["a34001", "a34002"].map {
            factor(
                $0, [217], unit: milligramsPerCubicMetre, decimals: 3, statistics: [.mean])
        }
        bench.submit(
            report("2061/1h", from: site("20240510110000"), lasting: .seconds(3600), hour))
        #expect(
            bench.sent == [
                "##0154QN=20240510124500002;ST=39;CN=2061;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=7;PNUM=2;PNO=1;CP=&&DataTime=20240510110000;a34001-Avg=0.217,"
                    + "a34001-Flag=N&&2D00"
            ])
    }

    @Test("packets of edition 2025 bear Flag 9, the heartbeat too")
    func edition2025() {
        let data = bench(at: "20160801085857223") { $0.edition = .v2025 }
        data.submit(
            report(
                "2011/1min", from: site("20160801085857"), lasting: .seconds(60),
                [factor("a34001", [217], unit: milligramsPerCubicMetre, decimals: 3)]))
        #expect(
            data.sent == [
                "##0141QN=20160801085857223;ST=39;CN=2011;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=9;CP=&&DataTime=20160801085857;a34001-Rtd=0.217,a34001-Flag=N&&3D40"
            ])
        let idle = bench(at: "20160801085757223") {
            $0.edition = .v2025
            $0.heartbeat = .seconds(60)
        }
        idle.wait(.seconds(60))
        #expect(
            idle.sent == [
                "##0087QN=20160801085857223;ST=39;CN=9015;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=9;CP=&&&&C241"
            ])
    }

    @Test("the sound level alone goes as acoustic environment, without a mark")
    func noiseRealtime() {
        let bench = bench(at: "20160801085857223") { $0.noise = .own }
        bench.submit(
            report(
                "2011/1min", from: site("20160801085857"), lasting: .seconds(60),
                [factor("LA", [50.1])]))
        #expect(
            bench.sent == [
                "##0122QN=20160801085857223;ST=23;CN=2011;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=5;CP=&&DataTime=20160801085857;LA-Rtd=50.1&&0880"
            ])
    }

    @Test("statistical levels of ten minutes")
    func noiseMinutes() {
        let bench = bench(at: "20160801085000001") { $0.noise = .own }
        let levels: [Double] =
            [54, 53, 53, 53] + Array(repeating: 51.7, count: 15) + [49]
            + Array(repeating: 47, count: 15) + [45, 45, 43, 43, 42]
        bench.submit(
            report(
                "2051/10min", from: site("20160801084000"), lasting: .seconds(600),
                [factor("LA", levels.reversed(), every: .seconds(15))]))
        #expect(
            bench.sent == [
                "##0221QN=20160801085000001;ST=23;CN=2051;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=5;CP=&&DataTime=20160801084000;L5-Data=53.0;L10-Data=53.0;"
                    + "L50-Data=49.0;L90-Data=45.0;L95-Data=43.0;Leq-Data=50.0;LMx-Data=54.0;"
                    + "LMn-Data=42.0&&1DC0"
            ])
    }

    @Test("the boot of a logger")
    func boot() {
        let bench = bench(at: "20200623122504356", mn: "88888880000001") { $0.st = "31" }
        let start = site("20200623122342")
        bench.submit(
            report("2081/boot", from: start, lasting: site("20200623122504") - start, []))
        #expect(
            bench.sent == [
                "##0127QN=20200623122504356;ST=31;CN=2081;PW=123456;MN=88888880000001;Flag=5;"
                    + "CP=&&DataTime=20200623122504;RestartTime=20200623122342&&1100"
            ])
    }

    @Test("asking for the time of day")
    func calibration() {
        let bench = bench(at: "20190708113403000", mn: "0010931004HBYDTEST000002") {
            $0.st = "80"
            $0.asksForTime = true
        }
        #expect(
            bench.sent == [
                "##0087QN=20190708113403000;ST=80;CN=1013;PW=123456;MN=0010931004HBYDTEST000002;"
                    + "Flag=5;CP=&&&&EF41"
            ])
        bench.acknowledge(cn: "9013")
        #expect(bench.notes == [])
        bench.wait(.seconds(3600))
        #expect(bench.sent.count == 1)
    }

    @Test("a public packet of nine factors, which one line of the standard's test tools holds")
    func nineFactors() {
        let bench = bench(at: "20180427125809000", mn: "LXHB0CS0306310") { $0.st = "22" }
        let values: [(String, Double, Int)] = [
            ("a34004", 75600, 3), ("a34002", 140600, 3), ("a34001", 178000, 3),
            ("a01001", 24.8, 1), ("a01002", 46.8, 1), ("a01006", 101.38, 3), ("a01007", 0, 1),
            ("a01008", 25, 0), ("LA", 57.9, 1),
        ]
        bench.submit(
            report(
                "2011/1min", from: site("20180427125809"), lasting: .seconds(60),
                values.map { factor($0.0, [$0.1], decimals: $0.2) }))
        #expect(bench.sent.count == 1)
        #expect(bench.sent[0].hasPrefix("##0379QN=20180427125809000;ST=22;CN=2011;"))
        #expect(
            bench.sent[0].hasSuffix(
                "a01007-Rtd=0.0,a01007-Flag=N;a01008-Rtd=25,a01008-Flag=N;LA-Rtd=57.9,LA-Flag=N"
                    + "&&5440"))
    }

    @Test("the standard's own request is answered by its own answers")
    func request() {
        let bench = bench(at: "20160801085900000")
        bench.receive(
            "##0107QN=20160801085857223;ST=32;CN=1000;PW=123456;MN=010000A8900016F000169DC0;Flag=5;"
                + "CP=&&OverTime=5;ReCount=3&&CAC1")
        #expect(
            bench.sent == [
                "##0094QN=20160801085857223;ST=91;CN=9011;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=4;CP=&&QnRtn=1&&1B00",
                "##0095QN=20160801085857223;ST=91;CN=9012;PW=123456;MN=010000A8900016F000169DC0;"
                    + "Flag=4;CP=&&ExeRtn=1&&6240",
            ])
        #expect(
            bench.settings == [
                PlatformSetting(scope: "north", name: "timeout", value: "5"),
                PlatformSetting(scope: "north", name: "resends", value: "3"),
            ])
    }

    @Test("annex A's packet sets the interval where its password is right, and nothing elsewhere")
    func annexA() {
        let packet =
            "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
            + "CP=&&RtdInterval=30&&1C80"
        let right = bench(at: "20160801085900000") { $0.password = "100000" }
        right.receive(packet)
        #expect(
            right.settings == [
                PlatformSetting(scope: "north", name: "realtime_interval", value: "30")
            ])
        let wrong = bench(at: "20160801085900000")
        wrong.receive(packet)
        #expect(wrong.settings == [])
        #expect(wrong.sent.count == 1)
        #expect(wrong.sent[0].contains("CP=&&QnRtn=3&&"))
    }

    @Test("the standard's request for one hour names one hour")
    func oneHour() {
        let bench = bench(at: "20160801085900000")
        bench.receive(
            "##0134QN=20160801085857223;ST=32;CN=2061;PW=123456;MN=010000A8900016F000169DC0;Flag=5;"
                + "CP=&&BeginTime=20160801080000;EndTime=20160801080000&&7EC0")
        #expect(bench.looks.map(\.kind) == ["2061/1h"])
        #expect(bench.looks.map(\.from) == [site("20160801080000")])
        #expect(bench.looks.map(\.through) == [site("20160801080000")])
    }

    @Test("acknowledgements as the standard's example prints them are understood")
    func acknowledgements() {
        let data = bench(at: "20240510123000001")
        let ticket = data.submit(
            report("2011/1min", from: site("20240510123000"), lasting: .seconds(60), dust()))
        data.receive(
            "##0087QN=20240510123000001;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;"
                + "CP=&&&&9901")
        #expect(data.outcomes[ticket] == [.accepted])
        let notice = bench(at: "20240510123000001") { $0.asksForTime = true }
        notice.receive(
            "##0087QN=20240510123000001;ST=91;CN=9013;PW=123456;MN=010000A8900016F000169DC0;Flag=4;"
                + "CP=&&&&81C1")
        notice.wait(.seconds(100))
        #expect(notice.sent.count == 1)
    }

    @Test("platforms with Modbus's checksum are obeyed where it is configured, and only there")
    func modbusDialect() {
        let mn = "ABCDEFG1234567"
        let commands = [
            ("1072", "PW=654321", "E476"), ("1011", "", "8411"),
            ("1012", "SystemTime=20170516010101", "E1C4"), ("2011", "", "30A5"),
        ].map { cn, area, crc in
            let segment =
                "QN=20170516010101001;ST=22;CN=\(cn);PW=123456;MN=\(mn);Flag=3;CP=&&\(area)&&"
            #expect(PlatformFrame.frame(segment, modbus: true).hasSuffix(crc))
            return PlatformFrame.frame(segment, modbus: true)
        }
        let bench = bench(at: "20170516010103000", mn: mn) {
            $0.edition = .v2005
            $0.crc = .modbus
            $0.st = "22"
        }
        for command in commands { bench.receive(command) }
        let answers = bench.sent.map {
            PlatformFrame.value("CN", in: $0) + " " + String($0.split(separator: "&&")[1])
        }
        #expect(
            answers == [
                "9011 QnRtn=2", "9011 QnRtn=1", "1011 SystemTime=20170516010103", "9012 ExeRtn=1",
                "9011 QnRtn=1", "9012 ExeRtn=1", "9011 QnRtn=1", "9012 ExeRtn=1",
            ])
        for packet in bench.sent {
            let segment = String(packet.dropFirst(6).dropLast(4))
            #expect(packet == PlatformFrame.frame(segment, modbus: true))
        }
        let strict = self.bench(at: "20170516010103000", mn: mn) { $0.edition = .v2005 }
        for command in commands { strict.receive(command) }
        #expect(strict.sent == [])
    }
}
