import BucketCodec
import GRDB
import Telemetry
import Testing

@testable import Store

/// How much one step of sealing writes, and how large a bucket becomes.
@Suite("The size of a seal")
struct SealSizeTests {
    @Test("a step that may write little writes one bucket and says how far it came")
    func allowance() async throws {
        let site = Site()
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        let hour = Site.start.milliseconds - Site.start.milliseconds % 3_600_000
        let until = hour + 8 * 3_600_000
        // Ten-second scans of some hours, then one late scan for each of them.
        for (step, offset) in [(10, 0), (3600, 5)] {
            var rest = stride(from: offset, to: 6 * 3600, by: step).map {
                var scan = Site.scan(group, at: 0, Double($0))
                scan.time = Timestamp(milliseconds: hour + Int64($0) * 1000)
                return scan
            }
            var steps = 0
            while !rest.isEmpty {
                let scans = rest
                let covered = try await store.reader.shared.file.pool.write { db in
                    try BucketTable.put(
                        scans, of: group, until: until, most: .init(buckets: 8, readings: 1), db)
                }
                #expect(covered > hour + Int64(steps) * 3_600_000)
                rest.removeAll { $0.time.milliseconds < covered }
                steps += 1
            }
            #expect(steps == 6)
        }
        let found = try await store.reader.scans(
            group: group.id, from: Timestamp(milliseconds: hour), to: Timestamp(milliseconds: until)
        )
        #expect(found.count == 6 * 360 + 6)
        try store.close()
    }

    @Test("an hour of many columns becomes buckets that one after another is written once")
    func wide() async throws {
        let site = Site()
        let store = try site.open(.process)
        var wide = Site.group(points: (0..<99).map { "p\($0)" })
        wide.period = .seconds(1)
        let group = try await store.writer.register([wide])[0]
        let hour = Site.start.milliseconds - Site.start.milliseconds % 3_600_000 + 3_600_000
        for begin in stride(from: 0, to: 3_700, by: 100) {
            let scans = (begin..<begin + 100).map { second in
                var scan = Site.scan(group, at: 0, Double(second % 90))
                scan.time = Timestamp(milliseconds: hour + Int64(second) * 1000)
                return scan
            }
            _ = try await store.writer.commit(Site.batch(scans))
        }
        var steps = 0
        var written: Set<Int64> = []
        while let request = store.reader.dueSeals(
            cursor: store.reader.newestSequence(), now: nil
        ).first {
            try await store.writer.apply(
                EvaluationEffects(checkpoint: SealingTests.checkpoint(store), seals: [request]))
            let buckets = try await store.reader.read("look at the buckets") { db in
                try BucketTable.page(group.id, from: 0, to: .max, limit: 100, db)
            }
            // What was written before stays as it is, and one bucket comes with each step.
            #expect(written.isSubset(of: buckets.map(\.id)))
            written = Set(buckets.map(\.id))
            steps += 1
            #expect(written.count == steps)
            for bucket in buckets {
                let rows = try BucketCodec.decode(bucket.data, columns: []).count
                #expect(rows * 100 <= BucketWindow.mostReadings)
            }
        }
        #expect(steps == 6)
        let found = try await store.reader.scans(
            group: group.id, from: Timestamp(milliseconds: hour), to: Timestamp(milliseconds: .max))
        #expect(found.count == 3_700)
        try store.close()
    }

    @Test("a late backlog is cut into buckets that one may be, also where a damaged one stood")
    func lateBacklog() async throws {
        for isDamaged in [false, true] {
            let site = Site()
            var store = try site.open(.process)
            var messages = Site.group("dust", points: [])
            messages.period = nil
            messages.isPolled = false
            let group = try await store.writer.register([messages])[0]
            func scans(_ range: Range<Int64>) -> [Scan] {
                range.map {
                    Scan(
                        group: group.id, time: Site.start + .milliseconds($0 * 40),
                        readings: [.number(Double($0 % 100))])
                }
            }
            func commit(_ scans: [Scan]) async throws {
                for place in stride(from: 0, to: scans.count, by: 5_000) {
                    _ = try await store.writer.commit(
                        Site.batch(Array(scans[place..<min(scans.count, place + 5_000)])))
                }
            }
            // One bucket of the whole hour with two scans in it, then all between them at once.
            let (last, end) = (Int64(70_000), Site.start + .seconds(3_600))
            try await commit(scans(0..<1) + scans(last..<last + 1))
            var next = scans(0..<1)[0]
            next.time = end + .seconds(1)
            try await commit([next])
            try await SealingTests.seal(store)
            if isDamaged {
                try store.close()
                try site.meddle("UPDATE bucket SET data = zeroblob(50)")
                store = try site.open(.process)
            }
            try await commit(scans(1..<last))
            try await SealingTests.seal(store, everything: true)
            let found = try await store.reader.scans(
                group: group.id, from: Site.start, to: end, limit: 200_000)
            #expect(found.count == Int(last) + (isDamaged ? -1 : 1))
            try store.close()
            let sizes = try await DatabaseQueue(path: site.path).read { db in
                try Int.fetchAll(db, sql: "SELECT rows FROM bucket")
            }
            let most = BucketWindow.longestMerged(width: group.series.count)
            #expect(sizes.allSatisfy { (1...most).contains($0) }, "\(sizes)")
            #expect(sizes.count > 8)
        }
    }

    @Test("scans are cut between instants, until a bucket may hold them")
    func cuts() {
        func scans(_ times: [Int]) -> [Scan] {
            times.map {
                Scan(group: ScanGroup.ID(1), time: Site.start + .seconds($0), readings: [])
            }
        }
        let half = BucketWindow.mostReadings / 2
        // Four rows of this width are as many as late scans may fill a bucket with.
        #expect(BucketTable.split(scans([1, 2, 3, 4])[...], width: half) == nil)
        #expect(BucketTable.split(scans([1, 2, 3, 4, 5])[...], width: half) == 2)
        #expect(BucketTable.split(scans([1, 2, 2, 2, 2])[...], width: half) == 1)
        #expect(BucketTable.split(scans([1, 1, 1, 1, 2])[...], width: half) == 4)
        #expect(BucketTable.split(scans([1, 1, 1, 1, 1])[...], width: half) == nil)
        #expect(BucketTable.split(scans(Array(0..<20))[3..<9], width: half) == 6)
    }
}
