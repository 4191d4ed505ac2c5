import Telemetry
import TestSeeds
import Testing

@testable import UplinkFormats

/// Items as no site has them: odd names, odd numbers, odd times.
private struct OddItems {
    var random: SeededGenerator

    mutating func text() -> String {
        let odd: [Unicode.Scalar] = [
            "a", "Z", "0", "_", "-", ".", ",", "=", " ", "\\", "\"", "#", "/", "%", "{", "}", "\n",
            "\r", "\t", "\0", "\u{7F}", "\u{85}", "é", "流", "\u{301}", "\u{200B}", "\u{FFFD}",
            "\u{1F3D7}", "|", "'",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            text.unicodeScalars.append(odd[Int.random(in: 0..<odd.count, using: &random)])
        }
        return text
    }

    mutating func number() -> Double {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: .nan
        case 1: .infinity
        case 2: -.infinity
        case 3: -0.0
        case 4: .greatestFiniteMagnitude
        case 5: .leastNonzeroMagnitude
        case 6: Double(bitPattern: random.next())
        default: random.decimal()
        }
    }

    mutating func time() -> Timestamp {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: Timestamp(milliseconds: .min)
        case 1: Timestamp(milliseconds: .max)
        case 2: Timestamp(milliseconds: Int64(bitPattern: random.next()))
        default: morning + .seconds(Int.random(in: -90...90, using: &random) * 10)
        }
    }

    mutating func entry() -> UplinkItem.Entry {
        let kinds: [SeriesKind] = [.gauge, .counter, .state, .text]
        let statistics: [Statistic] = [
            .mean, .minimum, .maximum, .first, .last, .sum, .increase, .energeticMean,
            .exceeded(0), .exceeded(100), .vectorMean,
        ]
        let kind = kinds[Int.random(in: 0..<4, using: &random)]
        var entry = UplinkItem.Entry(
            series: Series(
                id: SeriesID(device: DeviceID(text()), point: PointKey(text())), kind: kind,
                unit: text()),
            rollup: Rollup(
                bad: Int.random(in: 0...3, using: &random),
                expected: random.oneIn(3) ? nil : Int.random(in: -1...9, using: &random)))
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let reading: Reading =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: .bad(BadReason.allCases[Int.random(in: 0..<12, using: &random)])
                case 1: .text(text())
                default: .number(number())
                }
            let time = time()
            entry.rollup.add(reading, at: time)
            entry.samples.append(Sample(time: time, reading: reading))
        }
        if random.oneIn(2) {
            entry.rollup.increase = ScaledInteger(
                mantissa: Int128(Int64(bitPattern: random.next())), exponent: 3)
        }
        if random.oneIn(2) {
            entry.point = UplinkPoint(
                name: random.oneIn(2) ? text() : nil,
                unit: random.oneIn(2)
                    ? nil
                    : Unit(
                        symbol: text(), ucum: "", dimension: Dimension(""),
                        factor: random.oneIn(4) ? 0 : random.decimal(),
                        offset: random.oneIn(2) ? 0 : number()),
                decimals: random.oneIn(2) ? nil : Int.random(in: -1...12, using: &random),
                statistics: statistics.filter { _ in random.oneIn(3) })
        }
        return entry
    }

    mutating func items() -> [UplinkItem] {
        (0..<Int.random(in: 0...4, using: &random)).map { _ in
            UplinkItem(
                site: SiteID(text()), kind: random.oneIn(2) ? "raw/1min" : "rollup/" + text(),
                scope: text(), device: nil, start: time(), end: time(),
                revision: Int.random(in: 0...2, using: &random),
                entries: (0..<Int.random(in: 0...4, using: &random)).map { _ in entry() })
        }
    }
}

@Suite("Whatever the engines' formats are given")
struct EnginePropertyTests {
    @Test("a remote write is one that every engine reads")
    func remoteWrite() throws {
        var odd = OddItems(random: SeededGenerator(0x6E67))
        var told = 0
        for _ in 0..<3000 {
            let format = RemoteWriteFormat(
                labels: Dictionary(
                    [(odd.text(), odd.text()), (odd.text(), odd.text())],
                    uniquingKeysWith: { first, _ in first }),
                figures: [odd.text(): odd.number()])
            let body = format.encode(odd.items(), calendar: shanghai).payload
            let series = try RemoteWriteReader.series(ofBody: body)
            told += series.count
            #expect(Set(series.map { "\($0.labels)" }).count == series.count)
            for one in series {
                let names = one.labels.map(\.name)
                #expect(zip(names, names.dropFirst()).allSatisfy { $0 < $1 }, "\(names)")
                #expect(names.contains("__name__"))
                #expect(([one["__name__"] ?? ""] + names).allSatisfy(isLegal), "\(one.labels)")
                #expect(one.labels.allSatisfy { !$0.value.isEmpty })
                #expect(!one.samples.isEmpty)
                #expect(one.samples.allSatisfy { $0.value.isFinite })
                let times = one.samples.map(\.time)
                #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
            }
        }
        #expect(told > 3000)
    }

    @Test("lines are lines, and their texts come back as they were, but for what no line can hold")
    func influxLines() throws {
        var odd = OddItems(random: SeededGenerator(0x1F1))
        var told = 0
        for _ in 0..<3000 {
            let (name, value) = (odd.text(), odd.text())
            let items = odd.items()
            let format = InfluxLineFormat(tags: [name: value])
            let lines = try InfluxLineReader.lines(
                format.encode(items, calendar: shanghai).payload)
            told += lines.count
            let ids = Set(items.flatMap { $0.entries.map(\.series.id) }.map(written))
            for line in lines {
                #expect(ids.contains([line[tag: "device"] ?? "", line[tag: "point"] ?? ""]))
                let names = line.tags.map(\.name)
                #expect(Set(names).count == names.count)
                #expect(!line.fields.isEmpty)
                #expect(!line.measurement.hasPrefix("#"))
                #expect(line.nanoseconds % 1_000_000 == 0)
                for field in line.fields {
                    switch (field.name, field.value) {
                    case ("bad", .integer), ("count", .integer), ("revision", .integer): break
                    case ("estimated", .boolean), ("text", .string), ("quality", .string): break
                    case ("bad", _), ("count", _), ("revision", _), ("estimated", _), ("text", _),
                        ("quality", _):
                        Issue.record("\(field)")
                    case (_, .float): break
                    default: Issue.record("\(field)")
                    }
                }
            }
        }
        #expect(told > 3000)
    }

    @Test("strings of readings come back to the last character")
    func influxStrings() throws {
        var odd = OddItems(random: SeededGenerator(0x57))
        for _ in 0..<3000 {
            let word = odd.text()
            var item = readings
            item.entries = [item.entries[2]]
            item.entries[0].samples = [Sample(time: morning, reading: .text(word))]
            let payload = InfluxLineFormat().encode(item, calendar: shanghai).payload
            #expect(
                try InfluxLineReader.lines(payload).map { $0[field: "text"] } == [.string(word)])
        }
    }

    /// As Prometheus' data model wants names: `[a-zA-Z_][a-zA-Z0-9_]*`.
    private func isLegal(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        let isLetter = { (byte: UInt8) in
            (97...122).contains(byte) || (65...90).contains(byte) || byte == 95
        }
        guard let first = bytes.first, isLetter(first) else { return false }
        return bytes.allSatisfy { isLetter($0) || (48...57).contains($0) }
    }

    private func written(_ id: SeriesID) -> [String] {
        [id.device.text, id.point.text].map { text in
            var kept = text.unicodeScalars.map {
                $0.value < 0x20 || $0.value == 0x7F ? " " as Unicode.Scalar : $0
            }
            while kept.last == "\\" { kept.removeLast() }
            var result = ""
            result.unicodeScalars.append(contentsOf: kept)
            return result
        }
    }
}
