import Telemetry
import TestSeeds
import Testing

@testable import Store

/// Charts, minutes on demand and gaps against plain arithmetic over the samples.
@Suite("Bars, minutes and gaps")
struct BarsTests {
    private func filled(
        _ site: Site, hours: Int64 = 7, seed: UInt64 = 5
    ) async throws -> (Store, ScanGroup, [(time: Timestamp, value: Double)]) {
        var random = SeededGenerator(seed: seed)
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        var all: [(time: Timestamp, value: Double)] = []
        var batch: [Scan] = []
        for second in stride(from: Int64(0), to: hours * 3600, by: 10) {
            // An hour of silence, and failed reads here and there.
            if (7200..<10_800).contains(second) { continue }
            var scan = Site.scan(group, at: second, Double(random.next() % 5000) / 10)
            scan.readings[2] = .number(Double(second) / 100)
            if random.next() % 9 == 0 {
                scan.readings[0] = .bad(.timeout)
            } else {
                all.append((scan.time, scan.readings[0].number ?? 0))
            }
            batch.append(scan)
            if batch.count == 30 {
                _ = try await store.writer.commit(Site.batch(batch))
                batch = []
            }
        }
        _ = try await store.writer.commit(Site.batch(batch))
        return (store, group, all)
    }

    @Test("a chart has about as many bars as were asked for, each the fold of its samples")
    func bars() async throws {
        let site = Site()
        let (store, group, all) = try await filled(site)
        for isSealed in [false, true] {
            if isSealed { try await SealingTests.seal(store, everything: true) }
            for (count, from, hours) in [(288, 0, 6), (60, 333, 2), (11, 1_234, 5)] {
                let start = Site.start + .seconds(from)
                let end = start + .seconds(hours * 3600)
                let bars = try await store.reader.bars(
                    series: group.series[0].id, from: start, to: end, count: count)
                #expect(bars.count <= count + 1 && bars.count * 3 >= count)
                for (bar, next) in zip(bars, bars.dropFirst()) { #expect(bar.end == next.start) }
                for bar in bars {
                    let inside = all.filter {
                        max(bar.start, start) <= $0.time && $0.time < min(bar.end, end)
                    }.map(\.value)
                    #expect(bar.count == inside.count)
                    #expect(bar.minimum == inside.min() && bar.maximum == inside.max())
                    #expect(bar.first == inside.first && bar.last == inside.last)
                    let mean = inside.reduce(0, +) / Double(inside.count)
                    if let found = bar.mean { #expect((found - mean).magnitude < 1e-9) }
                }
                #expect(bars.map(\.bad).reduce(0, +) > 0)
            }
        }
        try store.close()
    }

    @Test("the bars of a counter add up to what it counted, whatever their number")
    func counter() async throws {
        let site = Site()
        let (store, group, _) = try await filled(site)
        try await SealingTests.seal(store)
        let (from, to) = (Site.start, Site.start + .seconds(6 * 3600))
        let energy = group.series[2]
        for count in [5, 36, 288, 1_000] {
            let bars = try await store.reader.bars(
                series: energy.id, from: from, to: to, count: count)
            let sum = bars.compactMap(\.increase).reduce(0, +)
            // The counter stood at 0 at the start; its last reading before the end is 10 s early.
            #expect((sum - 215.9).magnitude < 1e-6, "\(count) bars give \(sum)")
        }
        try store.close()
    }

    @Test("minutes that no row holds are the fold of their samples")
    func minutes() async throws {
        let site = Site()
        let (store, group, all) = try await filled(site)
        try await SealingTests.seal(store)
        let from = Site.start + .seconds(1_800)
        let to = Site.start + .seconds(4 * 3600)
        let records = try await store.reader.rollups(
            series: group.series[0].number, resolution: .minute, from: from, to: to)
        #expect(records.count > 140)
        for record in records {
            let inside = all.filter { record.bucket.contains($0.time) }.map(\.value)
            #expect(record.rollup.count == inside.count)
            #expect(record.rollup.minimum == inside.min())
            #expect(record.rollup.last?.value == inside.last)
        }
        #expect(zip(records, records.dropFirst()).allSatisfy { $0.bucket < $1.bucket })
        let counted = try await store.reader.rollups(
            series: group.series[2].number, resolution: .minute, from: from, to: to)
        let sum = counted.compactMap { $0.rollup.increase?.double }.reduce(0, +)
        #expect((sum - Double(4 * 3600 - 1_800) / 100).magnitude < 1e-6, "\(sum)")
        try store.close()
    }

    @Test("a gap begins one period after the last good reading and ends at the next")
    func gaps() async throws {
        let site = Site()
        let (store, group, _) = try await filled(site)
        for isSealed in [false, true] {
            if isSealed { try await SealingTests.seal(store, everything: true) }
            let gaps = try await store.reader.gaps(
                group: group.id, from: Site.start, to: Site.start + .seconds(7 * 3600 + 100))
            #expect(
                gaps == [
                    Gap(
                        start: Site.start + .seconds(7200), end: Site.start + .seconds(10_800),
                        reason: nil),
                    Gap(
                        start: Site.start + .seconds(7 * 3600),
                        end: Site.start + .seconds(7 * 3600 + 100), reason: nil),
                ])
        }
        try store.close()
    }

    @Test("a chart is in order when an earlier list of columns has come back")
    func columnsCameBack() async throws {
        let site = Site()
        let store = try site.open(.process)
        let lists = [["power", "voltage"], ["power"], ["power", "voltage"]]
        for (hour, points) in lists.enumerated() {
            let group = try await store.writer.register([Site.group(points: points)])[0]
            let scans = (0..<360).map { index in
                var scan = Site.scan(group, at: Int64(hour * 3600 + index * 10), Double(hour))
                scan.readings[points.count] = .number(Double(hour * 360 + index))
                return scan
            }
            _ = try await store.writer.commit(Site.batch(scans))
        }
        for isSealed in [false, true] {
            if isSealed { try await SealingTests.seal(store, everything: true) }
            let registry = try await store.reader.registry()
            let group = try #require(registry.groups.first { $0.device == DeviceID("meter") })
            let (from, to) = (Site.start + .seconds(1800), Site.start + .seconds(3 * 3600))
            let power = try await store.reader.bars(
                series: group.series[0].id, from: from, to: to, count: 450)
            #expect(power.reduce(0) { $0 + $1.count } == 900, "\(isSealed)")
            let hours = power.map { Double(($0.start - Site.start) / .seconds(3600)) }
            #expect(power.map(\.minimum) == hours.map { $0.rounded(.down) })
            let energy = try await store.reader.bars(
                series: group.series[2].id, from: from, to: to, count: 450)
            // One for each step of ten seconds, from the one before the range to the last reading.
            let counted = energy.compactMap(\.increase).reduce(0, +)
            #expect(counted == 3 * 360 - 1 - 180, "\(isSealed)")
        }
        try store.close()
    }
}
