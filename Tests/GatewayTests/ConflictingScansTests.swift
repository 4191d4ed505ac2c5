import Store
import Telemetry
import Testing

@testable import Gateway

@Suite("Conflicting scans of one instant")
struct ConflictingScansTests {
    private static let start = RollupsOfTheStoreTests.start

    /// A scan each 10 s; each 50 s and each minute a second one of the same instant, which stands
    /// first by its power and whose counter is ahead.
    private static func stream(_ group: ScanGroup.ID) -> [Scan] {
        var energy = 100_000
        return (0..<400).flatMap { index -> [Scan] in
            energy += 1 + index * 7 % 9
            func scan(_ power: Double, _ energy: Int) -> Scan {
                Scan(
                    group: group, time: start + .seconds(index * 10),
                    readings: [.number(power), .number(Double(energy) / 100)])
            }
            let truth = scan(2, energy)
            return index % 5 == 0 || index % 6 == 0 ? [scan(1, energy + 40), truth] : [truth]
        }
    }

    @Test(
        "narrow bars and minutes of a counter add up to its stored quarters", arguments: [0, 900])
    func sums(begin: Int) async throws {
        let folded = try await FoldedStore(
            groups: [RollupsOfTheStoreTests.group()], start: Self.start,
            selections: [OwedSelection(uplink: "boss", resolution: .hour)])
        defer { folded.remove() }
        folded.clock.advance(by: .seconds(4100))
        try await folded.commit(Self.stream(folded.groups[0].id))
        try await folded.pass(.seconds(60))
        try await folded.evaluate()
        let energy = folded.groups[0].series[EvaluationTests.energy]
        let (from, to) = (Self.start + .seconds(begin), Self.start + .seconds(3600))
        let bars = try await folded.store.reader.bars(
            series: energy.id, from: from, to: to, count: (3600 - begin) / 300)
        #expect(bars.allSatisfy { $0.end - $0.start == .seconds(300) })
        let minutes = try await folded.store.reader.rollups(
            series: energy.number, resolution: .minute, from: from, to: to)
        #expect(minutes.count == (3600 - begin) / 60)
        var quarters = try await folded.store.reader.rollups(
            series: energy.number, resolution: .quarterHour, from: from, to: to)
        #expect(quarters.count == (3600 - begin) / 900)
        for quarter in quarters {
            let stored = try #require(quarter.rollup.increase?.double)
            #expect(stored > 1)
            let inMinutes = minutes.filter { quarter.bucket.contains($0.bucket.start) }
                .compactMap { $0.rollup.increase?.double }.reduce(0, +)
            #expect((inMinutes - stored).magnitude < 1e-9, "\(quarter.bucket.start)")
        }
        // A chart knows no reading after its end, where the last quarter's increase ends.
        quarters.removeLast()
        for quarter in quarters {
            let stored = try #require(quarter.rollup.increase?.double)
            let inBars = bars.filter { quarter.bucket.contains($0.start) }
                .compactMap(\.increase).reduce(0, +)
            #expect((inBars - stored).magnitude < 1e-9, "\(quarter.bucket.start)")
            let (first, last) = (
                bars.first { $0.start == quarter.bucket.start },
                bars.last { $0.end == quarter.bucket.end }
            )
            #expect(first?.first == quarter.rollup.first?.value)
            #expect(last?.last == quarter.rollup.last?.value)
        }
    }
}
