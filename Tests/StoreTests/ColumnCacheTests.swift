import BucketCodec
import Telemetry
import TestSeeds
import Testing

@testable import Store

/// Charts out of memory against the same charts out of the file.
@Suite("Kept columns")
struct ColumnCacheTests {
    private static func compare(
        _ store: Store, _ groups: [ScanGroup], _ random: inout SeededGenerator, _ seed: UInt64
    ) async throws {
        var anew = store.reader
        anew.keepsColumns = false
        let to = Site.start + .seconds(Int(random.next() % UInt64(10 * 3600)))
        let from = to - .seconds([900, 5_400, 6 * 3600, 26 * 3600][Int(random.next() % 4)])
        for group in groups {
            for series in [group.series[0], group.series[group.series.count - 1]] {
                let bars = try await anew.bars(series: series.id, from: from, to: to, count: 97)
                let samples = try await anew.samples(
                    series: series.id, from: from, to: to, limit: 100_000)
                let column = group.series.firstIndex(of: series) ?? 0
                let before = try await anew.lastScans(group: group.id, before: from, limit: 5)
                    .compactMap { $0.timed(column) }.atLastInstant()
                let last = try await store.reader.lastNumber(
                    .init(group: group, column: column), before: from, among: 5)
                #expect(last == before)
                // Twice: what the first leaves behind answers the second.
                for round in 0..<2 {
                    #expect(
                        try await store.reader.bars(
                            series: series.id, from: from, to: to, count: 97) == bars,
                        "seed \(seed), \(series.id), round \(round)")
                    #expect(
                        try await store.reader.samples(
                            series: series.id, from: from, to: to, limit: 100_000) == samples,
                        "seed \(seed), \(series.id), round \(round)")
                }
            }
        }
    }

    /// Asks for charts until it is cancelled, in the middle of commits and seals.
    private static func ask(_ store: Store, _ groups: [ScanGroup]) async {
        while !Task.isCancelled {
            for group in groups {
                _ = try? await store.reader.bars(
                    series: group.series[0].id, from: Site.start,
                    to: Site.start + .seconds(9 * 3600), count: 288)
                await Task.yield()
            }
        }
    }

    @Test(
        "a chart out of memory is the one out of the file, whatever came late and was sealed anew",
        arguments: 0..<8 as Range<UInt64>)
    func model(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed &+ 90)
        let site = Site()
        let store = try site.open(.process)
        let groups = try await store.writer.register(SealingTests.groups())
        var waiting = SealingTests.stream(groups, hours: 9, &random)
        waiting.sort { $0.time < $1.time }
        // Some by hours late, some twice.
        for _ in 0..<waiting.count / 40 {
            let from = SealingTests.delay(&waiting, &random)
            waiting.insert(waiting[from], at: Int(random.next() % UInt64(waiting.count)))
        }
        let asking = Task { await Self.ask(store, groups) }
        var rest = waiting[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(1 + Int(random.next() % 60)))
            rest = rest.dropFirst(batch.count)
            _ = try await store.writer.commit(Site.batch(batch))
            switch random.next() % 12 {
            case 0, 1: try await SealingTests.seal(store)
            case 2: try await SealingTests.seal(store, everything: true)
            case 3: try await Self.compare(store, groups, &random, seed)
            case 4 where random.next() % 4 == 0: try await store.writer.reopen()
            default: break
            }
        }
        asking.cancel()
        await asking.value
        try await Self.compare(store, groups, &random, seed)
        #expect(store.reader.shared.columns.value.bytes <= ColumnCache.mostBytes)
        try store.close()
    }

    @Test("a chart that was asked for before needs no file, until a bucket has changed")
    func hit() async throws {
        let site = Site()
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        let scans = (0..<2_000).map { Site.scan(group, at: $0 * 10, Double($0 % 70) / 10) }
        _ = try await store.writer.commit(Site.batch(scans))
        try await SealingTests.seal(store)
        let ask = {
            try await store.reader.bars(
                series: group.series[0].id, from: Site.start,
                to: Site.start + .seconds(20_000), count: 288)
        }
        let bars = try await ask()
        #expect(bars.map(\.count).reduce(0, +) == 2_000)
        // The buckets vanish behind the store's back: only memory can tell of them.
        try site.meddle("DELETE FROM bucket")
        #expect(try await ask() == bars)
        store.reader.shared.head.withValue { $0.bucketsChanged() }
        #expect(try await ask().map(\.count).reduce(0, +) < 2_000)
        try store.close()
    }

    @Test("what retention has removed is in no chart any more")
    func retention() async throws {
        let site = Site()
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        let scans = (0..<2_000).map { Site.scan(group, at: $0 * 10) }
        _ = try await store.writer.commit(Site.batch(scans))
        try await SealingTests.seal(store, everything: true)
        let ask = {
            try await store.reader.samples(
                series: group.series[0].id, from: Site.start,
                to: Site.start + .seconds(20_000)
            ).count
        }
        for _ in 0..<2 { #expect(try await ask() == 2_000) }
        let policy = HousekeepingPolicy(rawRetention: .seconds(3600))
        var count = 2_000
        for second in stride(from: 20_000, to: 60_000, by: 1_000) {
            var clock = Site.clock(Site.start + .seconds(second))
            clock.monotonic = Int64(second) * 1000
            _ = try await store.writer.housekeeping(clock: clock, policy: policy)
            var anew = store.reader
            anew.keepsColumns = false
            let left = try await anew.samples(
                series: group.series[0].id, from: Site.start,
                to: Site.start + .seconds(20_000)
            ).count
            #expect(try await ask() == left)
            count = left
        }
        #expect(count == 0)
        try store.close()
    }

    @Test("the least recently used columns go first, and all together stay within their bytes")
    func bounds() throws {
        var cache = ColumnCache()
        let samples = (0..<2_000).map {
            Sample(time: Timestamp(milliseconds: $0), reading: .number(1), flags: [])
        }
        func place(_ column: Int) -> ColumnCache.Place {
            .init(group: ScanGroup.ID(1), column: column)
        }
        for column in 0..<200 {
            cache.keep(.init(lineage: 1, samples: samples), of: place(column))
            #expect(cache.bytes <= ColumnCache.mostBytes)
            #expect(cache.entry(place(0))?.open != nil)
        }
        #expect(cache.entry(place(1)) == nil && cache.entry(place(199)) != nil)
        let many = Array(repeating: samples, count: 40).flatMap(\.self)
        cache.keep(.init(lineage: 1, samples: many), of: place(0))
        #expect(cache.entry(place(0))?.open == nil)
        #expect(cache.bytes > ColumnCache.mostBytes / 2)
    }

    @Test("ranges that touch are kept as one, unless a bucket has changed between them")
    func neighbours() throws {
        func sealed(_ revision: Int64, _ range: Range<Int64>) -> ColumnCache.Sealed {
            let times = range.map { Timestamp(milliseconds: $0) }
            let rows = BucketRows(
                times: times, sequences: times.map { _ in 0 }, flags: times.map { _ in [] },
                columns: [BucketColumn(times.map { _ in Reading.number(1) })])
            let column = SealedColumn(
                rows, column: 0, start: range.lowerBound, end: range.upperBound)
            return .init(
                revision: revision, from: range.lowerBound, to: range.upperBound, columns: [column])
        }
        let joined = sealed(1, 0..<10).joined(with: sealed(1, 10..<20)).joined(
            with: sealed(1, 0..<10))
        #expect(joined.from == 0 && joined.to == 20)
        #expect(joined.columns.map(\.start) == [0, 10])
        #expect(sealed(1, 0..<10).joined(with: sealed(2, 10..<20)).columns.count == 1)
        #expect(sealed(1, 0..<10).joined(with: sealed(1, 11..<20)).from == 11)
    }

    @Test("a column in memory gives back every reading of its bucket", arguments: 0..<40)
    func column(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scans = (0..<Int(random.next() % 300)).map { row in
            var time = Timestamp(milliseconds: Int64(row) * 1000)
            if seed % 3 == 0 { time = time + .milliseconds(Int64(random.next() % 900)) }
            let number = Double(Int64(random.next() % 9_000) - 4_000)
            let readings: [Reading] = [
                .number(number / 10), .number(number * 1e-300), .number(number * 1e12),
                random.next() % 9 == 0 ? .bad(.timeout) : .number(number / 100),
                random.next() % 2 == 0 ? .text("on") : .number(number), .bad(.absent),
            ]
            let flags: ScanFlags = seed % 5 == 0 && row % 7 == 0 ? [.backfill] : []
            return Scan(
                group: ScanGroup.ID(1), time: time, sequence: 0, flags: flags, readings: readings)
        }
        let bytes = BucketCodec.encode(BucketRows(scans: scans, width: 6), period: .seconds(1))
        let rows = try BucketCodec.decode(bytes)
        for column in 0..<6 {
            let kept = SealedColumn(rows, column: column, start: 0, end: 300_000)
            let (from, to) = (Timestamp(milliseconds: 7_100), Timestamp(milliseconds: 211_000))
            let expected = scans.filter { from <= $0.time && $0.time < to }.map {
                Sample(time: $0.time, reading: $0.readings[column], flags: $0.flags)
            }
            var samples: [Sample] = []
            kept.append(kept.rows(from: from, to: to), to: &samples)
            #expect(samples == expected)
            let grid = BarGrid(from: from, to: to, count: 40, calendar: .utc)
            var (fold, other) = (BarFold(grid), BarFold(grid))
            kept.add(kept.rows(from: from, to: to), to: &fold)
            for sample in expected { other.add(sample.reading, at: sample.time) }
            #expect(fold.bars == other.bars)
        }
    }
}
