import Telemetry
import Testing
import UplinkFormats

@Suite("What HJ 212 tells of a period")
struct HJ212ReportTests {
    /// The items of the data areas that an item becomes, time included, all parts together.
    private func told(
        _ kind: String, _ entries: [UplinkItem.Entry], from start: String = "20261121080000",
        lasting: Duration = .seconds(600), stations: [HJ212Station] = [northStation],
        _ change: (inout HJ212Options) -> Void = { _ in }
    ) -> [String] {
        let bench = HJ212Bench(
            hj212Options(change), stations: stations, at: site("20261122080000"))
        bench.open()
        bench.submit(report(kind, from: site(start), lasting: lasting, entries))
        return bench.sent.flatMap { packet -> [String] in
            guard let area = packet.split(separator: "CP=&&").last?.split(separator: "&&").first
            else { return [] }
            return area.split(separator: ";").map(String.init)
        }
    }

    private func outcome(
        _ kind: String, _ entries: [UplinkItem.Entry], scope: String = "north",
        _ change: (inout HJ212Options) -> Void = { _ in }
    ) -> Outcome? {
        let bench = HJ212Bench(
            hj212Options(change), stations: [northStation], at: site("20261122080000"))
        bench.open()
        let ticket = bench.submit(
            report(kind, scope, from: site("20261121080000"), lasting: .seconds(600), entries))
        return bench.outcomes[ticket]?.first
    }

    @Test("minutes, hours and days have the same fields")
    func kinds() {
        let entries = [factor("a34002", [100, 121], decimals: 1)]
        for kind in ["2051/10min", "2061/1h", "2031/1d"] {
            #expect(
                told(kind, entries) == [
                    "DataTime=20261121080000",
                    "a34002-Min=100.0,a34002-Avg=110.5,a34002-Max=121.0,a34002-Flag=N",
                ])
        }
        #expect(told("2011/1min", entries)[1] == "a34002-Rtd=121.0,a34002-Flag=N")
    }

    @Test("a counter is told by what it counted")
    func counter() {
        var rain = factor("a02001", [10, 11.5], decimals: 1, kind: .counter)
        rain.rollup.increase = ScaledInteger(mantissa: 15, exponent: 1)
        #expect(told("2051/10min", [rain])[1] == "a02001-Cou=1.5,a02001-Flag=N")
        rain.point.statistics = [.increase, .minimum, .maximum]
        #expect(
            told("2051/10min", [rain])[1]
                == "a02001-Cou=1.5,a02001-Min=10.0,a02001-Max=11.5,a02001-Flag=N")
        #expect(told("2011/1min", [rain])[1] == "a02001-Rtd=11.5,a02001-Flag=N")
    }

    @Test("states, texts and points without a name are not told")
    func untold() {
        var state = factor("a1", [1])
        state.series = series("dust.status", .state, "")
        let nameless = factor(nil, [1])
        #expect(told("2051/10min", [state, nameless, factor("a2", [1])]).count == 2)
        #expect(
            outcome("2051/10min", [state, nameless])
                == .expired(reason: "nothing is known of any factor in this period"))
    }

    @Test("the end of the period is told where the platform wants it, but not of real-time data")
    func dataTime() {
        let entries = [factor("a34002", [100])]
        #expect(told("2051/10min", entries) { $0.dataTime = .end }[0] == "DataTime=20261121081000")
        #expect(told("2011/1min", entries) { $0.dataTime = .end }[0] == "DataTime=20261121080000")
        let day = told(
            "2031/1d", entries, from: "20261121000000", lasting: .seconds(86_400)
        ) { $0.dataTime = .end }
        #expect(day[0] == "DataTime=20261122000000")
    }

    @Test("wind from 350° and 10° comes from the north")
    func wind() {
        let wind = factor(
            "a01008", [350, 20, 350, 20], decimals: 0,
            statistics: [.minimum, .vectorMean, .maximum])
        #expect(
            told("2051/10min", [wind])[1]
                == "a01008-Min=20,a01008-Avg=5,a01008-Max=350,a01008-Flag=N")
        let still = factor("a01008", [90, 270], decimals: 0, statistics: [.vectorMean])
        #expect(outcome("2051/10min", [still]) != nil)
    }

    @Test("a factor with an energetic mean is told by it")
    func energetic() {
        let noise = factor("B03", [50, 60], decimals: 1, statistics: [.energeticMean])
        #expect(told("2051/10min", [noise])[1] == "B03-Avg=57.4,B03-Flag=N")
    }

    @Test("a factor without a value is left out, or goes out with its mark")
    func missing() {
        let entries = [factor("a34002", [100]), factor("a01007", [], bad: [.timeout])]
        #expect(told("2011/1min", entries).count == 2)
        #expect(
            told("2011/1min", entries) { $0.missing = .markOnly }.last == "a01007-Flag=B")
        #expect(
            told("2051/10min", entries) { $0.missing = .markOnly }.last == "a01007-Flag=B")
        #expect(
            told("2011/1min", entries) {
                $0.missing = .markOnly
                $0.marks.isSent = false
            } == ["DataTime=20261121080000", "a34002-Rtd=100"])
        #expect(
            told("2011/1min", [factor("LA", [], bad: [.timeout])]) { $0.missing = .markOnly }.last
                == "LA-Flag=B")
    }

    @Test("values with a bad mark are sent with it")
    func markedValues() {
        let entries = [factor("a34002", [100], bad: [.outOfRange, .outOfRange])]
        #expect(told("2011/1min", entries)[1] == "a34002-Rtd=100,a34002-Flag=T")
    }

    @Test("what the site says of an instrument goes before its readings")
    func siteMarks() {
        var station = northStation
        station.marks = ["a34002": "C"]
        let entries = [factor("a34002", [100]), factor("a34004", [40])]
        #expect(
            told("2011/1min", entries, stations: [station]).dropFirst() == [
                "a34002-Rtd=100,a34002-Flag=C", "a34004-Rtd=40,a34004-Flag=N",
            ])
        station.marks["*"] = "M"
        #expect(
            told("2011/1min", entries, stations: [station]).last == "a34004-Rtd=40,a34004-Flag=M")
    }

    /// A packet's data segment, and its `CP=&&…&&`.
    private func cut(_ packet: String) -> (segment: Substring, area: Substring) {
        let segment = packet.dropFirst(6).dropLast(4)
        let start = segment.firstRange(of: "CP=")?.lowerBound ?? segment.startIndex
        return (segment, segment[start...])
    }

    @Test("packets keep to 1024 and 950 bytes, are full, and no factor is parted")
    func limits() {
        for count in [8, 12, 13, 14, 15, 30, 100] {
            let entries = (1...count).map { factor("a3\(1000 + $0)", [Double($0)], decimals: 3) }
            let bench = HJ212Bench(
                hj212Options { $0.acknowledged = false }, stations: [northStation],
                at: site("20261122080000"))
            bench.open()
            bench.submit(report("2061/1h", from: morning, lasting: .seconds(3600), entries))
            var items: [Substring] = []
            for (index, packet) in bench.sent.enumerated() {
                let (segment, area) = cut(packet)
                #expect(segment.utf8.count <= 1024)
                #expect(area.utf8.count <= 950)
                let parts = area.dropFirst(5).dropLast(2).split(separator: ";")
                #expect(parts.first == "DataTime=20261121080000")
                items += parts.dropFirst()
                #expect(
                    segment.contains(
                        bench.sent.count == 1
                            ? "Flag=4;CP="
                            : "Flag=6;PNUM=\(bench.sent.count);PNO=\(index + 1);CP="))
                guard index > 0, parts.count > 1 else { continue }
                let before = cut(bench.sent[index - 1])
                let more = parts[1].utf8.count + 1
                // The numbers of parts may have up to three digits each here.
                #expect(
                    before.area.utf8.count + more > 950
                        || before.segment.utf8.count + more > 1024 - 4)
            }
            #expect(items.count == count)
            #expect(items.allSatisfy { $0.contains("-Min=") && $0.contains("-Flag=N") })
        }
    }

    @Test("what no packet can hold is given up, and why")
    func unwritable() {
        let long = factor(String(repeating: "x", count: 400), [1])
        #expect(
            outcome("2051/10min", [long, factor("a1", [1])])
                == .expired(
                    reason:
                        "'\(String(repeating: "x", count: 400))-Min' is longer than a packet may be"
                ))
        #expect(
            outcome("2051/10min", [factor("a;1", [1])])
                == .expired(
                    reason: "a code, the MN or the password cannot be written in a packet"))
        #expect(
            outcome("rollup/15min", [factor("a1", [1])])
                == .expired(reason: "HJ 212 has no packet for 'rollup/15min'"))
        #expect(
            outcome("2011/1min", [factor("a1", [1])], scope: "west")
                == .expired(reason: "no station of this uplink is 'west'"))
    }

    @Test("a number that is none never stands in a packet", arguments: [Double.nan, .infinity])
    func oddNumbers(value: Double) {
        var odd = factor("a1", [1], statistics: [.minimum, .mean, .vectorMean, .maximum])
        odd.rollup.minimum = value
        odd.rollup.maximum = value
        odd.rollup.last = .init(time: morning, value: value)
        odd.samples = [Sample(time: morning, reading: .number(value))]
        var level = odd
        level.point.name = "LA"
        for kind in ["2011/1min", "2051/10min", "2031/1d"] {
            for text in told(kind, [odd, level, factor("a2", [1])]) {
                #expect(!text.lowercased().contains("nan") && !text.lowercased().contains("inf"))
            }
        }
    }
}
