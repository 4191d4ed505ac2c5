import Foundation
import Telemetry
import Testing
import UplinkFormats

/// Whole conversations, to be read beside the standard: time, direction, bytes.
@Suite("HJ 212 conversations")
struct HJ212GoldenTests {
    private static let conversations: [(name: String, play: @Sendable () -> HJ212Bench)] = [
        ("normal-day", normalDay), ("split-packet", splitPacket), ("lost-ack", lostAck),
        ("wrong-qn", wrongNumber), ("late-duplicate", lateDuplicate),
        ("heartbeat-2025", heartbeat), ("history-gap", historyGap), ("commands", commands),
        ("commands-refused", refusedCommands), ("two-stations", twoStations),
        ("clock-steps-back", clockStepsBack), ("edition-2005", edition2005),
    ]

    @Test("are those of the golden files", arguments: conversations.map(\.name))
    func golden(name: String) throws {
        let play = try #require(Self.conversations.first { $0.name == name }).play
        let text = play().transcript
        let file = Folder.golden.appending(path: "hj212.\(name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(
            text == (try String(contentsOf: file, encoding: .utf8)),
            "UPDATE_GOLDEN=1 renews \(file.lastPathComponent)")
    }

    @Test("have packets whose length and checksum are right, and numbers that grow")
    func sound() {
        for (name, play) in Self.conversations {
            var last: [String: String] = [:]
            for packet in play().sent {
                let segment = String(packet.dropFirst(6).dropLast(4))
                #expect(packet == PlatformFrame.frame(segment), "\(name)")
                #expect(segment.utf8.count <= 1024)
                let cn = PlatformFrame.value("CN", in: packet)
                guard ["2011", "2051", "2061", "2031", "9015"].contains(cn) else { continue }
                let (mn, qn) = (
                    PlatformFrame.value("MN", in: packet), PlatformFrame.value("QN", in: packet)
                )
                // A packet that is sent again keeps its number.
                #expect(last[mn].map { qn >= $0 } ?? true, "\(name): \(packet)")
                last[mn] = qn
            }
        }
    }

    private static func bench(
        at now: String, _ stations: [HJ212Station] = [northStation],
        settings: [PlatformSetting] = [], _ change: (inout HJ212Options) -> Void = { _ in }
    ) -> HJ212Bench {
        HJ212Bench(
            hj212Options(change), stations: stations, at: site(now), settings: settings)
    }

    private static func minute(_ digits: String, _ scope: String = "north") -> UplinkItem {
        report("2011/1min", scope, from: site(digits), lasting: .seconds(60), dust())
    }

    // MARK: Uploads

    @Sendable private static func normalDay() -> HJ212Bench {
        let bench = bench(at: "20261120235500120") { $0.noise = .own }
        bench.comment("real time, ten minutes, an hour, the day before; the platform answers each")
        bench.open()
        func send(_ item: UplinkItem) {
            bench.submit(item)
            while bench.conversation.room == 0 {
                bench.wait(.milliseconds(80))
                bench.acknowledge()
            }
        }
        send(
            report(
                "2011/1min", from: site("20261120235400"), lasting: .seconds(60),
                dust() + [
                    factor("a01008", [275], decimals: 0), factor("LA", [63.2]),
                    factor("a01007", [], bad: [.timeout, .timeout], decimals: 1),
                ]))
        bench.wait(.seconds(310))
        let start = site("20261120235000")
        let wind = factor(
            "a01008", [350, 10, 30, 10], decimals: 0, statistics: [.minimum, .vectorMean, .maximum])
        send(
            report(
                "2051/10min", from: start, lasting: .seconds(600),
                [
                    factor(
                        "a34002", [100, 120, 140.5], bad: [.outOfRange],
                        unit: milligramsPerCubicMetre, decimals: 3),
                    factor("a01002", [61, 62], bad: [.outOfRange, .outOfRange], decimals: 1), wind,
                    factor("LA", [55, 60, 65], from: start),
                    factor("a02001", [1, 2], kind: .counter),
                ]))
        send(
            report(
                "2061/1h", from: site("20261120230000"), lasting: .seconds(3600),
                [factor("a34002", [100, 120], unit: milligramsPerCubicMetre, decimals: 3), wind]))
        let day = site("20261120000000")
        send(
            report(
                "2031/1d", from: day, lasting: .seconds(86_400),
                [
                    factor("a34002", [80, 95], unit: milligramsPerCubicMetre, decimals: 3),
                    factor(
                        "LA", (0..<24).map { (6..<22).contains($0) ? 60 : 50 }, from: day,
                        every: .seconds(3600)),
                ]))
        bench.close()
        return bench
    }

    @Sendable private static func splitPacket() -> HJ212Bench {
        let bench = bench(at: "20261121090000005")
        bench.comment("30 factors do not fit into 1024 bytes: each part waits for the one before")
        bench.open()
        let many = (1...30).map {
            factor("a340\($0 < 10 ? "0" : "")\($0)", [Double($0), Double($0) + 0.5], decimals: 2)
        }
        bench.submit(
            report("2061/1h", from: site("20261121080000"), lasting: .seconds(3600), many))
        while bench.conversation.room == 0 {
            bench.wait(.milliseconds(120))
            bench.acknowledge()
        }
        return bench
    }

    @Sendable private static func lostAck() -> HJ212Bench {
        let bench = bench(at: "20261121080000000")
        bench.comment("the first packet is acknowledged at its second sending, the next one never")
        bench.open()
        bench.submit(minute("20261121075900"))
        bench.wait(.milliseconds(10_500))
        bench.acknowledge()
        bench.wait(.seconds(30))
        bench.submit(minute("20261121080000"))
        bench.wait(.seconds(60))
        bench.close("no acknowledgement")
        bench.comment("the item is submitted again on the next connection, with a new number")
        bench.wait(.seconds(20))
        bench.open()
        bench.submit(minute("20261121080000"))
        bench.wait(.milliseconds(70))
        bench.acknowledge()
        return bench
    }

    @Sendable private static func wrongNumber() -> HJ212Bench {
        let bench = bench(at: "20261121080000000")
        bench.comment("acknowledgements of other numbers, of other stations, of another kind")
        bench.open()
        bench.submit(minute("20261121075900"))
        bench.command(
            "QN=20261121080000001;ST=91;CN=9014;PW=123456;MN=\(exampleMN);Flag=4;CP=&&&&")
        bench.command(
            "QN=20261121080000000;ST=91;CN=9014;PW=123456;MN=\(exampleMN)1;Flag=4;CP=&&&&")
        bench.command("ST=91;CN=9014;PW=123456;MN=\(exampleMN);CP=&&&&")
        bench.command(
            "QN=20261121080000000;ST=91;CN=9011;PW=123456;MN=\(exampleMN);Flag=4;CP=&&QnRtn=1&&")
        bench.receive("GET / HTTP/1.1")
        bench.acknowledge(cn: "9013")
        return bench
    }

    @Sendable private static func lateDuplicate() -> HJ212Bench {
        let bench = bench(at: "20261121080000000")
        bench.comment(
            "the platform is slow: it answers both sendings, late and one after the other")
        bench.open()
        bench.submit(minute("20261121075900"))
        bench.wait(.milliseconds(10_900))
        let first = bench.sent.last
        bench.acknowledge(first)
        bench.submit(minute("20261121080000"))
        bench.wait(.milliseconds(300))
        bench.acknowledge(first)
        bench.acknowledge()
        return bench
    }

    @Sendable private static func heartbeat() -> HJ212Bench {
        let bench = bench(at: "20260301120000000") {
            $0.edition = .v2025
            $0.heartbeat = .seconds(60)
            $0.gap = .seconds(3)
            $0.asksForTime = true
            $0.timeout = .seconds(5)
        }
        bench.comment("edition 2025: at least 3 s between packets, a heartbeat each minute")
        bench.open()
        bench.wait(.milliseconds(200))
        bench.acknowledge(cn: "9013", flag: 8)
        bench.command(
            "QN=20260301120000300;ST=39;CN=1012;PW=123456;MN=\(exampleMN);Flag=9;"
                + "CP=&&SystemTime=20260301120002&&")
        bench.submit(minute("20260301115900"))
        bench.wait(.seconds(3))
        bench.acknowledge(flag: 8)
        bench.submit(minute("20260301120000"))
        bench.wait(.seconds(3))
        bench.acknowledge(flag: 8)
        bench.wait(.seconds(54))
        bench.acknowledge(cn: "9013", flag: 8)
        bench.wait(.seconds(90))
        return bench
    }

    // MARK: The platform asks

    @Sendable private static func historyGap() -> HJ212Bench {
        let bench = bench(at: "20261121100000000")
        bench.comment("five hours are asked for, two of them are not stored")
        bench.open()
        bench.submit(minute("20261121095900"))
        let live = bench.sent.last
        bench.command(
            "QN=20261121100000100;ST=39;CN=2061;PW=123456;MN=\(exampleMN);Flag=5;"
                + "CP=&&BeginTime=20261121040000,EndTime=20261121080000&&")
        bench.comment("another one meanwhile")
        bench.command(
            "QN=20261121100000200;ST=39;CN=2031;PW=123456;MN=\(exampleMN);Flag=5;"
                + "CP=&&BeginTime=20261120000000;EndTime=20261120000000&&")
        func hour(_ digits: String) -> UplinkItem {
            report(
                "2061/1h", from: site(digits), lasting: .seconds(3600),
                [factor("a34002", [100, 120], unit: milligramsPerCubicMetre, decimals: 3)])
        }
        bench.found([hour("20261121040000"), hour("20261121050000")], isLast: false)
        bench.found([hour("20261121080000")])
        bench.comment("what was under way comes first, then one period after the other")
        bench.acknowledge(live)
        for _ in 1...3 {
            bench.wait(.milliseconds(90))
            bench.acknowledge()
        }
        bench.comment("a day that is not stored at all")
        bench.command(
            "QN=20261121100001000;ST=39;CN=2031;PW=123456;MN=\(exampleMN);Flag=5;"
                + "CP=&&BeginTime=20261120000000;EndTime=20261120000000&&")
        bench.found([])
        return bench
    }

    private static func ask(
        _ bench: HJ212Bench, _ qn: String, _ cn: String, _ area: String = "", flag: Int = 5,
        pw: String = "123456", mn: String = exampleMN, st: String = "39"
    ) {
        bench.command(
            "QN=\(qn);ST=\(st);CN=\(cn);PW=\(pw);MN=\(mn);Flag=\(flag);CP=&&\(area)&&")
        bench.wait(.milliseconds(10))
    }

    @Sendable private static func commands() -> HJ212Bench {
        let bench = bench(at: "20261121080000000") { $0.obeysPassword = true }
        bench.open()
        bench.comment("the order in which a platform sets a station up (6.7)")
        ask(bench, "20261121080000001", "1012", "SystemTime=20261121080003")
        ask(bench, "20261121080000002", "1000", "OverTime=5;ReCount=2")
        ask(bench, "20261121080000003", "1062", "RtdInterval=30")
        ask(bench, "20261121080000004", "1064", "MinInterval=5")
        ask(bench, "20261121080000005", "2011")
        bench.comment("what it may ask")
        ask(bench, "20261121080000006", "1011")
        ask(bench, "20261121080000007", "1011", "PolId=a34002")
        ask(bench, "20261121080000008", "1061")
        ask(bench, "20261121080000009", "1063")
        bench.comment("real-time data off and on")
        ask(bench, "20261121080000010", "2012")
        bench.submit(minute("20261121075900"))
        ask(bench, "20261121080000011", "2011")
        bench.submit(minute("20261121075900"))
        bench.acknowledge()
        bench.comment("another password, which counts from then on; the same command again")
        ask(bench, "20261121080000012", "1072", "NewPW=abc123")
        ask(bench, "20261121080000013", "1061")
        ask(bench, "20261121080000014", "1061", pw: "abc123")
        ask(bench, "20261121080000002", "1000", "OverTime=5;ReCount=2", pw: "abc123")
        bench.comment("no answer is wanted")
        ask(bench, "20261121080000015", "1062", "RtdInterval=60", flag: 4, pw: "abc123")
        return bench
    }

    @Sendable private static func refusedCommands() -> HJ212Bench {
        let bench = bench(at: "20261121080000000") { $0.strictST = true }
        bench.open()
        bench.comment("MN, PW, ST, Flag, QN, CN that are wrong")
        ask(bench, "20261121080000001", "1061", mn: "010000A8900016F000169DC1")
        ask(bench, "20261121080000002", "1061", pw: "000000")
        ask(bench, "20261121080000003", "1061", st: "32")
        ask(bench, "20261121080000004", "1061", flag: 7)
        bench.command("QN=20261121080000005;ST=39;CN=1061;PW=123456;MN=\(exampleMN);CP=&&&&")
        ask(bench, "20261121", "1061")
        ask(bench, "20261321080000000", "1061")
        ask(bench, "20261121074900000", "1061")
        ask(bench, "20261121081100000", "1061")
        ask(bench, "20261121080000006", "3011", "PolId=a34002")
        ask(bench, "20261121080000007", "2021")
        bench.comment("the password may not be changed")
        ask(bench, "20261121080000008", "1072", "NewPW=abc123")
        bench.comment("values that the standard does not allow, or that are missing")
        ask(bench, "20261121080000009", "1000", "OverTime=0;ReCount=3")
        ask(bench, "20261121080000010", "1000", "OverTime=5;ReCount=100")
        ask(bench, "20261121080000011", "1000")
        ask(bench, "20261121080000012", "1062", "RtdInterval=29")
        ask(bench, "20261121080000013", "1062", "RtdInterval=3601")
        ask(bench, "20261121080000014", "1064", "MinInterval=7")
        ask(bench, "20261121080000015", "1064", "MinInterval=five")
        ask(bench, "20261121080000016", "1062", "RtdInterval=30;RtdInterval=60")
        ask(bench, "20261121080000017", "1012", "SystemTime=20261121")
        ask(bench, "20261121080000018", "1012", "SystemTime=20261121090000")
        ask(bench, "20261121080000019", "2051", "BeginTime=20261121070000;EndTime=20261121060000")
        ask(bench, "20261121080000020", "2051", "BeginTime=yesterday")
        ask(bench, "20261121080000021", "2031", "BeginTime=20200101000000;EndTime=20261121000000")
        bench.comment("none of it has changed anything")
        ask(bench, "20261121080000022", "1061")
        ask(bench, "20261121080000023", "1063")
        return bench
    }

    // MARK: Stations, clocks, editions

    @Sendable private static func twoStations() -> HJ212Bench {
        let south = HJ212Station(
            scope: "south", mn: "SOUTH000000001", st: "22", password: "654321",
            marks: ["a34002": "M"])
        let bench = bench(
            at: "20261121080000000", [northStation, south],
            settings: [PlatformSetting(scope: "south", name: "timeout", value: "20")]
        ) { $0.window = 2 }
        bench.comment("both are under way at once; acknowledgements come in the other order")
        bench.open()
        bench.submit(minute("20261121075900", "north"))
        bench.submit(minute("20261121075900", "south"))
        bench.submit(minute("20261121075900", "west"))
        bench.wait(.milliseconds(100))
        bench.acknowledge(bench.sent.last)
        bench.acknowledge(bench.sent.first)
        bench.comment("a setting is that of one station, with its own password")
        bench.command(
            "QN=20261121080000500;ST=22;CN=1062;PW=654321;MN=SOUTH000000001;Flag=5;"
                + "CP=&&RtdInterval=120&&")
        bench.command(
            "QN=20261121080000600;ST=22;CN=1061;PW=123456;MN=SOUTH000000001;Flag=5;CP=&&&&")
        bench.command(
            "QN=20261121080000700;ST=39;CN=1061;PW=123456;MN=\(exampleMN);Flag=5;CP=&&&&")
        bench.comment("the south waits 20 s, the north 10 s")
        bench.submit(minute("20261121080000", "south"))
        bench.submit(minute("20261121080000", "north"))
        bench.wait(.seconds(15))
        bench.acknowledge(bench.sent.last)
        bench.wait(.seconds(5))
        return bench
    }

    @Sendable private static func clockStepsBack() -> HJ212Bench {
        let bench = bench(at: "20261121080000000")
        bench.comment("two packets in one millisecond, then the clock is set back by an hour")
        bench.open()
        bench.submit(minute("20261121075900"))
        bench.acknowledge()
        bench.submit(minute("20261121075800"))
        bench.acknowledge()
        bench.wall = bench.wall - .seconds(3600)
        bench.submit(minute("20261121075700"))
        bench.acknowledge()
        bench.close("the line fell")
        bench.wait(.seconds(5))
        bench.open()
        bench.submit(minute("20261121075600"))
        bench.acknowledge()
        bench.comment("nothing is said while the clock is not to be believed")
        bench.isTrusted = false
        bench.submit(minute("20261121075500"))
        bench.command(
            "QN=20261121070000000;ST=39;CN=1062;PW=123456;MN=\(exampleMN);Flag=5;"
                + "CP=&&RtdInterval=30&&")
        bench.wait(.seconds(12))
        bench.isTrusted = true
        bench.wait(.seconds(5))
        bench.submit(minute("20261121075500"))
        return bench
    }

    @Sendable private static func edition2005() -> HJ212Bench {
        let bench = bench(
            at: "20100601080000000", [HJ212Station(scope: "north", mn: "88888880000001")]
        ) {
            $0.edition = .v2005
            $0.st = "22"
            $0.packetLimit = 256
            $0.areaLimit = 200
            $0.acknowledged = false
            $0.dataTime = .end
        }
        bench.comment("three digits for a factor, PNO before PNUM, nothing is acknowledged")
        bench.open()
        let codes = ["103", "107", "925", "126", "128", "129"]
        bench.submit(
            report(
                "2051/10min", from: site("20100601075000"), lasting: .seconds(600),
                codes.map { factor($0, [12.25, 12.35], decimals: 1) }))
        bench.comment("a command without Flag is answered")
        bench.command("QN=20100601080000500;ST=22;CN=1063;PW=123456;MN=88888880000001;CP=&&&&")
        return bench
    }
}
