import BucketCodec
import GRDB
import Telemetry
import TestSeeds
import Testing

@testable import Store

/// Journal → head → bucket, against a model that is a sorted list.
@Suite("Sealing")
struct SealingTests {
    /// A polled group each second, one each minute, and one of messages at odd times.
    static func groups() -> [ScanGroup] {
        var fast = Site.group("crane")
        fast.period = .seconds(1)
        var slow = Site.group("meter")
        slow.period = .seconds(60)
        var messages = Site.group("dust", points: ["power"])
        messages.period = nil
        messages.isPolled = false
        return [fast, slow, messages]
    }

    static func checkpoint(_ store: Store) -> EvaluationCheckpoint {
        EvaluationCheckpoint(
            version: 1, cursor: store.reader.newestSequence(), state: [1, 2, 3])
    }

    static func seal(_ store: Store, everything: Bool = false) async throws {
        for _ in 0..<200 {
            let due = store.reader.dueSeals(
                cursor: store.reader.newestSequence(), now: nil, everything: everything)
            guard let first = due.first else { return }
            try await store.writer.apply(
                EvaluationEffects(checkpoint: checkpoint(store), seals: [first]))
        }
        Issue.record("sealing does not come to an end")
    }

    /// Makes one of the scans come later; by hours now and then.
    ///
    /// - Returns: the place from which it was taken.
    static func delay(_ scans: inout [Scan], _ random: inout SeededGenerator) -> Int {
        let from = Int(random.next() % UInt64(scans.count))
        let to = min(scans.count - 1, from + Int(random.next() % 900))
        scans.insert(scans.remove(at: from), at: to)
        return from
    }

    /// Every instant of some hours for each group, with a conflict here and there.
    static func stream(
        _ groups: [ScanGroup], hours: Int64, _ random: inout SeededGenerator
    ) -> [Scan] {
        var scans: [Scan] = []
        for group in groups {
            let step = group.period.map { max(20, $0.milliseconds / 1000) } ?? 37
            for second in stride(from: Int64(0), to: hours * 3600, by: Int(step)) {
                if random.next() % 11 == 0 { continue }
                var scan = Site.scan(group, at: second, Double(random.next() % 1000) / 10)
                if group.period == nil {
                    scan.time = scan.time + .milliseconds(Int64(random.next() % 900))
                }
                if random.next() % 17 == 0 { scan.readings[0] = .bad(.timeout) }
                scans.append(scan)
                if random.next() % 23 == 0 {
                    var other = scan
                    other.readings[0] = .number(Double(random.next() % 1000) + 0.5)
                    scans.append(other)
                }
            }
        }
        return scans
    }

    @Test(
        "whatever the order, the delay, the seals and the restarts, every scan is there once",
        arguments: 0..<12 as Range<UInt64>)
    func model(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed &+ 7)
        let site = Site()
        var store = try site.open(.process)
        let groups = try await store.writer.register(Self.groups())
        let all = Self.stream(groups, hours: 9, &random)
        var waiting = all
        // Most in order, some by hours late, some twice.
        waiting.sort { $0.time < $1.time }
        for _ in 0..<all.count / 20 { _ = Self.delay(&waiting, &random) }
        for _ in 0..<all.count / 30 {
            let copy = waiting[Int(random.next() % UInt64(waiting.count))]
            waiting.insert(copy, at: Int(random.next() % UInt64(waiting.count)))
        }
        var rest = waiting[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(1 + Int(random.next() % 60)))
            rest = rest.dropFirst(batch.count)
            _ = try await store.writer.commit(Site.batch(batch))
            if random.next() % 5 == 0 {
                try await Self.seal(store, everything: random.next() % 7 == 0)
            }
            if random.next() % 41 == 0 {
                try store.close()
                store = try site.open(.process)
            }
        }
        try await Self.compare(store, groups, all, seed: seed)
        try await Self.seal(store, everything: true)
        try await Self.compare(store, groups, all, seed: seed)
        #expect(store.reader.dueSeals(cursor: .max, now: nil, everything: true).isEmpty)
        #expect(try await store.reader.statistics().journalRows <= 1, "seed \(seed)")
        try store.close()
        store = try site.open(.process)
        try await Self.compare(store, groups, all, seed: seed)
        try store.close()
        let overlaps = try await DatabaseQueue(path: site.path).read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM bucket a JOIN bucket b ON a.scan_group = b.scan_group
                        AND a.id < b.id AND a.start < b.end AND b.start < a.end
                    """)
        }
        #expect(overlaps == 0)
    }

    static func compare(
        _ store: Store, _ groups: [ScanGroup], _ all: [Scan], seed: UInt64
    ) async throws {
        for group in groups {
            let expected = Scan.inOrder(all.filter { $0.group == group.id })
            let found = try await store.reader.scans(
                group: group.id, from: Timestamp(milliseconds: .min),
                to: Timestamp(milliseconds: .max))
            #expect(found == expected, "seed \(seed), \(group.scope)")
            let middle = expected[expected.count / 2].time
            let last = try await store.reader.lastScans(
                group: group.id, before: middle, limit: 7)
            #expect(last == Array(expected.filter { $0.time < middle }.suffix(7)))
            let to = middle + .seconds(5000)
            let samples = try await store.reader.samples(
                series: group.series[0].id, from: middle, to: to)
            let wanted = expected.filter { middle <= $0.time && $0.time < to }
            #expect(samples.map(\.time) == wanted.map(\.time))
            #expect(samples.map(\.reading) == wanted.map { $0.readings[0] })
        }
    }

    @Test("a shuffled stream leaves the same readings and latest values as the ordered one")
    func shuffled() async throws {
        var contents: [[Scan]] = []
        for seed in 0..<6 as Range<UInt64> {
            var random = SeededGenerator(seed: 99)
            let site = Site()
            let store = try site.open(.process)
            let groups = try await store.writer.register(Self.groups())
            var scans = Self.stream(groups, hours: 3, &random)
            if seed > 0 {
                random = SeededGenerator(seed: seed)
                scans.shuffle(using: &random)
                scans += scans.shuffled(using: &random).prefix(40)
            }
            for start in stride(from: 0, to: scans.count, by: 50) {
                _ = try await store.writer.commit(
                    Site.batch(Array(scans[start..<min(start + 50, scans.count)])))
                if seed % 2 == 0 { try await Self.seal(store) }
            }
            try await Self.seal(store, everything: true)
            var content: [Scan] = []
            for group in groups {
                content += try await store.reader.scans(
                    group: group.id, from: Timestamp(milliseconds: .min),
                    to: Timestamp(milliseconds: .max))
            }
            contents.append(content)
            try store.close()
        }
        for content in contents.dropFirst() { #expect(content == contents[0]) }
    }

    @Test("a journal row goes only with the bucket that holds its scans")
    func together() async throws {
        let site = Site()
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        for index in 0..<400 {
            _ = try await store.writer.commit(
                Site.batch([Site.scan(group, at: Int64(index) * 60)]))
        }
        // What the evaluation has not folded stays where it is.
        let request = SealRequest(group: group.id, until: Site.start + .seconds(400 * 60))
        try await store.writer.apply(
            EvaluationEffects(
                checkpoint: EvaluationCheckpoint(version: 1, cursor: 150, state: []),
                seals: [request]))
        let left = try await store.reader.journal(after: 0, maximumRows: 1000).map(\.sequence)
        #expect(left == Array(151...400))
        // A transaction that fails leaves neither a bucket nor a gap.
        try site.meddle(
            "CREATE TRIGGER no BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'no'); END")
        await #expect(throws: StoreError.self) {
            try await store.writer.apply(
                EvaluationEffects(
                    checkpoint: EvaluationCheckpoint(version: 1, cursor: 300, state: []),
                    seals: [request]))
        }
        try site.meddle("DROP TRIGGER no")
        let scans = try await store.reader.scans(
            group: group.id, from: Site.start, to: Site.start + .seconds(86_400))
        #expect(scans.count == 400)
        #expect(try await store.reader.checkpoint()?.cursor == 150)
        try store.close()
    }

    @Test("a damaged bucket is told by its range, and what comes late for it is stored beside it")
    func damaged() async throws {
        let site = Site()
        var store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        for index in 0..<700 {
            _ = try await store.writer.commit(
                Site.batch([Site.scan(group, at: Int64(index) * 10)]))
        }
        try await Self.seal(store, everything: true)
        try store.close()
        try site.meddle("UPDATE bucket SET data = zeroblob(50) WHERE id = 1")
        store = try site.open(.process)
        let whole = Site.start..<(Site.start + .seconds(86_400))
        let found = try await store.reader.scans(
            group: group.id, from: whole.lowerBound, to: whole.upperBound)
        #expect(found.count > 0 && found.count < 700)
        let damage = try #require(store.reader.damagedBuckets().first)
        #expect(damage.group == group.id && damage.start <= Site.start)
        #expect(found.allSatisfy { $0.time >= damage.end || $0.time < damage.start })
        var statistics = try await store.reader.statistics()
        #expect(statistics.damagedBuckets == 1 && statistics.quarantinedBuckets == 0)
        let late = Site.scan(group, at: 15, 77)
        _ = try await store.writer.commit(Site.batch([late]))
        try await Self.seal(store, everything: true)
        let after = try await store.reader.scans(
            group: group.id, from: whole.lowerBound, to: whole.upperBound)
        #expect(after.count == found.count + 1 && after.contains(late))
        statistics = try await store.reader.statistics()
        #expect(statistics.damagedBuckets == 1 && statistics.quarantinedBuckets == 1)
        try store.close()
    }

    @Test("times of an untrusted clock are put right once the clock is known, and only once")
    func stamped() async throws {
        let site = Site()
        var store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        func untrusted(_ monotonic: Int64, _ value: Double) -> JournalBatch {
            var scan = Site.scan(group, at: 0, value)
            scan.time = Timestamp(milliseconds: monotonic)
            return JournalBatch(
                clock: ClockReading(
                    bootID: "cold", monotonic: monotonic,
                    wall: Timestamp(milliseconds: monotonic), isTrusted: false), scans: [scan])
        }
        for index in 1...5 {
            _ = try await store.writer.commit(untrusted(Int64(index) * 10_000, Double(index)))
        }
        #expect(try await store.reader.journal(after: 0).isEmpty)
        #expect(store.reader.latest().isEmpty)
        try store.close()
        store = try site.open(.process)
        #expect(try await store.writer.unstampedBoots().map(\.bootID) == ["cold"])
        let offset = Site.start.milliseconds + 3_000
        try await store.writer.stamp(bootID: "cold", offset: offset, isEstimated: false)
        try await store.writer.stamp(bootID: "cold", offset: offset + 86_400_000, isEstimated: true)
        let expected = (1...5).map { Site.start + .seconds($0 * 10) }
        for _ in 0..<2 {
            let rows = try await store.reader.journal(after: 0)
            #expect(rows.flatMap(\.scans).map(\.time) == expected)
            let scans = try await store.reader.scans(
                group: group.id, from: Site.start, to: Site.start + .seconds(3600))
            #expect(scans.map(\.time) == expected)
            #expect(scans.allSatisfy { $0.flags.isEmpty })
            try store.close()
            store = try site.open(.process)
        }
        #expect(store.reader.latest()[group.series[0].number]?.time == expected.last)
        try store.close()
    }
}
