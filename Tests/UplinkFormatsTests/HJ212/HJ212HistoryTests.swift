import Telemetry
import Testing
import UplinkFormats

@Suite("History that an HJ 212 platform asks for")
struct HJ212HistoryTests {
    private func bench(_ change: (inout HJ212Options) -> Void = { _ in }) -> HJ212Bench {
        let bench = HJ212Bench(
            hj212Options(change), stations: [northStation], at: site("20261121100005"))
        bench.open()
        return bench
    }

    private func ask(
        _ bench: HJ212Bench, _ cn: String, _ begin: String?, _ end: String?, flag: Int = 5,
        qn: String = "20261121100000001", separator: String = ";"
    ) {
        let area = [begin.map { "BeginTime=\($0)" }, end.map { "EndTime=\($0)" }]
            .compactMap(\.self).joined(separator: separator)
        bench.command(
            "QN=\(qn);ST=39;CN=\(cn);PW=123456;MN=\(exampleMN);Flag=\(flag);CP=&&\(area)&&")
    }

    private func period(_ kind: String, _ start: Timestamp, _ length: Int) -> UplinkItem {
        report(kind, from: start, lasting: .seconds(length), [factor("a34002", [100])])
    }

    private func result(_ bench: HJ212Bench) -> String? {
        bench.sent.last { $0.contains("CN=9012") }.map {
            String($0.split(separator: "ExeRtn=")[1].prefix { $0.isNumber })
        }
    }

    @Test(
        "what is asked for is what is looked up",
        arguments: [
            (
                "2051", "20261121080000", "20261121083000", "2051/10min", "20261121080000",
                "20261121083000"
            ),
            (
                "2051", "20261121080500", "20261121082959", "2051/10min", "20261121080000",
                "20261121082000"
            ),
            (
                "2061", "20261121050000", "20261121050000", "2061/1h", "20261121050000",
                "20261121050000"
            ),
            ("2061", "202611210500", "202611210630", "2061/1h", "20261121050000", "20261121060000"),
            ("2031", "20261120", "20261120", "2031/1d", "20261120000000", "20261120000000"),
            (
                "2061", "20261121080000", "20261201080000", "2061/1h", "20261121080000",
                "20261121100000"
            ),
        ])
    func ranges(
        cn: String, begin: String, end: String, kind: String, from: String, through: String
    ) {
        let bench = bench()
        ask(bench, cn, begin, end)
        #expect(bench.looks.map(\.kind) == [kind])
        #expect(bench.looks.map(\.scope) == ["north"])
        #expect(bench.looks.map(\.from) == [site(from)])
        #expect(bench.looks.map(\.through) == [site(through)])
    }

    @Test("a comma, blanks and a missing end are understood")
    func tolerance() {
        for (begin, end, separator) in [
            ("20261121080000", "20261121080000", ","), (" 20261121080000 ", "20261121080000", "; "),
        ] {
            let bench = bench()
            ask(bench, "2061", begin, end, separator: separator)
            #expect(bench.looks.map(\.from) == [site("20261121080000")])
        }
        let open = bench()
        ask(open, "2061", "20261121080000", nil)
        #expect(open.looks.map(\.through) == [site("20261121080000")])
    }

    @Test("a platform that takes DataTime for the end asks by ends")
    func ends() {
        let bench = bench { $0.dataTime = .end }
        ask(bench, "2061", "20261121050000", "20261121060000")
        #expect(bench.looks.map(\.from) == [site("20261121040000")])
        #expect(bench.looks.map(\.through) == [site("20261121050000")])
        bench.found([
            report(
                "2061/1h", from: site("20261121040000"), lasting: .seconds(3600),
                [factor("a34002", [100])])
        ])
        #expect(bench.sent.last?.contains("DataTime=20261121050000") == true)
    }

    @Test("the length of 2051's periods is the one that the platform has set")
    func minutes() {
        let bench = bench()
        bench.command(
            "QN=20261121100000000;ST=39;CN=1064;PW=123456;MN=\(exampleMN);Flag=5;"
                + "CP=&&MinInterval=5&&")
        ask(bench, "2051", "20261121080000", "20261121081000")
        #expect(bench.looks.map(\.kind) == ["2051/5min"])
        #expect(bench.looks.map(\.through) == [site("20261121081000")])
    }

    @Test("a long range is looked up in parts, and every period once")
    func parts() throws {
        let bench = bench { $0.window = 4 }
        ask(bench, "2061", "20261101000000", "20261104120000")
        var periods: [Timestamp] = []
        var parts = 0
        while let look = bench.looks.last, bench.looks.count > parts {
            parts = bench.looks.count
            #expect((look.through - look.from).milliseconds <= 24 * 3_600_000)
            var start = look.from
            var items: [UplinkItem] = []
            while start <= look.through {
                periods.append(start)
                items.append(period("2061/1h", start, 3600))
                start = start + .seconds(3600)
            }
            bench.found(Array(items.prefix(7)), isLast: false)
            bench.found(Array(items.dropFirst(7)))
            #expect(bench.looks.count == parts, "the next part waits for this one")
            while let sent = bench.sent.last, sent.contains("CN=2061"), bench.looks.count == parts {
                for packet in bench.sent.suffix(4) where packet.contains("CN=2061") {
                    bench.acknowledge(packet)
                }
            }
        }
        #expect(parts == 4)
        #expect(periods.count == 85)
        #expect(Set(periods).count == 85)
        let told = bench.sent.filter { $0.contains("CN=2061") }.map {
            String($0.split(separator: "DataTime=")[1].prefix(14))
        }
        #expect(told == periods.map { HJ212Time.stamp($0, shanghai) })
        #expect(result(bench) == "1")
        #expect(Set(bench.looks.map(\.number)).count == parts)
    }

    @Test("an hour that the clock repeats, and one that it skips, are asked for like any other")
    func clockChanges() {
        let berlin = SiteCalendar(
            zone: "Europe/Berlin", initialOffset: 3600,
            transitions: [
                .init(at: Timestamp(milliseconds: 1_774_746_000_000), offset: 7200),
                .init(at: Timestamp(milliseconds: 1_792_890_000_000), offset: 3600),
            ])
        for (day, hours) in [("20260329", 23), ("20261025", 25)] {
            let bench = HJ212Bench(
                hj212Options(), stations: [northStation], at: site("20261121100000", berlin),
                calendar: berlin)
            bench.open()
            ask(bench, "2061", "\(day)000000", "\(day)230000")
            var asked = 0
            var parts = 0
            while let look = bench.looks.last, bench.looks.count > parts {
                parts = bench.looks.count
                asked += Int((look.through - look.from).milliseconds / 3_600_000) + 1
                bench.found([])
            }
            #expect(asked == hours)
            #expect(result(bench) == "100")
        }
    }

    @Test("nothing stored is said so: 100")
    func nothing() {
        let bench = bench()
        ask(bench, "2051", "20261121080000", "20261121090000")
        bench.found([])
        #expect(result(bench) == "100")
        ask(bench, "2051", "20270101000000", "20270102000000", qn: "20261121100000002")
        #expect(result(bench) == "100")
        #expect(bench.looks.count == 1)
    }

    @Test("uploads are acknowledged as the platform's Flag has it")
    func unacknowledged() {
        let bench = bench()
        ask(bench, "2061", "20261121050000", "20261121060000", flag: 4)
        bench.found([
            period("2061/1h", site("20261121050000"), 3600),
            period("2061/1h", site("20261121060000"), 3600),
        ])
        #expect(bench.sent.count == 2)
        #expect(bench.sent.allSatisfy { $0.contains("Flag=4;CP=&&DataTime=") })
        #expect(bench.conversation.deadline == nil)
        // The next request is taken, so this one is over.
        ask(bench, "2061", "20261121050000", "20261121060000", qn: "20261121100000002")
        #expect(bench.looks.count == 2)
    }

    @Test("what was not asked for is not sent")
    func foreignItems() {
        let bench = bench()
        ask(bench, "2061", "20261121050000", "20261121060000")
        bench.found([
            period("2061/1h", site("20261121040000"), 3600),
            period("2051/10min", site("20261121050000"), 600),
            report(
                "2061/1h", "south", from: site("20261121050000"), lasting: .seconds(3600),
                [factor("a34002", [1])]),
        ])
        #expect(result(bench) == "100")
        #expect(bench.sent.count == 2)
    }

    @Test("more than was asked for is not kept")
    func tooMany() {
        let bench = bench()
        ask(bench, "2051", "20261121080000", "20261121080000")
        bench.found(
            Array(repeating: period("2051/10min", site("20261121080000"), 600), count: 1000))
        var sent = 0
        while bench.sent.last?.contains("CN=2051") == true, sent < 1000 {
            sent += 1
            bench.acknowledge()
        }
        #expect(sent <= 32)
        #expect(result(bench) == "1")
    }

    @Test("a store that finds nothing in time ends the request, and its late word is not heard")
    func late() {
        let bench = bench { $0.historyPatience = .seconds(20) }
        ask(bench, "2061", "20261121050000", "20261121060000")
        bench.wait(.seconds(19))
        #expect(result(bench) == nil)
        bench.wait(.seconds(2))
        #expect(result(bench) == "4")
        bench.found([period("2061/1h", site("20261121050000"), 3600)])
        #expect(bench.sent.count == 2)
    }

    @Test("a repeated request is answered by what was answered so far")
    func again() {
        let bench = bench()
        ask(bench, "2061", "20261121050000", "20261121060000")
        ask(bench, "2061", "20261121050000", "20261121060000")
        #expect(bench.looks.count == 1)
        #expect(bench.sent.count == 2)
        bench.found([])
        ask(bench, "2061", "20261121050000", "20261121060000")
        #expect(bench.looks.count == 1)
        #expect(bench.sent.suffix(2).map { PlatformFrame.value("CN", in: $0) } == ["9011", "9012"])
    }

    @Test("the end of the connection ends it, and what is found then is not heard")
    func broken() {
        let bench = bench()
        ask(bench, "2061", "20261121050000", "20261121060000")
        bench.close()
        bench.open()
        bench.found([period("2061/1h", site("20261121050000"), 3600)])
        #expect(bench.sent.count == 1)
        ask(bench, "2061", "20261121050000", "20261121060000", qn: "20261121100000002")
        #expect(bench.looks.count == 2)
    }

    @Test("history and live items take turns")
    func turns() {
        let bench = bench()
        ask(bench, "2061", "20261121010000", "20261121090000")
        bench.found((1...9).map { period("2061/1h", site("2026112100000\($0)"), 0) })
        let hours = (1...9).map { period("2061/1h", site("202611210\($0)0000"), 3600) }
        ask(bench, "2061", "20261121010000", "20261121090000", qn: "20261121100000002")
        bench.found(hours)
        var order = ""
        for _ in 0..<12 {
            if bench.conversation.room > 0 {
                bench.submit(report("2011/1min", from: morning, lasting: .seconds(60), dust()))
            }
            guard let packet = bench.sent.last(where: { $0.contains("CN=20") }) else { break }
            order += packet.contains("CN=2011") ? "L" : "H"
            bench.acknowledge(packet)
        }
        #expect(order == "HLHLHLHLHLHL")
    }
}
