import TestSeeds
import Testing

@testable import Telemetry

@Suite("Timestamp")
struct TimestampTests {
    @Test("RFC 3339 text of any instant and offset reads back as the same instant")
    func roundTrip() {
        var random = SeededGenerator(1)
        let first = CivilTime(year: 1, month: 1, day: 3).timestamp(offset: 0).milliseconds
        let last = CivilTime(year: 9999, month: 12, day: 29).timestamp(offset: 0).milliseconds
        for _ in 0..<20_000 {
            let time = Timestamp(milliseconds: .random(in: first...last, using: &random))
            let offset = Int.random(in: -23 * 60...23 * 60, using: &random) * 60
            let text = time.rfc3339(offset: offset)
            #expect(Timestamp(rfc3339: text) == time, "\(text)")
        }
    }

    @Test(
        "the text has milliseconds only when there are any, and Z only for UTC",
        arguments: [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1, 0, "1970-01-01T00:00:00.001Z"),
            (-1, 0, "1969-12-31T23:59:59.999Z"),
            (1_763_683_500_000, 28_800, "2025-11-21T08:05:00+08:00"),
            (1_763_683_500_120, -12_600, "2025-11-20T20:35:00.120-03:30"),
        ] as [(Int64, Int, String)])
    func text(milliseconds: Int64, offset: Int, expected: String) {
        #expect(Timestamp(milliseconds: milliseconds).rfc3339(offset: offset) == expected)
        #expect(Timestamp(rfc3339: expected)?.milliseconds == milliseconds)
    }

    @Test(
        "texts that RFC 3339 allows are read",
        arguments: [
            ("2025-11-21t00:05:00z", 1_763_683_500_000),
            ("2025-11-21 00:05:00Z", 1_763_683_500_000),
            ("2025-11-21T00:05:00.1Z", 1_763_683_500_100),
            ("2025-11-21T00:05:00.1239999Z", 1_763_683_500_123),
            ("2024-02-29T12:00:00-00:00", 1_709_208_000_000),
        ] as [(String, Int64)])
    func accepted(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(
        "texts that name no instant are refused",
        arguments: [
            "", "Z", "2025-11-21", "2025-11-21T00:05:00", "2025-11-21T00:05Z",
            "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z", "2025-04-31T00:00:00Z", "2025-04-00T00:00:00Z",
            "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2016-12-31T23:59:60Z",
            "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00,5Z", "2025-01-01T00:00:00+8:00",
            "2025-01-01T00:00:00+0800", "2025-01-01T00:00:00+24:00", "2025-01-01T00:00:00+08:60",
            "2025-01-01T00:00:00ZZ", " 2025-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
            "+2025-01-01T00:00:00Z", "２０２５-01-01T00:00:00Z", "2025-01-01T00:00:00 08:00",
            "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01",
        ])
    func refused(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test("a text that is damaged anywhere is read or refused, and never traps")
    func damaged() {
        var random = SeededGenerator(2)
        let alphabet = Array("0123456789-:+.TZz tW\u{e9}")
        for _ in 0..<20_000 {
            var text = Array("2025-11-21T08:05:00.123+08:00")
            for _ in 0...Int.random(in: 0...3, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                if random.oneIn(3) {
                    text.remove(at: place)
                } else {
                    text[place] = alphabet.randomElement(using: &random) ?? "0"
                }
            }
            guard let time = Timestamp(rfc3339: String(text)) else { continue }
            #expect(Timestamp(rfc3339: time.rfc3339()) == time)
        }
    }

    @Test("a slot holds its instant, starts at a multiple of the period, and is its own slot")
    func slots() {
        var random = SeededGenerator(3)
        for _ in 0..<5000 {
            let time = Timestamp(milliseconds: .random(in: -1 << 52...1 << 52, using: &random))
            let period = Int64.random(in: 1...10_000_000, using: &random)
            let slot = time.slot(every: .milliseconds(period))
            #expect(slot <= time && time < slot + .milliseconds(period))
            #expect(slot.milliseconds.modulo(period) == 0)
            #expect(slot.slot(every: .milliseconds(period)) == slot)
        }
        let time = Timestamp(milliseconds: 123)
        #expect(time.slot(every: .zero) == time)
        #expect(time.slot(every: .seconds(-1)) == time)
    }

    @Test("no instant of the whole range traps, the absurd ones of a broken device included")
    func extremes() {
        let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        for milliseconds in extremes {
            let time = Timestamp(milliseconds: milliseconds)
            for offset in [-50_400, 0, 50_400] {
                _ = time.rfc3339(offset: offset)
                let zone = SiteCalendar(
                    zone: "test", initialOffset: offset,
                    transitions: [.init(at: Timestamp(milliseconds: 0), offset: 3600)])
                for resolution in Resolution.allCases {
                    _ = Bucket(resolution, containing: time, calendar: zone)
                }
            }
            _ = time.slot(every: .seconds(900))
            for other in extremes { _ = time - Timestamp(milliseconds: other) }
        }
        #expect(Duration.seconds(Int64.max).milliseconds == .max)
        #expect(Duration.seconds(Int64.min).milliseconds == .min)
    }
}
