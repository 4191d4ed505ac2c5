import EnergyAccounting
import Telemetry
import TestSeeds
import Testing

private let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

@Suite("Outages of meters")
struct MeterOutagesTests {
    private let start = Timestamp(rfc3339: "2026-03-01T00:00:00+08:00")!

    /// Hours as signs: `+` all came, `o` some came, `.` none came, `?` nobody has said how many,
    /// `!` the same and some came, `0` none was expected.
    private func outages(_ hours: String, endedAt hour: Int? = nil) -> MeterOutages {
        let grid = CountGrid(
            .hour, from: start, to: start + .seconds(3600 * hours.count), calendar: shanghai)
        var counts = Counts(count: grid.count)
        for (slot, sign) in hours.enumerated() {
            let (good, expected): (Int, Int?) =
                switch sign {
                case "+": (6, 6)
                case "o": (4, 6)
                case ".": (0, 6)
                case "!": (3, nil)
                case "0": (0, 0)
                default: (0, nil)
                }
            counts[slot] = Counts.Slot(increase: nil, good: good, expected: expected)
        }
        return MeterOutages(counts, on: grid, now: start + .seconds(3600 * (hour ?? hours.count)))
    }

    private func hour(_ time: Timestamp?) -> Int? {
        time.map { Int(($0 - start).milliseconds / 3_600_000) }
    }

    @Test(
        "an hour is out when readings were expected and none was good",
        arguments: [
            // hours, spans, hours out, running since
            ("++++", [], 0, nil), ("+..+", [1..<3], 2, nil), ("+.+..", [1..<2, 3..<5], 3, 3),
            ("o..o", [1..<3], 2, nil), ("....", [0..<4], 4, 0),
            // What nobody expected is no outage, and silence in it ends none.
            ("+??+", [], 0, nil), ("+.?.", [1..<2, 3..<4], 2, 1), ("+.!?", [1..<2], 1, nil),
            ("+.0.", [1..<2, 3..<4], 2, 1), ("????", [], 0, nil), ("0000", [], 0, nil),
        ] as [(String, [Range<Int>], Int, Int?)])
    func spans(_ hours: String, _ spans: [Range<Int>], _ length: Int, _ since: Int?) {
        let found = outages(hours)
        #expect(
            found.spans.map { hour($0.lowerBound)!..<hour($0.upperBound)! } == spans, "\(hours)")
        #expect(found.length == .seconds(3600 * length), "\(hours)")
        #expect(hour(found.runningSince) == since, "\(hours)")
    }

    @Test("an hour that has not ended is not judged")
    func unended() {
        #expect(outages("+..", endedAt: 1).runningSince == nil)
        #expect(outages("+..", endedAt: 2).length == .seconds(3600))
        #expect(outages("+..", endedAt: 2).passedSlots == 2)
    }

    @Test("an outage from the first hour on may be older than what was read")
    func older() {
        #expect(outages("..").isOlderThanGrid)
        #expect(!outages("+.").isOlderThanGrid)
        #expect(!outages("?.").isOlderThanGrid)
        #expect(!outages(".+").isOlderThanGrid)
        #expect(!outages(".+.").isOlderThanGrid)
    }

    @Test("who has never said how often a meter is read gets no judgement")
    func unjudged() {
        #expect(!outages("??!").isJudged)
        #expect(outages("??!").receivedShare == nil)
        #expect(outages("+o").receivedShare == Exact(10, over: 12))
        #expect(hour(outages("+o..").lastGood) == 2)
    }

    @Test("any series of hours gives what a look at every hour gives", arguments: 0..<200)
    func anySeries(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let signs = Array("++++....o?!0")
        let hours = String(
            (0..<Int.random(in: 1...60, using: &random)).map { _ in
                signs.randomElement(using: &random)!
            })
        let found = outages(hours)
        let list = Array(hours)
        #expect(found.length == .seconds(3600 * list.count { $0 == "." }))
        let lastHeard = list.lastIndex { "+o!".contains($0) }
        let since = list.indices.first { list[$0] == "." && $0 > (lastHeard ?? -1) }
        #expect(hour(found.runningSince) == since)
        #expect(hour(found.lastGood) == lastHeard.map { $0 + 1 })
        for (earlier, later) in zip(found.spans, found.spans.dropFirst()) {
            #expect(earlier.upperBound < later.lowerBound)
        }
    }
}

@Suite("Certificates")
struct CertificateTests {
    private let entries = try? energyEntries(
        """
        - { certificate: main, number: A-1, issued: 2024-03-01, due: 2026-02-28, by: Li }
        - { certificate: main, number: A-2, issued: 2026-02-20, due: 2028-02-19, by: Li }
        """)

    private func state(_ day: String, soon: Int?) throws -> CertificateState {
        let day = try #require(CivilDate(day))
        return CertificateState(
            try #require(entries).certificate(of: "main", on: day), on: day, soon: soon)
    }

    @Test("the newest certificate that had been issued counts, through its due day")
    func states() throws {
        #expect(try state("2024-02-28", soon: 30) == .none)
        #expect(try state("2025-06-01", soon: 30) == .valid)
        #expect(try state("2026-01-29", soon: 30) == .dueSoon(days: 30))
        #expect(try state("2026-01-28", soon: 30) == .valid)
        #expect(try state("2026-02-19", soon: nil) == .valid)
        #expect(try state("2026-02-20", soon: 30) == .valid)
        #expect(try state("2028-02-19", soon: 0) == .dueSoon(days: 0))
        #expect(try state("2028-02-20", soon: 0) == .expired(days: 1))
    }
}
