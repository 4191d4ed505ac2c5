import Foundation
import Store
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

/// What a rollup should be, told in plain arrays by somebody who knows no `Rollup`.
private struct Reference {
    var good: [(Int64, Double)] = []
    var bad = 0

    var sum: Decimal { good.reduce(Decimal(0)) { $0 + Decimal(string: "\($1.1)")! } }

    /// The counter at an instant, interpolated on a grid of 0.01 between readings that never fall.
    static func counted(_ all: [(Int64, Double)], at time: Int64) -> Int128? {
        guard let after = all.firstIndex(where: { $0.0 >= time }) else { return nil }
        let cents = { (value: Double) in Int128((value * 100).rounded()) }
        if all[after].0 == time { return cents(all[after].1) }
        guard after > 0 else { return nil }
        let (t0, v0) = all[after - 1]
        let (t1, v1) = all[after]
        // A counter is split on the grid of the decimals that its two readings show.
        let (low, rise) = (cents(v0), cents(v1) - cents(v0))
        var grid: Int128 = 1
        for coarser in [Int128(10), 100] where low % coarser == 0 && rise % coarser == 0 {
            grid = coarser
        }
        return low + (rise / grid) * Int128(time - t0) / Int128(t1 - t0) * grid
    }
}

@Suite("Rollups in the store")
struct RollupsOfTheStoreTests {
    static let start = Timestamp(rfc3339: "2026-11-20T00:00:00Z")!

    static func group() -> ScanGroup {
        let device = DeviceID("m")
        func id(_ key: String) -> SeriesID { SeriesID(device: device, point: PointKey(key)) }
        return ScanGroup(
            device: device, interface: "rs485", name: "fast",
            series: [
                Series(id: id("active_power.total"), kind: .gauge, unit: "W"),
                Series(
                    id: id("active_energy.import.total"), kind: .counter, unit: "kWh",
                    counter: CounterPolicy(modulus: nil, resets: .never)),
            ],
            period: .seconds(10), isPolled: true)
    }

    /// An ordered stream of one group: a noisy power with failures, a counter that only grows.
    static func stream(_ random: inout SeededGenerator, group: ScanGroup.ID, scans: Int) -> [Scan] {
        var energy = 1000.0
        return (0..<scans).map { index in
            energy =
                ((energy + Double(Int.random(in: 0...9, using: &random)) / 100) * 100)
                .rounded() / 100
            let fails = Int.random(in: 0..<20, using: &random) == 0
            let power = Double(Int.random(in: -5000...90_000, using: &random)) / 10
            return Scan(
                group: group, time: start + .seconds(10 * index),
                readings: fails
                    ? [.bad(.timeout), .bad(.timeout)] : [.number(power), .number(energy)])
        }
    }

    /// Delivers each scan at its time or late (up to `delay`), some twice, a row a minute.
    static func deliver(
        _ scans: [Scan], to folded: FoldedStore, delay: Int, _ random: inout SeededGenerator,
        restartsEvery: Int = .max
    ) async throws {
        var rows: [Int: [Scan]] = [:]
        for (index, scan) in scans.enumerated() {
            let isLate = Int.random(in: 0..<10, using: &random) == 0
            let row = index / 6 + (isLate ? Int.random(in: 1...delay, using: &random) : 0)
            rows[row, default: []].append(scan)
            if Int.random(in: 0..<10, using: &random) == 0 {
                rows[row + Int.random(in: 0...delay, using: &random), default: []].append(scan)
            }
        }
        for row in 0...(rows.keys.max() ?? 0) {
            folded.clock.advance(to: start + .seconds(60 * (row + 1)))
            try await folded.commit((rows[row] ?? []).shuffled(using: &random))
            if row % restartsEvery == restartsEvery - 1 { try await folded.evaluate() }
        }
        folded.clock.advance(by: .seconds(7200))
        try await folded.commit([])
        try await folded.evaluate()
    }

    static func check(_ folded: FoldedStore, against scans: [Scan], until end: Timestamp)
        async throws
    {
        let series = folded.groups[0].series
        let powers = scans.map { ($0.time.milliseconds, $0.readings[0].number) }
        let energies = scans.compactMap { scan in
            scan.readings[1].number.map { (scan.time.milliseconds, $0) }
        }
        for resolution in [Resolution.minute, .quarterHour, .hour, .day] {
            let rows = try await folded.store.reader.rollups(
                series: series[0].number, resolution: resolution, from: start, to: end)
            let counted = try await folded.store.reader.rollups(
                series: series[1].number, resolution: resolution, from: start, to: end)
            let full = rows.filter { $0.bucket.end <= end }
            #expect(full.count == Int((end - start).milliseconds / resolution.nominal.milliseconds))
            for row in full {
                let inside = powers.filter {
                    row.bucket.start.milliseconds <= $0.0 && $0.0 < row.bucket.end.milliseconds
                }
                let good = Reference(
                    good: inside.compactMap { t, v in v.map { (t, $0) } },
                    bad: inside.count { $0.1 == nil })
                #expect(row.rollup.count == good.good.count)
                #expect(row.rollup.bad == good.bad)
                #expect(row.rollup.minimum == good.good.map(\.1).min())
                #expect(row.rollup.maximum == good.good.map(\.1).max())
                #expect(row.rollup.first?.value == good.good.first?.1)
                #expect(row.rollup.last?.value == good.good.last?.1)
                #expect(Decimal(string: "\(row.rollup.sum.value)")! == good.sum)
            }
            for row in counted where row.bucket.end <= end {
                let first = max(row.bucket.start.milliseconds, energies[0].0)
                guard let from = Reference.counted(energies, at: first),
                    let to = Reference.counted(energies, at: row.bucket.end.milliseconds)
                else { continue }
                let increase = row.rollup.increase.map { $0.rescaled(to: 2).mantissa }
                #expect(increase == to - from, "\(resolution) at \(row.bucket.start.rfc3339())")
            }
        }
    }

    @Test(
        "equal the fold of their samples, however late, doubled and shuffled the scans came",
        arguments: 0..<21)
    func equalTheFold(round: Int) async throws {
        let seed = UInt64(0x51_7E_00 + round)
        var random = SeededGenerator(seed: seed)
        let folded = try await FoldedStore(groups: [Self.group()], start: Self.start)
        defer { folded.remove() }
        let scans = Self.stream(&random, group: folded.groups[0].id, scans: 6 * 60 * 2)
        try await Self.deliver(
            scans, to: folded, delay: 30, &random, restartsEvery: [Int.max, 7, 1][round % 3])
        try await Self.check(
            folded, against: scans, until: Self.start + .seconds(3600 + 2700))
        #expect(folded.counters.values.dropped[.duplicate, default: 0] > 0, "seed \(seed)")
    }

    @Test("are the same, bit for bit, whether evaluation ran through or was restarted at every row")
    func restartsChangeNothing() async throws {
        var contents: [[String]] = []
        for restarts in [Int.max, 1, 3] {
            var random = SeededGenerator(seed: 77)
            let folded = try await FoldedStore(groups: [Self.group()], start: Self.start)
            defer { folded.remove() }
            let scans = Self.stream(&random, group: folded.groups[0].id, scans: 6 * 45)
            // Everything in order here: a late scan may rightly raise other revisions when the
            // fold looks back at other moments.
            for row in 0..<45 {
                folded.clock.advance(to: Self.start + .seconds(60 * (row + 1)))
                try await folded.commit(Array(scans[(row * 6)..<(row * 6 + 6)]))
                if row % restarts == restarts - 1 { try await folded.evaluate() }
            }
            folded.clock.advance(by: .seconds(7200))
            try await folded.commit([])
            try await folded.evaluate()
            var content: [String] = []
            for series in folded.groups[0].series {
                for resolution in [Resolution.minute, .quarterHour, .hour] {
                    content += try await folded.store.reader.rollups(
                        series: series.number, resolution: resolution, from: Self.start,
                        to: Self.start + .seconds(86_400)
                    ).map { "\($0)" }
                }
            }
            contents.append(content)
        }
        #expect(contents[0] == contents[1])
        #expect(contents[0] == contents[2])
        #expect(!contents[0].isEmpty)
    }

    @Test("get a higher revision, and owe a correction, when a late reading changes them")
    func lateReadingRaisesTheRevision() async throws {
        let folded = try await FoldedStore(
            groups: [Self.group()], start: Self.start,
            selections: [OwedSelection(uplink: "city", resolution: .minute)])
        defer { folded.remove() }
        var random = SeededGenerator(seed: 5)
        let scans = Self.stream(&random, group: folded.groups[0].id, scans: 6 * 10)
        let late = scans[20]
        folded.clock.advance(to: Self.start + .seconds(600))
        try await folded.commit(scans.filter { $0 != late })
        try await folded.evaluate()
        let bucket = Bucket(.minute, containing: late.time, calendar: .utc)
        func stored() async throws -> RollupRecord? {
            try await folded.store.reader.rollups(
                group: folded.groups[0].id, start: bucket.start, resolution: .minute
            ).first { $0.series == folded.groups[0].series[0].number }
        }
        let before = try #require(try await stored())
        #expect(before.revision == 0)
        #expect(before.rollup.count + before.rollup.bad == 5)
        folded.clock.advance(by: .seconds(60))
        try await folded.commit([late])
        try await folded.evaluate()
        let after = try #require(try await stored())
        #expect(after.revision == 1)
        #expect(after.rollup.count + after.rollup.bad == 6)
        let owed = try await folded.store.reader.owedItems(
            uplink: "city", now: folded.clock.wall, correctionSpacing: .zero,
            liveSince: Self.start, live: true, limit: 100)
        #expect(owed.first { $0.start == bucket.start }?.revision == 1)
        #expect(owed.count { $0.revision > 0 } <= 2)
    }
    @Test("hold a late reading that is the newest of its device, whose bucket silence has closed")
    func lateReadingAfterSilence() async throws {
        var group = Self.group()
        group.isPolled = false
        let folded = try await FoldedStore(
            groups: [group], start: Self.start,
            selections: [OwedSelection(uplink: "city", resolution: .hour)])
        defer { folded.remove() }
        // No counter: nothing but the scan itself says that the bucket has changed.
        func scan(_ seconds: Int, _ power: Double) -> Scan {
            Scan(
                group: folded.groups[0].id, time: Self.start + .seconds(seconds),
                readings: [.number(power), .bad(.absent)])
        }
        folded.clock.advance(to: Self.start + .seconds(60))
        try await folded.commit([scan(30, 1000)])
        try await folded.pass(.seconds(2 * 3600))
        try await folded.evaluate()
        try await folded.commit([scan(90, 3000)])
        try await folded.evaluate()
        for resolution in [Resolution.quarterHour, .hour] {
            let stored = try await folded.store.reader.rollups(
                group: folded.groups[0].id, start: Self.start, resolution: resolution)
            let series = folded.groups[0].series[0].number
            let power = try #require(stored.first { $0.series == series })
            #expect(power.rollup.count == 2, "\(resolution)")
            #expect(power.rollup.maximum == 3000, "\(resolution)")
            #expect(power.revision == 1, "\(resolution)")
        }
    }
}
